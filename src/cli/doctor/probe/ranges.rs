//! Ranges of reads.

use http::Method;

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::Scratch;
use crate::object::Result;

const SUFFIX: Question = Question {
    id: "suffix-range",
    asks: "The last three bytes of a blob by Range: bytes=-3:",
    expected: Expected::Words("not the last three bytes"),
    matters: "the facade asks for the length first; if the service can do it, that request can be saved",
};
const PAST_END: Question = Question {
    id: "range-past-end",
    asks: "A range that begins at the end of a blob:",
    expected: Expected::Answer(416, "InvalidRange"),
    matters: "S3 clients that read to the end count on 416",
};

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    notebook.note(&SUFFIX, suffix(scratch).await);
    let past = scratch.send(Method::GET, "r/k", "", &[("range", "bytes=10-")], "").await;
    notebook.note(&PAST_END, past.map(Seen::from));
}

async fn suffix(scratch: &Scratch) -> Result<Seen> {
    scratch.must_put("r/k", "0123456789").await?;
    let answer = scratch.send(Method::GET, "r/k", "", &[("range", "bytes=-3")], "").await?;
    let worked = answer.status == 206 && &*answer.body == b"789";
    let code = answer.code.as_deref().unwrap_or_default();
    let text = if worked { "206, the last three bytes".to_owned() } else { format!("{} {code}", answer.status) };
    Ok(Seen::words(text.trim_end(), !worked))
}
