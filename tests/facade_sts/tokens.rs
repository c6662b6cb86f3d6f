//! Tokens that are not what they should be.

use crate::harness::product::{ACCESS_KEY, SECRET};
use crate::harness::sigv4::Credentials;
use crate::{BUCKET, TABLE_POLICY, assert_refused, credentials, product};

#[tokio::test]
async fn a_token_belongs_to_its_id_and_its_secret() {
    let product = product().await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let (one, other) = (credentials(&product, TABLE_POLICY).await, credentials(&product, TABLE_POLICY).await);
    let token = one.session_token.clone().unwrap();
    let with_token = |token: &str| Credentials { session_token: Some(token.into()), ..one.clone() };
    let pair = Credentials::new(ACCESS_KEY, SECRET);
    let half = token.len() / 2;
    let changed =
        format!("{}{}{}", &token[..half], if &token[half..=half] == "A" { "B" } else { "A" }, &token[half + 1..]);
    for (credentials, status, code, context) in [
        (Credentials { session_token: None, ..one.clone() }, 403, "InvalidAccessKeyId", "no token"),
        (with_token(""), 400, "InvalidToken", "an empty token"),
        (with_token("canary-token"), 400, "InvalidToken", "a token of nobody"),
        (with_token(other.session_token.as_deref().unwrap()), 400, "InvalidToken", "the token of another session"),
        (with_token(&changed), 400, "InvalidToken", "one character changed"),
        (with_token(&token[..half]), 400, "InvalidToken", "half a token"),
        (with_token(&format!("{token}AAAA")), 400, "InvalidToken", "a longer token"),
        (with_token(&token.to_lowercase()), 400, "InvalidToken", "in lower case"),
        (
            Credentials { secret_key: other.secret_key.clone(), ..one.clone() },
            403,
            "SignatureDoesNotMatch",
            "another secret",
        ),
        (Credentials { secret_key: SECRET.into(), ..one.clone() }, 403, "SignatureDoesNotMatch", "the pair's secret"),
        (
            Credentials { session_token: Some(token.clone()), ..pair.clone() },
            400,
            "InvalidToken",
            "the pair with a token",
        ),
    ] {
        let client = product.client().with_credentials(credentials);
        // Twice: the second time with whatever the first one left in a cache.
        for _ in 0..2 {
            for request in [
                client.object("GET", BUCKET, "ns/table/data").build(),
                client.object("GET", BUCKET, "ns/table/data").presigned(60).build(),
            ] {
                let before = product.seen();
                let answer = client.send(&request).await.unwrap();
                assert_refused(&answer, status, code, context);
                assert!(!answer.text().contains(&token[..half]), "{context} tells the token");
                product.assert_no_call_since(&before, context);
            }
        }
        let good = product.client().with_credentials(one.clone());
        assert_eq!(good.get(BUCKET, "ns/table/data").await.unwrap().status, 200, "{context}");
    }
}

#[tokio::test]
async fn a_token_is_part_of_what_is_signed() {
    let product = product().await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let one = credentials(&product, TABLE_POLICY).await;
    let token = one.session_token.clone().unwrap();
    let bare = product.client().with_credentials(Credentials { session_token: None, ..one.clone() });
    let before = product.seen();
    // Sent, and not signed.
    let request = bare.object("GET", BUCKET, "ns/table/data").unsigned_header("x-amz-security-token", &token).build();
    assert_refused(&bare.send(&request).await.unwrap(), 403, "AccessDenied", "unsigned header");
    let mut url = bare.object("GET", BUCKET, "ns/table/data").presigned(60).build();
    url.target += &format!("&X-Amz-Security-Token={token}");
    assert_refused(&bare.send(&url).await.unwrap(), 403, "SignatureDoesNotMatch", "unsigned parameter");
    // Signed in the query of a request that is signed in its header.
    let request = bare.request("GET", &format!("/{BUCKET}/ns/table/data?X-Amz-Security-Token={token}")).build();
    assert_refused(&bare.send(&request).await.unwrap(), 403, "InvalidAccessKeyId", "in the wrong place");
    product.assert_no_call_since(&before, "unsigned tokens");
}
