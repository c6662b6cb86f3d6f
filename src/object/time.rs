//! Points in time, with the one-second grain that S3 and Azure show.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Reads any HTTP date (RFC 9110 section 5.6.7).
    pub fn parse_http(text: &str) -> Option<Self> {
        httpdate::parse_http_date(text.trim()).ok().map(Self::from)
    }

    /// Reads `2026-11-23T05:41:51Z`, fraction of a second allowed and dropped.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let (date, time) = text.trim().strip_suffix('Z')?.split_once('T')?;
        let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let time = time.split('.').next()?;
        let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
        let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..=60).contains(&second)
            && (0..10_000).contains(&year);
        in_range.then(|| Self(days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second))
    }

    /// `Mon, 23 Nov 2026 05:41:51 GMT`, for headers.
    pub fn http(self) -> String {
        httpdate::fmt_http_date(self.system_time())
    }

    /// `2026-11-23T05:41:51.000Z`, for S3 XML.
    pub fn iso8601(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z", second / 3_600, second / 60 % 60, second % 60)
    }

    /// Appends [`Timestamp::iso8601`] without an allocation: listings write thousands of them.
    pub fn write_iso8601(self, out: &mut String) {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        digits(out, year, 4);
        for (separator, value) in
            [('-', month), ('-', day), ('T', second / 3_600), (':', second / 60 % 60), (':', second % 60)]
        {
            out.push(separator);
            digits(out, value, 2);
        }
        out.push_str(".000Z");
    }

    /// Reads `20261123T054151Z`, the form of [`Timestamp::amz`].
    pub fn parse_amz(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        let number = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
        };
        let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
        let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
        let valid = bytes[8] == b'T'
            && bytes[15] == b'Z'
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        valid.then(|| Self(days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second))
    }

    /// `20261123T054151Z`, for SigV4.
    pub fn amz(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let mut out = String::with_capacity(16);
        digits(&mut out, year, 4);
        digits(&mut out, month, 2);
        digits(&mut out, day, 2);
        out.push('T');
        for value in [second / 3_600, second / 60 % 60, second % 60] {
            digits(&mut out, value, 2);
        }
        out.push('Z');
        out
    }

    pub fn system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.max(0).unsigned_abs())
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso8601())
    }
}

/// Appends `value` with at least `width` digits.
fn digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        out.push(char::from(b'0' + (value / 10_i64.pow(place) % 10) as u8));
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar (H. Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_agree() {
        for (seconds, iso) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_795_412_511, "2026-11-23T05:41:51.000Z"),
            (4_102_444_799, "2099-12-31T23:59:59.000Z"),
        ] {
            let time = Timestamp(seconds);
            assert_eq!(time.iso8601(), iso);
            assert_eq!(Timestamp::parse_iso8601(iso), Some(time));
            assert_eq!(Timestamp::parse_http(&time.http()), Some(time));
            assert_eq!(Timestamp::parse_amz(&time.amz()), Some(time));
            let mut written = String::new();
            time.write_iso8601(&mut written);
            assert_eq!(written, iso);
        }
        assert_eq!(Timestamp(1_795_412_511).amz(), "20261123T054151Z");
        for bad in ["", "20261123T054151", "20261323T054151Z", "20261123T+54151Z", "20261123 054151Z", "2026112éT05415"]
        {
            assert_eq!(Timestamp::parse_amz(bad), None, "{bad}");
        }
        for bad in ["", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z", "x-11-23T00:00:00Z"] {
            assert_eq!(Timestamp::parse_iso8601(bad), None, "{bad}");
        }
    }
}
