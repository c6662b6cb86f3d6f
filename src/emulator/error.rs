//! Errors as the service words them.

use std::borrow::Cow;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};

/// An error answer before it is rendered.
#[derive(Debug)]
pub(super) struct ServiceError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: Cow<'static, str>,
    /// XML elements after the message.
    pub details: Vec<(&'static str, String)>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The service leaves `x-ms-error-code` and `x-ms-version` out when it does not know the version.
    pub bare: bool,
}

pub(super) type Outcome<T> = Result<T, ServiceError>;

macro_rules! errors {
    ($($name:ident $status:literal $code:literal $message:literal;)*) => {
        impl ServiceError {
            $(pub fn $name() -> Self { Self::new($status, $code, $message) })*
        }
    };
}

errors! {
    authentication_failed 403 "AuthenticationFailed" "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
    permission_mismatch 403 "AuthorizationPermissionMismatch" "This request is not authorized to perform this operation using this permission.";
    resource_type_mismatch 403 "AuthorizationResourceTypeMismatch" "This request is not authorized to perform this operation using this resource type.";
    service_mismatch 403 "AuthorizationServiceMismatch" "This request is not authorized to perform this operation using this service.";
    blob_already_exists 409 "BlobAlreadyExists" "The specified blob already exists.";
    blob_not_found 404 "BlobNotFound" "The specified blob does not exist.";
    blob_operation_not_supported 409 "BlobOperationNotSupported" "Blob operation is not supported.";
    directory_is_not_empty 409 "DirectoryIsNotEmpty" "This operation is not permitted on a non-empty directory.";
    directory_not_empty 409 "DirectoryNotEmpty" "The recursive query parameter value must be true to delete a non-empty directory.";
    path_already_exists 409 "PathAlreadyExists" "The specified path already exists.";
    path_conflict 409 "PathConflict" "The specified path, or an element of the path, exists and its resource type is invalid for this operation.";
    path_not_found 404 "PathNotFound" "The specified path does not exist.";
    rename_parent_not_found 404 "RenameDestinationParentPathNotFound" "The parent directory of the destination path does not exist.";
    source_path_not_found 404 "SourcePathNotFound" "The source path for a rename operation does not exist.";
    invalid_flush_position 400 "InvalidFlushPosition" "The uploaded data is not contiguous or the position query parameter value is not equal to the length of the file after appending the uploaded data.";
    resource_type_mismatch_path 409 "ResourceTypeMismatch" "The specified resource type does not match the type of the resource that exists.";
    block_count_exceeds_limit 409 "RequestEntityTooLargeBlockCountExceedsLimit" "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.";
    block_list_too_long 400 "BlockListTooLong" "The block list may not contain more than 50,000 blocks.";
    both_checksums 400 "BothCrc64AndMd5HeaderPresent" "Both x-ms-content-crc64 header and Content-MD5 header are present.";
    condition_not_met 412 "ConditionNotMet" "The condition specified using HTTP conditional header(s) is not met.";
    container_already_exists 409 "ContainerAlreadyExists" "The specified container already exists.";
    container_being_deleted 409 "ContainerBeingDeleted" "The specified container is being deleted. Try operation later.";
    container_not_found 404 "ContainerNotFound" "The specified container does not exist.";
    invalid_blob_or_block 400 "InvalidBlobOrBlock" "The specified blob or block content is invalid.";
    invalid_block_list 400 "InvalidBlockList" "The specified block list is invalid.";
    invalid_input 400 "InvalidInput" "One of the request inputs is not valid.";
    invalid_md5 400 "InvalidMd5" "The MD5 value specified in the request is invalid. The MD5 value must be 128 bits and Base64-encoded.";
    invalid_metadata 400 "InvalidMetadata" "The metadata specified is invalid. It has characters that are not permitted.";
    empty_metadata_key 400 "EmptyMetadataKey" "The key for one of the metadata key-value pairs is empty.";
    invalid_range 416 "InvalidRange" "The range specified is invalid for the current size of the resource.";
    invalid_resource_name 400 "InvalidResourceName" "The specifed resource name contains invalid characters.";
    resource_name_length 400 "OutOfRangeInput" "The specified resource name length is not within the permissible limits.";
    invalid_uri 400 "InvalidUri" "The requested URI does not represent any resource on the server.";
    invalid_xml 400 "InvalidXmlDocument" "XML specified is not syntactically valid.";
    lease_already_present 409 "LeaseAlreadyPresent" "There is already a lease present.";
    lease_id_mismatch_blob 412 "LeaseIdMismatchWithBlobOperation" "The lease ID specified did not match the lease ID for the blob.";
    lease_id_mismatch_lease 409 "LeaseIdMismatchWithLeaseOperation" "The lease ID specified did not match the lease ID for the blob.";
    lease_id_missing 412 "LeaseIdMissing" "There is currently a lease on the blob and no lease ID was specified in the request.";
    lease_is_broken 409 "LeaseIsBrokenAndCannotBeRenewed" "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.";
    lease_is_breaking 409 "LeaseIsBreakingAndCannotBeAcquired" "The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken.";
    lease_lost 412 "LeaseLost" "A lease ID was specified, but the lease for the blob has expired.";
    lease_not_present_blob 412 "LeaseNotPresentWithBlobOperation" "There is currently no lease on the blob.";
    lease_not_present_lease 409 "LeaseNotPresentWithLeaseOperation" "There is currently no lease on the blob.";
    metadata_too_large 400 "MetadataTooLarge" "The metadata specified exceeds the maximum permissible limit (8KB).";
    missing_content_length 411 "MissingContentLengthHeader" "Content-Length header is required for this request.";
    no_authentication 401 "NoAuthenticationInformation" "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
    invalid_authentication_info 401 "InvalidAuthenticationInfo" "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
    operation_timed_out 500 "OperationTimedOut" "Operation could not be completed within the specified time.";
    resource_not_found 404 "ResourceNotFound" "The specified resource does not exist.";
    source_condition_not_met 412 "SourceConditionNotMet" "The source condition specified using HTTP conditional header(s) is not met.";
    target_condition_not_met 412 "TargetConditionNotMet" "The target condition specified using HTTP conditional header(s) is not met.";
    unsatisfiable_condition 400 "UnsatisfiableCondition" "The request includes an unsatisfiable condition for this operation.";
    unsupported_method 405 "UnsupportedHttpVerb" "The resource doesn't support specified Http Verb.";
    not_emulated 400 "FeatureNotSupportedByEmulator" "The embedded Blob service does not offer this operation.";
}

impl ServiceError {
    pub fn new(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
            bare: false,
        }
    }

    pub fn detail(mut self, element: &'static str, value: impl Into<String>) -> Self {
        self.details.push((element, value.into()));
        self
    }

    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub fn header_value(name: &str, value: &str) -> Self {
        Self::new(400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
            .detail("HeaderName", name)
            .detail("HeaderValue", value)
    }

    pub fn missing_header(name: &str) -> Self {
        Self::new(400, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified.")
            .detail("HeaderName", name)
    }

    pub fn query_value(name: &str, value: &str, reason: &str) -> Self {
        Self::new(
            400,
            "InvalidQueryParameterValue",
            "Value for one of the query parameters specified in the request URI is invalid.",
        )
        .detail("QueryParameterName", name)
        .detail("QueryParameterValue", value)
        .detail("Reason", reason)
    }

    pub fn missing_query(name: &str) -> Self {
        Self::new(
            400,
            "MissingRequiredQueryParameter",
            "A query parameter that's mandatory for this request is not specified.",
        )
        .detail("QueryParameterName", name)
    }

    pub fn body_too_large(limit: u64) -> Self {
        Self::new(
            413,
            "RequestBodyTooLarge",
            "The request body is too large and exceeds the maximum permissible limit.",
        )
        .detail("MaxLimit", limit.to_string())
    }

    pub fn md5_mismatch(sent: &str, calculated: &str) -> Self {
        Self::new(
            400,
            "Md5Mismatch",
            "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
        )
        .detail("UserSpecifiedMd5", sent)
        .detail("ServerCalculatedMd5", calculated)
    }

    pub fn crc64_mismatch(sent: &str, calculated: &str) -> Self {
        Self::new(
            400,
            "Crc64Mismatch",
            "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.",
        )
        .detail("UserSpecifiedCrc", sent)
        .detail("ServerCalculatedCrc", calculated)
    }

    /// The XML document, with the byte order mark that the service sends.
    pub fn xml(&self, request_id: &str, time: &str) -> String {
        let mut text = String::with_capacity(400);
        text.push_str("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>");
        text.push_str(self.code);
        text.push_str("</Code><Message>");
        super::xml::escape_into(&mut text, &self.message);
        text.push_str("\nRequestId:");
        text.push_str(request_id);
        text.push_str("\nTime:");
        text.push_str(time);
        text.push_str("</Message>");
        for (element, value) in &self.details {
            super::xml::element(&mut text, element, value);
        }
        text.push_str("</Error>");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of recorded error bodies, byte order mark included (facts of the real service).
    #[test]
    fn body_lengths_as_recorded() {
        let md5 = "sQqNsWTgdUEFt6mb5y4/5Q==";
        let crc = "YeJLfssylmU=";
        for (error, length) in [
            (ServiceError::condition_not_met(), 252),
            (ServiceError::blob_already_exists(), 220),
            (ServiceError::blob_not_found(), 215),
            (ServiceError::invalid_block_list(), 221),
            (ServiceError::target_condition_not_met(), 265),
            (ServiceError::source_condition_not_met(), 265),
            (ServiceError::md5_mismatch(md5, md5), 405),
            (ServiceError::crc64_mismatch(crc, crc), 387),
            (ServiceError::invalid_range(), 249),
            (ServiceError::lease_lost(), 243),
            (ServiceError::lease_id_missing(), 267),
            (ServiceError::lease_id_mismatch_blob(), 264),
            (ServiceError::container_already_exists(), 230),
            (ServiceError::invalid_resource_name(), 243),
            (ServiceError::blob_operation_not_supported(), 226),
        ] {
            let body = error.xml("00000000-0000-0000-0000-000000000000", "2026-11-23T06:00:53.1234567Z");
            assert_eq!(body.len(), length, "{}", error.code);
        }
    }
}
