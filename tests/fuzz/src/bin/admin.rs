//! See [`brama_fuzz::admin`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::admin::run(data));
