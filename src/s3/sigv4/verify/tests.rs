use http::{HeaderMap, HeaderName, Method};

use super::*;
use crate::object::text::hex;
use crate::s3::sigv4::{Credentials, Signable, presign, sign};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");

fn now() -> Timestamp {
    Timestamp::parse_amz("20130524T000000Z").unwrap()
}

fn key() -> SigningKey {
    SigningKey::derive(SECRET, "20130524", "us-east-1", "s3")
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn verify_at(method: Method, path: &str, query: &str, headers: &HeaderMap, now: Timestamp) -> Result<Option<Verified>> {
    let Some(request) = SignedRequest::parse(&method, path, query, headers)? else { return Ok(None) };
    request.verify(&key(), now, &Expectations::s3(Some("us-east-1"))).map(Some)
}

fn code(method: Method, path: &str, query: &str, headers: &HeaderMap) -> Option<S3Code> {
    verify_at(method, path, query, headers, now()).err().map(|error| error.code())
}

fn authorization(signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders={signed_headers},Signature={signature}"
    )
}

/// The four examples of "Signature Calculations for the Authorization Header: Transferring Payload
/// in a Single Chunk".
#[test]
fn documented_header_examples() {
    let common = "host;x-amz-content-sha256;x-amz-date";
    let date = ("x-amz-date", "20130524T000000Z");
    let sha = ("x-amz-content-sha256", EMPTY);
    let body = ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    let cases = [
        (
            Method::GET,
            "/test.txt",
            "",
            vec![HOST, ("range", "bytes=0-9"), sha, date],
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Method::PUT,
            "/test%24file.text",
            "",
            vec![
                HOST,
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                date,
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                body,
            ],
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Method::GET,
            "/",
            "lifecycle",
            vec![HOST, sha, date],
            common,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Method::GET,
            "/",
            "max-keys=2&prefix=J",
            vec![HOST, sha, date],
            common,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (method, path, query, pairs, signed, signature) in cases {
        let mut all = headers(&pairs);
        all.insert("authorization", authorization(signed, signature).parse().unwrap());
        assert_eq!(code(method.clone(), path, query, &all), None, "{path}?{query}");
        assert_eq!(code(Method::DELETE, path, query, &all), Some(S3Code::SignatureDoesNotMatch));
        let path = format!("{path}x");
        assert_eq!(code(method, &path, query, &all), Some(S3Code::SignatureDoesNotMatch));
    }
}

/// A client may send what it does not encode in the signature, and the other way round.
#[test]
fn a_path_sent_unencoded_matches_its_canonical_form() {
    let pairs = [
        HOST,
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ];
    let mut all = headers(&pairs);
    let signed = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    all.insert("authorization", authorization(signed, signature).parse().unwrap());
    assert_eq!(code(Method::PUT, "/test$file.text", "", &all), None);
    assert_eq!(code(Method::PUT, "/test%2524file.text", "", &all), Some(S3Code::SignatureDoesNotMatch));
}

const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1\
                         %2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

/// The example of "Authenticating Requests: Using Query Parameters".
#[test]
fn documented_presigned_example() {
    let host = headers(&[HOST]);
    let at = |seconds| {
        let now = Timestamp(now().0 + seconds);
        verify_at(Method::GET, "/test.txt", PRESIGNED, &host, now).err().map(|error| error.message().to_owned())
    };
    assert_eq!(at(0), None);
    assert_eq!(at(86_400), None);
    assert_eq!(at(-900), None);
    assert_eq!(at(86_401).as_deref(), Some("Request has expired"));
    assert_eq!(at(-901).as_deref(), Some("Request is not valid yet"));
    let more = format!("{PRESIGNED}&versionId=1");
    assert_eq!(code(Method::GET, "/test.txt", &more, &host), Some(S3Code::SignatureDoesNotMatch));
    assert_eq!(code(Method::PUT, "/test.txt", PRESIGNED, &host), Some(S3Code::SignatureDoesNotMatch));
}

#[test]
fn presigned_refusals() {
    let host = headers(&[HOST]);
    let malformed = Some(S3Code::AuthorizationQueryParametersError);
    for (from, to) in [
        ("X-Amz-Expires=86400", "X-Amz-Expires=0"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=-1"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=604801"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=99999999999999999999999"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=a"),
        ("X-Amz-Expires=86400", "X-Amz-Expires="),
        ("X-Amz-Expires=86400", ""),
        ("X-Amz-Signature=", "x-amz-signature="),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        ("X-Amz-Date=2013", "X-Amz-Date=13"),
        ("%2Faws4_request", ""),
        ("us-east-1", "eu-west-1"),
        ("Fs3%2F", "Fsts%2F"),
        ("20130524%2F", "20130525%2F"),
    ] {
        let query = PRESIGNED.replacen(from, to, 1);
        assert_eq!(code(Method::GET, "/test.txt", &query, &host), malformed, "{from} -> {to}");
    }
    let twice = format!("{PRESIGNED}&X-Amz-Date=20130525T000000Z");
    assert_eq!(code(Method::GET, "/test.txt", &twice, &host), malformed);
    for signed in ["date", "x-amz-date"] {
        let query = PRESIGNED.replace("SignedHeaders=host", &format!("SignedHeaders={signed}"));
        assert_eq!(code(Method::GET, "/test.txt", &query, &host), Some(S3Code::AccessDenied));
    }
    let extra = headers(&[HOST, ("x-amz-acl", "public-read")]);
    assert_eq!(code(Method::GET, "/test.txt", PRESIGNED, &extra), Some(S3Code::AccessDenied));
    let both = headers(&[HOST, ("authorization", "AWS4-HMAC-SHA256 x")]);
    assert_eq!(code(Method::GET, "/test.txt", PRESIGNED, &both), Some(S3Code::InvalidArgument));
    for v2 in ["AWSAccessKeyId=a&Signature=b&Expires=1", "Signature=b"] {
        let error = verify_at(Method::GET, "/test.txt", v2, &host, now()).unwrap_err();
        assert_eq!(error.code(), S3Code::InvalidRequest);
        assert!(error.message().contains("s3.signature_version = s3v4"));
    }
}

#[test]
fn header_refusals() {
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    let good = authorization(signed, signature);
    let base = [HOST, ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20130524T000000Z")];
    let outcome = |authorization: &str, base: &[(&str, &str)]| {
        let mut all = headers(base);
        all.append("authorization", authorization.parse().unwrap());
        code(Method::GET, "/", "max-keys=2&prefix=J", &all)
    };
    assert_eq!(outcome(&good, &base), None);
    assert_eq!(outcome(&good.replace(", ", ",").replace(",S", " , S"), &base), None);
    let malformed = S3Code::AuthorizationHeaderMalformed;
    for (from, to, expected) in [
        ("us-east-1", "eu-west-1", malformed),
        ("/s3/", "/sts/", malformed),
        ("20130524", "20130525", malformed),
        ("/aws4_request", "/aws5_request", malformed),
        ("AKIAIOSFODNN7EXAMPLE/", "", malformed),
        ("Signature=34", "Signature=4", malformed),
        ("Signature=34", "Signature=é", malformed),
        ("Signature=", "Sig=", malformed),
        ("SignedHeaders=host;", "SignedHeaders=", S3Code::AccessDenied),
        (";x-amz-date", "", S3Code::AccessDenied),
        ("SignedHeaders=", "SignedHeaders=expect;", S3Code::SignatureDoesNotMatch),
        ("SignedHeaders=", "SignedHeaders=host;", S3Code::SignatureDoesNotMatch),
        ("SignedHeaders=", "SignedHeaders=;", S3Code::SignatureDoesNotMatch),
        ("Signature=34", "Signature=35", S3Code::SignatureDoesNotMatch),
        ("AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256 ", S3Code::NotImplemented),
        ("AWS4-HMAC-SHA256 ", "AWS ", S3Code::InvalidRequest),
        ("AWS4-HMAC-SHA256 ", "Bearer ", S3Code::InvalidArgument),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256", S3Code::InvalidArgument),
    ] {
        assert_eq!(outcome(&good.replacen(from, to, 1), &base), Some(expected), "{from} -> {to}");
    }
    let replaced = |name: &str, value: Option<&'static str>| {
        let kept = base.iter().filter(|(known, _)| *known != name).copied();
        let changed: Vec<_> = kept.chain(value.map(|value| (name, value))).collect();
        outcome(&good, &changed)
    };
    assert_eq!(replaced("host", Some("other")), Some(S3Code::SignatureDoesNotMatch));
    assert_eq!(replaced("x-amz-date", None), Some(S3Code::AccessDenied));
    assert_eq!(replaced("x-amz-date", Some("junk")), Some(S3Code::AccessDenied));
    assert_eq!(replaced("x-amz-date", Some("20130524T001501Z")), Some(S3Code::RequestTimeTooSkewed));
    assert_eq!(replaced("x-amz-content-sha256", None), Some(S3Code::InvalidRequest));
    assert_eq!(replaced("x-amz-content-sha256", Some("UNSIGNED-PAYLOAD")), Some(S3Code::SignatureDoesNotMatch));
    assert_eq!(replaced("x-amz-acl", Some("private")), Some(S3Code::AccessDenied));
    let mut twice = headers(&base);
    twice.append("authorization", good.parse().unwrap());
    twice.append("authorization", good.parse().unwrap());
    assert_eq!(code(Method::GET, "/", "max-keys=2&prefix=J", &twice), Some(S3Code::InvalidArgument));
    assert!(verify_at(Method::GET, "/", "", &headers(&[HOST]), now()).unwrap().is_none());
}

#[test]
fn a_wrong_region_names_the_right_one() {
    let all = [HOST, ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20130524T000000Z")];
    let mut all = headers(&all);
    all.insert("authorization", authorization("host;x-amz-content-sha256;x-amz-date", EMPTY).parse().unwrap());
    let request = SignedRequest::parse(&Method::GET, "/", "", &all).unwrap().unwrap();
    let error = request.check(now(), &Expectations::s3(Some("eu-west-1"))).unwrap_err();
    assert!(error.to_xml("/", "", "").contains("<Region>eu-west-1</Region>"));
    assert!(request.check(now(), &Expectations::s3(None)).is_ok());
}

/// A request to the token service: no `x-amz-content-sha256`, and the body's hash in its place.
#[test]
fn sts_signs_the_hash_of_the_body() {
    let method = Method::POST;
    let mut all = headers(&[("host", "sts"), ("content-type", "application/x-www-form-urlencoded")]);
    let body = crate::object::checksum::sha256(b"Action=AssumeRole");
    let credentials = credentials();
    let request = Signable { method: &method, path: "/", query: "", headers: &mut all, payload_hash: &hex(&body) };
    sign(request, &credentials, "us-east-1", "sts", now()).unwrap();
    // The header is neither sent nor signed by real clients of the token service.
    let with_header = all.remove("x-amz-content-sha256").is_some();
    assert!(with_header);
    let names = "content-type;host;x-amz-date";
    let canonical = Canonical {
        method: &method,
        path: "/",
        query: "",
        headers: &all,
        signed_headers: names,
        payload_hash: &hex(&body),
    };
    let mut to_sign = Vec::new();
    canonical.string_to_sign(&mut to_sign, "20130524T000000Z", "20130524/us-east-1/sts/aws4_request").unwrap();
    let key = SigningKey::derive(SECRET, "20130524", "us-east-1", "sts");
    let authorization = authorization(names, &key.sign(&to_sign).hex()).replace("/s3/", "/sts/");
    all.insert("authorization", authorization.parse().unwrap());
    let signed = SignedRequest::parse(&method, "/", "", &all).unwrap().unwrap();
    let expected =
        |body_sha256| Expectations { region: None, service: "sts", max_skew: Expectations::SKEW_MAX, body_sha256 };
    assert!(signed.verify(&key, now(), &expected(Some(body))).is_ok());
    let other = signed.verify(&key, now(), &expected(Some([0; 32]))).unwrap_err();
    assert_eq!(other.code(), S3Code::SignatureDoesNotMatch);
    assert_eq!(signed.verify(&key, now(), &expected(None)).unwrap_err().code(), S3Code::InvalidRequest);
}

fn credentials() -> Credentials {
    Credentials { access_key: "AKIAIOSFODNN7EXAMPLE".into(), secret: SECRET.into(), session_token: None }
}

/// A random request line with everything that clients get wrong: blanks, `+`, encoded slashes and
/// percent signs, empty segments and values, repeated parameters.
struct Random {
    path: String,
    query: String,
    headers: Vec<(String, String)>,
}

impl Random {
    fn new(random: &mut fastrand::Rng) -> Self {
        let mut path = String::from("/bucket/");
        encode(&mut path, &text(random, 40), b"/");
        let mut query = String::new();
        for _ in 0..random.usize(0..5) {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(random.choice(["prefix", "a", "a-b", "uploads", "delimiter", "A"]).unwrap());
            query.push('=');
            encode(&mut query, &text(random, 12), b"");
        }
        let names = ["x-amz-meta-a", "x-amz-meta-b", "content-type", "range", "if-match", "x-amz-acl"];
        let headers = names.into_iter().filter(|_| random.bool());
        let headers: Vec<_> = headers.map(str::to_owned).collect();
        let headers = headers.into_iter().map(|name| (name, header_value(random))).collect();
        Self { path, query, headers }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = headers(&[HOST]);
        for (name, value) in &self.headers {
            headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        headers
    }
}

fn encode(out: &mut String, text: &str, keep: &[u8]) {
    crate::object::text::percent_encode_into(out, text.as_bytes(), keep);
}

fn text(random: &mut fastrand::Rng, longest: usize) -> String {
    const LETTERS: [char; 24] = [
        'a', 'Z', '0', ' ', '+', '/', '%', '=', '&', '?', '#', '~', '-', '_', '.', '\'', '(', '*', '!', ':', 'é', '😀',
        '"', '\\',
    ];
    (0..random.usize(0..longest)).map(|_| *random.choice(&LETTERS).unwrap()).collect()
}

fn header_value(random: &mut fastrand::Rng) -> String {
    // Without tabs: SDKs differ in whether they collapse them.
    let letters = ['a', 'b', ' ', ' ', ',', '=', '"', ';'];
    let middle: String = (0..random.usize(0..12)).map(|_| *random.choice(&letters).unwrap()).collect();
    format!("x{middle}y")
}

/// Whatever our signer signs, in a header or in a query, our verifier accepts; one flipped bit of the
/// signature, and it does not.
#[test]
fn signer_and_verifier_agree() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..500 {
        let request = Random::new(&mut random);
        let mut all = request.headers();
        let signable = Signable {
            method: &Method::GET,
            path: &request.path,
            query: &request.query,
            headers: &mut all,
            payload_hash: EMPTY,
        };
        sign(signable, &credentials(), "us-east-1", "s3", now()).unwrap();
        assert_eq!(code(Method::GET, &request.path, &request.query, &all), None, "{}?{}", request.path, request.query);

        let mut all = request.headers();
        let signable = Signable {
            method: &Method::GET,
            path: &request.path,
            query: &request.query,
            headers: &mut all,
            payload_hash: PayloadMode::UNSIGNED,
        };
        let query = presign(&signable, &credentials(), "us-east-1", "s3", now(), 60).unwrap();
        assert_eq!(code(Method::GET, &request.path, &query, &all), None, "{}?{query}", request.path);
        let mut flipped = query.into_bytes();
        let last = flipped.last_mut().unwrap();
        *last = if *last == b'0' { b'1' } else { b'0' };
        let flipped = String::from_utf8(flipped).unwrap();
        let refused = code(Method::GET, &request.path, &flipped, &all);
        assert_eq!(refused, Some(S3Code::SignatureDoesNotMatch));
    }
}

/// The SDK's own signer as the judge of ours.
#[cfg(feature = "aws-chain")]
mod against_the_sdk {
    use super::*;
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign as sdk_sign,
    };
    use aws_sigv4::sign::v4;

    fn settings(location: SignatureLocation) -> SigningSettings {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.session_token_mode = SessionTokenMode::Include;
        settings.payload_checksum_kind = match location {
            SignatureLocation::Headers => PayloadChecksumKind::XAmzSha256,
            _ => PayloadChecksumKind::NoHeader,
        };
        settings.expires_in = Some(std::time::Duration::from_secs(600));
        settings.signature_location = location;
        settings
    }

    #[test]
    fn thousands_of_requests() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..4_000 {
            let location = if round % 2 == 0 { SignatureLocation::Headers } else { SignatureLocation::QueryParams };
            one(&Random::new(&mut random), location, random.bool());
        }
    }

    fn one(request: &Random, location: SignatureLocation, with_token: bool) {
        let token = with_token.then(|| "token/with+signs=".to_owned());
        let identity =
            aws_credential_types::Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, token, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(now().system_time())
            .settings(settings(location))
            .build()
            .unwrap()
            .into();
        let mut uri = format!("https://{}{}", HOST.1, request.path);
        if !request.query.is_empty() {
            uri = format!("{uri}?{}", request.query);
        }
        let sent = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = match location {
            SignatureLocation::Headers => SignableBody::Bytes(b""),
            _ => SignableBody::UnsignedPayload,
        };
        let signable = SignableRequest::new("GET", uri.clone(), sent, body).unwrap();
        let (instructions, _) = sdk_sign(signable, &parameters).unwrap().into_parts();
        let mut signed = http::Request::get(&uri).body(()).unwrap();
        *signed.headers_mut() = request.headers();
        instructions.apply_to_request_http1x(&mut signed);
        let (path, query) = (signed.uri().path(), signed.uri().query().unwrap_or(""));
        assert_eq!(path, request.path);
        assert_eq!(code(Method::GET, path, query, signed.headers()), None, "{uri} {:?}", signed.headers());
    }
}
