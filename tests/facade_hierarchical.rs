//! The same operations as a client sees them in front of an account with a hierarchical namespace, and
//! what is particular there: directories, collisions, files of native clients.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_operations/asking.rs"]
mod asking;
#[path = "facade_operations/copying.rs"]
mod copying;
#[path = "facade_operations/deleting.rs"]
mod deleting;
#[path = "facade_operations/hierarchy.rs"]
mod hierarchy;
#[path = "facade_operations/listing.rs"]
mod listing;
#[path = "facade_operations/multipart.rs"]
mod multipart;
#[path = "facade_operations/reading.rs"]
mod reading;
#[path = "facade_operations/tagging.rs"]
mod tagging;
#[path = "facade_operations/writing.rs"]
mod writing;

use asking::{ask, assert_refused, assert_status, bytes, send};
