//! Shared Key: the signature of a request with the account key (REST reference, "Authorize with Shared Key").

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use http::{HeaderMap, header};

use super::Presented;
use crate::emulator::checksum::unbase64;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::store::Account;
use crate::emulator::target::Query;

/// # Errors
/// 403 `AuthenticationFailed`.
pub fn verify(account: &Account, credentials: &str, request: &Presented<'_>) -> Outcome<()> {
    let failed = ServiceError::authentication_failed;
    let (name, signature) = credentials.split_once(':').ok_or_else(failed)?;
    let key = account.key.as_ref().filter(|_| name == account.config.name).ok_or_else(failed)?;
    check_date(request)?;
    let text = string_to_sign(name, request.method, request.path, request.query, request.headers);
    let signature = unbase64(signature).ok_or_else(failed)?;
    hmac::verify(key, text.as_bytes(), &signature).map_err(|_| {
        failed().detail(
            "AuthenticationErrorDetail",
            format!("The MAC signature found in the HTTP request is not the same as any computed signature. Server used following string to sign: '{text}'."),
        )
    })
}

/// A request must have been signed within 15 minutes, by the service's clock or by the machine's
/// (a test may have moved the former alone).
fn check_date(request: &Presented<'_>) -> Outcome<()> {
    let text =
        ["x-ms-date", "date"].into_iter().find_map(|name| request.headers.get(name)).and_then(|v| v.to_str().ok());
    let date =
        text.and_then(|text| httpdate::parse_http_date(text).ok()).ok_or_else(ServiceError::authentication_failed)?;
    let near = |now: SystemTime| {
        let distance = now.duration_since(date).or_else(|_| date.duration_since(now)).unwrap_or_default();
        distance <= Duration::from_secs(15 * 60)
    };
    if near(request.now) || near(SystemTime::now()) { Ok(()) } else { Err(ServiceError::authentication_failed()) }
}

/// The text that is signed.
pub fn string_to_sign(account: &str, method: &str, path: &str, query: &Query, headers: &HeaderMap) -> String {
    let get = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let length = match get(header::CONTENT_LENGTH) {
        "0" => "",
        length => length,
    };
    let date = if headers.contains_key("x-ms-date") { "" } else { get(header::DATE) };
    let mut text = [
        method,
        get(header::CONTENT_ENCODING),
        get(header::CONTENT_LANGUAGE),
        length,
        get(header::HeaderName::from_static("content-md5")),
        get(header::CONTENT_TYPE),
        date,
        get(header::IF_MODIFIED_SINCE),
        get(header::IF_MATCH),
        get(header::IF_NONE_MATCH),
        get(header::IF_UNMODIFIED_SINCE),
        get(header::RANGE),
        "",
    ]
    .join("\n");
    canonical_headers(headers, &mut text);
    text.push('/');
    text.push_str(account);
    text.push_str(path);
    canonical_query(query, &mut text);
    text
}

fn canonical_headers(headers: &HeaderMap, text: &mut String) {
    let mut names: Vec<&str> =
        headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-ms-")).collect();
    names.sort_unstable();
    for name in names {
        text.push_str(name);
        text.push(':');
        for (index, value) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(String::from_utf8_lossy(value.as_bytes()).trim());
        }
        text.push('\n');
    }
}

fn canonical_query(query: &Query, text: &mut String) {
    let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &query.0 {
        by_name.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    for (name, mut values) in by_name {
        values.sort_unstable();
        text.push('\n');
        text.push_str(&name);
        text.push(':');
        text.push_str(&values.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// The example of the REST reference, "Constructing the canonicalized resource string".
    #[test]
    fn canonical_form() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2015-02-21"),
            ("date", "ignored"),
            ("content-length", "0"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let query =
            Query::parse("restype=container&comp=metadata&timeout=20&include=snapshots&Include=metadata").unwrap();
        assert_eq!(
            string_to_sign("myaccount", "GET", "/mycontainer", &query, &headers),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\ninclude:metadata,snapshots\nrestype:container\ntimeout:20"
        );
        headers.insert("content-length", HeaderValue::from_static("12"));
        assert!(string_to_sign("a", "PUT", "/c", &Query::default(), &headers).starts_with("PUT\n\n\n12\n"));
    }
}
