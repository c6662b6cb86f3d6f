//! Points in time, with the one-second grain that S3 and Azure show.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::text::push_ascii;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Reads any HTTP date (RFC 9110 section 5.6.7).
    pub fn parse_http(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        Self::parse_fixdate(text).or_else(|| httpdate::parse_http_date(text).ok().map(Self::from))
    }

    /// The preferred form, `Mon, 23 Nov 2026 05:41:51 GMT`, for which `httpdate` takes several times as long:
    /// listings have one per entry.
    fn parse_fixdate(text: &str) -> Option<Self> {
        let bytes: &[u8; 29] = text.as_bytes().try_into().ok()?;
        let month = MONTHS.iter().position(|month| month.as_bytes() == &bytes[8..11])? as i64 + 1;
        let (year, day) = (number(&bytes[12..16])?, number(&bytes[5..7])?);
        let (hour, minute, second) = (number(&bytes[17..19])?, number(&bytes[20..22])?, number(&bytes[23..25])?);
        let days = days_from_civil(year, month, day);
        let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
        let is_date =
            year >= 1970 && bytes.starts_with(weekday.as_bytes()) && civil_from_days(days) == (year, month, day);
        let separators = (&bytes[3..5], bytes[7], bytes[11], bytes[16], bytes[19], bytes[22], &bytes[25..]);
        let is_time = hour < 24 && minute < 60 && second < 60;
        (is_date && is_time && separators == (b", ", b' ', b' ', b' ', b':', b':', b" GMT"))
            .then(|| Self::at(days, hour, minute, second))
    }

    /// Reads `2026-11-23T05:41:51Z`, fraction of a second allowed and dropped.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let (bytes, fraction) = text.trim().strip_suffix('Z')?.as_bytes().split_first_chunk::<19>()?;
        let (year, month, day) = (number(&bytes[0..4])?, number(&bytes[5..7])?, number(&bytes[8..10])?);
        let (hour, minute, second) = (number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?);
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        let separators = (bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]) == (b'-', b'-', b'T', b':', b':');
        let is_fraction =
            fraction.strip_prefix(b".").map_or(fraction.is_empty(), |digits| digits.iter().all(u8::is_ascii_digit));
        (in_range && separators && is_fraction)
            .then(|| Self::at(days_from_civil(year, month, day), hour, minute, second))
    }

    /// A time of the day that lies so many days after 1970-01-01.
    fn at(days: i64, hour: i64, minute: i64, second: i64) -> Self {
        Self(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// `Mon, 23 Nov 2026 05:41:51 GMT`, for headers.
    pub fn http(self) -> String {
        httpdate::fmt_http_date(self.system_time())
    }

    /// `2026-11-23T05:41:51.000Z`, for S3 XML.
    pub fn iso8601(self) -> String {
        let mut out = String::with_capacity(24);
        self.write_iso8601(&mut out);
        out
    }

    /// Appends [`Timestamp::iso8601`] without an allocation: listings write thousands of them.
    pub fn write_iso8601(self, out: &mut String) {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put_digits(&mut text[0..4], year);
        for (at, value) in [(5, month), (8, day), (11, second / 3_600), (14, second / 60 % 60), (17, second % 60)] {
            put_digits(&mut text[at..at + 2], value);
        }
        push_ascii(out, &text);
    }

    /// Reads `20261123T054151Z`, the form of [`Timestamp::amz`].
    pub fn parse_amz(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        let (year, month, day) = (number(&bytes[0..4])?, number(&bytes[4..6])?, number(&bytes[6..8])?);
        let (hour, minute, second) = (number(&bytes[9..11])?, number(&bytes[11..13])?, number(&bytes[13..15])?);
        let valid = bytes[8] == b'T'
            && bytes[15] == b'Z'
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        valid.then(|| Self::at(days_from_civil(year, month, day), hour, minute, second))
    }

    /// `20261123T054151Z`, for SigV4.
    pub fn amz(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let mut text = *b"00000000T000000Z";
        put_digits(&mut text[0..4], year);
        for (at, value) in [(4, month), (6, day), (9, second / 3_600), (11, second / 60 % 60), (13, second % 60)] {
            put_digits(&mut text[at..at + 2], value);
        }
        let mut out = String::with_capacity(text.len());
        push_ascii(&mut out, &text);
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

/// As RFC 9110 section 5.6.7 names them; the first of 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What decimal digits, and nothing else, say.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// Fills `room` with the last digits of `value`, which has none before them unless it lies out of S3's range.
fn put_digits(room: &mut [u8], value: i64) {
    let mut rest = value.unsigned_abs();
    for place in room.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
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
        let fraction = format!("2026-11-23T05:41:51.{}Z", "9".repeat(40));
        assert_eq!(Timestamp::parse_iso8601(&fraction), Some(Timestamp(1_795_412_511)));
        for bad in [
            "",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "2026-11-23T25:00:00Z",
            "x-11-23T00:00:00Z",
            "2026-11-23 05:41:51Z",
            "2026-1-3T5:4:1Z",
            "2026-11-23T05:41:51.1.2Z",
            "2026-11-23T05:41:51,5Z",
            "2026-11-23T05:41:51.xZ",
            "2026-11-23T05:41:5é.0Z",
        ] {
            assert_eq!(Timestamp::parse_iso8601(bad), None, "{bad}");
        }
    }

    #[test]
    fn http_dates_are_those_of_httpdate() {
        let known = |text: &str| httpdate::parse_http_date(text).ok().map(Timestamp::from);
        for valid in [
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Tue, 29 Feb 2000 23:59:59 GMT",
            "Mon, 23 Nov 2026 05:41:51 GMT",
            "Thu, 31 Dec 2099 10:20:30 GMT",
        ] {
            assert!(Timestamp::parse_fixdate(valid).is_some() && Timestamp::parse_fixdate(valid) == known(valid));
            for at in 0..valid.len() {
                for byte in b" 0123456789:,GMTJanFebWedr+-" {
                    let mut text = valid.as_bytes().to_vec();
                    text[at] = *byte;
                    let text = String::from_utf8(text).unwrap();
                    assert_eq!(Timestamp::parse_http(&text), known(&text), "{text}");
                }
            }
        }
        for text in [
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Thu, 01 Jan 1960 00:00:00 GMT",
            "Mon, 23 Nov 2026 05:41:51 +0000",
            "",
        ] {
            assert_eq!(Timestamp::parse_http(text), known(text), "{text}");
        }
    }
}
