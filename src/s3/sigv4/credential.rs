//! The credential of a signature: access key id and scope.

use std::borrow::Cow;

/// `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`
#[derive(Clone, Debug)]
pub struct Credential<'a> {
    text: Cow<'a, str>,
    /// Where the access key id ends in `text`, and the parts of the scope.
    ends: Ends,
}

#[derive(Clone, Debug)]
struct Ends {
    access_key: usize,
    date: usize,
    region: usize,
    service: usize,
}

impl<'a> Credential<'a> {
    /// Reads a credential; an access key id may hold slashes, a scope may not.
    pub fn parse(text: Cow<'a, str>) -> Option<Self> {
        let to_service = text.strip_suffix("/aws4_request")?;
        let (to_region, _) = to_service.rsplit_once('/')?;
        let (to_date, _) = to_region.rsplit_once('/')?;
        let (access_key, _) = to_date.rsplit_once('/')?;
        let ends = Ends {
            access_key: access_key.len(),
            date: to_date.len(),
            region: to_region.len(),
            service: to_service.len(),
        };
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
        self.text.get(..self.ends.access_key).unwrap_or("")
    }

    pub fn date(&self) -> &str {
        self.part(self.ends.access_key, self.ends.date)
    }

    pub fn region(&self) -> &str {
        self.part(self.ends.date, self.ends.region)
    }

    pub fn service(&self) -> &str {
        self.part(self.ends.region, self.ends.service)
    }

    /// Everything after the access key id.
    pub fn scope(&self) -> &str {
        self.text.get(self.ends.access_key + 1..).unwrap_or("")
    }

    /// What stands between two slashes.
    fn part(&self, slash: usize, end: usize) -> &str {
        self.text.get(slash + 1..end).unwrap_or("")
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
