//! A list of keys to work on: an earlier report, S3 Inventory's CSV, or a key per line.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::object::{Error, ErrorKind, Result, text};

/// A key of a manifest, and its bucket if the line names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub bucket: Option<String>,
    pub key: String,
}

/// Reads a manifest line by line.
pub struct Manifest {
    path: PathBuf,
    lines: std::io::Lines<std::io::BufReader<std::fs::File>>,
    number: u64,
}

impl Manifest {
    /// # Errors
    /// `Invalid` if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("the manifest {} cannot be read: {error}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), lines: std::io::BufReader::new(file).lines(), number: 0 })
    }

    /// The next key; `None` at the end.
    ///
    /// # Errors
    /// `Invalid` with the line's number if it cannot be understood.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            let Some(line) = self.lines.next() else { return Ok(None) };
            self.number += 1;
            let line = line.map_err(|error| self.mistake(&error.to_string()))?;
            match parse(&line) {
                Ok(None) => {}
                Ok(entry) => return Ok(entry),
                Err(reason) => return Err(self.mistake(reason)),
            }
        }
    }

    fn mistake(&self, reason: &str) -> Error {
        let (path, number) = (self.path.display(), self.number);
        Error::new(ErrorKind::Invalid, format!("line {number} of the manifest {path}: {reason}"))
    }
}

/// A line beginning with `{` is JSON as the report writes it; one beginning with `"` is CSV of bucket
/// and URL-encoded key as S3 Inventory writes it; any other is a key.
fn parse(line: &str) -> Result<Option<Entry>, &'static str> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.as_bytes().first() {
        None => Ok(None),
        Some(b'{') => {
            #[derive(serde::Deserialize)]
            struct Json {
                bucket: Option<String>,
                key: String,
            }
            let Json { bucket, key } = serde_json::from_str(line).map_err(|_| "no JSON object with a key")?;
            Ok(Some(Entry { bucket, key }))
        }
        Some(b'"') => {
            let mut fields = csv(line);
            let (Some(bucket), Some(key)) = (fields.next(), fields.next()) else {
                return Err("no CSV of bucket and key");
            };
            let key = text::percent_decode(&key.replace('+', " ")).ok_or("the key is not URL-encoded")?;
            Ok(Some(Entry { bucket: Some(bucket), key }))
        }
        Some(_) => Ok(Some(Entry { bucket: None, key: line.to_owned() })),
    }
}

/// The fields of a line in which all are quoted and a quote is doubled.
fn csv(line: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let mut inner = rest.take()?.strip_prefix('"')?;
        let mut field = String::new();
        loop {
            let (head, tail) = inner.split_once('"')?;
            field.push_str(head);
            match tail.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    inner = more;
                }
                None => {
                    rest = tail.strip_prefix(',');
                    return Some(field);
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let entry = |bucket: Option<&str>, key: &str| {
            Ok(Some(Entry { bucket: bucket.map(str::to_owned), key: key.to_owned() }))
        };
        for (line, expected) in [
            ("", Ok(None)),
            ("a b+c%2F", entry(None, "a b+c%2F")),
            (r#"{"bucket":"b","key":"k\n","outcome":"failed","size":1,"etag":"e"}"#, entry(Some("b"), "k\n")),
            (r#"{"key":"k"}"#, entry(None, "k")),
            (r#""b","a+b%2Bc/%C3%A9","12","etag""#, entry(Some("b"), "a b+c/é")),
            (r#""b","x""y""#, entry(Some("b"), "x\"y")),
            ("{", Err("no JSON object with a key")),
            ("\"b\"", Err("no CSV of bucket and key")),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
