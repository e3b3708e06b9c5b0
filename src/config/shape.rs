//! What may be written where: the JSON schema of [`File`], asked step by step.
//!
//! One source serves the reference, the suggestions for unknown keys and the advice for values of
//! the wrong type, so that they cannot disagree.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{field_order::ORDER, file::File, source_location::Step};

/// The schema of the file, as editors take it.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value()
});

/// What may be written at one key.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The key's own documentation, default and examples.
    outer: &'a Value,
    /// The type, without the "or nothing" of an optional key.
    inner: &'a Value,
}

/// The types that a value can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string, which may have a form of its own, such as a duration.
    Text,
    /// A whole number, with or without bounds.
    Number,
    /// `true` or `false`, unquoted.
    Switch,
    /// A list of values.
    List,
    /// A list of tables.
    Tables,
    /// A table, with keys of its own.
    Table,
}

impl Shape<'static> {
    /// Returns the shape of the whole file.
    pub(crate) fn root() -> Self {
        Self::of(&SCHEMA)
    }
}

impl<'a> Shape<'a> {
    fn of(outer: &'a Value) -> Self {
        let inner = outer["anyOf"]
            .as_array()
            .and_then(|any| any.iter().find(|one| one["type"] != "null"))
            .unwrap_or(outer);
        Self { outer, inner }
    }

    /// Returns the shape of a key in a table.
    pub(crate) fn field(self, key: &str) -> Option<Self> {
        self.inner.get("properties")?.get(key).map(Self::of)
    }

    /// Returns the shape of a value in a list.
    pub(crate) fn item(self) -> Option<Self> {
        self.inner.get("items").map(Self::of)
    }

    /// Follows a way from here.
    pub(super) fn at(self, steps: &[Step]) -> Option<Self> {
        steps.iter().try_fold(self, |shape, step| match step {
            Step::Key(key) => shape.field(key),
            Step::Index(_) => shape.item(),
        })
    }

    /// Returns the keys of a table in the order of its struct.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.inner[ORDER].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns the type of values.
    pub(crate) fn kind(self) -> Option<Kind> {
        let kind = &self.inner["type"];
        let name = kind.as_array().map_or(kind, |names| &names[0]).as_str();
        match name {
            Some("string") => Some(Kind::Text),
            Some("integer") => Some(Kind::Number),
            Some("boolean") => Some(Kind::Switch),
            Some("object") => Some(Kind::Table),
            Some("array") => match self.item().and_then(Self::kind) {
                Some(Kind::Table) => Some(Kind::Tables),
                _ => Some(Kind::List),
            },
            _ if !self.choices().is_empty() => Some(Kind::Text),
            _ => None,
        }
    }

    /// Returns the only values that are allowed, each with its meaning; none if any will do.
    pub(crate) fn choices(self) -> Vec<(&'a str, &'a str)> {
        let variants = self.inner["oneOf"].as_array().into_iter().flatten();
        variants
            .filter_map(|one| Some((one["const"].as_str()?, one["description"].as_str()?)))
            .collect()
    }

    /// Returns the documentation of the key.
    pub(super) fn comment(self) -> &'a str {
        self.outer["description"].as_str().unwrap_or_default()
    }

    /// Returns the default, unless it is to be absent or an empty list.
    pub(super) fn default(self) -> Option<&'a Value> {
        let value = self.outer.get("default")?;
        (!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())).then_some(value)
    }

    /// Returns a value that shows how it is written.
    pub(super) fn example(self) -> Option<&'a Value> {
        let examples = self.outer.get("examples");
        self.default().or_else(|| examples.and_then(|examples| examples.get(0)))
    }
}

impl Kind {
    /// Returns the kind of a value.
    pub(super) fn of(value: &toml::Value) -> Option<Self> {
        match value {
            toml::Value::String(_) => Some(Self::Text),
            toml::Value::Integer(_) => Some(Self::Number),
            toml::Value::Boolean(_) => Some(Self::Switch),
            toml::Value::Array(_) => Some(Self::List),
            toml::Value::Table(_) => Some(Self::Table),
            toml::Value::Float(_) | toml::Value::Datetime(_) => None,
        }
    }

    /// Tells whether a value is of this kind.
    pub(super) fn fits(self, value: &toml::Value) -> bool {
        match self {
            Self::Tables => Self::of(value) == Some(Self::List),
            _ => Self::of(value) == Some(self),
        }
    }

    /// Returns the name of the kind as messages have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Number => "a whole number",
            Self::Switch => "true or false",
            Self::List => "a list",
            Self::Tables => "a list of tables",
            Self::Table => "a table",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_the_order_of_the_struct() {
        let sections: Vec<_> = Shape::root().keys().collect();
        assert_eq!(sections[..3], ["portal", "pages", "listen"]);
        assert_eq!(sections[sections.len() - 3..], ["companion", "upstream", "route"]);
    }

    #[test]
    fn every_key_has_a_kind_a_comment_and_something_to_show() {
        fn visit(shape: Shape<'_>, name: &str) {
            for key in shape.keys() {
                let name = format!("{name}.{key}");
                let field = shape.field(key).unwrap();
                assert!(field.kind().is_some(), "{name}");
                let first = field.comment().lines().next().unwrap_or_default();
                assert!(!first.is_empty(), "{name} has no comment");
                match field.kind() {
                    Some(Kind::Table) => visit(field, &name),
                    Some(Kind::Tables) => visit(field.item().unwrap(), &name),
                    _ => assert!(field.example().is_some(), "{name} has no example"),
                }
            }
            let properties = shape.inner["properties"].as_object().unwrap();
            assert_eq!(shape.keys().count(), properties.len(), "{name}");
        }
        visit(Shape::root(), "");
    }
}
