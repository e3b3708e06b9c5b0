//! See [`brama_fuzz::chunked`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::chunked::run(data));
