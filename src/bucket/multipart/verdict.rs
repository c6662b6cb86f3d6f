//! What a refused commit means: the state table of `docs/multipart.md` as one exhaustive function.

use super::record::Base;
use crate::bucket::StoredObject;
use crate::object::UploadId;

/// What is known of earlier sends of the same commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// This refusal answers the only time it was sent: it has not landed.
    Once,
    /// It may have been sent before without our knowing the outcome.
    Perhaps,
}

/// What to do about a refused commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It landed: the key carries our upload id.
    Landed,
    /// It never landed, and nothing says that it could have: stage again.
    StageAgain,
    /// A newer write took its place: success, as if ours had come just before.
    Superseded,
    /// It may have landed or not, and the client's condition forbids to guess.
    Unknown,
}

/// What is at the key now, as far as the table asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    Ours,
    Absent,
    /// Still what was read, if only its metadata moved.
    Base,
    /// A write made on condition that it replaces the base: nothing can have come between.
    NamesBase,
    /// A write on another condition.
    Conditional,
    /// A client's write on no condition.
    Unconditional,
    /// Somebody else's, which may be the base with new metadata as well as other bytes.
    Foreign,
}

/// Judges a refused commit by what is at the key now.
pub fn judge(sent: Sent, conditional: bool, base: &Base, id: &UploadId, now: Option<&StoredObject>) -> Verdict {
    table(sent, conditional, classify(base, id, now))
}

fn classify(base: &Base, id: &UploadId, now: Option<&StoredObject>) -> Now {
    match now {
        None => Now::Absent,
        Some(object) if object.upload_id.as_ref() == Some(id) => Now::Ours,
        Some(object) if base.is(object) => Now::Base,
        Some(object) if base.named_by(object) => Now::NamesBase,
        Some(object) if object.replaced.is_some() || object.meta.stamp.is_some() => Now::Conditional,
        Some(object) if object.write_id.is_none() => Now::Foreign,
        Some(_) => Now::Unconditional,
    }
}

fn table(sent: Sent, conditional: bool, now: Now) -> Verdict {
    match (now, sent, conditional) {
        (Now::Ours, _, _) => Verdict::Landed,
        (Now::Base | Now::NamesBase, _, _) => Verdict::StageAgain,
        // Sent once and refused: it has not landed, so trying again is safe, and a condition of the
        // client is judged again on what is there.
        (Now::Absent | Now::Conditional | Now::Foreign, Sent::Once, _) => Verdict::StageAgain,
        (Now::Unconditional, Sent::Once, true) => Verdict::StageAgain,
        // An unconditional write leaves room for ours just before it, whether ours landed or not.
        (Now::Unconditional, _, false) => Verdict::Superseded,
        // A delete may have had a condition too: none is left to tell.
        (Now::Absent | Now::Conditional | Now::Foreign, Sent::Perhaps, _) => Verdict::Unknown,
        (Now::Unconditional, Sent::Perhaps, true) => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_table() {
        use Verdict::{Landed, StageAgain, Superseded, Unknown};
        // Columns: sent once, unconditional; once, conditional; perhaps, unconditional; perhaps, conditional.
        for (now, expected) in [
            (Now::Ours, [Landed, Landed, Landed, Landed]),
            (Now::Absent, [StageAgain, StageAgain, Unknown, Unknown]),
            (Now::Base, [StageAgain, StageAgain, StageAgain, StageAgain]),
            (Now::NamesBase, [StageAgain, StageAgain, StageAgain, StageAgain]),
            (Now::Conditional, [StageAgain, StageAgain, Unknown, Unknown]),
            (Now::Unconditional, [Superseded, StageAgain, Superseded, Unknown]),
            (Now::Foreign, [StageAgain, StageAgain, Unknown, Unknown]),
        ] {
            let columns = [(Sent::Once, false), (Sent::Once, true), (Sent::Perhaps, false), (Sent::Perhaps, true)];
            let got = columns.map(|(sent, conditional)| table(sent, conditional, now));
            assert_eq!(got, expected, "{now:?}");
        }
    }
}
