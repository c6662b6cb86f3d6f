//! Create, delete and describe containers.

use crate::emulator::answer::{Answer, content_length};
use crate::emulator::call::Call;
use crate::emulator::clock::Etag;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::names::check_container;
use crate::emulator::properties::Metadata;

pub fn create(call: &Call<'_>) -> Outcome<Answer> {
    check_container(&call.container)?;
    let metadata = Metadata::of_request(call.headers)?;
    let etag = call.next_etag();
    call.account.create(&call.container, etag, metadata, call.now)?;
    call.record(CommitKind::CreateContainer, Some(etag));
    Ok(Answer::new(201).version(etag, call.now))
}

pub fn delete(call: &Call<'_>) -> Outcome<Answer> {
    let times = ["if-modified-since", "if-unmodified-since"]
        .map(|name| call.header(name).and_then(|text| httpdate::parse_http_date(text).ok()));
    call.account.delete(&call.container, call.now, |state| {
        let [modified, unmodified] = times;
        let unmet = modified.is_some_and(|since| state.modified <= since)
            || unmodified.is_some_and(|since| state.modified > since + std::time::Duration::from_secs(1));
        if unmet { Err(ServiceError::condition_not_met()) } else { Ok(()) }
    })?;
    call.record(CommitKind::DeleteContainer, None);
    Ok(Answer::new(202))
}

pub fn get_properties(call: &Call<'_>) -> Outcome<Answer> {
    let container = call.open_container()?;
    let state = container.open()?;
    let mut answer = Answer::new(200)
        .version(state.etag, state.modified)
        .with("x-ms-lease-status", "unlocked")
        .with("x-ms-lease-state", "available")
        .with("x-ms-has-immutability-policy", "false")
        .with("x-ms-has-legal-hold", "false")
        .with("x-ms-default-encryption-scope", "$account-encryption-key")
        .with("x-ms-deny-encryption-scope-override", "false");
    state.metadata.write(&mut answer.headers);
    Ok(content_length(answer, 0))
}

pub fn set_metadata(call: &Call<'_>) -> Outcome<Answer> {
    let metadata = Metadata::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let etag: Etag = call.next_etag();
    (state.etag, state.modified, state.metadata) = (etag, call.now, metadata);
    Ok(Answer::new(200).version(etag, call.now))
}
