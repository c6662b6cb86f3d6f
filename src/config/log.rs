//! `[log]`: how much is logged, and for whom.

use super::document::Document;
use crate::telemetry::log::LogFormat;

/// The log of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub format: LogFormat,
    /// Levels by module: `info,bluebucket::mover=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Human, filter: "info".to_owned() }
    }
}

impl LogConfig {
    pub(super) fn read(document: &Document<'_>) -> Self {
        let section = document.section("log");
        let default = Self::default();
        let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
        let log = Self {
            format: section.word("format", &formats).unwrap_or(default.format),
            filter: section.get("filter").unwrap_or(default.filter),
        };
        if let Err(error) = crate::telemetry::log::check_filter(&log.filter) {
            section.mistake("filter", error.to_string());
        }
        section.finish();
        log
    }
}
