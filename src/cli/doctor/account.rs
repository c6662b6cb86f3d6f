//! The storage account: reached, authenticated, in time, of which kind, and what it does by itself.

use bytes::Bytes;
use http::Method;

use super::check::Check;
use super::{clock, reach, remedy};
use crate::blob::BlobClient;
use crate::blob::auth::Credential;
use crate::blob::probe_raw::RawAnswer;
use crate::config::{AzureConfig, AzureCredential};
use crate::daemon::AzureAccess;
use crate::object::{Error, ErrorKind};

/// What the checks of the account found out for those that follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Requests are answered and not refused for their credential.
    pub usable: bool,
    pub hierarchical: bool,
}

const INFORMATION: &str = "/?restype=account&comp=properties";
/// Tokens live for an hour at the least; a shorter rest means that no new one comes.
const TOKEN_LIFE_WARNING_SECONDS: u64 = 300;

/// Checks the account as a whole.
pub async fn check(config: &AzureConfig, access: &AzureAccess, checks: &mut Vec<Check>) -> Account {
    let ca_file = config.ca_file.as_ref().map(|pem| pem.path.clone());
    let (network, reached) = reach::check("azure/network".into(), &config.endpoint.endpoint, ca_file).await;
    checks.push(network);
    let client = access.client();
    let answer = client.probe_raw(Method::GET, INFORMATION, &[], Bytes::new()).await;
    checks.push(identity(config, access.credential(), &answer));
    let Ok(answer) = answer else {
        if reached {
            checks.push(Check::problem(
                "azure/account",
                "it was not asked, for the reason above, or did not answer",
                "Mend what is reported above, then run doctor again.",
            ));
        }
        return Account::default();
    };
    checks.push(clock::check("azure/clock".into(), answer.header("date")));
    let account = information(&answer, checks);
    if account.usable {
        checks.push(features(&client).await);
    }
    account
}

/// Whether requests can be authorised at all.
fn identity(config: &AzureConfig, credential: &Credential, answer: &Result<RawAnswer, Error>) -> Check {
    let kind = config.credential.name();
    let name = "azure/identity";
    match (credential, answer) {
        (Credential::Bearer(_), Err(error)) if error.kind() == ErrorKind::AuthExpired => {
            Check::problem(name, format!("{kind}: no token: {error}"), identity_remedy(&config.credential))
        }
        (Credential::Bearer(tokens), _) => match tokens.expires_in().map(|left| left.as_secs()) {
            None => Check::problem(name, format!("{kind}: there is no token"), identity_remedy(&config.credential)),
            Some(left) if left < TOKEN_LIFE_WARNING_SECONDS => Check::warning(
                name,
                format!("{kind}: the token expires in {left} s"),
                "Run again in some minutes; if it stays so, the token service gives no new ones.",
            ),
            Some(left) => Check::ok(name, format!("{kind}: a token for {} min was had", left / 60)),
        },
        (Credential::SharedKey(_), _) => Check::warning(
            name,
            format!("{kind}: the account key permits everything and does not expire"),
            "Use credential = \"workload-identity\" or \"managed-identity\" in production.",
        ),
        (Credential::Sas(_), _) => Check::warning(
            name,
            format!("{kind}: it ends on a fixed day and cannot be renewed by this process"),
            "Use credential = \"workload-identity\" or \"managed-identity\" in production.",
        ),
    }
}

fn identity_remedy(credential: &AzureCredential) -> &'static str {
    match credential {
        AzureCredential::WorkloadIdentity { .. } => {
            "Check the federated credential of the identity: issuer of this cluster, subject system:serviceaccount:<namespace>:<name>, audience api://AzureADTokenExchange; and let the pod reach the authority host."
        }
        AzureCredential::ManagedIdentity { .. } => {
            "Assign the identity to this machine or node (client_id picks a user-assigned one), and let the process reach 169.254.169.254."
        }
        AzureCredential::ClientSecret { .. } => {
            "Check tenant_id, client_id and that the secret has not expired, and let the process reach the authority host."
        }
        AzureCredential::SharedKey(_) | AzureCredential::Sas(_) => remedy::credential(),
    }
}

fn information(answer: &RawAnswer, checks: &mut Vec<Check>) -> Account {
    let name = "azure/account";
    let code = answer.code.as_deref().unwrap_or_default();
    let refused = matches!(code, "AuthenticationFailed" | "InvalidAuthenticationInfo" | "NoAuthenticationInformation");
    if refused || answer.status == 401 {
        let found = format!("the credential is not accepted (status {}, {code})", answer.status);
        checks.push(Check::problem(name, found, remedy::credential()));
        return Account::default();
    }
    if !answer.is_success() {
        checks.push(not_told(answer.status, code));
        return Account { usable: code != "AuthorizationFailure", hierarchical: false };
    }
    let header = |name| answer.header(name).unwrap_or("not told");
    let hierarchical = header("x-ms-is-hns-enabled").eq_ignore_ascii_case("true");
    let namespace = if hierarchical { "hierarchical" } else { "flat" };
    let found = format!("{}, {}, {namespace} namespace", header("x-ms-account-kind"), header("x-ms-sku-name"));
    checks.push(if hierarchical {
        Check::warning(
            name,
            found,
            "Know what a hierarchical namespace means: no key may be the folder of another (a and a/b), deleted folders stay behind empty, files written through abfss can be replaced up to 5000 MiB only, and native abfss readers work.",
        )
    } else {
        Check::ok(name, format!("{found}: every S3 key layout fits, and abfss readers use its Blob endpoint"))
    });
    Account { usable: true, hierarchical }
}

fn not_told(status: u16, code: &str) -> Check {
    let (name, found) = ("azure/account", format!("its kind is not told (status {status}, {code})"));
    match code {
        "AuthorizationFailure" => Check::problem(
            name,
            found,
            "Allow this network in the account's network rules or use its private endpoint; with a SAS, check what it permits.",
        ),
        _ => Check::warning(
            name,
            found,
            "Look yourself whether the namespace is hierarchical: az storage account show --query isHnsEnabled --name <account>",
        ),
    }
}

/// What the account keeps or does beyond what clients ask for.
async fn features(client: &BlobClient) -> Check {
    let name = "azure/features";
    match client.service_properties().await {
        Err(error) => Check::warning(
            name,
            format!("soft delete cannot be seen with this identity: {error}"),
            "Look with az storage account blob-service-properties show --account-name <account>: soft delete and versioning keep, and bill, every replaced or deleted blob.",
        ),
        Ok(properties) => match properties.soft_delete_days {
            Some(days) => Check::warning(
                name,
                format!("soft delete keeps deleted and replaced blobs for {days} days"),
                "Reckon with the space of every deleted part, record and object for that long, or turn it off while data is moved.",
            ),
            None => Check::ok(name, "no soft delete of blobs"),
        },
    }
}
