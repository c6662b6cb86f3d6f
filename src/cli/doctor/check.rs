//! One thing that was looked at, and how it is.

use serde::Serialize;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// It works, and somebody should know about it.
    Warning,
    /// It does not work.
    Problem,
}

/// A result with its name, such as `container/flink/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: String,
    pub result: Level,
    /// What was found, in words.
    pub found: String,
    /// What to do about it, as one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Ok, found: found.into(), remedy: None }
    }

    pub fn warning(name: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Warning, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub fn problem(name: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Problem, found: found.into(), remedy: Some(remedy.into()) }
    }
}
