//! Temporary credentials: AssumeRole on the facade's own endpoint, and what a session may do.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_sts/assume.rs"]
mod assume;
#[path = "facade_sts/lifetime.rs"]
mod lifetime;
#[path = "facade_sts/narrowing.rs"]
mod narrowing;
#[path = "facade_sts/tokens.rs"]
mod tokens;

use bluebucket::facade::SealingKeys;
use harness::percent;
use harness::product::{ACCESS_KEY, OTHER_BUCKET, Product, SECRET, Setup};
use harness::s3_client::{BodyMode, RequestBuilder, Response, S3Client};
use harness::sigv4::Credentials;

/// The bucket of the tables.
const BUCKET: &str = OTHER_BUCKET;
const KEY: [u8; 32] = [7; 32];

/// What Polaris vends for a table, word for word but for its name.
const TABLE_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::local-iceberg-test/ns/table/*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::local-iceberg-test","Condition":{"StringLike":{"s3:prefix":"ns/table/*"}}},{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::local-iceberg-test"},{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::local-iceberg-test/ns/table/*"}]}"#;

/// A product that gives out temporary credentials.
async fn product() -> Product {
    with(Setup::default()).await
}

async fn with(setup: Setup) -> Product {
    let product = Product::with(setup).await;
    product.keys.replace_sealing(SealingKeys::new([KEY]));
    product
}

/// A client of the token service with the first key pair.
fn sts(product: &Product) -> S3Client {
    product.client().with_credentials(Credentials { service: "sts", ..Credentials::new(ACCESS_KEY, SECRET) })
}

/// A request with a form.
fn form(client: &S3Client, fields: &[(&str, &str)]) -> RequestBuilder {
    let encode = |text: &str| percent::encode(text.as_bytes(), b"");
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    client
        .request("POST", "/")
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .body(pairs.join("&").as_bytes(), BodyMode::Signed)
}

/// AssumeRole as Polaris sends it, with these fields besides.
fn assume_role(client: &S3Client, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut all = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleSessionName", "PolarisAwsCredentialsStorageIntegration"),
    ];
    all.extend_from_slice(fields);
    form(client, &all)
}

/// The credentials of a new session with a policy.
async fn credentials(product: &Product, policy: &str) -> Credentials {
    credentials_by(product, &sts(product), policy).await
}

async fn credentials_by(product: &Product, client: &S3Client, policy: &str) -> Credentials {
    let before = product.seen();
    let answer = client.send(&assume_role(client, &[("Policy", policy)]).build()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    product.assert_no_call_since(&before, "AssumeRole");
    credentials_of(&answer)
}

fn credentials_of(answer: &Response) -> Credentials {
    let text = |name: &str| answer.element(name).unwrap_or_else(|| panic!("no {name} in {}", answer.text()));
    Credentials {
        session_token: Some(text("SessionToken")),
        ..Credentials::new(&text("AccessKeyId"), &text("SecretAccessKey"))
    }
}

/// A client with a session for the table.
async fn table(product: &Product) -> S3Client {
    product.client().with_credentials(credentials(product, TABLE_POLICY).await)
}

#[track_caller]
fn assert_refused(response: &Response, status: u16, code: &str, context: &str) {
    assert_eq!((response.status, response.code().as_deref()), (status, Some(code)), "{context}: {}", response.text());
}
