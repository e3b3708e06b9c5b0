//! One chain, record by record.

use std::path::{Path, PathBuf};

use super::super::chain::{Chain, Checkpoint, signed_part};
use super::super::keys::PublicKey;
use super::super::record::{FOREIGN, Kind, RECORDS_MISSING, Record};
use super::expected::Expected;
use super::finding::{Fault, Report, Seen};
use crate::base::encoding::{base64url, sha256};

/// How far a chain is read.
pub(super) struct Walk {
    id: String,
    first: u64,
    last: u64,
    digest: [u8; 32],
    kind: Kind,
    place: (PathBuf, u64),
    signed: u64,
    /// Whether a signature did not hold.
    is_refused: bool,
    keys: Vec<PublicKey>,
    /// The digest that the first record names.
    seam: Option<[u8; 32]>,
    /// Numbers that were passed over, and where; they may come later.
    missing: Vec<Missing>,
}

struct Missing {
    from: u64,
    to: u64,
    before: (PathBuf, u64),
    place: (PathBuf, u64),
}

/// A record and where it stands.
pub(super) struct Step<'s> {
    pub(super) line: &'s [u8],
    pub(super) record: &'s Record<'s>,
    pub(super) at: (&'s Path, u64),
    /// Lines just before that are no records.
    pub(super) broken: u64,
    /// Whether it is the first one of its file.
    pub(super) is_first: bool,
}

impl Walk {
    /// Begins before the first record of a chain.
    pub(super) fn begin(
        record: &Record<'_>,
        at: (&Path, u64),
        expected: &Expected,
        report: &mut Report,
    ) -> Self {
        let first = record.sequence.unwrap_or_default();
        if first > 1 && expected.is_from_the_start {
            let what =
                format!("the chain begins with record {first} here, {} are missing", first - 1);
            report.find(Fault::Removed, at, what);
        } else if first > 1 {
            report.note(at, format!("the chain begins with record {first} here"));
        } else if !matches!(record.kind, Kind::Opened | Kind::Resumed) {
            let what =
                "a chain begins here, and not with the signed record of a start: no gateway \
                        wrote it so"
                    .to_owned();
            report.find(Fault::Inserted, at, what);
        }
        let previous = record.previous.as_deref().and_then(digest_of);
        Self {
            id: record.chain.as_deref().unwrap_or_default().to_owned(),
            first,
            last: first.saturating_sub(1),
            // Of what is before it nothing is known, unless it is the first of all.
            digest: if first == 1 { [0; 32] } else { previous.unwrap_or_default() },
            kind: Kind::Opened,
            place: (at.0.to_owned(), at.1),
            signed: 0,
            is_refused: false,
            keys: Vec::new(),
            seam: previous,
            missing: Vec::new(),
        }
    }

    /// Takes in a record.
    pub(super) fn step(&mut self, step: &Step<'_>, expected: &Expected, report: &mut Report) {
        let Step { record, at, .. } = step;
        let sequence = record.sequence.unwrap_or_default();
        let (digest, found) = (sha256(step.line), report.wrong());
        self.check_kept(sequence, digest, *at, expected, report);
        if sequence <= self.last {
            return self.out_of_order(sequence, *at, report);
        }
        let next = self.last + 1;
        let is_named = record.previous.as_deref().and_then(digest_of) == Some(self.digest);
        if sequence == next && !is_named {
            self.not_the_one(step, report);
        } else if sequence > next && sequence - next != step.broken {
            self.pass_over(next, sequence - 1, *at, report);
        }
        if record.kind.is_signed() {
            self.check_signature(step, expected, report);
        }
        tell(record, *at, report.wrong() > found, report);
        (self.last, self.digest, self.kind) = (sequence, digest, record.kind);
        self.place = (at.0.to_owned(), at.1);
    }

    /// The record does not name the line before it.
    fn not_the_one(&self, step: &Step<'_>, report: &mut Report) {
        let (file, line) = (&self.place.0, self.place.1);
        if step.is_first && file != step.at.0 {
            let what = format!(
                "it does not begin where {} ended: one of both is not the file that was written",
                file.display()
            );
            report.find(Fault::SwappedFile, (step.at.0, step.at.1), what);
        } else if step.broken == 0 {
            let what = format!(
                "record {} is not the one that record {} names: it was changed",
                self.last,
                self.last + 1
            );
            report.find(Fault::Changed, (file, line), what);
        }
    }

    fn out_of_order(&mut self, sequence: u64, at: (&Path, u64), report: &mut Report) {
        let found = self.missing.iter().position(|one| (one.from..=one.to).contains(&sequence));
        let Some(found) = found else {
            let what = format!("record {sequence} is there a second time, or was put in");
            return report.find(Fault::Inserted, at, what);
        };
        let one = self.missing.swap_remove(found);
        for (from, to) in [(one.from, sequence - 1), (sequence + 1, one.to)] {
            if from <= to {
                let (before, place) = (one.before.clone(), one.place.clone());
                self.missing.push(Missing { from, to, before, place });
            }
        }
        let what = format!("record {sequence} stands behind record {}", self.last);
        report.find(Fault::Reordered, at, what);
    }

    fn pass_over(&mut self, from: u64, to: u64, at: (&Path, u64), report: &mut Report) {
        let (before, place) = (self.place.clone(), (at.0.to_owned(), at.1));
        let missing = Missing { from, to, before, place };
        if self.missing.len() < MOST_MISSING {
            self.missing.push(missing);
        } else {
            missing.tell(report);
        }
    }

    fn check_signature(&mut self, step: &Step<'_>, expected: &Expected, report: &mut Report) {
        let Step { record, at, .. } = step;
        let key = record.public_key.as_deref().and_then(PublicKey::parse);
        let known = |key: &PublicKey| expected.keys.is_empty() || expected.keys.contains(key);
        let Some(key) = key.filter(known) else {
            self.is_refused = true;
            let what = "it is signed with a key that is not among those given".to_owned();
            return report.find(Fault::Signature, *at, what);
        };
        let signature = record.signature.as_deref().unwrap_or_default();
        let holds = signed_part(step.line).is_some_and(|part| key.verifies(part, signature));
        if !holds {
            self.is_refused = true;
            let what = format!(
                "the signature does not hold: it, or a record since {}, was changed",
                self.signed.max(self.first)
            );
            return report.find(Fault::Signature, *at, what);
        }
        if !self.keys.contains(&key) {
            if !self.keys.is_empty() {
                report.note(*at, format!("signed with another key from here on: {key}"));
            }
            self.keys.push(key);
        }
        self.signed = record.sequence.unwrap_or_default();
    }

    /// A checkpoint that was kept elsewhere.
    fn check_kept(
        &self,
        sequence: u64,
        digest: [u8; 32],
        at: (&Path, u64),
        expected: &Expected,
        report: &mut Report,
    ) {
        let is_this = |kept: &&Checkpoint| kept.0.sequence == sequence;
        for kept in self.kept(expected).filter(is_this) {
            if kept.0.digest != digest {
                let what = format!("record {sequence} is not the one that was kept elsewhere");
                report.find(Fault::Changed, at, what);
            }
        }
    }

    fn kept<'e>(&'e self, expected: &'e Expected) -> impl Iterator<Item = &'e Checkpoint> {
        expected.ends().filter(|kept| kept.0.id == self.id)
    }

    /// Whether the chain reaches a place that it had come to.
    fn check_end(&self, kept: &Checkpoint, expected: &Expected, report: &mut Report) {
        let (at, sequence) = ((&*self.place.0, self.place.1), kept.0.sequence);
        let Self { first, last, .. } = self;
        if sequence > *last {
            let what = format!(
                "the chain ends with record {last}, and had come to {sequence}: {} are cut off",
                sequence - last
            );
            return report.find(Fault::Truncated, at, what);
        }
        if sequence >= *first {
            return;
        }
        if sequence + 1 == *first && self.seam != Some(kept.0.digest) {
            let what = format!(
                "record {first} does not go on behind record {sequence} as it was kept elsewhere"
            );
            report.find(Fault::Changed, at, what);
        }
        if expected.head() == Some(kept) {
            // What was noted last is newer than anything that may be gone by its age.
            let what = format!(
                "the chain begins with record {first}, and the state folder noted that it had come to \
                 {sequence}: all up to there is gone"
            );
            report.find(Fault::Truncated, at, what);
        } else {
            report.note(at, format!("record {sequence}, which was kept elsewhere, is not here"));
        }
    }

    /// Says what came of it.
    pub(super) fn end(&self, expected: &Expected, report: &mut Report) -> Seen {
        for missing in &self.missing {
            missing.tell(report);
        }
        let at = (&*self.place.0, self.place.1);
        for kept in self.kept(expected) {
            self.check_end(kept, expected, report);
        }
        if self.signed == 0 && !self.is_refused {
            let what = "no record of this chain is signed: nothing shows who wrote it".to_owned();
            report.find(Fault::Signature, at, what);
        }
        let is_closed = self.kind == Kind::Closed;
        if self.last > self.signed {
            let count = self.last - self.signed;
            let what = if count == 1 {
                "the last record is behind the last signature".to_owned()
            } else {
                format!("the last {count} records are behind the last signature")
            };
            report.note(at, what);
        }
        if !is_closed {
            let what = "the last record is not that of an end: the process goes on, was killed, or what \
                        followed is cut off";
            report.note(at, what.to_owned());
        }
        let chain = Chain { id: self.id.clone(), sequence: self.last, digest: self.digest };
        Seen {
            chain: self.id.clone(),
            first: self.first,
            last: self.last,
            signed: self.signed,
            checkpoint: Some(Checkpoint(chain).to_string()),
            is_closed,
            keys: self.keys.iter().map(PublicKey::to_string).collect(),
            is_pinned: !expected.keys.is_empty(),
        }
    }
}

impl Missing {
    fn tell(&self, report: &mut Report) {
        let Self { from, to, before, place } = self;
        let which = if from == to {
            format!("record {from} is missing")
        } else {
            format!("records {from} to {to} are missing")
        };
        let what = if before.0 == place.0 {
            which
        } else {
            format!(
                "{which}, behind {}: a file is missing, was cut, or another was put in its place",
                before.0.display()
            )
        };
        report.find(Fault::Removed, (&place.0, place.1), what);
    }
}

/// What the chain says of itself. What was found at this record already is not told once more.
fn tell(record: &Record<'_>, at: (&Path, u64), is_known: bool, report: &mut Report) {
    let number = record.number.unwrap_or_default();
    let how = record.outcome.as_deref().unwrap_or_default();
    match (record.kind, how) {
        (Kind::Gap, _) => {
            report.note(at, format!("{number} records were lost here: no room for them"));
        }
        (Kind::Resumed, RECORDS_MISSING) if !is_known => {
            let what = "the gateway found at its start that records were gone which it had written";
            report.find(Fault::Removed, at, what.to_owned());
        }
        (Kind::Resumed, FOREIGN) => {
            let what = "the gateway found that somebody else had written into its file before this";
            report.find(Fault::Inserted, at, what.to_owned());
        }
        (Kind::Resumed, _) => {
            let torn = if number > 0 {
                format!(", {number} bytes of a half line were set aside")
            } else {
                String::new()
            };
            report.note(at, format!("the process before did not come to its end ({how}){torn}"));
        }
        _ => {}
    }
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    let digest: [u8; 32] = crate::base::encoding::from_base64url(text)?.try_into().ok()?;
    // One digest has one spelling.
    (base64url(&digest) == text).then_some(digest)
}

/// How many stretches that are missing are waited for.
const MOST_MISSING: usize = 1000;
