//! The access log: one line for each request, for operators and their statistics.
//!
//! 1. No personal data by default: no query, no name of a session, addresses without their last
//!    part ([`Addresses`]). Nothing that a client sends can begin a new line or end a field.
//! 2. It never makes a request wait. A line is written into memory, where at most [`MAX_WAITING`]
//!    bytes wait for the thread that writes them out. What does not fit is dropped,
//!    counted and told in the log.
//! 3. Every field is bounded ([`MAX_FIELD`]).
//!
//! What could break it in deployment: a full disk (lines are lost, the log says so; requests go
//! on), and a file that is moved away without [`AccessLog::reopen`] (lines go on into it).

mod line;
mod log;
mod record;
mod settings;
#[cfg(test)]
mod tests;

pub use self::line::MAX_FIELD;
pub use self::log::AccessLog;
pub use self::record::{Ended, Record};
pub use self::settings::{Addresses, Format, Settings, masked};
pub use super::writer::{MAX_WAITING, Target};
