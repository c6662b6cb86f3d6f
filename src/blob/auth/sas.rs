//! Shared access signatures that let the service read one blob, for a short time.
//!
//! Sources: "Create a service SAS", "Create a user delegation SAS".

use super::SharedKey;
use crate::object::Timestamp;
use crate::object::text::percent_encode_into;

/// A key that Entra lets sign in the name of an identity; its own expiry bounds every signature.
#[derive(Clone)]
pub(in crate::blob) struct DelegationKey {
    pub object_id: String,
    pub tenant_id: String,
    pub start: String,
    pub expiry: String,
    pub service: String,
    pub version: String,
    pub key: SharedKey,
}

/// The version of the signature's own format. Later ones add fields that nothing here needs.
const SAS_VERSION: &str = "2022-11-02";

/// How long a signature is valid, in seconds. It begins at once: the service takes a missing start
/// for "now", which spares clock skew.
const VALID_SECONDS: i64 = 3600;

/// The query that lets its bearer read `container/name` of `account`.
pub(in crate::blob) fn read_sas(
    account: &str,
    container: &str,
    name: &str,
    key: SigningKey<'_>,
    now: Timestamp,
) -> String {
    let expiry = seconds_iso(Timestamp(now.0 + VALID_SECONDS));
    let resource = format!("/blob/{account}/{container}/{name}");
    let mut query = String::with_capacity(512);
    let mut push = |name: &str, value: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        percent_encode_into(&mut query, value.as_bytes(), b"");
    };
    push("sp", "r");
    push("se", &expiry);
    push("sv", SAS_VERSION);
    push("sr", "b");
    // Permissions, start, expiry, resource; then who signs; then address, protocol, version, kind of
    // resource, snapshot, encryption scope and five response headers.
    let head = format!("r\n\n{expiry}\n{resource}\n");
    let tail = format!("\n\n{SAS_VERSION}\nb\n\n\n\n\n\n\n");
    let signature = match key {
        SigningKey::Account(key) => key.sign(&format!("{head}\n{tail}")),
        SigningKey::Delegation(key) => {
            let DelegationKey { object_id, tenant_id, start, expiry, service, version, .. } = key;
            push("skoid", object_id);
            push("sktid", tenant_id);
            push("skt", start);
            push("ske", expiry);
            push("sks", service);
            push("skv", version);
            let signer = format!("{object_id}\n{tenant_id}\n{start}\n{expiry}\n{service}\n{version}\n\n\n\n");
            key.key.sign(&format!("{head}{signer}{tail}"))
        }
    };
    push("sig", &signature);
    query
}

/// What signs.
#[derive(Clone, Copy)]
pub(in crate::blob) enum SigningKey<'a> {
    Account(&'a SharedKey),
    Delegation(&'a DelegationKey),
}

/// `2026-11-23T05:41:51Z`
pub(in crate::blob) fn seconds_iso(time: Timestamp) -> String {
    time.iso8601().replace(".000Z", "Z")
}
