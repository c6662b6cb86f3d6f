//! A bound on the bytes held in memory at one time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that all holders together may keep in memory. Clones share the budget.
#[derive(Clone)]
pub struct ByteBudget {
    units: Arc<Semaphore>,
    units_max: u32,
}

/// A share of the budget, given back when dropped.
pub struct Grant(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Accounting grain in bytes: keeps any budget below the semaphore's limit.
const UNIT_BYTES: u64 = 1024;

impl ByteBudget {
    pub fn new(bytes: u64) -> Self {
        let units_max = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX).clamp(1, 1 << 29);
        Self { units: Arc::new(Semaphore::new(units_max as usize)), units_max }
    }

    /// Waits until `bytes` are free. A request for more than the whole budget gets the whole budget,
    /// so that it can go on alone.
    #[expect(clippy::expect_used, reason = "nobody closes the semaphore")]
    pub async fn acquire(&self, bytes: u64) -> Grant {
        let units = self.units(bytes);
        let permit = self.units.clone().acquire_many_owned(units).await.expect("the semaphore is never closed");
        Grant(permit)
    }

    /// Takes `bytes` if they are free at once.
    pub fn try_acquire(&self, bytes: u64) -> Option<Grant> {
        self.units.clone().try_acquire_many_owned(self.units(bytes)).ok().map(Grant)
    }

    /// Takes `bytes` if half of the budget stays free without them, or nearly so: two that ask at one
    /// moment may both get theirs.
    pub fn try_acquire_spare(&self, bytes: u64) -> Option<Grant> {
        let units = self.units(bytes) as usize;
        let left = self.units.available_permits().checked_sub(units)?;
        if left < self.units_max as usize / 2 { None } else { self.try_acquire(bytes) }
    }

    /// Bytes not taken at the moment.
    pub fn available(&self) -> u64 {
        self.units.available_permits() as u64 * UNIT_BYTES
    }

    fn units(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.units_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn never_more_than_the_budget_and_never_stuck() {
        let budget = ByteBudget::new(10 * 1024);
        let half = budget.acquire(5 * 1024).await;
        assert!(budget.try_acquire(6 * 1024).is_none());
        let rest = budget.try_acquire(5 * 1024).unwrap();
        assert_eq!(budget.available(), 0);
        drop((half, rest));
        let all = budget.acquire(1 << 40).await;
        assert_eq!(budget.available(), 0);
        drop(all);
        assert_eq!(budget.available(), 10 * 1024);
    }
}
