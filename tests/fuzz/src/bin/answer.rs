//! See [`brama_fuzz::answer`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::answer::run(data));
