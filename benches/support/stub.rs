//! A backend that answers like Blob Storage and does nothing else. The number at the end of a path
//! is the size of the blob there.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Serves until the process ends; prints its address first. With `certificate_file` it speaks TLS
/// as `localhost`, and writes there the certificate to trust.
pub async fn run(certificate_file: Option<&str>) {
    let tls = certificate_file.map(acceptor);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    println!("{}", listener.local_addr().expect("a bound port"));
    let content = Bytes::from(vec![b'x'; 8 << 20]);
    let listing = Bytes::from(listing());
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (content, listing, tls) = (content.clone(), listing.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, content, listing).await,
                Some(tls) => connection(tls.accept(stream).await?, content, listing).await,
            }
        });
    }
}

fn acceptor(certificate_file: &str) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("a certificate");
    std::fs::write(certificate_file, made.cert.pem()).expect("a writable file");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    TlsAcceptor::from(std::sync::Arc::new(config.expect("a key that fits")))
}

async fn connection(mut stream: impl AsyncRead + AsyncWrite + Unpin, content: Bytes, listing: Bytes) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    loop {
        let head_end = loop {
            if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                read => filled += read,
            }
        };
        let request = Head::parse(&String::from_utf8_lossy(&buffer[..head_end]));
        let mut left = (head_end as u64 + request.body_length).saturating_sub(filled as u64);
        let next = (head_end as u64 + request.body_length).min(filled as u64) as usize;
        buffer.copy_within(next..filled, 0);
        filled -= next;
        while left > 0 {
            let room = buffer.len().min(left as usize);
            match stream.read(&mut buffer[..room]).await? {
                0 => return Ok(()),
                read => left -= read as u64,
            }
        }
        answer(&mut stream, &request, &content, &listing).await?;
    }
}

struct Head {
    method: String,
    target: String,
    body_length: u64,
}

impl Head {
    fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let length = text.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
        });
        Self { method: method.into(), target: target.into(), body_length: length.unwrap_or(0) }
    }

    fn size(&self) -> usize {
        let path = self.target.split('?').next().unwrap_or_default();
        let digits = path.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().unwrap_or(0)
    }
}

async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    request: &Head,
    content: &Bytes,
    listing: &Bytes,
) -> io::Result<()> {
    const COMMON: &str = "x-ms-request-id: 0\r\nx-ms-version: 2023-11-03\r\nDate: Mon, 23 Nov 2026 05:41:51 GMT\r\nLast-Modified: Mon, 23 Nov 2026 05:41:51 GMT\r\nETag: \"0x8DC0FFEE0FFEE00\"\r\n";
    let (status, extra, body) = match request.method.as_str() {
        "PUT" => ("201 Created", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n", Bytes::new()),
        _ if request.target.contains("comp=list") => ("200 OK", "Content-Type: application/xml\r\n", listing.clone()),
        _ => {
            let size = request.size().min(content.len());
            ("200 OK", "Content-Type: application/octet-stream\r\nx-ms-blob-type: BlockBlob\r\n", content.slice(..size))
        }
    };
    let head = format!("HTTP/1.1 {status}\r\n{COMMON}{extra}Content-Length: {}\r\n\r\n", body.len());
    if request.method == "HEAD" {
        stream.write_all(head.as_bytes()).await?;
        return stream.flush().await;
    }
    if body.len() > 64 * 1024 {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        return stream.flush().await;
    }
    let mut whole = head.into_bytes();
    whole.extend_from_slice(&body);
    stream.write_all(&whole).await?;
    stream.flush().await
}

fn listing() -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>");
    for number in 0..1000 {
        xml.push_str(&format!(
            "<Blob><Name>list/{number:04}</Name><Properties><Creation-Time>Mon, 23 Nov 2026 05:41:51 GMT</Creation-Time>\
             <Last-Modified>Mon, 23 Nov 2026 05:41:51 GMT</Last-Modified><Etag>0x8DC0FFEE0FFEE00</Etag>\
             <Content-Length>4096</Content-Length><Content-Type>application/octet-stream</Content-Type>\
             <Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><BlobType>BlockBlob</BlobType></Properties></Blob>"
        ));
    }
    xml + "</Blobs><NextMarker /></EnumerationResults>"
}
