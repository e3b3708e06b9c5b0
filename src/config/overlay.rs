//! Environment variables that stand in for keys of the file.
//!
//! 1. `BRAMA__NODE__ISSUER` is `node.issuer`, and `BRAMA__ROUTE__0__PATH` is `route[0].path`. Two
//!    underscores part the steps. Only names that begin with `BRAMA__` are looked at.
//! 2. The value is read as TOML if that gives what the key needs (`true`, `64`, `["a.pem"]`), and
//!    is a plain text otherwise.
//! 3. A variable wins over the file. An entry may be added to a list only at its end.
//! 4. A variable that names no key is an error, as it is in the file. One that begins with `BRAMA_`
//!    alone has no effect, and is warned of.

use toml::{Table, Value};

use super::{
    bounds::MAX_DEPTH,
    document::Document,
    problem::Problems,
    shape::{Kind, Shape},
    source_location::{SourceLocation, Step, name_of, quoted},
};

/// Puts the variables that are meant for us into the tree.
pub(super) fn apply(
    document: &mut Document,
    environment: impl Iterator<Item = (String, String)>,
    problems: &mut Problems,
) {
    let mut settings = Vec::new();
    for (name, text) in environment {
        match name.strip_prefix(PREFIX) {
            Some(rest) => settings.push((steps_of(rest), name, text)),
            None => warn_of_stranger(&name, &text, problems),
        }
    }
    // In the order of their keys, so that entries of a list come one after the other.
    settings.sort();
    for (steps, name, text) in settings {
        let place = SourceLocation::Variable(name.clone());
        if let Err((what, advice)) = set(document, &steps, &name, &text) {
            problems.push_error(place, name_of(&steps), what, advice);
        }
    }
}

/// Warns of a variable that looks like ours and is none: its value has no effect.
fn warn_of_stranger(name: &str, text: &str, problems: &mut Problems) {
    let upper = name.to_uppercase();
    let Some(rest) = upper.strip_prefix(FAMILY) else { return };
    if OTHERS.contains(&rest) || is_of_kubernetes(rest, text) {
        return;
    }
    let advice = match meant(rest) {
        Some(meant) => format!("write {meant}"),
        None => format!("write it like {PREFIX}NODE__ISSUER, or take it away"),
    };
    let place = SourceLocation::Variable(name.to_owned());
    problems.push_warning(place, "", "no key is named so, and it has no effect", advice);
}

/// Tells whether it is what Kubernetes sets in every pod beside a Service whose name begins with
/// "brama": `BRAMA_SERVICE_HOST`, `BRAMA_PORT_8080_TCP_ADDR`.
fn is_of_kubernetes(rest: &str, text: &str) -> bool {
    let is_of_port = ["_TCP", "_UDP", "_SCTP"].iter().any(|name| rest.contains(name));
    rest.ends_with("SERVICE_HOST")
        || rest.contains("SERVICE_PORT")
        || (rest.contains("PORT_") && is_of_port)
        || (rest.ends_with("PORT") && text.contains("://"))
}

/// Finds the key of a section that a name means: `NODE_ISSUER`.
fn meant(rest: &str) -> Option<String> {
    let root = Shape::root();
    let rest = rest.trim_matches('_').to_lowercase().replace("__", "_");
    root.keys().find_map(|section| {
        let key = rest.strip_prefix(section)?.strip_prefix('_')?;
        let known = root.field(section)?.keys().find(|known| *known == key)?;
        Some(format!("{PREFIX}{section}__{known}").to_uppercase())
    })
}

/// What is wrong, and what to do.
type Refusal = (String, String);

fn set(document: &mut Document, steps: &[Step], name: &str, text: &str) -> Result<(), Refusal> {
    if name.chars().any(char::is_lowercase) {
        let advice = format!("write {}", name.to_uppercase());
        return Err(("the name is not in capital letters".to_owned(), advice));
    }
    if steps.len() > MAX_DEPTH || steps.contains(&Step::Key(String::new())) {
        let advice = format!("write it like {PREFIX}NODE__ISSUER or {PREFIX}ROUTE__0__PATH");
        return Err(("the name is not that of a key".to_owned(), advice));
    }
    put(&mut document.tree, steps, value_of(Shape::root().at(steps), text))?;
    let place = SourceLocation::Variable(name.to_owned());
    document.places.replace(&name_of(steps), place.clone());
    for end in 1..steps.len() {
        let parent = name_of(&steps[..end]);
        if !document.places.is_written(&parent) {
            document.places.set(parent, place.clone());
        }
    }
    Ok(())
}

/// Reads `ROUTE__0__PATH`. A number is an index only where a list is.
fn steps_of(name: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in name.split("__") {
        let kind = Shape::root().at(&steps).and_then(Shape::kind);
        steps.push(match part.parse() {
            Ok(index) if matches!(kind, Some(Kind::List | Kind::Tables)) => Step::Index(index),
            _ => Step::Key(part.to_lowercase()),
        });
    }
    steps
}

fn value_of(shape: Option<Shape<'_>>, text: &str) -> Value {
    shape
        .and_then(Shape::kind)
        .and_then(|kind| text.parse().ok().filter(|value| kind.fits(value)))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a value at the end of a way, and makes the tables and lists that it leads through.
fn put(tree: &mut Table, steps: &[Step], value: Value) -> Result<(), Refusal> {
    let Some((Step::Key(first), rest)) = steps.split_first() else {
        return Err(("the name is not that of a key".to_owned(), String::new()));
    };
    let mut target = tree.entry(first.clone()).or_insert_with(|| container(rest));
    for (depth, step) in rest.iter().enumerate() {
        let below = &rest[depth + 1..];
        let here = || name_of(&steps[..=depth]);
        target = match (step, target) {
            (Step::Key(key), Value::Table(table)) => {
                table.entry(key.clone()).or_insert_with(|| container(below))
            }
            (Step::Index(index), Value::Array(list)) => {
                let length = list.len();
                if *index > length {
                    let what = format!("{} has {length} entries without it", here());
                    return Err((what, format!("count on: the next number is {length}")));
                }
                if *index == length {
                    list.push(container(below));
                }
                &mut list[*index]
            }
            (Step::Key(key), Value::Array(_)) => {
                let what = format!("{} is a list, and {} is no number", here(), quoted(key));
                return Err((what, "write the number of the entry, counted from 0".to_owned()));
            }
            _ => {
                let what = format!("nothing can lie below {}", here());
                return Err((what, "correct the file first".to_owned()));
            }
        };
    }
    *target = value;
    Ok(())
}

/// Makes what the next step leads into.
fn container(rest: &[Step]) -> Value {
    match rest.first() {
        Some(Step::Index(_)) => Value::Array(Vec::new()),
        _ => Value::Table(Table::new()),
    }
}

const PREFIX: &str = "BRAMA__";
/// What all variables begin with that could be meant for us.
const FAMILY: &str = "BRAMA_";
/// What a predecessor tells its successor, and what tests are told.
const OTHERS: [&str; 3] = ["PREDECESSOR", "JUDGES", "NODE_SAMPLE"];
