//! Get Blob Service Properties: what the account does behind a client's back.

use http::Method;

use super::operation::Operation;
use super::request::Call;
use super::xml::{Node, Xml};
use super::{BlobClient, response};
use crate::object::Result;

/// The settings that a client notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceProperties {
    /// Days that deleted and overwritten blobs are kept (and paid for); `None` if they are not.
    pub soft_delete_days: Option<u32>,
    /// The container `$web` is served to everybody.
    pub static_website: bool,
}

/// Longest answer in bytes; CORS rules make up most of it.
const BODY_MAX: usize = 1 << 20;

impl BlobClient {
    /// Reads the settings of the account's Blob service.
    ///
    /// # Errors
    /// `Denied` for identities that may only use data, and the common kinds.
    pub async fn service_properties(&self) -> Result<ServiceProperties> {
        let target = self.account_target(&[("restype", "service"), ("comp", "properties")]);
        let call = Call::new(Operation::ServiceProperties, Method::GET, target);
        let response = self.send(&call).await?;
        parse(&response::collect(call.operation, response, BODY_MAX).await?)
    }
}

fn parse(document: &[u8]) -> Result<ServiceProperties> {
    let mut properties = ServiceProperties::default();
    let mut xml = Xml::within("StorageServiceProperties", document)?;
    loop {
        match xml.node()? {
            Node::Open(start) => match start.name {
                "DeleteRetentionPolicy" => {
                    let policy = policy(&mut xml)?;
                    properties.soft_delete_days = policy.enabled.then_some(policy.days);
                }
                "StaticWebsite" => properties.static_website = policy(&mut xml)?.enabled,
                _ => xml.skip()?,
            },
            Node::Empty(_) | Node::Close => {}
            Node::End => return Ok(properties),
        }
    }
}

#[derive(Default)]
struct Policy {
    enabled: bool,
    days: u32,
}

/// Reads an element that can be enabled, to its end.
fn policy(xml: &mut Xml<'_>) -> Result<Policy> {
    let mut policy = Policy::default();
    loop {
        match xml.node()? {
            Node::Open(start) => match start.name {
                "Enabled" => policy.enabled = xml.text()?.trim().eq_ignore_ascii_case("true"),
                "Days" => policy.days = xml.text()?.trim().parse().unwrap_or(0),
                _ => xml.skip()?,
            },
            Node::Empty(_) => {}
            Node::Close | Node::End => return Ok(policy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_delete() {
        let document = |policy: &str| {
            format!(
                "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><Logging><RetentionPolicy><Enabled>true</Enabled><Days>3</Days></RetentionPolicy></Logging><Cors />{policy}</StorageServiceProperties>"
            )
        };
        for (policy, days) in [
            ("", None),
            ("<DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>", None),
            (
                "<DeleteRetentionPolicy><Enabled>true</Enabled><AllowPermanentDelete>false</AllowPermanentDelete><Days>7</Days></DeleteRetentionPolicy><StaticWebsite><Enabled>false</Enabled></StaticWebsite>",
                Some(7),
            ),
        ] {
            let read = parse(document(policy).as_bytes()).unwrap();
            assert_eq!(read, ServiceProperties { soft_delete_days: days, static_website: false }, "{policy}");
        }
        assert!(parse(b"<StorageServiceProperties><Cors>").is_err());
    }
}
