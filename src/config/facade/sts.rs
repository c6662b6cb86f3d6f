//! `[facade.sts]`: the keys that seal the tokens of temporary credentials.

use std::path::PathBuf;

use crate::config::Secrets;
use crate::config::document::Section;
use crate::config::secret::{SecretOrigin, SecretValue};
use crate::object::text::{unbase64, unhex};

/// A mounted directory with the file `current`, and beside it perhaps `previous`: the key before the last
/// rotation, or the one after the next, since replicas do not read a change at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct StsConfig {
    pub keys_dir: PathBuf,
    /// Seals, and opens.
    pub current: SecretValue,
    /// Opens only.
    pub previous: Option<SecretValue>,
}

impl StsConfig {
    pub(super) fn read(facade: &Section<'_>) -> Option<Self> {
        let section = facade.section("sts");
        if !section.exists() {
            return None;
        }
        let keys_dir = section.required::<PathBuf>("keys_dir").map(|path| section.document.resolve(&path));
        section.finish();
        let keys_dir = keys_dir?;
        let file = |name| SecretOrigin::File(keys_dir.join(name));
        let current = SecretValue::read(facade.document, file("current"));
        let previous = SecretValue::read_optional(facade.document, file("previous"));
        for key in current.iter().chain(&previous) {
            check(facade, key);
        }
        Some(Self { current: current?, previous, keys_dir })
    }

    /// The keys, the current one first. None of them if secrets were ignored.
    pub fn keys(&self) -> Vec<[u8; 32]> {
        std::iter::once(&self.current).chain(&self.previous).filter_map(|key| key_of(key.value.expose())).collect()
    }

    /// Both files, whether they are there or not.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        ["current", "previous"].map(|name| self.keys_dir.join(name)).to_vec()
    }
}

fn check(facade: &Section<'_>, key: &SecretValue) {
    let document = facade.document;
    if document.secrets == Secrets::Required && key_of(key.value.expose()).is_none() {
        document.mistake(
            key.origin.place(),
            "a sealing key must be 32 random bytes in hex or base64, as `openssl rand -hex 32` makes them",
        );
    }
}

/// 64 digits of hex, or base64.
fn key_of(text: &str) -> Option<[u8; 32]> {
    unhex(text).or_else(|| unbase64(text))
}
