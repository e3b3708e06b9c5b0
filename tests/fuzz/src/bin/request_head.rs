//! See [`brama_fuzz::request_head`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::request_head::run(data));
