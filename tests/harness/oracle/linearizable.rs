//! Whether what clients saw of one key can be explained by operations that took effect one after
//! the other, each between its call and its return.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the
//! memory of Lowe ("Testing for linearizability", 2017).

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

/// What a client did with the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<V> {
    Write(V),
    Delete,
    /// What was seen; `None` is "not found".
    Read(Option<V>),
    /// A write that demands a value (`None`: that there is none) and either landed or was refused.
    WriteIf {
        base: Option<V>,
        value: V,
        landed: bool,
    },
    /// A delete that demands a value. That there is none already is success, as of any delete.
    DeleteIf {
        base: V,
        landed: bool,
    },
}

/// One operation. `returned` is `None` if the client never learned the outcome: it may take effect
/// at any time after its call, or never. An operation that surely did nothing is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<V> {
    pub called: u64,
    pub returned: Option<u64>,
    pub action: Action<V>,
}

/// No order explains the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLinearizable {
    /// Indexes of the longest order that was found.
    pub explained: Vec<usize>,
    /// The operation that had to come next and could not.
    pub stuck_at: usize,
}

impl fmt::Display for NotLinearizable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} fits nowhere; the longest order was {:?}", self.stuck_at, self.explained)
    }
}

/// Judges the history of one key.
///
/// # Errors
/// What is known about the contradiction, if there is one.
pub fn linearizable<V: Clone + Eq + Hash>(
    initial: Option<V>,
    operations: &[Operation<V>],
) -> Result<(), NotLinearizable> {
    let matters = telling(operations);
    let kept: Vec<_> = matters.iter().map(|&place| operations[place].clone()).collect();
    let spans: Vec<_> = kept.iter().map(|operation| (operation.called, operation.returned)).collect();
    search(initial, &spans, |state, place| step(state, &kept[place])).map_err(|wrong| wrong.in_terms_of(&matters))
}

impl NotLinearizable {
    /// The same of the history that `kept` were picked from.
    pub(super) fn in_terms_of(self, kept: &[usize]) -> Self {
        Self { explained: self.explained.iter().map(|&place| kept[place]).collect(), stuck_at: kept[self.stuck_at] }
    }
}

/// The operations that can make a difference. Without the others, each of which would double the
/// search: reads that nobody got, and unknown writes of values that nobody saw, which may as well
/// never have landed (unless they could explain why a condition was refused).
fn telling<V: Eq + Hash>(operations: &[Operation<V>]) -> Vec<usize> {
    let seen: HashSet<&V> = operations
        .iter()
        .filter_map(|operation| match &operation.action {
            Action::Read(value) => value.as_ref(),
            _ => None,
        })
        .collect();
    let conditions =
        operations.iter().any(|operation| matches!(operation.action, Action::WriteIf { .. } | Action::DeleteIf { .. }));
    let tells = |operation: &Operation<V>| match &operation.action {
        _ if operation.returned.is_some() => true,
        Action::Read(_) => false,
        Action::Write(value) => conditions || seen.contains(value),
        Action::Delete | Action::WriteIf { .. } | Action::DeleteIf { .. } => true,
    };
    (0..operations.len()).filter(|&place| tells(&operations[place])).collect()
}

/// Looks for an order. Operations are their places in `spans`, which say when each was called and when
/// it returned; `step` gives the state after one, or `None` if it cannot happen in that state.
pub(super) fn search<S: Clone + Eq + Hash>(
    initial: S,
    spans: &[(u64, Option<u64>)],
    step: impl Fn(&S, usize) -> Option<S>,
) -> Result<(), NotLinearizable> {
    let mut list = EventList::new(spans);
    let mut state = initial;
    let mut done = vec![0_u64; spans.len().div_ceil(64)];
    let mut open = spans.iter().filter(|(_, returned)| returned.is_some()).count();
    let mut seen: HashSet<(Vec<u64>, S)> = HashSet::new();
    let mut order: Vec<(usize, S)> = Vec::new();
    let mut worst = NotLinearizable { explained: Vec::new(), stuck_at: 0 };
    let mut cursor = list.first();
    while open > 0 {
        let event = list.events[cursor];
        if event.is_call {
            if let Some(next) = step(&state, event.operation) {
                flip(&mut done, event.operation);
                if seen.insert((done.clone(), next.clone())) {
                    order.push((event.operation, std::mem::replace(&mut state, next)));
                    open -= usize::from(spans[event.operation].1.is_some());
                    list.lift(event.operation);
                    cursor = list.first();
                    continue;
                }
                flip(&mut done, event.operation);
            }
            cursor = list.next[cursor];
            continue;
        }
        // The return of an operation that is not placed yet: all orders tried so far are wrong.
        if order.len() >= worst.explained.len() {
            worst = NotLinearizable {
                explained: order.iter().map(|(operation, _)| *operation).collect(),
                stuck_at: event.operation,
            };
        }
        let Some((operation, before)) = order.pop() else { return Err(worst) };
        state = before;
        flip(&mut done, operation);
        open += usize::from(spans[operation].1.is_some());
        list.put_back(operation);
        cursor = list.next[list.calls[operation]];
    }
    Ok(())
}

/// The state after an operation; `None` if it cannot happen in this state with its outcome.
fn step<V: Clone + Eq>(state: &Option<V>, operation: &Operation<V>) -> Option<Option<V>> {
    let known = operation.returned.is_some();
    match &operation.action {
        Action::Write(value) => Some(Some(value.clone())),
        Action::Delete => Some(None),
        Action::Read(value) => (!known || value == state).then(|| state.clone()),
        Action::WriteIf { base, value, landed } => match (base == state, known) {
            (true, false) => Some(Some(value.clone())),
            (false, false) => Some(state.clone()),
            (holds, true) if holds != *landed => None,
            (true, true) => Some(Some(value.clone())),
            (false, true) => Some(state.clone()),
        },
        Action::DeleteIf { base, landed } => {
            let holds = state.as_ref().is_none_or(|value| value == base);
            match (holds, known) {
                (true, true) if *landed => Some(None),
                (false, true) if !*landed => Some(state.clone()),
                (_, true) => None,
                (true, false) => Some(None),
                (false, false) => Some(state.clone()),
            }
        }
    }
}

fn flip(bits: &mut [u64], place: usize) {
    bits[place / 64] ^= 1 << (place % 64);
}

#[derive(Clone, Copy)]
struct CallOrReturn {
    operation: usize,
    is_call: bool,
}

/// Calls and returns in order, as a list from which a pair can be taken out and put back.
struct EventList {
    events: Vec<CallOrReturn>,
    next: Vec<usize>,
    previous: Vec<usize>,
    calls: Vec<usize>,
    returns: Vec<usize>,
}

impl EventList {
    fn new(spans: &[(u64, Option<u64>)]) -> Self {
        let mut timed: Vec<(u64, bool, usize)> = Vec::new();
        for (operation, &(called, returned)) in spans.iter().enumerate() {
            timed.push((called, false, operation));
            timed.push((returned.unwrap_or(u64::MAX), true, operation));
        }
        // At the same instant calls come first: such operations overlap.
        timed.sort_unstable();
        // Place 0 is the head, the last one the end.
        let mut events = vec![CallOrReturn { operation: usize::MAX, is_call: false }];
        events.extend(timed.iter().map(|&(_, returns, operation)| CallOrReturn { operation, is_call: !returns }));
        let (mut calls, mut returns) = (vec![0; spans.len()], vec![0; spans.len()]);
        for (place, event) in events.iter().enumerate().skip(1) {
            let side = if event.is_call { &mut calls } else { &mut returns };
            side[event.operation] = place;
        }
        let places = events.len() + 1;
        Self {
            events,
            next: (1..=places).collect(),
            previous: (0..places).map(|place| place.saturating_sub(1)).collect(),
            calls,
            returns,
        }
    }

    fn first(&self) -> usize {
        self.next[0]
    }

    fn lift(&mut self, operation: usize) {
        for place in [self.calls[operation], self.returns[operation]] {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = next;
            self.previous[next] = previous;
        }
    }

    fn put_back(&mut self, operation: usize) {
        for place in [self.returns[operation], self.calls[operation]] {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = place;
            self.previous[next] = place;
        }
    }
}
