use futures::StreamExt;

use super::*;
use crate::object::checksum::{md5, sha256};
use crate::object::{Algorithm, ByteStream, ErrorKind};

fn declared(mode: PayloadMode, length: usize) -> BodyDeclaration {
    BodyDeclaration { mode, length: length as u64, content_md5: None, checksum: None, trailers: Vec::new() }
}

fn checksum(algorithm: Algorithm, data: &[u8]) -> Checksum {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(data);
    hasher.finish()
}

fn run(declared: &BodyDeclaration, wire: &[u8], piece: usize) -> Result<(Vec<u8>, VerifiedBody)> {
    let mut verifier = BodyVerifier::new(declared, None)?;
    let mut data = Vec::new();
    for piece in wire.chunks(piece).chain([&[][..]]) {
        verifier.push(Bytes::copy_from_slice(piece), &mut |bytes| data.extend_from_slice(&bytes))?;
        let seen = verifier.digests.length as usize;
        let held = seen - data.len();
        let is_whole = seen > 0 && seen as u64 == declared.length;
        assert!(if is_whole { (1..=HELD_BACK_MAX).contains(&held) } else { held == 0 }, "holds back the end alone");
    }
    let (last, verified) = verifier.finish()?;
    data.extend_from_slice(&last.unwrap_or_default());
    Ok((data, verified))
}

fn code(declared: &BodyDeclaration, wire: &[u8]) -> Option<S3Code> {
    run(declared, wire, usize::MAX).err().map(|error| error.code())
}

#[test]
fn everything_that_was_declared_has_to_agree() {
    let body = b"the quick brown fox".repeat(10_000);
    let good = BodyDeclaration {
        content_md5: Some(md5(&body)),
        checksum: Some(DeclaredChecksum::Header(checksum(Algorithm::Crc32c, &body))),
        ..declared(PayloadMode::Signed(sha256(&body)), body.len())
    };
    for piece in [1_000, 65_536, 100_000, usize::MAX] {
        let (data, verified) = run(&good, &body, piece).unwrap();
        assert_eq!(data, body);
        assert_eq!(verified.checksum, Some(checksum(Algorithm::Crc32c, &body)));
        assert_eq!((verified.md5, verified.sha256), (Some(md5(&body)), Some(sha256(&body))));
        assert_eq!(verified.length, body.len() as u64);
    }
    let other = |change: &dyn Fn(&mut BodyDeclaration)| {
        let mut declared = good.clone();
        change(&mut declared);
        code(&declared, &body)
    };
    assert_eq!(other(&|d| d.length += 1), Some(S3Code::IncompleteBody));
    assert_eq!(other(&|d| d.length -= 1), Some(S3Code::IncompleteBody));
    assert_eq!(other(&|d| d.mode = PayloadMode::Signed([0; 32])), Some(S3Code::XAmzContentSHA256Mismatch));
    assert_eq!(other(&|d| d.content_md5 = Some([0; 16])), Some(S3Code::BadDigest));
    let wrong = DeclaredChecksum::Header(checksum(Algorithm::Crc32c, b"other"));
    assert_eq!(other(&|d| d.checksum = Some(wrong.clone())), Some(S3Code::BadDigest));
    assert_eq!(other(&|d| d.mode = PayloadMode::StreamingSigned { trailer: false }), Some(S3Code::AccessDenied));
}

#[test]
fn trailers_have_to_be_the_announced_ones() {
    let name = "x-amz-checksum-crc64nvme";
    let value = checksum(Algorithm::Crc64Nvme, b"abc").text();
    let announced = BodyDeclaration {
        checksum: Some(DeclaredChecksum::Trailer(Algorithm::Crc64Nvme)),
        trailers: vec![name.to_owned()],
        ..declared(PayloadMode::StreamingUnsigned, 3)
    };
    let wire = |lines: &str| format!("3\r\nabc\r\n0\r\n{lines}\r\n").into_bytes();
    let (data, verified) = run(&announced, &wire(&format!("{name}:{value}\r\n")), 4).unwrap();
    assert_eq!(data, b"abc");
    assert_eq!(verified.checksum.map(|checksum| checksum.text()), Some(value.clone()));
    for (lines, expected) in [
        (String::new(), S3Code::MalformedTrailerError),
        (format!("x-amz-checksum-crc32:{value}\r\n"), S3Code::MalformedTrailerError),
        (format!("{name}:{value}\r\nother:1\r\n"), S3Code::MalformedTrailerError),
        (format!("{name}:AAAAAAAAAAA=\r\n"), S3Code::BadDigest),
        (format!("{name}:AAAA\r\n"), S3Code::InvalidRequest),
        (format!("{name}:\r\n"), S3Code::InvalidRequest),
    ] {
        assert_eq!(code(&announced, &wire(&lines)), Some(expected), "{lines}");
    }
}

fn body(frames: &[&[u8]]) -> ByteStream {
    let frames: Vec<_> = frames.iter().map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
    Box::pin(futures::stream::iter(frames))
}

#[tokio::test]
async fn a_stream_ends_well_or_in_the_precise_error() {
    let good = BodyDeclaration { content_md5: Some(md5(b"abcdef")), ..declared(PayloadMode::Unsigned, 6) };
    let verifier = BodyVerifier::new(&good, None).unwrap();
    let (stream, outcome) = verified_stream(body(&[b"abc", b"def"]), verifier);
    assert!(outcome.verified().is_none());
    assert_eq!(crate::object::body::collect(stream, 10).await.unwrap(), "abcdef");
    assert_eq!(outcome.verified().unwrap().md5, Some(md5(b"abcdef")));

    let verifier = BodyVerifier::new(&good, None).unwrap();
    let (mut stream, outcome) = verified_stream(body(&[b"abc", b"deX"]), verifier);
    assert_eq!(stream.next().await.unwrap().unwrap(), "abc");
    assert_eq!(stream.next().await.unwrap().unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    assert!(stream.next().await.is_none());
    assert_eq!(outcome.refusal().map(S3Error::code), Some(S3Code::BadDigest));
    assert!(outcome.verified().is_none());
}

#[tokio::test]
async fn an_empty_object_is_verified_before_it_is_written() {
    let empty = BodyDeclaration { content_md5: Some(md5(b"")), ..declared(PayloadMode::Unsigned, 0) };
    let verifier = BodyVerifier::new(&empty, None).unwrap();
    let (payload, outcome) = verified_payload(body(&[]), verifier).await.unwrap();
    assert!(payload.replayable().is_some() && outcome.verified().is_some());
    let wrong = BodyDeclaration { content_md5: Some([0; 16]), ..empty };
    let verifier = BodyVerifier::new(&wrong, None).unwrap();
    assert_eq!(verified_payload(body(&[]), verifier).await.unwrap_err().kind(), ErrorKind::ChecksumMismatch);
}
