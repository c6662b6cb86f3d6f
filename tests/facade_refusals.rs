//! Bad requests: each has S3's answer, changes nothing, tells no secret, and mostly costs no call to the
//! account at all.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_refusals/bodies.rs"]
mod bodies;
#[path = "facade_refusals/identities.rs"]
mod identities;
#[path = "facade_refusals/rights.rs"]
mod rights;
#[path = "facade_refusals/targets.rs"]
mod targets;
#[path = "facade_refusals/wire.rs"]
mod wire;

use harness::refusal::{BEFORE, assert_tells_nothing, assert_untouched, product, refused};
