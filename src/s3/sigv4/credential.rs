//! The credential of a signature: access key id and scope.

use std::borrow::Cow;

/// `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`
#[derive(Clone, Debug)]
pub struct Credential<'a> {
    text: Cow<'a, str>,
    /// Ends of the access key id, date, region and service in `text`.
    ends: [usize; 4],
}

impl<'a> Credential<'a> {
    /// Reads a credential; an access key id may hold slashes, a scope may not.
    pub fn parse(text: Cow<'a, str>) -> Option<Self> {
        let mut ends = [0; 4];
        let mut rest = text.strip_suffix("/aws4_request")?;
        for end in ends.iter_mut().rev() {
            *end = rest.len();
            rest = rest.rsplit_once('/').map_or("", |(before, _)| before);
        }
        let credential = Self { text, ends };
        let date = credential.date();
        let valid = !credential.access_key().is_empty()
            && date.len() == 8
            && date.bytes().all(|byte| byte.is_ascii_digit())
            && !credential.region().is_empty()
            && !credential.service().is_empty();
        valid.then_some(credential)
    }

    pub fn access_key(&self) -> &str {
        &self.text[..self.ends[0]]
    }

    pub fn date(&self) -> &str {
        self.part(0)
    }

    pub fn region(&self) -> &str {
        self.part(1)
    }

    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// Everything after the access key id.
    pub fn scope(&self) -> &str {
        self.text.get(self.ends[0] + 1..).unwrap_or("")
    }

    fn part(&self, index: usize) -> &str {
        self.text.get(self.ends[index] + 1..self.ends[index + 1]).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let credential = Credential::parse("a/b/20130524/us-east-1/s3/aws4_request".into()).unwrap();
        assert_eq!(credential.access_key(), "a/b");
        assert_eq!(credential.date(), "20130524");
        assert_eq!(credential.region(), "us-east-1");
        assert_eq!(credential.service(), "s3");
        assert_eq!(credential.scope(), "20130524/us-east-1/s3/aws4_request");
        for bad in [
            "",
            "/",
            "aws4_request",
            "/aws4_request",
            "AK/20130524/us-east-1/s3",
            "/20130524/us-east-1/s3/aws4_request",
            "20130524/us-east-1/s3/aws4_request",
            "AK/2013052/us-east-1/s3/aws4_request",
            "AK/2013052x/us-east-1/s3/aws4_request",
            "AK/20130524//s3/aws4_request",
            "AK/20130524/us-east-1//aws4_request",
            "AK/20130524/us-east-1/s3/aws4",
            "é/aws4_request",
        ] {
            assert!(Credential::parse(bad.into()).is_none(), "{bad}");
        }
    }
}
