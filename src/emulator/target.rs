//! What a URL names: account, container, blob and query.

use http::Uri;

use super::error::{Outcome, ServiceError};

/// The resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub account: String,
    pub container: Option<String>,
    pub blob: Option<String>,
}

impl Target {
    /// Reads a path, in path style `/account/container/blob`, or in host style `/container/blob` when
    /// the host is `<account>.blob.<rest>` or `<account>.dfs.<rest>`. Each part is decoded once; `\` is stored as `/`.
    ///
    /// # Errors
    /// `InvalidUri` if a part is no UTF-8 or has a broken escape.
    pub fn parse(path: &str, host: Option<&str>) -> Outcome<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (account, rest) = match host.and_then(host_account) {
            Some(account) => (account.to_owned(), path),
            None => {
                let (account, rest) = path.split_once('/').unwrap_or((path, ""));
                (decode(account)?, rest)
            }
        };
        let (container, blob) = rest.split_once('/').unwrap_or((rest, ""));
        let part = |text: &str| if text.is_empty() { Ok(None) } else { decode(text).map(Some) };
        Ok(Self { account, container: part(container)?, blob: part(blob)?.map(|blob| blob.replace('\\', "/")) })
    }
}

/// The account in a host such as `name.blob.core.windows.net`.
fn host_account(host: &str) -> Option<&str> {
    let (account, rest) = host.split_once('.')?;
    (rest.starts_with("blob.") || rest.starts_with("dfs.")).then_some(account)
}

fn decode(text: &str) -> Outcome<String> {
    percent_decode(text).ok_or_else(ServiceError::invalid_uri)
}

/// Replaces `%XX` once; a plus sign stays one. `None` for a broken escape or for what is no UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let (hex, tail) = tail.split_at_checked(2)?;
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (&[high, low], tail) = (hex.first_chunk::<2>()?, tail);
        bytes.push(digit(high)? << 4 | digit(low)?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// The query of a URL: decoded pairs in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(pub Vec<(String, String)>);

impl Query {
    /// # Errors
    /// `InvalidUri` for a broken escape.
    pub fn parse(text: &str) -> Outcome<Self> {
        let pair = |piece: &str| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((decode(name)?, decode(value)?))
        };
        let pieces = text.split('&').filter(|piece| !piece.is_empty());
        Ok(Self(pieces.map(pair).collect::<Outcome<_>>()?))
    }

    /// The first value of a name, whose letter case does not matter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Splits an absolute URL into target and query, for copy sources.
pub(super) fn parse_url(url: &str) -> Outcome<(Target, Query)> {
    let uri: Uri = url.parse().map_err(|_| ServiceError::header_value("x-ms-copy-source", url))?;
    if uri.scheme().is_none() {
        return Err(ServiceError::header_value("x-ms-copy-source", url));
    }
    Ok((Target::parse(uri.path(), uri.host())?, Query::parse(uri.query().unwrap_or(""))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let parse = |path, host| {
            let t = Target::parse(path, host).unwrap();
            (t.account, t.container, t.blob)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parse("/a", None), ("a".into(), None, None));
        assert_eq!(parse("/a/", Some("127.0.0.1")), ("a".into(), None, None));
        assert_eq!(parse("/a/con", None), ("a".into(), some("con"), None));
        assert_eq!(parse("/a/con/x/../y//", None), ("a".into(), some("con"), some("x/../y//")));
        assert_eq!(parse("/a/con/%2520%2F%5Cz+1", None), ("a".into(), some("con"), some("%20//z+1")));
        assert_eq!(parse("/con/b", Some("acct.blob.core.windows.net")), ("acct".into(), some("con"), some("b")));
        for bad in ["/a/c/%", "/a/c/%2", "/a/c/%GG", "/a/c/%FF"] {
            assert_eq!(Target::parse(bad, None).unwrap_err().code, "InvalidUri", "{bad}");
        }
    }

    #[test]
    fn queries() {
        let query = Query::parse("comp=list&Prefix=a%2Fb%3D+&x&&y==").unwrap();
        assert_eq!(query.get("prefix"), Some("a/b=+"));
        assert_eq!((query.get("x"), query.get("y"), query.get("z")), (Some(""), Some("="), None));
    }
}
