//! The languages of what integrators read here.

use clap::ValueEnum;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// English.
    En,
    /// Polish.
    Pl,
}

/// A text in English and in Polish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// English.
    pub(super) en: &'static str,
    /// Polish.
    pub(super) pl: &'static str,
}

impl Words {
    /// Returns it in a language.
    pub(super) fn of(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Pl => self.pl,
        }
    }
}

/// Puts both together: English, then Polish.
pub(super) const fn both(en: &'static str, pl: &'static str) -> Words {
    Words { en, pl }
}
