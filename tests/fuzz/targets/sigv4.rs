//! A request with any signature is refused without a panic, and the same request signed is accepted.

use bluebucket::object::Timestamp;
use bluebucket::s3::sigv4::{self, Credentials, Expectations, Signable, SignedRequest, SigningKey};
use http::header::AUTHORIZATION;

use super::message::Message;

const SECRET: &str = "a secret that the fuzzer does not know";
const REGION: &str = "us-east-1";

pub fn check(data: &[u8]) {
    let Some(message) = Message::parse(data) else { return };
    let now = Timestamp::parse_amz("20261123T120000Z").unwrap();
    assert!(!is_accepted(&message, now), "a signature was guessed");
    signed_is_accepted(message, now);
}

fn is_accepted(message: &Message<'_>, now: Timestamp) -> bool {
    let Message { method, path, query, headers, .. } = message;
    let Ok(Some(signed)) = SignedRequest::parse(method, path, query, headers) else { return false };
    // Whatever the scope says, a key is derived for it: the check of the scope comes again in `verify`.
    let key = SigningKey::derive(SECRET, signed.date(), signed.region(), signed.service());
    let _ = (signed.payload_mode(), signed.placement(), signed.session_token(), signed.access_key());
    let expected = Expectations::s3(Some(REGION));
    let free = Expectations { region: None, ..expected };
    let accepted = signed.verify(&key, now, &free).is_ok();
    assert!(accepted || signed.verify(&key, now, &expected).is_err(), "a narrower expectation accepts more");
    accepted
}

/// A signature in the query stays what it is, so such a request, and one without a host, is left alone.
fn signed_is_accepted(message: Message<'_>, now: Timestamp) {
    let Message { method, path, query, mut headers, .. } = message;
    headers.remove(AUTHORIZATION);
    let unsigned = SignedRequest::parse(&method, path, query, &headers);
    if !matches!(unsigned, Ok(None)) || !headers.contains_key("host") || !path.starts_with('/') {
        return;
    }
    let credentials = Credentials { access_key: "AK".into(), secret: SECRET.into(), session_token: None };
    let payload_hash = "UNSIGNED-PAYLOAD";
    let signable = Signable { method: &method, path, query, headers: &mut headers, payload_hash };
    sigv4::sign(signable, &credentials, REGION, "s3", now).unwrap();
    let signed = SignedRequest::parse(&method, path, query, &headers).unwrap().unwrap();
    let key = SigningKey::derive(SECRET, signed.date(), REGION, "s3");
    signed.verify(&key, now, &Expectations::s3(Some(REGION))).unwrap();
    let other = SigningKey::derive("another secret", signed.date(), REGION, "s3");
    assert!(signed.verify(&other, now, &Expectations::s3(Some(REGION))).is_err());
}
