//! Listings: their order, and where they can begin.

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::Scratch;
use crate::blob::list::ListBlobs;
use crate::object::Result;

const ORDER: Question = Question {
    id: "list-order",
    asks: "The order of U+FF21 and U+1F600:",
    expected: Expected::Words("U+1F600 first (UTF-16)"),
    matters: "the facade puts listings into the order of S3, and the mover merges by it",
};
const INCLUSIVE: Question = Question {
    id: "start-from",
    asks: "startFrom without a delimiter:",
    expected: Expected::Words("from the name on, the name included"),
    matters: "start-after of S3 and the slices of a backfill; if it is ignored, listings take longer and stay right",
};
const DELIMITED: Question = Question {
    id: "start-from-delimiter",
    asks: "startFrom with a delimiter:",
    expected: Expected::Words("from the name on, the name included"),
    matters: "start-after with a delimiter; if it is ignored, listings take longer and stay right",
};
const FOLDER: Question = Question {
    id: "start-from-folder",
    asks: "startFrom with a delimiter, at the name of a folder:",
    expected: Expected::Words("from the folder on, the folder included"),
    matters: "a listing goes on after a page that ended in a folder",
};

const WIDE: &str = "o/\u{FF21}";
const SMILE: &str = "o/\u{1F600}";
const NAMES: [&str; 5] = ["s/a", "s/b", "s/c/1", "s/c/2", "s/d"];

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    notebook.note(&ORDER, order(scratch).await);
    for name in NAMES {
        if let Err(error) = scratch.must_put(name, "x").await {
            return notebook.note(&INCLUSIVE, Err(error));
        }
    }
    let folders = Some("/");
    notebook.note(&INCLUSIVE, from(scratch, "s/b", None, &["s/b", "s/c/1", "s/c/2", "s/d"]).await);
    notebook.note(&DELIMITED, from(scratch, "s/b", folders, &["s/b", "s/c/", "s/d"]).await);
    notebook.note(&FOLDER, from(scratch, "s/c/", folders, &["s/c/", "s/d"]).await);
}

async fn order(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put(WIDE, "x").await?;
    scratch.must_put(SMILE, "x").await?;
    let names = scratch.list("o/", ListBlobs::default()).await?;
    Ok(if names == [SMILE, WIDE] {
        Seen::words("U+1F600 first (UTF-16)", true)
    } else if names == [WIDE, SMILE] {
        Seen::words("U+FF21 first (UTF-8)", false)
    } else {
        Seen::words(format!("{names:?}"), false)
    })
}

async fn from(scratch: &Scratch, start: &str, delimiter: Option<&str>, expected: &[&str]) -> Result<Seen> {
    let start = scratch.name(start);
    let query = ListBlobs { start_from: Some(&start), delimiter, ..ListBlobs::default() };
    let mut names = scratch.list("s/", query).await?;
    // Directories of hierarchical accounts are entries of their own.
    names.retain(|name| delimiter.is_some() || name != "s/c");
    // Azurite lists folders before blobs on a page; only what is listed is the question.
    names.sort();
    Ok(if names == expected {
        Seen::words("from there on, inclusive", true)
    } else {
        Seen::words(format!("{names:?}"), false)
    })
}
