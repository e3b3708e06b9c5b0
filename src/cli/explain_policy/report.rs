//! What is said of a request: for people, or one JSON object for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::trial::{Outcome, Rule, Told, Trial};
use crate::base::clock::Time;
use crate::config::file::HumanDuration;
use crate::gate::Denial;
use crate::gate::policy::{Access, Route};
use crate::gate::requirement::{Attribute, Requirement};
use crate::gate::standing::Standing;
use crate::gate::visitor::Visitor;

/// Several lines for people.
pub(super) fn text(
    trial: &Trial<'_>,
    visitor: Option<&Visitor<'_>>,
    outcome: &Outcome<'_>,
    now: Time,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, trial, visitor, outcome, now);
    text.truncate(text.trim_end().len());
    text
}

fn write_text(
    text: &mut String,
    trial: &Trial<'_>,
    visitor: Option<&Visitor<'_>>,
    outcome: &Outcome<'_>,
    now: Time,
) -> std::fmt::Result {
    match trial.location() {
        Some((host, path)) => writeln!(text, "{} {path} on {host}", trial.method)?,
        None => writeln!(text, "{} {}", trial.method, trial.target)?,
    }
    writeln!(text, "signed in: {}", whom(visitor, now))?;
    let (verdict, why) = verdict(outcome, visitor, now);
    writeln!(text, "verdict: {}\n  {why}", verdict.to_uppercase())?;
    match outcome {
        Outcome::Denial { form, navigation, fetch, .. } => {
            let form = form.as_ref().map(|told| ("form of a page of this host", told));
            let name = if form.is_some() { "form of anybody else" } else { "navigation" };
            for (name, told) in form.into_iter().chain([(name, navigation), ("fetch", fetch)]) {
                let code = told.code.map(|code| format!(" {code}:")).unwrap_or_default();
                writeln!(text, "{name}: {}{code} {}", told.status, told.what)?;
            }
        }
        Outcome::Pass { to, .. } => writeln!(text, "navigation and fetch: the request {to}")?,
        Outcome::OwnPlace => return Ok(()),
        Outcome::Refused(failure) => {
            let (status, code) = (failure.status.as_u16(), failure.code);
            return writeln!(text, "navigation and fetch: {status} {code}");
        }
    }
    writeln!(text, "rules:")?;
    let rules = trial.rules();
    for rule in rules.iter().filter(|rule| rule.standing.matches()) {
        let Rule { number, route, standing } = rule;
        let (location, access) = (location(route), access(&route.access));
        writeln!(text, "  route[{number}] {location}: {access}\n    {standing}")?;
    }
    let others = rules.iter().filter(|rule| !rule.standing.matches()).count();
    writeln!(text, "  others, for other paths or hosts: {others}")
}

/// Writes the verdict and what led to it as one JSON object.
pub(super) fn json(
    trial: &Trial<'_>,
    visitor: Option<&Visitor<'_>>,
    outcome: &Outcome<'_>,
    now: Time,
) -> String {
    let (verdict, why) = verdict(outcome, visitor, now);
    let told = |told: &Told| json!({ "status": told.status, "code": told.code, "what": told.what });
    let form = match outcome {
        Outcome::Denial { form: Some(form), .. } => told(form),
        _ => Value::Null,
    };
    let (navigation, fetch) = match outcome {
        Outcome::Denial { navigation, fetch, .. } => (told(navigation), told(fetch)),
        Outcome::Refused(failure) => {
            let value = json!({ "status": failure.status.as_u16(), "code": failure.code.as_str() });
            (value.clone(), value)
        }
        Outcome::Pass { to, .. } => {
            let value = json!({ "status": null, "code": null, "what": to });
            (value.clone(), value)
        }
        Outcome::OwnPlace => (Value::Null, Value::Null),
    };
    let rules: Vec<Value> = match outcome {
        Outcome::OwnPlace | Outcome::Refused(_) => Vec::new(),
        _ => trial.rules().iter().map(rule).collect(),
    };
    let decides = rules.iter().find(|rule| rule["standing"] == Standing::Decides.name());
    json!({
        "method": trial.method.as_str(),
        "host": trial.location().map(|(host, _)| host),
        "path": trial.location().map(|(_, path)| path),
        "verdict": verdict,
        "why": why,
        "route": decides.map(|rule| rule["route"].clone()),
        "form": form,
        "navigation": navigation,
        "fetch": fetch,
        "rules": rules,
    })
    .to_string()
}

fn rule(rule: &Rule<'_>) -> Value {
    let route = rule.route;
    json!({
        "route": rule.number,
        "host": route.host,
        "path": route.path,
        "methods": route.methods.to_string(),
        "access": access(&route.access),
        "standing": rule.standing.name(),
        "why": rule.standing.to_string(),
    })
}

/// The verdict in one word, and why it is so.
fn verdict(
    outcome: &Outcome<'_>,
    visitor: Option<&Visitor<'_>>,
    now: Time,
) -> (&'static str, String) {
    match outcome {
        Outcome::OwnPlace => (
            "own_place",
            "it is a place of the gateway itself, which answers before any rule is asked"
                .to_owned(),
        ),
        Outcome::Refused(failure) => {
            ("refused", format!("it is refused before any rule is asked: {}", failure.detail))
        }
        Outcome::Pass { route, .. } => ("pass", passes(route, visitor)),
        Outcome::Denial { denial, .. } => match denial {
            Denial::Login(requirement) => (
                "login",
                format!(
                    "nobody is signed in, and the rule asks for the level {}",
                    requirement.assurance
                ),
            ),
            Denial::StepUp(requirement) => {
                let mut missing = Vec::new();
                if let Some(visitor) = visitor.filter(|v| v.assurance < requirement.assurance) {
                    let (found, least) = (visitor.assurance, requirement.assurance);
                    missing.push(format!("the level is {found}, and the rule asks for {least}"));
                }
                if let Some((visitor, most)) = visitor.zip(requirement.max_age)
                    && !requirement.is_met(requirement.assurance, visitor.authenticated, now)
                {
                    let (age, most) = (shown_age(visitor, now), shown(most));
                    missing.push(format!("the login is {age} old, and may be {most} at the most"));
                }
                ("step_up", missing.join("; "))
            }
            Denial::Refuse(refusal) => {
                ("refuse", format!("{refusal}, and being sent to the node would not mend that"))
            }
            Denial::Closed => (
                "closed",
                "the place is closed for work, but to portal.maintenance_allow".to_owned(),
            ),
            Denial::NoMethod(_) => (
                "no_method",
                "the rules with the longest path are for other methods, and no rule with a \
                 shorter path is asked"
                    .to_owned(),
            ),
            Denial::NoRoute => {
                ("deny", "no rule covers it, and what no rule covers is denied".to_owned())
            }
        },
    }
}

fn passes(route: &Route, visitor: Option<&Visitor<'_>>) -> String {
    match (&route.access, visitor) {
        (Access::Public, _) => "the rule is for everybody, and nobody's name is passed on",
        (Access::Optional, None) => "the rule is for everybody, and nobody is signed in",
        (Access::Optional, Some(_)) => {
            "the rule is for everybody, and the name of whoever is signed in is passed on"
        }
        (Access::Required(_), _) => "whoever is signed in is as the rule asks",
    }
    .to_owned()
}

fn whom(visitor: Option<&Visitor<'_>>, now: Time) -> String {
    let Some(visitor) = visitor else { return "nobody".to_owned() };
    let by = visitor.authority.unwrap_or("an authority that was not named");
    let born = visitor
        .birthdate
        .map_or("on a day that is not known".to_owned(), |date| format!("on {date}"));
    let pesel = if visitor.has_pesel { "with a PESEL" } else { "without a PESEL" };
    let (level, age) = (visitor.assurance, shown_age(visitor, now));
    let age = if age == "0s" { "just now".to_owned() } else { format!("{age} ago") };
    format!("somebody at the level {level}, {age}, by {by}, born {born}, {pesel}")
}

fn location(route: &Route) -> String {
    format!("{}{}, {}", route.host, route.path, route.methods)
}

fn access(access: &Access) -> String {
    match access {
        Access::Public => "public".to_owned(),
        Access::Optional => "optional".to_owned(),
        Access::Required(requirement) => required(requirement),
    }
}

fn required(requirement: &Requirement) -> String {
    let mut text = format!("login at the level {} or higher", requirement.assurance);
    // Writing to a String cannot fail.
    if let Some(age) = requirement.max_age {
        let _ = write!(text, ", at most {} old", shown(age));
    }
    if !requirement.authorities.is_empty() {
        let _ = write!(text, ", by {}", requirement.authorities.join(" or "));
    }
    for attribute in &requirement.attributes {
        text.push_str(match attribute {
            Attribute::Adult => ", an adult",
            Attribute::Pesel => ", with a PESEL",
        });
    }
    text
}

fn shown_age(visitor: &Visitor<'_>, now: Time) -> String {
    let age = now.duration_since(visitor.authenticated);
    shown(age.try_into().unwrap_or_default())
}

fn shown(duration: std::time::Duration) -> String {
    HumanDuration::from_secs(duration.as_secs()).to_string()
}
