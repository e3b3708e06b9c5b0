//! A report for programs. The names of the members never change; new ones may come.

use serde_json::{Value, json};

use super::{Case, MAX_STEP, MAX_STEPS, Report, Tally};
use crate::base::foreign::{escaped_json, sentence};
use crate::pages::Language;

/// The name of the form, to know it by.
pub const SCHEMA: &str = "brama.report.v1";

/// Writes a report as one JSON object, its texts in a language, with a line end.
#[must_use]
pub fn write(report: &Report, language: Language) -> String {
    let subject: Vec<_> = report
        .subject
        .iter()
        .map(
            |(name, value)| json!({ "name": name.shown(language), "value": value.shown(language) }),
        )
        .collect();
    let remarks: Vec<_> = report.remarks.iter().map(|remark| remark.shown(language)).collect();
    let value = json!({
        "schema": SCHEMA,
        "language": language.code(),
        "title": report.title.shown(language),
        "program": sentence(&report.program, super::MAX_TEXT),
        "began": report.began.to_string(),
        "took_ms": milliseconds(report.took),
        "passed": report.tally().is_good(),
        "summary": tally(report.tally()),
        "subject": subject,
        "remarks": remarks,
        "cases": report.cases.iter().map(|case| one(case, language)).collect::<Vec<_>>(),
    });
    // Writing what was just made cannot fail.
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    format!("{}\n", escaped_json(&text))
}

fn one(case: &Case, language: Language) -> Value {
    let steps: Vec<_> =
        case.steps.iter().take(MAX_STEPS).map(|step| sentence(step, MAX_STEP)).collect();
    json!({
        "id": sentence(&case.id, super::MAX_TEXT),
        "group": case.group,
        "name": case.name.shown(language),
        "outcome": case.outcome.name(),
        "why": case.outcome.why().map(|why| why.shown(language)),
        "expected": case.expected.shown(language),
        "seen": case.seen.shown(language),
        "took_ms": milliseconds(case.took),
        "source": case.source.as_deref().map(|source| sentence(source, super::MAX_TEXT)),
        "steps": steps,
    })
}

fn tally(tally: Tally) -> Value {
    json!({
        "total": tally.total(),
        "passed": tally.passed,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "errors": tally.errors,
    })
}

fn milliseconds(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
