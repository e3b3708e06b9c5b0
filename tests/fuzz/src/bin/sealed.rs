//! See [`brama_fuzz::sealed`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::sealed::run(data));
