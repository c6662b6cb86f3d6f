//! Shared access signatures: of an account, of a container or blob, and by user delegation key.
//!
//! The protocol (`spr`), the address (`sip`) and stored policies (`si`) are not judged: the emulator
//! knows neither TLS nor addresses, and a policy cannot be set.

use aws_lc_rs::hmac;
use http::HeaderValue;

use super::{Grant, Identity, Presented, permit};
use crate::emulator::checksum::{base64, unbase64};
use crate::emulator::clock::parse_iso;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::operation::Operation;
use crate::emulator::properties::Properties;
use crate::emulator::store::Account;
use crate::emulator::target::Query;

/// # Errors
/// 403 `AuthenticationFailed` for the signature or the times, other 403 for what it does not permit.
pub fn verify(account: &Account, operation: Operation, request: &Presented<'_>) -> Outcome<Grant> {
    let query = request.query;
    let get = |name| query.get(name).unwrap_or("");
    let failed = ServiceError::authentication_failed;
    let delegated = query.get("skoid").is_some();
    let text = if query.get("ss").is_some() {
        account_text(&account.config.name, query)
    } else {
        service_text(account, request, delegated).ok_or_else(failed)?
    };
    let signature = unbase64(get("sig")).ok_or_else(failed)?;
    let verdict = if delegated {
        let key = delegation_key(account, query);
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes(), &signature)
    } else {
        hmac::verify(account.key.as_ref().ok_or_else(failed)?, text.as_bytes(), &signature)
    };
    verdict.map_err(|_| {
        failed().detail("AuthenticationErrorDetail", format!("Signature did not match. String to sign used was {text}"))
    })?;
    check_times(request, "st", "se")?;
    if delegated {
        check_times(request, "skt", "ske")?;
    }
    if query.get("ss").is_some() {
        check_account_scope(query, request)?;
    }
    permit(operation, get("sp"))?;
    let create_only = get("sp").contains('c') && !get("sp").contains('w');
    Ok(Grant { identity: Identity::Sas, create_only, overrides: overrides(query) })
}

/// The user delegation key for an identity and a time: derived, not stored.
pub fn delegation_key_value(account: &Account, fields: [&str; 6]) -> Vec<u8> {
    hmac::sign(&account.delegation, fields.join("\n").as_bytes()).as_ref().to_vec()
}

fn delegation_key(account: &Account, query: &Query) -> Vec<u8> {
    let fields = ["skoid", "sktid", "skt", "ske", "sks", "skv"].map(|name| query.get(name).unwrap_or(""));
    delegation_key_value(account, fields)
}

fn account_text(account: &str, query: &Query) -> String {
    let mut text = format!("{account}\n");
    let version = query.get("sv").unwrap_or("");
    let mut names = vec!["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"];
    if version >= "2020-12-06" {
        names.push("ses");
    }
    for name in names {
        text.push_str(query.get(name).unwrap_or(""));
        text.push('\n');
    }
    text
}

/// `None` if the signed resource is of a kind that does not exist here, or the request is outside of it.
fn service_text(account: &Account, request: &Presented<'_>, delegated: bool) -> Option<String> {
    let query = request.query;
    let version = query.get("sv")?;
    let container = request.target.container.as_deref()?;
    let resource = match query.get("sr")? {
        "c" => format!("/blob/{}/{container}", account.config.name),
        "b" => format!("/blob/{}/{container}/{}", account.config.name, request.target.blob.as_deref()?),
        _ => return None,
    };
    let get = |name: &str| query.get(name).unwrap_or("").to_owned();
    let mut fields = vec![get("sp"), get("st"), get("se"), resource];
    if delegated {
        fields.extend(["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"].map(get));
        if version >= "2025-07-05" {
            fields.extend(["skdutid", "sduoid"].map(get));
        }
    } else {
        fields.push(get("si"));
    }
    fields.extend(["sip", "spr", "sv", "sr", "snapshot"].map(get));
    if version >= "2020-12-06" {
        fields.push(get("ses"));
    }
    if delegated && version >= "2026-04-06" {
        fields.push(signed_headers(request));
        fields.push(signed_query(query));
    }
    fields.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(get));
    Some(fields.join("\n"))
}

/// `name:value` lines of the headers that `srh` names.
fn signed_headers(request: &Presented<'_>) -> String {
    let names = request.query.get("srh").unwrap_or("").split(',').filter(|name| !name.is_empty());
    let value = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    names.map(|name| format!("{name}:{}\n", value(name))).collect()
}

/// `name:value` lines of the query parameters that `srq` names.
fn signed_query(query: &Query) -> String {
    let names = query.get("srq").unwrap_or("").split(',').filter(|name| !name.is_empty());
    names.map(|name| format!("\n{name}:{}", query.get(name).unwrap_or(""))).collect()
}

fn check_times(request: &Presented<'_>, start: &str, end: &str) -> Outcome<()> {
    let time = |name| match request.query.get(name) {
        None | Some("") => Ok(None),
        Some(text) => parse_iso(text).map(Some).ok_or_else(ServiceError::authentication_failed),
    };
    let late = || {
        ServiceError::authentication_failed()
            .detail("AuthenticationErrorDetail", "Signature not valid in the specified time frame.")
    };
    let expiry = time(end)?.ok_or_else(ServiceError::authentication_failed)?;
    if expiry <= request.now || time(start)?.is_some_and(|start| start > request.now) {
        return Err(late());
    }
    Ok(())
}

fn check_account_scope(query: &Query, request: &Presented<'_>) -> Outcome<()> {
    if !query.get("ss").unwrap_or("").contains('b') {
        return Err(ServiceError::service_mismatch());
    }
    let level = match (&request.target.container, &request.target.blob) {
        (None, _) => 's',
        (Some(_), None) => 'c',
        (Some(_), Some(_)) => 'o',
    };
    if !query.get("srt").unwrap_or("").contains(level) {
        return Err(ServiceError::resource_type_mismatch()
            .detail("ExtendedErrorDetail", format!("The signed resource types do not hold {level}.")));
    }
    Ok(())
}

fn overrides(query: &Query) -> Properties {
    let get = |name| query.get(name).and_then(|value| HeaderValue::from_str(value).ok());
    Properties {
        cache_control: get("rscc"),
        disposition: get("rscd"),
        encoding: get("rsce"),
        language: get("rscl"),
        content_type: get("rsct"),
    }
}

/// Signs a service SAS with the account key and returns it as a query, for tests and demos.
pub fn sign_container(account: &Account, container: &str, permissions: &str, expires: &str) -> Option<String> {
    let version = "2022-11-02";
    let resource = format!("/blob/{}/{container}", account.config.name);
    let fields = [permissions, "", expires, &resource, "", "", "", version, "c", "", "", "", "", "", "", ""];
    let signature = hmac::sign(account.key.as_ref()?, fields.join("\n").as_bytes());
    let encoded = base64(signature.as_ref()).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    Some(format!("sv={version}&sr=c&sp={permissions}&se={}&sig={encoded}", expires.replace(':', "%3A")))
}
