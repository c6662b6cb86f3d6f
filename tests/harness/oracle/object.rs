//! An S3 object as clients see it: its bytes, its metadata and its tags. Whether their histories can be
//! explained.

use std::collections::HashSet;

use super::linearizable::{NotLinearizable, search};

/// Names the bytes of one write.
pub type Value = u32;
/// Names a set of tags, and the user metadata of one write; 0 is none.
pub type Label = u32;

/// What is at the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    pub value: Value,
    /// User metadata: changes with writes and with copies in place.
    pub meta: Label,
    /// Changes with tagging too.
    pub tags: Label,
}

/// What a client did with a key. What `landed` and `found` say counts only where an answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAction {
    Write {
        makes: Held,
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
        tags: Label,
        found: bool,
    },
    /// A copy of the object onto itself with other metadata and tags. Whoever was answered knows whose
    /// bytes it took.
    InPlace {
        value: Option<Value>,
        meta: Label,
        tags: Label,
        found: bool,
    },
    Read(Option<Held>),
    /// A look that does not tell the tags.
    ReadObject(Option<(Value, Label)>),
    /// A look that tells only the tags.
    ReadTags(Option<Label>),
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
    fn holds(self, state: &Option<Held>) -> bool {
        match self {
            Self::Nothing => true,
            Self::Absent => state.is_none(),
            Self::Value(value) => state.is_some_and(|now| now.value == value),
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
    let step = |state: &Option<Held>, place: usize| step(state, &operations[matters[place]]);
    search(None, &spans, step).map_err(|wrong| wrong.in_terms_of(&matters))
}

/// The operations that can make a difference: see `linearizable`.
fn telling(operations: &[ObjectOperation]) -> Vec<usize> {
    let mut values = HashSet::new();
    let mut labels = HashSet::new();
    let mut conditions = false;
    for operation in operations.iter().filter(|operation| operation.returned.is_some()) {
        match &operation.action {
            ObjectAction::Read(Some(held)) => {
                values.insert(held.value);
                labels.extend([held.meta, held.tags]);
            }
            ObjectAction::ReadObject(Some((value, meta))) => {
                values.insert(*value);
                labels.insert(*meta);
            }
            ObjectAction::InPlace { value: Some(value), .. } => {
                values.insert(*value);
            }
            ObjectAction::ReadTags(Some(tags)) => {
                labels.insert(*tags);
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
        ObjectAction::Read(_) | ObjectAction::ReadObject(_) | ObjectAction::ReadTags(_) => false,
        ObjectAction::Retag { tags, .. } => labels.contains(tags),
        ObjectAction::InPlace { meta, tags, .. } => labels.contains(meta) || labels.contains(tags),
        ObjectAction::Write { makes, demands: Demand::Nothing, .. } => {
            conditions || values.contains(&makes.value) || labels.contains(&makes.tags)
        }
        ObjectAction::Write { .. } | ObjectAction::Delete { .. } => true,
    };
    (0..operations.len()).filter(|&place| tells(&operations[place])).collect()
}

/// The state after an operation; `None` if it cannot happen in this state with its outcome.
fn step(state: &Option<Held>, operation: &ObjectOperation) -> Option<Option<Held>> {
    let known = operation.returned.is_some();
    // Where no answer came, it did what it could.
    let told = |holds: bool, outcome: bool| !known || holds == outcome;
    match &operation.action {
        ObjectAction::Write { makes, demands, landed } => {
            let holds = demands.holds(state);
            told(holds, *landed).then_some(if holds { Some(*makes) } else { *state })
        }
        ObjectAction::Delete { demands, landed } => {
            let holds = state.is_none() || demands.holds(state);
            told(holds, *landed).then_some(if holds { None } else { *state })
        }
        ObjectAction::Retag { tags, found } => {
            told(state.is_some(), *found).then(|| state.map(|held| Held { tags: *tags, ..held }))
        }
        ObjectAction::InPlace { value, meta, tags, found } => {
            let right = value.is_none_or(|value| state.is_some_and(|held| held.value == value));
            let after = || state.map(|held| Held { meta: *meta, tags: *tags, ..held });
            (right && told(state.is_some(), *found)).then(after)
        }
        ObjectAction::Read(seen) => (seen == state).then_some(*state),
        ObjectAction::ReadObject(seen) => (*seen == state.map(|held| (held.value, held.meta))).then_some(*state),
        ObjectAction::ReadTags(seen) => (*seen == state.map(|held| held.tags)).then_some(*state),
    }
}
