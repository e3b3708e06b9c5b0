//! Targets that take records one by one, and of which nothing is read again: standard output, the
//! system's log, the journal.
//!
//! The chain goes on from what was noted when the process before came to its end. After one that did
//! not, it is not known what the other side has: another chain begins.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use super::super::chain::Chain;
use super::super::head;
use super::super::keys::Signer;
use super::super::queue::Entry;
use super::super::settings;
use super::syslog::{Journal, Syslog};
use crate::base::appending;

/// A target that takes records one by one.
pub(in crate::audit) struct Stream {
    sender: Sender,
    chain: Chain,
}

/// Whether the chain is an old one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Anew,
    GoesOn,
}

enum Sender {
    Stdout(File),
    Syslog(Syslog),
    Journal(Journal),
}

impl Stream {
    pub(super) fn open(
        target: &settings::Stream,
        noted: Option<&Path>,
    ) -> io::Result<(Self, Begun)> {
        let sender = match target {
            settings::Stream::Syslog { at, facility } => {
                Sender::Syslog(Syslog::new(at.clone(), *facility))
            }
            settings::Stream::Journald(path) => Sender::Journal(Journal::new(path.clone())),
            settings::Stream::Stdout => {
                Sender::Stdout(File::from(io::stdout().as_fd().try_clone_to_owned()?))
            }
        };
        let noted = noted.map(head::read).transpose()?.flatten();
        let (chain, begun) = match noted {
            Some(noted) if noted.is_closed => (noted.checkpoint.0, Begun::GoesOn),
            _ => (Chain::begin(), Begun::Anew),
        };
        Ok((Self { sender, chain }, begun))
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Connects anew with the next record.
    pub(super) fn reconnect(&mut self) {
        match &mut self.sender {
            Sender::Stdout(_) => {}
            Sender::Syslog(syslog) => syslog.disconnect(),
            Sender::Journal(journal) => journal.disconnect(),
        }
    }

    /// Writes records until one fails; returns how many are written.
    pub(super) fn write(&mut self, entries: &[Entry], signer: &Signer) -> (usize, io::Result<()>) {
        // Lines of the program's log are not in the middle of ours.
        let is_stdout = matches!(self.sender, Sender::Stdout(_));
        let _turn = is_stdout.then(|| io::stdout().lock());
        for (written, entry) in entries.iter().enumerate() {
            let (mut line, mut chain) = (Vec::new(), self.chain.clone());
            let made = if entry.is_signed {
                chain.append_signed(&mut line, &entry.body, signer)
            } else {
                chain.append(&mut line, &entry.body)
            };
            if let Err(error) = made {
                return (written, Err(error));
            }
            let sent = match &mut self.sender {
                Sender::Stdout(file) => appending::write_all(file, &line),
                Sender::Syslog(syslog) => syslog.send(&line[..line.len() - 1]),
                Sender::Journal(journal) => journal.send(&line[..line.len() - 1]),
            };
            if let Err(error) = sent {
                return (written, Err(error));
            }
            self.chain = chain;
        }
        (entries.len(), Ok(()))
    }
}
