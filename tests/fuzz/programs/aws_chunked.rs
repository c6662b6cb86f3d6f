#![no_main]

#[path = "../targets/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::aws_chunked::check(data));
