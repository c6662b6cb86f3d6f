//! Where a server is.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

/// Scheme, host and port of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub scheme: Scheme,
    /// DNS name or address, an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
}

/// A text that is no `http(s)://host[:port][/path]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEndpoint(pub &'static str);

impl Endpoint {
    /// Splits a URL into its endpoint and its path (empty or starting with `/`, no slash at its end).
    ///
    /// # Errors
    /// [`InvalidEndpoint`] with the reason.
    pub fn parse(url: &str) -> Result<(Self, String), InvalidEndpoint> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err(InvalidEndpoint("must begin with http:// or https://")),
        };
        if rest.contains(['?', '#', '@']) {
            return Err(InvalidEndpoint("must hold no user, query or fragment"));
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[host_end..].rfind(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(host_end + colon);
                let port = port[1..].parse().map_err(|_| InvalidEndpoint("has no valid port after the colon"))?;
                (host, port)
            }
            None => (authority, if scheme == Scheme::Http { 80 } else { 443 }),
        };
        if host.is_empty() {
            return Err(InvalidEndpoint("names no host"));
        }
        let endpoint = Self { scheme, host: host.to_ascii_lowercase(), port };
        Ok((endpoint, path.trim_end_matches('/').to_owned()))
    }

    /// `host` or `host:port`, as the `Host` header carries it: the scheme's own port is left out.
    pub fn authority(&self) -> String {
        match (self.scheme, self.port) {
            (Scheme::Http, 80) | (Scheme::Https, 443) => self.host.clone(),
            _ => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.scheme == Scheme::Http { "http" } else { "https" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidEndpoint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let (endpoint, path) = Endpoint::parse("https://Acct.blob.core.windows.net/").unwrap();
        assert_eq!((endpoint.to_string().as_str(), path.as_str()), ("https://acct.blob.core.windows.net", ""));
        let (endpoint, path) = Endpoint::parse("http://127.0.0.1:10000/devstoreaccount1").unwrap();
        assert_eq!((endpoint.authority().as_str(), path.as_str()), ("127.0.0.1:10000", "/devstoreaccount1"));
        let (endpoint, _) = Endpoint::parse("http://[::1]:9000").unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("[::1]", 9000));
        for bad in ["", "ftp://a", "http://", "http://a:b", "http://u@h", "http://h?x", "a.b.c"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
