//! See [`brama_fuzz::encoding`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::encoding::run(data));
