//! The operations of the service, and how requests are told apart.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method};

use super::error::{Outcome, ServiceError};
use super::target::{Query, Target};

macro_rules! operations {
    ($($name:ident)*) => {
        /// What a request asks for, by the names of the REST reference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation { $($name),* }

        impl Operation {
            pub const ALL: &[Operation] = &[$(Operation::$name),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

operations! {
    ListContainers GetAccountInformation GetUserDelegationKey BlobBatch GetServiceProperties
    CreateContainer DeleteContainer GetContainerProperties SetContainerMetadata ListBlobs
    PutBlob PutBlobFromUrl PutBlock PutBlockFromUrl PutBlockList GetBlockList
    GetBlob GetBlobProperties SetBlobProperties SetBlobMetadata SetBlobTier LeaseBlob
    CopyBlob CopyBlobFromUrl AbortCopyBlob DeleteBlob
    CreatePath RenamePath AppendData FlushData DeletePath
}

/// The kind of access an operation needs, as SAS letters: one of them is enough.
pub(super) fn permissions_needed(operation: Operation) -> &'static str {
    use Operation::*;
    match operation {
        ListContainers | ListBlobs => "l",
        GetAccountInformation | GetServiceProperties | GetUserDelegationKey | GetContainerProperties => "r",
        BlobBatch => "dw",
        CreateContainer => "cw",
        DeleteContainer | DeleteBlob | DeletePath => "d",
        SetContainerMetadata | SetBlobProperties | SetBlobMetadata | SetBlobTier | LeaseBlob | AbortCopyBlob => "w",
        AppendData | FlushData | RenamePath => "w",
        CreatePath => "cw",
        PutBlob | PutBlobFromUrl | PutBlock | PutBlockFromUrl | PutBlockList | CopyBlob | CopyBlobFromUrl => "cw",
        GetBlob | GetBlobProperties | GetBlockList => "r",
    }
}

/// Finds the operation of a request.
///
/// # Errors
/// 405 for a verb that the resource does not have, 400 for what the emulator does not offer.
pub(super) fn classify(
    method: &Method,
    target: &Target,
    query: &Query,
    headers: &HeaderMap,
    hierarchical: bool,
) -> Outcome<Operation> {
    use Operation::*;
    if hierarchical
        && target.blob.is_some()
        && let Some(operation) = of_data_lake(method, query, headers)
    {
        return Ok(operation);
    }
    if query.get("snapshot").is_some() || query.get("versionid").is_some() {
        return Err(ServiceError::not_emulated());
    }
    let comp = query.get("comp").unwrap_or("");
    let restype = query.get("restype").unwrap_or("");
    let found = match (target.container.as_deref(), target.blob.as_deref()) {
        (None, _) => match (method.as_str(), restype, comp) {
            ("GET", "", "list") => ListContainers,
            ("GET" | "HEAD", "account", "properties") => GetAccountInformation,
            ("POST", "service", "userdelegationkey") => GetUserDelegationKey,
            ("POST", "", "batch") => BlobBatch,
            ("GET", "service", "properties") => GetServiceProperties,
            _ => return Err(unknown(method, comp)),
        },
        (Some(_), None) => match (method.as_str(), restype, comp) {
            ("PUT", "container", "") => CreateContainer,
            ("DELETE", "container", "") => DeleteContainer,
            ("GET" | "HEAD", "container", "" | "metadata") => GetContainerProperties,
            ("PUT", "container", "metadata") => SetContainerMetadata,
            ("GET", "container", "list") => ListBlobs,
            ("POST", "container", "batch") => BlobBatch,
            ("GET" | "HEAD", "account", "properties") => GetAccountInformation,
            _ => return Err(unknown(method, comp)),
        },
        (Some(_), Some(_)) => match (method.as_str(), comp) {
            ("PUT", "") => put_kind(headers)?,
            ("PUT", "block") if headers.contains_key("x-ms-copy-source") => PutBlockFromUrl,
            ("PUT", "block") => PutBlock,
            ("PUT", "blocklist") => PutBlockList,
            ("GET", "blocklist") => GetBlockList,
            ("GET", "") => GetBlob,
            ("HEAD", "") | ("GET" | "HEAD", "metadata") => GetBlobProperties,
            ("PUT", "properties") => SetBlobProperties,
            ("PUT", "metadata") => SetBlobMetadata,
            ("PUT", "tier") => SetBlobTier,
            ("PUT", "lease") => LeaseBlob,
            ("PUT", "copy") => AbortCopyBlob,
            ("DELETE", "") => DeleteBlob,
            _ => return Err(unknown(method, comp)),
        },
    };
    Ok(found)
}

/// Requests of the Data Lake endpoint, told by their query or by the header that only they have.
fn of_data_lake(method: &Method, query: &Query, headers: &HeaderMap) -> Option<Operation> {
    use Operation::*;
    match (method.as_str(), query.get("action")) {
        ("PUT", None) if headers.contains_key("x-ms-rename-source") => Some(RenamePath),
        ("PUT", None) if query.get("resource").is_some() => Some(CreatePath),
        ("PATCH", Some("append")) => Some(AppendData),
        ("PATCH", Some("flush")) => Some(FlushData),
        ("DELETE", None) if query.get("recursive").is_some() => Some(DeletePath),
        _ => None,
    }
}

fn put_kind(headers: &HeaderMap) -> Outcome<Operation> {
    let blob_type = headers.get("x-ms-blob-type").map(|value| value.as_bytes());
    let copy = headers.contains_key("x-ms-copy-source");
    match (copy, blob_type) {
        (true, Some(b"BlockBlob")) => Ok(Operation::PutBlobFromUrl),
        (true, None) if headers.get("x-ms-requires-sync").is_some_and(|value| value == "true") => {
            Ok(Operation::CopyBlobFromUrl)
        }
        (true, None) => Ok(Operation::CopyBlob),
        (false, Some(b"BlockBlob")) => Ok(Operation::PutBlob),
        (false, None) => Err(ServiceError::missing_header("x-ms-blob-type")),
        (_, Some(b"PageBlob" | b"AppendBlob")) => Err(ServiceError::not_emulated()),
        (_, Some(other)) => Err(ServiceError::header_value("x-ms-blob-type", &String::from_utf8_lossy(other))),
    }
}

fn unknown(method: &Method, comp: &str) -> ServiceError {
    match (method.as_str(), comp) {
        ("GET" | "HEAD" | "PUT" | "POST" | "DELETE", "") => ServiceError::invalid_uri(),
        ("GET" | "HEAD" | "PUT" | "POST" | "DELETE", _) => ServiceError::not_emulated(),
        _ => ServiceError::unsupported_method(),
    }
}

/// Requests seen per operation.
pub(super) struct Counters([AtomicU64; Operation::ALL.len()]);

impl Counters {
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    pub fn count(&self, operation: Operation) {
        if let Some(counter) = self.0.get(operation as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn snapshot(&self) -> std::collections::BTreeMap<&'static str, u64> {
        let values = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        Operation::ALL.iter().map(|operation| operation.as_str()).zip(values).filter(|(_, count)| *count > 0).collect()
    }
}
