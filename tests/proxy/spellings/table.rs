//! The table of the manual, read as the test's own expectation.

use std::fs;
use std::path::Path;

use super::portals::Kind;

/// What a program takes for a protected path.
pub(super) struct Row {
    /// The kind of change, in the words of [`super::generate`].
    pub(super) change: String,
    /// A path that gets through.
    pub(super) instance: String,
}

/// Returns the rows of a program: `| nginx, ... | change | `/instance` | what to do |`.
pub(super) fn rows(kind: Kind) -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/upstream-paths.md");
    let manual = fs::read_to_string(file).unwrap();
    let begin = manual.find("# What was measured").expect("the section is there");
    let lines = manual[begin..].lines().filter_map(|line| line.strip_prefix("| "));
    let cells = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    let of_kind = cells.filter(|cells| cells[0].split(',').next() == Some(kind.name()));
    let row = |cells: Vec<&str>| {
        let instance = cells[2].trim_matches('`').to_owned();
        Row { change: cells[1].to_owned(), instance }
    };
    let rows: Vec<_> = of_kind.map(row).collect();
    assert!(!rows.is_empty(), "the manual says nothing of {kind:?}");
    rows
}
