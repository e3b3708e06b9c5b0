//! See [`brama_fuzz::proxy_protocol`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brama_fuzz::proxy_protocol::run(data));
