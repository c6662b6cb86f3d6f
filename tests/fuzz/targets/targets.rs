//! What is fuzzed: each target reads any bytes as a request, a body, a document, a query or a range, and checks what
//! has to hold of them.

// A program uses one of them.
#![allow(dead_code)]

pub mod aws_chunked;
pub mod message;
pub mod query;
pub mod range;
pub mod sigv4;
pub mod xml;

/// Panics if anything is wrong.
type Check = fn(&[u8]);

/// The targets by name, as their corpora are called.
pub const ALL: [(&str, Check); 5] = [
    ("aws_chunked", aws_chunked::check),
    ("query", query::check),
    ("range", range::check),
    ("sigv4", sigv4::check),
    ("xml", xml::check),
];
