//! Request lines and headers: parsed without a panic, and the key that is found is the path decoded once.

use bluebucket::object::text::{percent_decode, percent_encode};
use bluebucket::s3::addressing::Addressing;
use bluebucket::s3::query::Query;
use bluebucket::s3::{continuation, request};

use super::message::Message;

pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        pairs(text);
        let _ = continuation::decode(text);
    }
    let Some(message) = Message::parse(data) else { return };
    for addressing in [Addressing::default(), Addressing::new(["s3.example.org"])] {
        whole(&message, &addressing);
    }
}

/// What was decoded and is encoded again decodes to the same.
fn pairs(raw: &str) {
    let Ok(query) = Query::parse(raw) else { return };
    let again: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name, b""), percent_encode(value, b"")))
        .collect();
    let again = again.join("&");
    let second = Query::parse(&again).unwrap();
    assert!(query.iter().eq(second.iter()), "{raw} is not {again}");
    for (name, value) in query.iter() {
        assert!(query.has(name));
        if let Ok(found) = query.get(name) {
            assert_eq!(found, Some(value), "the first and the last differ");
        }
    }
}

fn whole(message: &Message<'_>, addressing: &Addressing) {
    let Message { method, path, query, headers, .. } = message;
    let Ok(operation) = request::parse(method, path, query, headers, addressing) else { return };
    let _ = (operation.unheld(), operation.copy_source(), operation.writes());
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let target = addressing.resolve(host, path).unwrap();
    if let (Some(bucket), Some(named)) = (operation.bucket(), &target.bucket) {
        assert_eq!(bucket.as_str(), named);
    }
    if let Some(key) = target.key {
        assert!(percent_decode(path).unwrap().ends_with(&key), "{key} is not in {path}");
    }
    if let Some(body) = operation.body() {
        let _ = body.mode.chunked();
    }
}
