//! Requests to the account: its kind, user delegation keys, the containers it has.

use bytes::Bytes;
use http::{HeaderName, Method};

use super::auth::{DelegationKey, SharedKey, seconds_iso};
use super::operation::Operation;
use super::request::Call;
use super::xml::{self, Node, Xml, corrupt};
use super::{BlobClient, response};
use crate::object::{ContainerName, Result, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    pub sku: String,
    pub kind: String,
    /// Hierarchical namespace; a missing header means flat (Azurite leaves it out).
    pub hierarchical: bool,
}

impl BlobClient {
    /// Asks what kind of account it is.
    ///
    /// # Errors
    /// The common kinds.
    pub async fn account_info(&self) -> Result<AccountInfo> {
        let target = self.account_target(&[("restype", "account"), ("comp", "properties")]);
        let call = Call::new(Operation::AccountInfo, Method::GET, target);
        let headers = response::head(self.send(&call).await?).await;
        let text = |name| response::text(&headers, &HeaderName::from_static(name)).unwrap_or_default().to_owned();
        Ok(AccountInfo {
            sku: text("x-ms-sku-name"),
            kind: text("x-ms-account-kind"),
            hierarchical: text("x-ms-is-hns-enabled").eq_ignore_ascii_case("true"),
        })
    }

    /// All containers with their last modification, in order of their names. Special containers
    /// (`$logs`, `$web`) are left out.
    ///
    /// # Errors
    /// The common kinds.
    pub async fn list_containers(&self) -> Result<Vec<(ContainerName, Timestamp)>> {
        let mut containers = Vec::new();
        let mut marker = String::new();
        loop {
            let target = match marker.as_str() {
                "" => self.account_target(&[("comp", "list")]),
                marker => self.account_target(&[("comp", "list"), ("marker", marker)]),
            };
            let call = Call::new(Operation::ListContainers, Method::GET, target);
            let response = self.send(&call).await?;
            let body = response::collect(call.operation, response, PAGE_MAX).await?;
            marker = parse_containers(&body, &mut containers)?;
            if marker.is_empty() {
                return Ok(containers);
            }
        }
    }

    /// Gets a key to sign with in the name of the identity; Azure allows a life of seven days.
    pub(super) async fn user_delegation_key(&self, start: Timestamp, expiry: Timestamp) -> Result<DelegationKey> {
        let target = self.account_target(&[("restype", "service"), ("comp", "userdelegationkey")]);
        let mut call = Call::new(Operation::UserDelegationKey, Method::POST, target);
        let (start, expiry) = (seconds_iso(start), seconds_iso(expiry));
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyInfo><Start>{start}</Start><Expiry>{expiry}</Expiry></KeyInfo>"
        );
        call.content_length(body.len() as u64);
        let response = self.send_with(&call, Bytes::from(body).into()).await?;
        let body = response::collect(call.operation, response, PAGE_MAX).await?;
        self.parse_delegation_key(&body)
    }

    fn parse_delegation_key(&self, body: &[u8]) -> Result<DelegationKey> {
        let field = |name| xml::find(body, name).ok_or_else(|| corrupt("is no user delegation key"));
        Ok(DelegationKey {
            object_id: field("SignedOid")?,
            tenant_id: field("SignedTid")?,
            start: field("SignedStart")?,
            expiry: field("SignedExpiry")?,
            service: field("SignedService")?,
            version: field("SignedVersion")?,
            key: SharedKey::new(self.inner.account.name(), &field("Value")?)?,
        })
    }
}

/// Longest answer read here, in bytes.
const PAGE_MAX: usize = 16 << 20;

/// Appends a page's containers and returns the next marker, empty at the end.
fn parse_containers(document: &[u8], containers: &mut Vec<(ContainerName, Timestamp)>) -> Result<String> {
    let mut marker = String::new();
    let mut name = String::new();
    let mut xml = Xml::within("EnumerationResults", document)?;
    loop {
        match xml.node()? {
            Node::Open(start) => match start.name {
                "Name" => name = xml.text()?.into_owned(),
                "Last-Modified" => {
                    let modified = Timestamp::parse_http(&xml.text()?);
                    let modified = modified.ok_or_else(|| corrupt("has a container without a date"))?;
                    if let Ok(name) = ContainerName::new(&name) {
                        containers.push((name, modified));
                    }
                }
                "NextMarker" => marker = xml.text()?.into_owned(),
                "Metadata" => xml.skip()?,
                _ => {}
            },
            Node::Empty(_) | Node::Close => {}
            Node::End => return Ok(marker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://a/\"><Containers><Container><Name>$logs</Name><Properties><Last-Modified>Wed, 22 Mar 2023 05:57:40 GMT</Last-Modified><Etag>\"0x8D\"</Etag></Properties></Container><Container><Name>flink</Name><Properties><Last-Modified>Wed, 22 Mar 2023 05:57:41 GMT</Last-Modified></Properties><Metadata><Name>x</Name></Metadata></Container></Containers><NextMarker>/a/b</NextMarker></EnumerationResults>";
        let mut containers = Vec::new();
        assert_eq!(parse_containers(document.as_bytes(), &mut containers).unwrap(), "/a/b");
        assert_eq!(containers.len(), 1);
        assert_eq!((containers[0].0.as_str(), containers[0].1.0), ("flink", 1_679_464_661));
    }
}
