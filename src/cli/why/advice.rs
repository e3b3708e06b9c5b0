//! What a reason means and who does what about it, from the pages of reason codes in both languages.

use super::words::Language;
use crate::cli::reason;

/// What a page says of a reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) meaning: String,
    /// Who does what, one line each.
    pub(super) deeds: Vec<String>,
}

/// Finds what the page of a language says of a reason; what the English one says, where it says
/// nothing.
pub(super) fn find(code: &str, language: Language) -> Option<Advice> {
    match language {
        Language::English => english(code),
        Language::Polish => polish(code).or_else(|| english(code)),
    }
}

fn english(code: &str) -> Option<Advice> {
    let (meaning, deeds) = reason::advice(code)?;
    Some(Advice { meaning, deeds })
}

/// The Polish page has the code in the first column, what it means in the second and what to do in
/// the last one.
fn polish(code: &str) -> Option<Advice> {
    let named = format!("`{code}`");
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let cells = rows.find(|cells| cells.len() >= 3 && cells[0].contains(&named))?;
    let deeds = cells.last()?.split("; ").map(str::to_owned);
    Some(Advice { meaning: cells[1].to_owned(), deeds: deeds.collect() })
}

const PAGE: &str = include_str!("../../../docs/pl/bledy.md");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::reason::Reason;

    #[test]
    fn every_reason_of_a_login_has_advice_in_both_languages() {
        for reason in Reason::ALL.iter().filter(|reason| reason.as_str().starts_with("login.")) {
            for found in [english(reason.as_str()), polish(reason.as_str())] {
                let advice = found.unwrap_or_else(|| panic!("{reason} has no advice"));
                assert!(!advice.meaning.is_empty() && !advice.deeds.is_empty(), "{reason}");
            }
        }
    }
}
