//! What is said of an examination: for people, or one JSON object a line for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::base::foreign::{escaped, escaped_json};
use crate::identity::person::Person;
use crate::saml::assertion::Assertion;
use crate::saml::checks::{Check, Outcome};
use crate::saml::examine::Examination;

/// One line of JSON.
pub(super) fn json(file: &str, examination: &Examination, show: bool) -> String {
    let checks: Vec<Value> = examination
        .checks
        .list()
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "outcome": outcome(check),
                "detail": check.detail,
            })
        })
        .collect();
    let value = match &examination.outcome {
        Ok(assertion) => json!({
            "file": file,
            "verdict": "accepted",
            "reason": null,
            "message": null,
            "person": person(assertion.person(), show),
            "assurance": assertion.assurance().name(),
            "authority": assertion.authority(),
            "checks": checks,
        }),
        Err(refusal) => json!({
            "file": file,
            "verdict": "refused",
            "reason": refusal.code().as_str(),
            "message": refusal.to_string(),
            "person": null,
            "assurance": null,
            "authority": null,
            "checks": checks,
        }),
    };
    escaped_json(&value.to_string())
}

/// Several lines for people. Names of files and persons may hold what a terminal obeys.
pub(super) fn text(file: &str, examination: &Examination, show: bool) -> String {
    let mut text = String::new();
    let file = &*escaped(file);
    // Writing to a String cannot fail.
    let _ = match &examination.outcome {
        Ok(assertion) => accepted(&mut text, file, assertion, show),
        Err(refusal) => {
            writeln!(text, "{file}: REFUSED {}\n  {refusal}", refusal.code())
        }
    };
    for check in examination.checks.list() {
        let mark = match check.outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::NotChecked => "not checked",
        };
        let line = format!("  {mark:<12} {:<34} {}", check.name, check.detail);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn accepted(text: &mut String, file: &str, assertion: &Assertion, show: bool) -> std::fmt::Result {
    writeln!(text, "{file}: accepted")?;
    let person = person(assertion.person(), show);
    for name in ["given_name", "family_name", "birthdate", "identifier"] {
        writeln!(text, "  {name:<12} {}", escaped(person[name].as_str().unwrap_or("-")))?;
    }
    writeln!(text, "  {:<12} {}", "assurance", assertion.assurance())?;
    writeln!(text, "  {:<12} {}", "authority", escaped(assertion.authority().unwrap_or("-")))?;
    if !show {
        writeln!(text, "  (masked; --show-personal-data shows the person)")?;
    }
    Ok(())
}

fn outcome(check: &Check) -> &'static str {
    match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotChecked => "not_checked",
    }
}

fn person(person: &Person, show: bool) -> Value {
    let text =
        |value: Option<&str>| value.map(|value| if show { value.to_owned() } else { mask(value) });
    let birthdate = person.birthdate().map(|date| date.to_string());
    let identifier = person.identifier();
    let notes: Vec<String> = person.notes().iter().map(ToString::to_string).collect();
    json!({
        "given_name": text(person.given_name()),
        "family_name": text(person.family_name()),
        "birthdate": text(birthdate.as_deref()),
        "identifier": text(Some(identifier.as_str())),
        "identifier_kind": identifier.kind(),
        "pesel": text(person.pesel()),
        "notes": notes,
    })
}

/// As many stars as there are letters; hyphens and spaces stay, so that the shape can be seen.
fn mask(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_the_shape_only() {
        assert_eq!(mask("Anna-Maria Żak"), "****-***** ***");
        assert_eq!(mask("DE/PL/12x"), "**/**/***");
    }
}
