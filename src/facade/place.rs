//! Places: how many requests are worked on at one time.
//!
//! A request holds a place while this process and the account work for it. While it waits for its
//! client, which may be as slow as it likes, it holds memory of the byte budget in place of it: so
//! `max_in_flight` says what is asked of the account, slow clients starve nobody, and both are bounded.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::net::ByteBudget;
use crate::net::budget::Grant;

/// What a body that passes through may keep in the buffers of its two connections, in bytes.
pub const STREAM_BYTES: u64 = 256 * 1024;

/// A request's place among those being worked on, given back when dropped.
pub(super) struct Place {
    places: Arc<Semaphore>,
    /// Kept for its drop.
    held: Held,
}

enum Held {
    Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit),
    /// Lent to others while the request waits for its client.
    Lent,
    /// Given up for a share of the byte budget.
    Share(#[expect(dead_code, reason = "held for its drop")] Grant),
}

impl Place {
    /// A place, if one is free.
    pub fn take(places: &Arc<Semaphore>) -> Option<Self> {
        let permit = places.clone().try_acquire_owned().ok()?;
        Some(Self { places: places.clone(), held: Held::Place(permit) })
    }

    /// Gives the place up for as long as a body streams from or to the client. Where streams hold half of
    /// the budget already, the place is kept: the number of streams is bounded too.
    pub fn stream(&mut self, budget: &ByteBudget) {
        if matches!(self.held, Held::Place(_))
            && let Some(share) = budget.try_acquire_spare(STREAM_BYTES)
        {
            self.held = Held::Share(share);
        }
    }

    /// Reads what the client sends, the place lent to others if it has not all come yet. Whoever has sent
    /// all of it waits in line for the place, ahead of requests that are still to be admitted.
    ///
    /// # Errors
    /// Those of `reading`.
    pub async fn lent<T, E>(&mut self, reading: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut reading = pin!(reading);
        if let Poll::Ready(done) = futures::poll!(reading.as_mut()) {
            return done;
        }
        self.held = Held::Lent;
        let read = reading.await?;
        if let Ok(permit) = self.places.clone().acquire_owned().await {
            self.held = Held::Place(permit);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn places(count: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(count))
    }

    #[test]
    fn a_stream_gives_its_place_up_while_there_is_memory() {
        let (places, budget) = (places(1), ByteBudget::new(4 * STREAM_BYTES));
        let mut streams = Vec::new();
        for _ in 0..2 {
            let mut place = Place::take(&places).unwrap();
            assert!(Place::take(&places).is_none());
            place.stream(&budget);
            streams.push(place);
        }
        let mut third = Place::take(&places).unwrap();
        third.stream(&budget);
        assert!(Place::take(&places).is_none(), "half of the budget is for bodies that are buffered");
        streams.clear();
        third.stream(&budget);
        assert!(Place::take(&places).is_some());
        drop(third);
        assert_eq!((places.available_permits(), budget.available()), (1, 4 * STREAM_BYTES));
    }

    #[tokio::test]
    async fn a_place_is_lent_while_the_client_sends() {
        let places = places(1);
        let mut place = Place::take(&places).unwrap();
        assert_eq!(place.lent(async { Ok::<_, ()>(1) }).await, Ok(1));
        assert!(Place::take(&places).is_none(), "what is there already is read without giving up anything");

        let (sender, receiver) = oneshot::channel::<u8>();
        let mut sending = pin!(place.lent(receiver));
        assert!(futures::poll!(sending.as_mut()).is_pending());
        let other = Place::take(&places).expect("lent");
        sender.send(7).unwrap();
        assert!(futures::poll!(sending.as_mut()).is_pending(), "waits in line");
        drop(other);
        assert!(Place::take(&places).is_none(), "the one in line comes first");
        assert_eq!(sending.await, Ok(7));
    }

    #[tokio::test]
    async fn a_client_that_breaks_off_waits_for_no_place() {
        let places = places(1);
        let mut place = Place::take(&places).unwrap();
        let (sender, receiver) = oneshot::channel::<u8>();
        let mut sending = Box::pin(place.lent(receiver));
        assert!(futures::poll!(sending.as_mut()).is_pending());
        let other = Place::take(&places).unwrap();
        drop(sender);
        assert!(sending.as_mut().await.is_err());
        drop(sending);
        drop((place, other));
        assert_eq!(places.available_permits(), 1);
    }
}
