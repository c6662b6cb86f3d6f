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
    ("accelerate", ["", "PutBucketAccelerateConfiguration", "", ""]),
    ("acl", ["", "", "", ""]),
    (
        "analytics",
        [
            "ListBucketAnalyticsConfigurations",
            "PutBucketAnalyticsConfiguration",
            "DeleteBucketAnalyticsConfiguration",
            "",
        ],
    ),
    ("cors", ["", "PutBucketCors", "DeleteBucketCors", ""]),
    ("encryption", ["", "PutBucketEncryption", "DeleteBucketEncryption", ""]),
    (
        "intelligent-tiering",
        [
            "ListBucketIntelligentTieringConfigurations",
            "PutBucketIntelligentTieringConfiguration",
            "DeleteBucketIntelligentTieringConfiguration",
            "",
        ],
    ),
    (
        "inventory",
        [
            "ListBucketInventoryConfigurations",
            "PutBucketInventoryConfiguration",
            "DeleteBucketInventoryConfiguration",
            "",
        ],
    ),
    ("lifecycle", ["", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle", ""]),
    ("logging", ["", "PutBucketLogging", "", ""]),
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
        ["ListBucketMetricsConfigurations", "PutBucketMetricsConfiguration", "DeleteBucketMetricsConfiguration", ""],
    ),
    ("notification", ["", "PutBucketNotificationConfiguration", "", ""]),
    ("object-lock", ["", "PutObjectLockConfiguration", "", ""]),
    ("ownershipControls", ["", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", ""]),
    ("policy", ["", "PutBucketPolicy", "DeleteBucketPolicy", ""]),
    ("policyStatus", ["", "", "", ""]),
    ("publicAccessBlock", ["", "PutPublicAccessBlock", "DeletePublicAccessBlock", ""]),
    ("replication", ["", "PutBucketReplication", "DeleteBucketReplication", ""]),
    ("requestPayment", ["", "PutBucketRequestPayment", "", ""]),
    ("session", ["CreateSession", "", "", ""]),
    ("tagging", ["", "", "", ""]),
    ("versioning", ["", "PutBucketVersioning", "", ""]),
    ("website", ["", "PutBucketWebsite", "DeleteBucketWebsite", ""]),
];

/// The same of objects.
pub const OBJECT: &Table = &[
    ("acl", ["", "", "", ""]),
    ("append", ["", "AppendObject", "", "AppendObject"]),
    ("encryption", ["", "UpdateObjectEncryption", "", ""]),
    ("legal-hold", ["", "PutObjectLegalHold", "", ""]),
    ("renameObject", ["", "RenameObject", "", ""]),
    ("restore", ["", "", "", "RestoreObject"]),
    ("retention", ["", "PutObjectRetention", "", ""]),
    ("select", ["", "", "", "SelectObjectContent"]),
    ("torrent", ["GetObjectTorrent", "", "", ""]),
];
