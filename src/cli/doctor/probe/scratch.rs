//! The scratch prefix: where the probe writes, and how it is emptied again.

use bytes::Bytes;
use http::Method;

use super::question::Seen;
use crate::blob::list::{ListBlobs, Named};
use crate::blob::probe_raw::RawAnswer;
use crate::blob::{BlobClient, BlobRef, Operation};
use crate::object::text::{base64, percent_encode};
use crate::object::{ContainerName, Error, ErrorKind, Result};

/// A prefix of our own in one of the containers.
pub struct Scratch {
    pub blobs: BlobClient,
    pub hierarchical: bool,
    container: ContainerName,
    prefix: String,
}

impl Scratch {
    pub fn new(blobs: BlobClient, container: ContainerName, hierarchical: bool) -> Self {
        let prefix = format!("bluebucket-probe-{:016x}/", fastrand::u64(..));
        Self { blobs, hierarchical, container, prefix }
    }

    pub fn container(&self) -> &ContainerName {
        &self.container
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The whole name of a blob below the prefix.
    pub fn name(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }

    pub fn blob<'a>(&'a self, name: &'a str) -> BlobRef<'a> {
        BlobRef { container: &self.container, name }
    }

    /// Sends a request about a blob below the prefix. `query` is empty or begins with `?`.
    pub async fn send(
        &self,
        method: Method,
        rest: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<RawAnswer> {
        let target = self.target(rest, query);
        self.blobs.probe_raw(method, &target, headers, body.into()).await
    }

    /// The path of a blob below the prefix; `query` is empty or begins with `?`.
    pub fn target(&self, rest: &str, query: &str) -> String {
        format!("/{}/{}{query}", self.container, percent_encode(&self.name(rest), b"/"))
    }

    /// Put Blob.
    pub async fn put(&self, rest: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<RawAnswer> {
        let mut all = vec![("x-ms-blob-type", "BlockBlob")];
        all.extend_from_slice(headers);
        self.send(Method::PUT, rest, "", &all, body).await
    }

    /// Put Block.
    pub async fn stage(&self, rest: &str, id: &[u8], body: &'static str) -> Result<RawAnswer> {
        let id = percent_encode(&base64(id), b"");
        self.send(Method::PUT, rest, &format!("?comp=block&blockid={id}"), &[], body).await
    }

    /// Put Block List of uncommitted blocks.
    pub async fn commit(&self, rest: &str, ids: &[&[u8]], headers: &[(&str, &str)]) -> Result<RawAnswer> {
        let ids: String = ids.iter().map(|id| format!("<Uncommitted>{}</Uncommitted>", base64(id))).collect();
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{ids}</BlockList>");
        self.send(Method::PUT, rest, "?comp=blocklist", headers, body).await
    }

    /// Puts a blob that a question needs.
    pub async fn must_put(&self, rest: &str, body: &'static str) -> Result<RawAnswer> {
        must(self.put(rest, &[], body).await?)
    }

    /// Stages a block that a question needs.
    pub async fn must_stage(&self, rest: &str, id: &[u8]) -> Result<()> {
        must(self.stage(rest, id, "staged").await?).map(drop)
    }

    pub async fn must_delete(&self, rest: &str) -> Result<()> {
        must(self.send(Method::DELETE, rest, "", &[], "").await?).map(drop)
    }

    /// The names below `rest`, without the prefix, in the order in which the service lists them.
    pub async fn list(&self, rest: &str, query: ListBlobs<'_>) -> Result<Vec<String>> {
        let prefix = self.name(rest);
        let mut names = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let query = ListBlobs { prefix: &prefix, marker: marker.as_deref(), ..query.clone() };
            let page = self.blobs.list_blobs(&self.container, &query).await?;
            let named = page.items.iter().map(Named::name);
            names.extend(named.map(|name| name.strip_prefix(&self.prefix).unwrap_or(name).to_owned()));
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(names);
            }
        }
    }

    /// Removes everything below the prefix; returns how many blobs are left all the same.
    pub async fn clean(&self) -> Result<usize> {
        for _ in 0..ROUNDS {
            let mut names = self.everything().await?;
            if names.is_empty() {
                return Ok(0);
            }
            // Directories go last.
            names.sort_by_key(|name| std::cmp::Reverse(name.len()));
            for name in names {
                self.remove(&name).await?;
            }
        }
        Ok(self.everything().await?.len())
    }

    /// Blobs, also those of staged blocks alone, and on hierarchical accounts the prefix itself.
    async fn everything(&self) -> Result<Vec<String>> {
        let mut names = self.list("", ListBlobs { include_uncommitted: true, ..ListBlobs::default() }).await?;
        let folder = self.prefix.trim_end_matches('/');
        if self.hierarchical && self.blobs.get_properties(self.blob(folder)).await.is_ok() {
            names.push(String::new());
        }
        Ok(names)
    }

    /// Deletes a blob, whatever the answer; a lease is broken first.
    async fn remove(&self, rest: &str) -> Result<()> {
        let target = self.target(rest, "");
        let target = target.trim_end_matches('/');
        let answer = self.blobs.probe_raw(Method::DELETE, target, &[], Bytes::new()).await?;
        if answer.code.as_deref() == Some("LeaseIdMissing") {
            self.break_lease(rest).await?;
            self.blobs.probe_raw(Method::DELETE, target, &[], Bytes::new()).await?;
        }
        Ok(())
    }

    pub async fn break_lease(&self, rest: &str) -> Result<()> {
        let headers = [("x-ms-lease-action", "break"), ("x-ms-lease-break-period", "0")];
        self.send(Method::PUT, rest, "?comp=lease", &headers, "").await.map(drop)
    }
}

const ROUNDS: u32 = 3;

/// An answer of success, or else an error with what the service said.
pub fn must(answer: RawAnswer) -> Result<RawAnswer> {
    if answer.is_success() {
        return Ok(answer);
    }
    let kind = match answer.status {
        401 => ErrorKind::AuthExpired,
        403 => ErrorKind::Denied,
        _ => ErrorKind::Unexpected,
    };
    let id = answer.header("x-ms-request-id").map(str::to_owned);
    Err(Error::new(kind, format!("{}: refused", Operation::Probe.name())).with_answer(answer.status, answer.code, id))
}

impl From<RawAnswer> for Seen {
    fn from(answer: RawAnswer) -> Self {
        Self::Answer { status: answer.status, code: answer.code }
    }
}

/// What a call of the client came to; `success` is the status that it does not tell.
pub fn seen<T>(outcome: Result<T>, success: u16) -> Result<Seen> {
    match outcome {
        Ok(_) => Ok(Seen::Answer { status: success, code: None }),
        Err(error) => match error.status() {
            Some(status) => Ok(Seen::Answer { status, code: error.vendor_code().map(str::to_owned) }),
            None => Err(error),
        },
    }
}
