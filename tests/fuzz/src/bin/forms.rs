//! See [`brama_fuzz::forms`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::forms::run(data));
