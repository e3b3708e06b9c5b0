//! What is read from the tables: plain functions on one transaction that changes nothing.

use redb::{ReadTransaction, ReadableTable, TableHandle};

use super::super::{Digest, Key, Kind, Page, Record};
use super::error::FileError;
use super::row::Row;
use super::schema::{ABOUT, DUE, FORMAT, HIGHEST, LOWEST, OWNER, WEIGHT, number, records_of};
use super::touches::{Pending, apply};
use crate::base::clock::Time;
use crate::base::encoding::{from_hex, hex_lower};

/// Says what is in a file: nothing, this format, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    Format(u64),
    Foreign,
}

/// Looks what is in a file.
pub(super) fn content(transaction: &ReadTransaction) -> Result<Content, FileError> {
    if transaction.list_tables()?.next().is_none()
        && transaction.list_multimap_tables()?.next().is_none()
    {
        return Ok(Content::Nothing);
    }
    let format = match transaction.open_table(ABOUT) {
        Ok(about) => about.get(FORMAT)?.map(|found| found.value()),
        Err(_) => None,
    };
    Ok(format.map_or(Content::Foreign, Content::Format))
}

/// Tells whether there is a table for each kind of records: they have become more.
pub(super) fn is_complete(transaction: &ReadTransaction) -> Result<bool, FileError> {
    let names: Vec<_> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    Ok(Kind::ALL.iter().all(|kind| names.iter().any(|name| name == kind.name())))
}

/// Returns what all records weigh together, as the tables note it.
pub(super) fn total_weight(transaction: &ReadTransaction) -> Result<u64, FileError> {
    let about = transaction.open_table(ABOUT)?;
    Ok(about.get(WEIGHT)?.map_or(0, |found| found.value()))
}

/// Says whether anything should be looked at by [`Tables::tidy`].
pub(super) fn is_untidy(transaction: &ReadTransaction, before: Time) -> Result<bool, FileError> {
    let due = transaction.open_table(DUE)?;
    for kind in Kind::ALL {
        if !due_before(&due, kind, before, 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns a record; with the times that are not on the disk yet.
pub(super) fn get(
    transaction: &ReadTransaction,
    pending: &Pending,
    key: Key,
    now: Time,
) -> Result<Option<Record>, FileError> {
    let table = transaction.open_table(records_of(key.kind))?;
    let Some(found) = table.get(&key.digest)? else { return Ok(None) };
    let record = read(pending, key, found.value())?;
    Ok(Some(record).filter(|record| now < record.expires))
}

/// Returns records of an owner.
pub(super) fn owned(
    transaction: &ReadTransaction,
    pending: &Pending,
    (kind, owner): (Kind, Digest),
    limit: usize,
    now: Time,
) -> Result<Vec<(Digest, Record)>, FileError> {
    let table = transaction.open_table(OWNER)?;
    let (from, to) = ((number(kind), &owner, &LOWEST), (number(kind), &owner, &HIGHEST));
    let mut found = Vec::new();
    for entry in table.range(from..=to)? {
        if found.len() >= limit {
            break;
        }
        let digest = *entry?.0.value().2;
        if let Some(record) = get(transaction, pending, Key { kind, digest }, now)? {
            found.push((digest, record));
        }
    }
    Ok(found)
}

/// Returns a page of the records of a kind.
pub(super) fn list(
    transaction: &ReadTransaction,
    pending: &Pending,
    (kind, after): (Kind, Option<&str>),
    limit: usize,
    now: Time,
) -> Result<Page, FileError> {
    let after: Option<Digest> = after.and_then(|text| from_hex(text)?.try_into().ok());
    let table = transaction.open_table(records_of(kind))?;
    let from = after.unwrap_or(LOWEST);
    let (mut page, mut last) = (Page::default(), None);
    for (number, entry) in table.range::<&Digest>(&from..)?.enumerate() {
        let (digest, bytes) = entry?;
        let digest = *digest.value();
        if page.records.len() >= limit || number > limit.saturating_mul(4) {
            page.next = last.map(|digest: Digest| hex_lower(&digest));
            break;
        }
        if after == Some(digest) {
            continue;
        }
        last = Some(digest);
        let record = read(pending, Key { kind, digest }, bytes.value())?;
        if now < record.expires {
            page.records.push((digest, record));
        }
    }
    Ok(page)
}

/// Counts the records of a kind.
#[cfg(test)]
pub(super) fn count(transaction: &ReadTransaction, kind: Kind) -> Result<u64, FileError> {
    use redb::ReadableTableMetadata as _;
    Ok(transaction.open_table(records_of(kind))?.len()?)
}

fn read(pending: &Pending, key: Key, bytes: &[u8]) -> Result<Record, FileError> {
    let mut record = Row::parse(bytes).ok_or(FileError::Damaged)?.record;
    if let Some(touch) = pending.get(&key) {
        apply(&mut record, touch);
    }
    Ok(record)
}

pub(super) fn due_before(
    table: &impl ReadableTable<(u8, i64, &'static Digest), ()>,
    kind: Kind,
    before: Time,
    limit: usize,
) -> Result<Vec<(i64, Digest)>, FileError> {
    let from = (number(kind), i64::MIN, &LOWEST);
    let to = (number(kind), before.as_millisecond(), &HIGHEST);
    let mut found = Vec::new();
    for entry in table.range(from..=to)?.take(limit) {
        let entry = entry?.0;
        let (_, milliseconds, digest) = entry.value();
        found.push((milliseconds, *digest));
    }
    Ok(found)
}
