//! Secrets and where they come from: a file of their own, or a variable.

use std::path::PathBuf;
use std::{fmt, io};

use super::Secrets;
use super::document::Document;
use super::mistake::Place;
use crate::telemetry::Secret;

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    File(PathBuf),
    /// The name of a variable.
    Environment(String),
}

/// A secret, with its origin so that it can be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue {
    pub origin: SecretOrigin,
    /// Empty if secrets were ignored.
    pub value: Secret,
}

impl SecretValue {
    /// Reads a secret; notes a mistake and answers nothing if it is missing. White space around it
    /// (the line end that editors and `echo` leave) is no part of it.
    pub(super) fn read(document: &Document<'_>, origin: SecretOrigin) -> Option<Self> {
        if let SecretOrigin::Environment(name) = &origin {
            document.knows_variable(name);
        }
        if document.secrets == Secrets::Ignored {
            return Some(Self { origin, value: Secret::transient("") });
        }
        match origin.read(document) {
            Ok(text) if text.trim().is_empty() => {
                document.mistake(origin.place(), "holds no secret");
                None
            }
            Ok(text) => Some(Self { value: Secret::new(text.trim()), origin }),
            Err(reason) => {
                document.mistake(origin.place(), reason);
                None
            }
        }
    }

    /// Reads a secret that may be missing.
    pub(super) fn read_optional(document: &Document<'_>, origin: SecretOrigin) -> Option<Self> {
        if let SecretOrigin::Environment(name) = &origin {
            document.knows_variable(name);
        }
        origin.read(document).ok().filter(|text| !text.trim().is_empty())?;
        Self::read(document, origin)
    }

    /// The file that the secret stands in.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.origin {
            SecretOrigin::File(path) => Some(path.clone()),
            SecretOrigin::Environment(_) => None,
        }
    }
}

impl SecretOrigin {
    /// What stands there without the white space around it; nothing if that is nothing.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub(super) fn look(&self, document: &Document<'_>) -> Result<Option<String>, String> {
        let text = match self {
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(format!("cannot be read: {error}")),
            },
            Self::Environment(name) => document.environment.get(name).map(str::to_owned),
        };
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    pub(super) fn place(&self) -> Place {
        match self {
            Self::File(path) => Place::Path(path.display().to_string()),
            Self::Environment(name) => Place::Environment(name.clone()),
        }
    }

    fn read(&self, document: &Document<'_>) -> Result<String, String> {
        match self {
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}")),
            Self::Environment(name) => {
                document.environment.get(name).map(str::to_owned).ok_or_else(|| "is not set".into())
            }
        }
    }
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}
