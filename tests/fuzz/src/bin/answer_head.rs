//! See [`brama_fuzz::answer_head`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::answer_head::run(data));
