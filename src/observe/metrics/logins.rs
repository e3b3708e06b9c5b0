//! How logins end: by result, reason, level, and the authority that identified the citizen.
//!
//! The name of an authority comes from the node, in what it signed. So many are told apart, and the
//! others are counted together.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::reason::Reason;

/// Counts how logins end. Kept when the configuration changes.
#[derive(Debug, Default)]
pub struct Logins(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// The authorities that were named so far.
    authorities: Vec<Box<str>>,
    ends: BTreeMap<(End, Named), u64>,
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The citizen was signed in, at a level.
    SignedIn(&'static str),
    /// It led to no session.
    Refused(Reason),
}

/// Which authority identified the citizen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// It is not known: the login ended before the node said so.
    Not,
    /// One of those that are told apart, by number.
    As(usize),
    /// Another one.
    Otherwise,
}

/// What [`Logins::all`] calls the authorities that are not told apart.
pub const OTHERS: &str = "other";

/// How many authorities are told apart: more than the node has.
const MOST_AUTHORITIES: usize = 16;

/// How long the name of an authority may be, in bytes, to be told apart.
const LONGEST_AUTHORITY: usize = 128;

impl Logins {
    /// Counts a login that ended. `authority` is the name that the node gave, when it did.
    pub fn ended(&self, end: End, authority: Option<&str>) {
        let mut counted = self.counted();
        let named = authority.map_or(Named::Not, |name| counted.named(name));
        *counted.ends.entry((end, named)).or_default() += 1;
    }

    /// Returns each end that was seen, with the authority, an empty one where it is not known, and
    /// how often it was.
    #[must_use]
    pub fn all(&self) -> Vec<(End, String, u64)> {
        let counted = self.counted();
        let name = |named: &Named| match named {
            Named::Not => String::new(),
            Named::As(number) => counted.authorities[*number].to_string(),
            Named::Otherwise => OTHERS.to_owned(),
        };
        counted.ends.iter().map(|((end, named), count)| (*end, name(named), *count)).collect()
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn named(&mut self, name: &str) -> Named {
        if let Some(number) = self.authorities.iter().position(|known| **known == *name) {
            return Named::As(number);
        }
        if self.authorities.len() == MOST_AUTHORITIES || name.len() > LONGEST_AUTHORITY {
            return Named::Otherwise;
        }
        self.authorities.push(name.into());
        Named::As(self.authorities.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: End = End::SignedIn("low");

    #[test]
    fn ends_are_counted_apart_by_level_reason_and_authority() {
        let logins = Logins::default();
        let refused = End::Refused(Reason::LoginCancelled);
        logins.ended(LOW, Some("pz.gov.pl"));
        logins.ended(LOW, Some("pz.gov.pl"));
        logins.ended(LOW, Some("bank.example"));
        logins.ended(refused, None);
        let all = logins.all();
        let count = |end, authority| {
            let found = all.iter().find(|(e, a, _)| (*e, &**a) == (end, authority));
            found.map(|(.., count)| *count)
        };
        assert_eq!(count(LOW, "pz.gov.pl"), Some(2));
        assert_eq!(count(LOW, "bank.example"), Some(1));
        assert_eq!(count(refused, ""), Some(1));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn a_node_that_names_many_authorities_fills_no_memory() {
        let logins = Logins::default();
        for number in 0..1_000 {
            logins.ended(LOW, Some(&format!("{number}.example")));
        }
        logins.ended(LOW, Some(&"x".repeat(LONGEST_AUTHORITY + 1)));
        let all = logins.all();
        assert_eq!(all.len(), MOST_AUTHORITIES + 1);
        let others = all.iter().find(|(_, authority, _)| authority == OTHERS).unwrap();
        assert_eq!(others.2, 1_001 - MOST_AUTHORITIES as u64);
    }
}
