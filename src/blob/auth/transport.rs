//! Carries the requests of the credential crate over our own connections.

use std::fmt;

use async_trait::async_trait;
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body as AzureBody, HttpClient, Request as AzureRequest, StatusCode};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Limited};

use crate::net::{self, Body, Endpoint};

/// The transport. With `elsewhere` every request goes there, whatever host its URL names.
pub(super) struct EntraTransport {
    http: net::Client,
    elsewhere: Option<Endpoint>,
}

impl EntraTransport {
    pub fn new(http: net::Client, elsewhere: Option<Endpoint>) -> Self {
        Self { http, elsewhere }
    }

    fn endpoint(&self, request: &AzureRequest) -> azure_core::Result<Endpoint> {
        match &self.elsewhere {
            Some(endpoint) => Ok(endpoint.clone()),
            None => {
                let origin = request.url().origin().ascii_serialization();
                Endpoint::parse(&origin).map(|(endpoint, _)| endpoint).map_err(failed)
            }
        }
    }
}

#[async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &AzureRequest) -> azure_core::Result<AsyncRawResponse> {
        let endpoint = self.endpoint(request)?;
        let outgoing = translate(request, &endpoint)?;
        let response = self.http.send(&endpoint, outgoing).await.map_err(|error| failed(error.source))?;
        let (parts, body) = response.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &parts.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let bytes = Limited::new(body, ANSWER_MAX).collect().await.map_err(failed)?.to_bytes();
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(parts.status.as_u16()), headers, bytes))
    }
}

/// Longest answer of a token service in bytes.
const ANSWER_MAX: usize = 1 << 20;

fn translate(request: &AzureRequest, endpoint: &Endpoint) -> azure_core::Result<Request<Body>> {
    let AzureBody::Bytes(bytes) = request.body() else {
        return Err(Error::with_message(ErrorKind::Other, "a token request has no streamed body"));
    };
    let mut target = request.url().path().to_owned();
    if let Some(query) = request.url().query() {
        target = format!("{target}?{query}");
    }
    let mut out = Request::new(Body::from(bytes.clone()));
    *out.method_mut() = Method::from_bytes(request.method().as_str().as_bytes()).map_err(failed)?;
    *out.uri_mut() = target.parse().map_err(failed)?;
    for (name, value) in request.headers().iter() {
        let name = HeaderName::try_from(name.as_str()).map_err(failed)?;
        out.headers_mut().insert(name, HeaderValue::try_from(value.as_str()).map_err(failed)?);
    }
    out.headers_mut().insert(HOST, HeaderValue::try_from(endpoint.authority()).map_err(failed)?);
    out.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(out)
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::with_error(ErrorKind::Io, error, "the token service cannot be reached")
}

impl fmt::Debug for EntraTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntraTransport")
    }
}
