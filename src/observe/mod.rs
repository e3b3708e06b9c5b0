//! What the program tells its operators.
//!
//! Log lines are events with fields. None holds a name, an identifier of a person, a token or a
//! key; types that could print one print `[personal]` or `[secret]` instead.

pub mod access;
pub mod alarm;
mod ears;
pub mod event;
pub mod events;
pub mod incident;
mod log;
pub mod metrics;
mod repeats;
pub mod seldom;
pub mod traces;
pub mod trouble;
mod writer;

pub use self::event::OF_OPERATORS;
pub use self::log::{BadLevel, Level, flush, lost, set_level, start};
