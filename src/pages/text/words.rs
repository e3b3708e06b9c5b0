//! A message in one language, and the choice between those that there are.

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

/// Takes the one in the language of the reader from those of [`Language::ALL`], in their order.
pub(super) const fn choose(language: Language, words: [Words; 3]) -> Words {
    words[language as usize]
}

/// Demands that a text is there in every language, tidy, and that no two of them are the same.
#[cfg(test)]
pub(in crate::pages) fn assert_translated(texts: [&str; 3]) {
    for (index, text) in texts.iter().enumerate() {
        assert!(!text.trim().is_empty() && !text.contains("  "), "{text:?}");
        assert!(!texts[..index].contains(text), "{text:?} stands there twice");
    }
    let is_cyrillic = |text: &str| text.chars().any(|letter| ('а'..='ї').contains(&letter));
    assert_eq!(texts.map(is_cyrillic), [false, false, true], "{texts:?}");
}
