//! A body in the aws-chunked framing means the same in one piece and in many, and nothing but what a plain reading of
//! the whole says. The first byte tells the sizes of the pieces, the second the declared length.

use bluebucket::s3::aws_chunked::Decoder;
use bluebucket::s3::error::S3Code;
use bluebucket::s3::payload::PayloadMode;
use bytes::Bytes;

/// The object's bytes and the trailers.
type Body = (Vec<u8>, Vec<(String, String)>);

pub fn check(data: &[u8]) {
    let [pieces, length, wire @ ..] = data else { return };
    let length = u64::from(*length);
    let whole = decode(wire, length, wire.len().max(1));
    assert_eq!(decode(wire, length, usize::from(*pieces % 32) + 1), whole, "pieces are read otherwise");
    match (&whole, plain(wire)) {
        (Ok((body, trailers)), Some((plain_body, plain_trailers))) => {
            assert_eq!((body, trailers), (&plain_body, &plain_trailers));
            assert_eq!(body.len() as u64, length);
        }
        (Ok(_), None) => panic!("accepted what is no chunked body"),
        (Err(_), Some((body, _))) => assert_ne!(body.len() as u64, length, "refused a good body: {whole:?}"),
        (Err(_), None) => {}
    }
    let unsigned = Decoder::new(PayloadMode::StreamingSigned { trailer: true }, length, None);
    assert!(unsigned.is_err(), "signed chunks without a signer");
}

fn decode(wire: &[u8], length: u64, piece: usize) -> Result<Body, S3Code> {
    let mut decoder = Decoder::new(PayloadMode::StreamingUnsigned, length, None).map_err(|error| error.code())?;
    let mut body = Vec::new();
    for piece in wire.chunks(piece) {
        let pushed = decoder.push(Bytes::copy_from_slice(piece), &mut |data| body.extend_from_slice(&data));
        assert!(body.len() as u64 <= length, "more than was declared is handed on");
        pushed.map_err(|error| error.code())?;
    }
    decoder.finish().map(|trailers| (body, trailers)).map_err(|error| error.code())
}

/// The whole body read at once, as S3's reference describes it, with the tolerances that are ours: any extension, a
/// bare line feed in trailers, and four bytes of line ends behind the end.
fn plain(wire: &[u8]) -> Option<Body> {
    let (mut body, mut rest) = (Vec::new(), wire);
    loop {
        let line;
        (line, rest) = line_of(rest)?;
        let line = line.strip_suffix(b"\r")?;
        let digits = line.split(|byte| *byte == b';').next()?;
        if !(1..=16).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let length = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if length == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers: Vec<(String, String)> = Vec::new();
    let mut signed = false;
    loop {
        let line;
        (line, rest) = line_of(rest)?;
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned());
        if signed || trailers.len() == 16 {
            return None;
        }
        if name == "x-amz-trailer-signature" {
            signed = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !signed {
                return None;
            }
        } else if name.is_empty() || trailers.iter().any(|(known, _)| *known == name) {
            return None;
        } else {
            trailers.push((name, value));
        }
    }
    let slack = rest.len() <= 4 && rest.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
    slack.then_some((body, trailers))
}

/// The next line without its line feed, of at most 1 KiB, and what follows it.
fn line_of(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|byte| *byte == b'\n').filter(|end| *end <= 1_024)?;
    Some((&rest[..end], &rest[end + 1..]))
}
