//! What only accounts with a hierarchical namespace can answer.

use bytes::Bytes;
use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::{Scratch, must};
use crate::blob::BlobClient;
use crate::blob::list::ListBlobs;
use crate::daemon::AzureAccess;
use crate::object::Result;

const BLOCK_OVER_FILE: Question = Question {
    id: "hns-block-over-file",
    asks: "Put Block over a file made through the Data Lake endpoint:",
    expected: Expected::Status(409),
    matters: "Complete composes beside such a key and copies, up to 5000 MiB; if blocks are taken, it need not",
};
const PUT_OVER_FILE: Question = Question {
    id: "hns-put-over-file",
    asks: "Put Blob over a file made through the Data Lake endpoint:",
    expected: Expected::Status(201),
    matters: "keys written by abfss clients can be overwritten through the facade",
};
const BELOW_FILE: Question = Question {
    id: "hns-below-file",
    asks: "Put Blob below the name of a file (a, then a/b):",
    expected: Expected::Status(409),
    matters: "plan reports keys that are the folder of another as keys that cannot be moved",
};
const DELETE_FULL: Question = Question {
    id: "hns-delete-full-directory",
    asks: "Delete Blob of a directory that is not empty:",
    expected: Expected::Answer(409, "DirectoryIsNotEmpty"),
    matters: "a delete of a folder object must never take the objects below it along",
};
const ORDER: Question = Question {
    id: "hns-list-order",
    asks: "The order of d/A-B and d/A/x:",
    expected: Expected::Words("d/A/x first"),
    matters: "listings are put into the order of S3 level by level",
};

const QUESTIONS: [&Question; 5] = [&BLOCK_OVER_FILE, &PUT_OVER_FILE, &BELOW_FILE, &DELETE_FULL, &ORDER];

pub async fn ask(azure: &AzureAccess, scratch: &Scratch, notebook: &mut Notebook) {
    if !scratch.hierarchical {
        QUESTIONS.iter().for_each(|question| {
            notebook.note(question, Ok(Seen::NotApplicable("the namespace is flat")));
        });
        return;
    }
    match azure.data_lake_client() {
        Ok(Some(files)) => {
            let made = make_file(scratch, &files).await;
            notebook.note(
                &BLOCK_OVER_FILE,
                match made {
                    Ok(()) => scratch.stage("d/file", b"block-0001", "x").await.map(Seen::from),
                    Err(error) => Err(error),
                },
            );
            notebook.note(&PUT_OVER_FILE, scratch.put("d/file", &[], "x").await.map(Seen::from));
        }
        Ok(None) => {
            let unknown = "the endpoint does not tell where the Data Lake endpoint is";
            notebook.note(&BLOCK_OVER_FILE, Ok(Seen::NotApplicable(unknown)));
            notebook.note(&PUT_OVER_FILE, Ok(Seen::NotApplicable(unknown)));
        }
        Err(error) => notebook.note(&BLOCK_OVER_FILE, Err(error)),
    }
    notebook.note(&BELOW_FILE, below_file(scratch).await);
    notebook.note(&DELETE_FULL, delete_full(scratch).await);
    notebook.note(&ORDER, order(scratch).await);
}

/// Creates, appends and flushes, as abfss clients do.
async fn make_file(scratch: &Scratch, files: &BlobClient) -> Result<()> {
    let content = Bytes::from_static(b"by abfss");
    let send = async |method, query: &str, body| {
        must(files.probe_raw(method, &scratch.target("d/file", query), &[], body).await?).map(drop)
    };
    send(Method::PUT, "?resource=file", Bytes::new()).await?;
    send(Method::PATCH, "?action=append&position=0", content.clone()).await?;
    send(Method::PATCH, &format!("?action=flush&position={}", content.len()), Bytes::new()).await
}

async fn below_file(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("d/name", "x").await?;
    Ok(scratch.put("d/name/below", &[], "x").await?.into())
}

async fn delete_full(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("d/full/x", "x").await?;
    Ok(scratch.send(Method::DELETE, "d/full", "", &[], "").await?.into())
}

async fn order(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("d/A-B", "x").await?;
    scratch.must_put("d/A/x", "x").await?;
    let names = scratch.list("d/A", ListBlobs::default()).await?;
    let at = |wanted: &str| names.iter().position(|name| name == wanted);
    Ok(Seen::words(format!("{names:?}"), at("d/A/x") < at("d/A-B") && at("d/A/x").is_some()))
}
