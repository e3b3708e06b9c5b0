//! See [`brama_fuzz::cookies`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::cookies::run(data));
