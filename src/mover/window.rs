//! Up to which key everything is settled, while objects end in any order.

use std::collections::VecDeque;

use crate::migration::ranges::Counters;

/// The keys that were listed and are not yet part of the cursor.
#[derive(Default)]
pub struct Window {
    slots: VecDeque<Slot>,
    /// Sequence number of the first slot.
    first: u64,
    cursor: Option<String>,
    done: Counters,
    dirty: u64,
}

struct Slot {
    key: String,
    tally: Option<Counters>,
}

impl Window {
    /// Starts behind `cursor` with what was counted up to there.
    pub fn new(cursor: Option<String>, done: Counters) -> Self {
        Self { cursor, done, ..Self::default() }
    }

    /// Takes in the next key of the listing; the number names it in [`Window::settle`].
    pub fn push(&mut self, key: String) -> u64 {
        self.slots.push_back(Slot { key, tally: None });
        self.first + self.slots.len() as u64 - 1
    }

    /// Says what became of a key.
    pub fn settle(&mut self, sequence: u64, tally: Counters) {
        let slot = sequence.checked_sub(self.first).and_then(|at| self.slots.get_mut(usize::try_from(at).ok()?));
        if let Some(slot) = slot {
            slot.tally = Some(tally);
        }
        while let Some(tally) = self.slots.front().and_then(|slot| slot.tally) {
            self.done += tally;
            self.cursor = self.slots.pop_front().map(|slot| slot.key);
            self.first += 1;
            self.dirty += 1;
        }
    }

    /// The last key up to which all are settled, and the counters up to there.
    pub fn settled(&self) -> (Option<&str>, Counters) {
        (self.cursor.as_deref(), self.done)
    }

    /// Keys that are not settled, or settled behind one that is not.
    pub fn pending(&self) -> usize {
        self.slots.len()
    }

    /// Keys by which the cursor has moved since the last call of [`Window::saved`].
    pub fn unsaved(&self) -> u64 {
        self.dirty
    }

    /// Takes over the unsaved keys of an earlier window.
    pub fn carry(&mut self, unsaved: u64) {
        self.dirty += unsaved;
    }

    pub fn saved(&mut self) {
        self.dirty = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one() -> Counters {
        Counters { listed: 1, copied: 1, ..Counters::default() }
    }

    #[test]
    fn the_cursor_never_passes_an_open_key() {
        let mut window = Window::new(Some("a".into()), Counters::default());
        let [b, c, d] = ["b", "c", "d"].map(|key| window.push(key.into()));
        window.settle(c, one());
        assert_eq!(window.settled(), (Some("a"), Counters::default()));
        window.settle(b, one());
        assert_eq!(window.settled().0, Some("c"));
        assert_eq!((window.settled().1.copied, window.pending(), window.unsaved()), (2, 1, 2));
        window.settle(d, one());
        assert_eq!((window.settled().0, window.pending()), (Some("d"), 0));
    }

    proptest! {
        #[test]
        fn any_order_ends_the_same(order in Just((0..40_u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut window = Window::new(None, Counters::default());
            for key in 0..40 {
                window.push(format!("{key:02}"));
            }
            for sequence in order {
                window.settle(sequence, one());
                let (cursor, done) = window.settled();
                prop_assert_eq!(cursor.map_or(0, |key| key.parse::<u64>().unwrap() + 1), done.listed);
            }
            prop_assert_eq!(window.settled().1.listed, 40);
        }
    }
}
