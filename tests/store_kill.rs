//! A process that keeps records in a file is killed (SIGKILL) at 200 random points, most of them
//! while it writes. After each the file opens, what was answered is in it, and what was taken is
//! not.
//!
//! The process is this test binary again ([`child`]). It says what it begins in small letters and
//! what was answered in capitals; a line in a pipe outlives who wrote it. All kills hit the same
//! file.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says no by a panic"
)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use brama::base::clock::{Clock, SystemClock, Time, later};
use brama::base::random;
use brama::store::file::{File, Options};
use brama::store::{Digest, Key, Kind, Record, RecordStore, Touch};
use bytes::Bytes;
use tokio::task::JoinSet;

const KILLS: usize = 200;
const PATH: &str = "BRAMA_STORE_KILL_PATH";

/// How long after its answer a touch may still be lost.
const LOSS: u128 = 100;

fn open(path: &Path) -> File {
    let options =
        Options { maximum: 100_000, maximum_bytes: 256 << 20, lock_wait: Duration::from_secs(10) };
    File::open(path, options).unwrap()
}

fn key(digest: Digest) -> Key {
    Key { kind: Kind::Session, digest }
}

/// A record as large as a session, with a number in it.
fn record(number: u64) -> Record {
    let mut sealed = vec![0x5a; 540];
    sealed[..8].copy_from_slice(&number.to_be_bytes());
    Record {
        sealed: sealed.into(),
        label: Bytes::from_static(b"{\"level\":\"substantial\"}"),
        owner: Some([7; 32]),
        alive: 0,
        expires: later(SystemClock.now(), Duration::from_secs(3600)),
    }
}

fn number_in(record: &Record) -> u64 {
    u64::from_be_bytes(record.sealed[..8].try_into().unwrap())
}

/// A touch whose sign of life is a number.
fn touch(key: Key, alive: i64) -> Touch {
    Touch { key, alive, expires: Time::UNIX_EPOCH }
}

/// The process that is killed. Does nothing unless it is told where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by the other one"]
async fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let file: &'static File = Box::leak(Box::new(open(Path::new(&path))));
    let begin = Instant::now();
    let workers: Vec<_> = (0..8).map(|_| tokio::spawn(work(file, begin))).collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn work(file: &File, begin: Instant) {
    let say = |what: &str, key: Key, number: u64| {
        let digest: String = key.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{what} {digest} {number} {}", begin.elapsed().as_millis());
    };
    loop {
        let (stays, goes) = (key(random::bytes()), key(random::bytes()));
        say("p", stays, 1);
        file.put(stays, record(1)).await.unwrap();
        say("P", stays, 1);
        say("p", goes, 1);
        let now = SystemClock.now();
        assert!(file.put_new(goes, record(1), now).await.unwrap());
        say("P", goes, 1);
        file.touch(vec![touch(stays, 5)]).await.unwrap();
        say("A", stays, 5);
        say("s", stays, 2);
        assert!(file.swap(stays, record(1).sealed, record(2), now).await.unwrap());
        say("S", stays, 2);
        say("t", goes, 0);
        assert!(file.take(goes, now).await.unwrap().is_some());
        say("T", goes, 0);
        file.touch(vec![touch(stays, 9)]).await.unwrap();
        say("A", stays, 9);
    }
}

/// What is known of a record.
#[derive(Default, Clone, PartialEq, Debug)]
struct Known {
    /// What it may be: a number in it, or nothing. Only the last is sure if it is the only one.
    may_be: Vec<Option<u64>>,
    alive: i64,
}

/// What is known of the file, and all that ever left it.
#[derive(Default)]
struct Model {
    known: HashMap<Digest, Known>,
    taken: HashSet<Digest>,
    answered: usize,
    /// Touches of which it was made sure.
    touched: usize,
}

impl Model {
    /// Learns from what the process said before it ended.
    fn learn(&mut self, said: &str) -> HashSet<Digest> {
        let lines: Vec<_> = said
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .filter_map(|line| parse(line.trim_end()))
            .collect();
        let end = lines.last().map_or(0, |line| line.3);
        let mut concerned = HashSet::new();
        for (what, digest, number, time) in lines {
            concerned.insert(digest);
            let known = self.known.entry(digest).or_insert(Known { may_be: vec![None], alive: 0 });
            match what {
                "p" | "s" => known.may_be.push(Some(number)),
                "t" => known.may_be.push(None),
                "P" | "S" => known.may_be = vec![Some(number)],
                "T" => {
                    known.may_be = vec![None];
                    self.taken.insert(digest);
                }
                // A swap puts a record without sign of life in the place of the one that was
                // touched, so only the last touch counts.
                "A" if number == 9 && time + LOSS < end => known.alive = 9,
                _ => {}
            }
            self.answered += usize::from(what.chars().all(char::is_uppercase));
        }
        concerned
    }

    /// Makes sure that the file is as it should be, as far as these records are concerned.
    async fn check(&mut self, file: &File, digests: impl IntoIterator<Item = Digest>) {
        let now = SystemClock.now();
        for digest in digests {
            let found = file.get(key(digest), now).await.unwrap();
            let Some(known) = self.known.get_mut(&digest) else { continue };
            let number = found.as_ref().map(number_in);
            assert!(known.may_be.contains(&number), "{number:?} instead of {known:?}");
            if let Some(found) = &found {
                self.touched += usize::from(known.alive > 0);
                assert!(found.alive >= known.alive, "a touch was lost: {known:?}");
                assert_eq!(found.sealed, record(number.unwrap()).sealed, "it is torn");
            }
            // From now on it stays what it is.
            known.may_be = vec![number];
            if number.is_none() {
                self.taken.insert(digest);
                self.known.remove(&digest);
            }
        }
    }

    /// Makes sure of everything that is in the file, by each of its indexes.
    async fn check_all(&mut self, file: &File) {
        let all: Vec<_> = self.known.keys().copied().collect();
        self.check(file, all).await;
        let now = SystemClock.now();
        let (mut listed, mut next) = (HashSet::new(), None);
        loop {
            let page = file.list(Kind::Session, next, 500, now).await.unwrap();
            listed.extend(page.records.into_iter().map(|(digest, _)| digest));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let known: HashSet<_> = self.known.keys().copied().collect();
        assert_eq!(listed, known, "what is in the file");
        assert!(listed.is_disjoint(&self.taken), "what was taken came back");
        let owned = file.owned(Kind::Session, [7; 32], usize::MAX, now).await.unwrap();
        let owned: HashSet<_> = owned.into_iter().map(|(digest, _)| digest).collect();
        assert_eq!(owned, known, "what belongs to the owner");
    }

    /// Takes records away, so that not more is in the file than can be looked at quickly.
    async fn forget_some(&mut self, file: Arc<File>) {
        let mut takers = JoinSet::new();
        for digest in self.known.keys().copied().skip(200).collect::<Vec<_>>() {
            let file = Arc::clone(&file);
            takers.spawn(async move { file.take(key(digest), SystemClock.now()).await });
            self.known.remove(&digest);
            self.taken.insert(digest);
        }
        for taken in takers.join_all().await {
            assert!(taken.unwrap().is_some());
        }
    }
}

fn parse(line: &str) -> Option<(&str, Digest, u64, u128)> {
    let parts: Vec<_> = line.split(' ').collect();
    let [what, digest, number, time] = parts[..] else { return None };
    let digest = (0..32)
        .map(|at| u8::from_str_radix(digest.get(2 * at..2 * at + 2)?, 16).ok())
        .collect::<Option<Vec<_>>>()?;
    Some((what, digest.try_into().ok()?, number.parse().ok()?, time.parse().ok()?))
}

/// A random duration in milliseconds.
fn between(from: u64, to: u64) -> Duration {
    Duration::from_millis(from + u64::from_be_bytes(random::bytes()) % (to - from))
}

/// Starts the process, kills it, and returns what it said.
fn killed(path: &Path, round: usize) -> String {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = process.stdout.take().unwrap();
    let (writes, begun) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let (mut said, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let length = output.read(&mut part).unwrap();
            if length == 0 {
                return String::from_utf8(said).unwrap();
            }
            said.extend_from_slice(&part[..length]);
            if part[..length].contains(&b'P') {
                // Nobody may wait for it any more.
                let _ = writes.send(());
            }
        }
    });
    match round % 10 {
        // While it opens the file, which may be while it makes or repairs it.
        0 | 5 => std::thread::sleep(between(1, 40)),
        // Long enough for touches to have to be there.
        9 => {
            begun.recv_timeout(Duration::from_secs(20)).unwrap();
            std::thread::sleep(between(120, 200));
        }
        _ => {
            begun.recv_timeout(Duration::from_secs(20)).unwrap();
            std::thread::sleep(between(5, 60));
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test]
async fn what_was_answered_survives_200_kills_and_what_was_taken_stays_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let mut model = Model::default();
    for round in 0..KILLS {
        let said = killed(&path, round);
        let concerned = model.learn(&said);
        let file = Arc::new(open(&path));
        model.check(&file, concerned).await;
        // What was begun with nobody knowing is known now.
        if round % 10 == 9 || round + 1 == KILLS {
            model.check_all(&file).await;
            model.forget_some(file).await;
        }
    }
    assert!(model.answered > 10 * KILLS, "only {} were answered", model.answered);
    assert!(model.touched > KILLS / 10, "only {} touches", model.touched);
    assert!(fs::metadata(&path).unwrap().len() <= 64 << 20);
    eprintln!("{} answers, {} touches", model.answered, model.touched);
}
