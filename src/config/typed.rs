//! From a tree of values to a [`File`], with every refusal told.
//!
//! 1. A value that is refused is told, dropped, and the rest is read again. So one run tells all.
//! 2. A list with a refused entry is dropped whole: half of a list is not what was meant.
//! 3. The number of problems is bounded, and so is the work on a hostile file.

use std::collections::BTreeSet;

use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::{
    bounds::MAX_PROBLEMS,
    explain::explain,
    file::File,
    problem::Problems,
    shape::Shape,
    source_location::{Places, Step, name_of},
};

/// A tree on its way to a [`File`].
pub(super) struct Typed {
    tree: Table,
    refused: BTreeSet<String>,
    broken_lists: BTreeSet<Vec<Step>>,
}

impl Typed {
    pub(super) fn new(tree: Table) -> Self {
        Self { tree, refused: BTreeSet::new(), broken_lists: BTreeSet::new() }
    }

    /// Returns the keys whose values were dropped.
    pub(super) fn into_refused(self) -> BTreeSet<String> {
        self.refused
    }

    /// Reads the tree. Fails when there are too many problems to go on.
    pub(super) fn read(
        &mut self,
        places: &Places,
        problems: &mut Problems,
    ) -> Result<File, Problems> {
        // 1. Each value is of the kind that its key takes. Left to itself, serde would also take
        //    a list for a table, by position.
        let mut misfits = Vec::new();
        find_misfits(&self.tree, Shape::root(), &mut Vec::new(), &mut misfits);
        for steps in misfits {
            self.refuse(&steps, "is of the wrong kind", places, problems)?;
        }
        // 2. Each key is known and its value reads, or we go on without it.
        loop {
            let tree = Value::Table(self.tree.clone());
            match serde_path_to_error::deserialize::<_, File>(tree) {
                Ok(file) if self.broken_lists.is_empty() => return Ok(file),
                Ok(_) => self.drop_broken_lists(),
                Err(error) => {
                    let message = error.inner().message();
                    self.refuse(&steps_of(error.path()), message, places, problems)?;
                }
            }
        }
    }

    /// Tells a problem and drops the value that it is about. Fails when there is no going on.
    fn refuse(
        &mut self,
        steps: &[Step],
        message: &str,
        places: &Places,
        problems: &mut Problems,
    ) -> Result<(), Problems> {
        let key = name_of(steps);
        let place = places.place_of(&key);
        let Some(value) = self.take(steps) else {
            problems.push_error(place, key, message, "");
            return Err(std::mem::take(problems));
        };
        let explanation = explain(steps, &value, message);
        problems.push_error(place, &key, explanation.what, explanation.advice);
        self.refused.insert(key);
        self.refused.extend(explanation.meant);
        if problems.len() < MAX_PROBLEMS {
            return Ok(());
        }
        let what = "there may be more problems than are told";
        problems.push_error(places.place_of(""), "", what, "correct these and try again");
        Err(std::mem::take(problems))
    }

    /// Takes the value at the end of a way out of the tree. An entry of a list leaves a harmless
    /// one behind, so that the others keep their numbers.
    fn take(&mut self, steps: &[Step]) -> Option<Value> {
        let (last, parents) = steps.split_last()?;
        match (last, find(&mut self.tree, parents)?) {
            (Step::Key(key), Found::Table(table)) => table.remove(key),
            (Step::Index(index), Found::List(list)) => {
                let entry = list.get_mut(*index)?;
                self.broken_lists.insert(parents.to_owned());
                Some(std::mem::replace(entry, harmless_entry(parents)))
            }
            _ => None,
        }
    }

    fn drop_broken_lists(&mut self) {
        // Inner lists come after the outer ones that they lie in.
        for list in std::mem::take(&mut self.broken_lists).into_iter().rev() {
            self.take(&list);
            self.refused.insert(name_of(&list));
        }
    }
}

/// Finds values that are not of the kind that their key takes. Unknown keys are left to serde.
fn find_misfits(
    table: &Table,
    shape: Shape<'_>,
    way: &mut Vec<Step>,
    misfits: &mut Vec<Vec<Step>>,
) {
    for (key, value) in table {
        let Some(field) = shape.field(key) else {
            continue;
        };
        way.push(Step::Key(key.clone()));
        find_misfit(value, field, way, misfits);
        way.pop();
    }
}

fn find_misfit(value: &Value, shape: Shape<'_>, way: &mut Vec<Step>, misfits: &mut Vec<Vec<Step>>) {
    match (value, shape.item()) {
        _ if misfits.len() >= MAX_PROBLEMS => {}
        _ if !shape.kind().is_some_and(|kind| kind.fits(value)) => misfits.push(way.clone()),
        (Value::Table(table), _) => find_misfits(table, shape, way, misfits),
        (Value::Array(values), Some(item)) => {
            for (index, value) in values.iter().enumerate() {
                way.push(Step::Index(index));
                find_misfit(value, item, way, misfits);
                way.pop();
            }
        }
        _ => {}
    }
}

/// A part of the tree that holds others.
enum Found<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
}

fn find<'a>(tree: &'a mut Table, steps: &[Step]) -> Option<Found<'a>> {
    steps.iter().try_fold(Found::Table(tree), |parent, step| {
        let value = match (step, parent) {
            (Step::Key(key), Found::Table(table)) => table.get_mut(key),
            (Step::Index(index), Found::List(list)) => list.get_mut(*index),
            _ => None,
        };
        match value? {
            Value::Table(table) => Some(Found::Table(table)),
            Value::Array(list) => Some(Found::List(list)),
            _ => None,
        }
    })
}

/// Makes an entry that a list accepts.
fn harmless_entry(list: &[Step]) -> Value {
    Shape::root()
        .at(list)
        .and_then(Shape::example)
        .and_then(|example| Value::try_from(example.get(0)?).ok())
        .unwrap_or_else(|| Value::Table(Table::new()))
}

fn steps_of(path: &serde_path_to_error::Path) -> Vec<Step> {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            // The value of an enum, which lies in the key that came before.
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}
