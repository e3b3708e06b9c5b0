//! The tables in the file, and what changes them: plain functions on one transaction.
//!
//! | table | key | value |
//! |---|---|---|
//! | one for each kind | digest | [`Row`] |
//! | `order` | kind, number | digest: in the order in which they were put first |
//! | `due` | kind, milliseconds, digest | when to look whether a record has expired |
//! | `owner` | kind, owner, digest | which records are of one person |
//! | `about` | name | number: the format, the next number, the weight of everything and of some kinds |
//!
//! 1. A record and its entries in the indexes change together, in [`Tables::insert`] and
//!    [`Tables::remove`] only.
//! 2. A touch leaves the index of what is due as it is: the sweep that finds the entry looks at the
//!    record, and puts the entry where it belongs by then. So a touch writes one table, not two.
//! 3. When there is no room, the oldest make some: forms first if bytes are lacking, else those of
//!    the same kind. [`Kind::Used`] is never forgotten early.

use redb::{ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

use super::super::{Digest, Key, Kind, Record, Touch};
use super::error::FileError;
use super::queries::due_before;
use super::row::Row;
use super::schema::{
    ABOUT, DUE, FORMAT, NEXT, ORDER, OWNER, WEIGHT, number, record_length, records_of, table_index,
    weight,
};
use super::touches::apply;
use crate::base::clock::Time;

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Records of each kind.
    pub(super) records: u64,
    /// What all of them may weigh.
    pub(super) weight: u64,
}

impl Room {
    /// What records of a kind may weigh. What any client can begin without having signed in has no
    /// more than its part, so that sessions are never put out for it. The module that puts it keeps
    /// to less ([`super::Options::room_for_begun`]); this is for what a process put before it was
    /// started anew.
    fn weight_of(self, kind: Kind) -> u64 {
        if is_begun_by_anybody(kind) { self.weight / PART_OF_BEGUN } else { self.weight }
    }
}

fn is_begun_by_anybody(kind: Kind) -> bool {
    matches!(kind, Kind::Login | Kind::HandoffRequest | Kind::Code | Kind::History)
}

/// Handles of logins, wishes and codes may each weigh an eighth of all.
pub(super) const PART_OF_BEGUN: u64 = 8;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Whether the change was made.
    Made(bool),
    /// The record that was taken, if there was one.
    Taken(Option<Record>),
    /// There is no room for it, and nothing was changed.
    Full,
}

/// The tables in a transaction that writes.
pub(super) struct Tables<'t> {
    records: [Table<'t, &'static Digest, &'static [u8]>; Kind::ALL.len()],
    order: Table<'t, (u8, u64), &'static Digest>,
    due: Table<'t, (u8, i64, &'static Digest), ()>,
    owner: Table<'t, (u8, &'static Digest, &'static Digest), ()>,
    about: Table<'t, &'static str, u64>,
    next: u64,
    weight: u64,
    /// What each kind weighs that has a part of its own; of what a program put that did not count
    /// it, nothing.
    weights: [u64; Kind::ALL.len()],
    room: Room,
    /// What made room for others.
    gone: Vec<Key>,
}

impl<'t> Tables<'t> {
    /// Opens the tables; makes those that are missing.
    pub(super) fn open(transaction: &'t WriteTransaction, room: Room) -> Result<Self, FileError> {
        let records = |kind| transaction.open_table(records_of(kind));
        let [session, login, used, form, code, ended, wish, branch, history] =
            Kind::ALL.map(records);
        let about = transaction.open_table(ABOUT)?;
        let number = |name| about.get(name).map(|found| found.map_or(0, |found| found.value()));
        let (next, weight) = (number(NEXT)?, number(WEIGHT)?);
        let mut weights = [0; Kind::ALL.len()];
        for kind in Kind::ALL.into_iter().filter(|&kind| is_begun_by_anybody(kind)) {
            weights[table_index(kind)] = number(kind.name())?;
        }
        Ok(Self {
            records: [session?, login?, used?, form?, code?, ended?, wish?, branch?, history?],
            order: transaction.open_table(ORDER)?,
            due: transaction.open_table(DUE)?,
            owner: transaction.open_table(OWNER)?,
            about,
            next,
            weight,
            weights,
            room,
            gone: Vec::new(),
        })
    }

    /// Writes what was counted; the last step before a commit. Returns what made room for others.
    pub(super) fn finish(mut self) -> Result<Vec<Key>, FileError> {
        self.about.insert(NEXT, self.next)?;
        self.about.insert(WEIGHT, self.weight)?;
        for kind in Kind::ALL.into_iter().filter(|&kind| is_begun_by_anybody(kind)) {
            self.about.insert(kind.name(), self.weights[table_index(kind)])?;
        }
        Ok(self.gone)
    }

    pub(super) fn put(
        &mut self,
        key: Key,
        record: Record,
        now: Time,
    ) -> Result<Outcome, FileError> {
        let known = self.find(key)?;
        let weight = weight(key, record_length(&record));
        if !self.make_room(key, known.as_ref(), weight, now)? {
            return Ok(Outcome::Full);
        }
        // It may have been the oldest itself.
        let known = self.remove(key)?;
        let order = known.map_or(self.next, |row| row.order);
        self.next = self.next.max(order + 1);
        let due = record.expires.as_millisecond();
        self.insert(key, &Row { record, due, order })?;
        Ok(Outcome::Made(true))
    }

    pub(super) fn put_new(
        &mut self,
        key: Key,
        record: Record,
        now: Time,
    ) -> Result<Outcome, FileError> {
        if self.find(key)?.is_some_and(|row| now < row.record.expires) {
            return Ok(Outcome::Made(false));
        }
        self.put(key, record, now)
    }

    pub(super) fn swap(
        &mut self,
        key: Key,
        sealed: &[u8],
        record: Record,
        now: Time,
    ) -> Result<Outcome, FileError> {
        let is_same = |row: Row| now < row.record.expires && row.record.sealed == sealed;
        if !self.find(key)?.is_some_and(is_same) {
            return Ok(Outcome::Made(false));
        }
        self.put(key, record, now)
    }

    pub(super) fn take(&mut self, key: Key, now: Time) -> Result<Outcome, FileError> {
        let taken = self.remove(key)?.map(|row| row.record);
        Ok(Outcome::Taken(taken.filter(|record| now < record.expires)))
    }

    pub(super) fn touch(&mut self, touch: &Touch) -> Result<(), FileError> {
        let Some(mut row) = self.find(touch.key)? else { return Ok(()) };
        if apply(&mut row.record, touch) {
            let table = &mut self.records[table_index(touch.key.kind)];
            table.insert(&touch.key.digest, row.build().as_slice())?;
        }
        Ok(())
    }

    /// Removes up to so many records that expired before a time; returns how many were looked at.
    pub(super) fn tidy(&mut self, before: Time, limit: usize) -> Result<usize, FileError> {
        let mut seen = 0;
        for kind in Kind::ALL {
            seen += self.tidy_kind(kind, before, limit.saturating_sub(seen))?;
        }
        Ok(seen)
    }

    fn tidy_kind(&mut self, kind: Kind, before: Time, limit: usize) -> Result<usize, FileError> {
        let due = due_before(&self.due, kind, before, limit)?;
        for &(milliseconds, digest) in &due {
            let key = Key { kind, digest };
            self.due.remove((number(kind), milliseconds, &digest))?;
            let Some(mut row) = self.find(key)? else { continue };
            if row.record.expires <= before {
                self.remove(key)?;
            } else {
                self.due.remove((number(kind), row.due, &digest))?;
                row.due = row.record.expires.as_millisecond();
                self.due.insert((number(kind), row.due, &digest), ())?;
                self.records[table_index(kind)].insert(&digest, row.build().as_slice())?;
            }
        }
        Ok(due.len())
    }

    /// Says whether there is room for a record; makes some where it may.
    fn make_room(
        &mut self,
        key: Key,
        known: Option<&Row>,
        weight: u64,
        now: Time,
    ) -> Result<bool, FileError> {
        let kind = key.kind;
        let replaced = known.map_or(0, |row| self::weight(key, record_length(&row.record)));
        let is_crowded = |tables: &Self| -> Result<bool, FileError> {
            let is_new = known.is_none();
            let of_kind = tables.weights[table_index(kind)].saturating_sub(replaced) + weight;
            Ok(is_new && tables.records[table_index(kind)].len()? >= tables.room.records
                || of_kind > tables.room.weight_of(kind))
        };
        let is_heavy =
            |tables: &Self| tables.weight.saturating_sub(replaced) + weight > tables.room.weight;

        // 1. What has expired goes first, where nothing else may go.
        if kind == Kind::Used && (is_crowded(self)? || is_heavy(self)) {
            self.tidy_kind(kind, now, EVICTIONS)?;
        }
        // 2. The oldest of this kind go, because there are too many. After some it is enough for
        //    once: only a bound that was lowered asks for more.
        for _ in 0..EVICTIONS {
            if !is_crowded(self)? {
                break;
            }
            if kind == Kind::Used || !self.remove_oldest(kind)? {
                return Ok(false);
            }
        }
        // 3. The oldest forms go, because they are large; then others of this kind. What was used
        //    must be remembered, or no citizen could sign in any more: for that the oldest sessions
        //    go.
        for _ in 0..EVICTIONS {
            if !is_heavy(self) {
                break;
            }
            let others = if kind == Kind::Used { Kind::Session } else { kind };
            let went = self.remove_oldest(Kind::Form)? || self.remove_oldest(others)?;
            if !went {
                return Ok(false);
            }
        }
        Ok(!is_heavy(self))
    }

    fn remove_oldest(&mut self, kind: Kind) -> Result<bool, FileError> {
        let oldest = {
            let mut range = self.order.range((number(kind), 0)..=(number(kind), u64::MAX))?;
            match range.next().transpose()? {
                Some((entry, digest)) => (entry.value().1, *digest.value()),
                None => return Ok(false),
            }
        };
        let (order, digest) = oldest;
        let key = Key { kind, digest };
        if self.remove(key)?.is_some() {
            self.gone.push(key);
        }
        // Gone already, unless the tables disagree; then this entry must not be found again.
        self.order.remove((number(kind), order))?;
        Ok(true)
    }

    fn find(&self, key: Key) -> Result<Option<Row>, FileError> {
        let found = self.records[table_index(key.kind)].get(&key.digest)?;
        found.map(|found| Row::parse(found.value()).ok_or(FileError::Damaged)).transpose()
    }

    fn insert(&mut self, key: Key, row: &Row) -> Result<(), FileError> {
        let (kind, digest) = (number(key.kind), &key.digest);
        self.records[table_index(key.kind)].insert(digest, row.build().as_slice())?;
        self.order.insert((kind, row.order), digest)?;
        self.due.insert((kind, row.due, digest), ())?;
        if let Some(owner) = &row.record.owner {
            self.owner.insert((kind, owner, digest), ())?;
        }
        let weight = weight(key, record_length(&row.record));
        self.weight += weight;
        self.weights[table_index(key.kind)] += weight;
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<Option<Row>, FileError> {
        let (kind, digest) = (number(key.kind), &key.digest);
        let Some(row) = self.find(key)? else { return Ok(None) };
        self.records[table_index(key.kind)].remove(digest)?;
        self.order.remove((kind, row.order))?;
        self.due.remove((kind, row.due, digest))?;
        if let Some(owner) = &row.record.owner {
            self.owner.remove((kind, owner, digest))?;
        }
        let weight = weight(key, record_length(&row.record));
        self.weight = self.weight.saturating_sub(weight);
        let of_kind = &mut self.weights[table_index(key.kind)];
        *of_kind = of_kind.saturating_sub(weight);
        Ok(Some(row))
    }
}

/// Makes the tables that are missing; in a file in which there is nothing, all.
pub(super) fn make(transaction: &WriteTransaction, format: u64) -> Result<(), FileError> {
    let mut tables = Tables::open(transaction, Room { records: 0, weight: 0 })?;
    tables.about.insert(FORMAT, format)?;
    tables.finish().map(drop)
}

/// How many records make room for one, at most.
const EVICTIONS: usize = 64;
