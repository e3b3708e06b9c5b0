//! What is made of every event ([`super::event`]): lines of the log, counts, and what spans say.

mod alarms;
mod counts;
pub(super) mod log;
pub(super) mod traces;
