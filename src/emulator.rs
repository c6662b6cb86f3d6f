//! A strict Blob service in this process: the store of the demo, the judge in tests, the backend of
//! benchmarks.
//!
//! It parses the Blob protocol by itself and shares no code with the Blob client, so that a
//! misreading in one is not mirrored in the other. What it answers follows recordings of the real
//! service; `tests/emulator_vectors.rs` holds them.
//!
//! **Accounts** are flat or hierarchical ([`AccountConfig::hierarchical`]). URLs are path style,
//! `http://host:port/<account>/<container>/<blob>`, or host style where the host is
//! `<account>.blob.<anything>` or `<account>.dfs.<anything>`. A hierarchical account also takes, on
//! either, the few requests of the Data Lake endpoint by which native clients make, append to, rename
//! and delete files and directories; they are told by their query.
//!
//! **Storage** of an account is memory or synthetic. A synthetic account keeps length, CRC64 and MD5
//! (see [`ContentMd5`]) of what is written, with all headers and metadata; reads return bytes
//! generated from account seed, container, name and length, so a blob reads back as other bytes than
//! were written, with the checksums of those that were written. Where content matters (records of the
//! state container) the container is named in [`AccountConfig::real_containers`] and kept truly.
//! [`Emulator::seed_synthetic`] fills a container with blobs whose checksums fit what is read.
//!
//! **Known gaps**: no snapshots, versions, soft delete, index tags, append and page blobs, stored
//! access policies, leases on containers, structured bodies; names of metadata come back in lower
//! case (the HTTP library does not keep what was sent); `spr` and `sip` of a SAS are not judged; the
//! signature of a bearer token is not checked, and its holder may do everything. Of hierarchical
//! accounts no recording shows what becomes of empty segments (they are dropped here, the reading that
//! harms most), the codes of a Put Blob onto a directory or below a file (`ResourceTypeMismatch` here),
//! nor `startFrom`; permissions are shown and not judged; the Data Lake endpoint lists nothing.

mod answer;
mod auth;
mod call;
mod checksum;
mod clock;
mod condition;
mod config;
mod content;
mod disturb;
mod error;
mod events;
mod faults;
mod intake;
mod lease;
mod names;
mod operation;
mod ops;
mod properties;
mod serve;
mod store;
mod target;
mod tree;
mod version;
mod xml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, request};
use http_body_util::BodyExt;

use self::answer::Answer;
use self::auth::{Grant, Presented};
use self::call::Call;
use self::clock::EtagSource;
pub use self::clock::{Clock, Etag};
pub use self::config::{
    AccountConfig, BearerPolicy, ContentMd5, DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, EmulatorConfig, STORAGE_AUDIENCE,
    Storage,
};
use self::error::{Outcome, ServiceError};
use self::events::Events;
pub use self::events::{CommitEvent, CommitKind};
use self::faults::Faults;
pub use self::faults::{Fault, FaultPlan, FaultRule, FaultScope, Throttle, Trigger};
use self::intake::Incoming;
use self::names::{BlobName, check_blob};
pub use self::operation::Operation;
use self::operation::{Counters, classify};
use self::store::Account;
use self::target::{Query, Target};
use crate::net::Body;
use crate::net::body::BoxError;

/// A Blob service.
pub struct Emulator {
    config: EmulatorConfig,
    accounts: BTreeMap<String, Arc<Account>>,
    etags: EtagSource,
    counters: Counters,
    events: Events,
    faults: Faults,
    list_requests: AtomicU64,
    /// Request ids are this and a counter.
    process_id: u64,
    requests: AtomicU64,
}

impl Emulator {
    /// Makes a service; an account whose key is no base64 has none.
    pub fn new(config: EmulatorConfig) -> Arc<Self> {
        let account = |config: &AccountConfig| {
            let keyless = || Account::new(AccountConfig { key_base64: None, ..config.clone() });
            let account = Account::new(config.clone()).or_else(keyless)?;
            Some((config.name.clone(), Arc::new(account)))
        };
        Arc::new(Self {
            accounts: config.accounts.iter().filter_map(account).collect(),
            etags: EtagSource::default(),
            counters: Counters::new(),
            events: Events::new(config.event_log),
            faults: Faults::new(config.faults.clone()),
            list_requests: AtomicU64::new(0),
            process_id: fastrand::u64(..),
            requests: AtomicU64::new(0),
            config,
        })
    }

    /// Answers one request. A connection that is to break shows as a body that fails.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let mut body: Option<Incoming> = Some(Box::pin(body.map_err(Into::into)));
        let request_id = self.new_guid();
        let now = self.config.clock.now();
        let result = self.answer(&head, &mut body, now).await;
        let refused = result.is_err();
        if let Some(unread) = body.filter(|_| refused) {
            intake::drain(unread).await;
        }
        let data_lake = ops::data_lake::speaks(&head);
        let answer = result.unwrap_or_else(|error| {
            let answer = error_answer(&error, &head.method, &request_id, now);
            if data_lake { ops::data_lake::error_answer(answer, &error, &request_id, now) } else { answer }
        });
        respond(answer, &head, &request_id, now)
    }

    /// Requests carried out or refused so far, by operation.
    pub fn counters(&self) -> BTreeMap<&'static str, u64> {
        self.counters.snapshot()
    }

    /// Commits from the `from`-th on; empty unless [`EmulatorConfig::event_log`] is set.
    pub fn events(&self, from: usize) -> Vec<CommitEvent> {
        self.events.since(from)
    }

    /// Replaces all rules by which requests fail.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.faults.replace(plan);
    }

    /// Adds one rule by which requests fail.
    pub fn set_fault(&self, rule: FaultRule) {
        self.faults.add(rule);
    }

    /// Makes the next request for `operation` fail.
    pub fn next_fault(&self, operation: Operation, fault: Fault) {
        let scope = FaultScope::operation(operation);
        self.set_fault(FaultRule { scope, trigger: Trigger::Next { skip: 0, times: 1 }, fault });
    }

    pub fn clock(&self) -> &Clock {
        &self.config.clock
    }

    /// Creates a container without a request; one that exists stays as it is.
    pub fn create_container(&self, account: &str, container: &str) {
        if let Some(account) = self.account(account) {
            let now = self.config.clock.now();
            let _ = account.create(container, self.etags.next(now), Default::default(), now);
        }
    }

    /// Puts `count` blobs of `size` generated bytes each into a container, with checksums that fit
    /// (MD5 unless the account omits it). In a container that keeps content, too, only the seed is kept.
    pub fn seed_synthetic(&self, account: &str, container: &str, count: u64, size: u64, name: impl Fn(u64) -> String) {
        let Some(account) = self.account(account) else { return };
        let now = self.config.clock.now();
        let Ok(container) = account.container(container) else { return };
        for name in (0..count).map(|n| account.blob_name(&name(n))) {
            let blob = seeded_blob(account, &container.name, &name, size, self.etags.next(now), now);
            if let Ok(mut state) = container.open() {
                let _ = tree::make_way(&mut state, &name, now, || self.etags.next(now));
                state.commit(&name, blob, now);
            }
        }
    }

    /// A bearer token that accounts with this audience take for `life`; nobody has signed it.
    pub fn mint_token(&self, audience: &str, life: Duration) -> String {
        let now = self.config.clock.now();
        auth::bearer::mint(audience, now, now + life)
    }

    /// A SAS (a query without `?`) for a container, signed with the account key.
    pub fn container_sas(&self, account: &str, container: &str, permissions: &str, life: Duration) -> Option<String> {
        let expires = clock::rfc3339(self.config.clock.now() + life);
        auth::sas::sign_container(self.account(account)?, container, permissions, &expires)
    }

    fn account(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.get(name)
    }

    /// Reads, authenticates and carries out a request.
    async fn answer(
        self: &Arc<Self>,
        head: &request::Parts,
        body: &mut Option<Incoming>,
        now: SystemTime,
    ) -> Outcome<Answer> {
        let host = head.headers.get(header::HOST).and_then(|value| value.to_str().ok()).or(head.uri.host());
        let target = Target::parse(head.uri.path(), host)?;
        let query = Query::parse(head.uri.query().unwrap_or(""))?;
        let version = self.version(&head.headers, &query)?;
        let call = self.call(head, target, query, version, now)?;
        let faults = call.faults.clone();
        disturb::before(&faults).await?;
        let answer = self.execute(&call, body).await;
        if answer.is_ok() {
            disturb::after(&faults)?;
        }
        Ok(disturb::body(answer?, &faults))
    }

    /// Finds out what is asked for and by whom.
    fn call<'a>(
        self: &'a Arc<Self>,
        head: &'a request::Parts,
        target: Target,
        query: Query,
        version: String,
        now: SystemTime,
    ) -> Outcome<Call<'a>> {
        let account = self.account(&target.account);
        let hierarchical = account.is_some_and(|account| account.config.hierarchical);
        let operation = classify(&head.method, &target, &query, &head.headers, hierarchical)?;
        self.counters.count(operation);
        let account = account.ok_or_else(ServiceError::resource_not_found)?;
        let presented = Presented {
            method: head.method.as_str(),
            path: head.uri.path(),
            target: &target,
            query: &query,
            headers: &head.headers,
            now,
        };
        let grant: Grant = auth::authorize(account, operation, &presented)?;
        let (container, blob) = (target.container.unwrap_or_default(), target.blob.unwrap_or_default());
        if !blob.is_empty() {
            check_blob(&blob)?;
        }
        let faults = self.faults.strike(operation, &account.config.name, &container, &blob);
        Ok(Call {
            emulator: self,
            account,
            operation,
            container,
            name: account.blob_name(&blob),
            query,
            headers: &head.headers,
            version,
            now,
            grant,
            faults,
        })
    }

    async fn execute(&self, call: &Call<'_>, body: &mut Option<Incoming>) -> Outcome<Answer> {
        use Operation::*;
        let mut take = || body.take().unwrap_or_else(|| Box::pin(Body::Empty));
        match call.operation {
            ListContainers => ops::list_containers::list_containers(call),
            GetAccountInformation => ops::service::account_information(call),
            GetServiceProperties => ops::service::properties(call),
            GetUserDelegationKey => ops::service::user_delegation_key(call, take()).await,
            BlobBatch => Box::pin(ops::batch::batch(call, take())).await,
            CreateContainer => ops::container::create(call),
            DeleteContainer => ops::container::delete(call),
            GetContainerProperties => ops::container::get_properties(call),
            SetContainerMetadata => ops::container::set_metadata(call),
            ListBlobs => ops::list_blobs::list_blobs(call),
            PutBlob => ops::put_blob::put_blob(call, take()).await,
            PutBlobFromUrl => ops::put_blob::put_blob_from_url(call).await,
            PutBlock => ops::put_block::put_block(call, take()).await,
            PutBlockFromUrl => ops::put_block::put_block_from_url(call).await,
            PutBlockList => ops::put_block_list::put_block_list(call, take()).await,
            GetBlockList => ops::get_block_list::get_block_list(call),
            GetBlob => ops::get_blob::get_blob(call),
            GetBlobProperties => ops::get_blob::get_properties(call),
            SetBlobProperties => ops::set_blob::set_properties(call),
            SetBlobMetadata => ops::set_blob::set_metadata(call),
            SetBlobTier => ops::set_blob::set_tier(call),
            LeaseBlob => ops::lease_blob::lease_blob(call),
            CopyBlob => ops::copy_blob::copy_blob(call).await,
            CopyBlobFromUrl => ops::copy_blob::copy_from_url(call).await,
            AbortCopyBlob => ops::copy_blob::abort(call),
            DeleteBlob => ops::delete_blob::delete_blob(call),
            CreatePath => ops::data_lake::create(call),
            RenamePath => ops::data_lake::rename(call),
            AppendData => ops::data_lake::append(call, take()).await,
            FlushData => ops::data_lake::flush(call),
            DeletePath => ops::data_lake::delete(call),
        }
    }

    /// Carries out one request of a batch, which brings its own credentials.
    async fn execute_part(self: &Arc<Self>, outer: &Call<'_>, head: &request::Parts) -> Outcome<Answer> {
        let host =
            outer.header("host").filter(|_| !head.uri.path().starts_with(&format!("/{}/", outer.account.config.name)));
        let target = Target::parse(head.uri.path(), host)?;
        let query = Query::parse(head.uri.query().unwrap_or(""))?;
        let call = self.call(head, target, query, outer.version.clone(), outer.now)?;
        if !ops::batch::may_be_part(call.operation) || call.account.config.name != outer.account.config.name {
            return Err(ServiceError::invalid_input());
        }
        disturb::before(&call.faults).await?;
        self.execute(&call, &mut None).await
    }

    /// The version that a request is to be answered in: its header, or the one of its SAS.
    fn version(&self, headers: &HeaderMap, query: &Query) -> Outcome<String> {
        let name = "x-ms-version";
        let sent = headers.get(name).and_then(|value| value.to_str().ok());
        let version = match sent.or(query.get("api-version")).or(query.get("sv")) {
            Some(version) => version,
            None if headers.contains_key(header::AUTHORIZATION) => return Err(ServiceError::missing_header(name)),
            None => "2026-04-06",
        };
        if self.config.version_check && !version::is_known(version) {
            return Err(ServiceError { bare: true, ..ServiceError::header_value(name, version) });
        }
        Ok(version.to_owned())
    }

    /// Counts a list request; true if its page is to come empty.
    fn page_comes_empty(&self) -> bool {
        let seen = self.list_requests.fetch_add(1, Ordering::Relaxed) + 1;
        self.config.empty_page_every.is_some_and(|n| n > 1 && seen.is_multiple_of(u64::from(n)))
    }

    fn service_endpoint(&self, call: &Call<'_>) -> String {
        format!("http://{}/{}/", call.header("host").unwrap_or("127.0.0.1"), call.account.config.name)
    }

    fn new_guid(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let process = self.process_id;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{number:012x}",
            process >> 32,
            process >> 16 & 0xFFFF,
            process & 0xFFFF,
            number >> 48
        )
    }
}

fn seeded_blob(
    account: &Account,
    container: &str,
    name: &BlobName,
    size: u64,
    etag: Etag,
    now: SystemTime,
) -> store::Blob {
    let seed = content::synthetic_seed(account.config.seed, container, name.as_str(), size);
    let content = content::Content::Synthetic { seed, length: size };
    let pieces = content.slice(0..size);
    store::Blob {
        etag,
        created: now,
        modified: now,
        crc64: Some(checksum::crc64(&pieces)),
        md5: (account.config.content_md5 != ContentMd5::Omit).then(|| checksum::md5(&pieces)),
        content,
        properties: properties::Properties::default().or_octet_stream(),
        metadata: Default::default(),
        blocks: Default::default(),
        tier: None,
        copy: None,
        kind: store::BlobKind::Blob,
    }
}

/// Renders an error: no body for HEAD and for 304, the way each was recorded.
fn error_answer(error: &ServiceError, method: &Method, request_id: &str, now: SystemTime) -> Answer {
    if error.code == disturb::LOST {
        return Answer { body: disturb::broken_body(), ..Answer::new(500) };
    }
    let mut answer = Answer::new(error.status.as_u16());
    answer.headers.extend(error.headers.iter().cloned());
    answer.bare = error.bare;
    if !error.bare {
        answer = answer.with("x-ms-error-code", error.code);
    }
    if method == Method::HEAD {
        return answer;
    }
    if error.status == StatusCode::NOT_MODIFIED {
        return answer::content_length(answer, 0);
    }
    let text = error.xml(request_id, &clock::rfc3339_seven(now));
    answer.body = Body::from(Bytes::from(text));
    answer.with("content-type", "application/xml")
}

/// Adds what every answer carries.
fn respond(answer: Answer, head: &request::Parts, request_id: &str, now: SystemTime) -> Response<Body> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: HeaderValue| {
        headers.entry(HeaderName::from_static(name)).or_insert(value);
    };
    set("server", HeaderValue::from_static("Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        set("x-ms-request-id", id);
    }
    if let Ok(date) = HeaderValue::try_from(clock::rfc1123(now)) {
        set("date", date);
    }
    if let Some(id) = head.headers.get("x-ms-client-request-id") {
        set("x-ms-client-request-id", id.clone());
    }
    if let Some(version) = head.headers.get("x-ms-version").filter(|_| !answer.bare) {
        set("x-ms-version", version.clone());
    }
    response
}
