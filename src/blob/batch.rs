//! Blob Batch: up to 256 deletes in one request.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use memchr::memmem;

use super::operation::Operation;
use super::request::{Call, date, names};
use super::{BlobClient, BlobRef, error, response};
use crate::object::{ContainerName, Error, ErrorKind, Result};

/// Operations of a batch at the most (Azure, Blob Batch).
pub const BATCH_MAX: usize = 256;

impl BlobClient {
    /// Deletes up to [`BATCH_MAX`] blobs of one container. The outer error is of the whole batch;
    /// the results are of each name, in order.
    ///
    /// # Errors
    /// `Invalid` for more names, `ContainerMissing`, and the common kinds.
    pub async fn delete_batch(&self, container: &ContainerName, names: &[&str]) -> Result<Vec<Result<()>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        if names.len() > BATCH_MAX {
            return Err(Error::new(ErrorKind::Invalid, format!("a batch has at most {BATCH_MAX} operations")));
        }
        let body = self.batch_body(container, names).await?;
        let target = self.container_target(container, &[("restype", "container"), ("comp", "batch")]);
        let mut call = Call::new(Operation::DeleteBatch, Method::POST, target);
        call.header(CONTENT_TYPE, HeaderValue::from_static("multipart/mixed; boundary=batch_bluebucket"));
        call.content_length(body.len() as u64);
        let response = self.send_with(&call, body.into()).await?;
        let boundary = boundary(response.headers())?;
        let body = response::collect(call.operation, response, ANSWER_MAX).await?;
        let results = results(&body, &boundary, names.len())?;
        results.iter().filter_map(|result| result.as_ref().err()).for_each(|error| self.count_throttle(error));
        Ok(results)
    }

    async fn batch_body(&self, container: &ContainerName, names: &[&str]) -> Result<Bytes> {
        let mut body = Vec::with_capacity(names.len() * 512);
        for (id, name) in names.iter().enumerate() {
            let target = self.blob_target(BlobRef { container, name }, &[]);
            let mut headers = HeaderMap::with_capacity(4);
            headers.insert(names::DATE, date());
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            self.inner.credential.authorize(&Method::DELETE, &target, &mut headers).await?;
            let target = self.inner.credential.complete(&target);
            let head = format!(
                "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
                 Content-ID: {id}\r\n\r\nDELETE {target} HTTP/1.1\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            for (name, value) in
                [("x-ms-date", names::DATE), ("Authorization", AUTHORIZATION), ("Content-Length", CONTENT_LENGTH)]
            {
                if let Some(value) = headers.get(value) {
                    body.extend_from_slice(name.as_bytes());
                    body.extend_from_slice(b": ");
                    body.extend_from_slice(value.as_bytes());
                    body.extend_from_slice(b"\r\n");
                }
            }
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        Ok(body.into())
    }
}

/// Percent-encoded targets and header values hold no such line, so any fixed text will do.
const BOUNDARY: &str = "batch_bluebucket";

/// Longest answer to a batch in bytes.
const ANSWER_MAX: usize = 4 << 20;

fn boundary(headers: &HeaderMap) -> Result<String> {
    let value = response::text(headers, &CONTENT_TYPE).and_then(|value| value.split_once("boundary="));
    let (_, boundary) = value.ok_or_else(|| corrupt("has no boundary"))?;
    Ok(boundary.split(';').next().unwrap_or(boundary).trim_matches('"').to_owned())
}

/// One result for each of `count` requests.
fn results(body: &[u8], boundary: &str, count: usize) -> Result<Vec<Result<()>>> {
    let mut results: Vec<Option<Result<()>>> = std::iter::repeat_with(|| None).take(count).collect();
    let separator = format!("--{boundary}");
    let mut starts: Vec<usize> = memmem::find_iter(body, separator.as_bytes()).collect();
    starts.push(body.len());
    for (position, range) in starts.windows(2).enumerate() {
        let part = body.get(range[0] + separator.len()..range[1]).unwrap_or_default();
        let Some((outer, inner)) = split_head(part) else { continue };
        // A part without an id answers the request at its position.
        let id = header(outer, "content-id").and_then(|id| id.parse().ok()).unwrap_or(position);
        if let Some(slot) = results.get_mut(id) {
            *slot = Some(result(inner)?);
        }
    }
    let results: Option<Vec<_>> = results.into_iter().collect();
    results.ok_or_else(|| corrupt("answers fewer requests than it was given"))
}

/// The result in an embedded HTTP answer. Its reason phrase is a message, not to be relied on.
fn result(answer: &[u8]) -> Result<Result<()>> {
    let (head, body) = split_head(answer).unwrap_or((answer, b""));
    let head = String::from_utf8_lossy(head);
    let status = head.split_ascii_whitespace().nth(1).and_then(|status| status.parse::<u16>().ok());
    let status = status.ok_or_else(|| corrupt("has a part without a status"))?;
    if (200..300).contains(&status) {
        return Ok(Ok(()));
    }
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) {
            headers.insert(name, value);
        }
    }
    Ok(Err(error::error(Operation::DeleteBlob, status, &headers, body)))
}

fn split_head(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memmem::find(text, b"\r\n\r\n")?;
    Some((&text[..end], &text[end + 4..]))
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = std::str::from_utf8(head).ok()?.lines();
    let mut pairs = lines.filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the answer to a batch {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_any_order() {
        let body = "--b_1\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 404 The specified blob does not exist.\r\nx-ms-error-code: BlobNotFound\r\nContent-Length: 12\r\n\r\n<Error/>\r\n--b_1\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\nx-ms-delete-type-permanent: true\r\n\r\n\r\n--b_1--";
        let results = results(body.as_bytes(), "b_1", 2).unwrap();
        assert!(results[0].is_ok());
        assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(super::results(body.as_bytes(), "b_1", 3).is_err());
    }
}
