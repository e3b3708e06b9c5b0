//! What several answers of the control API say alike.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pages::Language;
use crate::simulator::check::Finding;
use crate::simulator::faults::Fault;

pub(super) fn names(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.name()).collect()
}

pub(super) fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code(),
        "clause": finding.rule.clause,
        "what": finding.what(Language::English),
        "advice": finding.advice(Language::English),
        "found": finding.found,
        "expected": finding.expected,
    })
}

pub(super) fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
