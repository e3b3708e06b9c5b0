//! What can be made wrong with a login, by name.
//!
//! A *quirk* is an answer that is unusual but right: the node was seen to give it, or may. A
//! *fault* is an answer that signs no citizen in, or a logout that does not succeed.

mod catalogue;

use crate::pages::Language;

pub use catalogue::Fault;

/// Whether an answer with it is still right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer is unusual, and right.
    Quirk,
    /// The answer must not sign a citizen in.
    Fault,
    /// The login is right, and the logout later is not.
    Logout,
}

impl Kind {
    /// Returns the name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quirk => "quirk",
            Self::Fault => "fault",
            Self::Logout => "logout",
        }
    }
}

impl Fault {
    /// Finds a fault by name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Returns what it does, for people.
    #[must_use]
    pub fn description(self, language: Language) -> &'static str {
        let [polish, english] = self.words();
        match language {
            Language::Polish => polish,
            Language::English | Language::Ukrainian => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_kebab_case_and_found() {
        let mut seen = HashSet::new();
        for &fault in Fault::ALL {
            let name = fault.name();
            assert!(seen.insert(name), "{name}");
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(name.bytes().all(fits), "{name}");
            assert_eq!(Fault::find(name), Some(fault));
            let [polish, english] = fault.words();
            assert!(polish != english && !polish.ends_with('.') && !english.ends_with('.'));
        }
        assert_eq!(Fault::find("none"), None);
    }
}
