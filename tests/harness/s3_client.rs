//! A raw S3 client: it signs correctly, and then lets a test spoil anything before it is sent.

mod body;
mod request;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

pub use body::BodyMode;
pub use request::{RawRequest, RequestBuilder};

use super::http1::{self, Head, Stream, Wire};
use super::percent;
use super::sigv4::Credentials;

/// Whom to speak to and as whom. Every request opens a connection of its own unless it is sent on
/// a [`Connection`].
#[derive(Clone)]
pub struct S3Client {
    dial: Dial,
    host: String,
    credentials: Credentials,
}

#[derive(Clone)]
enum Dial {
    Tcp(SocketAddr),
    Pipe(Arc<dyn Fn() -> tokio::io::DuplexStream + Send + Sync>),
}

/// An open connection.
pub struct Connection {
    wire: Wire<Box<dyn Stream>>,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: Head,
    pub body: Vec<u8>,
    /// The body ended before its framing said so.
    pub cut: bool,
}

impl S3Client {
    pub fn tcp(address: SocketAddr, credentials: Credentials) -> Self {
        Self { dial: Dial::Tcp(address), host: address.to_string(), credentials }
    }

    /// Speaks over in-process pipes that `open` makes.
    pub fn pipe(open: impl Fn() -> tokio::io::DuplexStream + Send + Sync + 'static, credentials: Credentials) -> Self {
        Self { dial: Dial::Pipe(Arc::new(open)), host: "s3.test".into(), credentials }
    }

    /// Sends another Host header, for virtual-hosted buckets.
    pub fn with_host(&self, host: &str) -> Self {
        Self { host: host.into(), ..self.clone() }
    }

    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// A request for a target as it shall stand on the request line, such as `/bucket/a%20b?tagging`.
    pub fn request(&self, method: &str, target: &str) -> RequestBuilder {
        RequestBuilder::new(method, target, &self.host, &self.credentials)
    }

    /// A request for an object, the key encoded once.
    pub fn object(&self, method: &str, bucket: &str, key: &str) -> RequestBuilder {
        self.request(method, &object_path(bucket, key))
    }

    pub async fn get(&self, bucket: &str, key: &str) -> io::Result<Response> {
        self.send(&self.object("GET", bucket, key).build()).await
    }

    pub async fn head(&self, bucket: &str, key: &str) -> io::Result<Response> {
        self.send(&self.object("HEAD", bucket, key).build()).await
    }

    pub async fn put(&self, bucket: &str, key: &str, body: &[u8]) -> io::Result<Response> {
        self.send(&self.object("PUT", bucket, key).body(body, BodyMode::Signed).build()).await
    }

    pub async fn delete(&self, bucket: &str, key: &str) -> io::Result<Response> {
        self.send(&self.object("DELETE", bucket, key).build()).await
    }

    /// One page of ListObjectsV2; `query` is encoded already and begins after `list-type=2`.
    pub async fn list(&self, bucket: &str, query: &str) -> io::Result<Response> {
        let separator = if query.is_empty() { "" } else { "&" };
        self.send(&self.request("GET", &format!("/{bucket}?list-type=2{separator}{query}")).build()).await
    }

    /// Sends on a fresh connection and reads the response.
    pub async fn send(&self, request: &RawRequest) -> io::Result<Response> {
        self.open().await?.send(request).await
    }

    /// Sends the head and the first `bytes` of the body, then closes both ways.
    pub async fn send_and_leave(&self, request: &RawRequest, bytes: usize) -> io::Result<()> {
        let mut connection = self.open().await?;
        connection.write(request.head_bytes().as_slice()).await?;
        connection.write(&request.body[..bytes.min(request.body.len())]).await
    }

    pub async fn open(&self) -> io::Result<Connection> {
        let stream: Box<dyn Stream> = match &self.dial {
            Dial::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Dial::Pipe(open) => Box::new(open()),
        };
        Ok(Connection { wire: Wire::new(stream) })
    }
}

impl Connection {
    /// Sends a request and reads its response; the connection can be used again.
    pub async fn send(&mut self, request: &RawRequest) -> io::Result<Response> {
        let sent = async {
            self.wire.write(&request.head_bytes()).await?;
            self.wire.write(&request.body).await?;
            self.wire.flush().await
        }
        .await;
        // A server may refuse and close before it has read all; its answer counts more.
        match self.read(&request.method).await {
            Ok(response) => Ok(response),
            Err(error) => sent.and(Err(error)),
        }
    }

    /// Writes any bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write(bytes).await?;
        self.wire.flush().await
    }

    /// Takes up to so many of the bytes that come, whatever they are, and says how many they were.
    pub async fn take(&mut self, bytes_max: u64) -> io::Result<u64> {
        self.wire.take(bytes_max).await
    }

    /// Reads the response to a request of that method.
    pub async fn read(&mut self, method: &str) -> io::Result<Response> {
        loop {
            let head = self.wire.read_head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let status = head.first.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status: u16 = status.ok_or(io::ErrorKind::InvalidData)?;
            if status == 100 {
                continue;
            }
            let (body, cut) = match self.wire.read_body(http1::response_framing(method, status, &head)).await {
                Ok(body) => (body, false),
                Err(partial) => (partial.received, true),
            };
            return Ok(Response { status, head, body, cut });
        }
    }

    /// Whether the peer closes within `limit` without sending anything more.
    pub async fn is_closed_within(&mut self, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.wire.read_head()).await, Ok(Ok(None) | Err(_)))
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The ETag without its quotes.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag").map(|etag| etag.trim_matches('"'))
    }

    /// The text of the first element of that name, entities as they are.
    pub fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    /// The texts of all elements of that name.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        text.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
    }

    /// The S3 error code of an error answer.
    pub fn code(&self) -> Option<String> {
        self.element("Code")
    }
}

/// `/bucket/key`, the key percent-encoded once, slashes kept.
pub fn object_path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", percent::encode(key.as_bytes(), b"/"))
}
