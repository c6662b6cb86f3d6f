//! What operators and their machines ask: metrics, health, readiness, status. On a listener of its
//! own, on loopback unless told otherwise, and read-only: nothing here changes anything.
//!
//! No answer holds the configuration, the environment, a key or a token.

mod columns;
pub mod components;
mod page;
mod readiness;
mod status;

use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};

pub use columns::columns;
pub use readiness::{Readiness, ReadyFlag};
pub use status::Status;

use crate::net::Body;
use crate::telemetry::Metrics;

/// Answers the requests of the admin listener.
#[derive(Clone)]
pub struct Admin {
    metrics: Arc<Metrics>,
    readiness: Readiness,
    status: Status,
}

impl Admin {
    pub fn new(metrics: Arc<Metrics>, readiness: Readiness, status: Status) -> Self {
        Self { metrics, readiness, status }
    }

    /// Answers one request; the body, if there is any, is not read.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n".into());
        }
        match request.uri().path() {
            "/metrics" => answer(StatusCode::OK, METRICS, self.metrics.render()),
            "/healthz" => answer(StatusCode::OK, TEXT, "ok\n".into()),
            "/readyz" => self.ready(),
            "/status" => answer(StatusCode::OK, JSON, self.status.report(&self.readiness).to_string()),
            "/" => answer(StatusCode::OK, HTML, page::render(&self.status.report(&self.readiness))),
            _ => answer(StatusCode::NOT_FOUND, TEXT, PATHS.into()),
        }
    }

    fn ready(&self) -> Response<Body> {
        let checks = self.readiness.report();
        let ready = checks.iter().all(|check| check.reason.is_none());
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let lines: String = checks
            .iter()
            .map(|check| match &check.reason {
                None => format!("{}: ok\n", check.name),
                Some(reason) => format!("{}: {reason}\n", check.name),
            })
            .collect();
        answer(status, TEXT, lines)
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const PATHS: &str = "there are /metrics, /healthz, /readyz, /status and /\n";

fn answer(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes::Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    async fn get(admin: &Admin, method: Method, path: &str) -> (u16, String, String) {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let response = admin.handle(request).await;
        let status = response.status().as_u16();
        let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, content_type, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn admin() -> (Admin, Readiness) {
        let readiness = Readiness::default();
        let status = Status::default();
        status.section("buckets", || json!([{"bucket": "local-iceberg-test", "phase": "<mirror>"}]));
        (Admin::new(Arc::new(Metrics::new()), readiness.clone(), status), readiness)
    }

    #[tokio::test]
    async fn paths() {
        let (admin, _) = admin();
        let (status, content_type, text) = get(&admin, Method::GET, "/metrics").await;
        assert_eq!((status, content_type.as_str()), (200, METRICS));
        assert!(text.contains("bluebucket_build_info"));
        assert_eq!(get(&admin, Method::GET, "/healthz").await.0, 200);
        assert_eq!(get(&admin, Method::GET, "/debug/pprof").await.0, 404);
        assert_eq!(get(&admin, Method::POST, "/status").await.0, 405);
        let (_, _, text) = get(&admin, Method::GET, "/status?pretty").await;
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status["ready"], true);
        assert_eq!(status["buckets"][0]["phase"], "<mirror>");
        let (_, content_type, page) = get(&admin, Method::GET, "/").await;
        assert_eq!(content_type, HTML);
        assert!(page.contains("&lt;mirror&gt;") && !page.contains("<mirror>"), "{page}");
    }

    #[tokio::test]
    async fn readiness_names_what_is_missing() {
        let (admin, readiness) = admin();
        let token = readiness.flag("token");
        readiness.check("phase", || Err("no phase record was read yet".to_owned()));
        let (status, _, text) = get(&admin, Method::GET, "/readyz").await;
        assert_eq!((status, text.as_str()), (503, "token: starting\nphase: no phase record was read yet\n"));
        token.ready();
        let (status, _, text) = get(&admin, Method::GET, "/readyz").await;
        assert!(status == 503 && text.starts_with("token: ok\n"));
        token.not_ready("draining");
        assert!(get(&admin, Method::GET, "/readyz").await.2.starts_with("token: draining\n"));
    }
}
