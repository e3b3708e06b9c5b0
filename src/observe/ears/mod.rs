//! What is made of every event ([`super::event`]): lines of the log, and counts.

mod alarms;
mod counts;
pub(super) mod log;
