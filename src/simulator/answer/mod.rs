//! The simulated node's answers: built right, made wrong on purpose, never sent from here.
//!
//! Pure but for randomness: no I/O and no clock, so a test can have any answer as bytes.
//!
//! The shape is that of the genuine answers: fourteen prefixes on the `ArtifactResponse`, all on
//! one line, both messages signed (the inner one first, because the outer digest covers its
//! signature), one encrypted assertion that has no signature of its own.

mod additions;
mod alter;
mod assertion;
mod build;
mod claims;
mod cut;
mod login;
mod message;
mod plan;
#[cfg(test)]
mod tests;
mod wire;
mod wrapping;

pub use self::alter::EXTERNAL;
pub use self::build::{build, build_with_assertion};
pub use self::login::{Login, Outcome, assertion_id};
pub use self::message::{LogoutAnswer, logout, only_status};
pub use self::wire::{http_status, soap_fault};
