//! Short pages that say one thing.

use maud::html;

use super::{words, write};
use crate::pages::{Language, Page};

/// Explains that the sign-on address takes a form.
pub(in crate::simulator) fn post_only(language: Language) -> Page {
    notice(language, words(language).post_only, words(language).post_only_why)
}

/// Says that the transaction is over.
pub(in crate::simulator) fn over(language: Language) -> Page {
    notice(language, words(language).over, words(language).over_why)
}

/// Says that no person of that name is here.
pub(in crate::simulator) fn nobody(language: Language) -> Page {
    notice(language, words(language).nobody, words(language).over_why)
}

/// Says that the form could not be read.
pub(in crate::simulator) fn unreadable(language: Language) -> Page {
    notice(language, words(language).unreadable, words(language).over_why)
}

/// Says that the address leads nowhere.
pub(in crate::simulator) fn not_found(language: Language) -> Page {
    notice(language, words(language).not_found, "")
}

fn notice(language: Language, title: &str, why: &str) -> Page {
    write(language, title, html! { @if !why.is_empty() { p { (why) } } }, None)
}
