//! Lease Blob.

use std::time::Duration;

use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::condition::Conditions;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::lease;

pub fn lease_blob(call: &Call<'_>) -> Outcome<Answer> {
    let action = call.header("x-ms-lease-action").ok_or_else(|| ServiceError::missing_header("x-ms-lease-action"))?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::blob_not_found)?;
    let blob = entry.committed.clone().ok_or_else(ServiceError::blob_not_found)?;
    conditions.check_write(Some(&blob), false, false)?;
    let id = || call.lease_id().ok_or_else(|| ServiceError::missing_header("x-ms-lease-id"));
    let proposed = call.header("x-ms-proposed-lease-id");
    let answer = |status| Answer::new(status).version(blob.etag, blob.modified);
    match action {
        "acquire" => {
            let id = proposed.map_or_else(|| call.emulator.new_guid(), str::to_owned);
            lease::acquire(&mut entry.lease, id.clone(), duration(call)?, call.now)?;
            Ok(answer(201).with("x-ms-lease-id", id))
        }
        "renew" => {
            lease::renew(&mut entry.lease, id()?, call.now)?;
            Ok(answer(200).with("x-ms-lease-id", id()?))
        }
        "change" => {
            let proposed = proposed.ok_or_else(|| ServiceError::missing_header("x-ms-proposed-lease-id"))?;
            lease::change(&mut entry.lease, id()?, proposed.to_owned(), call.now)?;
            Ok(answer(200).with("x-ms-lease-id", proposed))
        }
        "release" => {
            lease::release(&mut entry.lease, id()?)?;
            Ok(answer(200))
        }
        "break" => {
            let left = lease::break_lease(&mut entry.lease, break_period(call)?, call.now)?;
            Ok(answer(202).with("x-ms-lease-time", left))
        }
        other => Err(ServiceError::header_value("x-ms-lease-action", other)),
    }
}

/// 15 to 60 seconds, or -1 for an infinite lease.
fn duration(call: &Call<'_>) -> Outcome<Option<Duration>> {
    let name = "x-ms-lease-duration";
    let text = call.header(name).ok_or_else(|| ServiceError::missing_header(name))?;
    match text.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(seconds @ 15..=60) => Ok(Some(Duration::from_secs(seconds.unsigned_abs()))),
        _ => Err(ServiceError::header_value(name, text)),
    }
}

fn break_period(call: &Call<'_>) -> Outcome<Option<Duration>> {
    let name = "x-ms-lease-break-period";
    match call.header(name) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(seconds @ 0..=60) => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(ServiceError::header_value(name, text)),
        },
    }
}
