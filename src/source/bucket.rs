//! HeadBucket and GetBucketLocation.

use bytes::Bytes;
use http::Method;

use super::client::{Call, SourceClient};
use super::error::{Subject, text};
use super::header;
use super::xml::{Step, walk};
use crate::object::{BucketName, Error, ErrorKind, Result};
use crate::telemetry::SourceOperation;

/// Longest location document in bytes.
const LOCATION_BYTES_MAX: usize = 16 * 1024;

impl SourceClient {
    /// Says whether the bucket is there and may be used; returns its region where the source tells.
    ///
    /// # Errors
    /// `ContainerMissing`, `Denied`, `Invalid` (another region), and the common kinds.
    pub async fn head_bucket(&self, bucket: &BucketName) -> Result<Option<String>> {
        let answer = self.send(&bucket_call(SourceOperation::HeadBucket, Method::HEAD, bucket, "")).await?;
        Ok(text(answer.headers(), header::BUCKET_REGION))
    }

    /// The region of a bucket.
    ///
    /// # Errors
    /// As [`SourceClient::head_bucket`].
    pub async fn get_bucket_location(&self, bucket: &BucketName) -> Result<String> {
        let call = bucket_call(SourceOperation::GetBucketLocation, Method::GET, bucket, "location=");
        parse_location(&self.read(&call, LOCATION_BYTES_MAX).await?)
    }

    /// Sends a request and reads its answer into memory.
    pub(super) async fn read(&self, call: &Call<'_>, limit: usize) -> Result<Bytes> {
        let answer = self.send(call).await?;
        answer
            .into_body()
            .collect(limit)
            .await
            .map_err(|error| Error::new(ErrorKind::Unavailable, "the source's answer broke off").with_source(error))
    }
}

fn bucket_call<'a>(operation: SourceOperation, method: Method, bucket: &'a BucketName, query: &str) -> Call<'a> {
    let (path, query, headers) = (String::new(), query.to_owned(), Vec::new());
    Call { operation, method, bucket, path, query, headers, subject: Subject::Bucket }
}

/// The oldest region has no name here, and one has a nickname (S3 API reference, GetBucketLocation).
fn parse_location(document: &[u8]) -> Result<String> {
    let mut location = None;
    walk(document, |_, name, step| {
        if let ("LocationConstraint", Step::End(text)) = (name, step)
            && !(text.trim().is_empty() && location.is_some())
        {
            location = Some(text.trim().to_owned());
        }
        Ok(())
    })?;
    match location.as_deref() {
        None => Err(Error::new(ErrorKind::Corrupt, "the answer names no location")),
        Some("") => Ok("us-east-1".to_owned()),
        Some("EU") => Ok("eu-west-1".to_owned()),
        Some(region) => Ok(region.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        for (document, region) in [
            ("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>", "us-east-1"),
            ("<LocationConstraint>EU</LocationConstraint>", "eu-west-1"),
            ("<LocationConstraint>eu-central-1</LocationConstraint>", "eu-central-1"),
            ("<L><LocationConstraint>fr-par</LocationConstraint></L>", "fr-par"),
        ] {
            assert_eq!(parse_location(document.as_bytes()).unwrap(), region);
        }
        assert!(parse_location(b"<html/>").is_err());
    }
}
