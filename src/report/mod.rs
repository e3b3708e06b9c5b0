//! The report of an examination: what was tried, what was expected, what was seen.
//!
//! 1. A report is data; the writers make a file for people ([`html`]), for programs ([`json`],
//!    [`junit`]) and a summary for a terminal ([`text`]) of it.
//! 2. Each text is there in Polish and in English. Ids and groups never change once they are out:
//!    others compare reports by them.
//! 3. What a stranger said may stand in any text: each is bounded and escaped where it is written
//!    ([`crate::base::foreign::sentence`]), and for the form besides.
//! 4. A report is handed to others. No secret and nobody's data belong in it; whoever fills it sees to
//!    that.

pub mod html;
pub mod json;
pub mod junit;
pub mod text;

#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use crate::base::clock::Time;
use crate::base::foreign::sentence;
use crate::pages::Language;

/// What was examined, and what came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was done, such as "Acceptance of the sign-in".
    pub title: Text,
    /// One sentence below the title: what it proves, and to whom.
    pub lead: Text,
    /// What was examined: names and values, in the order to show.
    pub subject: Vec<(Text, Text)>,
    /// The program that examined, with its version.
    pub program: String,
    /// When it began.
    pub began: Time,
    /// How long all of it took.
    pub took: Duration,
    /// What a reader must know of how it was done, such as what stood in for the real node.
    pub remarks: Vec<Text>,
    /// The groups with their titles, in the order to show. A case of another group comes last.
    pub groups: Vec<(&'static str, Text)>,
    /// The cases, in the order in which they were tried.
    pub cases: Vec<Case>,
}

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name for programs, such as `level.substantial`; the same in every report.
    pub id: Cow<'static, str>,
    /// The group, by its id.
    pub group: &'static str,
    /// What it proves, as a sentence.
    pub name: Text,
    /// What came of it.
    pub outcome: Outcome,
    /// What was expected.
    pub expected: Text,
    /// What was seen.
    pub seen: Text,
    /// How long it took.
    pub took: Duration,
    /// Where it is demanded, such as a clause of a standard.
    pub source: Option<Cow<'static, str>>,
    /// What was done, one line each; at most [`MAX_STEPS`] are written.
    pub steps: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was expected was seen.
    Passed,
    /// Something else was seen.
    Failed,
    /// It was not tried, and why.
    Skipped(Text),
    /// It could not be tried to its end, and why. This counts as a failure.
    Error(Text),
}

/// A text in every language of the reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Polish.
    pub pl: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What was expected was seen.
    pub passed: usize,
    /// Something else was seen.
    pub failed: usize,
    /// Not tried.
    pub skipped: usize,
    /// Not tried to the end.
    pub errors: usize,
}

impl Text {
    /// Makes a text of its two languages.
    #[must_use]
    pub fn new(pl: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { pl: pl.into(), en: en.into() }
    }

    /// Makes a text that is the same in both, such as an address or a code.
    #[must_use]
    pub fn same(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self { pl: text.clone(), en: text }
    }

    /// Returns it in a language, bounded and escaped.
    #[must_use]
    pub fn shown(&self, language: Language) -> String {
        let text = match language {
            Language::Polish => &self.pl,
            Language::English | Language::Ukrainian => &self.en,
        };
        sentence(text, MAX_TEXT)
    }
}

impl Outcome {
    /// Returns its name for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped(_) => "skipped",
            Self::Error(_) => "error",
        }
    }

    /// Returns why it was not tried, or not to its end.
    #[must_use]
    pub fn why(&self) -> Option<&Text> {
        match self {
            Self::Passed | Self::Failed => None,
            Self::Skipped(why) | Self::Error(why) => Some(why),
        }
    }
}

impl Tally {
    /// Counts cases.
    #[must_use]
    pub fn of<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            match case.outcome {
                Outcome::Passed => tally.passed += 1,
                Outcome::Failed => tally.failed += 1,
                Outcome::Skipped(_) => tally.skipped += 1,
                Outcome::Error(_) => tally.errors += 1,
            }
        }
        tally
    }

    /// Returns how many there are.
    #[must_use]
    pub const fn total(self) -> usize {
        self.passed + self.failed + self.skipped + self.errors
    }

    /// Tells whether something passed and nothing went wrong. Nothing tried is nothing proved.
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.passed > 0 && self.failed == 0 && self.errors == 0
    }
}

impl Report {
    /// Counts all cases.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(&self.cases)
    }

    /// Returns the groups that have cases, with their titles and cases.
    fn parts(&self) -> Vec<(&'static str, Text, Vec<&Case>)> {
        let mut parts: Vec<(&'static str, Text, Vec<&Case>)> =
            self.groups.iter().map(|(id, title)| (*id, title.clone(), Vec::new())).collect();
        for case in &self.cases {
            match parts.iter_mut().find(|(id, ..)| *id == case.group) {
                Some((_, _, cases)) => cases.push(case),
                None => parts.push((case.group, Text::same(case.group), vec![case])),
            }
        }
        parts.retain(|(_, _, cases)| !cases.is_empty());
        parts
    }
}

/// The most characters of one text that are written.
pub const MAX_TEXT: usize = 1000;
/// The most steps of one case that are written.
pub const MAX_STEPS: usize = 100;
/// The most characters of one step.
const MAX_STEP: usize = 300;
