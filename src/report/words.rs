//! The words of the reports that are the same for every examination.

use super::Outcome;
use crate::pages::Language;

/// The words of one language.
pub(super) struct Words {
    pub(super) all_good: &'static str,
    pub(super) not_good: &'static str,
    pub(super) nothing: &'static str,
    pub(super) subject: &'static str,
    pub(super) program: &'static str,
    pub(super) began: &'static str,
    pub(super) took: &'static str,
    pub(super) remarks: &'static str,
    pub(super) summary: &'static str,
    pub(super) group: &'static str,
    pub(super) total: &'static str,
    /// Headings of columns with numbers: passed, not passed, skipped.
    pub(super) counts: [&'static str; 3],
    pub(super) number: &'static str,
    pub(super) case: &'static str,
    pub(super) outcome: &'static str,
    pub(super) passed: &'static str,
    pub(super) failed: &'static str,
    pub(super) skipped: &'static str,
    pub(super) errors: &'static str,
    pub(super) expected: &'static str,
    pub(super) seen: &'static str,
    pub(super) why: &'static str,
    pub(super) source: &'static str,
    pub(super) steps: &'static str,
    pub(super) what_failed: &'static str,
    pub(super) signature: &'static str,
    pub(super) prepared_by: &'static str,
    pub(super) date: &'static str,
    pub(super) more_steps: &'static str,
    pub(super) of: &'static str,
    pub(super) seconds: &'static str,
}

impl Words {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::Polish => &POLISH,
            Language::English | Language::Ukrainian => &ENGLISH,
        }
    }

    pub(super) const fn of_outcome(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Passed => self.passed,
            Outcome::Failed => self.failed,
            Outcome::Skipped(_) => self.skipped,
            Outcome::Error(_) => self.errors,
        }
    }
}

static POLISH: Words = Words {
    all_good: "Wynik pozytywny",
    not_good: "Wynik negatywny",
    nothing: "Nie wykonano żadnej próby",
    subject: "Przedmiot badania",
    program: "Program badający",
    began: "Data i godzina",
    took: "Czas trwania",
    remarks: "Warunki badania",
    summary: "Zestawienie wyników",
    group: "Zakres",
    total: "Razem",
    counts: ["Pozytywne", "Negatywne", "Pominięte"],
    number: "Nr",
    case: "Próba",
    outcome: "Wynik",
    passed: "pozytywny",
    failed: "negatywny",
    skipped: "pominięto",
    errors: "błąd próby",
    expected: "Oczekiwano",
    seen: "Stwierdzono",
    why: "Powód",
    source: "Podstawa",
    steps: "Przebieg",
    what_failed: "Próby z wynikiem negatywnym",
    signature: "Podpis",
    prepared_by: "Sporządził(a)",
    date: "Data",
    more_steps: "… i dalsze kroki",
    of: "z",
    seconds: "s",
};

static ENGLISH: Words = Words {
    all_good: "Passed",
    not_good: "Not passed",
    nothing: "Nothing was tried",
    subject: "What was examined",
    program: "Examined by",
    began: "Date and time",
    took: "Duration",
    remarks: "How it was examined",
    summary: "Summary",
    group: "Area",
    total: "Total",
    counts: ["Passed", "Failed", "Skipped"],
    number: "No.",
    case: "Case",
    outcome: "Result",
    passed: "passed",
    failed: "failed",
    skipped: "skipped",
    errors: "error",
    expected: "Expected",
    seen: "Seen",
    why: "Reason",
    source: "Basis",
    steps: "What was done",
    what_failed: "What did not pass",
    signature: "Signature",
    prepared_by: "Prepared by",
    date: "Date",
    more_steps: "… and more steps",
    of: "of",
    seconds: "s",
};
