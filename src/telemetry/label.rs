//! The values that labels may have: closed enums, one per label.

/// A closed set of label values.
pub trait Label: Copy + Send + Sync + 'static {
    /// Every value, in the order of [`index`](Self::index).
    const VALUES: &'static [Self];

    /// The value as metrics show it.
    fn label(self) -> &'static str;

    /// The position of the value in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;
}

macro_rules! labels {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $label:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value as metrics and logs show it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        impl Label for $name {
            const VALUES: &'static [Self] = Self::ALL;

            fn label(self) -> &'static str {
                $name::label(self)
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

labels! {
    /// What an S3 client asked of the facade.
    S3Operation {
        ListBuckets = "list_buckets",
        CreateBucket = "create_bucket",
        DeleteBucket = "delete_bucket",
        HeadBucket = "head_bucket",
        GetBucketLocation = "get_bucket_location",
        GetBucketVersioning = "get_bucket_versioning",
        /// Any other subresource of a bucket (ACL, policy, lifecycle, ...).
        BucketSubresource = "bucket_subresource",
        ListObjects = "list_objects",
        ListObjectsV2 = "list_objects_v2",
        ListObjectVersions = "list_object_versions",
        ListMultipartUploads = "list_multipart_uploads",
        DeleteObjects = "delete_objects",
        GetObject = "get_object",
        HeadObject = "head_object",
        PutObject = "put_object",
        CopyObject = "copy_object",
        DeleteObject = "delete_object",
        GetObjectAttributes = "get_object_attributes",
        GetObjectTagging = "get_object_tagging",
        PutObjectTagging = "put_object_tagging",
        DeleteObjectTagging = "delete_object_tagging",
        /// Any other subresource of an object (ACL, retention, ...).
        ObjectSubresource = "object_subresource",
        CreateMultipartUpload = "create_multipart_upload",
        UploadPart = "upload_part",
        UploadPartCopy = "upload_part_copy",
        CompleteMultipartUpload = "complete_multipart_upload",
        AbortMultipartUpload = "abort_multipart_upload",
        ListParts = "list_parts",
        /// An operation of the security token service.
        Sts = "sts",
        /// An S3 operation that the facade does not offer.
        Unsupported = "unsupported",
        /// A request that ended before its operation was known.
        Unknown = "unknown",
    }
}

labels! {
    /// A request to Blob Storage.
    BlobOperation {
        PutBlob = "put_blob",
        PutBlobFromUrl = "put_blob_from_url",
        CopyBlobFromUrl = "copy_blob_from_url",
        PutBlock = "put_block",
        PutBlockFromUrl = "put_block_from_url",
        PutBlockList = "put_block_list",
        GetBlockList = "get_block_list",
        GetBlob = "get_blob",
        GetBlobProperties = "get_blob_properties",
        SetBlobMetadata = "set_blob_metadata",
        SetBlobProperties = "set_blob_properties",
        DeleteBlob = "delete_blob",
        DeleteBatch = "delete_batch",
        ListBlobs = "list_blobs",
        CreateContainer = "create_container",
        GetContainer = "get_container",
        SetContainerMetadata = "set_container_metadata",
        DeleteContainer = "delete_container",
        ListContainers = "list_containers",
        GetAccountInformation = "get_account_information",
        GetUserDelegationKey = "get_user_delegation_key",
        GetServiceProperties = "get_service_properties",
        /// A question of the doctor that no other operation asks.
        Probe = "probe",
    }
}

labels! {
    /// A request to the S3 source.
    SourceOperation {
        ListBuckets = "list_buckets",
        HeadBucket = "head_bucket",
        GetBucketLocation = "get_bucket_location",
        CreateBucket = "create_bucket",
        DeleteBucket = "delete_bucket",
        ListObjects = "list_objects",
        GetObject = "get_object",
        HeadObject = "head_object",
        GetObjectAttributes = "get_object_attributes",
        PutObject = "put_object",
        CopyObject = "copy_object",
        DeleteObject = "delete_object",
        DeleteObjects = "delete_objects",
        GetObjectTagging = "get_object_tagging",
        PutObjectTagging = "put_object_tagging",
        DeleteObjectTagging = "delete_object_tagging",
        CreateMultipartUpload = "create_multipart_upload",
        UploadPart = "upload_part",
        UploadPartCopy = "upload_part_copy",
        CompleteMultipartUpload = "complete_multipart_upload",
        AbortMultipartUpload = "abort_multipart_upload",
        ListParts = "list_parts",
        ListMultipartUploads = "list_multipart_uploads",
        /// A request passed through for a client whose operation has no name of its own here.
        PassThrough = "pass_through",
    }
}

labels! {
    /// How a request to Blob Storage or to the source ended.
    Outcome {
        Ok = "ok",
        NotModified = "not_modified",
        NotFound = "not_found",
        Exists = "exists",
        PreconditionFailed = "precondition_failed",
        Conflict = "conflict",
        Invalid = "invalid",
        Denied = "denied",
        Auth = "auth",
        Throttled = "throttled",
        Timeout = "timeout",
        Unavailable = "unavailable",
        Checksum = "checksum",
        Corrupt = "corrupt",
        /// The caller went away before the answer came.
        Cancelled = "cancelled",
        Other = "other",
    }
}

labels! {
    /// Which limit a throttled answer named.
    ///
    /// Source: Azure answers 503 ServerBusy with "Ingress is over the account limit.", "Egress is
    /// over the account limit." or "Operations per second is over the account limit."
    Throttle {
        Ingress = "ingress",
        Egress = "egress",
        Operations = "operations",
        Unknown = "unknown",
    }
}

labels! {
    /// The class of an HTTP status.
    StatusClass {
        Success = "2xx",
        Redirection = "3xx",
        ClientError = "4xx",
        ServerError = "5xx",
        /// The client went away before the answer was complete.
        Aborted = "aborted",
    }
}

impl StatusClass {
    /// The class of a status; anything outside 200 to 499 that is no redirection counts as a server error.
    pub const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

labels! {
    /// Why the facade turned a request away unread.
    ShedReason {
        InFlight = "in_flight",
        Connections = "connections",
        Memory = "memory",
    }
}

labels! {
    /// Why the facade did not accept a request's identity.
    AuthFailure {
        Unsigned = "unsigned",
        Malformed = "malformed",
        UnknownKey = "unknown_key",
        Signature = "signature",
        /// The date is too far off, or a presigned URL has run out.
        Expired = "expired",
        /// The key may not do this to this bucket.
        NotAllowed = "not_allowed",
        Token = "token",
    }
}

labels! {
    /// Whom a connection pool talks to.
    Peer {
        Blob = "blob",
        Source = "source",
    }
}

labels! {
    /// How an attempt to open a connection ended.
    DialResult {
        Ok = "ok",
        Timeout = "timeout",
        Failed = "failed",
    }
}

labels! {
    /// What became of an object that the mover listed; the outcomes other than `Listed` add up to it.
    MoverOutcome {
        Listed = "listed",
        Copied = "copied",
        Unchanged = "unchanged",
        ClientNewer = "client_newer",
        Foreign = "foreign",
        Deleted = "deleted",
        Unmappable = "unmappable",
        NeedsAction = "needs_action",
        Failed = "failed",
    }
}

labels! {
    /// How strongly the equality of a copied object was shown, strongest first.
    ProofLevel {
        /// A checksum over the whole object that the source keeps.
        Checksum = "checksum",
        /// An ETag that is the MD5 of the object, checked by Azure.
        Md5 = "md5",
        /// The recomputed ETag of a multipart object.
        MultipartEtag = "multipart_etag",
        /// The length, and a CRC over each block on its way.
        LengthAndBlocks = "length_and_blocks",
    }
}

labels! {
    /// What has become of a slice of the key space.
    RangeState {
        Pending = "pending",
        Owned = "owned",
        Done = "done",
        Failed = "failed",
    }
}

labels! {
    /// What the sweeper did.
    SweepOutcome {
        /// A Complete that a crash had interrupted was taken to its end.
        Settled = "settled",
        /// An upload older than its bucket allows was aborted.
        Expired = "expired",
        /// The result of a completed upload was removed after its day.
        Result = "result",
        /// A part without an upload was removed.
        OrphanPart = "orphan_part",
        /// An upload could be neither settled nor aborted; the next sweep finds it again.
        Failed = "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<L: Label + std::fmt::Debug>() {
        for (index, value) in L::VALUES.iter().enumerate() {
            assert_eq!(value.index(), index, "{value:?}");
            let label = value.label();
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{label}");
            assert!(L::VALUES[..index].iter().all(|earlier| earlier.label() != label), "{label} twice");
        }
    }

    #[test]
    fn every_label_is_indexed_plain_and_unique() {
        check::<S3Operation>();
        check::<BlobOperation>();
        check::<SourceOperation>();
        check::<Outcome>();
        check::<Throttle>();
        check::<StatusClass>();
        check::<ShedReason>();
        check::<AuthFailure>();
        check::<Peer>();
        check::<DialResult>();
        check::<MoverOutcome>();
        check::<ProofLevel>();
        check::<RangeState>();
        check::<SweepOutcome>();
    }

    #[test]
    fn status_classes() {
        for (status, class) in [(200, "2xx"), (206, "2xx"), (304, "3xx"), (412, "4xx"), (503, "5xx"), (999, "5xx")] {
            assert_eq!(StatusClass::of(status).label(), class, "{status}");
        }
    }
}
