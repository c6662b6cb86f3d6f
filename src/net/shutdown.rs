//! Telling everything in the process that it is about to end.

use tokio::sync::watch;

/// How far the end has come. Phases only go forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Running,
    /// Readiness is withdrawn; what is in flight is finished.
    Draining,
    /// What is left is cut.
    Stop,
}

/// Watches the phase. Cheap to clone.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<Phase>);

/// Moves the phase. If it is dropped the phase stays where it was.
pub struct ShutdownTrigger(watch::Sender<Phase>);

impl Shutdown {
    pub fn new() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(Phase::Running);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// A shutdown that never comes.
    pub fn never() -> Self {
        Self::new().1
    }

    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Returns once the phase is at least `phase`.
    pub async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending().await
        }
    }
}

impl ShutdownTrigger {
    pub fn drain(&self) {
        self.raise(Phase::Draining);
    }

    pub fn stop(&self) {
        self.raise(Phase::Stop);
    }

    fn raise(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let forward = *now < phase;
            *now = phase.max(*now);
            forward
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_go_forward() {
        let (trigger, mut shutdown) = Shutdown::new();
        assert_eq!(shutdown.phase(), Phase::Running);
        trigger.stop();
        trigger.drain();
        assert_eq!(shutdown.phase(), Phase::Stop);
        drop(trigger);
        shutdown.reached(Phase::Draining).await;
    }
}
