//! The key pairs that are known, and the keys of tokens.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::facade::access::Rules;
use crate::facade::sts::SealingKeys;
use crate::telemetry::Secret;
use crate::telemetry::metrics::{ComponentMetrics, ComponentReport};

/// A key pair and what its holder may do.
pub struct AccessKey {
    /// Whose key it is, as metrics and logs name it.
    pub component: String,
    pub id: String,
    pub secret: Secret,
    pub rules: Rules,
    pub metrics: Arc<ComponentMetrics>,
}

/// All key pairs, and the keys that seal and open session tokens; each replaced as a whole when
/// secrets change.
pub struct AccessKeys {
    pairs: ArcSwap<HashMap<String, Arc<AccessKey>>>,
    sealing: ArcSwapOption<SealingKeys>,
}

impl AccessKeys {
    /// Key pairs, without sessions.
    pub fn new(pairs: impl IntoIterator<Item = AccessKey>) -> Self {
        Self { pairs: ArcSwap::from_pointee(by_id(pairs)), sealing: ArcSwapOption::empty() }
    }

    /// Puts new key pairs in place of all; requests that are under way keep theirs. Sessions of a pair
    /// that is gone end with it.
    pub fn replace(&self, pairs: impl IntoIterator<Item = AccessKey>) {
        self.pairs.store(Arc::new(by_id(pairs)));
    }

    /// Puts new sealing keys in force. Sessions that none of them opens end.
    pub fn replace_sealing(&self, keys: SealingKeys) {
        self.sealing.store(Some(Arc::new(keys)));
    }

    /// What has been counted for each component that has a key pair, in the order of their names.
    pub fn reports(&self) -> Vec<ComponentReport> {
        let pairs = self.pairs.load();
        let components: BTreeMap<_, _> = pairs.values().map(|pair| (&pair.component, &pair.metrics)).collect();
        components.values().map(|metrics| metrics.report()).collect()
    }

    pub(in crate::facade) fn find(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.pairs.load().get(id).cloned()
    }

    /// The keys of tokens, if there ever were some.
    pub(in crate::facade) fn sealing(&self) -> Option<Arc<SealingKeys>> {
        self.sealing.load_full()
    }
}

fn by_id(pairs: impl IntoIterator<Item = AccessKey>) -> HashMap<String, Arc<AccessKey>> {
    pairs.into_iter().map(|pair| (pair.id.clone(), Arc::new(pair))).collect()
}
