//! Work that goes on although whoever asked for it has gone, counted so that the end of the process can
//! wait for it.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The tasks of one runtime that belong to no connection. Cheap to clone.
#[derive(Clone)]
pub struct Tasks(Arc<watch::Sender<usize>>);

impl Default for Tasks {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Tasks {
    /// Carries the work on, whether or not somebody waits for its outcome.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let counted = Counted::begin(self.0.clone());
        tokio::spawn(async move {
            let _counted = counted;
            work.await
        })
    }

    /// Tasks under way.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns once none is under way.
    pub async fn finished(&self) {
        // The sender is held by `self`, so the wait ends by the count alone.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// One task; dropping it, whether it came to its end, panicked or was cancelled, ends the count.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn begin(count: Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn waits_for_what_nobody_waits_for() {
        let tasks = Tasks::default();
        tasks.finished().await;
        let (go, wait) = oneshot::channel::<()>();
        drop(tasks.spawn(wait));
        let panicking = tasks.spawn(async { panic!("on purpose") });
        assert!(panicking.await.is_err());
        assert_eq!(tasks.count(), 1);
        assert!(futures::poll!(Box::pin(tasks.finished())).is_pending());
        drop(go);
        tasks.finished().await;
        assert_eq!(tasks.count(), 0);
    }
}
