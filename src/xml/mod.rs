//! XML: read once, within bounds, and believed only where a signature covers it.
//!
//! The rules of this floor:
//! 1. Bytes pass [`scan`] before any tree is built: size, depth, counts, no DTD, no processing
//!    instruction, no comment, no CDATA section.
//! 2. One parser builds one tree ([`tree::Document`]); nothing is parsed twice, nothing is
//!    re-serialised between the check of a signature and the reading of what it covers.
//! 3. [`signature::verify`] is the only constructor of [`signature::Verified`], and only a
//!    `Verified` element may be read for identity.
//! 4. Algorithms come from an allow-list ([`algorithms`]); everything else is refused by name.
//! 5. No I/O, no clock: keys and time are arguments.

pub mod algorithms;
mod canonical;
pub mod decryption;
pub mod encryption;
mod key_derivation;
mod key_wrap;
pub mod keys;
pub mod public_key;
pub mod scan;
pub mod signature;
pub mod signer;
mod signing_key;
pub mod tree;
pub mod writer;
