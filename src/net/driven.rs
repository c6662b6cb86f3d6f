//! Who polls a connection.
//!
//! A connection in use is polled by whoever waits for its answer, in the task that reads the request's body
//! and writes the answer's. So a piece is sent right where it was received, while it is still in the core's
//! caches, and no task has to wake another one for it. An idle connection is polled by a task of its own,
//! which notices when the peer closes it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;

/// What moves the bytes of a connection, for as long as it is open.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The work of a connection, and whose turn it is to poll it. In use when made.
pub(super) struct Driven {
    state: Mutex<State>,
    /// Of the connection's own task.
    own_task: AtomicWaker,
}

struct State {
    /// `None` once the connection has ended.
    work: Option<Work>,
    in_use: bool,
}

/// The connection's own task: polls it while it is idle, and ends with it.
pub(super) struct OwnTask(Arc<Driven>);

impl Driven {
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> (Arc<Self>, OwnTask) {
        let state = State { work: Some(Box::pin(work)), in_use: true };
        let driven = Arc::new(Self { state: Mutex::new(state), own_task: AtomicWaker::new() });
        (driven.clone(), OwnTask(driven))
    }

    /// From here on the connection is polled by [`Driven::drive`] alone.
    pub fn begin_use(&self) {
        self.state().in_use = true;
    }

    /// From here on the connection is polled by its own task.
    pub fn end_use(&self) {
        self.state().in_use = false;
        self.own_task.wake();
    }

    /// Moves what can be moved; `context` is woken when there is more. To be called by whoever is about to
    /// wait for the connection, which must be in use: of all who poll it the last one is woken.
    pub fn drive(&self, context: &mut Context<'_>) {
        if self.state().poll(context).is_ready() {
            self.own_task.wake();
        }
    }

    /// Closes the connection, even if a request is still being sent.
    pub fn close(&self) {
        let work = self.state().work.take();
        drop(work);
        self.own_task.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(work) = &mut self.work else { return Poll::Ready(()) };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl Future for OwnTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Before the look at the state, so that no change of it goes unnoticed.
        self.0.own_task.register(context.waker());
        let mut state = match self.0.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // It is being polled right now, and whoever does so wakes this task if there is something to do.
            Err(TryLockError::WouldBlock) => return Poll::Pending,
        };
        match state.in_use && state.work.is_some() {
            true => Poll::Pending,
            false => state.poll(context),
        }
    }
}

impl Drop for OwnTask {
    /// Nobody would poll the connection once it is idle.
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts its polls, and ends when told to.
    fn work() -> (Arc<AtomicU32>, tokio::sync::oneshot::Sender<()>, impl Future<Output = ()> + Send) {
        let polls = Arc::new(AtomicU32::new(0));
        let (end, mut ended) = tokio::sync::oneshot::channel();
        let counted = polls.clone();
        let work = poll_fn(move |context| {
            counted.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut ended).poll(context).map(drop)
        });
        (polls, end, work)
    }

    async fn drive(driven: &Driven) {
        poll_fn(|context| {
            driven.drive(context);
            Poll::Ready(())
        })
        .await;
    }

    async fn settle() {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn whoever_uses_it_polls_it_and_its_own_task_while_it_is_idle() {
        let (polls, end, work) = work();
        let (driven, own_task) = Driven::new(work);
        let own_task = tokio::spawn(own_task);
        settle().await;
        assert_eq!(polls.load(Ordering::Relaxed), 0, "in use when made");
        drive(&driven).await;
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        driven.end_use();
        settle().await;
        assert_eq!(polls.load(Ordering::Relaxed), 2);
        driven.begin_use();
        end.send(()).unwrap();
        settle().await;
        assert!(!own_task.is_finished(), "in use: its user is to notice");
        drive(&driven).await;
        own_task.await.unwrap();
    }

    #[tokio::test]
    async fn an_idle_one_ends_by_itself_and_a_closed_one_at_once() {
        let (_, end, work_that_ends) = work();
        let (driven, own_task) = Driven::new(work_that_ends);
        let own_task = tokio::spawn(own_task);
        driven.end_use();
        end.send(()).unwrap();
        own_task.await.unwrap();

        let (_, end, work_to_close) = work();
        let (driven, own_task) = Driven::new(work_to_close);
        let own_task = tokio::spawn(own_task);
        driven.close();
        assert!(end.is_closed(), "its work is dropped");
        own_task.await.unwrap();
    }
}
