//! `[facade]`: the S3 API and the keys of its clients.

mod key;
mod sts;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Pem;
use super::bucket::BucketConfig;
use super::document::{Document, Section};
use super::setting::Bytes;

pub use key::{FacadeKey, KeyBuckets, KeyRule, Verb};
pub use sts::StsConfig;

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
    /// Absent if no temporary credentials are given out.
    pub sts: Option<StsConfig>,
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
            sts: StsConfig::read(&section),
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
        let keys = self.keys.iter().filter_map(|key| key.secret.file());
        pems.chain(keys).chain(self.sts.iter().flat_map(StsConfig::files)).collect()
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
