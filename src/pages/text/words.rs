//! A message in one language, and the choice between two.

use crate::pages::Language;

/// The words of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The heading, also the title of the document.
    pub title: &'static str,
    /// What happened, as the citizen is told.
    pub happened: &'static str,
    /// What the citizen can do.
    pub advice: &'static str,
}

/// Takes the one in the language of the reader.
pub(super) const fn choose(language: Language, polish: Words, english: Words) -> Words {
    match language {
        Language::Polish => polish,
        Language::English => english,
    }
}

#[cfg(test)]
pub(in crate::pages) fn assert_translated(polish: &str, english: &str) {
    assert!(!polish.trim().is_empty() && !english.trim().is_empty());
    assert_ne!(polish, english);
    assert!(!polish.contains("  ") && !english.contains("  "), "{polish:?} {english:?}");
}
