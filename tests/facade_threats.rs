//! What an attacker sends, threat by threat: each request has S3's answer or none, changes nothing that its sender
//! may not change, and costs the account no call before it is known who asks.

#[path = "harness/harness.rs"]
mod harness;
#[path = "harness/scripted.rs"]
mod scripted;

#[path = "facade_threats/chunks.rs"]
mod chunks;
#[path = "facade_threats/deputy.rs"]
mod deputy;
#[path = "facade_threats/disclosure.rs"]
mod disclosure;
#[path = "facade_threats/documents.rs"]
mod documents;
#[path = "facade_threats/forgery.rs"]
mod forgery;
#[path = "facade_threats/forwarding.rs"]
mod forwarding;
#[path = "facade_threats/paths.rs"]
mod paths;
#[path = "facade_threats/replay.rs"]
mod replay;
#[path = "facade_threats/signatures.rs"]
mod signatures;
#[path = "facade_threats/smuggling.rs"]
mod smuggling;
#[path = "facade_threats/strangers.rs"]
mod strangers;
