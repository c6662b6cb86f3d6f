//! What can be allowed, and on what.

use crate::object::BucketName;

macro_rules! actions {
    ($($variant:ident = $name:literal,)*) => {
        /// An action as policies name it. Every operation needs one or several of them.
        ///
        /// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($variant,)* }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in a policy.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

actions! {
    ListAllMyBuckets = "s3:ListAllMyBuckets",
    CreateBucket = "s3:CreateBucket",
    DeleteBucket = "s3:DeleteBucket",
    // S3 has no right of its own for it: who may list may ask whether the bucket is there.
    HeadBucket = "s3:ListBucket",
    ListBucket = "s3:ListBucket",
    ListBucketVersions = "s3:ListBucketVersions",
    ListBucketMultipartUploads = "s3:ListBucketMultipartUploads",
    GetBucketLocation = "s3:GetBucketLocation",
    GetBucketVersioning = "s3:GetBucketVersioning",
    GetBucketAcl = "s3:GetBucketAcl",
    PutBucketAcl = "s3:PutBucketAcl",
    // Settings of a bucket that are the same for all and told as such.
    GetBucketSetting = "s3:GetBucketSetting",
    // Deleting them needs the same right.
    PutBucketTagging = "s3:PutBucketTagging",
    GetObject = "s3:GetObject",
    GetObjectVersion = "s3:GetObjectVersion",
    GetObjectAttributes = "s3:GetObjectAttributes",
    GetObjectAcl = "s3:GetObjectAcl",
    GetObjectTagging = "s3:GetObjectTagging",
    PutObject = "s3:PutObject",
    PutObjectAcl = "s3:PutObjectAcl",
    PutObjectTagging = "s3:PutObjectTagging",
    DeleteObjectTagging = "s3:DeleteObjectTagging",
    DeleteObject = "s3:DeleteObject",
    DeleteObjectVersion = "s3:DeleteObjectVersion",
    AbortMultipartUpload = "s3:AbortMultipartUpload",
    ListMultipartUploadParts = "s3:ListMultipartUploadParts",
    // Operations that are answered with 501. Only a policy that allows everything covers them.
    Unserved = "s3:Unserved",
}

/// What an action is done to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// No bucket in particular.
    Account,
    Bucket(&'a BucketName),
    /// The keys of a bucket that begin so: what a listing shows.
    Listing {
        bucket: &'a BucketName,
        prefix: &'a str,
    },
    Object {
        bucket: &'a BucketName,
        key: &'a str,
    },
    /// Objects that the body of the request names: each is judged by itself once that is read.
    SomeObjects(&'a BucketName),
}
