//! Ranges: the length of the object in eight bytes, then the header. What is read is what RFC 9110 section 14.1.2 says.

use bluebucket::object::ByteRange;

pub fn check(data: &[u8]) {
    let Some((length, header)) = data.split_first_chunk() else { return };
    let (length, Ok(header)) = (u64::from_be_bytes(*length), std::str::from_utf8(header)) else { return };
    let read = ByteRange::parse(header);
    assert_eq!(read, plain(header), "{header:?}");
    let Some(Ok(span)) = read.map(|range| range.resolve(length)) else { return };
    assert!(span.start < span.end && span.end <= length, "{header:?} of {length} is {span:?}");
    assert_eq!(span.length(), span.end - span.start);
    assert_eq!(ByteRange::parse(&span.header()).unwrap().resolve(length), Ok(span), "{header:?}");
    assert!(span.content_range(length).ends_with(&format!("/{length}")));
}

/// The same by numbers that cannot overflow.
fn plain(header: &str) -> Option<ByteRange> {
    let range = header.trim().strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| -> Option<Option<u64>> {
        let text = text.trim();
        if text.is_empty() {
            return Some(None);
        }
        text.chars().all(|digit| digit.is_ascii_digit()).then(|| {
            let digits = text.trim_start_matches('0');
            let value = digits.chars().try_fold(0_u128, |value, digit| {
                let next = value * 10 + u128::from(digit.to_digit(10).unwrap_or(0));
                (next <= u128::from(u64::MAX)).then_some(next)
            });
            Some(value.map_or(u64::MAX, |value| value as u64))
        })
    };
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (None, Some(length)) => Some(ByteRange::Suffix { length }),
        (Some(first), None) => Some(ByteRange::From { first }),
        (Some(first), Some(last)) => (first <= last).then_some(ByteRange::Inclusive { first, last }),
    }
}
