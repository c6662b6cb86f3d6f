//! Every S3 operation that the facade serves, as a client sees it over TCP.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_operations/asking.rs"]
mod asking;
#[path = "facade_operations/buckets.rs"]
mod buckets;
#[path = "facade_operations/copying.rs"]
mod copying;
#[path = "facade_operations/deleting.rs"]
mod deleting;
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
