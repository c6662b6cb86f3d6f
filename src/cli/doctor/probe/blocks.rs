//! Staged blocks: who discards them, and what a commit takes.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::Scratch;
use crate::object::Result;

/// Ids of one length, as all of ours are.
const FIRST: &[u8] = b"block-0001";
const SECOND: &[u8] = b"block-0002";

const PUT_DISCARDS: Question = Question {
    id: "put-discards-blocks",
    asks: "A commit of blocks that were staged before a Put Blob:",
    expected: Expected::Answer(400, "InvalidBlockList"),
    matters: "multipart stages again when a put came in between; if the blocks survive, that is only never needed",
};
const DELETE_DISCARDS: Question = Question {
    id: "delete-discards-blocks",
    asks: "A commit of blocks that were staged before a Delete Blob:",
    expected: Expected::Answer(400, "InvalidBlockList"),
    matters: "a Complete after a delete stages again; if the blocks survive, the commit of a crashed Complete may still land",
};
const ID_LENGTH: Question = Question {
    id: "block-id-length",
    asks: "A block id of another length than those already staged:",
    expected: Expected::Answer(400, "InvalidBlobOrBlock"),
    matters: "all our block ids have one length; another tool's staged blocks on a key stand in our way until they go",
};
const COMMIT_CONSUMES: Question = Question {
    id: "commit-consumes-blocks",
    asks: "The same commit of <Uncommitted> ids a second time:",
    expected: Expected::Answer(400, "InvalidBlockList"),
    matters: "multipart sends a commit of unknown outcome again and relies on it to land at most once",
};
const CONDITIONS_FIRST: Question = Question {
    id: "commit-conditions-first",
    asks: "A commit of unknown blocks under a condition that does not hold:",
    expected: Expected::Answer(412, "ConditionNotMet"),
    matters: "after a lost answer multipart tells a newer write (412) from blocks that are gone (400)",
};
const EMPTY_LIST: Question = Question {
    id: "commit-empty-list",
    asks: "A commit of no blocks:",
    expected: Expected::Status(201),
    matters: "an upload of empty parts is completed as an empty block list",
};
const EMPTY_BLOCK: Question = Question {
    id: "empty-block",
    asks: "A block without bytes:",
    expected: Expected::Answer(400, "InvalidHeaderValue"),
    matters: "empty parts count in the ETag and are left out of the block list",
};
const STAGED_INVISIBLE: Question = Question {
    id: "staged-only-invisible",
    asks: "HEAD of a name that has staged blocks only:",
    expected: Expected::Answer(404, "BlobNotFound"),
    matters: "a key must not show before its Complete",
};

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    notebook.note(&PUT_DISCARDS, after_put(scratch).await);
    notebook.note(&DELETE_DISCARDS, after_delete(scratch).await);
    notebook.note(&ID_LENGTH, other_length(scratch).await);
    notebook.note(&COMMIT_CONSUMES, second_commit(scratch).await);
    notebook.note(&CONDITIONS_FIRST, conditions_first(scratch).await);
    notebook.note(&EMPTY_LIST, scratch.commit("b/none", &[], &[]).await.map(Seen::from));
    notebook.note(&EMPTY_BLOCK, scratch.stage("b/empty", FIRST, "").await.map(Seen::from));
    notebook.note(&STAGED_INVISIBLE, staged_only(scratch).await);
}

async fn after_put(scratch: &Scratch) -> Result<Seen> {
    scratch.must_stage("b/put", FIRST).await?;
    scratch.must_put("b/put", "put in between").await?;
    Ok(scratch.commit("b/put", &[FIRST], &[]).await?.into())
}

async fn after_delete(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("b/delete", "before").await?;
    scratch.must_stage("b/delete", FIRST).await?;
    scratch.must_delete("b/delete").await?;
    Ok(scratch.commit("b/delete", &[FIRST], &[]).await?.into())
}

async fn other_length(scratch: &Scratch) -> Result<Seen> {
    scratch.must_stage("b/length", FIRST).await?;
    Ok(scratch.stage("b/length", b"short", "x").await?.into())
}

async fn second_commit(scratch: &Scratch) -> Result<Seen> {
    scratch.must_stage("b/twice", FIRST).await?;
    scratch.must_stage("b/twice", SECOND).await?;
    super::scratch::must(scratch.commit("b/twice", &[FIRST, SECOND], &[]).await?)?;
    Ok(scratch.commit("b/twice", &[FIRST, SECOND], &[]).await?.into())
}

async fn conditions_first(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("b/condition", "there").await?;
    let other = [("if-match", "\"0x8D0000000000001\"")];
    Ok(scratch.commit("b/condition", &[FIRST], &other).await?.into())
}

async fn staged_only(scratch: &Scratch) -> Result<Seen> {
    scratch.must_stage("b/staged", FIRST).await?;
    Ok(scratch.send(Method::HEAD, "b/staged", "", &[], "").await?.into())
}
