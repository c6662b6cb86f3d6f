//! The judge: histories of source, store and readers, and what must be true of them.
//!
//! A history comes from the logs of the fakes, never from what the product says about itself.

mod accounting;
mod history;
mod invariants;
mod linearizable;
mod object;

pub use accounting::{Accounting, exact_accounting};
pub use history::{ContentId, Event, History, Moment, Stamp, Writer};
pub use invariants::{
    Violation, check_all, no_corruption, no_loss, no_resurrected_delete, no_stale_overwrite, no_torn_read,
    no_wrong_delete,
};
pub use linearizable::{Action, NotLinearizable, Operation, linearizable};
pub use object::{Demand, Held, Label, ObjectAction, ObjectOperation, Value, object_linearizable};
