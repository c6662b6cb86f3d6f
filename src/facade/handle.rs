//! The life of a request: shed, authenticate, parse, authorize, carry out, answer, count.

use std::sync::atomic::{AtomicU64, Ordering};

use http::header::HOST;
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::body::Incoming;

use super::auth::{self, Caller, Identity};
use super::body::{self, ClientBody};
use super::last_move::LastMove;
use super::place::Place;
use super::tally::Tally;
use super::{Facade, ops, respond, sts};
use crate::net::Body;
use crate::net::serve::Surplus;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{Operation, Unheld};
use crate::s3::request;
use crate::s3::sigv4::ChunkSigner;
use crate::telemetry::charge::charged;
use crate::telemetry::label::{AuthFailure, S3Operation, ShedReason};

/// A request that is allowed, on its way to its operation.
pub(super) struct Call<'a> {
    pub facade: &'a Facade,
    pub caller: &'a Caller,
    pub body: ClientBody<'a>,
    pub chunk_signer: Option<ChunkSigner>,
    /// Path as it stands in the request line, for error documents.
    pub resource: String,
    pub request_id: &'a str,
}

impl Facade {
    /// Answers one request.
    pub async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let mut tally = Tally::begin(&self.settings.metrics.facade, self.unknown.clone());
        let request_id = next_request_id();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let result = match self.admit(&request) {
            Ok(place) => {
                tally.place = Some(place);
                self.answer(request, &request_id, &mut tally).await
            }
            Err(shed) => {
                body::forget(request);
                Err(shed)
            }
        };
        let mut response = result.unwrap_or_else(|error| {
            log_error(&error, &method, &path, &request_id, &tally);
            respond::error(&error, &path, &request_id, method == Method::HEAD)
        });
        respond::set(response.headers_mut(), header::REQUEST_ID.clone(), &request_id);
        respond::always(response.headers_mut());
        tracing::debug!(
            target: "bluebucket::access",
            method = %method,
            path,
            operation = tally.operation.label(),
            component = tally.component(),
            session = tally.session(),
            status = response.status().as_u16(),
            micros = tally.begun.elapsed().as_micros() as u64,
            request_id,
            "request"
        );
        if is_long(response.body())
            && let Some(place) = &mut tally.place
        {
            place.stream(&self.settings.budget);
        }
        tally.follow(response)
    }

    /// A place among the requests being worked on. There is no line to wait in: whoever is refused knows
    /// it at once, and whoever is admitted is served at once.
    fn admit(&self, request: &Request<Incoming>) -> Result<Place> {
        let surplus = request.extensions().get::<Surplus>().is_some();
        let place = if surplus { None } else { Place::take(&self.settings.in_flight) };
        place.ok_or_else(|| {
            let reason = if surplus { ShedReason::Connections } else { ShedReason::InFlight };
            self.settings.metrics.facade.shed(reason);
            S3Code::SlowDown.into()
        })
    }

    async fn answer(&self, request: Request<Incoming>, request_id: &str, tally: &mut Tally) -> Result<Response<Body>> {
        let (head, body) = request.into_parts();
        if sts::is_asked(&head) {
            return Ok(Box::pin(self.answer_sts(head, body, request_id, tally)).await);
        }
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or(""));
        check_one_target(&head)?;
        // Its signature lies in the form, so it would only be told that it has none.
        if request::is_form_upload(&head.method, &head.headers) {
            return Err(request::form_upload_refused());
        }
        let identity = self.authenticate(&head.method, path, query, &head.headers)?;
        tally.caller = Some(identity.caller.clone());
        let operation = request::parse(&head.method, path, query, &head.headers, &self.settings.addressing)?;
        tally.operation = label(&operation);
        tally.received = operation.body().map_or(0, |declared| declared.length);
        let Identity { caller, chunk_signer } = identity;
        caller
            .authorize(&operation)
            .inspect_err(|_| self.settings.metrics.facade.auth_failed(AuthFailure::NotAllowed))?;
        if let Some((unheld, _)) = operation.unheld() {
            return answer_unheld(unheld);
        }
        let resource = path.to_owned();
        let last_move = LastMove::begin();
        let body = ClientBody::new(body, self.settings.body_timeout, last_move.clone(), tally.place.as_mut());
        let writes = operation.writes();
        let call = Call { facade: self, caller: &caller, body, chunk_signer, resource, request_id };
        let charge = caller.key.metrics.charge(tally.operation);
        tokio::select! {
            biased;
            response = charged(charge, ops::run(call, operation)) => response,
            () = last_move.still_for(self.settings.request_timeout) => Err(overdue(writes)),
        }
    }

    fn authenticate(&self, method: &Method, path: &str, query: &str, headers: &http::HeaderMap) -> Result<Identity> {
        auth::authenticate(
            &self.settings.keys,
            (&self.sessions, &self.signing_keys),
            &self.settings.region,
            (method, path, query, headers),
            (self.clock)(),
        )
        .map_err(|(error, reason)| {
            self.settings.metrics.facade.auth_failed(reason);
            error
        })
    }
}

/// An answer that its client may take slowly: any shorter one fits into the buffers of its connection,
/// few as they are where there are many connections.
fn is_long(body: &Body) -> bool {
    matches!(body, Body::Stream { length: Some(length), .. } if *length > SHORT_ANSWER)
}

/// hyper takes in 16 pieces of a body, and the account sends as little as a TLS record in one.
const SHORT_ANSWER: u64 = 16 * 1024;

/// Two hosts could mean two buckets to two readers, and only one of them is signed: several Host headers (RFC 9112
/// section 3.2), or a target in absolute form that names another host.
fn check_one_target(head: &Parts) -> Result<()> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next().map_or(&b""[..], |host| host.as_bytes());
    let named = head.uri.authority().map_or(host, |named| named.as_str().as_bytes());
    if hosts.next().is_none() && named.eq_ignore_ascii_case(host) {
        return Ok(());
    }
    Err(S3Error::new(S3Code::InvalidRequest, "The request names more than one host."))
}

/// The store took too long. A write may have landed, which an honest 500 says.
fn overdue(writes: bool) -> S3Error {
    if writes { S3Code::InternalError.into() } else { S3Code::ServiceUnavailable.into() }
}

/// A key that Blob Storage cannot hold is not there.
fn answer_unheld(unheld: Unheld) -> Result<Response<Body>> {
    match unheld {
        Unheld::NoSuchKey => Err(S3Code::NoSuchKey.into()),
        Unheld::NoSuchUpload => Err(S3Code::NoSuchUpload.into()),
        Unheld::Deleted => Ok(respond::empty(http::StatusCode::NO_CONTENT)),
    }
}

/// Logged once, here. What a client got wrong is its own business; a 404 is everyday life.
fn log_error(error: &S3Error, method: &Method, path: &str, request_id: &str, tally: &Tally) {
    let (code, status) = (error.code().as_str(), error.status().as_u16());
    let cause = error.cause().map(ToString::to_string).unwrap_or_default();
    let component = tally.component();
    // The store refused the facade's own credential: nothing that the client could mend.
    let store_refused = error.cause().is_some_and(|cause| cause.status() == Some(403));
    if status >= 500 || store_refused {
        tracing::warn!(%method, path, component, code, status, cause, request_id, "request failed");
    } else {
        tracing::debug!(%method, path, component, code, status, cause, request_id, "request refused");
    }
}

/// Sixteen hex digits, as S3's own: unique in the process, and hardly ever twice in the fleet.
fn next_request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SALT: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| fastrand::u64(..));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Spread by a multiplication with an odd constant (2^64 / golden ratio), which loses nothing.
    format!("{:016X}", SALT.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn label(operation: &Operation) -> S3Operation {
    match operation {
        Operation::ListBuckets(_) => S3Operation::ListBuckets,
        Operation::HeadBucket(_) => S3Operation::HeadBucket,
        Operation::CreateBucket(_) => S3Operation::CreateBucket,
        Operation::DeleteBucket(_) => S3Operation::DeleteBucket,
        Operation::GetBucketLocation(_) => S3Operation::GetBucketLocation,
        Operation::GetBucketVersioning(_) => S3Operation::GetBucketVersioning,
        Operation::GetBucketAcl(_) | Operation::PutBucketAcl(_) | Operation::GetBucketSetting(..) => {
            S3Operation::BucketSubresource
        }
        Operation::ListObjectsV1(_) => S3Operation::ListObjects,
        Operation::ListObjectsV2(_) => S3Operation::ListObjectsV2,
        Operation::ListObjectVersions(_) => S3Operation::ListObjectVersions,
        Operation::ListMultipartUploads(_) => S3Operation::ListMultipartUploads,
        Operation::DeleteObjects(_) => S3Operation::DeleteObjects,
        Operation::GetObject(_) => S3Operation::GetObject,
        Operation::HeadObject(_) => S3Operation::HeadObject,
        Operation::GetObjectAttributes(_) => S3Operation::GetObjectAttributes,
        Operation::GetObjectAcl(_) | Operation::PutObjectAcl(_) => S3Operation::ObjectSubresource,
        Operation::PutObject(_) => S3Operation::PutObject,
        Operation::CopyObject(_) => S3Operation::CopyObject,
        Operation::DeleteObject(_) => S3Operation::DeleteObject,
        Operation::GetObjectTagging(_) => S3Operation::GetObjectTagging,
        Operation::PutObjectTagging(_) => S3Operation::PutObjectTagging,
        Operation::DeleteObjectTagging(_) => S3Operation::DeleteObjectTagging,
        Operation::CreateMultipartUpload(_) => S3Operation::CreateMultipartUpload,
        Operation::UploadPart(_) => S3Operation::UploadPart,
        Operation::UploadPartCopy(_) => S3Operation::UploadPartCopy,
        Operation::CompleteMultipartUpload(_) => S3Operation::CompleteMultipartUpload,
        Operation::AbortMultipartUpload(_) => S3Operation::AbortMultipartUpload,
        Operation::ListParts(_) => S3Operation::ListParts,
        Operation::Unsupported { .. } | Operation::MethodNotAllowed => S3Operation::Unsupported,
    }
}
