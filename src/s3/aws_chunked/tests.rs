use proptest::prelude::*;

use super::*;
use crate::object::Timestamp;
use crate::object::checksum::sha256;
use crate::s3::sigv4::SigningKey;

const SIGNED: PayloadMode = PayloadMode::StreamingSigned { trailer: false };
const SIGNED_TRAILER: PayloadMode = PayloadMode::StreamingSigned { trailer: true };
const UNSIGNED: PayloadMode = PayloadMode::StreamingUnsigned;

/// The signer of the documented examples, with the seed signature given there.
fn signer(seed: &str) -> ChunkSigner {
    let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3");
    let date = Timestamp::parse_amz("20130524T000000Z").unwrap().amz();
    ChunkSigner::for_test(key, Mac::parse(seed).unwrap(), &date, "20130524/us-east-1/s3/aws4_request")
}

fn seed() -> ChunkSigner {
    signer("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
}

fn trailer_seed() -> ChunkSigner {
    signer("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
}

/// Decodes `wire` cut into pieces of `piece` bytes.
fn decode(
    mode: PayloadMode,
    length: u64,
    signer: Option<ChunkSigner>,
    wire: &[u8],
    piece: usize,
) -> Result<(Vec<u8>, Trailers)> {
    let mut decoder = Decoder::new(mode, length, signer)?;
    let mut data = Vec::new();
    for piece in wire.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(piece), &mut |bytes| data.extend_from_slice(&bytes))?;
        assert!(decoder.line.len() <= LINE_MAX);
    }
    Ok((data, decoder.finish()?))
}

fn code(mode: PayloadMode, length: u64, signer: Option<ChunkSigner>, wire: &[u8]) -> Option<S3Code> {
    decode(mode, length, signer, wire, usize::MAX).err().map(|error| error.code())
}

/// Frames `chunks`, signed if there is a signer, with signed trailers if there are some.
fn encode(chunks: &[&[u8]], mut signer: Option<ChunkSigner>, trailers: &[(&str, &str)]) -> Vec<u8> {
    let mut wire = Vec::new();
    for chunk in chunks.iter().copied().chain([&[][..]]) {
        wire.extend_from_slice(format!("{:x}", chunk.len()).as_bytes());
        if let Some(signer) = &mut signer {
            wire.extend_from_slice(b";chunk-signature=");
            wire.extend_from_slice(signer.chunk(&sha256(chunk)).hex().as_bytes());
        }
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(chunk);
        if !chunk.is_empty() {
            wire.extend_from_slice(b"\r\n");
        }
    }
    let lines: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    wire.extend_from_slice(lines.replace('\n', "\r\n").as_bytes());
    if let (Some(signer), false) = (&mut signer, trailers.is_empty()) {
        let signature = signer.trailer(&sha256(lines.as_bytes())).hex();
        wire.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
    }
    wire.extend_from_slice(b"\r\n");
    wire
}

/// The example of "Signature Calculations for the Authorization Header: Transferring Payload in
/// Multiple Chunks": 65 KiB of `a`.
#[test]
fn documented_example() {
    let wire = [
        &b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"[..],
        &[b'a'; 65_536],
        b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
        &[b'a'; 1_024],
        b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
    ]
    .concat();
    assert_eq!(wire.len(), 66_824);
    for piece in [1, 7, 1_000, 65_536, usize::MAX] {
        let (data, trailers) = decode(SIGNED, 66_560, Some(seed()), &wire, piece).unwrap();
        assert_eq!(data, [b'a'; 66_560]);
        assert!(trailers.is_empty());
    }
    assert_eq!(encode(&[&[b'a'; 65_536], &[b'a'; 1_024]], Some(seed()), &[]), wire);
    assert_eq!(code(SIGNED, 66_560, None, &wire), Some(S3Code::AccessDenied));
    assert_eq!(code(SIGNED, 66_560, Some(trailer_seed()), &wire), Some(S3Code::SignatureDoesNotMatch));
}

/// The example of the same page "... with trailing headers".
#[test]
fn documented_example_with_a_trailer() {
    let wire = [
        &b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"[..],
        &[b'a'; 65_536],
        b"\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n",
        &[b'a'; 1_024],
        b"\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n\
          x-amz-checksum-crc32c:sOO8/Q==\r\n\
          x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
    ]
    .concat();
    for piece in [1, 1_000, usize::MAX] {
        let (data, trailers) = decode(SIGNED_TRAILER, 66_560, Some(trailer_seed()), &wire, piece).unwrap();
        assert_eq!(data.len(), 66_560);
        assert_eq!(trailers, [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]);
    }
    let changed = String::from_utf8(wire).unwrap().replace("sOO8/Q", "sOO8/g");
    let refused = code(SIGNED_TRAILER, 66_560, Some(trailer_seed()), changed.as_bytes());
    assert_eq!(refused, Some(S3Code::SignatureDoesNotMatch));
}

#[test]
fn unsigned_forms() {
    let trailer = |value: &str| vec![("x-amz-checksum-crc32".to_owned(), value.to_owned())];
    for (wire, length, data, trailers) in [
        ("0\r\n\r\n", 0, "", vec![]),
        ("3\r\nabc\r\n0\r\n\r\n", 3, "abc", vec![]),
        ("0003\r\nabc\r\n2\r\nde\r\n00\r\n\r\n", 5, "abcde", vec![]),
        ("A;ext=1\r\n0123456789\r\n0\r\n\r\n", 10, "0123456789", vec![]),
        ("3\r\nabc\r\n0\r\nX-Amz-Checksum-CRC32: NSRBwg== \r\n\r\n", 3, "abc", trailer("NSRBwg==")),
        // minio-go ends a trailer with a bare line feed and appends a line end.
        ("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\n\r\n\r\n", 3, "abc", trailer("NSRBwg==")),
    ] {
        for piece in [1, 2, 3, 5, usize::MAX] {
            let (decoded, found) = decode(UNSIGNED, length, None, wire.as_bytes(), piece).unwrap();
            assert_eq!((decoded.as_slice(), &found), (data.as_bytes(), &trailers), "{wire}");
        }
    }
}

#[test]
fn refusals() {
    let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(LINE_MAX));
    let many: String = (0..17).map(|n| format!("t{n}:v\r\n")).collect();
    let many = format!("0\r\n{many}\r\n");
    let (incomplete, size, trailer) =
        (S3Code::IncompleteBody, S3Code::InvalidChunkSizeError, S3Code::MalformedTrailerError);
    for (wire, length, expected) in [
        ("", 0, incomplete),
        ("0\r\n", 0, incomplete),
        ("3\r\nabc\r\n", 3, incomplete),
        ("3\r\nab", 3, incomplete),
        ("3\r\nabc\r\n0\r\n\r\n", 4, incomplete),
        ("3\r\nabc\r\n0\r\n\r\n", 2, incomplete),
        ("ffffffffffffffff\r\nabc", 3, incomplete),
        ("10000000000000000\r\nabc", 3, size),
        ("-1\r\n", 3, size),
        ("+3\r\nabc\r\n0\r\n\r\n", 3, size),
        ("0x3\r\nabc\r\n0\r\n\r\n", 3, size),
        (" 3\r\nabc\r\n0\r\n\r\n", 3, size),
        ("\r\nabc", 3, size),
        ("g\r\n", 3, size),
        ("3\r\nabcd\r\n0\r\n\r\n", 3, S3Code::InvalidRequest),
        ("3\r\nabc\n0\r\n\r\n", 3, S3Code::InvalidRequest),
        ("0\r\n\r\nx", 0, S3Code::InvalidRequest),
        ("0\r\n\r\n\r\n\r\n\r\n", 0, S3Code::InvalidRequest),
        (&long, 3, S3Code::InvalidRequest),
        ("0\r\nno colon\r\n\r\n", 0, trailer),
        ("0\r\n:v\r\n\r\n", 0, trailer),
        ("0\r\na:1\r\nA:2\r\n\r\n", 0, trailer),
        ("0\r\nx-amz-trailer-signature:zz\r\n\r\n", 0, trailer),
        (&many, 0, trailer),
    ] {
        assert_eq!(code(UNSIGNED, length, None, wire.as_bytes()), Some(expected), "{wire:?}");
    }
    assert_eq!(code(PayloadMode::Unsigned, 0, None, b""), Some(S3Code::InvalidRequest));
}

#[test]
fn signed_refusals() {
    let chunks: [&[u8]; 3] = [b"first", b"second", b"third"];
    let good = encode(&chunks, Some(seed()), &[]);
    assert_eq!(code(SIGNED, 16, Some(seed()), &good), None);
    let changed = String::from_utf8(good.clone()).unwrap().replace("second", "sEcond");
    assert_eq!(code(SIGNED, 16, Some(seed()), changed.as_bytes()), Some(S3Code::SignatureDoesNotMatch));
    // The same chunks in another order, each with its own signature.
    let frame = |data: usize| "5;chunk-signature=".len() + 64 + 2 + data + 2;
    let (first, rest) = good.split_at(frame(5));
    let (second, rest) = rest.split_at(frame(6));
    assert!(second.starts_with(b"6;") && rest.starts_with(b"5;"));
    let reordered = [second, first, rest].concat();
    assert_eq!(code(SIGNED, 16, Some(seed()), &reordered), Some(S3Code::SignatureDoesNotMatch));
    let dropped = [first, rest].concat();
    assert_eq!(code(SIGNED, 10, Some(seed()), &dropped), Some(S3Code::SignatureDoesNotMatch));
    let bare = b"5\r\nfirst\r\n0\r\n\r\n";
    assert_eq!(code(SIGNED, 5, Some(seed()), bare), Some(S3Code::InvalidRequest));
    let unsigned_end = String::from_utf8(good.clone()).unwrap();
    let unsigned_end = format!("{}0\r\n\r\n", &unsigned_end[..unsigned_end.rfind("0;").unwrap()]);
    assert_eq!(code(SIGNED, 16, Some(seed()), unsigned_end.as_bytes()), Some(S3Code::InvalidRequest));
    // A trailer where none was agreed, and no signature where one is due.
    let trailing = String::from_utf8(good.clone()).unwrap();
    let trailing = format!("{}a:b\r\n\r\n", &trailing[..trailing.len() - 2]);
    assert_eq!(code(SIGNED, 16, Some(seed()), trailing.as_bytes()), Some(S3Code::MalformedTrailerError));
    assert_eq!(code(SIGNED_TRAILER, 16, Some(seed()), &good), Some(S3Code::SignatureDoesNotMatch));
    assert_eq!(code(SIGNED_TRAILER, 16, Some(seed()), trailing.as_bytes()), Some(S3Code::SignatureDoesNotMatch));
}

/// However a good body is cut short or damaged in one byte, it is refused.
#[test]
fn every_cut_and_every_flip_is_refused() {
    let wire = encode(&[b"first", b"second"], Some(trailer_seed()), &[("x-amz-checksum-crc32", "AAAAAA==")]);
    assert_eq!(code(SIGNED_TRAILER, 11, Some(trailer_seed()), &wire), None);
    for end in 0..wire.len() {
        assert!(code(SIGNED_TRAILER, 11, Some(trailer_seed()), &wire[..end]).is_some(), "cut at {end}");
    }
    for at in 0..wire.len() {
        let mut damaged = wire.clone();
        damaged[at] ^= 1;
        assert!(code(SIGNED_TRAILER, 11, Some(trailer_seed()), &damaged).is_some(), "flip at {at}");
    }
}

proptest! {
    #[test]
    fn round_trip(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6),
                  piece in 1_usize..400, signed in any::<bool>()) {
        let borrowed: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let whole = chunks.concat();
        let mode = if signed { SIGNED } else { UNSIGNED };
        let signer = signed.then(seed);
        let wire = encode(&borrowed, signer.clone(), &[]);
        let (data, _) = decode(mode, whole.len() as u64, signer, &wire, piece).unwrap();
        prop_assert_eq!(data, whole);
    }

    #[test]
    fn junk_never_panics(wire in "[0-9a-f;:\r\n x-]{0,200}", length in 0_u64..100, piece in 1_usize..20, signed in any::<bool>()) {
        let mode = if signed { SIGNED_TRAILER } else { UNSIGNED };
        let _ = decode(mode, length, signed.then(seed), wire.as_bytes(), piece);
    }
}
