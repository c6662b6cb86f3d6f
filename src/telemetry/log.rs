//! Logs: one line per event on standard error, scrubbed of secrets.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::redact::scrub;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Why logging could not begin.
#[derive(Debug)]
pub enum LogError {
    /// The filter is not of the form `info,bluebucket::mover=debug`.
    Filter(String),
    /// Something else in the process logs already.
    AlreadyBegun,
}

/// Sends the events of this process to standard error from here on.
///
/// # Errors
/// [`LogError`] if the filter makes no sense, or on a second call.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let colours = format == LogFormat::Human && io::stderr().is_terminal();
    let subscriber = subscriber(format, filter, colours, io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadyBegun)
}

/// Says whether a filter is of the form `info,bluebucket::mover=debug`.
///
/// # Errors
/// [`LogError::Filter`] with the reason.
pub fn check_filter(filter: &str) -> Result<(), LogError> {
    parse_filter(filter).map(drop)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder().parse(filter).map_err(|error| LogError::Filter(error.to_string()))
}

fn subscriber<W, M>(
    format: LogFormat,
    filter: &str,
    colours: bool,
    make: M,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: Write + 'static,
    M: Fn() -> W + Send + Sync + 'static,
{
    let builder =
        tracing_subscriber::fmt().with_env_filter(parse_filter(filter)?).with_ansi(colours).with_writer(Scrubbed(make));
    Ok(match format {
        LogFormat::Human => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

/// Puts the filter for secrets in front of a writer.
struct Scrubbed<M>(M);

impl<'a, W: Write, M: Fn() -> W> MakeWriter<'a> for Scrubbed<M> {
    type Writer = ScrubbedEvent<W>;

    fn make_writer(&'a self) -> Self::Writer {
        ScrubbedEvent { line: Vec::new(), to: (self.0)() }
    }
}

/// Gathers one event and writes it in one piece, so that no secret is split between two writes and
/// no line between two threads.
struct ScrubbedEvent<W: Write> {
    line: Vec<u8>,
    to: W,
}

impl<W: Write> Write for ScrubbedEvent<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for ScrubbedEvent<W> {
    fn drop(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        // There is nowhere left to report to when the log itself cannot be written.
        let _ = self.to.write_all(scrub(&line).as_bytes());
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(reason) => write!(f, "the log filter makes no sense: {reason}"),
            Self::AlreadyBegun => f.write_str("logging has begun already"),
        }
    }
}

impl std::error::Error for LogError {}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::telemetry::Secret;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, events: impl FnOnce()) -> String {
        let memory = Memory::default();
        let to = memory.clone();
        let subscriber = subscriber(format, "trace", true, move || to.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, events);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_secret_is_written_in_any_format() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "shown by Debug")]
        struct Request {
            url: &'static str,
            key: Secret,
        }
        let canary = Secret::new("canary-in-log/1+2=");
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = logged(format, || {
                let request = Request { url: "https://h/?sig=canary-sas&x=1", key: canary.clone() };
                let span = tracing::info_span!("call", token = canary.expose());
                let _entered = span.enter();
                tracing::info!(?request, header = "Bearer canary-token", "sent {}", canary.expose());
                tracing::trace!(bytes = ?canary.expose(), "Signature=canary-signature");
            });
            assert!(!text.contains("canary"), "{text}");
            assert!(text.contains("[redacted]") && text.lines().count() == 2, "{text}");
        }
    }

    #[test]
    fn json_lines_stay_json() {
        let text = logged(LogFormat::Json, || {
            tracing::info!(uri = "https://h/?a=1&sig=x%2F", auth = "Bearer a\"b", count = 3, "has \"quotes\"");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["uri"], "https://h/?a=1&sig=[redacted]");
        assert_eq!(line["count"], 3);
    }

    #[test]
    fn a_filter_that_makes_no_sense_is_refused() {
        let made = subscriber(LogFormat::Human, "bluebucket=loud", false, io::sink);
        assert!(matches!(made.err(), Some(LogError::Filter(_))));
    }
}
