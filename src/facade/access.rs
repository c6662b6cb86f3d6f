//! The rules of access, in one place: what an operation needs ([`permits`]), what a key pair may do
//! ([`Rules`]) and to what the policy of a session narrows that ([`Policy`]).
//!
//! Both answer the same question, `allows(action, resource)`, and know nothing of requests,
//! signatures or time. Whoever asks in a session may do what both allow: the intersection.

mod action;
mod need;
mod policy;
mod rules;

pub use action::{Action, Resource};
pub use need::permits;
pub use policy::{Policy, PolicyError};
pub use rules::{BucketScope, Rule, Rules, Verbs};
