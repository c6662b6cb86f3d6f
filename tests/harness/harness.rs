//! What the integration tests stand on: servers, clients and judges that share no code with the
//! product, so that a misreading in the product is not mirrored in its judge. [`product`] alone is made
//! of the product: it runs the facade that the others judge.
//! A test includes it with `#[path = "harness/harness.rs"] mod harness;`.

// Each test binary uses a part of it.
#![allow(dead_code, unused_imports)]

pub mod balancer;
pub mod data_lake;
pub mod fault_proxy;
pub mod hash;
pub mod http1;
pub mod oracle;
pub mod percent;
pub mod product;
pub mod random;
pub mod refusal;
pub mod replica;
pub mod s3_client;
pub mod s3_source;
pub mod sequence;
pub mod sigv4;
