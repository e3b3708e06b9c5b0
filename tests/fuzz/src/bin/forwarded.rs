//! See [`brama_fuzz::forwarded`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::forwarded::run(data));
