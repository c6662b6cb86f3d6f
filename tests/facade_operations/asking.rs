//! What all of these tests do: ask, and look at the answer.

use crate::harness::s3_client::{BodyMode, Response, S3Client};

/// Sends a request without a body.
pub async fn ask(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    send(client, method, target, headers, b"").await
}

/// Sends a request with a signed body.
pub async fn send(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = client.request(method, target).body(body, BodyMode::Signed);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request.build()).await.unwrap()
}

#[track_caller]
pub fn assert_status(response: &Response, status: u16, context: &str) {
    assert_eq!(response.status, status, "{context}: {}", response.text());
}

#[track_caller]
pub fn assert_refused(response: &Response, status: u16, code: &str, context: &str) {
    assert_eq!((response.status, response.code().as_deref()), (status, Some(code)), "{context}: {}", response.text());
}

/// Bytes without a short period, so that a part that is lost or moved shows.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251 + index / 65_537) as u8).collect()
}
