//! Certificates and private keys in files.

use std::fmt;
use std::path::PathBuf;

use super::Secrets;
use super::document::Section;
use super::mistake::Place;
use crate::telemetry::Secret;

/// A PEM file and what it held when it was read. A private key may be in it, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    pub path: PathBuf,
    /// Empty if secrets were ignored.
    pub text: Secret,
}

impl Pem {
    /// Reads the file that a key names, if it names one.
    pub(super) fn read(section: &Section<'_>, key: &'static str) -> Option<Self> {
        let path = section.document.resolve(&section.get::<PathBuf>(key)?);
        if section.document.secrets == Secrets::Ignored {
            return Some(Self { path, text: Secret::transient("") });
        }
        let place = Place::Path(path.display().to_string());
        match std::fs::read_to_string(&path) {
            Ok(text) if text.contains("-----BEGIN ") => Some(Self { path, text: Secret::transient(text) }),
            Ok(_) => {
                section.document.mistake(place, "holds no PEM block (-----BEGIN ...)");
                None
            }
            Err(error) => {
                section.document.mistake(place, format!("cannot be read: {error}"));
                None
            }
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({})", self.path.display())
    }
}
