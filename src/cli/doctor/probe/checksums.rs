//! Checksums: which order of bytes, who computes them, who keeps them.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::{Scratch, must};
use crate::object::Result;
use crate::object::checksum::{crc64, md5};
use crate::object::text::base64;

const CONTENT: &str = "123456789";
const FORWARDED: &str = "the CRC64NVME of an S3 client is handed on to Azure with its bytes reversed";

const LITTLE_ENDIAN: Question = Question {
    id: "crc64-reversed",
    asks: "Put Blob with the CRC64NVME of the bytes, reversed to little-endian:",
    expected: Expected::Status(201),
    matters: FORWARDED,
};
const BIG_ENDIAN: Question = Question {
    id: "crc64-as-s3",
    asks: "Put Blob with the CRC64NVME of the bytes as S3 writes it:",
    expected: Expected::Answer(400, "Crc64Mismatch"),
    matters: FORWARDED,
};
const WRONG_MD5: Question = Question {
    id: "md5-verified",
    asks: "Put Blob with a wrong Content-MD5:",
    expected: Expected::Answer(400, "Md5Mismatch"),
    matters: "the mover proves small objects by the MD5 that the service verifies",
};
const PUT_MD5: Question = Question {
    id: "put-returns-md5",
    asks: "Content-MD5 in the answer of Put Blob:",
    expected: Expected::Words("the MD5 of the bytes"),
    matters: "the ETag of a put through the facade is this MD5; without it, it is a synthetic one",
};
const BLOCK_CRC: Question = Question {
    id: "block-returns-crc64",
    asks: "x-ms-content-crc64 in the answer of Put Block:",
    expected: Expected::Words("the CRC64 of the bytes"),
    matters: "every staged block is compared with what was sent",
};
const METADATA_KEEPS: Question = Question {
    id: "metadata-keeps-md5",
    asks: "Content-MD5 of a blob after Set Blob Metadata:",
    expected: Expected::Words("the MD5 of the bytes"),
    matters: "tags and metadata can be changed without a change of the S3 ETag",
};

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    let crc = crc64(CONTENT.as_bytes());
    notebook.note(&LITTLE_ENDIAN, with_crc(scratch, crc.to_le_bytes()).await);
    notebook.note(&BIG_ENDIAN, with_crc(scratch, crc.to_be_bytes()).await);
    let wrong = base64(&md5(b"other bytes"));
    notebook.note(&WRONG_MD5, scratch.put("h/md5", &[("content-md5", &wrong)], CONTENT).await.map(Seen::from));
    notebook.note(&PUT_MD5, put_md5(scratch).await);
    notebook.note(&BLOCK_CRC, block_crc(scratch).await);
    notebook.note(&METADATA_KEEPS, metadata_keeps(scratch).await);
}

async fn with_crc(scratch: &Scratch, bytes: [u8; 8]) -> Result<Seen> {
    Ok(scratch.put("h/crc", &[("x-ms-content-crc64", &base64(&bytes))], CONTENT).await?.into())
}

async fn put_md5(scratch: &Scratch) -> Result<Seen> {
    Ok(compared(scratch.must_put("h/put", CONTENT).await?.header("content-md5"), &md5(CONTENT.as_bytes())))
}

async fn block_crc(scratch: &Scratch) -> Result<Seen> {
    let answer = must(scratch.stage("h/block", b"block-0001", CONTENT).await?)?;
    Ok(compared(answer.header("x-ms-content-crc64"), &crc64(CONTENT.as_bytes()).to_le_bytes()))
}

async fn metadata_keeps(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("h/keep", CONTENT).await?;
    must(scratch.send(Method::PUT, "h/keep", "?comp=metadata", &[("x-ms-meta-a", "b")], "").await?)?;
    let answer = must(scratch.send(Method::HEAD, "h/keep", "", &[], "").await?)?;
    Ok(compared(answer.header("content-md5"), &md5(CONTENT.as_bytes())))
}

fn compared(told: Option<&str>, expected: &[u8]) -> Seen {
    match told {
        None => Seen::words("none", false),
        Some(told) if told == base64(expected) => Seen::words("that of the bytes", true),
        Some(_) => Seen::words("another one", false),
    }
}
