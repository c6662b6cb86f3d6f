//! The one home of live-migration rules.
