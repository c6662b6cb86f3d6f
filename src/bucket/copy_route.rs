//! Which way of letting the service read a copy source works on this account.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::blob::copy::SourceAuth;

/// Remembers what worked, so that not every copy learns it anew.
#[derive(Default)]
pub(super) struct CopyRoute {
    delegation_first: AtomicBool,
}

impl CopyRoute {
    /// The ways to try, the likeliest first.
    pub fn auths(&self) -> [SourceAuth; 2] {
        if self.delegation_first.load(Ordering::Relaxed) {
            [SourceAuth::DelegationSas, SourceAuth::Preferred]
        } else {
            [SourceAuth::Preferred, SourceAuth::DelegationSas]
        }
    }

    pub fn worked(&self, auth: SourceAuth) {
        self.delegation_first.store(auth == SourceAuth::DelegationSas, Ordering::Relaxed);
    }
}
