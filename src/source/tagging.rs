//! GetObjectTagging.

use http::Method;

use super::client::{Call, SourceClient, key_path, push_query};
use super::error::Subject;
use super::xml::{Step, walk};
use crate::object::{BucketName, Error, ErrorKind, Result, Tags};
use crate::telemetry::SourceOperation;

/// Longest tag document in bytes: ten tags at their limits, escaped, and room.
const TAGS_BYTES_MAX: usize = 256 * 1024;

impl SourceClient {
    /// Reads an object's tags.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, the common kinds, and `Corrupt` for tags that break S3's own limits.
    pub async fn get_object_tagging(&self, bucket: &BucketName, key: &str, version_id: Option<&str>) -> Result<Tags> {
        let mut query = "tagging=".to_owned();
        if let Some(version) = version_id {
            push_query(&mut query, "versionId", version);
        }
        let call = Call {
            operation: SourceOperation::GetObjectTagging,
            method: Method::GET,
            bucket,
            path: key_path(key),
            query,
            headers: Vec::new(),
            subject: Subject::Object,
        };
        parse(&self.read(&call, TAGS_BYTES_MAX).await?)
    }
}

fn parse(document: &[u8]) -> Result<Tags> {
    let mut pairs = Vec::new();
    let mut pair = (String::new(), String::new());
    let mut is_tagging = false;
    walk(document, |parent, name, step| {
        match (parent, name, step) {
            ("", "Tagging", Step::Begin) => is_tagging = true,
            ("Tag", "Key", Step::End(text)) => pair.0 = text.to_owned(),
            ("Tag", "Value", Step::End(text)) => pair.1 = text.to_owned(),
            ("TagSet", "Tag", Step::End(_)) => pairs.push(std::mem::take(&mut pair)),
            _ => {}
        }
        Ok(())
    })?;
    if !is_tagging {
        return Err(Error::new(ErrorKind::Corrupt, "the answer is no set of tags"));
    }
    Tags::new(pairs).map_err(|reason| Error::new(ErrorKind::Corrupt, format!("unusable tags: {reason:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let tags = parse(
            b"<?xml version=\"1.0\"?><Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>\n<Tag><Key>a b</Key>\
              <Value>x/y</Value></Tag><Tag><Key>k</Key><Value></Value></Tag></TagSet></Tagging>",
        )
        .unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("a b", "x/y"), ("k", "")]);
        assert!(parse(b"<Tagging><TagSet/></Tagging>").unwrap().is_empty());
        assert_eq!(parse(b"<html></html>").unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
