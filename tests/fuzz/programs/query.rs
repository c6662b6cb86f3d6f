#![no_main]

#[path = "../targets/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::query::check(data));
