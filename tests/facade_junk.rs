//! Requests without sense, by the thousand: none of them panics, and the facade serves on. A program of its own, since
//! panics are counted for the whole process.

#[path = "harness/harness.rs"]
mod harness;

use std::time::Duration;

use harness::product::{BUCKET, Product};
use harness::random::{Random, seed};
use harness::refusal::{BEFORE, product};
use harness::s3_client::{BodyMode, RawRequest};

/// Good requests of many kinds, to be spoiled.
fn seeds(product: &Product) -> Vec<RawRequest> {
    let client = product.client();
    let mut all: Vec<RawRequest> = BodyMode::ALL
        .into_iter()
        .map(|mode| client.object("PUT", BUCKET, "other").body(&[7; 300], mode).header("x-amz-meta-a", "é").build())
        .collect();
    for (method, target) in [
        ("GET", format!("/{BUCKET}/key")),
        ("GET", format!("/{BUCKET}?list-type=2&prefix=a%2Fb&delimiter=%2F&max-keys=7&start-after=x&encoding-type=url")),
        ("GET", format!("/{BUCKET}?uploads&key-marker=a&upload-id-marker=b")),
        ("POST", format!("/{BUCKET}/other?uploads")),
        ("GET", format!("/{BUCKET}/other?uploadId=abc&max-parts=5&part-number-marker=3")),
        ("DELETE", format!("/{BUCKET}/other")),
    ] {
        let builder = client.request(method, &target).header("range", "bytes=1-2").header("if-match", "\"x\", W/\"y\"");
        all.extend([builder.build(), builder.clone().presigned(60).build()]);
    }
    let delete = b"<Delete><Object><Key>other</Key><VersionId>null</VersionId></Object></Delete>";
    all.push(client.request("POST", &format!("/{BUCKET}?delete")).body(delete, BodyMode::Unsigned).build());
    all
}

/// The product's own count, and the message besides.
fn count_and_print_panics(product: &Product) {
    let printing = std::panic::take_hook();
    product.metrics.watch_panics();
    let counting = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        counting(panic);
        printing(panic);
    }));
}

/// Changes a few bytes of it: some become others, some go, some come twice, some are known to hurt.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    const HURTFUL: [&[u8]; 16] = [
        b"%",
        b"%00",
        b"%ff",
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\xff\xfe",
        b"..",
        b"/",
        b"?",
        b"&",
        b"=",
        b";",
        b"18446744073709551616",
        b"-1",
    ];
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64) as usize;
        match random.below(4) {
            0 => bytes[at] = random.next() as u8,
            1 => drop(bytes.remove(at)),
            2 => {
                let end = (at + random.below(20) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.splice(at..at, random.pick(&HURTFUL).iter().copied())),
        }
    }
}

#[tokio::test]
async fn junk_never_panics() {
    let product = product().await;
    count_and_print_panics(&product);
    let rounds = if std::env::var_os("BLUEBUCKET_FULL").is_some() { 50_000 } else { 4_000 };
    let mut random = Random::new(seed("junk_never_panics"));
    let seeds = seeds(&product);
    for _ in 0..rounds {
        let mut bytes = random.pick(&seeds).to_bytes();
        spoil(&mut bytes, &mut random);
        let mut connection = product.client().open().await.unwrap();
        // It may be closed before all is written.
        let _ = connection.write(&bytes).await;
        // Many wait for more that never comes.
        if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_millis(100), connection.read("GET")).await {
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert!(answer.status < 500 || answer.status == 501, "{} {}\n{shown}", answer.status, answer.text());
        }
    }
    let panics = product.connections.panics.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(panics, 0, "a handler panicked");
    assert!(product.metrics.render().lines().any(|line| line == "bluebucket_panics_total 0"), "something panicked");
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, BEFORE);
}
