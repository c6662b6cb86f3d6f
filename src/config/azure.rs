//! `[azure]`: the storage account and the identity that uses it.

use std::path::PathBuf;

use super::document::{Document, Section};
use super::reference::References;
use super::secret::SecretValue;
use super::setting::Url;
use super::{Pem, Secrets};
use crate::net::Scheme;
use crate::object::ContainerName;
use crate::telemetry::Secret;

/// The storage account.
#[derive(Clone, Debug, PartialEq)]
pub struct AzureConfig {
    /// The Blob service of the account; behind an emulator the account is the path.
    pub endpoint: Url,
    pub account: String,
    pub credential: AzureCredential,
    /// The mounted directory whose files were looked at before the environment.
    pub secrets_dir: Option<PathBuf>,
    /// `x-ms-version` of every request.
    pub api_version: String,
    /// Roots to trust besides those of the system.
    pub ca_file: Option<Pem>,
    /// Holds everything that must survive a process.
    pub state_container: ContainerName,
    /// Whether the account has a hierarchical namespace; `None`: it is asked.
    pub hierarchical: Option<bool>,
    /// Credentials may go over plain HTTP to another machine.
    pub allow_plaintext: bool,
}

/// How requests to Azure are authorised.
#[derive(Clone, Debug, PartialEq)]
pub enum AzureCredential {
    /// A projected service account token is exchanged for an Entra token (AKS).
    WorkloadIdentity {
        tenant_id: Option<String>,
        client_id: Option<String>,
        token_file: Option<PathBuf>,
        authority: Option<String>,
    },
    /// The identity of the node or virtual machine; `client_id` picks a user-assigned one.
    ManagedIdentity {
        client_id: Option<String>,
    },
    ClientSecret {
        tenant_id: String,
        client_id: String,
        secret: SecretValue,
        authority: Option<String>,
    },
    SharedKey(SecretValue),
    Sas(SecretValue),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    WorkloadIdentity,
    ManagedIdentity,
    ClientSecret,
    SharedKey,
    ConnectionString,
    Sas,
}

const KINDS: [(&str, Kind); 6] = [
    ("workload-identity", Kind::WorkloadIdentity),
    ("managed-identity", Kind::ManagedIdentity),
    ("client-secret", Kind::ClientSecret),
    ("shared-key", Kind::SharedKey),
    ("connection-string", Kind::ConnectionString),
    ("sas", Kind::Sas),
];

/// Has every operation in use (`startFrom` in List Blobs came with 2026-02-06), and Azurite knows it.
const API_VERSION: &str = "2026-04-06";
const STATE_CONTAINER: &str = "bluebucket-state";

// The names that secrets and variables of Azure usually have, the likeliest first.
const ACCOUNT_NAMES: &[&str] = &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"];
const KEY_NAMES: &[&str] = &["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"];
const CONNECTION_STRING_NAMES: &[&str] =
    &["AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_CONNECTION_STRING"];
const SAS_NAMES: &[&str] = &["AZURE_STORAGE_SAS_TOKEN"];
const TENANT_NAMES: &[&str] = &["AZURE_TENANT_ID"];
const CLIENT_NAMES: &[&str] = &["AZURE_CLIENT_ID"];
const CLIENT_SECRET_NAMES: &[&str] = &["AZURE_CLIENT_SECRET"];

impl AzureConfig {
    pub(super) fn read(document: &Document<'_>) -> Option<Self> {
        let section = document.section("azure");
        let kind = section.word("credential", &KINDS);
        if !section.has("credential") {
            section.mistake("credential", "is missing; in Kubernetes it is usually \"workload-identity\"");
        }
        let azure = Self::read_as(&section, kind);
        // The keys that only some credentials use are known all the same.
        let _ = (section.has("tenant_id"), section.has("client_id"));
        section.finish();
        azure
    }

    fn read_as(section: &Section<'_>, kind: Option<Kind>) -> Option<Self> {
        let references = References::of(section);
        let given = Given::read(section);
        match kind? {
            Kind::ConnectionString => Self::from_connection_string(section, &references, given),
            kind => Self::from_parts(section, &references, kind, given),
        }
    }

    fn from_parts(
        section: &Section<'_>,
        references: &References<'_>,
        kind: Kind,
        given: Option<Given>,
    ) -> Option<Self> {
        let credential = AzureCredential::read(section, references, kind);
        let mut given = given?;
        if given.endpoint.is_none() && !section.has("account") && !section.has("endpoint") {
            given.account = Some(account_by_reference(section, references)?);
        }
        let endpoint = given.endpoint.clone().or_else(|| endpoint_of(given.account.as_ref()?));
        given.complete(section, references, endpoint?, None, credential?)
    }

    fn from_connection_string(
        section: &Section<'_>,
        references: &References<'_>,
        given: Option<Given>,
    ) -> Option<Self> {
        let whole = references.secret("the connection string of the storage account", CONNECTION_STRING_NAMES);
        let (given, whole) = (given?, whole?);
        let parts = if section.document.secrets == Secrets::Ignored {
            ConnectionString::unknown(&given)
        } else {
            ConnectionString::parse(whole.value.expose()).map_err(|reason| {
                section.document.mistake(whole.origin.place(), reason);
            })
        }
        .ok()?;
        let secret = |value| SecretValue { origin: whole.origin.clone(), value };
        let credential = match parts.credential {
            Part::Key(value) => AzureCredential::SharedKey(secret(value)),
            Part::Sas(value) => AzureCredential::Sas(secret(value)),
        };
        let endpoint = given.endpoint.clone().unwrap_or(parts.endpoint);
        given.complete(section, references, endpoint, parts.account, credential)
    }

    /// Every file that `secrets_dir` may hold is among them: one that comes later counts, too.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let names = [
            ACCOUNT_NAMES,
            KEY_NAMES,
            CONNECTION_STRING_NAMES,
            SAS_NAMES,
            TENANT_NAMES,
            CLIENT_NAMES,
            CLIENT_SECRET_NAMES,
        ];
        let in_directory = |directory: &PathBuf| names.concat().into_iter().map(|name| directory.join(name)).collect();
        let mut files: Vec<PathBuf> = self.secrets_dir.as_ref().map(in_directory).unwrap_or_default();
        files.extend(self.ca_file.iter().map(|pem| pem.path.clone()));
        files
    }
}

impl AzureCredential {
    fn read(section: &Section<'_>, references: &References<'_>, kind: Kind) -> Option<Self> {
        let environment = section.document.environment;
        let authority = environment.non_empty("AZURE_AUTHORITY_HOST").map(str::to_owned);
        match kind {
            Kind::WorkloadIdentity => Some(Self::WorkloadIdentity {
                tenant_id: references.text("tenant_id", TENANT_NAMES),
                client_id: references.text("client_id", CLIENT_NAMES),
                token_file: environment.path("AZURE_FEDERATED_TOKEN_FILE"),
                authority,
            }),
            Kind::ManagedIdentity => {
                Some(Self::ManagedIdentity { client_id: references.text("client_id", CLIENT_NAMES) })
            }
            Kind::ClientSecret => {
                let tenant_id = references.required_text("tenant_id", TENANT_NAMES);
                let client_id = references.required_text("client_id", CLIENT_NAMES);
                let secret = references.secret("the secret of the application", CLIENT_SECRET_NAMES);
                Some(Self::ClientSecret { tenant_id: tenant_id?, client_id: client_id?, secret: secret?, authority })
            }
            Kind::SharedKey => references.secret("a key of the storage account", KEY_NAMES).map(Self::SharedKey),
            Kind::Sas => references.secret("a SAS token", SAS_NAMES).map(Self::Sas),
            Kind::ConnectionString => None,
        }
    }

    /// The word for it in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WorkloadIdentity { .. } => "workload-identity",
            Self::ManagedIdentity { .. } => "managed-identity",
            Self::ClientSecret { .. } => "client-secret",
            Self::SharedKey(_) => "shared-key",
            Self::Sas(_) => "sas",
        }
    }

    /// Whether the credential itself travels with every request (a shared key signs and stays here).
    fn travels(&self) -> bool {
        !matches!(self, Self::SharedKey(_))
    }
}

/// What the section says for every kind of credential.
struct Given {
    endpoint: Option<Url>,
    account: Option<String>,
    api_version: String,
    ca_file: Option<Pem>,
    state_container: ContainerName,
    hierarchical: Option<bool>,
    allow_plaintext: bool,
}

impl Given {
    fn read(section: &Section<'_>) -> Option<Self> {
        let account = section.get::<String>("account");
        let mistake = account.as_ref().and_then(|name| account_mistake(name, section.document.secrets));
        if let Some(mistake) = mistake {
            section.mistake("account", mistake);
        }
        Some(Self {
            endpoint: section.get("endpoint"),
            account: account.filter(|_| mistake.is_none()),
            api_version: section.get("api_version").unwrap_or_else(|| API_VERSION.to_owned()),
            ca_file: Pem::read(section, "ca_file"),
            allow_plaintext: section.get("allow_plaintext").unwrap_or(false),
            hierarchical: section.get("hierarchical"),
            state_container: match section.get("state_container") {
                Some(name) => name,
                None => ContainerName::new(STATE_CONTAINER).ok()?,
            },
        })
    }

    fn complete(
        self,
        section: &Section<'_>,
        references: &References<'_>,
        endpoint: Url,
        known_account: Option<String>,
        credential: AzureCredential,
    ) -> Option<AzureConfig> {
        let told = self.account.or(known_account).or_else(|| account_of(&endpoint));
        let account = told.or_else(|| account_by_reference(section, references));
        let exposed = endpoint.endpoint.scheme == Scheme::Http && !endpoint.is_loopback();
        if exposed && credential.travels() && !self.allow_plaintext {
            section.mistake(
                "endpoint",
                "must be https: the credential would cross the network in plain text (allow_plaintext = true permits it)",
            );
        }
        Some(AzureConfig {
            account: account?,
            endpoint,
            credential,
            secrets_dir: references.directory().cloned(),
            api_version: self.api_version,
            ca_file: self.ca_file,
            state_container: self.state_container,
            hierarchical: self.hierarchical,
            allow_plaintext: self.allow_plaintext,
        })
    }
}

/// The account that the mounted directory or the environment names. Where secrets are ignored the
/// placeholder stands in.
fn account_by_reference(section: &Section<'_>, references: &References<'_>) -> Option<String> {
    let secrets = section.document.secrets;
    let Some(found) = references.find(ACCOUNT_NAMES).ok()? else {
        if secrets == Secrets::Ignored {
            return Some(PLACEHOLDER_ACCOUNT.to_owned());
        }
        let accepted = references.accepted(ACCOUNT_NAMES);
        section.mistake("account", format!("is missing: name the storage account or its endpoint, or give {accepted}"));
        return None;
    };
    if let Some(mistake) = account_mistake(&found.text, secrets) {
        section.document.mistake(found.origin.place(), mistake);
        return None;
    }
    Some(found.text)
}

fn endpoint_of(account: &str) -> Option<Url> {
    Url::parse(&format!("https://{account}.blob.core.windows.net")).ok()
}

/// 3 to 24 lower-case letters and digits (Azure, "Storage account overview"). The placeholder of the
/// shipped files passes where a file is only checked.
fn account_mistake(name: &str, secrets: Secrets) -> Option<&'static str> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    match (name == PLACEHOLDER_ACCOUNT, secrets) {
        (true, Secrets::Ignored) => None,
        (true, Secrets::Required) => Some("is still the placeholder: put the name of your storage account here"),
        (false, _) if (3..=24).contains(&name.len()) && plain => None,
        (false, _) => Some("must be 3 to 24 lower-case letters and digits"),
    }
}

const PLACEHOLDER_ACCOUNT: &str = "PLACEHOLDER_STORAGE_ACCOUNT";

/// The account in `https://account.blob...` or, behind an emulator, in `http://host/account`.
fn account_of(url: &Url) -> Option<String> {
    let first_label = url.endpoint.host.split('.').next().filter(|_| url.endpoint.host.contains(".blob."));
    let path = url.path.strip_prefix('/').filter(|path| !path.contains('/'));
    path.or(first_label).map(str::to_owned)
}

/// What a connection string of a storage account says.
struct ConnectionString {
    endpoint: Url,
    account: Option<String>,
    credential: Part,
}

enum Part {
    Key(Secret),
    Sas(Secret),
}

impl ConnectionString {
    /// Source: Azure, "Configure Azure Storage connection strings".
    fn parse(text: &str) -> Result<Self, String> {
        let field = |wanted: &str| {
            text.split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find_map(|(name, value)| (name.eq_ignore_ascii_case(wanted) && !value.is_empty()).then_some(value))
        };
        if field("UseDevelopmentStorage").is_some() {
            return Err(
                "UseDevelopmentStorage is not understood: write AccountName, AccountKey and BlobEndpoint".into()
            );
        }
        let account = field("AccountName").map(str::to_owned);
        let endpoint = match (field("BlobEndpoint"), &account) {
            (Some(url), _) => Url::parse(url).map_err(|reason| format!("BlobEndpoint {reason}"))?,
            (None, Some(account)) => {
                let scheme = field("DefaultEndpointsProtocol").unwrap_or("https");
                let suffix = field("EndpointSuffix").unwrap_or("core.windows.net");
                Url::parse(&format!("{scheme}://{account}.blob.{suffix}"))
                    .map_err(|reason| format!("its endpoint {reason}"))?
            }
            (None, None) => return Err("names neither AccountName nor BlobEndpoint".into()),
        };
        let credential = match (field("AccountKey"), field("SharedAccessSignature")) {
            (Some(key), _) => Part::Key(Secret::new(key)),
            (None, Some(sas)) => Part::Sas(Secret::new(sas)),
            (None, None) => return Err("holds neither AccountKey nor SharedAccessSignature".into()),
        };
        Ok(Self { endpoint, account, credential })
    }

    /// Stands in for a connection string that was not read.
    fn unknown(given: &Given) -> Result<Self, ()> {
        let account = given.account.clone().unwrap_or_else(|| PLACEHOLDER_ACCOUNT.to_owned());
        let endpoint = endpoint_of(&account).ok_or(())?;
        Ok(Self { endpoint, account: Some(account), credential: Part::Key(Secret::transient("")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let full =
            "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5a2V5==;EndpointSuffix=core.windows.net";
        let parsed = ConnectionString::parse(full).unwrap();
        assert_eq!(parsed.endpoint.to_string(), "https://acct.blob.core.windows.net");
        assert!(matches!(parsed.credential, Part::Key(key) if key.expose() == "a2V5a2V5=="));

        let sas = "BlobEndpoint=http://127.0.0.1:10000/acct;SharedAccessSignature=sv=1&sig=x%3D";
        let parsed = ConnectionString::parse(sas).unwrap();
        assert_eq!(account_of(&parsed.endpoint).as_deref(), Some("acct"));
        assert!(matches!(parsed.credential, Part::Sas(token) if token.expose() == "sv=1&sig=x%3D"));

        for wrong in ["", "AccountName=a", "AccountKey=k", "UseDevelopmentStorage=true", "BlobEndpoint=x;AccountKey=k"]
        {
            assert!(ConnectionString::parse(wrong).is_err(), "{wrong}");
        }
    }
}
