//! On whose behalf requests to Blob Storage are sent.
//!
//! The facade says it once, around the work for a request of a client; each try is counted where it is
//! sent. Work that goes on elsewhere, in a task of its own or in the stream of a body, has to be told: a
//! task does not inherit it. What the process sends of itself is charged to nobody.

use prometheus::IntCounter;

tokio::task_local! {
    static CHARGED: Option<Charge>;
}

/// Counts requests to Blob Storage for one S3 operation of one component. Cheap to clone.
#[derive(Clone)]
pub struct Charge(IntCounter);

impl Charge {
    pub(super) fn new(counter: IntCounter) -> Self {
        Self(counter)
    }

    /// Who is charged for what is being done here.
    pub fn current() -> Option<Self> {
        CHARGED.try_with(Clone::clone).ok().flatten()
    }

    /// Counts one request, if somebody is charged for it.
    pub fn count() {
        // Outside of every charge there is nothing to be counted.
        let _ = CHARGED.try_with(|charge| {
            if let Some(charge) = charge {
                charge.0.inc();
            }
        });
    }
}

/// Does `work`, wherever it is polled, at the charge of the one who is given.
pub fn charged<F: Future>(to: Option<Charge>, work: F) -> impl Future<Output = F::Output> {
    CHARGED.scope(to, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge() -> (IntCounter, Option<Charge>) {
        let counter = IntCounter::new("requests", "sent").unwrap();
        (counter.clone(), Some(Charge::new(counter)))
    }

    async fn send() {
        tokio::task::yield_now().await;
        Charge::count();
    }

    #[tokio::test]
    async fn who_is_charged_pays_for_what_is_sent_meanwhile() {
        let ((first, to_first), (second, to_second)) = (charge(), charge());
        send().await;
        let both = futures::future::join(
            charged(to_first, async {
                send().await;
                charged(to_second, send()).await;
                futures::future::join(send(), charged(None, send())).await;
            }),
            send(),
        );
        both.await;
        assert_eq!((first.get(), second.get()), (2, 1));
    }

    #[tokio::test]
    async fn a_task_of_its_own_is_charged_only_if_told() {
        let (counter, to) = charge();
        charged(to, async {
            tokio::spawn(send()).await.unwrap();
            tokio::spawn(charged(Charge::current(), send())).await.unwrap();
        })
        .await;
        assert_eq!(counter.get(), 1);
        assert!(Charge::current().is_none());
    }
}
