//! A thin client of the Blob Storage REST API: one file per operation.
//!
//! Every method sends one request (and its retries) and returns types of [`crate::object`] or of
//! the operation's own file. Errors carry the kind decided from status and `x-ms-error-code`.
//! A write whose outcome is unknown is never sent again here: the caller has to look first.

pub mod auth;
pub mod batch;
pub mod block_id;
pub mod client;
pub mod condition;
pub mod container;
pub mod copy;
pub mod delete;
pub mod error;
pub mod get_blob;
pub mod get_block_list;
pub mod get_properties;
pub mod list;
mod measure;
pub mod operation;
pub mod probe_raw;
pub mod properties;
pub mod put_blob;
pub mod put_block;
pub mod put_block_list;
mod request;
mod response;
pub mod retry;
pub mod service;
pub mod service_properties;
pub mod set_metadata;
pub mod set_properties;
mod upload;
mod xml;

pub use auth::{Credential, Identity, SharedKey, TokenSource};
pub use block_id::BlockId;
pub use client::{BlobAccount, BlobClient, BlobFeatures, BlobRef};
pub use condition::{BlobCondition, SourceCondition};
pub use operation::Operation;
pub use properties::{BlobProperties, ListedProperties, MetadataPairs, Written};
pub use retry::RetryPolicy;
