//! Futures in memory that is used again.
//!
//! The future of a request is large, lives shortly, and is made while connections allocate what stays with
//! them. In memory of the allocator it would leave holes of its size among those, nearly one for each idle
//! connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// Memory for futures of one kind. Clones share it.
pub(super) struct Recycler<F>(Arc<Mutex<Vec<Slot<F>>>>);

/// A future in such memory.
pub(super) struct Recycled<F> {
    /// Gone only while it is dropped.
    slot: Option<Slot<F>>,
    home: Recycler<F>,
}

type Slot<F> = Pin<Box<Option<F>>>;

/// Slots that are kept; more of them are given back to the allocator.
const KEPT_MAX: usize = 256;

impl<F> Recycler<F> {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Puts a future into its place.
    pub fn place(&self, future: F) -> Recycled<F> {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let slot = match used {
            Some(mut slot) => {
                slot.set(Some(future));
                slot
            }
            None => Box::pin(Some(future)),
        };
        Recycled { slot: Some(slot), home: Self(self.0.clone()) }
    }
}

impl<F: Future> Future for Recycled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.slot.as_mut().and_then(|slot| slot.as_mut().as_pin_mut()) {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Recycled<F> {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        slot.set(None);
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_is_used_again_and_futures_are_dropped_in_time() {
        let recycler = Recycler::new();
        let alive = Arc::new(());
        let work = |held: Arc<()>| async move {
            tokio::task::yield_now().await;
            Arc::strong_count(&held)
        };
        for _ in 0..3 {
            assert_eq!(recycler.place(work(alive.clone())).await, 2);
            assert_eq!(Arc::strong_count(&alive), 1);
        }
        let (one, other) = (recycler.place(work(alive.clone())), recycler.place(work(alive.clone())));
        drop(one);
        assert_eq!(other.await, 2);
        assert_eq!(recycler.0.lock().unwrap().len(), 2);
    }
}
