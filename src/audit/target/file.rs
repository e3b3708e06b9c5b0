//! A file of records that grows, and gives way to a new one.
//!
//! 1. A batch is written in [turns](Turn). Another process of ours that has written meanwhile, such
//!    as a predecessor that still serves, is read up to. What somebody else wrote is no part of the
//!    chain: it goes on behind our own last record, and says so.
//! 2. A batch is in the file whole or not at all: when a disk is full, what was written of it is
//!    taken back.
//! 3. A half line that a killed process left is set aside into a file beside it (`.torn`).
//! 4. The chain goes on from the file's last record, or from what was noted elsewhere when that is
//!    further ([`FileTarget::open`]): what is missing between shows as missing.
//! 5. No link is followed, and what is new is for the owner and its group.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use tracing::{error, warn};

use super::super::chain::Chain;
use super::super::head;
use super::super::keys::Signer;
use super::super::queue::Entry;
use super::super::record::{FOREIGN, Kind, RECORDS_MISSING, Record};
use super::super::settings::{self, Sync};
use super::begun::Begun;
use super::tail::{self, ASIDE, TORN, Tail, named, newest_first};
use super::turn::{Locked, Turn};
use crate::base::appending;
use crate::base::clock::{Time, later};
use crate::base::rights::folder_of;

/// A file of records.
pub(in crate::audit) struct FileTarget {
    settings: settings::File,
    turn: Turn,
    file: File,
    /// Up to here it is known what is in it.
    length: u64,
    chain: Chain,
    last: Option<Kind>,
    /// The day of its first record.
    day: Option<String>,
    /// Until when it grows on, because it could not give way.
    rest_until: Option<Time>,
    is_unsynced: bool,
    is_unnoted: bool,
}

impl FileTarget {
    /// Opens the file, sets a half line aside, and finds out where the chain goes on: behind the
    /// file's last record, or behind what was noted when that is further.
    pub(super) fn open(
        settings: settings::File,
        noted: Option<&Path>,
    ) -> io::Result<(Self, Begun)> {
        let mut file = open(&settings.path)?;
        let turn = Turn::open(noted, &file)?;
        let locked = turn.take()?;
        let noted = noted.map(head::read).transpose()?.flatten();
        let is_closed = noted.as_ref().is_some_and(|noted| noted.is_closed);
        let noted = noted.map(|noted| noted.checkpoint.0);
        let torn = set_torn_aside(&file, &settings.path)?;
        let is_other = |chain: &Chain| {
            let known = noted.as_ref().map_or(0, |noted| noted.sequence);
            noted.as_ref().is_some_and(|noted| noted.id != chain.id)
                || chain.sequence.saturating_sub(known) > MOST_AHEAD
        };
        let found = match tail::read(&file)?.0 {
            Tail::Record(chain, kind) if !is_other(&chain) => Some((chain, kind)),
            Tail::Empty => before(&settings.path)?.filter(|(chain, _)| !is_other(chain)),
            Tail::Record(..) => {
                file = move_aside(&settings.path, "is of another chain")?;
                None
            }
            Tail::Foreign => {
                file = move_aside(&settings.path, "does not end with a record")?;
                None
            }
        };
        // Who came to an end wrote nothing later, unless a successor did.
        let is_foreign = match (&found, &noted) {
            (Some((found, _)), Some(noted)) if is_closed => {
                found.sequence > noted.sequence && !turn.knows(found)?
            }
            _ => false,
        };
        drop(locked);
        let is_behind = match (&found, &noted) {
            (Some((found, _)), Some(noted)) => noted.sequence >= found.sequence && noted != found,
            (found, noted) => found.is_none() && noted.is_some(),
        };
        let (kind, outcome) = match &found {
            _ if is_behind => (Kind::Resumed, RECORDS_MISSING),
            _ if is_foreign => (Kind::Resumed, FOREIGN),
            None => (Kind::Opened, "began"),
            Some((_, Kind::Closed)) if torn.is_none() => (Kind::Opened, "closed"),
            Some(_) => (Kind::Resumed, "not_closed"),
        };
        let found = found.map(|(chain, _)| chain);
        let chain =
            if is_behind || is_foreign { noted } else { found }.unwrap_or_else(Chain::begin);
        let mut target = Self {
            length: file.metadata()?.len(),
            day: tail::first_day(&file)?,
            settings,
            turn,
            file,
            chain,
            last: None,
            rest_until: None,
            is_unsynced: false,
            is_unnoted: false,
        };
        target.last = target.last_kind()?;
        Ok((target, Begun { kind, outcome, torn }))
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Writes records, all of them or none.
    pub(super) fn write(
        &mut self,
        entries: &[Entry],
        signer: &Signer,
        now: Time,
    ) -> io::Result<()> {
        // 1. The file is ours alone, and the one that has the name.
        let (_locked, found) = self.take_turn(signer, now)?;
        // 2. The records, and before them what was found.
        let mut lines = Vec::new();
        let mut chain = self.chain.clone();
        if found.is_foreign || found.torn.is_some() {
            let mut record = signed(Kind::Resumed, signer, now);
            record.number = found.torn;
            record.outcome = Some(if found.is_foreign { FOREIGN } else { "half_line" }.into());
            chain.append_signed(&mut lines, &record.to_json(), signer)?;
        }
        for entry in entries {
            if entry.is_signed {
                chain.append_signed(&mut lines, &entry.body, signer)?;
            } else {
                chain.append(&mut lines, &entry.body)?;
            }
        }
        self.append(&lines, chain)?;
        // 3. On the disk, when each batch is to be. Where that fails they are written once more: a
        //    fact may stand twice, rather than not at all.
        let has_signed = entries.iter().any(|entry| entry.is_signed);
        match self.settings.sync {
            Sync::Batch => self.sync(),
            Sync::Within(_) if has_signed => self.sync(),
            Sync::Within(_) | Sync::Never => Ok(()),
        }
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.is_unsynced {
            self.file.sync_data()?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    /// Appends lines, or takes back what was written of them.
    fn append(&mut self, lines: &[u8], chain: Chain) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.note(&chain);
        if let Err(error) = self.file.write_all(lines) {
            // What stays of it is a half line to the next one, who sets it aside.
            let _ = self.file.set_len(self.length);
            self.note(&self.chain.clone());
            return Err(error);
        }
        self.length += lines.len() as u64;
        self.last = None;
        if self.day.is_none() {
            self.day = tail::first_day(&self.file)?;
        }
        self.is_unsynced = true;
        self.chain = chain;
        Ok(())
    }

    /// Notes where the chain comes to, without which another process takes nothing over.
    fn note(&mut self, after: &Chain) {
        let result = self.turn.note(&self.chain, after);
        let has_failed = std::mem::replace(&mut self.is_unnoted, result.is_err());
        if let (Err(error), false) = (result, has_failed) {
            warn!(%error, "it cannot be noted what was written to the audit log");
        }
    }

    /// Has the file that has the name for itself, a new one where that is due; returns what others
    /// left in it.
    fn take_turn(&mut self, signer: &Signer, now: Time) -> io::Result<(Locked, Found)> {
        let locked = self.turn.take()?;
        let mut all = Found::default();
        for _ in 0..MOST_TURNS {
            let is_moved = self.is_moved()?;
            if is_moved && self.follow()? {
                continue;
            }
            let found = self.catch_up()?;
            all.torn = all.torn.or(found.torn);
            all.is_foreign |= found.is_foreign;
            if is_moved {
                self.leave(signer, now)?;
                self.begin_new(signer, now)?;
            } else if self.is_full(now) {
                self.give_way(signer, now)?;
            } else {
                return Ok((locked, all));
            }
        }
        Err(io::Error::new(ErrorKind::TimedOut, "it is moved away again and again"))
    }

    /// Goes over to the file that has the name when another process of ours writes there already;
    /// tells whether it does.
    fn follow(&mut self) -> io::Result<bool> {
        if std::fs::symlink_metadata(&self.settings.path).is_err() {
            return Ok(false);
        }
        let file = open(&self.settings.path)?;
        let (Tail::Record(chain, kind), end) = tail::read(&file)? else { return Ok(false) };
        let is_ours = chain.id == self.chain.id && chain.sequence > self.chain.sequence;
        if !is_ours || !self.turn.knows(&chain)? {
            return Ok(false);
        }
        self.day = tail::first_day(&file)?;
        (self.file, self.length, self.chain, self.last) = (file, end, chain, Some(kind));
        Ok(true)
    }

    /// Reads up to what another process of ours has written; returns what others left.
    fn catch_up(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        if self.file.metadata()?.len() == self.length {
            return Ok(found);
        }
        found.torn = set_torn_aside(&self.file, &self.settings.path)?;
        let (tail, end) = tail::read(&self.file)?;
        let has_grown = end > self.length;
        self.length = end;
        self.last = None;
        match tail {
            Tail::Record(chain, kind)
                if chain.sequence > self.chain.sequence && self.turn.knows(&chain)? =>
            {
                (self.chain, self.last) = (chain, Some(kind));
            }
            // What we wrote and is gone shows as missing.
            Tail::Record(chain, kind) if chain.id == self.chain.id && !has_grown => {
                self.last = Some(kind);
                found.is_foreign = chain.sequence > self.chain.sequence;
            }
            Tail::Empty => {}
            Tail::Record(..) | Tail::Foreign => found.is_foreign = true,
        }
        if found.is_foreign {
            error!(file = %self.settings.path.display(), "somebody else wrote into the audit log");
            // No number stands twice because another process of ours wrote meanwhile, too.
            let furthest = self.turn.furthest()?.filter(|chain| chain.id == self.chain.id);
            if let Some(chain) = furthest.filter(|chain| chain.sequence > self.chain.sequence) {
                self.chain = chain;
            }
        }
        Ok(found)
    }

    fn last_kind(&self) -> io::Result<Option<Kind>> {
        Ok(match tail::read(&self.file)?.0 {
            Tail::Record(_, kind) => Some(kind),
            Tail::Empty | Tail::Foreign => None,
        })
    }

    /// Tells whether another file has the name, or none.
    fn is_moved(&self) -> io::Result<bool> {
        let (own, found) = (self.file.metadata()?, std::fs::symlink_metadata(&self.settings.path));
        match found {
            Ok(found) => Ok((found.dev(), found.ino()) != (own.dev(), own.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn is_full(&self, now: Time) -> bool {
        // Also when the clock was set back by more.
        let rests = self.rest_until.is_some_and(|end| now < end && end <= later(now, REST));
        let is_old = self.day.as_ref().is_some_and(|day| *day != now.to_string()[..10]);
        let most = self.settings.maximum;
        !rests && ((self.settings.daily && is_old) || (most > 0 && self.length >= most))
    }

    /// Moves the file out of the way and begins a new one.
    fn give_way(&mut self, signer: &Signer, now: Time) -> io::Result<()> {
        self.leave(signer, now)?;
        let time = now.strftime("%Y%m%dT%H%M%SZ");
        let new = named(&self.settings.path, &format!(".{time}-{}", self.chain.sequence));
        match rename_new(&self.settings.path, &new) {
            Ok(()) => {
                self.rest_until = None;
                self.begin_new(signer, now)
            }
            Err(error) => {
                // It goes on to grow, which loses nothing.
                error!(%error, file = %new.display(), "the audit log cannot be moved to a new name");
                self.rest_until = Some(later(now, REST));
                Ok(())
            }
        }
    }

    /// Writes the last record of this file, unless another process did.
    fn leave(&mut self, signer: &Signer, now: Time) -> io::Result<()> {
        if self.last == Some(Kind::Rotated) {
            return Ok(());
        }
        let record = signed(Kind::Rotated, signer, now);
        let (mut lines, mut chain) = (Vec::new(), self.chain.clone());
        chain.append_signed(&mut lines, &record.to_json(), signer)?;
        self.append(&lines, chain)?;
        self.last = Some(Kind::Rotated);
        self.file.sync_data()
    }

    /// Opens the file that has the name now, or a new one, which begins with the digest of the last.
    fn begin_new(&mut self, signer: &Signer, now: Time) -> io::Result<()> {
        self.file = open(&self.settings.path)?;
        set_torn_aside(&self.file, &self.settings.path)?;
        (self.length, self.day, self.last) = (0, None, None);
        let (tail, end) = tail::read(&self.file)?;
        match tail {
            // Another process began it.
            Tail::Record(chain, _) if chain.id == self.chain.id && self.turn.knows(&chain)? => {
                (self.chain, self.length) = (chain, end);
                self.day = tail::first_day(&self.file)?;
                return Ok(());
            }
            Tail::Empty => {}
            Tail::Record(..) | Tail::Foreign => {
                self.file = move_aside(&self.settings.path, "is no file of this chain")?;
            }
        }
        let mut record = signed(Kind::Opened, signer, now);
        record.outcome = Some("rotated".into());
        let (mut lines, mut chain) = (Vec::new(), self.chain.clone());
        chain.append_signed(&mut lines, &record.to_json(), signer)?;
        self.append(&lines, chain)?;
        self.file.sync_data()?;
        File::open(folder_of(&self.settings.path))?.sync_all()
    }
}

/// What others left in the file since it was our turn last.
#[derive(Debug, Default)]
struct Found {
    /// Bytes of a half line.
    torn: Option<u64>,
    /// Whether somebody wrote who is no process of ours.
    is_foreign: bool,
}

/// Makes a record of the chain itself, with the key of its signature.
pub(in crate::audit) fn signed(kind: Kind, signer: &Signer, now: Time) -> Record<'static> {
    let mut record = Record::new(kind, now);
    record.public_key = Some(signer.public().to_string().into());
    record
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = appending::open(OpenOptions::new().read(true), flags, path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    Ok(file)
}

/// Sets what stands behind the last whole line aside; returns its bytes.
fn set_torn_aside(file: &File, path: &Path) -> io::Result<Option<u64>> {
    let (_, end) = tail::read(file)?;
    let length = file.metadata()?.len();
    if length == end {
        return Ok(None);
    }
    let mut aside = open(&named(path, TORN))?;
    let mut rest = file;
    io::Seek::seek(&mut rest, io::SeekFrom::Start(end))?;
    io::copy(&mut io::Read::take(rest, length - end), &mut aside)?;
    aside.write_all(b"\n")?;
    aside.sync_all()?;
    file.set_len(end)?;
    warn!(
        bytes = length - end,
        aside = %named(path, TORN).display(),
        "the audit log ended with half a line, which is set aside"
    );
    Ok(Some(length - end))
}

/// Moves a file that is no part of our chain out of the way, and opens a new one.
fn move_aside(path: &Path, why: &str) -> io::Result<File> {
    let new = named(path, &format!("{ASIDE}{}", crate::base::random::handle()));
    rename_new(path, &new)?;
    error!(file = %path.display(), why, moved_to = %new.display(), "the audit log is not ours");
    open(path)
}

/// Returns where the chain of the files has come to that were the log before.
fn before(path: &Path) -> io::Result<Option<(Chain, Kind)>> {
    for path in newest_first(path)?.into_iter().take(MOST_LOOKED_AT) {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if let (Tail::Record(chain, kind), _) = tail::read(&file)? {
            return Ok(Some((chain, kind)));
        }
    }
    Ok(None)
}

/// Moves a file to a name that nothing has.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Not every file system can say that.
        Err(Errno::INVAL | Errno::NOSYS) if std::fs::symlink_metadata(to).is_err() => {
            std::fs::rename(from, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// How long a file grows on that could not give way.
const REST: Duration = Duration::from_secs(600);
/// How many records there may be behind what was noted. No gateway writes as many.
const MOST_AHEAD: u64 = 1 << 40;
/// How many files of before are looked at for a last record.
const MOST_LOOKED_AT: usize = 8;
/// How often a new file is begun for one batch.
const MOST_TURNS: usize = 4;
