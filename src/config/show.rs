//! A configuration as a file again, so that an operator sees what is in force.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::bucket::BucketConfig;
use super::facade::{FacadeConfig, FacadeKey, KeyBuckets, KeyRule};
use super::secret::{SecretOrigin, SecretValue};
use super::setting::Bytes;
use super::source::{Addressing, SourceConfig, SourceCredential};
use super::{AzureConfig, AzureCredential, Config, MoverConfig};
use crate::telemetry::log::LogFormat;
use crate::telemetry::redact::MASK;

/// Writes every value in force. Secrets are masked, and a comment says where each comes from.
pub fn show(config: &Config) -> String {
    let mut page = Page::default();
    azure(&mut page, &config.azure);
    for of in &config.sources {
        source(&mut page, of);
    }
    for of in &config.buckets {
        bucket(&mut page, of);
    }
    if let Some(of) = &config.facade {
        facade(&mut page, of);
    }
    mover(&mut page, &config.mover);
    page.head("[admin]");
    page.text("listen", config.admin.listen);
    page.head("[log]");
    page.text("format", if config.log.format == LogFormat::Json { "json" } else { "human" });
    page.text("filter", &config.log.filter);
    page.0
}

fn azure(page: &mut Page, azure: &AzureConfig) {
    page.head("[azure]");
    page.text("account", &azure.account);
    page.text("endpoint", &azure.endpoint);
    page.text("credential", azure.credential.name());
    match &azure.credential {
        AzureCredential::WorkloadIdentity { tenant_id, client_id, .. } => {
            page.optional("tenant_id", tenant_id.as_ref());
            page.optional("client_id", client_id.as_ref());
        }
        AzureCredential::ManagedIdentity { client_id } => page.optional("client_id", client_id.as_ref()),
        AzureCredential::ClientSecret { tenant_id, client_id, secret, .. } => {
            page.text("tenant_id", tenant_id);
            page.text("client_id", client_id);
            page.secret("client secret", secret);
        }
        AzureCredential::SharedKey(secret) => page.secret("account key", secret),
        AzureCredential::Sas(secret) => page.secret("SAS token", secret),
    }
    page.optional("secrets_dir", azure.secrets_dir.as_ref().map(|path| path.display()));
    page.text("api_version", &azure.api_version);
    page.optional("ca_file", azure.ca_file.as_ref().map(|pem| pem.path.display()));
    page.text("state_container", &azure.state_container);
    if let Some(hierarchical) = azure.hierarchical {
        page.bare("hierarchical", hierarchical);
    }
    page.bare("allow_plaintext", azure.allow_plaintext);
}

fn source(page: &mut Page, source: &SourceConfig) {
    page.head("[[source]]");
    page.text("name", &source.name);
    page.text("endpoint", &source.endpoint);
    page.text("region", &source.region);
    page.text("addressing", if source.addressing == Addressing::Path { "path" } else { "virtual-host" });
    match &source.credential {
        SourceCredential::Chain => page.text("credentials", "chain"),
        SourceCredential::Keys { access_key_id, secret_access_key, session_token } => {
            page.text("credentials", "static");
            page.variable("access_key_id_env", access_key_id);
            page.variable("secret_access_key_env", secret_access_key);
            if let Some(token) = session_token {
                page.variable("session_token_env", token);
            }
        }
        SourceCredential::Directory(path) => {
            page.text("credentials", "directory");
            page.text("secrets_dir", path.display());
        }
    }
    page.optional("ca_file", source.ca_file.as_ref().map(|pem| pem.path.display()));
}

fn bucket(page: &mut Page, bucket: &BucketConfig) {
    page.head("[[bucket]]");
    page.text("name", &bucket.name);
    page.text("container", &bucket.container);
    if let Some(source) = &bucket.source {
        page.text("source", &source.source);
        page.text("source_bucket", &source.bucket);
        page.optional("prefix", source.prefix.as_ref());
    }
    page.list("components", bucket.components.iter().map(|component| component.name()));
    if let Some(ttl) = bucket.upload_ttl {
        page.duration("upload_ttl", ttl);
    }
}

fn facade(page: &mut Page, facade: &FacadeConfig) {
    page.head("[facade]");
    page.text("listen", facade.listen);
    page.bare("allow_plaintext", facade.allow_plaintext);
    page.text("region", &facade.region);
    page.list("domains", &facade.domains);
    page.bare("development", facade.development);
    if let Some(tls) = &facade.tls {
        page.head("[facade.tls]");
        page.text("certificate_file", tls.certificate.path.display());
        page.text("key_file", tls.key.path.display());
    }
    if let Some(sts) = &facade.sts {
        page.head("[facade.sts]");
        page.text("keys_dir", sts.keys_dir.display());
        page.secret("current key", &sts.current);
        if let Some(previous) = &sts.previous {
            page.secret("previous key", previous);
        }
    }
    let limits = &facade.limits;
    page.head("[facade.limits]");
    page.bare("threads", limits.threads);
    page.bare("max_in_flight", limits.in_flight_max);
    page.bare("max_connections", limits.connections_max);
    page.text("byte_budget", Bytes(limits.byte_budget));
    page.duration("headers_timeout", limits.headers_timeout);
    page.duration("body_timeout", limits.body_timeout);
    page.duration("idle_timeout", limits.idle_timeout);
    page.duration("request_timeout", limits.request_timeout);
    page.duration("drain_delay", limits.drain_delay);
    page.duration("drain_timeout", limits.drain_timeout);
    for of in &facade.keys {
        key(page, of);
    }
}

fn key(page: &mut Page, key: &FacadeKey) {
    page.head("[[facade.key]]");
    page.text("name", &key.component);
    page.text("access_key_id", &key.access_key_id);
    match &key.secret.origin {
        SecretOrigin::File(path) => page.text("secret_file", path.display()),
        SecretOrigin::Environment(name) => page.text("secret_env", name),
    }
    page.secret("secret", &key.secret);
    match key.rules.as_slice() {
        [only] => rule(page, only),
        rules => {
            for of in rules {
                page.head("[[facade.key.rule]]");
                rule(page, of);
            }
        }
    }
}

fn rule(page: &mut Page, rule: &KeyRule) {
    match &rule.buckets {
        KeyBuckets::All => page.list("buckets", ["*"]),
        KeyBuckets::Some(names) => page.list("buckets", names),
    }
    if !rule.prefix.is_empty() {
        page.text("prefix", &rule.prefix);
    }
    page.list("verbs", rule.verbs.iter().map(|verb| verb.name()));
}

fn mover(page: &mut Page, mover: &MoverConfig) {
    page.head("[mover]");
    page.bare("concurrency", mover.concurrency);
    page.bare("concurrency_start", mover.concurrency_start);
    page.bare("concurrency_min", mover.concurrency_min);
    page.bare("threads", mover.threads);
    page.bare("ranges", mover.ranges);
    page.text("byte_budget", Bytes(mover.byte_budget));
    page.text("block_size", Bytes(mover.block_size));
    page.text("large_threshold", Bytes(mover.large_threshold));
    page.bare("blocks_at_once", mover.blocks_at_once);
    page.text("md5_up_to", Bytes(mover.md5_up_to));
    page.bare("prove_multipart", mover.prove_multipart);
    page.bare("plan_samples", mover.plan_samples);
    page.optional("pace_bytes_per_second", mover.pace_bytes_per_second.map(Bytes));
    if let Some(requests) = mover.pace_requests_per_second {
        page.bare("pace_requests_per_second", requests);
    }
    page.optional("report", mover.report.as_ref().map(|path| path.display()));
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, head: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let _ = writeln!(self.0, "{head}");
    }

    fn bare(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.bare(key, quoted(value));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn duration(&mut self, key: &str, value: Duration) {
        match value.as_millis() {
            millis if millis % 1000 == 0 => self.text(key, format_args!("{}s", millis / 1000)),
            millis => self.text(key, format_args!("{millis}ms")),
        }
    }

    fn list(&mut self, key: &str, values: impl IntoIterator<Item = impl Display>) {
        let values: Vec<String> = values.into_iter().map(quoted).collect();
        self.bare(key, format_args!("[{}]", values.join(", ")));
    }

    /// A key that names the variable of a secret.
    fn variable(&mut self, key: &str, secret: &SecretValue) {
        if let SecretOrigin::Environment(name) = &secret.origin {
            self.text(key, name);
        }
    }

    fn secret(&mut self, what: &str, secret: &SecretValue) {
        let _ = writeln!(self.0, "# {what}: {MASK} from {}", secret.origin);
    }
}

/// A text in quotes, as TOML writes it.
fn quoted(value: impl Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}
