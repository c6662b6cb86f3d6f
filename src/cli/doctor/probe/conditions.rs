//! Conditional requests: which status says what.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::{Scratch, seen};
use crate::blob::copy::{PutBlobFromUrl, SourceAuth};
use crate::blob::{BlobCondition, SourceCondition};
use crate::object::{Result, StoreTag};

const EXISTS: &str =
    "an S3 If-None-Match: * that loses is answered with 412, and an import calls it a newer client write";
const MISSING: &str = "an S3 If-Match and a refresh of an import count on the refusal";

const PUT_EXISTS: Question = Question {
    id: "put-none-match",
    asks: "Put Blob with If-None-Match: * over a blob:",
    expected: Expected::Answer(409, "BlobAlreadyExists"),
    matters: EXISTS,
};
const COMMIT_EXISTS: Question = Question {
    id: "commit-none-match",
    asks: "Put Block List with If-None-Match: * over a blob:",
    expected: Expected::Answer(409, "BlobAlreadyExists"),
    matters: EXISTS,
};
const COPY_EXISTS: Question = Question {
    id: "copy-none-match",
    asks: "Put Blob From URL with If-None-Match: * over a blob:",
    expected: Expected::Answer(409, "BlobAlreadyExists"),
    matters: EXISTS,
};
const PUT_MISSING: Question = Question {
    id: "put-match-missing",
    asks: "Put Blob with If-Match where there is no blob:",
    expected: Expected::Answer(412, "ConditionNotMet"),
    matters: MISSING,
};
const COMMIT_MISSING: Question = Question {
    id: "commit-match-missing",
    asks: "Put Block List with If-Match where there is no blob:",
    expected: Expected::Answer(412, "ConditionNotMet"),
    matters: MISSING,
};
const COPY_MISSING: Question = Question {
    id: "copy-match-missing",
    asks: "Put Blob From URL with If-Match where there is no blob:",
    expected: Expected::Status(412),
    matters: MISSING,
};
const SOURCE_CHANGED: Question = Question {
    id: "copy-source-match",
    asks: "Put Blob From URL with another ETag of its source:",
    expected: Expected::Answer(412, "SourceConditionNotMet"),
    matters: "a CopyObject with conditions on its source counts on the refusal",
};
const DELETE_OTHER: Question = Question {
    id: "delete-match-other",
    asks: "Delete Blob with another ETag:",
    expected: Expected::Answer(412, "ConditionNotMet"),
    matters: "the mover removes its own copies only, by their ETag",
};
const READ_ANY: Question = Question {
    id: "read-none-match-any",
    asks: "HEAD of a blob with If-None-Match: *:",
    expected: Expected::Status(400),
    matters: "the facade judges the condition itself and never sends it",
};

/// An ETag that no blob has.
const OTHER: &str = "\"0x8D0000000000001\"";

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    let absent = [("if-none-match", "*")];
    let other = [("if-match", OTHER)];
    if let Err(error) = scratch.must_put("c/there", "there").await {
        return notebook.note(&PUT_EXISTS, Err(error));
    }
    notebook.note(&PUT_EXISTS, scratch.put("c/there", &absent, "again").await.map(Seen::from));
    notebook.note(&COMMIT_EXISTS, scratch.commit("c/there", &[], &absent).await.map(Seen::from));
    notebook.note(&COPY_EXISTS, copy(scratch, "c/there", BlobCondition::Absent, SourceCondition::None).await);
    notebook.note(&PUT_MISSING, scratch.put("c/missing", &other, "new").await.map(Seen::from));
    notebook.note(&COMMIT_MISSING, scratch.commit("c/missing", &[], &other).await.map(Seen::from));
    let tag = || StoreTag::parse(OTHER);
    notebook.note(&COPY_MISSING, copy(scratch, "c/missing", BlobCondition::Match(tag()), SourceCondition::None).await);
    notebook.note(&SOURCE_CHANGED, copy(scratch, "c/copy", BlobCondition::None, SourceCondition::Match(tag())).await);
    notebook.note(&DELETE_OTHER, scratch.send(Method::DELETE, "c/there", "", &other, "").await.map(Seen::from));
    notebook.note(&READ_ANY, scratch.send(Method::HEAD, "c/there", "", &absent, "").await.map(Seen::from));
}

/// Copies `c/there`.
async fn copy(scratch: &Scratch, to: &str, condition: BlobCondition, of_source: SourceCondition) -> Result<Seen> {
    let (from, to) = (scratch.name("c/there"), scratch.name(to));
    let source = scratch.blobs.copy_source(scratch.blob(&from), of_source, SourceAuth::Preferred).await?;
    let request = PutBlobFromUrl { condition, ..PutBlobFromUrl::default() };
    seen(scratch.blobs.put_blob_from_url(scratch.blob(&to), &source, &request).await, 201)
}
