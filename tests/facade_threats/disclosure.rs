//! S17, S19 and S22: what answers, metrics and the facade's port give away.

use bluebucket::telemetry::Metrics;

use crate::harness::product::{BUCKET, CONTAINER, OTHER_BUCKET};
use crate::harness::random::{Random, seed};
use crate::harness::refusal::{assert_tells_nothing, product};
use crate::harness::s3_client::{BodyMode, Response};

fn assert_safe(answer: &Response, context: &str) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{context}");
    for (name, value) in &answer.head.headers {
        let name = name.to_ascii_lowercase();
        assert!(
            !name.starts_with("access-control-") && !name.starts_with("x-ms-") && name != "set-cookie",
            "{context}: {name}"
        );
        assert!(
            !value.contains("hyper") && !value.contains("Windows-Azure") && !value.contains(CONTAINER),
            "{context}: {value}"
        );
    }
    assert_tells_nothing(answer, context);
}

/// Objects hold what clients put into them: no browser may take one for a page of ours.
#[tokio::test]
async fn every_answer_is_safe_in_a_browser() {
    let product = product().await;
    let client = product.client();
    let page = client.object("PUT", BUCKET, "page").header("content-type", "text/html");
    client.send(&page.body(b"<script>alert(1)</script>", BodyMode::Signed).build()).await.unwrap();
    let etag = client.head(BUCKET, "page").await.unwrap().header("etag").unwrap().to_owned();
    for (method, target, headers) in [
        ("GET", format!("/{BUCKET}/page"), vec![]),
        ("HEAD", format!("/{BUCKET}/page"), vec![]),
        ("GET", format!("/{BUCKET}/page"), vec![("if-none-match", etag.as_str())]),
        ("GET", format!("/{BUCKET}/page"), vec![("range", "bytes=0-1")]),
        ("GET", format!("/{BUCKET}/page"), vec![("range", "bytes=100-")]),
        ("GET", format!("/{BUCKET}/none"), vec![]),
        ("GET", format!("/{BUCKET}?list-type=2"), vec![]),
        ("GET", "/".into(), vec![]),
        ("PUT", format!("/{BUCKET}/new"), vec![]),
        ("DELETE", format!("/{BUCKET}/new"), vec![]),
        ("POST", format!("/{BUCKET}/new?uploads"), vec![]),
        ("PATCH", format!("/{BUCKET}/new"), vec![]),
        ("TRACE", format!("/{BUCKET}/new"), vec![]),
        ("OPTIONS", format!("/{BUCKET}/new"), vec![]),
        ("PROPFIND", format!("/{BUCKET}/new"), vec![]),
    ] {
        let builder =
            headers.iter().fold(client.request(method, &target), |request, (name, value)| request.header(name, value));
        let builder = builder.unsigned_header("origin", "https://evil.example");
        let builder = builder.unsigned_header("access-control-request-method", "PUT");
        for request in [builder.build(), builder.clone().anonymous().build(), builder.clone().presigned(60).build()] {
            let answer = client.send(&request).await.unwrap();
            assert_safe(&answer, &format!("{method} {target}: {} {}", answer.status, answer.text()));
            assert!(!answer.text().contains("evil.example"), "{method} {target}");
        }
    }
}

/// Headers that a client asks for in the answer: on signed requests only, and never more than one line.
#[tokio::test]
async fn overrides_are_signed_and_one_line() {
    let product = product().await;
    let client = product.client();
    for name in ["type", "language", "disposition", "encoding"]
        .map(|name| format!("response-content-{name}"))
        .into_iter()
        .chain(["response-expires".to_owned(), "response-cache-control".into()])
    {
        for value in [
            "a%0d%0aset-cookie%3a%20x",
            "a%0aset-cookie%3a%20x",
            "a%0d",
            "a%00",
            "a%1b",
            "%7f",
            "a%c2%85b",
            "a%0d%0a%0d%0a%3cscript%3e",
        ] {
            let target = format!("/{BUCKET}/key?{name}={value}");
            for request in [
                client.request("GET", &target),
                client.request("HEAD", &target),
                client.request("GET", &target).presigned(60),
            ] {
                let before = product.seen();
                let answer = client.send(&request.build()).await.unwrap();
                assert_eq!(answer.status, 400, "{target}: {}", answer.text());
                assert_safe(&answer, &target);
                product.assert_no_call_since(&before, &target);
            }
        }
        let mut added = client.object("GET", BUCKET, "key").build();
        added.target = format!("{}?{name}=text%2Fhtml", added.target);
        assert_eq!(client.send(&added).await.unwrap().status, 403, "{name}");
        let anonymous = client.request("GET", &format!("/{BUCKET}/key?{name}=text%2Fhtml")).anonymous().build();
        assert_eq!(client.send(&anonymous).await.unwrap().status, 403, "{name}");
    }
}

/// The facade's port has nothing but S3: no metrics, no health, no configuration, whoever asks.
#[tokio::test]
async fn nothing_but_s3_on_the_port_of_s3() {
    let product = product().await;
    let client = product.client();
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/status",
        "/config",
        "/env",
        "/debug/pprof/heap",
        "/debug/vars",
        "/actuator/env",
        "/minio/bootstrap/v1/verify",
        "/minio/health/live",
        "/minio/admin/v3/info",
        "/rustfs/console/",
        "/.env",
        "/.git/config",
        "/latest/meta-data/",
        "/metadata/identity/oauth2/token",
        "/etc/passwd",
        "/swagger.json",
        "/favicon.ico",
        "/robots.txt",
    ] {
        for request in [client.request("GET", path).anonymous().build(), client.request("GET", path).build()] {
            let before = product.seen();
            let answer = client.send(&request).await.unwrap();
            assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
            assert_safe(&answer, path);
            assert_eq!(answer.header("content-type"), Some("application/xml"), "{path}");
            for word in ["bluebucket_", "listen", "secret", "region", CONTAINER, "PATH="] {
                assert!(!answer.text().to_lowercase().contains(word), "{path} tells {word}: {}", answer.text());
            }
            product.assert_no_call_since(&before, path);
        }
    }
    // A bucket of somebody else and one that is not there look the same to whoever may see neither.
    let anonymous = |target: &str| client.request("GET", target).anonymous().build();
    let text = |answer: Response| {
        let id = answer.element("RequestId").unwrap();
        let resource = answer.element("Resource").unwrap();
        (answer.status, answer.text().replace(&id, "").replace(&resource, ""))
    };
    let there = text(client.send(&anonymous(&format!("/{OTHER_BUCKET}/key"))).await.unwrap());
    let absent = text(client.send(&anonymous("/no-such-bucket-at-all/key")).await.unwrap());
    assert_eq!(there, absent);
}

/// What clients send names no series: neither keys nor buckets, nor ids, nor methods.
#[tokio::test]
async fn metrics_do_not_grow_with_what_clients_send() {
    let product = product().await;
    let mut random = Random::new(seed("metrics_do_not_grow_with_what_clients_send"));
    let series = |metrics: &Metrics| metrics.render().lines().filter(|line| !line.starts_with('#')).count();
    let mut once = 0;
    for round in 0..3 {
        for index in 0..100 {
            let word = format!("canary-{:x}", random.next());
            let client = product.client_as(&word, "a secret that is long enough");
            let known = product.client();
            for request in [
                client.object("GET", BUCKET, &word).build(),
                known.object("GET", BUCKET, &word).build(),
                known.object("GET", &word[..20.min(word.len())], "key").build(),
                known.request(&format!("X{}", index % 50), &format!("/{BUCKET}/{word}")).build(),
                known
                    .request("GET", &format!("/{BUCKET}/{word}?{word}={word}"))
                    .unsigned_header("user-agent", &word)
                    .build(),
            ] {
                known.send(&request).await.unwrap();
            }
        }
        match round {
            0 => once = series(&product.metrics),
            _ => assert_eq!(series(&product.metrics), once, "round {round}"),
        }
    }
    let text = product.metrics.render();
    for word in ["canary", BUCKET, "devstoreaccount1", "AKFLINK", "127.0.0.1"] {
        assert!(!text.contains(word), "the metrics hold {word}");
    }
}
