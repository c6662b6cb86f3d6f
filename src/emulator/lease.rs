//! Leases on blobs.

use std::time::{Duration, SystemTime};

use super::error::{Outcome, ServiceError};

/// A lease that was taken at some time, running or not.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub id: String,
    /// `None` is infinite.
    duration: Option<Duration>,
    held: Held,
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Leased { until: Option<SystemTime> },
    Breaking { until: SystemTime },
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseState {
    Available,
    Leased,
    Expired,
    Breaking,
    Broken,
}

impl LeaseState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Leased => "leased",
            Self::Expired => "expired",
            Self::Breaking => "breaking",
            Self::Broken => "broken",
        }
    }

    /// `x-ms-lease-status`.
    pub fn status(self) -> &'static str {
        if self.active() { "locked" } else { "unlocked" }
    }

    pub fn active(self) -> bool {
        matches!(self, Self::Leased | Self::Breaking)
    }
}

pub(super) fn state(lease: Option<&Lease>, now: SystemTime) -> LeaseState {
    match lease.map(|lease| lease.held) {
        None => LeaseState::Available,
        Some(Held::Leased { until: Some(until) }) if until <= now => LeaseState::Expired,
        Some(Held::Leased { .. }) => LeaseState::Leased,
        Some(Held::Breaking { until }) if until > now => LeaseState::Breaking,
        Some(Held::Breaking { .. } | Held::Broken) => LeaseState::Broken,
    }
}

/// Judges a write: whether it holds the active lease.
///
/// # Errors
/// The four 412 of leases.
pub(super) fn check_write(lease: Option<&Lease>, sent: Option<&str>, now: SystemTime) -> Outcome<bool> {
    let active = state(lease, now).active();
    match (lease, sent) {
        (Some(_), None) if active => Err(ServiceError::lease_id_missing()),
        (Some(lease), Some(id)) if active => {
            same(lease, id).then_some(true).ok_or_else(ServiceError::lease_id_mismatch_blob)
        }
        (Some(lease), Some(id)) if same(lease, id) => Err(ServiceError::lease_lost()),
        (_, Some(_)) => Err(ServiceError::lease_not_present_blob()),
        (_, None) => Ok(false),
    }
}

/// Judges a read, which needs no lease id but must not name a wrong one.
pub(super) fn check_read(lease: Option<&Lease>, sent: Option<&str>, now: SystemTime) -> Outcome<()> {
    if sent.is_none() { Ok(()) } else { check_write(lease, sent, now).map(|_| ()) }
}

fn same(lease: &Lease, id: &str) -> bool {
    lease.id.eq_ignore_ascii_case(id)
}

/// `lease`: a new one, or the old one extended if its id is proposed again.
pub(super) fn acquire(
    lease: &mut Option<Lease>,
    id: String,
    duration: Option<Duration>,
    now: SystemTime,
) -> Outcome<()> {
    let mine = lease.as_ref().is_some_and(|lease| same(lease, &id));
    match state(lease.as_ref(), now) {
        LeaseState::Leased if !mine => return Err(ServiceError::lease_already_present()),
        LeaseState::Breaking if mine => return Err(ServiceError::lease_is_breaking()),
        LeaseState::Breaking => return Err(ServiceError::lease_already_present()),
        _ => {}
    }
    *lease = Some(Lease { id, duration, held: Held::Leased { until: duration.map(|duration| now + duration) } });
    Ok(())
}

pub(super) fn renew(lease: &mut Option<Lease>, id: &str, now: SystemTime) -> Outcome<()> {
    let current = matching(lease, id)?;
    match state(Some(current), now) {
        LeaseState::Breaking | LeaseState::Broken => return Err(ServiceError::lease_is_broken()),
        _ => current.held = Held::Leased { until: current.duration.map(|duration| now + duration) },
    }
    Ok(())
}

pub(super) fn change(lease: &mut Option<Lease>, id: &str, proposed: String, now: SystemTime) -> Outcome<()> {
    if state(lease.as_ref(), now) != LeaseState::Leased {
        return Err(ServiceError::lease_not_present_lease());
    }
    match lease {
        Some(current) if same(current, id) || same(current, &proposed) => current.id = proposed,
        _ => return Err(ServiceError::lease_id_mismatch_lease()),
    }
    Ok(())
}

pub(super) fn release(lease: &mut Option<Lease>, id: &str) -> Outcome<()> {
    matching(lease, id)?;
    *lease = None;
    Ok(())
}

/// Ends a lease after `period` at most (without one: at the end of its time, an infinite one at
/// once) and returns the whole seconds left.
pub(super) fn break_lease(lease: &mut Option<Lease>, period: Option<Duration>, now: SystemTime) -> Outcome<u64> {
    let Some(current) = lease else { return Err(ServiceError::lease_not_present_lease()) };
    let left = |until: SystemTime| until.duration_since(now).unwrap_or_default();
    let remaining = match current.held {
        Held::Leased { until: Some(until) } => left(until).min(period.unwrap_or(Duration::MAX)),
        Held::Leased { until: None } => period.unwrap_or_default(),
        Held::Breaking { until } => left(until).min(period.unwrap_or(Duration::MAX)),
        Held::Broken => Duration::ZERO,
    };
    current.held = if remaining.is_zero() { Held::Broken } else { Held::Breaking { until: now + remaining } };
    Ok(remaining.as_secs())
}

fn matching<'a>(lease: &'a mut Option<Lease>, id: &str) -> Outcome<&'a mut Lease> {
    match lease {
        None => Err(ServiceError::lease_not_present_lease()),
        Some(lease) if same(lease, id) => Ok(lease),
        Some(_) => Err(ServiceError::lease_id_mismatch_lease()),
    }
}

impl Lease {
    /// `x-ms-lease-duration`.
    pub fn duration_text(&self) -> &'static str {
        if self.duration.is_some() { "fixed" } else { "infinite" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life() {
        let now = SystemTime::UNIX_EPOCH;
        let later = now + Duration::from_secs(16);
        let code = |outcome: Outcome<bool>| outcome.map_err(|error| error.code);
        let mut lease = None;
        assert_eq!(code(check_write(None, Some("a"), now)), Err("LeaseNotPresentWithBlobOperation"));
        acquire(&mut lease, "a".into(), Some(Duration::from_secs(15)), now).unwrap();
        assert_eq!(code(check_write(lease.as_ref(), None, now)), Err("LeaseIdMissing"));
        assert_eq!(code(check_write(lease.as_ref(), Some("b"), now)), Err("LeaseIdMismatchWithBlobOperation"));
        assert_eq!(code(check_write(lease.as_ref(), Some("A"), now)), Ok(true));
        assert_eq!(code(check_write(lease.as_ref(), Some("a"), later)), Err("LeaseLost"));
        assert_eq!(code(check_write(lease.as_ref(), None, later)), Ok(false));
        assert_eq!(acquire(&mut lease, "b".into(), None, now).unwrap_err().code, "LeaseAlreadyPresent");
        renew(&mut lease, "a", later).unwrap();
        assert_eq!(break_lease(&mut lease, Some(Duration::from_secs(5)), later).unwrap(), 5);
        assert_eq!(state(lease.as_ref(), later), LeaseState::Breaking);
        assert_eq!(state(lease.as_ref(), later + Duration::from_secs(5)), LeaseState::Broken);
        assert_eq!(renew(&mut lease, "a", later).unwrap_err().code, "LeaseIsBrokenAndCannotBeRenewed");
        release(&mut lease, "a").unwrap();
        assert_eq!(state(lease.as_ref(), later), LeaseState::Available);
    }
}
