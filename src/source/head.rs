//! HeadObject.

use http::Method;

use super::client::{Call, SourceClient, key_path, pair, push_query};
use super::error::Subject;
use super::get::GetSource;
use super::header;
use super::meta::SourceMeta;
use crate::object::{BucketName, ErrorKind, Result, Span};
use crate::telemetry::SourceOperation;

impl SourceClient {
    /// Reads what an object carries besides its bytes, checksums included.
    ///
    /// # Errors
    /// As [`SourceClient::get_object`]; archived objects are no error here.
    pub async fn head_object(&self, bucket: &BucketName, key: &str, version_id: Option<&str>) -> Result<SourceMeta> {
        let mut query = String::new();
        if let Some(version) = version_id {
            push_query(&mut query, "versionId", version);
        }
        let call = Call {
            operation: SourceOperation::HeadObject,
            method: Method::HEAD,
            bucket,
            path: key_path(key),
            query,
            headers: vec![pair(header::CHECKSUM_MODE, "ENABLED")?],
            subject: Subject::Object,
        };
        match self.send(&call).await {
            Ok(answer) => SourceMeta::parse(answer.status(), answer.headers()),
            // An answer to HEAD carries no error code; a GET of one byte tells what is wrong.
            Err(error) if error.status() == Some(400) && error.vendor_code().is_none() => {
                let get = GetSource {
                    range: Some(Span { start: 0, end: 1 }),
                    version_id: version_id.map(str::to_owned),
                    ..GetSource::default()
                };
                match self.get_object(bucket, key, &get).await {
                    Err(reason) if reason.kind() != ErrorKind::RangeUnsatisfiable => Err(reason),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }
}
