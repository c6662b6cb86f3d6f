//! From an error to what to do about it, as one sentence.

use crate::object::{Error, ErrorKind};

/// For a request to the storage account about `container`.
pub fn of_store(error: &Error, container: &str) -> String {
    match (error.kind(), error.vendor_code()) {
        (_, Some("AuthorizationPermissionMismatch")) => format!(
            "Assign the role Storage Blob Data Contributor on container {container} (or its account) to the identity, and wait up to ten minutes."
        ),
        (_, Some("AuthorizationFailure")) => {
            "Allow this network in the account's network rules or use its private endpoint; with a SAS, check what it permits.".into()
        }
        (_, Some("KeyBasedAuthenticationNotPermitted")) => {
            "The account takes no keys: use credential = \"workload-identity\" or \"managed-identity\".".into()
        }
        (_, Some("AccountIsDisabled")) => "Enable the account: its subscription may have been suspended.".into(),
        (ErrorKind::ContainerMissing, _) => format!(
            "Create it: az storage container create --auth-mode login --account-name <account> --name {container}"
        ),
        (ErrorKind::ContainerBeingDeleted, _) => {
            format!("Container {container} was deleted moments ago: wait a minute, then create it again.")
        }
        (ErrorKind::AuthExpired, _) => credential().into(),
        (ErrorKind::Denied, _) => {
            format!("Let the identity read and write container {container}: role Storage Blob Data Contributor.")
        }
        (ErrorKind::Throttled, _) => "The account is at its limit: try again later, or have its limits raised.".into(),
        (ErrorKind::Timeout | ErrorKind::Unavailable, _) => {
            "Try again; if it stays so, look at the network and at the status of Azure in this region.".into()
        }
        (ErrorKind::Archived, _) => "Rehydrate the blob, or leave it where it is: archived blobs cannot be read.".into(),
        _ => "Run again with --log debug, and send the report along with a question.".into(),
    }
}

/// For a credential that the storage account does not accept.
pub fn credential() -> &'static str {
    "The account does not accept the credential: check that the key or SAS belongs to this account and has not been rotated or expired, that the token is of the account's own tenant, and that the clock is right."
}

/// For a request to the source.
pub fn of_source(error: &Error) -> String {
    match (error.kind(), error.vendor_code()) {
        (_, Some("InvalidAccessKeyId")) => {
            "The source does not know the access key: check that it is active and belongs to this service.".into()
        }
        (_, Some("SignatureDoesNotMatch")) => {
            "The secret access key does not belong to the access key: check for a stray newline or an old secret.".into()
        }
        (_, Some("RequestTimeTooSkewed")) => "Set the clock of this machine right.".into(),
        (ErrorKind::AuthExpired, _) => {
            "Renew the credentials of the source: they have expired or are not accepted.".into()
        }
        (ErrorKind::Denied, _) => {
            "Allow the principal s3:ListBucket and s3:GetBucketLocation on the bucket and s3:GetObject and s3:GetObjectTagging on its objects (and kms:Decrypt on the key that encrypts them).".into()
        }
        (ErrorKind::ContainerMissing, _) => {
            "Name the bucket as the source has it: source_bucket in its [[bucket]] section.".into()
        }
        (ErrorKind::Invalid, _) => "Set region in [source] to the region of the bucket.".into(),
        (ErrorKind::Archived, _) => "Restore the object from its archive tier first: archived objects cannot be read.".into(),
        (ErrorKind::Unsupported, _) => {
            "The object is encrypted with a key that its owner keeps (SSE-C): it cannot be copied without it.".into()
        }
        _ => "Try again; if it stays so, look at the network and at the state of the source.".into(),
    }
}
