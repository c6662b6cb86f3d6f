//! Every header name of the S3 protocol that is read or written here, once.

use http::HeaderName;

macro_rules! names {
    ($($constant:ident = $name:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $constant: HeaderName = HeaderName::from_static($name);
        )*
    };
}

names! {
    ABORT_DATE = "x-amz-abort-date";
    ACL = "x-amz-acl";
    BUCKET_REGION = "x-amz-bucket-region";
    CHECKSUM_ALGORITHM = "x-amz-checksum-algorithm";
    CHECKSUM_MODE = "x-amz-checksum-mode";
    CHECKSUM_TYPE = "x-amz-checksum-type";
    CONTENT_MD5 = "content-md5";
    CONTENT_SHA256 = "x-amz-content-sha256";
    COPY_SOURCE = "x-amz-copy-source";
    COPY_SOURCE_IF_MATCH = "x-amz-copy-source-if-match";
    COPY_SOURCE_IF_MODIFIED_SINCE = "x-amz-copy-source-if-modified-since";
    COPY_SOURCE_IF_NONE_MATCH = "x-amz-copy-source-if-none-match";
    COPY_SOURCE_IF_UNMODIFIED_SINCE = "x-amz-copy-source-if-unmodified-since";
    COPY_SOURCE_RANGE = "x-amz-copy-source-range";
    COPY_SOURCE_VERSION_ID = "x-amz-copy-source-version-id";
    DATE = "x-amz-date";
    DECODED_CONTENT_LENGTH = "x-amz-decoded-content-length";
    DELETE_MARKER = "x-amz-delete-marker";
    ID_2 = "x-amz-id-2";
    IF_MATCH_LAST_MODIFIED_TIME = "x-amz-if-match-last-modified-time";
    IF_MATCH_SIZE = "x-amz-if-match-size";
    MAX_PARTS = "x-amz-max-parts";
    METADATA_DIRECTIVE = "x-amz-metadata-directive";
    MISSING_META = "x-amz-missing-meta";
    MP_OBJECT_SIZE = "x-amz-mp-object-size";
    MP_PARTS_COUNT = "x-amz-mp-parts-count";
    OBJECT_ATTRIBUTES = "x-amz-object-attributes";
    PART_NUMBER_MARKER = "x-amz-part-number-marker";
    REQUEST_ID = "x-amz-request-id";
    SDK_CHECKSUM_ALGORITHM = "x-amz-sdk-checksum-algorithm";
    SECURITY_TOKEN = "x-amz-security-token";
    SERVER_SIDE_ENCRYPTION = "x-amz-server-side-encryption";
    STORAGE_CLASS = "x-amz-storage-class";
    TAGGING = "x-amz-tagging";
    TAGGING_COUNT = "x-amz-tagging-count";
    TAGGING_DIRECTIVE = "x-amz-tagging-directive";
    TRAILER = "x-amz-trailer";
    VERSION_ID = "x-amz-version-id";
    WEBSITE_REDIRECT_LOCATION = "x-amz-website-redirect-location";
    WRITE_OFFSET_BYTES = "x-amz-write-offset-bytes";
}

/// Every header of the S3 protocol begins so; all of them have to be signed.
pub const AMZ_PREFIX: &str = "x-amz-";
/// User metadata.
pub const META_PREFIX: &str = "x-amz-meta-";
/// Values of flexible checksums, and a few headers about them.
pub const CHECKSUM_PREFIX: &str = "x-amz-checksum-";
/// Explicit grants of an access control list.
pub const GRANT_PREFIX: &str = "x-amz-grant-";
/// Object lock.
pub const LOCK_PREFIX: &str = "x-amz-object-lock-";
/// Keys of the customer, SSE-C.
pub const SSE_C_PREFIX: &str = "x-amz-server-side-encryption-customer-";
/// Keys of the customer for the source of a copy.
pub const COPY_SOURCE_SSE_C_PREFIX: &str = "x-amz-copy-source-server-side-encryption-customer-";
/// Name of the KMS key and its context, SSE-KMS.
pub const SSE_KMS_PREFIX: &str = "x-amz-server-side-encryption-aws-kms-";
/// The trailer that signs the other trailers.
pub const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
