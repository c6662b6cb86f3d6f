//! Copies within the account: allowed how, and how fast.

use std::time::Instant;

use bytes::Bytes;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::{Scratch, must, seen};
use crate::blob::copy::{PutBlobFromUrl, SourceAuth};
use crate::blob::{BlockId, Credential, SourceCondition};
use crate::object::{Error, Result, StoreTag};

const BLOCK: Question = Question {
    id: "copy-block",
    asks: "Put Block From URL within the account:",
    expected: Expected::Status(201),
    matters: "Complete puts parts together by it; where it is refused, the bytes go through this process",
};
const BLOB: Question = Question {
    id: "copy-blob",
    asks: "Put Blob From URL within the account:",
    expected: Expected::Status(201),
    matters: "CopyObject and renames; where it is refused, the bytes go through this process",
};
const BLOCK_SOURCE: Question = Question {
    id: "copy-block-source-match",
    asks: "Put Block From URL with another ETag of its source:",
    expected: Expected::Answer(412, "SourceConditionNotMet"),
    matters: "Complete finds out by it that a part was replaced (InvalidPart)",
};
const BLOCK_SAS: Question = Question {
    id: "copy-block-delegation-sas",
    asks: "Put Block From URL with a user delegation SAS in the place of the token:",
    expected: Expected::Status(201),
    matters: "the way out where the token is refused for the source (it takes generateUserDelegationKey)",
};
const BLOCK_SPEED: Question = Question {
    id: "copy-block-speed",
    asks: "64 MiB by Put Block From URL:",
    expected: Expected::Words("a copy; the speed is for information"),
    matters: "how long a Complete takes: parts are copied in parallel, each at about this speed",
};
const BLOB_SPEED: Question = Question {
    id: "copy-blob-speed",
    asks: "64 MiB by Put Blob From URL:",
    expected: Expected::Words("a copy; the speed is for information"),
    matters: "how long a CopyObject takes",
};
const COPY_DISCARDS: Question = Question {
    id: "copy-discards-blocks",
    asks: "A commit of blocks that were staged before a Put Blob From URL:",
    expected: Expected::Answer(400, "InvalidBlockList"),
    matters: "multipart stages again when a copy came in between; if the blocks survive, that is only never needed",
};

const LARGE_MIB: usize = 64;
const STAGED: &[u8] = b"block-0001";

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    if let Err(error) = sources(scratch).await {
        return notebook.note(&BLOCK, Err(error));
    }
    notebook.note(&BLOCK, block(scratch, "y/small", SourceAuth::Preferred).await);
    let other = SourceCondition::Match(StoreTag::parse("\"0x8D0000000000001\""));
    notebook.note(&BLOCK_SOURCE, block_if(scratch, "y/small", other, SourceAuth::Preferred).await);
    notebook.note(&BLOB, blob(scratch, "y/small", "y/copy").await);
    notebook.note(
        &BLOCK_SAS,
        match scratch.blobs.credential() {
            Credential::Bearer(_) => block(scratch, "y/small", SourceAuth::DelegationSas).await,
            Credential::SharedKey(_) | Credential::Sas(_) => {
                Ok(Seen::NotApplicable("the credential is no Entra identity"))
            }
        },
    );
    notebook.note(&BLOCK_SPEED, timed(block(scratch, "y/large", SourceAuth::Preferred)).await);
    notebook.note(&BLOB_SPEED, timed(blob(scratch, "y/large", "y/large-copy")).await);
    notebook.note(&COPY_DISCARDS, discards(scratch).await);
}

async fn sources(scratch: &Scratch) -> Result<()> {
    scratch.must_put("y/small", "a small source").await?;
    let mut large = vec![0; LARGE_MIB << 20];
    fastrand::fill(&mut large);
    must(scratch.put("y/large", &[], Bytes::from(large)).await?).map(drop)
}

async fn block(scratch: &Scratch, from: &str, auth: SourceAuth) -> Result<Seen> {
    block_if(scratch, from, SourceCondition::None, auth).await
}

async fn block_if(scratch: &Scratch, from: &str, condition: SourceCondition, auth: SourceAuth) -> Result<Seen> {
    let (from, to) = (scratch.name(from), scratch.name("y/blocks"));
    let source = scratch.blobs.copy_source(scratch.blob(&from), condition, auth).await?;
    let id = BlockId([b'b'; crate::blob::block_id::BLOCK_ID_BYTES]);
    seen(scratch.blobs.put_block_from_url(scratch.blob(&to), id, &source, None).await, 201)
}

async fn blob(scratch: &Scratch, from: &str, to: &str) -> Result<Seen> {
    let (from, to) = (scratch.name(from), scratch.name(to));
    let source = scratch.blobs.copy_source(scratch.blob(&from), SourceCondition::None, SourceAuth::Preferred).await?;
    seen(scratch.blobs.put_blob_from_url(scratch.blob(&to), &source, &PutBlobFromUrl::default()).await, 201)
}

async fn timed(copy: impl Future<Output = Result<Seen>>) -> Result<Seen, Error> {
    let began = Instant::now();
    let seen = copy.await?;
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    Ok(match seen {
        Seen::Answer { status: 201, .. } => {
            let text = format!("{seconds:.2} s, {:.0} MiB/s", LARGE_MIB as f64 / seconds);
            Seen::words(text, true)
        }
        other => Seen::words(other.to_string(), false),
    })
}

async fn discards(scratch: &Scratch) -> Result<Seen> {
    scratch.must_stage("y/staged", STAGED).await?;
    match blob(scratch, "y/small", "y/staged").await? {
        Seen::Answer { status: 201, .. } => Ok(scratch.commit("y/staged", &[STAGED], &[]).await?.into()),
        _ => Ok(Seen::NotApplicable("Put Blob From URL is refused")),
    }
}
