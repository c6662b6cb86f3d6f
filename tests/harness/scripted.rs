//! A server that answers each request as the test says, or breaks off where it says.

#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The server; it ends when dropped.
pub struct Scripted {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// Bytes of the body that came, unless the answer came first.
    pub body: Vec<u8>,
    /// The body had the length that was announced.
    pub complete: bool,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What to do with a request.
pub struct Reply {
    /// The whole answer as it goes on the wire.
    pub bytes: Vec<u8>,
    /// Answer before reading the body of the request.
    pub early: bool,
    /// Close the connection after the answer.
    pub close: bool,
}

impl Reply {
    /// Status line, headers and body; the length is added.
    pub fn new(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::with_length(status, headers, body, body.len())
    }

    /// The same, with a length that the body may not have.
    pub fn with_length(status: &str, headers: &[(&str, &str)], body: &[u8], length: usize) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Self::raw([head.as_bytes(), body].concat())
    }

    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), early: false, close: false }
    }

    /// No answer at all.
    pub fn hang_up() -> Self {
        Self { bytes: Vec::new(), early: false, close: true }
    }

    pub fn and_close(self) -> Self {
        Self { close: true, ..self }
    }

    pub fn early(self) -> Self {
        Self { early: true, ..self }
    }
}

impl Scripted {
    /// Answers with what `script` says to the number of the request (from 0) and its head.
    pub async fn start(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/account", listener.local_addr().expect("its address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, script) = (seen.clone(), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, script) = (log.clone(), script.clone());
                tokio::spawn(async move { connection(stream, &log, &*script).await });
            }
        });
        Self { url, seen, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, log: &Mutex<Vec<Seen>>, script: &(dyn Fn(usize, &Seen) -> Reply + Sync)) {
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = head(&mut stream).await {
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        let reply = script(number, &seen);
        if !reply.early {
            let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            read_body(&mut stream, length, &mut seen).await;
            log.lock().unwrap()[number] = seen;
        }
        if stream.write_all(&reply.bytes).await.is_err() || reply.close {
            return;
        }
    }
}

async fn head(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut seen = Seen { method, target, ..Seen::default() };
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => seen.headers.push((name.to_owned(), value.to_owned())),
            None => return Some(seen),
        }
    }
}

async fn read_body(stream: &mut BufReader<TcpStream>, length: usize, seen: &mut Seen) {
    let mut piece = vec![0; 64 << 10];
    while seen.body.len() < length {
        let want = piece.len().min(length - seen.body.len());
        match stream.read(&mut piece[..want]).await {
            Ok(read) if read > 0 => seen.body.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    seen.complete = true;
}
