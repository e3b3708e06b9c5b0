//! A connection that speaks HTTP/1.1: requests one after the other, each answered in turn.
//!
//! 1. One task reads, asks the service, and writes. A request with a body lends its reader to the
//!    body, which sends it home when it has been read.
//! 2. A client that hangs up while it waits for an answer is noticed, and what was being done for
//!    it is dropped.
//! 3. What is refused is answered, and the connection ends: it is not known where the next request
//!    would begin.
//! 4. An idle connection holds no buffer, and hears of a stop; without TLS it can be kept elsewhere
//!    meanwhile. A busy one is told in its answer.

mod connection;
mod exchange;
mod next;
mod reclaim;
mod response;
mod serve;
mod write;

pub use self::serve::{After, Arrival, Idle, WhileIdle, serve};
