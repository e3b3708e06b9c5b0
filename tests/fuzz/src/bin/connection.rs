//! See [`brama_fuzz::connection`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::connection::run(data));
