//! HTTP/1.1 by hand, so that a test can send and see every byte, malformed ones among them.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A byte stream to a peer that can be torn down with a reset where the medium knows one.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes the close that follows a reset.
    fn reset_on_close(&mut self) {}
}

impl Stream for tokio::io::DuplexStream {}

impl Stream for tokio::net::TcpStream {
    fn reset_on_close(&mut self) {
        // A socket that cannot be set is closed in the normal way.
        let _ = self.set_zero_linger();
    }
}

impl Stream for Box<dyn Stream> {
    fn reset_on_close(&mut self) {
        self.as_mut().reset_on_close();
    }
}

/// The first line and the headers of a message.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub first: String,
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn says(&self, name: &str, word: &str) -> bool {
        self.header(name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// One connection with the bytes read ahead.
pub struct Wire<S> {
    pub stream: S,
    ahead: BytesMut,
}

const HEAD_BYTES_MAX: usize = 64 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, ahead: BytesMut::with_capacity(16 * 1024) }
    }

    /// Reads a head; `None` if the peer closed before its first byte.
    pub async fn read_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = parse_head(&self.ahead[..end])?;
                self.ahead.advance(end + 4);
                return Ok(Some(head));
            }
            if self.ahead.len() > HEAD_BYTES_MAX {
                return Err(bad("head too long"));
            }
            if self.more().await? == 0 {
                return if self.ahead.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads a whole body. A body that ends early is an error that carries what came.
    pub async fn read_body(&mut self, framing: Framing) -> Result<Vec<u8>, CutBody> {
        let mut body = Vec::new();
        let read = match framing {
            Framing::Length(length) => self.read_exact_into(&mut body, length).await,
            Framing::Chunked => self.read_chunked_into(&mut body).await,
            Framing::UntilClose => self.read_rest_into(&mut body).await,
        };
        match read {
            Ok(()) => Ok(body),
            Err(error) => Err(CutBody { received: body, error }),
        }
    }

    /// Takes up to so many of the bytes that come, whatever they are, and says how many they were.
    pub async fn take(&mut self, bytes_max: u64) -> io::Result<u64> {
        let mut piece = vec![0; usize::try_from(bytes_max).unwrap_or(usize::MAX)];
        match self.stream.read(&mut piece).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            taken => Ok(taken as u64),
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    pub async fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().await
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.ahead.reserve(64 * 1024);
        self.stream.read_buf(&mut self.ahead).await
    }

    async fn read_exact_into(&mut self, body: &mut Vec<u8>, mut length: u64) -> io::Result<()> {
        while length > 0 {
            if self.ahead.is_empty() && self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let take = self.ahead.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            body.extend_from_slice(&self.ahead[..take]);
            self.ahead.advance(take);
            length -= take as u64;
        }
        Ok(())
    }

    async fn read_rest_into(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            body.extend_from_slice(&self.ahead);
            self.ahead.clear();
            if self.more().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn read_chunked_into(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let line = self.read_line().await?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16).map_err(|_| bad("chunk length"))?;
            if length == 0 {
                while !self.read_line().await?.is_empty() {}
                return Ok(());
            }
            self.read_exact_into(body, length).await?;
            if !self.read_line().await?.is_empty() {
                return Err(bad("chunk end"));
            }
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|window| window == b"\r\n") {
                let line = text(&self.ahead[..end]);
                self.ahead.advance(end + 2);
                return Ok(line);
            }
            if self.ahead.len() > HEAD_BYTES_MAX || self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A body that ended before its end.
#[derive(Debug)]
pub struct CutBody {
    pub received: Vec<u8>,
    pub error: io::Error,
}

/// The framing of a request body (RFC 9112 section 6.3); an ambiguous one is an error.
pub fn request_framing(head: &Head) -> io::Result<Framing> {
    let lengths = head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).count();
    match (head.header("transfer-encoding"), head.header("content-length")) {
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (Some(_), _) => Err(bad("transfer-encoding")),
        (None, Some(length)) if lengths == 1 && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map(Framing::Length).map_err(|_| bad("content-length"))
        }
        (None, Some(_)) => Err(bad("content-length")),
        (None, None) => Ok(Framing::Length(0)),
    }
}

/// The framing of a response body.
pub fn response_framing(method: &str, status: u16, head: &Head) -> Framing {
    if method == "HEAD" || status == 204 || status == 304 || status < 200 {
        return Framing::Length(0);
    }
    if head.says("transfer-encoding", "chunked") {
        return Framing::Chunked;
    }
    match head.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    }
}

/// Whether the peer wants the connection closed after this message.
pub fn closes(head: &Head) -> bool {
    head.says("connection", "close") || (head.first.contains("HTTP/1.0") && !head.says("connection", "keep-alive"))
}

fn parse_head(bytes: &[u8]) -> io::Result<Head> {
    let whole = text(bytes);
    let mut lines = whole.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| bad("header line"))?;
            let legal = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            legal
                .then(|| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
                .ok_or_else(|| bad("header name"))
        })
        .collect::<io::Result<_>>()?;
    Ok(Head { first, headers })
}

/// UTF-8 if it is, else each byte as the character of its number (ISO 8859-1).
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed message: {what}"))
}
