//! Judges that are not us: what others made, we understand; what we make, others understand.
//!
//! | file | judge |
//! |---|---|
//! | `sample` | a genuine answer of the node, named by `BRAMA_NODE_SAMPLE` |
//! | `signatures` | the `xmlsec1` tool, both ways, for every message and kind of key |
//! | `library` | libxmlsec1 through the crate `xmlsec` (feature `judge-xmlsec`) |
//! | `encryption` | Python's `cryptography`, both ways |
//! | `examined` | services of others before the examiner: who has a hole, and who has none |
//! | `node_client` | the PyPI client `django-logingovpl`, against the simulator |
//!
//! A judge that is not installed is skipped, and says so; with `BRAMA_JUDGES=required`, as the
//! test command sets it, it is missed as a failure.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod encryption;
mod examined;
#[cfg(feature = "judge-xmlsec")]
mod library;
mod messages;
mod node_client;
mod sample;
mod signatures;
mod tools;
