//! A report as JUnit writes it, which build servers read: a `testsuite` for each group.

use std::fmt::Write;
use std::time::Duration;

use super::{Case, MAX_STEP, MAX_STEPS, Outcome, Report, Tally};
use crate::base::foreign::sentence;
use crate::pages::Language;

/// Writes a report as an XML document.
#[must_use]
pub fn write(report: &Report, language: Language) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = document(&mut xml, report, language);
    xml
}

fn document(xml: &mut String, report: &Report, language: Language) -> std::fmt::Result {
    let (title, all) = (escape(&report.title.shown(language)), counts(report.tally()));
    writeln!(xml, "<testsuites name=\"{title}\" {all} time=\"{}\">", seconds(report.took))?;
    for (group, title, cases) in report.parts() {
        let tally = counts(Tally::of(cases.iter().copied()));
        let took = seconds(cases.iter().map(|case| case.took).sum());
        let (name, began) = (escape(&title.shown(language)), report.began.as_second());
        let began = crate::base::clock::at_second(began);
        writeln!(
            xml,
            "  <testsuite name=\"{name}\" id=\"{}\" {tally} time=\"{took}\" timestamp=\"{began}\">",
            escape(group)
        )?;
        for case in cases {
            one(xml, case, language)?;
        }
        writeln!(xml, "  </testsuite>")?;
    }
    writeln!(xml, "</testsuites>")
}

fn one(xml: &mut String, case: &Case, language: Language) -> std::fmt::Result {
    let id = escape(&sentence(&case.id, super::MAX_TEXT));
    let name = escape(&case.name.shown(language));
    write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{id}: {name}\" time=\"{}\"",
        escape(case.group),
        seconds(case.took)
    )?;
    let told = || {
        let (expected, seen) = (case.expected.shown(language), case.seen.shown(language));
        let mut told = format!("expected: {expected}\nseen: {seen}");
        for step in case.steps.iter().take(MAX_STEPS) {
            told.push('\n');
            told.push_str(&sentence(step, MAX_STEP));
        }
        escape(&told)
    };
    let why = case.outcome.why().map(|why| escape(&why.shown(language))).unwrap_or_default();
    match &case.outcome {
        Outcome::Passed => return writeln!(xml, "/>"),
        Outcome::Failed => {
            let seen = escape(&case.seen.shown(language));
            writeln!(xml, ">\n      <failure message=\"{seen}\">{}</failure>", told())?;
        }
        Outcome::Error(_) => {
            writeln!(xml, ">\n      <error message=\"{why}\">{}</error>", told())?;
        }
        Outcome::Skipped(_) => writeln!(xml, ">\n      <skipped message=\"{why}\"/>")?,
    }
    writeln!(xml, "    </testcase>")
}

fn counts(tally: Tally) -> String {
    let Tally { failed, skipped, errors, .. } = tally;
    let total = tally.total();
    format!("tests=\"{total}\" failures=\"{failed}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// Escapes a text for attributes and content, and leaves out what XML cannot hold (XML 1.0, 2.2).
fn escape(text: &str) -> String {
    let is_allowed = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let allowed: String = text.chars().filter(is_allowed).collect();
    quick_xml::escape::escape(allowed).into_owned()
}
