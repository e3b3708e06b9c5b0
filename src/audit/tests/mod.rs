//! The audit log as a whole: what is written is read again, and what was tampered with is found.

mod chain;
mod files;
mod forged;
mod own;
mod tampering;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::chain::Checkpoint;
use super::keys::{Keys, PublicKey};
use super::record::{Kind, Record, text};
use super::verify::{Expected, Fault, Head, Report, verify};
use super::{AuditLog, File, Settings, Sync, Target};
use crate::base::clock::{ManualClock, SharedClock, Time};
use crate::observe::access::Addresses;

pub(super) const PESEL: &str = "44051401359";

/// A folder with a log and what is kept beside it.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) keys: Vec<u8>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let keys = Keys::generate().to_text().expose().as_bytes().to_vec();
        let time = "2031-05-04T22:00:00Z".parse::<Time>().unwrap();
        Self { folder, clock: Arc::new(ManualClock::at(time)), keys }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("log/audit.log")
    }

    pub(super) fn head(&self) -> PathBuf {
        self.folder.path().join("audit-head")
    }

    pub(super) fn keys(&self) -> Keys {
        Keys::parse(&self.keys).unwrap()
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            target: Target::File(File {
                path: self.path(),
                maximum: 0,
                daily: true,
                sync: Sync::Batch,
            }),
            required: true,
            addresses: Addresses::Masked,
            queue_bytes: 1 << 20,
            instance: "gate-1".to_owned(),
            checkpoint_records: 10,
            checkpoint_every: Duration::from_secs(3600),
            head: Some(self.head()),
        }
    }

    pub(super) fn start(&self) -> AuditLog {
        self.start_with(self.settings())
    }

    pub(super) fn start_with(&self, settings: Settings) -> AuditLog {
        let clock: SharedClock = self.clock.clone();
        AuditLog::start(settings, self.keys(), clock, false).unwrap()
    }

    /// Has so many citizens sign in, whose sessions and requests are numbered.
    pub(super) fn sign_in(&self, log: &AuditLog, numbers: std::ops::Range<u64>) {
        for number in numbers {
            log.record(signed_in(log, number, self.clock.as_ref()));
        }
        log.flush();
    }

    pub(super) fn expected(&self) -> Expected {
        Expected { keys: vec![self.public()], ..Expected::default() }
    }

    pub(super) fn public(&self) -> PublicKey {
        self.keys().signer.public()
    }

    pub(super) fn verify(&self) -> Report {
        self.verify_with(&self.expected())
    }

    pub(super) fn verify_with(&self, expected: &Expected) -> Report {
        verify(&[self.folder.path().join("log")], expected).unwrap()
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<_> = self.verify().findings.iter().map(|found| found.fault).collect();
        faults.dedup();
        faults
    }

    pub(super) fn lines(&self) -> Vec<String> {
        lines(&self.path())
    }

    pub(super) fn kept(&self) -> Checkpoint {
        super::head::read(&self.head()).unwrap().unwrap().checkpoint
    }

    /// The files of the log, by name.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("log")).unwrap();
        let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }
}

pub(super) fn signed_in(
    log: &AuditLog,
    number: u64,
    clock: &dyn crate::base::clock::Clock,
) -> Record<'static> {
    let mut record = Record::new(Kind::SignedIn, clock.now());
    let (person, key) = log.pseudonym("pesel", PESEL).unwrap();
    record.person = Some(person.into());
    record.person_key = Some(key.to_owned().into());
    record.sid = Some(format!("session-{number}").into());
    record.request = Some(format!("request-{number}").into());
    record.client = log.client("192.0.2.77".parse().unwrap()).map(Into::into);
    record.way_in = text("profil_zaufany");
    record
}

pub(super) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

pub(super) fn write_lines(path: &Path, lines: &[String]) {
    let mut all = lines.join("\n");
    if !all.is_empty() {
        all.push('\n');
    }
    fs::write(path, all).unwrap();
}
