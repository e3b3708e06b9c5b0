//! Where records go: each target takes them in order, and says how many it took.

mod begun;
mod file;
mod stream;
mod syslog;
mod tail;
mod turn;

use std::io;

use super::chain::Checkpoint;
use super::keys::Signer;
use super::queue::Entry;
use super::record::Kind;
use super::settings::{Settings, Target};
use crate::base::clock::Time;

use self::begun::Begun;
use self::file::FileTarget;
use self::stream::{Begun as StreamBegun, Stream};

pub(super) use self::file::signed;
pub(super) use self::syslog::host_name;
pub(super) use self::tail::{ASIDE, TORN, newest_first};

/// A target that is open.
pub(super) enum Output {
    File(FileTarget),
    Stream(Stream),
}

impl Output {
    pub(super) fn open(settings: &Settings) -> io::Result<(Self, Begun)> {
        let head = settings.head.as_deref();
        match &settings.target {
            Target::File(file) => {
                let (target, begun) = FileTarget::open(file.clone(), head)?;
                Ok((Self::File(target), begun))
            }
            Target::Stream(stream) => {
                let (stream, begun) = Stream::open(stream, head)?;
                let (kind, outcome) = match begun {
                    StreamBegun::Anew => (Kind::Opened, "began"),
                    StreamBegun::GoesOn => (Kind::Opened, "closed"),
                };
                Ok((Self::Stream(stream), Begun { kind, outcome, torn: None }))
            }
        }
    }

    /// Writes records; returns how many are written, and what went wrong with the rest.
    pub(super) fn write(
        &mut self,
        entries: &[Entry],
        signer: &Signer,
        now: Time,
    ) -> (usize, io::Result<()>) {
        match self {
            Self::File(file) => match file.write(entries, signer, now) {
                Ok(()) => (entries.len(), Ok(())),
                Err(error) => (0, Err(error)),
            },
            Self::Stream(stream) => stream.write(entries, signer),
        }
    }

    /// Makes sure that what was written is on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.sync(),
            Self::Stream(_) => Ok(()),
        }
    }

    /// Goes on in a new file when the old one was moved away.
    pub(super) fn reopen(&mut self, signer: &Signer, now: Time) -> io::Result<()> {
        match self {
            Self::File(file) => file.write(&[], signer, now),
            Self::Stream(stream) => {
                stream.reconnect();
                Ok(())
            }
        }
    }

    /// Returns where the chain has come to.
    pub(super) fn head(&self) -> Checkpoint {
        Checkpoint(match self {
            Self::File(file) => file.chain().clone(),
            Self::Stream(stream) => stream.chain().clone(),
        })
    }
}
