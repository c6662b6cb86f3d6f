//! `[azure]`: the storage account and the identity that uses it.

use std::path::PathBuf;

use super::document::{Document, Section};
use super::secret::{SecretOrigin, SecretValue};
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
    /// `x-ms-version` of every request.
    pub api_version: String,
    /// Roots to trust besides those of the system.
    pub ca_file: Option<Pem>,
    /// Holds everything that must survive a process.
    pub state_container: ContainerName,
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

impl AzureConfig {
    pub(super) fn read(document: &Document<'_>) -> Option<Self> {
        let section = document.section("azure");
        let kind = section.word("credential", &KINDS);
        if !section.has("credential") {
            section.mistake("credential", "is missing; in Kubernetes it is usually \"workload-identity\"");
        }
        let given = Given::read(&section);
        let azure = match kind {
            Some(Kind::ConnectionString) => Self::from_connection_string(&section, given),
            Some(kind) => Self::from_parts(&section, kind, given),
            None => None,
        };
        // The keys that only some credentials use are known all the same.
        let _ = (section.has("tenant_id"), section.has("client_id"), section.has("secrets_dir"));
        section.finish();
        azure
    }

    fn from_parts(section: &Section<'_>, kind: Kind, given: Option<Given>) -> Option<Self> {
        let credential = AzureCredential::read(section, kind);
        let given = given?;
        let endpoint = given.endpoint.clone().or_else(|| {
            let account = given.account.as_ref()?;
            Url::parse(&format!("https://{account}.blob.core.windows.net")).ok()
        });
        if endpoint.is_none() && !section.has("account") && !section.has("endpoint") {
            section.mistake("account", "is missing: name the storage account, or its endpoint");
        }
        given.complete(section, endpoint?, None, credential?)
    }

    fn from_connection_string(section: &Section<'_>, given: Option<Given>) -> Option<Self> {
        let origin = SecretOrigin::in_directory_or(section, "connection-string", "AZURE_STORAGE_CONNECTION_STRING");
        let whole = SecretValue::read(section.document, origin);
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
        given.complete(section, endpoint, parts.account, credential)
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let secret = match &self.credential {
            AzureCredential::ClientSecret { secret, .. }
            | AzureCredential::SharedKey(secret)
            | AzureCredential::Sas(secret) => secret.file(),
            AzureCredential::WorkloadIdentity { .. } | AzureCredential::ManagedIdentity { .. } => None,
        };
        self.ca_file.iter().map(|pem| pem.path.clone()).chain(secret).collect()
    }
}

impl AzureCredential {
    fn read(section: &Section<'_>, kind: Kind) -> Option<Self> {
        let environment = section.document.environment;
        let text = |key, variable: &str| -> Option<String> {
            section.get(key).or_else(|| environment.non_empty(variable).map(str::to_owned))
        };
        let secret = |name, variable| {
            SecretValue::read(section.document, SecretOrigin::in_directory_or(section, name, variable))
        };
        let authority = environment.non_empty("AZURE_AUTHORITY_HOST").map(str::to_owned);
        let tenant_id = text("tenant_id", "AZURE_TENANT_ID");
        let client_id = text("client_id", "AZURE_CLIENT_ID");
        match kind {
            Kind::WorkloadIdentity => Some(Self::WorkloadIdentity {
                tenant_id,
                client_id,
                token_file: environment.path("AZURE_FEDERATED_TOKEN_FILE"),
                authority,
            }),
            Kind::ManagedIdentity => Some(Self::ManagedIdentity { client_id }),
            Kind::ClientSecret => {
                let secret = secret("client-secret", "AZURE_CLIENT_SECRET");
                if tenant_id.is_none() {
                    section.mistake("tenant_id", "is missing, and AZURE_TENANT_ID is not set");
                }
                if client_id.is_none() {
                    section.mistake("client_id", "is missing, and AZURE_CLIENT_ID is not set");
                }
                Some(Self::ClientSecret { tenant_id: tenant_id?, client_id: client_id?, secret: secret?, authority })
            }
            Kind::SharedKey => secret("account-key", "AZURE_STORAGE_KEY").map(Self::SharedKey),
            Kind::Sas => secret("sas-token", "AZURE_STORAGE_SAS_TOKEN").map(Self::Sas),
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
    allow_plaintext: bool,
}

impl Given {
    fn read(section: &Section<'_>) -> Option<Self> {
        let account = section.get::<String>("account").filter(|name| {
            let mistake = account_mistake(name, section.document.secrets);
            mistake.map(|mistake| section.mistake("account", mistake)).is_none()
        });
        Some(Self {
            endpoint: section.get("endpoint"),
            account,
            api_version: section.get("api_version").unwrap_or_else(|| API_VERSION.to_owned()),
            ca_file: Pem::read(section, "ca_file"),
            allow_plaintext: section.get("allow_plaintext").unwrap_or(false),
            state_container: match section.get("state_container") {
                Some(name) => name,
                None => ContainerName::new(STATE_CONTAINER).ok()?,
            },
        })
    }

    fn complete(
        self,
        section: &Section<'_>,
        endpoint: Url,
        known_account: Option<String>,
        credential: AzureCredential,
    ) -> Option<AzureConfig> {
        let account = self.account.or(known_account).or_else(|| account_of(&endpoint));
        if account.is_none() {
            section.mistake("account", "is missing, and the endpoint does not tell it");
        }
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
            api_version: self.api_version,
            ca_file: self.ca_file,
            state_container: self.state_container,
            allow_plaintext: self.allow_plaintext,
        })
    }
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
        let endpoint = Url::parse(&format!("https://{account}.blob.core.windows.net")).map_err(drop)?;
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
