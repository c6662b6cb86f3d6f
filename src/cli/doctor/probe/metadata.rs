//! Metadata: how much, and under which names.

use super::notebook::Notebook;
use super::question::{Expected, Question, Seen};
use super::scratch::Scratch;

const LARGEST: Question = Question {
    id: "metadata-8-kib",
    asks: "Metadata whose names and values make 8192 bytes:",
    expected: Expected::Status(201),
    matters: "the encoding of tags, checksums and user metadata is sized to fill 8 KiB",
};
const TOO_LARGE: Question = Question {
    id: "metadata-over-8-kib",
    asks: "One byte more:",
    expected: Expected::Status(400),
    matters: "the facade refuses by itself what would not fit; a higher limit would let it take more",
};
const HYPHEN: Question = Question {
    id: "metadata-hyphen",
    asks: "A metadata name with a hyphen:",
    expected: Expected::Answer(400, "InvalidMetadata"),
    matters: "such names of S3 clients are kept encoded, which native readers do not see through",
};
const EMPTY: Question = Question {
    id: "metadata-empty-value",
    asks: "A metadata value without characters:",
    expected: Expected::Status(201),
    matters: "an empty value of an S3 client is written plainly; if it is refused, it has to be encoded",
};
const KEYWORD: Question = Question {
    id: "metadata-keyword",
    asks: "A keyword of C# (class) as a metadata name:",
    expected: Expected::Status(201),
    matters: "names that are identifiers are written plainly; if keywords are refused, they have to be encoded",
};

const BYTES_MAX: usize = 8192;

pub async fn ask(scratch: &Scratch, notebook: &mut Notebook) {
    let (fits, over) = ("v".repeat(BYTES_MAX - 1), "v".repeat(BYTES_MAX));
    for (question, name, value) in [
        (&LARGEST, "x-ms-meta-a", fits.as_str()),
        (&TOO_LARGE, "x-ms-meta-a", &over),
        (&HYPHEN, "x-ms-meta-a-b", "1"),
        (&EMPTY, "x-ms-meta-a", ""),
        (&KEYWORD, "x-ms-meta-class", "1"),
    ] {
        notebook.note(question, scratch.put("m/k", &[(name, value)], "x").await.map(Seen::from));
    }
}
