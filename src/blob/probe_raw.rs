//! Requests that no operation of this client would send: wrong ones, and those of which only the
//! bare answer is of interest. For diagnosis.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};

use super::operation::Operation;
use super::request::{Call, names};
use super::retry::Tries;
use super::upload::Upload;
use super::{BlobClient, response, xml};
use crate::object::{Error, ErrorKind, Result, Retry};

/// What the service answered, whatever it was.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    pub status: u16,
    /// `x-ms-error-code`, else the code in the body.
    pub code: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Longest body read, in bytes.
const BODY_MAX: usize = 16 << 20;

impl BlobClient {
    /// Sends a request as it is, authenticated as every other. `target` is the path below the account,
    /// with its query, percent-encoded. A throttled request is sent again, nothing else.
    ///
    /// # Errors
    /// `AuthExpired` without a status if there is no credential to sign with, `Unavailable` or `Timeout`
    /// if no answer came, `Throttled` if the service asked for patience too often.
    pub async fn probe_raw(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<RawAnswer> {
        let call = self.raw_call(method, target, headers, body.len() as u64)?;
        let mut tries = Tries::new(&self.inner.retry.backoff);
        loop {
            let mut upload = Upload::new(body.clone().into(), None).await?;
            let body = upload.body().ok_or_else(|| Error::new(ErrorKind::Unexpected, "there is no body to send"))?;
            let answer = self.exchange(&call, body).await?;
            if !matches!(answer.status().as_u16(), 429 | 503) {
                return read(answer).await;
            }
            let error = Error::new(ErrorKind::Throttled, "the service asks for fewer requests");
            let retry = super::error::retry_after(answer.headers()).map_or(Retry::Backoff, Retry::After);
            response::head(answer).await;
            tries.wait(error.with_retry(retry)).await?;
        }
    }

    fn raw_call(&self, method: Method, target: &str, headers: &[(&str, &str)], length: u64) -> Result<Call> {
        let mut path = self.inner.account.path.clone();
        path.push_str(target);
        let has_body = method == Method::PUT || method == Method::POST || method == Method::PATCH;
        let mut call = Call::new(Operation::Probe, method, path);
        if has_body {
            call.content_length(length);
        }
        for (name, value) in headers {
            let name = HeaderName::try_from(*name)
                .map_err(|_| Error::new(ErrorKind::Invalid, format!("{name} is no header name")))?;
            call.text(name, value)?;
        }
        Ok(call)
    }
}

async fn read(answer: response::Answer) -> Result<RawAnswer> {
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let body = response::collect(Operation::Probe, answer, BODY_MAX).await?;
    let told = response::text(&headers, &names::ERROR_CODE).map(str::to_owned);
    let code = told.or_else(|| (status >= 300).then(|| xml::find(&body, "Code")).flatten());
    Ok(RawAnswer { status, code, headers, body })
}

impl RawAnswer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
