//! What both benchmarks share: child processes pinned to a core, their CPU time, a load generator,
//! the relay that is the floor, and a stub backend.

// Each benchmark uses a part of it.
#![allow(dead_code)]

pub mod arguments;
pub mod child;
pub mod cpu;
pub mod load;
pub mod product;
pub mod relay;
pub mod report;
pub mod stub;
