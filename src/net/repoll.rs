//! Polls again at once what was woken while it was polled.
//!
//! A body that passes through goes from hand to hand: whoever sends a piece on wakes whoever receives the
//! next one. Where both are in one task the scheduler would run all other tasks between two pieces, and what
//! the next piece needs - the state of the connection, the buffer of the piece before - would have to
//! come from memory rather than from the core's caches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;

/// Polls in a row, after which other tasks have their turn. In each of them one piece of an upload passes, so
/// 2 MiB at the most; of a download as many as the sockets and the runtime's own budget let pass.
const IN_A_ROW: usize = 8;

/// What tells whether a future was woken while it was polled. One for each future.
pub(super) struct Repoll {
    shared: Arc<Shared>,
    waker: Waker,
}

struct Shared {
    /// One of the three below.
    state: AtomicU8,
    task: AtomicWaker,
}

/// The future is not being polled: who wakes it wakes its task.
const AT_REST: u8 = 0;
/// It is being polled: who wakes it says so, and no more.
const POLLED: u8 = 1;
/// It is being polled, and was woken meanwhile.
const WOKEN: u8 = 2;

impl Repoll {
    pub fn new() -> Self {
        let shared = Arc::new(Shared { state: AtomicU8::new(AT_REST), task: AtomicWaker::new() });
        Self { waker: shared.clone().into(), shared }
    }

    /// Calls `poll` until it is ready, or waits for others.
    pub fn poll<T>(&self, context: &mut Context<'_>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.shared.task.register(context.waker());
        for _ in 0..IN_A_ROW {
            self.shared.state.store(POLLED, Ordering::Release);
            let polled = poll(&mut Context::from_waker(&self.waker));
            let woken = self.shared.state.swap(AT_REST, Ordering::AcqRel) == WOKEN;
            if polled.is_ready() || !woken {
                return polled;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let woken = |state| (state != AT_REST).then_some(WOKEN);
        if self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, woken).is_err() {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls once a future that wakes itself in each of its first `times` polls; returns how often it was
    /// polled and how often its task was woken.
    fn polls_and_wakes(times: usize) -> (usize, usize) {
        let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
        let waker = Waker::from(wakes.clone());
        let mut polls = 0;
        let polled = Repoll::new().poll(&mut Context::from_waker(&waker), |context| {
            polls += 1;
            if polls <= times {
                context.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        });
        assert!(polled.is_pending());
        (polls, wakes.0.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_woken_while_polled_is_polled_again_so_many_times() {
        assert_eq!(polls_and_wakes(0), (1, 0));
        assert_eq!(polls_and_wakes(3), (4, 0));
        assert_eq!(polls_and_wakes(usize::MAX), (IN_A_ROW, 1));
    }

    /// A thread wakes the future once a round, at any moment, and waits until it was polled: a wake-up that is
    /// lost ends the test.
    #[tokio::test]
    async fn no_wake_is_lost() {
        const ROUNDS: usize = 20_000;
        let repoll = Repoll::new();
        let (round, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let waiting = Arc::new(AtomicWaker::new());
        let waking = std::thread::spawn({
            let (round, seen, waiting) = (round.clone(), seen.clone(), waiting.clone());
            let begun = std::time::Instant::now();
            move || {
                for next in 1..=ROUNDS {
                    round.store(next, Ordering::Release);
                    waiting.wake();
                    while seen.load(Ordering::Acquire) < next && begun.elapsed() < PATIENCE {
                        std::thread::yield_now();
                    }
                }
            }
        });
        let all = poll_fn(|context| {
            repoll.poll(context, |context| {
                waiting.register(context.waker());
                let now = round.load(Ordering::Acquire);
                // The next wake-up mostly comes while the future is still being polled.
                seen.store(now, Ordering::Release);
                std::thread::yield_now();
                if now == ROUNDS { Poll::Ready(()) } else { Poll::Pending }
            })
        });
        tokio::time::timeout(PATIENCE, all).await.expect("every wake-up");
        waking.join().unwrap();
    }
}
