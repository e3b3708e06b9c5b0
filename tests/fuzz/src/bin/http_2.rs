//! See [`brama_fuzz::http_2`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::http_2::run(data));
