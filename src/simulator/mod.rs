//! Stands in for the national node on a laptop and in CI: its endpoints, its people, its moods.
//!
//! 1. Faithful: what it answers has the very shape of the node's own messages ([`answer`]).
//! 2. Strict: whatever it would refuse in a request it names, all of it at once, with what to do
//!    about it, on a page and in JSON ([`check`]).
//! 3. Wrong on demand: every quirk and fault has a name ([`faults`]), chosen on the page or
//!    through `/control/`.
//! 4. Not for production: loopback addresses unless told otherwise, keys of its own ([`kit`]),
//!    invented people ([`people`]), a banner on each page.
//! 5. Everything that grows has a bound ([`bounds`]).
//! 6. It examines service providers that need not be ours ([`examine`]).
//!
//! The gateway trusts it through configuration only, as it would trust the node: no other module
//! imports this one, but for the command line.

pub mod answer;
pub mod bounds;
pub mod check;
mod choice;
mod crowd;
mod endpoints;
mod error;
pub mod examine;
pub mod faults;
mod front;
pub mod kit;
mod logins;
mod node;
mod pages;
mod paths;
pub mod people;
mod recording;
mod registry;
mod rollover;
mod roster;
mod settings;
mod sheet;
mod sockets;
mod state;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use front::{Condition, Schedule, TlsFault};
pub use settings::{MutualTls, Service, Settings};
pub use sockets::{Control, Simulator};
