//! Requests that two parsers could read in two ways, and requests that they could not.
//!
//! The tables beside this file hold the cases, as bytes. Each goes through the gateway to a portal
//! on Node and to one on Python, in one piece and byte by byte, with another request right behind
//! it. What is asked each time:
//!
//! 1. What the client gets: the status, and for a refusal the reason.
//! 2. What the portal saw: nothing, or exactly that request and the one behind it.
//! 3. What became of the connection: a refusal ends it, so that the request behind it, which may
//!    be the rest of the refused one, is never looked at.
//! 4. Both portals, of which each has its own idea of HTTP, saw the same. What is not refused also
//!    goes to nginx, whose log must say the same.

mod http_2;
mod judge;
mod verdict;

use std::fmt::Write as _;

use judge::{Delivery, Judge, NginxJudge, Seen};
use verdict::Verdict;

use crate::harness::cases::{self, Case};
use crate::harness::tools::{self, Tool};

#[test]
fn a_request_line_is_read_in_one_way() {
    check(include_str!("request_line.txt"));
}

#[test]
fn fields_are_read_in_one_way() {
    check(include_str!("fields.txt"));
}

#[test]
fn a_request_is_for_one_host() {
    check(include_str!("host.txt"));
}

#[test]
fn policy_and_portal_see_the_same_path() {
    check(include_str!("paths.txt"));
}

#[test]
fn a_lenient_route_hands_on_the_path_that_it_judged() {
    check(include_str!("lenient.txt"));
}

#[test]
fn a_request_has_one_end() {
    check(include_str!("framing.txt"));
}

#[test]
fn chunks_are_read_in_one_way() {
    check(include_str!("chunks.txt"));
}

#[test]
fn a_client_speaks_only_for_itself() {
    check(include_str!("names.txt"));
}

/// Tries every case of a table, and then says which ones went wrong.
fn check(table: &str) {
    if !tools::has(&[Tool::Node, Tool::Python, Tool::Nginx]) {
        return;
    }
    let mut node = Judge::node();
    let mut python = Judge::python();
    let mut nginx = NginxJudge::start();
    let mut wrong = Vec::new();
    let cases = cases::read(table);
    for case in &cases {
        let verdict = Verdict::read(&case.expected);
        if let Err(what) = try_case(case, &verdict, &mut node, &mut python, &mut nginx) {
            wrong.push(format!("{}\n    {what}", case.name));
        }
    }
    let mut report = String::new();
    for line in &wrong {
        let _ = writeln!(report, "  {line}");
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{report}", wrong.len(), cases.len());
}

fn try_case(
    case: &Case,
    verdict: &Verdict,
    node: &mut Judge,
    python: &mut Judge,
    nginx: &mut NginxJudge,
) -> Result<(), String> {
    for delivery in [Delivery::InOnePiece, Delivery::ByteByByte] {
        let mut seen: Vec<Vec<Seen>> = Vec::new();
        for judge in [&mut *node, &mut *python] {
            let one = judge.try_case(case, verdict, delivery);
            let mut one = one.map_err(|what| format!("{} {delivery:?}: {what}", judge.name))?;
            // Whether the request behind it comes through was asked already.
            one.truncate(verdict.passes.len());
            seen.push(one);
        }
        if seen[0] != seen[1] {
            return Err(format!("Node saw {:?}, Python saw {:?}", seen[0], seen[1]));
        }
    }
    if verdict.is_refused() { Ok(()) } else { nginx.try_case(case, verdict) }
}
