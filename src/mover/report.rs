//! One line of JSON for everything that was not copied, and why.
//!
//! A thread of its own writes the file, so that no runtime thread waits for a disk. Before a range
//! record advances, the lines of what it passes are on their way to the file: a killed process loses
//! none that its cursor has passed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::object::{Error, ErrorKind, Result};

/// A line of the report; also one of a manifest.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Line {
    /// As clients call it.
    pub bucket: String,
    pub key: String,
    /// `failed`, `needs_action`, ...; see the outcomes of the mover.
    #[serde(default)]
    pub outcome: String,
    /// Why, in one word that stays the same in every release.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The vendor's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Size at the source in bytes.
    #[serde(default)]
    pub size: u64,
    /// The source's ETag.
    #[serde(default)]
    pub etag: String,
}

/// Writes lines to a file, or nowhere. Clones write to the same one.
#[derive(Clone)]
pub struct Report(Option<Arc<Inner>>);

struct Inner {
    path: PathBuf,
    sender: mpsc::Sender<Message>,
    failure: Arc<Mutex<Option<io::Error>>>,
}

enum Message {
    Line(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

/// Lines that may wait for the disk.
const WAITING_MAX: usize = 4096;

impl Report {
    /// Writes nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Appends to a file, so that a run that goes on keeps what the earlier one said.
    ///
    /// # Errors
    /// `Invalid` if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| failed(path, &error))?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let failure = Arc::new(Mutex::new(None));
        let kept = failure.clone();
        let body = move || {
            if let Err(error) = write(receiver, file) {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        std::thread::Builder::new()
            .name("report".to_owned())
            .spawn(body)
            .map_err(|error| Error::new(ErrorKind::Unexpected, "no thread to be had").with_source(error))?;
        Ok(Self(Some(Arc::new(Inner { path: path.to_owned(), sender, failure }))))
    }

    /// Adds a line.
    ///
    /// # Errors
    /// `Invalid` once the file cannot be written: the run has to end, since it could not account for
    /// what it does.
    pub async fn add(&self, line: &impl Serialize) -> Result<()> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let mut text = serde_json::to_vec(line)
            .map_err(|error| Error::new(ErrorKind::Unexpected, format!("a report line cannot be written: {error}")))?;
        text.push(b'\n');
        inner.sender.send(Message::Line(text)).await.map_err(|_| inner.failure())
    }

    /// Waits until all lines so far have been handed to the operating system.
    ///
    /// # Errors
    /// As [`Report::add`].
    pub async fn flush(&self) -> Result<()> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let (done, flushed) = oneshot::channel();
        inner.sender.send(Message::Flush(done)).await.map_err(|_| inner.failure())?;
        flushed.await.map_err(|_| inner.failure())
    }
}

impl Inner {
    fn failure(&self) -> Error {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(error) => failed(&self.path, error),
            None => failed(&self.path, &io::Error::other("the writer ended")),
        }
    }
}

fn write(mut receiver: mpsc::Receiver<Message>, file: File) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(64 * 1024, file);
    while let Some(message) = receiver.blocking_recv() {
        match message {
            Message::Line(line) => file.write_all(&line)?,
            Message::Flush(done) => {
                file.flush()?;
                // Whoever asked may have ended.
                let _ = done.send(());
            }
        }
    }
    file.flush()
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!(
            "the report {} cannot be written: {error}; make room or name another path with --report, then start again: the run goes on where it ended",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str) -> Line {
        Line {
            bucket: "b".into(),
            key: key.into(),
            outcome: "failed".into(),
            reason: "timeout".into(),
            code: None,
            message: String::new(),
            size: 3,
            etag: "e".into(),
        }
    }

    #[tokio::test]
    async fn lines_are_appended_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.ndjson");
        for key in ["a\n\"", "é"] {
            let report = Report::open(&path).unwrap();
            report.add(&line(key)).await.unwrap();
            report.flush().await.unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                r#"{"bucket":"b","key":"a\n\"","outcome":"failed","reason":"timeout","size":3,"etag":"e"}"#
            )
        );
        let keys: Vec<_> = text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().key).collect();
        assert_eq!(keys, ["a\n\"", "é"]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_full_disk_is_said_with_path_and_remedy() {
        let report = Report::open(Path::new("/dev/full")).unwrap();
        report.add(&line("a")).await.unwrap();
        let error = report.flush().await.unwrap_err().to_string();
        assert!(error.contains("/dev/full") && error.contains("--report"), "{error}");
    }
}
