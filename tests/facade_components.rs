//! What the facade counts for each component, judged by what the account was asked for.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_components/conversation.rs"]
mod conversation;
#[path = "facade_components/counted.rs"]
mod counted;
#[path = "facade_components/elsewhere.rs"]
mod elsewhere;
#[path = "facade_components/shown.rs"]
mod shown;
