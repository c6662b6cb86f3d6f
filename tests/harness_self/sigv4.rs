//! The signer against the examples of the S3 API reference ("Examples: Signature calculations").

use crate::harness::s3_client::{BodyMode, S3Client};
use crate::harness::sigv4::Credentials;

fn client(host: &str) -> S3Client {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    S3Client::tcp(([127, 0, 0, 1], 9).into(), credentials).with_host(host)
}

#[test]
fn get_with_a_range() {
    let request = client("examplebucket.s3.amazonaws.com")
        .request("GET", "/test.txt")
        .header("range", "bytes=0-9")
        .date("20130524T000000Z")
        .build();
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        "{authorization}"
    );
}

#[test]
fn put_in_signed_chunks() {
    let request = client("s3.amazonaws.com")
        .request("PUT", "/examplebucket/chunkObject.txt")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("content-length", "66824")
        .body(&vec![b'a'; 66_560], BodyMode::ChunkedSigned { chunk: 65_536 })
        .date("20130524T000000Z")
        .build();
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.ends_with("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
        "{authorization}"
    );
    assert_eq!(request.body.len(), 66_824);
    let body = String::from_utf8(request.body).unwrap();
    let signatures: Vec<_> = body.split("chunk-signature=").skip(1).map(|rest| &rest[..64]).collect();
    assert_eq!(
        signatures,
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ]
    );
}

#[test]
fn presigned_get() {
    let request = client("examplebucket.s3.amazonaws.com")
        .request("GET", "/test.txt")
        .presigned(86_400)
        .date("20130524T000000Z")
        .build();
    assert!(
        request.target.ends_with("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
        "{}",
        request.target
    );
}
