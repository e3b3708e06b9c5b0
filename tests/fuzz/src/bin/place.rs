//! See [`brama_fuzz::place`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::place::run(data));
