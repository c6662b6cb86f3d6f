//! Names that are unusual in one way or another: taken, refused, or changed.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::Scratch;
use crate::blob::list::ListBlobs;
use crate::object::Result;

const KEPT: &str = "a key that cannot be held byte for byte is refused by the facade and reported by plan";
const AS_WRITTEN: Expected = Expected::Words("201, listed as written");

const DOUBLE_SLASH: Question = Question {
    id: "name-double-slash",
    asks: "A name with two slashes in a row:",
    expected: AS_WRITTEN,
    matters: KEPT,
};
const DOT_SEGMENTS: Question = Question {
    id: "name-dot-segments",
    asks: "A name with the segments . and ..:",
    expected: AS_WRITTEN,
    matters: KEPT,
};
const TRAILING_DOT: Question =
    Question { id: "name-trailing-dot", asks: "A name that ends with a dot:", expected: AS_WRITTEN, matters: KEPT };
const TRAILING_SLASH: Question = Question {
    id: "name-trailing-slash",
    asks: "A name that ends with a slash:",
    expected: AS_WRITTEN,
    matters: "folder objects of S3 clients are such names",
};
const BACKSLASH: Question = Question {
    id: "name-backslash",
    asks: "A name with a backslash:",
    expected: Expected::Words("not listed as written"),
    matters: "keys with a backslash count as keys that Blob cannot hold; if it is kept, they could be let in",
};
const LONGEST: Question = Question {
    id: "name-1024",
    asks: "A name of 1024 characters:",
    expected: AS_WRITTEN,
    matters: "every S3 key has to fit by its length",
};
const TOO_LONG: Question = Question {
    id: "name-1025",
    asks: "A name of 1025 characters:",
    expected: Expected::Status(400),
    matters: "S3 keys are never as long; tells a lax service from a strict one",
};
const CONTROL: Question = Question {
    id: "name-control",
    asks: "A name with the control character U+0001:",
    expected: Expected::Status(400),
    matters: "keys with control characters count as keys that Blob cannot hold",
};

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    let fill = |characters: usize| format!("n/{}", "x".repeat(characters - scratch.name("n/").len()));
    notebook.note(&DOUBLE_SLASH, kept(scratch, "n/double//slash").await);
    notebook.note(&DOT_SEGMENTS, kept(scratch, "n/./a/../dots").await);
    notebook.note(&TRAILING_DOT, kept(scratch, "n/dot.").await);
    notebook.note(&TRAILING_SLASH, kept(scratch, "n/slash/").await);
    notebook.note(&BACKSLASH, backslash(scratch).await);
    notebook.note(&LONGEST, kept(scratch, &fill(LENGTH_MAX)).await);
    notebook.note(&TOO_LONG, taken(scratch, &fill(LENGTH_MAX + 1)).await);
    notebook.note(&CONTROL, taken(scratch, "n/control\u{1}").await);
}

/// Azure, "Naming and referencing containers, blobs, and metadata".
const LENGTH_MAX: usize = 1024;

/// Whether a blob of this name is taken and listed under it.
async fn kept(scratch: &Scratch, rest: &str) -> Result<Seen> {
    let answer = scratch.put(rest, &[], "x").await?;
    if !answer.is_success() {
        return Ok(answer.into());
    }
    let names = scratch.list("n/", ListBlobs::default()).await?;
    scratch.send(Method::DELETE, rest, "", &[], "").await?;
    let found = names.iter().any(|name| name == rest);
    Ok(if found {
        Seen::words(format!("{}, listed as written", answer.status), true)
    } else {
        Seen::words(format!("{}, listed as {:?}", answer.status, names), false)
    })
}

async fn backslash(scratch: &Scratch) -> Result<Seen> {
    Ok(match kept(scratch, "n/back\\slash").await? {
        Seen::Words { text, as_expected } => Seen::words(text, !as_expected),
        Seen::Answer { status, code } => Seen::words(format!("{status} {}", code.unwrap_or_default()), true),
        other => other,
    })
}

/// Whether a blob of this name is taken. It is deleted at once: some emulators cannot list it.
async fn taken(scratch: &Scratch, rest: &str) -> Result<Seen> {
    let answer = scratch.put(rest, &[], "x").await?;
    if answer.is_success() {
        scratch.send(Method::DELETE, rest, "", &[], "").await?;
    }
    Ok(answer.into())
}
