//! Why a value was refused, in words for people, and what to write in its place.

use toml::Value;

use super::{
    shape::{Kind, Shape},
    source_location::{Step, name_of, quoted},
};

/// What to say of a key that was refused.
pub(super) struct Explanation {
    pub(super) what: String,
    pub(super) advice: String,
    /// The key that was probably meant.
    pub(super) meant: Option<String>,
}

/// Explains why the value at the end of a way was refused with a message.
pub(super) fn explain(steps: &[Step], value: &Value, message: &str) -> Explanation {
    let Some(shape) = Shape::root().at(steps) else {
        return unknown(steps);
    };
    let choices: Vec<_> = shape.choices().into_iter().map(|(name, _)| name).collect();
    let what = match (shape.kind(), value) {
        (Some(kind), value) if !kind.fits(value) => {
            let given = Kind::of(value).map_or("something else", Kind::name);
            format!("{} is expected, not {given}", kind.name())
        }
        (_, Value::String(text)) if !choices.is_empty() => {
            format!("{} is not one of the values", quoted(text))
        }
        (_, Value::Integer(number)) => format!("{number} is out of range"),
        (_, Value::String(text)) => format!("{}: {}", quoted(text), one_line(message)),
        _ => one_line(message),
    };
    let near = value.as_str().and_then(|text| nearest(text, choices.iter().copied()));
    let advice = match near {
        _ if choices.is_empty() => write_it_like(steps, shape),
        Some(name) => format!("did you mean {name:?}? it takes {}", listed(&choices)),
        None => format!("it takes {}", listed(&choices)),
    };
    Explanation { what, advice, meant: None }
}

/// Explains a key that is not known where it stands.
fn unknown(steps: &[Step]) -> Explanation {
    let section = matches!(steps, [_]);
    let what = format!("there is no such {}", if section { "section" } else { "key" });
    let advice = "remove it".to_owned();
    let Some((Step::Key(key), parents)) = steps.split_last() else {
        return Explanation { what, advice, meant: None };
    };
    let Some(table) = Shape::root().at(parents) else {
        return Explanation { what, advice, meant: None };
    };
    if let Some(near) = nearest(key, table.keys()) {
        let meant = [parents, &[Step::Key(near.to_owned())]].concat();
        let advice = format!("did you mean {near:?}?");
        return Explanation { what, advice, meant: Some(name_of(&meant)) };
    }
    let homes: Vec<_> = Shape::root().keys().filter_map(|section| home_of(section, key)).collect();
    let advice = match homes.as_slice() {
        [] => format!("known here: {}", listed(&table.keys().collect::<Vec<_>>())),
        homes => format!("it belongs in {}", homes.join(" or ")),
    };
    Explanation { what, advice, meant: None }
}

/// Returns a section as it is written, if it has a key.
fn home_of(section: &str, key: &str) -> Option<String> {
    let shape = Shape::root().field(section)?;
    match shape.kind() {
        Some(Kind::Tables) => shape.item()?.field(key).map(|_| format!("[[{section}]]")),
        _ => shape.field(key).map(|_| format!("[{section}]")),
    }
}

fn write_it_like(steps: &[Step], shape: Shape<'_>) -> String {
    let key = steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    let key = key.unwrap_or_default();
    match (shape.kind(), shape.example()) {
        (Some(Kind::Tables), _) => format!("write [[{key}]] above each entry"),
        (Some(Kind::Table), _) if steps.len() == 1 => format!("write [{key}] above its keys"),
        (_, Some(example)) => format!("write it like {key} = {example}"),
        // The example of a list stands at the list, not at its values.
        _ => {
            let list = steps.split_last().and_then(|(_, list)| Shape::root().at(list));
            let example = list.and_then(Shape::example);
            example.map_or_else(String::new, |example| format!("write it like {key} = {example}"))
        }
    }
}

fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text: String = text.chars().take(MAX_COMPARED).collect::<String>().to_lowercase();
    names
        .map(|name| (strsim::normalized_damerau_levenshtein(&text, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}

fn one_line(message: &str) -> String {
    let line = message.trim().replace('\n', ", ");
    line.chars().take(MAX_MESSAGE).collect()
}

/// How alike two names are that one may be a slip of the other.
const ALIKE: f64 = 0.6;
const MAX_COMPARED: usize = 64;
const MAX_MESSAGE: usize = 300;
