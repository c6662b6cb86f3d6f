//! Headers that a presigned URL carries in its query.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::s3::header::AMZ_PREFIX;
use crate::s3::query::Query;

/// Parameters of the signature itself.
const SIGNATURE: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// The headers, and for a presigned request those that the signer moved into the query: several SDKs
/// do so with every `x-amz-*` header, and the signature covers them there. A header outweighs them.
pub fn headers<'a>(headers: &'a HeaderMap, query: &Query<'_>) -> Cow<'a, HeaderMap> {
    if !query.has("X-Amz-Signature") {
        return Cow::Borrowed(headers);
    }
    let mut all = Cow::Borrowed(headers);
    for (name, value) in query.iter() {
        let name = name.to_ascii_lowercase();
        if !name.starts_with(AMZ_PREFIX) || SIGNATURE.contains(&name.as_str()) || headers.contains_key(&name) {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            all.to_mut().append(name, value);
        }
    }
    all
}
