//! A report for people: one file without anything from elsewhere, to read, to print and to attach.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::verdict;
use super::words::Words;
use super::{Case, MAX_STEP, MAX_STEPS, MAX_TEXT, Outcome, Report, Tally, Text};
use crate::base::clock::for_people;
use crate::base::foreign::sentence;
use crate::pages::Language;

/// Writes a report as an HTML document.
#[must_use]
pub fn write(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let writer = Writer { report, language, words };
    writer.document().into_string()
}

struct Writer<'r> {
    report: &'r Report,
    language: Language,
    words: &'r Words,
}

impl Writer<'_> {
    fn text(&self, text: &Text) -> String {
        text.shown(self.language)
    }

    fn document(&self) -> Markup {
        let title = self.text(&self.report.title);
        html! {
            (DOCTYPE)
            html lang=(self.language.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    // Nothing is fetched and nothing runs, wherever the file is opened.
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'";
                    meta name="robots" content="noindex";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (title) }
                        p.lead { (self.text(&self.report.lead)) }
                    }
                    (self.verdict())
                    (self.subject())
                    (self.remarks())
                    (self.wrong())
                    (self.summary())
                    @for (number, (_, title, cases)) in self.report.parts().iter().enumerate() {
                        (self.group(number + 1, title, cases))
                    }
                    (self.signature())
                }
            }
        }
    }

    fn verdict(&self) -> Markup {
        let tally = self.report.tally();
        let class = if tally.is_good() { "verdict good" } else { "verdict bad" };
        let mark = if tally.is_good() { "✓" } else { "✗" };
        html! {
            section class=(class) {
                p.mark aria-hidden="true" { (mark) }
                div {
                    p.result { (verdict(self.words, tally)) }
                    p {
                        (self.words.counts[0]) ": " (tally.passed) " " (self.words.of) " " (tally.total())
                        @for (count, name) in [
                            (tally.failed + tally.errors, self.words.counts[1]),
                            (tally.skipped, self.words.counts[2]),
                        ] {
                            @if count > 0 { " · " (name) ": " (count) }
                        }
                    }
                }
            }
        }
    }

    fn subject(&self) -> Markup {
        let (report, words) = (self.report, self.words);
        html! {
            section {
                h2 { (words.subject) }
                table.facts {
                    tbody {
                        @for (name, value) in &report.subject {
                            tr { th scope="row" { (self.text(name)) } td { (self.text(value)) } }
                        }
                        tr {
                            th scope="row" { (words.program) }
                            td { (sentence(&report.program, MAX_TEXT)) }
                        }
                        tr { th scope="row" { (words.began) } td { (for_people(report.began)) } }
                        tr { th scope="row" { (words.took) } td { (self.seconds(report.took)) } }
                    }
                }
            }
        }
    }

    fn remarks(&self) -> Markup {
        html! {
            @if !self.report.remarks.is_empty() {
                section {
                    h2 { (self.words.remarks) }
                    ul { @for remark in &self.report.remarks { li { (self.text(remark)) } } }
                }
            }
        }
    }

    /// What did not pass comes before everything that did.
    fn wrong(&self) -> Markup {
        let is_wrong = |case: &&Case| matches!(case.outcome, Outcome::Failed | Outcome::Error(_));
        let wrong: Vec<_> = self.report.cases.iter().filter(is_wrong).collect();
        html! {
            @if !wrong.is_empty() {
                section {
                    h2 { (self.words.what_failed) }
                    ul {
                        @for case in wrong {
                            li { a href={ "#" (anchor(case)) } { (self.text(&case.name)) } }
                        }
                    }
                }
            }
        }
    }

    fn summary(&self) -> Markup {
        let words = self.words;
        let row = |name: &str, tally: Tally| {
            html! {
                th scope="row" { (name) }
                td { (tally.passed) }
                td { (tally.failed + tally.errors) }
                td { (tally.skipped) }
                td { (tally.total()) }
            }
        };
        html! {
            section {
                h2 { (words.summary) }
                table.counts {
                    thead {
                        tr {
                            th scope="col" { (words.group) }
                            @for count in words.counts { th scope="col" { (count) } }
                            th scope="col" { (words.total) }
                        }
                    }
                    tbody {
                        @for (number, (_, title, cases)) in self.report.parts().iter().enumerate() {
                            @let name = format!("{}. {}", number + 1, self.text(title));
                            tr { (row(&name, Tally::of(cases.iter().copied()))) }
                        }
                    }
                    tfoot { tr { (row(words.total, self.report.tally())) } }
                }
            }
        }
    }

    fn group(&self, number: usize, title: &Text, cases: &[&Case]) -> Markup {
        html! {
            section {
                h2 { (number) ". " (self.text(title)) }
                @if cases.len() > MANY {
                    (self.rows(number, cases))
                } @else {
                    @for (at, case) in cases.iter().enumerate() {
                        (self.case(&format!("{number}.{}", at + 1), case))
                    }
                }
            }
        }
    }

    /// Many cases of one kind as a table; what did not pass is told in full before it.
    fn rows(&self, number: usize, cases: &[&Case]) -> Markup {
        let words = self.words;
        let numbered = || cases.iter().enumerate().map(|(at, case)| (at + 1, case));
        let is_wrong = |case: &Case| matches!(case.outcome, Outcome::Failed | Outcome::Error(_));
        html! {
            @for (at, case) in numbered().filter(|(_, case)| is_wrong(case)) {
                (self.case(&format!("{number}.{at}"), case))
            }
            table.cases {
                thead {
                    tr {
                        th scope="col" { (words.number) }
                        th scope="col" { (words.case) }
                        th scope="col" { (words.expected) }
                        th scope="col" { (words.seen) }
                        th scope="col" { (words.outcome) }
                    }
                }
                tbody {
                    @for (at, case) in numbered().filter(|(_, case)| !is_wrong(case)) {
                        tr id=(anchor(case)) {
                            td.number { (number) "." (at) }
                            td { (self.text(&case.name)) " " code { (sentence(&case.id, MAX_TEXT)) } }
                            td { (self.text(&case.expected)) }
                            td {
                                (self.text(&case.seen))
                                @if let Some(why) = case.outcome.why() { (self.text(why)) }
                            }
                            td.result { (mark(&case.outcome)) " " (words.of_outcome(&case.outcome)) }
                        }
                    }
                }
            }
        }
    }

    fn case(&self, number: &str, case: &Case) -> Markup {
        let words = self.words;
        let outcome = case.outcome.name();
        html! {
            article id=(anchor(case)) class=(outcome) {
                h3 {
                    span.number { (number) } " "
                    (self.text(&case.name))
                    span.outcome { (mark(&case.outcome)) " " (words.of_outcome(&case.outcome)) }
                }
                dl {
                    dt { (words.expected) } dd { (self.text(&case.expected)) }
                    @if let Some(why) = case.outcome.why() {
                        dt { (words.why) } dd { (self.text(why)) }
                    }
                    @if !matches!(case.outcome, Outcome::Skipped(_)) {
                        dt { (words.seen) } dd { (self.text(&case.seen)) }
                    }
                    @if let Some(source) = &case.source {
                        dt { (words.source) } dd { (sentence(source, MAX_TEXT)) }
                    }
                }
                p.small {
                    code { (sentence(&case.id, MAX_TEXT)) }
                    @if case.took > Duration::ZERO { " · " (self.seconds(case.took)) }
                }
                (self.steps(case))
            }
        }
    }

    fn steps(&self, case: &Case) -> Markup {
        // Of what passed the steps are there for who wants them; of what did not, for everybody.
        let is_open = matches!(case.outcome, Outcome::Failed | Outcome::Error(_));
        html! {
            @if !case.steps.is_empty() {
                details open[is_open] {
                    summary { (self.words.steps) " (" (case.steps.len()) ")" }
                    ol {
                        @for step in case.steps.iter().take(MAX_STEPS) {
                            li { (sentence(step, MAX_STEP)) }
                        }
                    }
                    @if case.steps.len() > MAX_STEPS { p { (self.words.more_steps) } }
                }
            }
        }
    }

    fn signature(&self) -> Markup {
        let words = self.words;
        html! {
            footer {
                @for name in [words.prepared_by, words.date, words.signature] {
                    div { span {} p { (name) } }
                }
            }
        }
    }

    fn seconds(&self, took: Duration) -> String {
        let seconds = format!("{:.2}", took.as_secs_f64());
        let seconds = match self.language {
            Language::Polish => seconds.replace('.', ","),
            Language::English | Language::Ukrainian => seconds,
        };
        format!("{seconds} {}", self.words.seconds)
    }
}

fn mark(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "✓",
        Outcome::Failed => "✗",
        Outcome::Skipped(_) => "–",
        Outcome::Error(_) => "!",
    }
}

/// The id of a case in the document.
fn anchor(case: &Case) -> String {
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let plain = case.id.chars().take(100).map(|letter| if is_plain(letter) { letter } else { '-' });
    plain.collect()
}

/// From how many cases on a group is a table.
const MANY: usize = 10;
const STYLE: &str = include_str!("style.css");
