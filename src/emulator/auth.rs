//! Who a request comes from and what it may do.

pub(super) mod bearer;
pub(super) mod sas;
pub(super) mod shared_key;

use std::time::SystemTime;

use http::{HeaderMap, header};

use super::error::{Outcome, ServiceError};
use super::operation::{Operation, permissions_needed};
use super::properties::Properties;
use super::store::Account;
use super::target::{Query, Target};

/// What an authenticated request may do.
#[derive(Clone, Debug, Default)]
pub(super) struct Grant {
    pub identity: Identity,
    /// May create blobs and not overwrite them (`c` without `w`).
    pub create_only: bool,
    /// Response headers that a SAS prescribes.
    pub overrides: Properties,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Identity {
    #[default]
    AccountKey,
    Bearer,
    Sas,
}

/// A request as authentication sees it.
pub(super) struct Presented<'a> {
    pub method: &'a str,
    /// As sent, still encoded.
    pub path: &'a str,
    pub target: &'a Target,
    pub query: &'a Query,
    pub headers: &'a HeaderMap,
    pub now: SystemTime,
}

/// Authenticates a request and checks that it may carry out `operation`.
///
/// # Errors
/// 401 without credentials or with a token that has expired, 403 otherwise.
pub(super) fn authorize(account: &Account, operation: Operation, request: &Presented<'_>) -> Outcome<Grant> {
    let authorization = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorization {
        Some(text) => match text.split_once(' ') {
            Some(("SharedKey", credentials)) => {
                if operation == Operation::GetUserDelegationKey {
                    return Err(ServiceError::authentication_failed());
                }
                shared_key::verify(account, credentials, request)?;
                Ok(Grant { identity: Identity::AccountKey, ..Grant::default() })
            }
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                bearer::verify(account, token.trim(), request.now)?;
                Ok(Grant { identity: Identity::Bearer, ..Grant::default() })
            }
            _ => Err(ServiceError::authentication_failed()),
        },
        None if request.query.get("sig").is_some() => sas::verify(account, operation, request),
        None => Err(with_challenge(ServiceError::no_authentication())),
    }
}

/// Authenticates the reader of a copy source. `bearer` is the value of `x-ms-copy-source-authorization`.
pub(super) fn authorize_source(
    account: &Account,
    target: &Target,
    query: &Query,
    bearer: Option<&str>,
    now: SystemTime,
) -> Outcome<()> {
    if let Some(text) = bearer {
        let token = text.strip_prefix("Bearer ").ok_or_else(ServiceError::authentication_failed)?;
        return bearer::verify(account, token, now);
    }
    if query.get("sig").is_none() {
        return Err(ServiceError::no_authentication());
    }
    let headers = HeaderMap::new();
    let request = Presented { method: "GET", path: "", target, query, headers: &headers, now };
    sas::verify(account, Operation::GetBlob, &request).map(|_| ())
}

/// The header that tells a client where to get a token and for which resource.
pub(super) fn with_challenge(error: ServiceError) -> ServiceError {
    error.header(
        header::WWW_AUTHENTICATE,
        "Bearer authorization_uri=https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com",
    )
}

fn permit(operation: Operation, permissions: &str) -> Outcome<()> {
    let needed = permissions_needed(operation);
    if permissions.chars().any(|letter| needed.contains(letter)) {
        Ok(())
    } else {
        Err(ServiceError::permission_mismatch())
    }
}
