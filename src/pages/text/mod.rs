//! The words for people, in each language side by side so that they stay one thought.
//!
//! 1. Say what happened, then what to do. Plain words, no blame, no jargon, no exclamation marks.
//! 2. Never claim more than we know: "did not confirm" is not "failed".
//! 3. No personal data and no secrets; the texts are constants, so there is nothing to leak.
//! 4. Polish without the past tense of "you", which would have to guess the reader's gender;
//!    Ukrainian says the polite "you", which does not.

mod error_page;
mod form;
mod login;
mod logout;
mod node;
mod person;
mod policy;
mod portal;
mod session;
mod timer;
mod words;

pub(super) use self::timer::timer_words;
pub use self::words::Words;
#[cfg(test)]
pub(super) use self::words::assert_translated;
