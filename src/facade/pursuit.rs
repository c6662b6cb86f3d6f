//! Work that is carried to its end though its client may have gone away.

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::telemetry::charge::{Charge, charged};

/// Counts such work, so that a process that drains waits for it. Clones share the count.
#[derive(Clone)]
pub(super) struct Pursuit(watch::Sender<usize>);

impl Default for Pursuit {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Pursuit {
    /// Begins work as a task of its own, at the charge of whoever asked for it.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let counted = Counted::new(self.0.clone());
        tokio::spawn(charged(Charge::current(), async move {
            let _counted = counted;
            work.await
        }))
    }

    /// How much is under way.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns once nothing is under way.
    pub async fn ended(&self) {
        let mut count = self.0.subscribe();
        // The sender is `self`: it cannot be gone.
        let _ = count.wait_for(|count| *count == 0).await;
    }
}

/// One piece of work; its end, a panic among them, drops it.
struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_is_waited_for_whoever_asked_for_the_work() {
        let pursuit = Pursuit::default();
        pursuit.ended().await;
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        drop(pursuit.spawn(receiver));
        assert!(pursuit.spawn(async { panic!("on purpose") }).await.is_err());
        assert_eq!(pursuit.count(), 1);
        drop(sender);
        pursuit.ended().await;
        assert_eq!(pursuit.count(), 0);
    }
}
