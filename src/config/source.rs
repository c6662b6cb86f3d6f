//! `[source]` or several `[[source]]`: the S3 that data comes from.

use std::path::PathBuf;

use super::Pem;
use super::document::{Document, Section};
use super::secret::{SecretOrigin, SecretValue};
use super::setting::Url;

/// One S3 service with one credential.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// `default` for the only one.
    pub name: String,
    pub endpoint: Url,
    pub region: String,
    pub addressing: Addressing,
    pub credential: SourceCredential,
    /// Roots to trust besides those of the system.
    pub ca_file: Option<Pem>,
}

/// Where the bucket stands in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `https://bucket.endpoint/key`
    VirtualHost,
    /// `https://endpoint/bucket/key`
    Path,
}

/// How requests to the source are signed.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceCredential {
    /// The credential chain of AWS: environment, profile, web identity, container, instance.
    Chain,
    /// Keys from variables or from the files of a mounted directory.
    Keys { access_key_id: SecretValue, secret_access_key: SecretValue, session_token: Option<SecretValue> },
}

#[derive(Clone, Copy)]
enum Kind {
    Chain,
    Static,
    Directory,
}

/// The name of a `[source]` that has none.
pub const DEFAULT_SOURCE: &str = "default";

impl SourceConfig {
    pub(super) fn read_all(document: &Document<'_>) -> Vec<Self> {
        let sections = if document.is_list("source") {
            document.list("source")
        } else {
            let only = document.section("source");
            if !only.exists() {
                return Vec::new();
            }
            vec![only]
        };
        let mut sources: Vec<Self> = Vec::new();
        for section in sections {
            let several = document.is_list("source");
            if several && !section.has("name") {
                section.mistake("name", "is missing: with [[source]] every source has a name");
            }
            let name = section.get::<String>("name").unwrap_or_else(|| DEFAULT_SOURCE.to_owned());
            if sources.iter().any(|earlier| earlier.name == name) {
                section.mistake("name", format!("\"{name}\" is the name of two sources"));
            }
            sources.extend(Self::read(section, name));
        }
        sources
    }

    fn read(section: Section<'_>, name: String) -> Option<Self> {
        let region = section.get::<String>("region").or_else(|| {
            let environment = section.document.environment;
            environment
                .non_empty("AWS_REGION")
                .or_else(|| environment.non_empty("AWS_DEFAULT_REGION"))
                .map(str::to_owned)
        });
        if region.is_none() {
            section.mistake("region", "is missing, and AWS_REGION is not set");
        }
        let own_endpoint = section.get::<Url>("endpoint");
        let default_addressing = if own_endpoint.is_some() { Addressing::Path } else { Addressing::VirtualHost };
        let addressing = section
            .word("addressing", &[("virtual-host", Addressing::VirtualHost), ("path", Addressing::Path)])
            .unwrap_or(default_addressing);
        let credential = SourceCredential::read(&section);
        let ca_file = Pem::read(&section, "ca_file");
        section.finish();
        let region = region?;
        let endpoint = own_endpoint.or_else(|| Url::parse(&format!("https://s3.{region}.amazonaws.com")).ok());
        Some(Self { name, endpoint: endpoint?, region, addressing, credential: credential?, ca_file })
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.ca_file.iter().map(|pem| pem.path.clone()).collect();
        if let SourceCredential::Keys { access_key_id, secret_access_key, session_token } = &self.credential {
            files.extend(access_key_id.file());
            files.extend(secret_access_key.file());
            files.extend(session_token.as_ref().and_then(SecretValue::file));
        }
        files
    }
}

impl SourceCredential {
    fn read(section: &Section<'_>) -> Option<Self> {
        let kinds = [("chain", Kind::Chain), ("static", Kind::Static), ("directory", Kind::Directory)];
        let directory = section.get::<PathBuf>("secrets_dir");
        let document = section.document;
        let given = section.has("credentials");
        match section.word("credentials", &kinds) {
            Some(Kind::Static) => {
                let secret = |variable: &str| SecretOrigin::Environment(variable.to_owned());
                Self::keys(
                    document,
                    [secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY"), secret("AWS_SESSION_TOKEN")],
                )
            }
            Some(Kind::Directory) => {
                let Some(directory) = directory else {
                    section.mistake("secrets_dir", "is missing: credentials = \"directory\" reads its files");
                    return None;
                };
                let directory = document.resolve(&directory);
                let secret = |name: &str| SecretOrigin::File(directory.join(name));
                Self::keys(document, [secret("access-key-id"), secret("secret-access-key"), secret("session-token")])
            }
            Some(Kind::Chain) => Some(Self::Chain),
            None => (!given).then_some(Self::Chain),
        }
    }

    fn keys(document: &Document<'_>, [id, secret, token]: [SecretOrigin; 3]) -> Option<Self> {
        let access_key_id = SecretValue::read(document, id);
        let secret_access_key = SecretValue::read(document, secret);
        let session_token = SecretValue::read_optional(document, token);
        Some(Self::Keys { access_key_id: access_key_id?, secret_access_key: secret_access_key?, session_token })
    }
}
