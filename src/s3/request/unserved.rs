//! Operations of S3 that are known and not served.

use http::Method;

use crate::object::BucketName;
use crate::s3::operation::Operation;
use crate::s3::query::Query;

/// The answer for a sub-resource in one of the tables, if the query names one.
pub fn find(table: &Table, method: &Method, query: &Query<'_>, bucket: &BucketName) -> Option<Operation> {
    let (_, names) = table.iter().find(|(parameter, _)| query.has(parameter))?;
    Some(match name_of(names, method) {
        Some(name) => Operation::Unsupported { name, bucket: Some(bucket.clone()) },
        None => Operation::MethodNotAllowed,
    })
}

type Table = [(&'static str, [&'static str; 4])];

/// The name of the unserved operation of `method`, if there is one.
fn name_of(names: &[&'static str; 4], method: &Method) -> Option<&'static str> {
    let [get, put, delete, post] = *names;
    let name = match *method {
        Method::GET => get,
        Method::PUT => put,
        Method::DELETE => delete,
        Method::POST => post,
        _ => "",
    };
    (!name.is_empty()).then_some(name)
}

/// Sub-resources of buckets: the query parameter, and the operations of GET, PUT, DELETE and POST.
/// An empty name: no such operation, or it is served elsewhere.
pub const BUCKET: &Table = &[
    ("accelerate", ["GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", "", ""]),
    ("acl", ["", "PutBucketAcl", "", ""]),
    (
        "analytics",
        [
            "GetBucketAnalyticsConfiguration",
            "PutBucketAnalyticsConfiguration",
            "DeleteBucketAnalyticsConfiguration",
            "",
        ],
    ),
    ("cors", ["GetBucketCors", "PutBucketCors", "DeleteBucketCors", ""]),
    ("encryption", ["GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption", ""]),
    (
        "intelligent-tiering",
        [
            "GetBucketIntelligentTieringConfiguration",
            "PutBucketIntelligentTieringConfiguration",
            "DeleteBucketIntelligentTieringConfiguration",
            "",
        ],
    ),
    (
        "inventory",
        [
            "GetBucketInventoryConfiguration",
            "PutBucketInventoryConfiguration",
            "DeleteBucketInventoryConfiguration",
            "",
        ],
    ),
    ("lifecycle", ["GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle", ""]),
    ("logging", ["GetBucketLogging", "PutBucketLogging", "", ""]),
    (
        "metadataTable",
        [
            "GetBucketMetadataTableConfiguration",
            "",
            "DeleteBucketMetadataTableConfiguration",
            "CreateBucketMetadataTableConfiguration",
        ],
    ),
    (
        "metrics",
        ["GetBucketMetricsConfiguration", "PutBucketMetricsConfiguration", "DeleteBucketMetricsConfiguration", ""],
    ),
    ("notification", ["GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", "", ""]),
    ("object-lock", ["GetObjectLockConfiguration", "PutObjectLockConfiguration", "", ""]),
    (
        "ownershipControls",
        ["GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", ""],
    ),
    ("policy", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", ""]),
    ("policyStatus", ["GetBucketPolicyStatus", "", "", ""]),
    ("publicAccessBlock", ["GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock", ""]),
    ("replication", ["GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication", ""]),
    ("requestPayment", ["GetBucketRequestPayment", "PutBucketRequestPayment", "", ""]),
    ("session", ["CreateSession", "", "", ""]),
    ("tagging", ["GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging", ""]),
    ("versioning", ["", "PutBucketVersioning", "", ""]),
    ("website", ["GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite", ""]),
];

/// The same of objects.
pub const OBJECT: &Table = &[
    ("acl", ["", "PutObjectAcl", "", ""]),
    ("append", ["", "AppendObject", "", "AppendObject"]),
    ("encryption", ["", "UpdateObjectEncryption", "", ""]),
    ("legal-hold", ["GetObjectLegalHold", "PutObjectLegalHold", "", ""]),
    ("renameObject", ["", "RenameObject", "", ""]),
    ("restore", ["", "", "", "RestoreObject"]),
    ("retention", ["GetObjectRetention", "PutObjectRetention", "", ""]),
    ("select", ["", "", "", "SelectObjectContent"]),
    ("torrent", ["GetObjectTorrent", "", "", ""]),
];
