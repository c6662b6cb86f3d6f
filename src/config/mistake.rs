//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::Path;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and column count from 1.
    File { name: String, line: usize, column: usize },
    /// The name of a variable.
    Environment(String),
    /// A file that cannot be read at all.
    Path(String),
}

/// One thing that is wrong. Messages never hold the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub place: Place,
    pub message: String,
}

/// Everything that is wrong, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let place = Place::Path(path.display().to_string());
        Self(vec![Mistake { place, message: format!("cannot be read: {error}") }])
    }

    /// For a part that is missing although nothing was said about it.
    pub(super) fn incomplete() -> Self {
        Self(vec![Mistake { place: Place::Path("configuration".into()), message: "is incomplete".into() }])
    }

    /// # Errors
    /// The mistakes, sorted by place, if there are any.
    pub(super) fn check(mut mistakes: Vec<Mistake>) -> Result<(), Self> {
        mistakes.sort();
        mistakes.dedup();
        if mistakes.is_empty() { Ok(()) } else { Err(Self(mistakes)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl fmt::Display for Mistakes {
    /// One mistake per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
