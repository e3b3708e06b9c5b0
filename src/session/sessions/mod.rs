//! All sessions: those near, in the memory of this process, and the store where they are kept for
//! longer or for other replicas, if there is one.
//!
//! 1. What is near is asked first, and for nearly every request nothing else. Without a store, near
//!    is all.
//! 2. What is near was vouched for by the store. It stays good as long as we hear of what happens
//!    there; when something may have been missed, the store is asked again about each session that
//!    is used ([`crate::store::Event::Missed`]), and while we hear nothing, again and again.
//! 3. When the store is away, sessions that are near go on for a grace, if it is not long ago that
//!    something may have been missed about them (`remote`), and no request of theirs waits for it:
//!    one task asks whether it is back. Of all others nothing is known: they are neither let in nor
//!    sent to sign in.
//!    A store that no other process uses ends sessions also while it cannot write (`owed`).
//! 4. Signs of life are noted near, and told to the store seldom and many at once.
//! 5. A session that is ended from outside leaves a note why, so that the citizen can be told.
//! 6. A store that has just said that there is nothing is not asked for the same again, for a
//!    moment. What is begun cannot be hidden by that: ids are ours, and no client can ask for one
//!    before.

mod absent;
mod ends;
mod lookup;
mod numbers;
mod operators;
mod owed;
mod presence;
mod registry;
mod remote;
#[cfg(test)]
mod tests;
mod upkeep;

pub use self::lookup::Known;
pub use self::operators::{Listed, Seen};
pub use self::registry::Sessions;
pub use self::remote::Sharing;
