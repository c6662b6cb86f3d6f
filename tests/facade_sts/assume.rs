//! AssumeRole and GetCallerIdentity as SDKs see them.

use crate::harness::product::{ACCESS_KEY, Product, SECRET};
use crate::harness::s3_client::BodyMode;
use crate::harness::sigv4::Credentials;
use crate::{TABLE_POLICY, assert_refused, assume_role, credentials_of, form, product, sts};

const ROLE: (&str, &str) = ("RoleArn", "arn:aws:iam::123456789012:role/lab/polaris");
const IDENTITY: [(&str, &str); 2] = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];

#[tokio::test]
async fn the_answer_is_that_of_sts() {
    let product = product().await;
    let client = sts(&product);
    let before = product.seen();
    let fields = [ROLE, ("Policy", TABLE_POLICY), ("DurationSeconds", "900"), ("ExternalId", "x")];
    let answer = client.send(&assume_role(&client, &fields).build()).await.unwrap();
    let text = answer.text();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml")), "{text}");
    let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
        <Arn>arn:aws:sts::123456789012:assumed-role/polaris/PolarisAwsCredentialsStorageIntegration</Arn><AssumedRoleId>AROA";
    assert!(text.starts_with(start), "{text}");
    assert!(answer.element("AccessKeyId").unwrap().starts_with("ASIA"));
    assert_eq!(answer.element("SecretAccessKey").unwrap().len(), 40);
    let expiration = answer.element("Expiration").unwrap();
    assert!(expiration.len() == 20 && expiration.ends_with('Z'), "{expiration}");
    assert!(answer.element("PackedPolicySize").unwrap().parse::<u32>().unwrap() <= 100);
    assert_eq!(answer.element("RequestId").as_deref(), answer.header("x-amz-request-id"));
    // Two sessions have nothing in common.
    let (one, other) = (credentials_of(&answer), client.send(&assume_role(&client, &fields).build()).await.unwrap());
    let other = credentials_of(&other);
    assert!(one.access_key != other.access_key && one.secret_key != other.secret_key);
    product.assert_no_call_since(&before, "AssumeRole");
    let metrics = product.metrics.render();
    let line = r#"bluebucket_facade_requests_total{component="akflink",operation="sts",status="2xx"} 2"#;
    assert!(metrics.contains(line), "{metrics}");
    // Without a policy there is none to be measured, and a role need not be named.
    let answer = client.send(&assume_role(&client, &[]).build()).await.unwrap();
    assert_eq!((answer.status, answer.element("PackedPolicySize")), (200, None), "{}", answer.text());
}

#[tokio::test]
async fn clients_sign_in_many_ways() {
    let product = product().await;
    for region in ["us-east-1", "eu-central-1", "aws-global"] {
        let credentials = Credentials { service: "sts", region: region.into(), ..Credentials::new(ACCESS_KEY, SECRET) };
        let client = product.client().with_credentials(credentials);
        for request in [assume_role(&client, &[ROLE]), assume_role(&client, &[ROLE]).untold_hash()] {
            let answer = client.send(&request.build()).await.unwrap();
            assert_eq!(answer.status, 200, "{region}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn who_am_i() {
    let product = product().await;
    let client = sts(&product);
    let answer = client.send(&form(&client, &IDENTITY).build()).await.unwrap();
    assert_eq!(answer.element("Arn").as_deref(), Some("arn:aws:iam::000000000000:user/akflink"), "{}", answer.text());
    assert_eq!(answer.element("UserId").as_deref(), Some(ACCESS_KEY));
    let session = client.send(&assume_role(&client, &[ROLE]).build()).await.unwrap();
    let session = Credentials { service: "sts", ..credentials_of(&session) };
    let client = client.with_credentials(session);
    let answer = client.send(&form(&client, &IDENTITY).build()).await.unwrap();
    let arn = "arn:aws:sts::123456789012:assumed-role/polaris/PolarisAwsCredentialsStorageIntegration";
    assert_eq!(answer.element("Arn").as_deref(), Some(arn), "{}", answer.text());
    assert_eq!(answer.element("Account").as_deref(), Some("123456789012"));
    // A session does not beget another one.
    let answer = client.send(&assume_role(&client, &[ROLE]).build()).await.unwrap();
    assert_refused(&answer, 403, "AccessDenied", "a session of a session");
}

#[tokio::test]
async fn refusals_have_the_format_of_sts() {
    let product = product().await;
    let client = sts(&product);
    let before = product.seen();
    let long = format!("{}{}", TABLE_POLICY, " ".repeat(2_048));
    let wide = TABLE_POLICY.replace("table", &"\u{e9}".repeat(300));
    for (fields, status, code) in [
        (&[("DurationSeconds", "899")][..], 400, "ValidationError"),
        (&[("DurationSeconds", "43201")], 400, "ValidationError"),
        (&[("RoleArn", "polaris")], 400, "ValidationError"),
        (&[("RoleSessionName", "twice")], 400, "ValidationError"),
        (&[("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")], 400, "ValidationError"),
        (&[("Policy", "{}")], 400, "MalformedPolicyDocument"),
        (&[("Policy", "allow everything")], 400, "MalformedPolicyDocument"),
        (&[("Policy", &long)], 400, "ValidationError"),
        (&[("Policy", &wide)], 400, "PackedPolicyTooLarge"),
        (&[("Action", "GetSessionToken")], 400, "ValidationError"),
    ] {
        let answer = client.send(&assume_role(&client, fields).build()).await.unwrap();
        assert_refused(&answer, status, code, &format!("{fields:?}"));
        assert!(
            answer.text().contains(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
            )
        );
        assert!(answer.element("RequestId").is_some());
    }
    let unknown = form(&client, &[("Action", "GetSessionToken"), ("Version", "2011-06-15")]).build();
    assert_refused(&client.send(&unknown).await.unwrap(), 400, "InvalidAction", "unknown");
    let huge = client
        .request("POST", "/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(&[b'a'; 65 << 10], BodyMode::Signed);
    assert_refused(&client.send(&huge.build()).await.unwrap(), 400, "ValidationError", "huge");
    product.assert_no_call_since(&before, "refusals");
}

#[tokio::test]
async fn who_is_not_let_in() {
    let product = product().await;
    let client = sts(&product);
    let ask = |credentials: Credentials| assume_role(&client.with_credentials(credentials), &[ROLE]);
    let good = || Credentials { service: "sts", ..Credentials::new(ACCESS_KEY, SECRET) };
    let mut added = ask(good()).build();
    added.body.extend_from_slice(b"&DurationSeconds=43200");
    added.set_header("content-length", &added.body.len().to_string());
    let mut exchanged = ask(good()).untold_hash().build();
    let at = exchanged.body.iter().position(|byte| *byte == b'1').unwrap();
    exchanged.body[at] = b'2';
    let mut unsigned = ask(good()).build();
    unsigned.remove_header("authorization");
    let mut spoiled = ask(good()).build();
    spoiled.spoil_signature();
    let unsigned_payload = ask(good()).body(b"Action=AssumeRole", BodyMode::Unsigned).build();
    let token = Credentials { session_token: Some("canary-token".into()), ..good() };
    for (request, status, code, context) in [
        (added, 403, "SignatureDoesNotMatch", "more than was signed"),
        (exchanged, 403, "SignatureDoesNotMatch", "another body"),
        (unsigned, 403, "MissingAuthenticationToken", "unsigned"),
        (spoiled, 403, "SignatureDoesNotMatch", "spoiled"),
        (unsigned_payload, 403, "SignatureDoesNotMatch", "the body has to be signed"),
        (ask(Credentials { secret_key: "another".into(), ..good() }).build(), 403, "SignatureDoesNotMatch", "secret"),
        (ask(Credentials { access_key: "AKNOBODY".into(), ..good() }).build(), 403, "InvalidClientTokenId", "id"),
        (ask(Credentials { service: "s3", ..good() }).build(), 400, "IncompleteSignature", "service"),
        (ask(token).build(), 403, "InvalidClientTokenId", "token"),
        (ask(good()).skewed(-3_600).build(), 400, "RequestExpired", "clock"),
    ] {
        let before = product.seen();
        let answer = client.send(&request).await.unwrap();
        assert_refused(&answer, status, code, context);
        assert!(!answer.text().contains(SECRET) && !answer.text().contains("canary-token"), "{}", answer.text());
        product.assert_no_call_since(&before, context);
    }
    // A signature for the token service opens nothing else.
    let answer = client.get(crate::BUCKET, "ns/table/x").await.unwrap();
    assert_refused(&answer, 400, "AuthorizationHeaderMalformed", "service of an S3 request");
}

#[tokio::test]
async fn without_sealing_keys_the_setting_is_named() {
    let product = Product::start().await;
    let client = sts(&product);
    let answer = client.send(&assume_role(&client, &[ROLE]).build()).await.unwrap();
    assert_refused(&answer, 501, "NotImplemented", "off");
    assert!(answer.element("Message").unwrap().contains("facade.sts.keys_dir"), "{}", answer.text());
    // The token service still knows whom it speaks to.
    assert_eq!(client.send(&form(&client, &IDENTITY).build()).await.unwrap().status, 200);
}
