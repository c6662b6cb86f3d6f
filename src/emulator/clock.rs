//! The time that the emulator believes in.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The service's clock: the machine's, or one that a test moves. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// The machine's clock, shifted by so many milliseconds.
    System {
        shift_ms: AtomicI64,
    },
    Manual(Mutex<SystemTime>),
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock {
    /// The machine's clock; [`Clock::advance`] shifts it.
    pub fn system() -> Self {
        Self(Arc::new(Source::System { shift_ms: AtomicI64::new(0) }))
    }

    /// A clock that stands still at `start` until it is advanced.
    pub fn manual(start: SystemTime) -> Self {
        Self(Arc::new(Source::Manual(Mutex::new(start))))
    }

    pub fn now(&self) -> SystemTime {
        match &*self.0 {
            Source::System { shift_ms } => {
                let shift = u64::try_from(shift_ms.load(Ordering::Relaxed)).unwrap_or(0);
                SystemTime::now() + Duration::from_millis(shift)
            }
            Source::Manual(time) => *time.lock().unwrap_or_else(|e| e.into_inner()),
        }
    }

    /// Moves the time on by `step`.
    pub fn advance(&self, step: Duration) {
        match &*self.0 {
            Source::System { shift_ms } => {
                shift_ms.fetch_add(i64::try_from(step.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
            }
            Source::Manual(time) => *time.lock().unwrap_or_else(|e| e.into_inner()) += step,
        }
    }
}

/// ETags: the time in units of 100 ns since the year 1, as the real service shows it, but strictly increasing.
#[derive(Debug, Default)]
pub(super) struct EtagSource(AtomicU64);

/// An ETag, without its quotes `0x8D...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag(pub(super) u64);

impl std::fmt::Display for Etag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{:X}", self.0)
    }
}

impl EtagSource {
    pub fn next(&self, now: SystemTime) -> Etag {
        let wanted = ticks(now);
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(wanted.max(last + 1)));
        Etag(wanted.max(before.unwrap_or(0) + 1))
    }
}

/// 100 ns units between the year 1 and 1970.
const TICKS_TO_1970: u64 = 621_355_968_000_000_000;

fn ticks(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    TICKS_TO_1970 + u64::try_from(since.as_nanos() / 100).unwrap_or(0)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub(super) fn rfc1123(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}

/// `2026-11-23T06:00:53.1234567Z`, as error messages carry it.
pub(super) fn rfc3339_seven(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:07}Z", civil(since.as_secs()), since.subsec_nanos() / 100)
}

/// `2026-11-23T06:00:53Z`.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}Z", civil(since.as_secs()))
}

fn civil(seconds: u64) -> String {
    let (year, month, day) = date_of(i64::try_from(seconds / 86_400).unwrap_or(0));
    let rest = seconds % 86_400;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Reads the ISO 8601 forms that a SAS may carry: a date, or date and time with or without seconds
/// and fraction, in UTC.
pub(super) fn parse_iso(text: &str) -> Option<SystemTime> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let whole = time.split('.').next()?;
    let mut clock = whole.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let days = u64::try_from(days_of(year, month, day)).ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(days * 86_400 + hours * 3600 + minutes * 60 + seconds))
}

/// Days since 1970 of a date in the proleptic Gregorian calendar, counted in years that begin in March.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    y * 365 + leap_days + (m * 153 + 2) / 5 + day - 1 - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days / 366;
    while days_of(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while days_of(year, month, 1) > days {
        month -= 1;
    }
    (year, month, days - days_of(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_both_ways() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_413_653, "2026-11-23T06:00:53Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), text);
            assert_eq!(parse_iso(text), Some(time), "{text}");
        }
        for day in 0..60_000u64 {
            let time = UNIX_EPOCH + Duration::from_secs(day * 86_400);
            assert_eq!(parse_iso(&rfc3339(time)), Some(time));
        }
        for bad in ["", "2026", "2026-13-01", "2026-01-01T00:00:00", "2026-01-01T25:00Z", "x"] {
            assert_eq!(parse_iso(bad), None, "{bad}");
        }
    }

    #[test]
    fn etags_only_grow() {
        let etags = EtagSource::default();
        let now = UNIX_EPOCH + Duration::from_secs(1_795_413_653);
        let first = etags.next(now);
        assert!(first.to_string().starts_with("0x8D"), "{first}");
        assert!(etags.next(now) > first && etags.next(now - Duration::from_secs(9)) > first);
    }
}
