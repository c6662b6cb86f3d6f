//! One file and the environment become a typed configuration.
//!
//! The file is read as a whole and every mistake in it is reported at once, with file and line.
//! `BLUEBUCKET_<SECTION>_<KEY>` overrides a single value; secrets never stand in the file but in
//! files of their own or in the environment. Nothing else in the product reads the environment,
//! the credential crates aside.

mod admin;
mod azure;
mod bucket;
mod document;
mod environment;
mod facade;
mod log;
mod mistake;
mod mover;
mod pem;
mod reference;
mod secret;
mod setting;
mod show;
mod source;
mod suggest;
mod watch;

use std::path::{Path, PathBuf};

pub use admin::AdminConfig;
pub use azure::{AzureConfig, AzureCredential};
pub use bucket::{BucketConfig, BucketSource, Component};
pub use environment::Environment;
pub use facade::{FacadeConfig, FacadeKey, FacadeLimits, KeyBuckets, KeyRule, StsConfig, TlsConfig, Verb};
pub use log::LogConfig;
pub use mistake::{Mistake, Mistakes, Place};
pub use mover::MoverConfig;
pub use pem::Pem;
pub use secret::{SecretOrigin, SecretValue};
pub use setting::{Bytes, Url};
pub use source::{Addressing, SourceConfig, SourceCredential};
pub use watch::{POLL_INTERVAL, select, watch};

use document::Document;

/// Everything that a process is told from outside, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub azure: AzureConfig,
    /// Where data comes from. Empty once every bucket lives in Azure.
    pub sources: Vec<SourceConfig>,
    pub buckets: Vec<BucketConfig>,
    /// Absent if this process serves no S3 clients.
    pub facade: Option<FacadeConfig>,
    pub mover: MoverConfig,
    pub admin: AdminConfig,
    pub log: LogConfig,
}

/// Whether secrets and certificates have to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Each is read, and a missing one is a mistake.
    Required,
    /// None is read: checks a file away from the place where it will be used.
    Ignored,
}

impl Config {
    /// Reads the configuration from a file, overlaid with the environment.
    ///
    /// # Errors
    /// All [`Mistakes`] of the file, of the environment and of the files that they name.
    pub fn load(path: &Path, environment: &Environment, secrets: Secrets) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path).map_err(|error| Mistakes::unreadable(path, &error))?;
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self::parse(&text, &path.display().to_string(), base, environment, secrets)
    }

    /// Reads the configuration from a text that is called `name` in mistakes. Relative paths in it
    /// begin at `base`.
    ///
    /// # Errors
    /// All [`Mistakes`], as [`load`](Self::load).
    pub fn parse(
        text: &str,
        name: &str,
        base: PathBuf,
        environment: &Environment,
        secrets: Secrets,
    ) -> Result<Self, Mistakes> {
        let document = Document::parse(text, name, base, environment, secrets);
        let config = Self::read(&document);
        document.finish()?;
        config.ok_or_else(Mistakes::incomplete)
    }

    fn read(document: &Document<'_>) -> Option<Self> {
        let azure = AzureConfig::read(document);
        let sources = SourceConfig::read_all(document);
        let state_container = azure.as_ref().map(|azure| &azure.state_container);
        let buckets = BucketConfig::read_all(document, &sources, state_container);
        let facade = FacadeConfig::read(document, &buckets);
        let mover = MoverConfig::read(document);
        let admin = AdminConfig::read(document);
        let log = LogConfig::read(document);
        Some(Self { azure: azure?, sources, buckets, facade, mover, admin, log })
    }

    /// The configuration as a file again, defaults written out and secrets masked.
    pub fn show(&self) -> String {
        show::show(self)
    }

    /// The files other than the configuration itself that it depends on, whether they are there or not.
    /// Those of a source's mounted directory are not among them: its credentials read them again themselves.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = self.azure.files();
        files.extend(self.sources.iter().flat_map(SourceConfig::files));
        files.extend(self.facade.iter().flat_map(FacadeConfig::files));
        files
    }
}

#[cfg(test)]
mod tests;
