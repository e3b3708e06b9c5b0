//! From text to a tree of values, and the line of each key.

use std::sync::Arc;

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{
    bounds::{MAX_DEPTH, MAX_PROBLEMS},
    problem::Problems,
    source_location::{Places, SourceLocation, Step, name_of},
};

/// A document with the place of each key.
pub(crate) struct Document {
    pub(crate) tree: Table,
    pub(crate) places: Places,
}

impl Document {
    /// Reads a text. Every fault of syntax is told, as far as they can be told apart.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let lines = Lines::new(name, text);
        let mut problems = Problems::default();
        let (root, faults) = DeTable::parse_recoverable(text);
        for fault in faults.iter().take(MAX_PROBLEMS) {
            let place = lines.point(fault.span().map_or(0, |span| span.start));
            let what = fault.message().trim().replace('\n', ", ");
            problems.push_error(place, "", what, "correct the TOML, see https://toml.io");
        }
        let mut reader = Reader { lines, places: Places::new(name), problems };
        let tree = reader.table(root.into_inner(), &mut Vec::new());
        match reader.problems.is_empty() {
            true => Ok(Self { tree, places: reader.places }),
            false => Err(reader.problems),
        }
    }
}

/// Walks a parsed document.
struct Reader<'a> {
    lines: Lines<'a>,
    places: Places,
    problems: Problems,
}

impl Reader<'_> {
    fn table(&mut self, table: DeTable<'_>, way: &mut Vec<Step>) -> Table {
        let mut values = Table::new();
        for (key, value) in table {
            way.push(Step::Key(key.get_ref().clone().into_owned()));
            if let Some(value) = self.value(key.span().start, value, way) {
                values.insert(key.into_inner().into_owned(), value);
            }
            way.pop();
        }
        values
    }

    /// Takes over the value at the end of `way`, which is written at `offset`.
    fn value(
        &mut self,
        offset: usize,
        value: Spanned<DeValue<'_>>,
        way: &mut Vec<Step>,
    ) -> Option<Value> {
        let place = self.lines.line(offset);
        if way.len() > MAX_DEPTH {
            let advice = "no key lies so deep";
            self.refuse(place, &way[..MAX_DEPTH], "the tables are nested too deeply", advice);
            return None;
        }
        self.places.set(name_of(way), place.clone());
        match value.into_inner() {
            DeValue::String(text) => Some(Value::String(text.into_owned())),
            DeValue::Boolean(switch) => Some(Value::Boolean(switch)),
            DeValue::Datetime(time) => Some(Value::Datetime(time)),
            DeValue::Float(number) => number.as_str().parse().ok().map(Value::Float),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                if read.is_err() {
                    self.refuse(place, way, "the number is too large", "write a smaller one");
                }
                read.ok().map(Value::Integer)
            }
            DeValue::Table(table) => Some(Value::Table(self.table(table, way))),
            DeValue::Array(list) => {
                let mut values = Vec::new();
                for (index, value) in list.into_iter().enumerate() {
                    way.push(Step::Index(index));
                    values.extend(self.value(value.span().start, value, way));
                    way.pop();
                }
                Some(Value::Array(values))
            }
        }
    }

    fn refuse(&mut self, place: SourceLocation, way: &[Step], what: &str, advice: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push_error(place, name_of(way), what, advice);
        }
    }
}

/// Where the lines of a text begin.
struct Lines<'a> {
    name: Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(name: &str, text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(index, _)| index + 1);
        Self { name: name.into(), text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn line(&self, offset: usize) -> SourceLocation {
        let line = self.starts.partition_point(|start| *start <= offset);
        SourceLocation::File { name: Arc::clone(&self.name), line: Some(line), column: None }
    }

    fn point(&self, offset: usize) -> SourceLocation {
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = self.text.get(self.starts[line - 1]..offset).unwrap_or_default();
        let column = Some(before.chars().count() + 1);
        SourceLocation::File { name: Arc::clone(&self.name), line: Some(line), column }
    }
}
