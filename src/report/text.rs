//! A report in a terminal: what did not pass in full, what passed as a number.

use std::fmt::Write;

use super::words::Words;
use super::{Case, Outcome, Report, Tally};
use crate::base::foreign::sentence;
use crate::pages::Language;

/// Writes the summary, without a line end.
#[must_use]
pub fn write(report: &Report, language: Language) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = summary(&mut text, report, language);
    text.truncate(text.trim_end().len());
    text
}

fn summary(text: &mut String, report: &Report, language: Language) -> std::fmt::Result {
    let words = Words::of(language);
    writeln!(text, "{}\n", report.title.shown(language))?;
    for (_, title, cases) in report.parts() {
        let tally = Tally::of(cases.iter().copied());
        let mark = if tally.failed + tally.errors > 0 { "FAILED" } else { "ok" };
        let mark = if tally.total() == tally.skipped { "-" } else { mark };
        let (passed, total) = (tally.passed, tally.total());
        writeln!(text, "  {mark:<7} {passed:>3}/{total:<3} {}", title.shown(language))?;
    }
    let wrong = |case: &&Case| matches!(case.outcome, Outcome::Failed | Outcome::Error(_));
    for case in report.cases.iter().filter(wrong) {
        told(text, case, language)?;
    }
    let is_skipped = |case: &&Case| matches!(case.outcome, Outcome::Skipped(_));
    for case in report.cases.iter().filter(is_skipped) {
        let why = case.outcome.why().map(|why| why.shown(language)).unwrap_or_default();
        write!(text, "\n{} {}: {why}", words.skipped, sentence(&case.id, super::MAX_TEXT))?;
    }
    let tally = report.tally();
    let verdict = verdict(words, tally);
    let (passed, total) = (tally.passed, tally.total());
    let took = report.took.as_secs_f64();
    write!(text, "\n\n{verdict}: {passed}/{total}, {took:.1} {}", words.seconds)
}

fn told(text: &mut String, case: &Case, language: Language) -> std::fmt::Result {
    let words = Words::of(language);
    let id = sentence(&case.id, super::MAX_TEXT);
    write!(text, "\n{} {id}: {}\n", words.of_outcome(&case.outcome), case.name.shown(language))?;
    for (name, value) in [(words.expected, &case.expected), (words.seen, &case.seen)] {
        writeln!(text, "    {name}: {}", value.shown(language))?;
    }
    if let Some(why) = case.outcome.why() {
        writeln!(text, "    {}: {}", words.why, why.shown(language))?;
    }
    Ok(())
}

pub(super) const fn verdict(words: &Words, tally: Tally) -> &'static str {
    if tally.is_good() {
        words.all_good
    } else if tally.total() == tally.skipped {
        words.nothing
    } else {
        words.not_good
    }
}
