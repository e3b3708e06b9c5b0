//! A session is handed off to another host: that of the registered host leads there too.
//!
//! The node knows one address to come back to, so every login takes place at the registered host. A
//! portal on an unrelated domain gets the session in three steps, each a redirect of the browser:
//!
//! 1. The other host remembers a hand-off request ([`requests`]) for the browser that has its
//!    binding cookie, and sends it to the registered host with a handle:
//!    [`Flows::begin_handoff`](super::Flows::begin_handoff).
//! 2. The registered host has the citizen sign in, unless a session is there that will do, and
//!    sends the browser back with a code ([`codes`]):
//!    [`Flows::continue_handoff`](super::Flows::continue_handoff).
//! 3. The other host spends the code and gives the browser a session linked to that very one
//!    ([`crate::session::linked`]): [`Flows::complete_handoff`](super::Flows::complete_handoff),
//!    the only place where one is made.
//!
//! What is worth stealing on the way, and why it is of no use: the handle belongs to the first
//! browser that brings it, and the code to the browser that asked for the hand-off. A link signs no
//! citizen in as another one: for that a foreign browser would have to have the binding cookie,
//! which only the other host itself can set.

pub mod codes;
pub mod refusal;
pub mod requests;
pub mod steps;
