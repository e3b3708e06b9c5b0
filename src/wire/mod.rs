//! HTTP/1.1 as bytes on a stream (RFC 9112): strict in what is read, exact in what is written.
//!
//! Brama stands between a client and a portal that may come from different decades. What two
//! parsers could read in two ways is how requests are smuggled past a gateway, and a library that
//! is kind to its input hides it. So the bytes are read here, once:
//!
//! 1. A head is taken as a whole or refused: [`head`] parses, [`framing`] says how long the body
//!    is, and there is one way to say that.
//! 2. Nothing waits without a limit: [`head::Bounds`] for bytes, [`deadline::Deadline`] for time.
//! 3. A body moves piece by piece and is never held whole: [`incoming`], [`chunked`].
//! 4. What goes out is written anew, byte by byte, from what was understood: [`outgoing`].
//!
//! The tokens of a head are cut out by `httparse`; what is kept of them are slices of the bytes
//! as they came, without a copy. HTTP/2 is left to `h2`. Nothing here knows of logins.

pub mod chunked;
pub mod deadline;
pub mod disconnect;
pub mod framing;
pub mod head;
pub mod incoming;
pub mod lines;
pub mod outgoing;
pub mod pace;
pub mod reader;
pub mod refusal;
mod shared;
pub mod stream;
pub mod tunnel;
pub mod websocket;
pub mod write_buffer;
