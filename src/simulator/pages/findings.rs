//! The page that lists all that is wrong with a request.

use maud::{Markup, html};

use super::{words, write};
use crate::pages::{Language, Page};
use crate::simulator::check::Finding;

/// Lists what the node would refuse, and why.
pub(in crate::simulator) fn refused(language: Language, findings: &[Finding]) -> Page {
    let words = words(language);
    let content = html! {
        p { (words.refused_why) }
        @for finding in findings { (describe(language, finding)) }
    };
    write(language, words.refused, content, None)
}

pub(super) fn describe(language: Language, finding: &Finding) -> Markup {
    let words = words(language);
    html! {
        h2 { code { (finding.code()) } }
        p { (capital(finding.what(language))) "." }
        dl {
            @if !finding.found.is_empty() {
                dt { (words.found) } dd { code { (finding.found) } }
            }
            @if !finding.expected.is_empty() {
                dt { (words.expected) } dd { code { (finding.expected) } }
            }
            dt { (words.to_do) } dd { (finding.advice(language)) }
            dt { (words.clause) } dd { (finding.rule.clause) }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
