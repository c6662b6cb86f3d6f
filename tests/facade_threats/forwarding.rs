//! S15 what a client says that the account must not hear, and where the account must not send the facade.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::product::{BUCKET, Product, Setup};
use crate::harness::s3_client::BodyMode;
use crate::scripted::{Reply, Scripted};

/// A relay that keeps everything that goes to the server.
async fn overhear(server: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (log, server) = (log.clone(), TcpStream::connect(server).await.unwrap());
            tokio::spawn(async move {
                let ((mut from, mut back), (mut answers, mut to)) = (client.into_split(), server.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
                let mut piece = [0; 16 << 10];
                while let Ok(count @ 1..) = from.read(&mut piece).await {
                    log.lock().unwrap().extend_from_slice(&piece[..count]);
                    if to.write_all(&piece[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

/// Requests to the account are written anew: nothing of the client's own passes, whatever it is called.
#[tokio::test]
async fn headers_for_the_account_stay_here() {
    let product = Product::start().await;
    let (address, heard) = overhear(product.store_address).await;
    let product = Product::in_front_of(product.emulator.clone(), address, Setup::default());
    let client = product.client();
    let names = [
        "x-ms-blob-type",
        "x-ms-copy-source",
        "x-ms-copy-source-authorization",
        "x-ms-meta-canary",
        "x-ms-lease-id",
        "x-ms-version",
        "x-ms-date",
        "x-ms-client-request-id",
        "x-ms-encryption-key",
        "x-ms-blob-public-access",
        "x-ms-access-tier",
        "x-ms-delete-snapshots",
        "x-ms-tags",
        "x-ms-file-request-intent",
        "x-ms-rename-source",
        "x-ms-range",
        "x-ms-blob-content-md5",
        "cookie",
        "via",
        "x-forwarded-for",
        "proxy-connection",
        "te",
        "trailer",
    ];
    for (method, target, body) in [
        ("PUT", format!("/{BUCKET}/key"), &b"content"[..]),
        ("GET", format!("/{BUCKET}/key"), b""),
        ("HEAD", format!("/{BUCKET}/key"), b""),
        ("GET", format!("/{BUCKET}?list-type=2"), b""),
        ("POST", format!("/{BUCKET}/key?uploads"), b""),
        ("PUT", format!("/{BUCKET}/key?tagging"), b"<Tagging><TagSet/></Tagging>"),
        ("DELETE", format!("/{BUCKET}/key"), b""),
    ] {
        for signed in [false, true] {
            let request = client.request(method, &target).body(body, BodyMode::Signed);
            let request = names.iter().fold(request, |request, name| match signed {
                true => request.header(name, "canary-for-the-account"),
                false => request.unsigned_header(name, "canary-for-the-account"),
            });
            let answer = client.send(&request.build()).await.unwrap();
            assert!(answer.status < 300, "{method} {target}: {} {}", answer.status, answer.text());
        }
    }
    // The query is not passed on either.
    for query in [
        "sv=2020&sig=canary-for-the-account",
        "comp=canary-for-the-account&restype=container",
        "snapshot=canary-for-the-account",
    ] {
        let answer = client.send(&client.request("GET", &format!("/{BUCKET}?{query}")).build()).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    }
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    assert!(heard.contains("PUT /devstoreaccount1/flink/key"), "{heard}");
    assert!(!heard.contains("canary-for-the-account"), "{heard}");
    for secret in ["AWS4-HMAC-SHA256", crate::harness::product::SECRET, "x-amz-"] {
        assert!(!heard.contains(secret), "the account was told {secret}: {heard}");
    }
}

/// An account that sends the facade elsewhere is not followed, and the credential does not go there.
#[tokio::test]
async fn redirects_of_the_account_are_not_followed() {
    let elsewhere = Scripted::start(|_, _| Reply::new("200 OK", &[("ETag", "\"x\"")], b"stolen")).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("{}/flink/key", elsewhere.url);
        let account = Scripted::start(move |_, _| {
            Reply::new(status, &[("Location", &location), ("x-ms-error-code", "Moved")], b"<Error/>")
        })
        .await;
        let address = account.url["http://".len()..].trim_end_matches("/account").parse().unwrap();
        let emulator = bluebucket::emulator::Emulator::new(Default::default());
        let product = Product::in_front_of(emulator, address, Setup::default());
        let client = product.client();
        for (method, target, headers) in [
            ("GET", format!("/{BUCKET}/key"), &[][..]),
            ("HEAD", format!("/{BUCKET}/key"), &[]),
            ("PUT", format!("/{BUCKET}/key"), &[]),
            ("DELETE", format!("/{BUCKET}/key"), &[]),
            ("GET", format!("/{BUCKET}?list-type=2"), &[]),
            ("PUT", format!("/{BUCKET}/copy"), &[("x-amz-copy-source", "/local-rocksdb-test/key")]),
        ] {
            let request = headers
                .iter()
                .fold(client.request(method, &target), |request, (name, value)| request.header(name, value));
            let answer = client.send(&request.build()).await.unwrap();
            assert!(answer.status >= 400, "{status} {method} {target}: {} {}", answer.status, answer.text());
            assert_eq!(answer.header("location"), None, "{status} {method}");
            assert!(!answer.text().contains("stolen") && !answer.text().contains("127.0.0.1"), "{}", answer.text());
        }
        assert!(!account.seen().is_empty());
    }
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}
