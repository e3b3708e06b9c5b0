//! `brama explain`: examines captured answers of the node, offline.
//!
//! It runs [`crate::saml::examine::examine`], the function that a login runs, with what it was
//! told to expect. Exit status: 0 when every answer is accepted, 1 when one is refused, 2 when it
//! was called wrongly.

mod arguments;
mod inputs;
mod knowledge;
mod report;

use std::process::ExitCode;

pub(super) use self::arguments::{Arguments, parse_time};
use self::inputs::Input;
use self::knowledge::Knowledge;
use super::output::{complain, print};
use crate::base::foreign::escaped;
use crate::flow::capture;
use crate::saml::examine::examine;

/// Exit status for wrong usage, as clap has it.
const USAGE: u8 = 2;

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let prepared = Knowledge::gather(arguments)
        .and_then(|knowledge| Ok((knowledge, inputs::find(&arguments.paths)?)));
    let (knowledge, inputs) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => {
            complain(format_args!("brama explain: {message}"));
            return ExitCode::from(USAGE);
        }
    };
    let mut all_accepted = true;
    for input in &inputs {
        all_accepted &= explain(input, &knowledge, arguments);
    }
    if all_accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is said of a captured answer that no key opens.
const SEALED: &str = "is a captured answer that none of the keys opens: it is sealed to the \
                      service's decryption key of that day, give --decryption-key or --config";

fn explain(input: &Input, knowledge: &Knowledge, arguments: &Arguments) -> bool {
    let is_captured = capture::is_captured(&input.answer);
    let opened = is_captured.then(|| capture::open(&input.answer, &knowledge.decryption_keys));
    let opened = opened.flatten();
    if is_captured && opened.is_none() {
        complain(format_args!("{}: {SEALED}", escaped(&input.name)));
        return false;
    }
    let (answer, expected, now) = match &opened {
        Some(opened) => knowledge.of_capture(opened, arguments),
        None => (&input.answer[..], knowledge.expected.clone(), knowledge.now),
    };
    let (trusted, keys) = (&knowledge.trusted, &knowledge.decryption_keys);
    let examination = examine(answer, trusted, keys, &expected, now);
    let shown = arguments.show_personal_data;
    if arguments.json {
        print(report::json(&input.name, &examination, shown));
    } else {
        print(report::text(&input.name, &examination, shown));
    }
    examination.outcome.is_ok()
}
