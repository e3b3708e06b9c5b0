//! The person who is signed in, and how that is told to a backend.
//!
//! Pure: no I/O, no clock; keys, randomness and time are arguments.

pub mod assurance;
pub mod attribute;
pub mod claims;
pub mod error;
pub mod foreign_headers;
pub mod forms;
pub mod headers;
pub mod keyring;
pub mod keys;
pub mod person;
pub mod pesel;
pub mod release;
pub mod signing_key;
pub mod token;
pub mod ways;
