//! The harness judges the product; here it is judged itself.

#[path = "harness/harness.rs"]
mod harness;
#[path = "harness_self/network.rs"]
mod network;
#[path = "harness_self/object_oracle.rs"]
mod object_oracle;
#[path = "harness_self/oracle.rs"]
mod oracle;
#[path = "harness_self/s3_source.rs"]
mod s3_source;
#[path = "harness_self/sigv4.rs"]
mod sigv4;
