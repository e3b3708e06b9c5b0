//! How records stand in the file: names of tables, numbers of kinds, and what a record weighs.

use redb::TableDefinition;

use super::super::{Digest, Key, Kind, Record};
use super::row::HEAD;

pub(super) type Records = TableDefinition<'static, &'static Digest, &'static [u8]>;
pub(super) const ORDER: TableDefinition<'static, (u8, u64), &'static Digest> =
    TableDefinition::new("order");
pub(super) const DUE: TableDefinition<'static, (u8, i64, &'static Digest), ()> =
    TableDefinition::new("due");
pub(super) const OWNER: TableDefinition<'static, (u8, &'static Digest, &'static Digest), ()> =
    TableDefinition::new("owner");
pub(super) const ABOUT: TableDefinition<'static, &'static str, u64> = TableDefinition::new("about");

/// About what a record takes in the file, with its entries in the indexes: pages are two thirds
/// full, and what is larger than half a page has pages of its own, a power of two of them.
pub(super) fn weight(key: Key, length: u64) -> u64 {
    let row = if length > PAGE / 2 {
        (length + PAGE / 16).next_power_of_two().max(PAGE)
    } else {
        length * 3 / 2
    };
    let owners = if key.kind == Kind::Session { 2 } else { 1 };
    row + INDEXES + owners * INDEX
}

pub(super) fn record_length(record: &Record) -> u64 {
    (HEAD + record.label.len() + record.sealed.len() + size_of::<Digest>()) as u64
}

pub(super) fn records_of(kind: Kind) -> Records {
    TableDefinition::new(kind.name())
}

/// Returns the number of a kind in the indexes; never changed.
pub(super) fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Session => 1,
        Kind::Login => 2,
        Kind::Used => 3,
        Kind::Form => 4,
        Kind::Code => 5,
        Kind::Ended => 6,
        Kind::HandoffRequest => 7,
        Kind::LinkedSession => 8,
        Kind::History => 9,
    }
}

/// Returns where the table of a kind stands among those that are open.
pub(super) fn table_index(kind: Kind) -> usize {
    usize::from(number(kind)) - 1
}

pub(super) const FORMAT: &str = "format";
pub(super) const NEXT: &str = "next";
pub(super) const WEIGHT: &str = "weight";
pub(super) const LOWEST: Digest = [0; 32];
pub(super) const HIGHEST: Digest = [0xff; 32];
pub(super) const PAGE: u64 = 4096;

/// What the entries in `order` and `due` take, and one in `owner`.
pub(super) const INDEXES: u64 = 140;
pub(super) const INDEX: u64 = 100;
