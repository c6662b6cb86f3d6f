//! A native client (`abfss://`) of an emulated hierarchical account, as far as tests need one.

use std::sync::Arc;
use std::time::Duration;

use bluebucket::emulator::{DEVELOPMENT_ACCOUNT, Emulator, STORAGE_AUDIENCE};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};

use super::percent;

pub struct DataLake {
    emulator: Arc<Emulator>,
    container: &'static str,
}

impl DataLake {
    pub fn new(emulator: Arc<Emulator>, container: &'static str) -> Self {
        Self { emulator, container }
    }

    /// Creates, appends, flushes.
    pub async fn write(&self, path: &str, content: &[u8]) {
        self.must("PUT", path, "?resource=file", &[], b"").await;
        if !content.is_empty() {
            self.must("PATCH", path, "?action=append&position=0", &[], content).await;
            self.must("PATCH", path, &format!("?action=flush&position={}", content.len()), &[], b"").await;
        }
    }

    pub async fn make_directory(&self, path: &str) {
        self.must("PUT", path, "?resource=directory", &[], b"").await;
    }

    pub async fn delete(&self, path: &str, recursive: bool) -> u16 {
        self.send("DELETE", path, &format!("?recursive={recursive}"), &[], b"").await.0
    }

    pub async fn rename(&self, from: &str, to: &str) {
        let source = format!("/{}/{}", self.container, percent::encode(from.as_bytes(), b"/"));
        self.must("PUT", to, "", &[("x-ms-rename-source", &source)], b"").await;
    }

    /// Content; `None` if there is nothing. A directory is empty.
    pub async fn read(&self, path: &str) -> Option<Vec<u8>> {
        let (status, body) = self.send("GET", path, "", &[], b"").await;
        (status == 200).then_some(body)
    }

    async fn must(&self, method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &[u8]) {
        let (status, answer) = self.send(method, path, query, headers, body).await;
        assert!(status < 300, "{method} {path}{query}: {status} {}", String::from_utf8_lossy(&answer));
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, Vec<u8>) {
        let path = percent::encode(path.as_bytes(), b"/");
        let token = self.emulator.mint_token(STORAGE_AUDIENCE, Duration::from_secs(3600));
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/{DEVELOPMENT_ACCOUNT}/{}/{path}{query}", self.container))
            .header("authorization", format!("Bearer {token}"))
            .header("x-ms-version", "2026-04-06")
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        let response = self.emulator.handle(request).await;
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }
}
