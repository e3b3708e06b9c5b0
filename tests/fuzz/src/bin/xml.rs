//! See [`brama_fuzz::xml`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::xml::run(data));
