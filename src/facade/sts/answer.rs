//! Documents of the token service.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::error::StsError;
use super::role::NO_ACCOUNT;
use super::session::Session;
use crate::facade::auth::Caller;
use crate::facade::respond;
use crate::net::Body;
use crate::s3::xml::writer::Writer;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The answer to AssumeRole.
pub fn credentials(session: &Session, token: &str, packed_percent: Option<u64>, request_id: &str) -> Response<Body> {
    let mut xml = Writer::document(1_024 + token.len());
    root(&mut xml, "AssumeRoleResponse");
    xml.open("AssumeRoleResult");
    xml.open("AssumedRoleUser");
    xml.text("Arn", &session.role.arn());
    xml.text("AssumedRoleId", &session.role.id());
    xml.close("AssumedRoleUser");
    xml.open("Credentials");
    xml.text("AccessKeyId", &session.access_key_id);
    xml.text("SecretAccessKey", session.secret.expose());
    xml.text("SessionToken", token);
    // Seconds are all there is: some clients read no fraction.
    xml.text("Expiration", &session.expires.iso8601().replace(".000Z", "Z"));
    xml.close("Credentials");
    if let Some(percent) = packed_percent {
        xml.number("PackedPolicySize", percent);
    }
    xml.close("AssumeRoleResult");
    finish(xml, "AssumeRoleResponse", request_id)
}

/// The answer to GetCallerIdentity.
pub fn caller_identity(caller: &Caller, request_id: &str) -> Response<Body> {
    let (arn, id, account) = match &caller.session {
        Some(session) => (session.role.arn(), session.role.id(), session.role.account()),
        None => (format!("arn:aws:iam::{NO_ACCOUNT}:user/{}", caller.key.component), caller.key.id.clone(), NO_ACCOUNT),
    };
    let mut xml = Writer::document(512);
    root(&mut xml, "GetCallerIdentityResponse");
    xml.open("GetCallerIdentityResult");
    xml.text("Arn", &arn);
    xml.text("UserId", &id);
    xml.text("Account", account);
    xml.close("GetCallerIdentityResult");
    finish(xml, "GetCallerIdentityResponse", request_id)
}

/// An error.
pub fn error(error: &StsError, request_id: &str) -> Response<Body> {
    let status = error.code().status();
    let mut xml = Writer::document(512);
    root(&mut xml, "ErrorResponse");
    xml.open("Error");
    xml.text("Type", if status.is_server_error() { "Receiver" } else { "Sender" });
    xml.text("Code", error.code().as_str());
    xml.text("Message", error.message());
    xml.close("Error");
    xml.text("RequestId", request_id);
    xml.close("ErrorResponse");
    let mut response = document(xml);
    *response.status_mut() = status;
    response
}

fn root(xml: &mut Writer, name: &str) {
    xml.raw(&format!("<{name} xmlns=\"{NAMESPACE}\">"));
}

fn finish(mut xml: Writer, root: &str, request_id: &str) -> Response<Body> {
    xml.open("ResponseMetadata");
    xml.text("RequestId", request_id);
    xml.close("ResponseMetadata");
    xml.close(root);
    document(xml)
}

fn document(xml: Writer) -> Response<Body> {
    let mut response = respond::xml(xml.finish());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}
