//! A question to the account, what the product takes for its answer, and what hangs on it.

use std::fmt;

/// One question.
#[derive(Debug)]
pub struct Question {
    pub id: &'static str,
    pub asks: &'static str,
    pub expected: Expected,
    /// What in the product depends on the answer.
    pub matters: &'static str,
}

/// The answer that the product counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This status with this code.
    Answer(u16, &'static str),
    /// This status, whatever the code.
    Status(u16),
    /// Told in words; who asks judges.
    Words(&'static str),
}

/// What was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Answer { status: u16, code: Option<String> },
    Words { text: String, as_expected: bool },
    NotApplicable(&'static str),
}

impl Seen {
    pub fn words(text: impl Into<String>, as_expected: bool) -> Self {
        Self::Words { text: text.into(), as_expected }
    }
}

impl Expected {
    pub fn is_met(self, seen: &Seen) -> bool {
        match (self, seen) {
            (_, Seen::Words { as_expected, .. }) => *as_expected,
            (Self::Answer(status, code), Seen::Answer { status: seen, code: told }) => {
                status == *seen && told.as_deref() == Some(code)
            }
            (Self::Status(status), Seen::Answer { status: seen, .. }) => status == *seen,
            (Self::Words(_), Seen::Answer { .. }) | (_, Seen::NotApplicable(_)) => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(status, code) => write!(f, "{status} {code}"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { status, code: Some(code) } => write!(f, "{status} {code}"),
            Self::Answer { status, code: None } => write!(f, "{status}"),
            Self::Words { text, .. } => f.write_str(text),
            Self::NotApplicable(why) => write!(f, "not applicable: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let answer = |status, code: &str| Seen::Answer { status, code: Some(code.to_owned()) };
        for (expected, seen, met) in [
            (Expected::Answer(409, "A"), answer(409, "A"), true),
            (Expected::Answer(409, "A"), answer(412, "A"), false),
            (Expected::Answer(409, "A"), answer(409, "B"), false),
            (Expected::Status(409), answer(409, "B"), true),
            (Expected::Status(201), Seen::Answer { status: 201, code: None }, true),
            (Expected::Words("x"), Seen::words("y", true), true),
            (Expected::Status(201), Seen::words("y", false), false),
            (Expected::Words("x"), answer(200, "x"), false),
        ] {
            assert_eq!(expected.is_met(&seen), met, "{expected} {seen}");
        }
    }
}
