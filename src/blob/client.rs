//! The client, and the name of a blob.

use crate::object::ContainerName;

/// One account, one credential, one connection pool. Cheap to clone; make one per runtime thread.
#[derive(Clone)]
pub struct BlobClient(());

/// A blob's container and name.
#[derive(Clone, Copy, Debug)]
pub struct BlobRef<'a> {
    pub container: &'a ContainerName,
    pub name: &'a str,
}
