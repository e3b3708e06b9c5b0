//! Fuzz targets: where strangers speak first, whatever they may say.
//!
//! 1. Each target calls the product's own functions ([`product`] names them all, so that a move of
//!    a module needs one edit) and asserts what must always hold, not only that nothing panics.
//! 2. A target takes bytes and is a function `run` of a module here. Its binary in `src/bin/` is
//!    one line. The same bytes have the same result in every process.
//! 3. Where there is another reader of the same thing, it is asked too: hyper for connections and
//!    answers, a strict one of our own for heads and chunks ([`strict`]), the URL standard for
//!    hosts and paths, a second XML parser for trees, a second decoder of HPACK for HTTP/2.
//! 4. Memory is counted ([`within`]): what a stranger sends costs a bounded multiple of its length.
//!    Time is bounded by libFuzzer.

#![allow(clippy::unwrap_used, reason = "a target says no by a panic")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

pub mod product;

pub mod script;
pub mod strict;
pub mod xml_tree;

pub mod admin;
pub mod answer;
pub mod answer_head;
pub mod chunked;
pub mod configuration;
pub mod connection;
pub mod cookies;
pub mod encoding;
pub mod forms;
pub mod forwarded;
pub mod http_2;
pub mod place;
pub mod proxy_protocol;
pub mod request_head;
pub mod sealed;
pub mod signed;
pub mod xml;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs something that may allocate so many bytes in all.
pub fn within<R>(bytes: usize, run: impl FnOnce() -> R) -> R {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let change = region.change();
    // Room that grows in place counts as what it grew by.
    let grown = usize::try_from(change.bytes_reallocated).unwrap_or(0);
    let used = change.bytes_allocated + grown;
    assert!(used <= bytes, "{used} bytes were allocated, at most {bytes} may be");
    result
}
