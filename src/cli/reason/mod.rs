//! `brama reason`: what a reason code means, and who does what about it.
//!
//! 1. What is printed is the page of the manual ([`crate::manual::reasons`]), which is part of the
//!    program: the two cannot differ ([`page`]).
//! 2. An operator reads it at night, from a log or from a telephone: an unknown code names those
//!    that may have been meant.

mod page;

use std::process::ExitCode;

use super::output::{fail, print};
use page::Reason;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The code, as the log, the page and JSON have it: `login.other_browser`. Left out, all are
    /// listed.
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let reasons = page::reasons();
    let Some(code) = &arguments.code else {
        let width = reasons.iter().map(|reason| reason.code.len()).max().unwrap_or_default();
        for Reason { code, meaning, .. } in &reasons {
            print(shortened(&format!("{code:width$}  {meaning}")));
        }
        return ExitCode::SUCCESS;
    };
    match reasons.iter().find(|reason| reason.code == *code) {
        Some(reason) => {
            print(told(reason));
            ExitCode::SUCCESS
        }
        None => fail(unknown(code, &reasons)),
    }
}

/// Returns all that the page says of a reason, for a terminal.
fn told(reason: &Reason) -> String {
    let mut lines = vec![reason.code.to_owned()];
    lines.extend(reason.status.as_ref().map(|status| format!("  status: {status}")));
    lines.push(String::from("  what it means:"));
    lines.extend(wrapped(&reason.meaning, "    "));
    lines.push(String::from("  who does what:"));
    for (who, what) in reason.deeds() {
        lines.extend(wrapped(&format!("{who}: {what}"), "    "));
    }
    lines.push(format!("  where it stands: {}", reason.place()));
    lines.join("\n")
}

/// Returns what a code means, and who does what about it, one line each.
pub(super) fn advice(code: &str) -> Option<(String, Vec<String>)> {
    let reason = page::reasons().into_iter().find(|reason| reason.code == code)?;
    let deeds = reason.deeds().into_iter().map(|(who, what)| format!("{who}: {what}")).collect();
    Some((reason.meaning, deeds))
}

fn unknown(code: &str, reasons: &[Reason]) -> String {
    let near = near(code, reasons);
    let advice = match near[..] {
        [] => String::new(),
        _ => format!("; near it: {}", near.join(", ")),
    };
    let code: String = code.chars().take(MAX_CODE).collect();
    format!("there is no reason code {code:?}{advice}; `brama reason` lists all")
}

/// The codes that may have been meant, the likeliest first: those that are spelled alike, and those
/// of which `code` is a part.
fn near<'a>(code: &str, reasons: &'a [Reason]) -> Vec<&'a str> {
    let code: String = code.chars().take(MAX_CODE).collect::<String>().to_lowercase();
    let likeness = |known: &str| {
        let is_part = code.len() >= LEAST_PART && known.contains(&code);
        let alike = strsim::normalized_damerau_levenshtein(&code, known);
        if is_part { alike + 1.0 } else { alike }
    };
    let known = reasons.iter().map(|reason| (likeness(reason.code), reason.code));
    let mut near: Vec<_> = known.filter(|(likeness, _)| *likeness >= ALIKE).collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    near.into_iter().take(MAX_NEAR).map(|(_, code)| code).collect()
}

/// Breaks a text into lines of at most [`WIDTH`] columns, between words only.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let is_full = indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH;
        if is_full && !line.is_empty() {
            lines.push(format!("{indent}{line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(format!("{indent}{line}"));
    lines
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let kept: String = line.chars().take(WIDTH - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The columns that nearly every terminal has.
const WIDTH: usize = 100;
/// Of what was typed, no more is compared and said again.
const MAX_CODE: usize = 80;
const MAX_NEAR: usize = 5;
/// Shorter parts are in nearly every code.
const LEAST_PART: usize = 3;
const ALIKE: f64 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_are_no_wider_than_a_terminal() {
        for reason in page::reasons() {
            let told = told(&reason);
            let is_word = |line: &str| line.split_whitespace().count() == 1;
            for line in told.lines() {
                assert!(line.chars().count() <= WIDTH || is_word(line), "{line}");
            }
            assert!(shortened(&reason.meaning).chars().count() <= WIDTH);
        }
    }

    #[test]
    fn near_codes_are_those_spelled_alike_and_those_with_that_part() {
        let reasons = page::reasons();
        assert_eq!(near("login.expird", &reasons)[0], "login.expired");
        assert_eq!(near("Login.Expired", &reasons)[0], "login.expired");
        assert_eq!(near("other_browser", &reasons)[0], "login.other_browser");
        assert!(near("code_of_other", &reasons).contains(&"crossing.code_of_other_browser"));
        assert!(near("form.", &reasons).iter().all(|code| code.contains("form.")));
        assert!(near("weather", &reasons).is_empty());
        assert!(near("", &reasons).is_empty());
        assert!(unknown(&"x".repeat(1_000_000), &reasons).len() < 200);
    }
}
