//! See [`brama_fuzz::signed`].

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: brama_fuzz::signed::prepare(),
    |data: &[u8]| brama_fuzz::signed::run(data)
);
