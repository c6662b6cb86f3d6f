//! `[facade]`: the S3 API and the keys of its clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bucket::BucketConfig;
use super::document::{Document, Section};
use super::secret::{SecretOrigin, SecretValue};
use super::setting::{Bytes, Raw, Setting, one_of};
use super::suggest::did_you_mean;
use super::{Pem, Secrets};
use crate::object::BucketName;

/// The S3 API of this process.
#[derive(Clone, Debug, PartialEq)]
pub struct FacadeConfig {
    pub listen: SocketAddr,
    pub tls: Option<TlsConfig>,
    /// Plain HTTP may be spoken on an address that other machines reach.
    pub allow_plaintext: bool,
    /// The region that clients sign for.
    pub region: String,
    /// Host names under which a first label is a bucket.
    pub domains: Vec<String>,
    /// Accepts what only makes sense on a developer's machine.
    pub development: bool,
    pub limits: FacadeLimits,
    pub keys: Vec<FacadeKey>,
}

/// The certificate that the facade shows.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsConfig {
    pub certificate: Pem,
    pub key: Pem,
}

/// What the facade takes on at one time, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct FacadeLimits {
    /// Runtime threads; 0 is one per core.
    pub threads: usize,
    /// Requests being worked on; more get 503. One that waits for its client is not counted.
    pub in_flight_max: usize,
    /// Connections of clients; more get 503, and idle ones are closed early when seven of eight are in use.
    pub connections_max: usize,
    /// Memory for bodies that are buffered and for those that stream, in bytes.
    pub byte_budget: u64,
    /// For the whole head of a request.
    pub headers_timeout: Duration,
    /// Between two pieces of a request's body.
    pub body_timeout: Duration,
    /// A connection without a request is closed after it.
    pub idle_timeout: Duration,
    /// Until the answer to a request begins, counted from the last piece of its body: an upload may be
    /// as slow as it likes; `body_timeout` is what ends one that stands still. The answer itself may take
    /// as long as it needs.
    pub request_timeout: Duration,
    /// After a signal to stop: not ready, yet accepting.
    pub drain_delay: Duration,
    /// After that: for requests to finish.
    pub drain_timeout: Duration,
}

/// One access key of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct FacadeKey {
    /// The component's name, as metrics show it. Two keys of one name are a rotation.
    pub component: String,
    pub access_key_id: String,
    pub secret: SecretValue,
    pub buckets: KeyBuckets,
    pub verbs: Vec<Verb>,
}

/// The buckets that a key may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyBuckets {
    All,
    Some(Vec<BucketName>),
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Write,
    List,
    Delete,
}

/// Shorter secrets could be guessed.
const SECRET_BYTES_MIN: usize = 16;

impl FacadeConfig {
    pub(super) fn read(document: &Document<'_>, buckets: &[BucketConfig]) -> Option<Self> {
        let section = document.section("facade");
        if !section.exists() {
            return None;
        }
        let listen = section.required::<SocketAddr>("listen");
        let tls = TlsConfig::read(&section);
        let allow_plaintext = section.get("allow_plaintext").unwrap_or(false);
        let speaks_tls = section.section("tls").exists();
        if listen.is_some_and(|listen| !listen.ip().is_loopback()) && !speaks_tls && !allow_plaintext {
            section.mistake(
                "listen",
                "other machines reach this address: give [facade.tls] a certificate, or set allow_plaintext = true",
            );
        }
        let facade = Self {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            tls,
            allow_plaintext,
            region: section.get("region").unwrap_or_else(|| "us-east-1".to_owned()),
            domains: read_domains(&section),
            development: section.get("development").unwrap_or(false),
            limits: FacadeLimits::read(section.section("limits")),
            keys: FacadeKey::read_all(&section, buckets),
        };
        if facade.keys.is_empty() && section.list("key").is_empty() {
            section.mistake("key", "is missing: without a [[facade.key]] nobody can use the facade");
        }
        section.finish();
        Some(facade)
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let pems = self.tls.iter().flat_map(|tls| [tls.certificate.path.clone(), tls.key.path.clone()]);
        pems.chain(self.keys.iter().filter_map(|key| key.secret.file())).collect()
    }
}

fn read_domains(section: &Section<'_>) -> Vec<String> {
    let domains: Vec<String> = section.get("domains").unwrap_or_default();
    for domain in &domains {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
        if !domain.bytes().all(plain) || domain.starts_with('.') || domain.ends_with('.') {
            section.mistake("domains", format!("\"{domain}\" is no host name in lower case"));
        }
    }
    domains
}

impl TlsConfig {
    fn read(facade: &Section<'_>) -> Option<Self> {
        let section = facade.section("tls");
        if !section.exists() {
            return None;
        }
        let certificate =
            section.required::<PathBuf>("certificate_file").and_then(|_| Pem::read(&section, "certificate_file"));
        let key = section.required::<PathBuf>("key_file").and_then(|_| Pem::read(&section, "key_file"));
        section.finish();
        Some(Self { certificate: certificate?, key: key? })
    }
}

impl Default for FacadeLimits {
    /// A pod of 1 core and 1 GiB keeps within them.
    fn default() -> Self {
        Self {
            threads: 0,
            in_flight_max: 1024,
            connections_max: 16_384,
            byte_budget: 512 << 20,
            headers_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(3600),
            drain_delay: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(60),
        }
    }
}

impl FacadeLimits {
    fn read(section: Section<'_>) -> Self {
        let default = Self::default();
        let limits = Self {
            threads: section.get("threads").unwrap_or(default.threads),
            in_flight_max: section.get("max_in_flight").unwrap_or(default.in_flight_max),
            connections_max: section.get("max_connections").unwrap_or(default.connections_max),
            byte_budget: section.get::<Bytes>("byte_budget").map_or(default.byte_budget, |bytes| bytes.0),
            headers_timeout: section.get("headers_timeout").unwrap_or(default.headers_timeout),
            body_timeout: section.get("body_timeout").unwrap_or(default.body_timeout),
            idle_timeout: section.get("idle_timeout").unwrap_or(default.idle_timeout),
            request_timeout: section.get("request_timeout").unwrap_or(default.request_timeout),
            drain_delay: section.get("drain_delay").unwrap_or(default.drain_delay),
            drain_timeout: section.get("drain_timeout").unwrap_or(default.drain_timeout),
        };
        if limits.in_flight_max == 0 {
            section.mistake("max_in_flight", "must be at least 1");
        }
        if limits.connections_max == 0 {
            section.mistake("max_connections", "must be at least 1");
        }
        if limits.byte_budget < BYTE_BUDGET_MIN {
            section.mistake("byte_budget", "must be at least 16MiB");
        }
        section.finish();
        limits
    }
}

/// Two buffered bodies of the largest kind and the pieces of some streams.
const BYTE_BUDGET_MIN: u64 = 16 << 20;

impl FacadeKey {
    fn read_all(facade: &Section<'_>, buckets: &[BucketConfig]) -> Vec<Self> {
        let directory = facade.get::<PathBuf>("secrets_dir").map(|path| facade.document.resolve(&path));
        let mut keys: Vec<Self> = Vec::new();
        for section in facade.list("key") {
            let key = Self::read(&section, directory.as_deref(), buckets);
            if let Some(key) = &key
                && keys.iter().any(|earlier| earlier.access_key_id == key.access_key_id)
            {
                section.mistake("access_key_id", format!("\"{}\" belongs to two keys", key.access_key_id));
            }
            section.finish();
            keys.extend(key);
        }
        keys
    }

    fn read(section: &Section<'_>, directory: Option<&Path>, buckets: &[BucketConfig]) -> Option<Self> {
        let component = section.required::<String>("name").filter(|name| plain(section, "name", name, 1));
        let access_key_id =
            section.required::<String>("access_key_id").filter(|id| plain(section, "access_key_id", id, 3));
        let origin = secret_origin(section, directory, access_key_id.as_deref());
        let secret = origin.and_then(|origin| SecretValue::read(section.document, origin));
        if let Some(secret) = &secret {
            check_secret(section, secret);
        }
        let allowed = KeyBuckets::read(section, buckets);
        let verbs = section.get("verbs").unwrap_or_else(|| Verb::ALL.map(|(_, verb)| verb).to_vec());
        Some(Self { component: component?, access_key_id: access_key_id?, secret: secret?, buckets: allowed?, verbs })
    }
}

/// Names of components become labels, and ids of keys become file names: both keep to plain characters.
fn plain(section: &Section<'_>, key: &'static str, text: &str, length_min: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let valid = (length_min..=128).contains(&text.len()) && text.bytes().all(plain);
    if !valid {
        section.mistake(key, format!("must be {length_min} to 128 letters, digits, '-' and '_'"));
    }
    valid
}

/// `secret_file`, `secret_env`, or the file of the key's id in the facade's `secrets_dir`.
fn secret_origin(section: &Section<'_>, directory: Option<&Path>, id: Option<&str>) -> Option<SecretOrigin> {
    let file = section.get::<PathBuf>("secret_file");
    let variable = section.get::<String>("secret_env");
    match (file, variable, directory) {
        (Some(_), Some(_), _) => {
            section.mistake("secret_env", "and secret_file exclude each other");
            None
        }
        (Some(file), None, _) => Some(SecretOrigin::File(section.document.resolve(&file))),
        (None, Some(variable), _) => Some(SecretOrigin::Environment(variable)),
        (None, None, Some(directory)) => Some(SecretOrigin::File(directory.join(id?))),
        (None, None, None) => {
            section.mistake("secret_file", "is missing: name secret_file or secret_env, or facade.secrets_dir");
            None
        }
    }
}

fn check_secret(section: &Section<'_>, secret: &SecretValue) {
    let text = secret.value.expose();
    let read = section.document.secrets == Secrets::Required;
    if read && text.len() < SECRET_BYTES_MIN {
        section
            .document
            .mistake(secret.origin.place(), format!("a secret must have at least {SECRET_BYTES_MIN} characters"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        section.document.mistake(secret.origin.place(), "a secret must hold printable ASCII only, in one line");
    }
}

impl KeyBuckets {
    fn read(section: &Section<'_>, known: &[BucketConfig]) -> Option<Self> {
        let names = section.required::<Vec<String>>("buckets")?;
        if names.iter().any(|name| name == "*") {
            return Some(Self::All);
        }
        let names: Vec<BucketName> = names.iter().filter_map(|name| Self::known(section, name, known)).collect();
        Some(Self::Some(names))
    }

    fn known(section: &Section<'_>, name: &str, known: &[BucketConfig]) -> Option<BucketName> {
        let found = known.iter().find(|bucket| bucket.name.as_str() == name);
        if found.is_none() {
            let hint = did_you_mean(name, known.iter().map(|bucket| bucket.name.as_str()));
            section.mistake("buckets", format!("there is no [[bucket]] of the name \"{name}\"{hint}"));
        }
        found.map(|bucket| bucket.name.clone())
    }

    /// Whether the key may use a bucket.
    pub fn allows(&self, bucket: &BucketName) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(bucket),
        }
    }
}

impl Verb {
    const ALL: [(&'static str, Self); 4] =
        [("read", Self::Read), ("write", Self::Write), ("list", Self::List), ("delete", Self::Delete)];

    /// The word for it in the file.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, verb)| *verb == self).map_or("", |(name, _)| name)
    }
}

impl Setting for Verb {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        one_of(raw, &Self::ALL)
    }
}
