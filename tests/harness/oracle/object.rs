//! An S3 object as clients see it: its bytes and its tags. Whether their histories can be explained.

use std::collections::HashSet;

use super::linearizable::{NotLinearizable, search};

/// Names the bytes of one write.
pub type Value = u32;
/// Names a set of tags; 0 is none.
pub type TagSet = u32;
/// What is at the key.
pub type Object = Option<(Value, TagSet)>;

/// What a client did with a key. What `landed` and `found` say counts only where an answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAction {
    Write {
        value: Value,
        tags: TagSet,
        demands: Demand,
        landed: bool,
    },
    /// That there is none already is success, also on a condition.
    Delete {
        demands: Demand,
        landed: bool,
    },
    /// Tags alone; refused where there is no object.
    Retag {
        tags: TagSet,
        found: bool,
    },
    /// A copy of the object onto itself with other tags. Whoever was answered knows whose bytes it took.
    InPlace {
        value: Option<Value>,
        tags: TagSet,
        found: bool,
    },
    Read(Object),
    /// A look that tells only whose bytes are there.
    ReadValue(Option<Value>),
    /// A look that tells only the tags.
    ReadTags(Option<TagSet>),
}

/// One operation on the object. `returned` is `None` if its client never learned the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectOperation {
    pub called: u64,
    pub returned: Option<u64>,
    pub action: ObjectAction,
}

/// The condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    Nothing,
    /// If-None-Match: *
    Absent,
    /// If-Match
    Value(Value),
}

impl Demand {
    fn holds(self, state: &Object) -> bool {
        match self {
            Self::Nothing => true,
            Self::Absent => state.is_none(),
            Self::Value(value) => state.is_some_and(|(now, _)| now == value),
        }
    }
}

/// Judges the history of one key, which was absent at the beginning.
///
/// # Errors
/// What is known about the contradiction, if there is one.
pub fn object_linearizable(operations: &[ObjectOperation]) -> Result<(), NotLinearizable> {
    let matters = telling(operations);
    let spans: Vec<_> = matters.iter().map(|&at| (operations[at].called, operations[at].returned)).collect();
    let step = |state: &Object, place: usize| step(state, &operations[matters[place]]);
    search(None, &spans, step).map_err(|wrong| wrong.in_terms_of(&matters))
}

/// The operations that can make a difference: see `linearizable`.
fn telling(operations: &[ObjectOperation]) -> Vec<usize> {
    let mut values = HashSet::new();
    let mut tag_sets = HashSet::new();
    let mut conditions = false;
    for operation in operations.iter().filter(|operation| operation.returned.is_some()) {
        match &operation.action {
            ObjectAction::Read(Some((value, tags))) => {
                values.insert(*value);
                tag_sets.insert(*tags);
            }
            ObjectAction::ReadValue(Some(value)) | ObjectAction::InPlace { value: Some(value), .. } => {
                values.insert(*value);
            }
            ObjectAction::ReadTags(Some(tags)) => {
                tag_sets.insert(*tags);
            }
            ObjectAction::Write { demands, .. } | ObjectAction::Delete { demands, .. } => {
                conditions |= *demands != Demand::Nothing;
            }
            // That an object was found says that something was written.
            ObjectAction::Retag { .. } => conditions = true,
            _ => {}
        }
    }
    let tells = |operation: &ObjectOperation| match &operation.action {
        _ if operation.returned.is_some() => true,
        ObjectAction::Read(_) | ObjectAction::ReadValue(_) | ObjectAction::ReadTags(_) => false,
        ObjectAction::Retag { tags, .. } | ObjectAction::InPlace { tags, .. } => tag_sets.contains(tags),
        ObjectAction::Write { value, tags, demands: Demand::Nothing, .. } => {
            conditions || values.contains(value) || tag_sets.contains(tags)
        }
        ObjectAction::Write { .. } | ObjectAction::Delete { .. } => true,
    };
    (0..operations.len()).filter(|&place| tells(&operations[place])).collect()
}

/// The state after an operation; `None` if it cannot happen in this state with its outcome.
fn step(state: &Object, operation: &ObjectOperation) -> Option<Object> {
    let known = operation.returned.is_some();
    // Where no answer came, it did what it could.
    let told = |holds: bool, outcome: bool| !known || holds == outcome;
    match &operation.action {
        ObjectAction::Write { value, tags, demands, landed } => {
            let holds = demands.holds(state);
            told(holds, *landed).then(|| if holds { Some((*value, *tags)) } else { *state })
        }
        ObjectAction::Delete { demands, landed } => {
            let holds = state.is_none() || demands.holds(state);
            told(holds, *landed).then(|| if holds { None } else { *state })
        }
        ObjectAction::Retag { tags, found } => {
            told(state.is_some(), *found).then(|| state.map(|(value, _)| (value, *tags)))
        }
        ObjectAction::InPlace { value, tags, found } => {
            let right = value.is_none_or(|value| state.is_some_and(|(now, _)| now == value));
            (right && told(state.is_some(), *found)).then(|| state.map(|(value, _)| (value, *tags)))
        }
        ObjectAction::Read(seen) => (seen == state).then_some(*state),
        ObjectAction::ReadValue(seen) => (*seen == state.map(|(value, _)| value)).then_some(*state),
        ObjectAction::ReadTags(seen) => (*seen == state.map(|(_, tags)| tags)).then_some(*state),
    }
}
