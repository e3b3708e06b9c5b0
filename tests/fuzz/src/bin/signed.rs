//! See [`brama_fuzz::signed`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::signed::run(data));
