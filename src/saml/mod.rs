//! SAML 2.0 as the national node speaks it: what we send, and how an answer is believed.
//!
//! The flow of an answer through this floor, each step asking for the proof of the one before:
//! [`answer::Answer::verify`] (both signatures) → [`answer::Answer::open`] (decryption) →
//! [`assertion::Assertion::read`] (every condition) → [`assertion::Assertion::person`].
//! [`examine::examine`] runs the whole of it and keeps a list of the checks; a login and
//! `brama explain` both call it.
//!
//! No I/O and no clock: keys, expectations and time are arguments.

pub mod answer;
pub mod artifact;
pub mod assertion;
pub mod authn_request;
pub mod checks;
pub mod conditions;
pub mod examine;
pub mod expected;
pub mod finding;
pub mod kind;
pub mod logout;
mod masked;
pub mod message;
pub mod namespaces;
pub mod refusal;
mod schema;
pub mod soap;
pub mod status;
