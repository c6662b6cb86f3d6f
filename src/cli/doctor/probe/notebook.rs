//! The findings as they come in.

use serde::Serialize;

use super::question::{Question, Seen};
use crate::object::Result;

/// A question and what was observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub id: &'static str,
    pub question: &'static str,
    pub expected: String,
    pub observed: String,
    pub verdict: Verdict,
    pub matters: &'static str,
}

/// What an observation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    AsExpected,
    Different,
    /// The question makes no sense for this account or credential.
    NotApplicable,
    /// No answer could be had.
    Unanswered,
}

/// All findings so far.
#[derive(Debug, Default)]
pub struct Notebook {
    pub findings: Vec<Finding>,
}

impl Notebook {
    /// Notes what came of a question.
    pub fn note(&mut self, question: &Question, seen: Result<Seen>) {
        let (observed, verdict) = match seen {
            Ok(Seen::NotApplicable(why)) => (format!("not applicable: {why}"), Verdict::NotApplicable),
            Ok(seen) if question.expected.is_met(&seen) => (seen.to_string(), Verdict::AsExpected),
            Ok(seen) => (seen.to_string(), Verdict::Different),
            Err(error) => (error.to_string(), Verdict::Unanswered),
        };
        let (id, expected) = (question.id, question.expected.to_string());
        let finding = Finding { id, question: question.asks, expected, observed, verdict, matters: question.matters };
        self.findings.push(finding);
    }
}
