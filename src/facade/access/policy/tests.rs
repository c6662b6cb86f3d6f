use super::*;
use crate::object::BucketName;

/// What Polaris vends for reading and writing one table: single values are texts, several are lists.
const POLARIS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],
     "Resource":"arn:aws:s3:::local-iceberg-test/ns/table/*"},
    {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::local-iceberg-test",
     "Condition":{"StringLike":{"s3:prefix":"ns/table/*"}}},
    {"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::local-iceberg-test"},
    {"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],
     "Resource":["arn:aws:s3:::local-iceberg-test/ns/table/*","arn:aws:s3:::local-iceberg-test/shared/*"]}]}"#;

struct Asked {
    iceberg: BucketName,
    other: BucketName,
}

impl Asked {
    fn new() -> Self {
        let name = |name| BucketName::new(name).unwrap();
        Self { iceberg: name("local-iceberg-test"), other: name("local-iceberg-test2") }
    }

    /// `bucket`, `bucket?prefix` or `bucket/key`.
    fn resource<'a>(&'a self, text: &'a str) -> Resource<'a> {
        let end = text.find(['/', '?']).unwrap_or(text.len());
        let bucket = if &text[..end] == self.other.as_str() { &self.other } else { &self.iceberg };
        match text.get(end..end + 1) {
            Some("/") => Resource::Object { bucket, key: &text[end + 1..] },
            Some(_) => Resource::Listing { bucket, prefix: &text[end + 1..] },
            None => Resource::Bucket(bucket),
        }
    }
}

#[track_caller]
fn check(policy: &str, cases: &[(Action, &str, bool)]) {
    let asked = Asked::new();
    let parsed = Policy::parse(policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    for &(action, on, allowed) in cases {
        assert_eq!(parsed.allows(action, asked.resource(on)), allowed, "{action:?} on {on} by {policy}");
    }
}

#[test]
fn the_policy_of_polaris() {
    use Action as A;
    check(
        POLARIS,
        &[
            (A::GetObject, "local-iceberg-test/ns/table/data/a.parquet", true),
            (A::GetObjectVersion, "local-iceberg-test/ns/table/data/a.parquet", true),
            (A::PutObject, "local-iceberg-test/ns/table/metadata/v1.json", true),
            (A::DeleteObject, "local-iceberg-test/ns/table/x", true),
            (A::GetObject, "local-iceberg-test/shared/x", true),
            (A::PutObject, "local-iceberg-test/shared/x", false),
            (A::GetObject, "local-iceberg-test/ns/table2/x", false),
            (A::GetObject, "local-iceberg-test/ns/table", false),
            (A::GetObject, "local-iceberg-test2/ns/table/x", false),
            (A::ListBucket, "local-iceberg-test?ns/table/", true),
            (A::ListBucket, "local-iceberg-test?ns/table/data", true),
            (A::ListBucket, "local-iceberg-test?ns/table", false),
            (A::ListBucket, "local-iceberg-test?", false),
            (A::ListBucket, "local-iceberg-test2?ns/table/", false),
            (A::HeadBucket, "local-iceberg-test", false),
            (A::GetBucketLocation, "local-iceberg-test", true),
            (A::GetBucketLocation, "local-iceberg-test2", false),
            (A::ListBucketVersions, "local-iceberg-test?ns/table/", false),
            (A::ListBucketMultipartUploads, "local-iceberg-test?ns/table/", false),
            (A::AbortMultipartUpload, "local-iceberg-test/ns/table/x", false),
            (A::PutObjectTagging, "local-iceberg-test/ns/table/x", false),
            (A::GetObjectTagging, "local-iceberg-test/ns/table/x", false),
            (A::DeleteBucket, "local-iceberg-test", false),
            (A::Unserved, "local-iceberg-test", false),
        ],
    );
}

fn statement(inner: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{{inner}}}}}"#)
}

/// An Allow of everything and one Deny.
fn denying(inner: &str) -> String {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    format!(r#"{{"Version":"2012-10-17","Statement":[{all},{{"Effect":"Deny",{inner}}}]}}"#)
}

#[test]
fn elements() {
    use Action as A;
    let key = "local-iceberg-test/a/k";
    let allow = |rest: &str| statement(&format!(r#""Sid":"x","Effect":"Allow",{rest}"#));
    for (policy, action, on, allowed) in [
        (allow(r#""Action":"S3:getOBJECT","Resource":"*""#), A::GetObject, key, true),
        (allow(r#""Action":"s3:Get*","Resource":"*""#), A::GetObjectTagging, key, true),
        (allow(r#""Action":"s3:Get*","Resource":"*""#), A::PutObject, key, false),
        (allow(r#""Action":"s3:GetObjec?","Resource":"*""#), A::GetObject, key, true),
        (allow(r#""Action":"kms:*","Resource":"*""#), A::GetObject, key, false),
        (allow(r#""Action":"GetObject","Resource":"*""#), A::GetObject, key, false),
        (allow(r#""Action":"s3:Made*Up","Resource":"*""#), A::GetObject, key, false),
        (allow(r#""NotAction":"s3:Put*","Resource":"*""#), A::GetObject, key, true),
        (allow(r#""NotAction":"s3:Put*","Resource":"*""#), A::PutObject, key, false),
        (allow(r#""Action":"*","NotResource":"arn:aws:s3:::local-iceberg-test/a/*""#), A::GetObject, key, false),
        (allow(r#""Action":"*","NotResource":"arn:aws:s3:::local-iceberg-test/b/*""#), A::GetObject, key, true),
        (allow(r#""Action":"*","NotResource":"arn:aws:kms:::key/*""#), A::GetObject, key, true),
        // Not understood: nothing is allowed by it.
        (allow(r#""Action":"*","NotResource":"arn:aws:s3:::${aws:username}/*""#), A::GetObject, key, false),
        (allow(r#""Action":"*","Resource":"arn:aws:s3:::${aws:username}*""#), A::GetObject, key, false),
        (allow(r#""Action":"*","Resource":"local-iceberg-test/*""#), A::GetObject, key, false),
        (allow(r#""Action":"*""#), A::GetObject, key, false),
        (
            allow(r#""Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#),
            A::GetObject,
            key,
            false,
        ),
        (allow(r#""Action":"*","Resource":"*","Condition":{}"#), A::GetObject, key, true),
        // Deny outweighs, and is honoured where only its condition or resource is not understood.
        (denying(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::*/a/*""#), A::GetObject, key, false),
        (denying(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::*/b/*""#), A::GetObject, key, true),
        (denying(r#""Action":"s3:PutObject","Resource":"*""#), A::GetObject, key, true),
        (denying(r#""NotAction":"s3:PutObject","Resource":"*""#), A::GetObject, key, false),
        (denying(r#""NotAction":"s3:GetObject","Resource":"*""#), A::GetObject, key, true),
        (denying(r#""Action":"*","NotResource":"arn:aws:s3:::*/b/*""#), A::GetObject, key, false),
        (denying(r#""Action":"*","NotResource":"arn:aws:s3:::*/a/*""#), A::GetObject, key, true),
        (denying(r#""Action":"*","NotResource":"arn:aws:s3:::${x}""#), A::GetObject, key, false),
        (denying(r#""Action":"*","Resource":"arn:aws:s3:::${x}""#), A::GetObject, key, false),
        (denying(r#""Action":"*","Resource":"anything""#), A::GetObject, key, false),
        (denying(r#""Action":"*","Resource":"arn:aws:kms:::key/x""#), A::GetObject, key, true),
        (
            denying(r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#),
            A::GetObject,
            key,
            false,
        ),
    ] {
        check(&policy, &[(action, on, allowed)]);
    }
}

#[test]
fn conditions() {
    let bucket = "local-iceberg-test";
    for (condition, prefix, holds) in [
        (r#"{"StringLike":{"s3:prefix":"a/*"}}"#, "a/b", true),
        (r#"{"StringLike":{"s3:prefix":"a/*"}}"#, "a", false),
        (r#"{"StringLike":{"S3:Prefix":["b/*","a/*"]}}"#, "a/", true),
        (r#"{"StringEquals":{"s3:prefix":["","a/"]}}"#, "", true),
        (r#"{"StringEquals":{"s3:prefix":["","a/"]}}"#, "a/b", false),
        (r#"{"StringEquals":{"s3:prefix":"a/*"}}"#, "a/b", false),
        (r#"{"StringNotEquals":{"s3:prefix":"a/"}}"#, "a/", false),
        (r#"{"StringNotEquals":{"s3:prefix":"a/"}}"#, "b/", true),
        (r#"{"StringNotLike":{"s3:prefix":"a/*"}}"#, "a/b", false),
        (r#"{"StringNotLike":{"s3:prefix":"a/*"}}"#, "b", true),
        (r#"{"StringLikeIfExists":{"s3:prefix":"a/*"}}"#, "b", false),
        (r#"{"StringLike":{"s3:prefix":"a/*"},"StringNotLike":{"s3:prefix":"a/b*"}}"#, "a/c", true),
        (r#"{"StringLike":{"s3:prefix":"a/*"},"StringNotLike":{"s3:prefix":"a/b*"}}"#, "a/bc", false),
    ] {
        let allow = format!(r#""Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{condition}"#);
        let deny = format!(r#""Action":"s3:ListBucket","Resource":"*","Condition":{condition}"#);
        let on = format!("{bucket}?{prefix}");
        check(&statement(&allow), &[(Action::ListBucket, &on, holds)]);
        check(&denying(&deny), &[(Action::ListBucket, &on, !holds)]);
    }
    // A request without a prefix, and conditions that nobody understands.
    for (condition, allows, denies) in [
        (r#"{"StringLike":{"s3:prefix":"*"}}"#, false, false),
        (r#"{"StringLikeIfExists":{"s3:prefix":"a"}}"#, true, true),
        (r#"{"StringNotLike":{"s3:prefix":"a"}}"#, true, true),
        (r#"{"StringLike":{"s3:delimiter":"/"}}"#, false, true),
        (r#"{"ForAnyValue:StringLike":{"s3:prefix":"*"}}"#, false, true),
        (r#"{"StringEqualsIgnoreCase":{"s3:prefix":"*"}}"#, false, true),
        (r#"{"StringNotLike":{"s3:prefix":"${aws:username}"}}"#, false, true),
        (r#"{"StringNotLike":{"s3:prefix":[]}}"#, false, true),
        (r#"{"StringNotLike":{"s3:prefix":[1]}}"#, false, true),
        (r#"{"StringNotLike":{"s3:prefix":"a","aws:UserAgent":"x"}}"#, false, true),
        (r#"{"Null":{"s3:prefix":"true"}}"#, false, true),
    ] {
        let key = "local-iceberg-test/k";
        let allow = format!(r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}"#);
        let deny = format!(r#""Action":"*","Resource":"*","Condition":{condition}"#);
        check(&statement(&allow), &[(Action::GetObject, key, allows)]);
        check(&denying(&deny), &[(Action::GetObject, key, !denies)]);
    }
}

#[test]
fn other_shapes_are_refused() {
    let allow = |rest: &str| statement(&format!(r#""Effect":"Allow",{rest}"#));
    for policy in [
        "".to_owned(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        r#"{"Statement":[]}"#.into(),
        r#"{"Statement":[null]}"#.into(),
        r#"{"Statement":"x"}"#.into(),
        r#"{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#.into(),
        r#"{"Version":"2012-10-17","Extra":1,"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#.into(),
        statement(r#""Effect":"allow","Action":"*","Resource":"*""#),
        statement(r#""Action":"*","Resource":"*""#),
        statement(r#""Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*""#),
        statement(r#""Effect":"Deny","Action":"*""#),
        allow(r#""Resource":"*""#),
        allow(r#""Action":"*","NotAction":"*","Resource":"*""#),
        allow(r#""Action":"*","Resource":"*","NotResource":"*""#),
        allow(r#""Action":[],"Resource":"*""#),
        allow(r#""NotAction":[],"Resource":"*""#),
        allow(r#""Action":"*","NotResource":[]"#),
        allow(r#""Action":["s3:GetObject",1],"Resource":"*""#),
        allow(r#""Action":{"a":"b"},"Resource":"*""#),
        allow(r#""Action":"*","Resource":[["*"]]"#),
        allow(r#""Action":"*","Resource":"*","Principal":"*""#),
        allow(r#""Action":"*","Resource":"*","NotPrincipal":"*""#),
        allow(r#""Action":"*","Resource":"*","Unknown":"*""#),
        allow(r#""Action":"*","Resource":"*","Condition":"x""#),
        allow(r#""Action":"*","Resource":"*","Condition":{"StringLike":"x"}"#),
    ] {
        assert!(Policy::parse(&policy).is_err(), "{policy}");
    }
}
