//! Blob Batch: many deletes (or tier changes) in one multipart request.

use http::{HeaderMap, HeaderName, HeaderValue, Method, request};

use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::intake::{Incoming, collect};
use crate::emulator::operation::Operation;

const BODY_MAX: u64 = 4 << 20;
const PARTS_MAX: usize = 256;

pub async fn batch(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    call.content_length(BODY_MAX)?;
    let content_type = call.header("content-type").unwrap_or("");
    let boundary = content_type
        .strip_prefix("multipart/mixed")
        .and_then(|rest| rest.split_once("boundary="))
        .map(|(_, boundary)| boundary.trim_matches('"').to_owned())
        .ok_or_else(|| ServiceError::header_value("Content-Type", content_type))?;
    let body = collect(body, BODY_MAX).await?;
    let parts = split(&body, &boundary)?;
    let bracket = format!("batchresponse_{}", call.emulator.new_guid());
    let mut out = String::new();
    for part in parts {
        let request_id = call.emulator.new_guid();
        let result = match call.emulator.execute_part(call, &part.head).await {
            Ok(answer) => answer_text(&answer),
            Err(error) => error_text(call, &error, &request_id),
        };
        out.push_str(&format!("--{bracket}\r\nContent-Type: application/http\r\n"));
        if let Some(id) = part.id {
            out.push_str(&format!("Content-ID: {id}\r\n"));
        }
        out.push_str("\r\n");
        out.push_str(&result.replace("{request-id}", &request_id));
        out.push_str("\r\n");
    }
    out.push_str(&format!("--{bracket}--"));
    Ok(Answer::new(202).xml(out).with("content-type", format!("multipart/mixed; boundary={bracket}")))
}

/// Operations that may stand in a batch.
pub fn may_be_part(operation: Operation) -> bool {
    matches!(operation, Operation::DeleteBlob | Operation::SetBlobTier)
}

struct Part {
    id: Option<String>,
    head: request::Parts,
}

/// # Errors
/// `InvalidInput` for what is no batch.
fn split(body: &[u8], boundary: &str) -> Outcome<Vec<Part>> {
    let text = std::str::from_utf8(body).map_err(|_| ServiceError::invalid_input())?.replace("\r\n", "\n");
    let (text, _) = text.split_once(&format!("--{boundary}--")).ok_or_else(ServiceError::invalid_input)?;
    let parts: Vec<_> = text
        .split(&format!("--{boundary}\n"))
        .skip(1)
        .map(part)
        .collect::<Option<_>>()
        .ok_or_else(ServiceError::invalid_input)?;
    if parts.is_empty() || parts.len() > PARTS_MAX {
        return Err(ServiceError::invalid_input());
    }
    Ok(parts)
}

fn part(text: &str) -> Option<Part> {
    let (outer, inner) = text.split_once("\n\n")?;
    let id =
        outer.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-id"));
    let mut lines = inner.lines();
    let mut first = lines.next()?.split(' ');
    let (method, uri) = (first.next()?, first.next()?);
    let mut headers = HeaderMap::new();
    for (name, value) in lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':')) {
        headers.append(HeaderName::from_bytes(name.trim().as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    let mut request =
        http::Request::builder().method(Method::from_bytes(method.as_bytes()).ok()?).uri(uri).body(()).ok()?;
    *request.headers_mut() = headers;
    Some(Part { id: id.map(|(_, id)| id.trim().to_owned()), head: request.into_parts().0 })
}

fn answer_text(answer: &Answer) -> String {
    let reason = answer.status.canonical_reason().unwrap_or("");
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", answer.status.as_u16());
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or("")));
    }
    text.push_str("x-ms-request-id: {request-id}\r\nServer: Windows-Azure-Blob/1.0\r\n");
    text
}

/// The reason phrase is the error's message, as recorded.
fn error_text(call: &Call<'_>, error: &ServiceError, request_id: &str) -> String {
    let xml = error.xml(request_id, &crate::emulator::clock::rfc3339_seven(call.now));
    let reason = error.message.lines().next().unwrap_or("");
    format!(
        "HTTP/1.1 {} {reason}\r\nx-ms-error-code: {}\r\nx-ms-request-id: {{request-id}}\r\nx-ms-version: {}\r\nContent-Length: {}\r\nContent-Type: application/xml\r\nServer: Windows-Azure-Blob/1.0\r\n\r\n{xml}",
        error.status.as_u16(),
        error.code,
        call.version,
        xml.len()
    )
}
