//! `[source]` or several `[[source]]`: the S3 that data comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use super::document::{Document, Section};
use super::mistake::Place;
use super::reference::Unreadable;
use super::secret::{SecretOrigin, SecretValue};
use super::setting::Url;
use super::{Pem, Secrets};

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
    /// Keys from variables.
    Keys { access_key_id: SecretValue, secret_access_key: SecretValue, session_token: Option<SecretValue> },
    /// A mounted directory that held a pair of keys when it was looked at. Its files are read, and read
    /// again, by the source's credentials.
    Directory(PathBuf),
}

#[derive(Clone, Copy, PartialEq, Eq)]
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
        let own_endpoint = section.get::<Url>("endpoint");
        let default_addressing = if own_endpoint.is_some() { Addressing::Path } else { Addressing::VirtualHost };
        let addressing = section
            .word("addressing", &[("virtual-host", Addressing::VirtualHost), ("path", Addressing::Path)])
            .unwrap_or(default_addressing);
        let credential = SourceCredential::read(&section);
        let region = read_region(&section, credential.as_ref());
        let ca_file = Pem::read(&section, "ca_file");
        section.finish();
        let region = region?;
        let endpoint = own_endpoint.or_else(|| Url::parse(&format!("https://s3.{region}.amazonaws.com")).ok());
        Some(Self { name, endpoint: endpoint?, region, addressing, credential: credential?, ca_file })
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.ca_file.iter().map(|pem| pem.path.clone()).collect()
    }
}

/// The section's, or else what stands beside the keys, or else the environment's.
fn read_region(section: &Section<'_>, credential: Option<&SourceCredential>) -> Option<String> {
    if section.has("region") {
        return section.get("region");
    }
    if let Some(SourceCredential::Directory(directory)) = credential {
        if section.document.secrets == Secrets::Ignored {
            return Some(UNREAD_REGION.to_owned());
        }
        if let Some(region) = in_directory(section, directory, "AWS_REGION").ok()? {
            return Some(region);
        }
    }
    let environment = section.document.environment;
    let region = environment.non_empty("AWS_REGION").or_else(|| environment.non_empty("AWS_DEFAULT_REGION"));
    if region.is_none() {
        section.mistake("region", "is missing, and AWS_REGION is not set");
    }
    region.map(str::to_owned)
}

/// Stands in for a region beside keys that are not read.
const UNREAD_REGION: &str = "us-east-1";

impl SourceCredential {
    fn read(section: &Section<'_>) -> Option<Self> {
        let kinds = [("chain", Kind::Chain), ("static", Kind::Static), ("directory", Kind::Directory)];
        let given = section.has("credentials");
        let kind = section.word("credentials", &kinds).or((!given).then_some(Kind::Chain));
        check_meaning(section, kind);
        match kind? {
            Kind::Chain => Some(Self::Chain),
            Kind::Static => Self::keys(section),
            Kind::Directory => Self::directory(section),
        }
    }

    fn keys(section: &Section<'_>) -> Option<Self> {
        let (document, variables) = (section.document, Variables::read(section)?);
        let access_key_id = SecretValue::read(document, SecretOrigin::Environment(variables.id));
        let secret_access_key = SecretValue::read(document, SecretOrigin::Environment(variables.secret));
        let token = variables.token.map(SecretOrigin::Environment);
        let session_token = token.and_then(|token| SecretValue::read_optional(document, token));
        Some(Self::Keys { access_key_id: access_key_id?, secret_access_key: secret_access_key?, session_token })
    }

    fn directory(section: &Section<'_>) -> Option<Self> {
        let Some(directory) = section.get::<PathBuf>("secrets_dir") else {
            section.mistake("secrets_dir", "is missing: credentials = \"directory\" reads its files");
            return None;
        };
        let directory = section.document.resolve(&directory);
        if section.document.secrets == Secrets::Ignored {
            return Some(Self::Directory(directory));
        }
        if !directory.is_dir() {
            section.mistake("secrets_dir", format!("{} is no directory", directory.display()));
            return None;
        }
        if !holds_keys(section, &directory)? {
            let [first, second, third] = PAIRS;
            section.document.mistake(
                Place::Path(directory.display().to_string()),
                format!("holds no pair of keys: its files may be {first}, or {second}, or {third}"),
            );
            return None;
        }
        Some(Self::Directory(directory))
    }
}

/// The variables that keys are read from.
struct Variables {
    id: String,
    secret: String,
    /// May be unset.
    token: Option<String>,
}

impl Variables {
    /// Those that the section names, or else AWS's, or Scaleway's where AWS's are not set.
    fn read(section: &Section<'_>) -> Option<Self> {
        let named = |key| section.get::<String>(key);
        let token = named("session_token_env");
        match (named("access_key_id_env"), named("secret_access_key_env")) {
            (Some(id), Some(secret)) => return Some(Self { id, secret, token }),
            (None, None) => {}
            (Some(_), None) => {
                section.mistake("secret_access_key_env", "is missing: it belongs to access_key_id_env");
                return None;
            }
            (None, Some(_)) => {
                section.mistake("access_key_id_env", "is missing: it belongs to secret_access_key_env");
                return None;
            }
        }
        let is_set = |name: &str| section.document.environment.non_empty(name).is_some();
        let usual = [(AWS, Some("AWS_SESSION_TOKEN")), (SCALEWAY, None)];
        let found = usual.into_iter().find(|(pair, _)| is_set(pair.id) || is_set(pair.secret));
        if found.is_none() && section.document.secrets == Secrets::Required {
            let others = "name others by access_key_id_env and secret_access_key_env";
            section.mistake("credentials", format!("finds no keys: set {AWS}, or {SCALEWAY}, or {others}"));
            return None;
        }
        let (pair, usual_token) = found.unwrap_or(usual[0]);
        let token = token.or_else(|| usual_token.map(str::to_owned));
        Some(Self { id: pair.id.to_owned(), secret: pair.secret.to_owned(), token })
    }
}

/// The names that a key and its secret have together.
#[derive(Clone, Copy)]
struct Pair {
    id: &'static str,
    secret: &'static str,
}

const AWS: Pair = Pair { id: "AWS_ACCESS_KEY_ID", secret: "AWS_SECRET_ACCESS_KEY" };
const SCALEWAY: Pair = Pair { id: "SCALEWAY_ACCESS_KEY", secret: "SCALEWAY_SECRET_KEY" };

/// What a mounted directory may hold, as the source's credentials know it.
const PAIRS: [Pair; 3] = [AWS, Pair { id: "AWS_ACCESS_KEY", secret: "AWS_SECRET_KEY" }, SCALEWAY];

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.id, self.secret)
    }
}

/// Whether a complete pair of keys stands in the directory; nothing if a file there cannot be read,
/// which is noted. What is read is not kept.
fn holds_keys(section: &Section<'_>, directory: &Path) -> Option<bool> {
    for pair in PAIRS {
        if in_directory(section, directory, pair.id).ok()?.is_some()
            && in_directory(section, directory, pair.secret).ok()?.is_some()
        {
            return Some(true);
        }
    }
    Some(false)
}

/// What a file of the directory says, if it is there.
fn in_directory(section: &Section<'_>, directory: &Path, name: &str) -> Result<Option<String>, Unreadable> {
    let origin = SecretOrigin::File(directory.join(name));
    origin.look(section.document).map_err(|reason| {
        section.document.mistake(origin.place(), reason);
        Unreadable
    })
}

/// Notes the keys that only another kind of credentials uses: they would be passed over silently.
fn check_meaning(section: &Section<'_>, kind: Option<Kind>) {
    let keys = [
        ("secrets_dir", Kind::Directory, "directory"),
        ("access_key_id_env", Kind::Static, "static"),
        ("secret_access_key_env", Kind::Static, "static"),
        ("session_token_env", Kind::Static, "static"),
    ];
    for (key, needed, name) in keys {
        if section.has(key) && kind.is_some_and(|kind| kind != needed) {
            section.mistake(key, format!("has no meaning without credentials = \"{name}\""));
        }
    }
}
