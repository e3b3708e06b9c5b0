//! The table: each row a fault, planted for real.

mod behind;
mod front;
mod local;
mod node;
mod public;
mod store;

use super::Row;
use super::case::Case;
use super::world::World;

/// All rows.
pub(super) fn all() -> Vec<Row> {
    [local::rows(), node::rows(), public::rows(), front::rows(), behind::rows(), store::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// Makes a row.
fn row(
    name: &'static str,
    red: &'static [&'static str],
    warned: &'static [&'static str],
    words: &'static str,
    plant: fn(&World, &mut Case),
) -> Row {
    Row { name, red, warned, words, plant }
}
