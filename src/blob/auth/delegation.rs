//! User delegation keys: got once, used until half of their life is over.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::DelegationKey;
use crate::blob::BlobClient;
use crate::object::{Result, Timestamp};

/// The key in use. Azure allows a life of seven days.
#[derive(Default)]
pub(in crate::blob) struct DelegationKeys {
    current: ArcSwapOption<Held>,
    flight: Mutex<()>,
}

struct Held {
    key: Arc<DelegationKey>,
    refresh: Timestamp,
    expires: Timestamp,
}

/// How long a key is asked for, in seconds.
const LIFE_SECONDS: i64 = 24 * 3600;

/// A key is not used in the last seconds of its life: a signature made with it has to outlive a copy.
const MARGIN_SECONDS: i64 = 2 * 3600;

impl DelegationKeys {
    /// A key that is valid for hours yet.
    pub async fn get(&self, client: &BlobClient) -> Result<Arc<DelegationKey>> {
        if let Some(key) = self.held(|held| held.refresh) {
            return Ok(key);
        }
        let _flight = self.flight.lock().await;
        if let Some(key) = self.held(|held| held.refresh) {
            return Ok(key);
        }
        let now = Timestamp::now();
        let expires = Timestamp(now.0 + LIFE_SECONDS);
        match client.user_delegation_key(now, expires).await {
            Ok(key) => {
                let key = Arc::new(key);
                let refresh = Timestamp(now.0 + LIFE_SECONDS / 2);
                let expires = Timestamp(expires.0 - MARGIN_SECONDS);
                self.current.store(Some(Arc::new(Held { key: key.clone(), refresh, expires })));
                Ok(key)
            }
            Err(error) => self.held(|held| held.expires).ok_or(error),
        }
    }

    fn held(&self, until: impl Fn(&Held) -> Timestamp) -> Option<Arc<DelegationKey>> {
        let current = self.current.load();
        let held = current.as_ref()?;
        (Timestamp::now() < until(held)).then(|| held.key.clone())
    }
}
