//! Blobs that somebody else has leased.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::{Scratch, must};

const BUSY: &str = "the facade answers 409 OperationAborted, which clients try again, and breaks no lease";

const PUT: Question = Question {
    id: "leased-put",
    asks: "Put Blob over a leased blob:",
    expected: Expected::Answer(412, "LeaseIdMissing"),
    matters: BUSY,
};
const PUT_ABSENT: Question = Question {
    id: "leased-put-none-match",
    asks: "Put Blob with If-None-Match: * over a leased blob:",
    expected: Expected::Answer(412, "LeaseIdMissing"),
    matters: "the lease is judged before the condition: such a write is tried again and not called lost",
};
const STAGE: Question = Question {
    id: "leased-block",
    asks: "Put Block on a leased blob:",
    expected: Expected::Answer(412, "LeaseIdMissing"),
    matters: BUSY,
};
const DELETE: Question = Question {
    id: "leased-delete",
    asks: "Delete Blob of a leased blob:",
    expected: Expected::Answer(412, "LeaseIdMissing"),
    matters: BUSY,
};

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    if let Err(error) = lease(scratch).await {
        return notebook.note(&PUT, Err(error));
    }
    let absent = [("if-none-match", "*")];
    notebook.note(&PUT, scratch.put("l/k", &[], "again").await.map(Seen::from));
    notebook.note(&PUT_ABSENT, scratch.put("l/k", &absent, "again").await.map(Seen::from));
    notebook.note(&STAGE, scratch.stage("l/k", b"block-0001", "x").await.map(Seen::from));
    notebook.note(&DELETE, scratch.send(Method::DELETE, "l/k", "", &[], "").await.map(Seen::from));
}

async fn lease(scratch: &Scratch) -> crate::object::Result<()> {
    scratch.must_put("l/k", "leased").await?;
    let headers = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "15")];
    must(scratch.send(Method::PUT, "l/k", "?comp=lease", &headers, "").await?).map(drop)
}
