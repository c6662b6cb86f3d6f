//! Connections: read a request, decide its fault, answer it, keep the record.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::answer::{Answer, Body, S3Error};
use super::faults::{self, Fault};
use super::request::Request;
use super::write::{decode_body, tags_of_xml};
use super::{Access, RequestRecord, S3Source, State};
use crate::harness::http1::{self, Stream, Wire};
use crate::harness::sequence;
use crate::harness::sigv4::Canonical;

pub(super) async fn accept(source: S3Source, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(source.clone(), stream));
        while connections.try_join_next().is_some() {}
    }
}

pub(super) async fn connection<S: Stream>(source: S3Source, stream: S) {
    let mut wire = Wire::new(stream);
    // A connection that breaks is the client's business; what was asked is in the record.
    while let Ok(true) = exchange(&source, &mut wire).await {}
}

/// One request and its answer; says whether the connection goes on.
async fn exchange<S: Stream>(source: &S3Source, wire: &mut Wire<S>) -> io::Result<bool> {
    let Some(head) = wire.read_head().await? else { return Ok(false) };
    let parsed = Request::parse(&head, |label| source.state().buckets.contains_key(label));
    let (request, framing) = match (parsed, http1::request_framing(&head)) {
        (Ok(request), Ok(framing)) => (request, framing),
        (Err(error), _) => return refuse(wire, error).await,
        (_, Err(_)) => return refuse(wire, S3Error::new(400, "BadRequest", "ambiguous body length")).await,
    };
    if head.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
        wire.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = wire.read_body(framing).await.map_err(|cut| cut.error)?;
    let fault = source.state().draw_fault(&request);
    let operation = operation(&request);
    let answer = match fault {
        Some(Fault::Silence) => {
            source.state().record(operation, request, 0, 0, fault);
            std::future::pending::<()>().await;
            return Ok(false);
        }
        Some(Fault::Delay(pause)) => {
            tokio::time::sleep(pause).await;
            source.state().answer(operation, &request, body, fault)
        }
        _ => source.state().answer(operation, &request, body, fault),
    };
    let after = (request.bucket.clone(), request.key.clone());
    let (status, sent, goes_on) = send(source, wire, &request, answer, fault).await;
    source.state().record(operation, request, status, sent, fault);
    if let (Some(bucket), Some(key)) = after {
        match fault {
            Some(Fault::ChangedAfter) => faults::change(source, &bucket, &key),
            Some(Fault::DeletedAfter) => drop(source.delete(&bucket, &key)),
            _ => {}
        }
    }
    Ok(goes_on? && !http1::closes(&head))
}

async fn refuse<S: Stream>(wire: &mut Wire<S>, error: S3Error) -> io::Result<bool> {
    let answer = error.answer("");
    let head = render_head(&answer, Some(answer.body.len()), true);
    wire.write(head.as_bytes()).await?;
    if let Body::Text(text) = &answer.body {
        wire.write(text.as_bytes()).await?;
    }
    wire.flush().await?;
    Ok(false)
}

fn operation(request: &Request) -> &'static str {
    let has = |name: &str| request.query(name).is_some();
    match (request.method.as_str(), request.bucket.is_some(), request.key.is_some()) {
        ("GET", true, true) if has("tagging") => "GetObjectTagging",
        ("GET", true, true) if has("uploadId") => "ListParts",
        ("GET", true, true) => "GetObject",
        ("HEAD", true, true) => "HeadObject",
        ("PUT", true, true) if has("tagging") => "PutObjectTagging",
        ("PUT", true, true) if has("uploadId") => "UploadPart",
        ("PUT", true, true) if request.header("x-amz-copy-source").is_some() => "CopyObject",
        ("PUT", true, true) => "PutObject",
        ("DELETE", true, true) if has("tagging") => "DeleteObjectTagging",
        ("DELETE", true, true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true, true) => "DeleteObject",
        ("POST", true, true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true, true) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", true, false) if has("delete") => "DeleteObjects",
        ("GET", true, false) if has("location") => "GetBucketLocation",
        ("GET", true, false) if has("uploads") => "ListMultipartUploads",
        ("GET", true, false) if has("versioning") => "GetBucketVersioning",
        ("GET", true, false) if has("list-type") => "ListObjectsV2",
        ("GET", true, false) => "ListObjects",
        ("HEAD", true, false) => "HeadBucket",
        ("GET", false, false) => "ListBuckets",
        _ => "Unknown",
    }
}

impl State {
    fn answer(&mut self, operation: &'static str, request: &Request, body: Vec<u8>, fault: Option<Fault>) -> Answer {
        let refused = match fault {
            Some(Fault::SlowDown { retry_after }) => {
                let error = S3Error::new(503, "SlowDown", "Please reduce your request rate.");
                Some(retry_after.iter().fold(error, |error, seconds| error.header("Retry-After", seconds.to_string())))
            }
            Some(Fault::InternalError) => {
                Some(S3Error::new(500, "InternalError", "We encountered an internal error. Please try again."))
            }
            Some(Fault::Error { status, code }) => Some(S3Error::new(status, code, "made on request")),
            _ => None,
        };
        let result = match refused {
            Some(error) => Err(error),
            None => self.check_access(request).and_then(|()| self.perform(operation, request, body, fault)),
        };
        let answer = result.unwrap_or_else(|error| error.answer(&request.raw_path));
        answer.header("x-amz-request-id", "TEST").header("Date", super::answer::http_date(self.now()))
    }

    fn perform(
        &mut self,
        operation: &str,
        request: &Request,
        body: Vec<u8>,
        fault: Option<Fault>,
    ) -> Result<Answer, S3Error> {
        let Some(bucket) = request.bucket.as_deref() else {
            return Err(S3Error::new(501, "NotImplemented", "not without a bucket"));
        };
        if !self.buckets.contains_key(bucket) {
            return Err(S3Error::no_such_bucket());
        }
        let key = request.key.as_deref().unwrap_or_default();
        match operation {
            "ListObjectsV2" | "ListObjects" => self.list(bucket, request, fault),
            "GetObject" | "HeadObject" => self.read(bucket, key, request, fault),
            "GetObjectTagging" => self.read_tags(bucket, key, request),
            "PutObjectTagging" => self.set_tags(bucket, key, tags_of_xml(&decode_body(request, body)?.0)?),
            "DeleteObjectTagging" => self.set_tags(bucket, key, Vec::new()),
            "PutObject" => self.put_object(bucket, key, request, body),
            "CopyObject" => self.copy_object(bucket, key, request),
            "DeleteObject" => self.delete_object(bucket, key, request),
            "DeleteObjects" => self.delete_objects(bucket, &decode_body(request, body)?.0),
            "CreateMultipartUpload" => self.create_upload(bucket, key, request),
            "UploadPart" => self.upload_part(bucket, key, request, body),
            "CompleteMultipartUpload" => self.complete_upload(bucket, key, request, &body),
            "AbortMultipartUpload" => self.abort_upload(bucket, key, request),
            "ListParts" => self.list_parts(bucket, key, request),
            "ListMultipartUploads" => self.list_uploads(bucket),
            "HeadBucket" => Ok(Answer::empty(200).header("x-amz-bucket-region", &self.region)),
            "GetBucketLocation" => Ok(Answer::xml(200, &self.location())),
            "GetBucketVersioning" => Ok(Answer::xml(200, &self.versioning(bucket))),
            _ => Err(S3Error::new(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            )),
        }
    }

    fn location(&self) -> String {
        // The oldest region has no name here.
        let region = if self.region == "us-east-1" { "" } else { &self.region };
        format!("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{region}</LocationConstraint>")
    }

    fn versioning(&self, bucket: &str) -> String {
        let on = self.buckets.get(bucket).is_some_and(|bucket| bucket.versioned);
        let status = if on { "<Status>Enabled</Status>" } else { "" };
        format!("<VersioningConfiguration>{status}</VersioningConfiguration>")
    }

    fn check_access(&self, request: &Request) -> Result<(), S3Error> {
        let allowed = match &self.access {
            Access::Anyone => return Ok(()),
            Access::SignatureShape => [].as_slice(),
            Access::Verified(allowed) => allowed.as_slice(),
        };
        let denied = || S3Error::new(403, "AccessDenied", "Access Denied");
        let authorization = request.header("authorization").ok_or_else(denied)?;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(denied)?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let (credential, signed, signature) = match (field("Credential"), field("SignedHeaders"), field("Signature")) {
            (Some(credential), Some(signed), Some(signature)) if signature.len() == 64 => {
                (credential, signed, signature)
            }
            _ => return Err(denied()),
        };
        let date = request.header("x-amz-date").ok_or_else(denied)?;
        let payload = request.header("x-amz-content-sha256").ok_or_else(denied)?;
        let signed: Vec<String> = signed.split(';').map(str::to_owned).collect();
        let unsigned = request
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .find(|name| (name.starts_with("x-amz-") || name == "host") && !signed.contains(name));
        if let Some(name) = unsigned {
            return Err(S3Error::new(
                403,
                "AccessDenied",
                format!("There were headers present in the request which were not signed: {name}"),
            ));
        }
        let (access_key, scope) = credential.split_once('/').ok_or_else(denied)?;
        let Access::Verified(_) = self.access else { return Ok(()) };
        let known = allowed.iter().find(|known| known.access_key == access_key && known.scope(date) == scope);
        let known = known.ok_or_else(|| {
            S3Error::new(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        })?;
        let canonical = Canonical {
            method: &request.method,
            path: &request.raw_path,
            query: &request.raw_query,
            headers: &request.headers,
            signed: &signed,
            payload,
        };
        match known.sign(date, &canonical.string_to_sign(date, scope)) == signature {
            true => Ok(()),
            false => Err(S3Error::new(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )),
        }
    }

    fn record(&mut self, operation: &'static str, request: Request, status: u16, sent: u64, fault: Option<Fault>) {
        let count = self.counters.entry(operation).or_default();
        count.requests += 1;
        count.failed += u64::from(status >= 400);
        count.bytes_sent += sent;
        count.faults += u64::from(fault.is_some());
        if self.requests.len() >= self.requests_kept_max {
            // Half at a time, so that a full log costs little per request.
            self.requests.drain(..self.requests.len().div_ceil(2));
        }
        if self.requests_kept_max > 0 {
            self.requests.push(RequestRecord { sequence: sequence::next(), operation, request, status, sent, fault });
        }
    }
}

/// How a body is cut or changed on its way.
struct Cut {
    /// Bytes that go out.
    length: u64,
    declared: Option<u64>,
    reset: bool,
    wrong_byte: Option<u64>,
    piece: usize,
    pause: Option<Duration>,
}

impl Cut {
    fn plan(length: u64, fault: Option<Fault>) -> Self {
        let whole =
            Self { length, declared: Some(length), reset: false, wrong_byte: None, piece: 256 * 1024, pause: None };
        // At least one byte goes missing, else nothing would be cut.
        let cut = |at: f64| ((length as f64 * at) as u64).min(length.saturating_sub(1));
        match fault {
            Some(Fault::Truncated { at }) => Self { length: cut(at), ..whole },
            Some(Fault::TruncatedWithItsLength { at }) => Self { length: cut(at), declared: Some(cut(at)), ..whole },
            Some(Fault::TruncatedWithoutLength { at }) => Self { length: cut(at), declared: None, ..whole },
            Some(Fault::Reset { at }) => Self { length: cut(at), reset: true, ..whole },
            Some(Fault::WrongByte { at }) if length > 0 => Self { wrong_byte: Some(cut(at)), ..whole },
            Some(Fault::SlowBody { piece, pause }) => Self { piece: piece.max(1), pause: Some(pause), ..whole },
            _ => whole,
        }
    }
}

/// Sends an answer; returns status, body bytes sent, and whether the connection goes on.
async fn send<S: Stream>(
    source: &S3Source,
    wire: &mut Wire<S>,
    request: &Request,
    answer: Answer,
    fault: Option<Fault>,
) -> (u16, u64, io::Result<bool>) {
    let status = answer.status;
    if fault == Some(Fault::ResponseLost) {
        return (status, 0, Ok(false));
    }
    let no_body = request.method == "HEAD" || status == 204 || status == 304;
    let cut = Cut::plan(answer.body.len(), fault.filter(|_| !no_body));
    let declared = if status == 204 || status == 304 { None } else { cut.declared };
    let whole = cut.declared.is_some() && cut.length == answer.body.len() || cut.declared == Some(cut.length);
    let head = render_head(&answer, declared, cut.declared.is_none());
    let mut sent = 0;
    let result = async {
        wire.write(head.as_bytes()).await?;
        if !no_body {
            send_body(wire, &answer.body, &cut, &mut sent).await?;
        }
        wire.flush().await?;
        if cut.reset {
            wire.stream.reset_on_close();
        }
        Ok(no_body || (whole && !cut.reset))
    }
    .await;
    let _ = source;
    (status, sent, result)
}

async fn send_body<S: Stream>(wire: &mut Wire<S>, body: &Body, cut: &Cut, sent: &mut u64) -> io::Result<()> {
    while *sent < cut.length {
        let want = cut.piece.min(usize::try_from(cut.length - *sent).unwrap_or(usize::MAX));
        let mut piece = match body {
            Body::Text(text) => text.as_bytes()[*sent as usize..*sent as usize + want].to_vec(),
            Body::Slice { stored, offset, .. } => stored.content.read(offset + *sent, want).to_vec(),
        };
        if let Some(place) = cut.wrong_byte.and_then(|wrong| wrong.checked_sub(*sent))
            && let Some(byte) = piece.get_mut(place as usize)
        {
            *byte ^= 0x40;
        }
        wire.write(&piece).await?;
        *sent += piece.len() as u64;
        if let Some(pause) = cut.pause {
            wire.flush().await?;
            tokio::time::sleep(pause).await;
        }
    }
    Ok(())
}

fn render_head(answer: &Answer, length: Option<u64>, close: bool) -> String {
    let reason = match answer.status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        404 => "Not Found",
        412 => "Precondition Failed",
        503 => "Slow Down",
        _ => "Answer",
    };
    let mut head = format!("HTTP/1.1 {} {reason}\r\nServer: s3-source\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    if close {
        head.push_str("Connection: close\r\n");
    }
    head + "\r\n"
}
