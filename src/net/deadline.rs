//! A wait that ends when nothing has happened for too long.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A timer for gaps: armed by the first poll after [`Patience::renew`], so that a peer which is
/// never waited for costs no timer at all.
pub struct Patience {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Patience {
    pub fn new(limit: Duration) -> Self {
        Self { limit, timer: None, armed: false }
    }

    /// Something happened: the next gap starts with the next poll.
    pub fn renew(&mut self) {
        self.armed = false;
    }

    /// Ready once the current gap has lasted the limit.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = match &mut self.timer {
            Some(timer) => timer,
            none => none.insert(Box::pin(tokio::time::sleep(self.limit))),
        };
        if !self.armed {
            timer.as_mut().reset(Instant::now() + self.limit);
            self.armed = true;
        }
        timer.as_mut().poll(context)
    }
}
