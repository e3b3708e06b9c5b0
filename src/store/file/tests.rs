//! The store in a file: its contract, and what only a file can get wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process;

use futures_util::FutureExt as _;
use redb::TableDefinition;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::super::{contract, sealed};
use std::path::PathBuf;

use super::*;
use crate::base::clock::earlier;
use crate::base::random;

const OPTIONS: Options =
    Options { maximum: 10_000, maximum_bytes: 256 << 20, lock_wait: Duration::ZERO };

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    (folder, path)
}

fn open(path: &Path) -> File {
    File::open(path, OPTIONS).unwrap()
}

fn refusal(path: &Path) -> OpenError {
    File::open(path, OPTIONS).err().unwrap()
}

fn key(kind: Kind, number: u64) -> Key {
    let mut digest = [0x5a; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    Key { kind, digest }
}

fn large(length: usize, now: Time) -> Record {
    let mut sealed: Vec<u8> = random::bytes::<32>().to_vec();
    sealed.resize(length, 7);
    Record { sealed: sealed.into(), ..contract::record(b"", now, 600) }
}

fn count(file: &File, kind: Kind) -> u64 {
    queries::count(&file.shared.slot.read().unwrap(), kind).unwrap()
}

fn weight(file: &File) -> u64 {
    queries::total_weight(&file.shared.slot.read().unwrap()).unwrap()
}

/// Waits until something is so; it is not a matter of luck, only of how long.
async fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never was so");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn keeps_the_contract_of_stores() {
    let (_folder, path) = folder();
    contract::check(&open(&path)).await;
}

#[tokio::test]
async fn records_under_handles_keep_their_rules_in_a_file() {
    let (_folder, path) = folder();
    sealed::contract::check(Arc::new(open(&path))).await;
}

#[tokio::test]
async fn what_was_kept_is_there_after_the_file_was_opened_again() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let (stays, goes) = (key(Kind::Session, 1), key(Kind::Session, 2));
    let owner = Some([9; 32]);
    let file = open(&path);
    for key in [stays, goes] {
        let record = Record { owner, ..contract::record(b"x", now, 60) };
        file.put(key, record).await.unwrap();
    }
    file.take(goes, now).await.unwrap().unwrap();
    let later = contract::after(now, 90);
    let touch = Touch { key: stays, alive: later.as_millisecond(), expires: later };
    file.touch(vec![touch]).await.unwrap();
    drop(file);
    let file = open(&path);
    let found = file.owned(Kind::Session, [9; 32], 9, now).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, stays.digest);
    assert_eq!(found[0].1.expires, later, "a touch is written before the file is closed");
    assert!(file.get(goes, now).await.unwrap().is_none());
}

#[tokio::test]
async fn a_touch_is_written_without_anything_else() {
    let (_folder, path) = folder();
    let (now, key) = (contract::begin(), key(Kind::Session, 1));
    let file = open(&path);
    file.put(key, contract::record(b"x", now, 60)).await.unwrap();
    let later = contract::after(now, 90);
    file.touch(vec![Touch { key, alive: 0, expires: later }]).await.unwrap();
    until(|| file.shared.touches.is_empty()).await;
    let found = queries::get(&file.shared.slot.read().unwrap(), &Default::default(), key, now);
    assert_eq!(found.unwrap().unwrap().expires, later);
}

#[tokio::test]
async fn a_file_has_one_process_at_a_time() {
    let (_folder, path) = folder();
    let first = open(&path);
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("sessions.redb"));
    let waiting = {
        let path = path.clone();
        let options = Options { lock_wait: Duration::from_secs(20), ..OPTIONS };
        std::thread::spawn(move || File::open(&path, options).map(drop))
    };
    first.close();
    waiting.join().unwrap().unwrap();
    // A store that was succeeded says so, and nothing else.
    first.get(key(Kind::Session, 1), contract::begin()).await.unwrap_err();
    first.check().await.unwrap_err();
    for _ in 0..2 {
        let time = contract::begin();
        let touch = Touch { key: key(Kind::Session, 1), alive: 0, expires: time };
        first.touch(vec![touch]).await.unwrap_err();
    }
}

#[test]
fn a_file_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let (folder, path) = folder();
    drop(open(&path));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(refusal(&path), OpenError::OpenFile { .. }));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    assert!(matches!(refusal(&path), OpenError::OpenFolder { .. }));
    fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
    drop(open(&path));
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(refusal(&link), OpenError::NoFile { .. }));
    let inner = folder.path().join("folder");
    fs::create_dir(&inner).unwrap();
    assert!(matches!(refusal(&inner), OpenError::NoFile { .. }));
    let nowhere = folder.path().join("none").join("file");
    assert!(matches!(refusal(&nowhere), OpenError::Folder { .. }));
}

#[test]
fn a_file_of_something_else_is_refused_and_left_as_it_is() {
    let (_folder, path) = folder();
    let options = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    };
    options(b"a letter to somebody");
    options(&[b"SQLite format 3\0".to_vec(), vec![0; 100_000]].concat());
    options(&[vec![0; 100_000], b"x".to_vec()].concat());
}

#[test]
fn a_database_of_somebody_else_or_another_version_is_refused() {
    let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
    for (name, value) in [("something", 1), ("format", 2)] {
        let (_folder, path) = folder();
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(numbers).unwrap().insert(name, value).unwrap();
        transaction.commit().unwrap();
        drop(database);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        match refusal(&path) {
            OpenError::Foreign { .. } if name == "something" => {}
            OpenError::Version { found: 2, known: 1, .. } if name == "format" => {}
            other => panic!("{name}: {other}"),
        }
    }
}

#[tokio::test]
async fn a_file_of_a_program_that_knew_fewer_kinds_gets_the_others_and_keeps_what_it_has() {
    let (_folder, path) = folder();
    let (login, now) = (key(Kind::Login, 1), contract::begin());
    let file = open(&path);
    file.put(login, contract::record(b"x", now, 60)).await.unwrap();
    drop(file);
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    for kind in [Kind::HandoffRequest, Kind::LinkedSession] {
        let table = TableDefinition::<&Digest, &[u8]>::new(kind.name());
        assert!(transaction.delete_table(table).unwrap());
    }
    transaction.commit().unwrap();
    drop(database);
    let file = open(&path);
    assert!(file.get(key(Kind::HandoffRequest, 1), now).await.unwrap().is_none());
    assert!(file.get(login, now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_is_damaged_is_refused() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = open(&path);
    for number in 0..200 {
        file.put(key(Kind::Session, number), large(600, now)).await.unwrap();
    }
    drop(file);
    let whole = fs::read(&path).unwrap();
    // In the middle of a record, wherever it lies.
    let store = whole.windows(64).position(|window| window == [7; 64]).unwrap();
    let mut damaged = whole.clone();
    damaged[store] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Damaged { .. } | OpenError::Disk { .. }), "{error}");
    fs::write(&path, &whole).unwrap();
    assert!(open(&path).get(key(Kind::Session, 5), now).await.unwrap().is_some());
}

#[test]
fn a_file_whose_making_was_interrupted_is_made_anew() {
    let (_folder, path) = folder();
    let mut begun = vec![0; 1 << 20];
    begun[9..300].fill(1);
    fs::write(&path, begun).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    drop(open(&path));
}

#[tokio::test]
async fn of_too_many_records_the_oldest_makes_room() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = File::open(&path, Options { maximum: 2, ..OPTIONS }).unwrap();
    let mut events = file.watch();
    for number in 1..=3 {
        file.put(key(Kind::Login, number), contract::record(b"x", now, 60)).await.unwrap();
        file.put(key(Kind::Form, number), contract::record(b"x", now, 60)).await.unwrap();
    }
    // A record that is put again keeps its turn.
    file.put(key(Kind::Login, 2), contract::record(b"y", now, 60)).await.unwrap();
    file.put(key(Kind::Login, 4), contract::record(b"x", now, 60)).await.unwrap();
    for (number, is_there) in [(1, false), (2, false), (3, true), (4, true)] {
        let found = file.get(key(Kind::Login, number), now).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{number}");
    }
    assert_eq!(count(&file, Kind::Form), 2, "each kind has room of its own");
    // Copies of what made room are worthless; of the rest nothing is told.
    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    let gone = [(Kind::Login, 1), (Kind::Form, 1), (Kind::Login, 2)];
    assert_eq!(told, gone.map(|(kind, number)| Event::Gone(key(kind, number))));
}

#[tokio::test]
async fn what_must_not_be_used_twice_is_not_forgotten_for_something_else() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = File::open(&path, Options { maximum: 2, ..OPTIONS }).unwrap();
    let put = |number, seconds, time| {
        file.put_new(key(Kind::Used, number), contract::record(b"x", now, seconds), time)
    };
    assert!(put(1, 10, now).await.unwrap());
    assert!(put(2, 20, now).await.unwrap());
    assert_eq!(put(3, 20, now).await, Err(Unavailable("it is full".to_owned())));
    let later = contract::after(now, 10);
    assert!(put(3, 30, later).await.unwrap(), "the first is over");
    assert!(!put(2, 30, later).await.unwrap());
}

#[tokio::test]
async fn the_file_stays_within_its_bound_and_forms_make_room_first() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let maximum_bytes = 64 << 20;
    let file = File::open(&path, Options { maximum_bytes, ..OPTIONS }).unwrap();
    file.put(key(Kind::Session, 1), large(600, now)).await.unwrap();
    assert!(file.put_new(key(Kind::Used, 1), large(600, now), now).await.unwrap());
    for number in 0..40 {
        file.put(key(Kind::Form, number), large(1 << 20, now)).await.unwrap();
        assert!(fs::metadata(&path).unwrap().len() <= maximum_bytes);
    }
    assert!(file.get(key(Kind::Session, 1), now).await.unwrap().is_some());
    assert!(file.get(key(Kind::Form, 0), now).await.unwrap().is_none());
    assert!(file.get(key(Kind::Form, 39), now).await.unwrap().is_some());
    for number in 0..40 {
        let kept = file.put_new(key(Kind::Used, 100 + number), large(1 << 20, now), now).await;
        assert!(fs::metadata(&path).unwrap().len() <= maximum_bytes);
        if let Err(error) = kept {
            assert_eq!(error, Unavailable("it is full".to_owned()));
            assert_eq!(count(&file, Kind::Form), 0);
            assert!(number > 1);
        }
    }
    assert!(file.put_new(key(Kind::Used, 999), large(1 << 20, now), now).await.is_err());
    assert!(!file.put_new(key(Kind::Used, 1), large(600, now), now).await.unwrap());
    file.put(key(Kind::Form, 1), large(20 << 20, now)).await.unwrap_err();
}

#[tokio::test]
async fn what_strangers_can_begin_puts_no_session_and_no_form_out() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = File::open(&path, Options { maximum_bytes: 64 << 20, ..OPTIONS }).unwrap();
    file.put(key(Kind::Session, 0), large(600, now)).await.unwrap();
    file.put(key(Kind::Form, 0), large(600, now)).await.unwrap();
    // What a module that puts them keeps to is less than what makes room.
    let (each, records) = (Options::room_for_begun(64 << 20), 20_000 + 512);
    for number in 0..each / records {
        file.put(key(Kind::HandoffRequest, number), large(20_000, now)).await.unwrap();
    }
    assert_eq!(count(&file, Kind::HandoffRequest), each / records);
    let (small, all) = (each / (300 + 512), key(Kind::Code, 0));
    for number in 0..small {
        file.put(key(Kind::Code, number), large(300, now)).await.unwrap();
    }
    assert!(file.get(all, now).await.unwrap().is_some(), "{small} small ones");
    // Twice as much as the file could hold.
    for number in 0..4000 {
        let kind = if number % 2 == 0 { Kind::HandoffRequest } else { Kind::Login };
        file.put(key(kind, number), large(20_000, now)).await.unwrap();
    }
    assert!(file.get(key(Kind::Session, 0), now).await.unwrap().is_some());
    assert!(file.get(key(Kind::Form, 0), now).await.unwrap().is_some());
    assert!(file.get(key(Kind::Login, 3999), now).await.unwrap().is_some(), "the newest are there");
    assert!(
        file.get(key(Kind::Login, 1), now).await.unwrap().is_none(),
        "the oldest went for them"
    );
    assert!(file.put_new(key(Kind::Used, 1), large(600, now), now).await.unwrap());
}

#[tokio::test]
async fn a_file_that_is_full_goes_on_with_forms_of_every_size() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = File::open(&path, Options { maximum_bytes: 64 << 20, ..OPTIONS }).unwrap();
    let mut refused = 0;
    for number in 0..100 {
        let length = 1 + u32::from_be_bytes(random::bytes()) as usize % (3 << 20);
        let kept = file.put(key(Kind::Form, number), large(length, now)).await;
        refused += usize::from(kept.is_err());
        assert!(fs::metadata(&path).unwrap().len() <= 64 << 20);
    }
    // How it lies in the file is not known beforehand: it may have to learn how much it can hold.
    assert!(refused <= 8, "{refused} were refused");
    assert!(file.get(key(Kind::Form, 99), now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_cannot_grow_keeps_less_from_then_on() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = File::open(&path, Options { maximum_bytes: 64 << 20, ..OPTIONS }).unwrap();
    let form = |number| file.put(key(Kind::Form, number), large(300_000, now));
    for number in 0..80 {
        form(number).await.unwrap();
    }
    let before = weight(&file);
    file.shared.slot.disk().pretend_bounded();
    file.shared.slot.disk().pretend_full(true);
    form(80).await.unwrap_err();
    file.shared.slot.disk().pretend_full(false);
    let deadline = Instant::now() + Duration::from_secs(20);
    while form(81).await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = weight(&file);
    assert!(after < before / 16 * 15, "{before} {after}");
    assert!(after > before / 4 * 3, "{before} {after}");
}

#[tokio::test]
async fn everything_that_is_taken_away_weighs_nothing() {
    let (_folder, path) = folder();
    let now = contract::begin();
    let file = open(&path);
    for number in 0..50 {
        let record = Record { owner: Some([1; 32]), ..large(600, now) };
        file.put(key(Kind::Session, number), record.clone()).await.unwrap();
        file.put(key(Kind::Session, number), large(9000, now)).await.unwrap();
        file.put(key(Kind::Session, number), record).await.unwrap();
    }
    assert!(weight(&file) > 50 * 600);
    for number in 0..50 {
        file.take(key(Kind::Session, number), now).await.unwrap().unwrap();
    }
    assert_eq!((weight(&file), count(&file, Kind::Session)), (0, 0));
    assert!(file.owned(Kind::Session, [1; 32], 9, now).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_has_expired_is_removed_in_the_background() {
    let (_folder, path) = folder();
    let (file, now) = (Arc::new(open(&path)), contract::begin());
    let earlier = earlier(now, Duration::from_secs(3600));
    let mut puts = JoinSet::new();
    for number in 0..600 {
        let file = Arc::clone(&file);
        let record = contract::record(b"x", earlier, 60);
        puts.spawn(async move { file.put(key(Kind::Login, number), record).await.unwrap() });
    }
    puts.join_all().await;
    file.put(key(Kind::Session, 1), contract::record(b"x", earlier, 60)).await.unwrap();
    file.put(key(Kind::Session, 2), contract::record(b"x", earlier, 60)).await.unwrap();
    // A touch: what would be over is not.
    let touch = Touch { key: key(Kind::Session, 2), alive: 0, expires: contract::after(now, 60) };
    file.touch(vec![touch]).await.unwrap();
    // By the clock of the caller nothing is over yet.
    assert!(file.get(key(Kind::Session, 1), earlier).await.unwrap().is_some());
    assert_eq!(count(&file, Kind::Session), 2);
    file.get(key(Kind::Session, 1), now).await.unwrap();
    until(|| count(&file, Kind::Login) == 0 && count(&file, Kind::Session) == 1).await;
    assert!(file.get(key(Kind::Session, 2), now).await.unwrap().is_some());
    file.take(key(Kind::Session, 2), now).await.unwrap().unwrap();
    assert_eq!(weight(&file), 0);
}

#[tokio::test]
async fn a_file_that_is_mostly_free_becomes_smaller() {
    let (_folder, path) = folder();
    let (file, now) = (open(&path), contract::begin());
    for number in 0..40 {
        file.put(key(Kind::Form, number), large(1 << 20, now)).await.unwrap();
    }
    file.put(key(Kind::Session, 1), large(600, now)).await.unwrap();
    for number in 0..40 {
        file.take(key(Kind::Form, number), now).await.unwrap().unwrap();
    }
    let before = fs::metadata(&path).unwrap().len();
    drop(file);
    let file = open(&path);
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before.min(16 << 20), "{before} {after}");
    assert!(file.get(key(Kind::Session, 1), now).await.unwrap().is_some());
    assert_eq!(file.shared.slot.disk().length(), after);
}

#[tokio::test]
async fn a_disk_that_is_full_is_said_and_the_store_recovers() {
    let (_folder, path) = folder();
    let (file, now) = (open(&path), contract::begin());
    file.put(key(Kind::Session, 1), large(600, now)).await.unwrap();
    file.shared.slot.disk().pretend_full(true);
    let begin = Instant::now();
    file.put(key(Kind::Session, 2), large(600, now)).await.unwrap_err();
    file.take(key(Kind::Session, 1), now).await.unwrap_err();
    file.check().await.unwrap_err();
    assert!(begin.elapsed() < PATIENCE);
    let touch = Touch { key: key(Kind::Session, 1), alive: 0, expires: contract::after(now, 900) };
    file.touch(vec![touch]).await.unwrap();
    file.shared.slot.disk().pretend_full(false);
    let deadline = Instant::now() + Duration::from_secs(20);
    while file.check().await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(file.get(key(Kind::Session, 2), now).await.unwrap().is_none(), "it was refused");
    let found = file.get(key(Kind::Session, 1), now).await.unwrap().unwrap();
    assert_eq!(found.expires, contract::after(now, 900), "a touch was not lost");
    file.put(key(Kind::Session, 2), large(600, now)).await.unwrap();
    drop(file);
    assert!(open(&path).get(key(Kind::Session, 2), now).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_is_said_within_a_bounded_time() {
    let (_folder, path) = folder();
    let (file, now) = (open(&path), contract::begin());
    // Only one transaction writes at a time, so the thread hangs on this one.
    let other = file.shared.slot.write().unwrap();
    let begin = tokio::time::Instant::now();
    let mut first = file.put(key(Kind::Session, 1), large(600, now));
    // It is the first change that hangs: the thread lives in real time, so it is given some before
    // the clock goes on, until it has taken the touch that goes with the change.
    let touch = Touch { key: key(Kind::Session, 9), alive: 0, expires: now };
    file.shared.touches.add(vec![touch]);
    assert!((&mut first).now_or_never().is_none());
    let deadline = Instant::now() + PATIENCE;
    while !file.shared.touches.are_being_written() {
        assert!(Instant::now() < deadline, "the thread does not begin");
        std::thread::yield_now();
    }
    let error = first.await.unwrap_err();
    assert_eq!(error, Unavailable("the disk takes too long".to_owned()));
    assert_eq!(begin.elapsed(), PATIENCE);
    assert_eq!(file.get(key(Kind::Session, 1), now).await, Ok(None), "reading goes on");
    let late = file.put(key(Kind::Session, 2), large(600, now)).await;
    late.unwrap_err();
    other.abort().unwrap();
    tokio::time::resume();
    file.check().await.unwrap();
    let found = file.get(key(Kind::Session, 2), now).await.unwrap();
    assert_eq!(found, None, "what was answered with an error did not happen later");
}

/// A file system of a few megabytes, where the machine lets a test have one.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let done = process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"])
            .arg(folder.path())
            .output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Without it the folder cannot be removed; there is none to tell.
        let _ = process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_real_disk_that_is_full_leaves_what_is_in_the_file_readable() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not tested: no file system may be mounted here");
        return;
    };
    let (path, filler) = (disk.0.path().join("sessions.redb"), disk.0.path().join("filler"));
    let (file, now) = (open(&path), contract::begin());
    file.put(key(Kind::Session, 1), large(600, now)).await.unwrap();
    fs::write(&filler, vec![1; 16 << 20]).unwrap();
    let mut refused = None;
    for number in 0..20 {
        let kept = file.put(key(Kind::Form, number), large(1 << 20, now)).await;
        if let Err(Unavailable(reason)) = kept {
            refused = Some((number, reason));
            break;
        }
    }
    let (number, reason) = refused.unwrap();
    assert!(reason.contains("No space left"), "{reason}");
    assert!(number > 0);
    assert!(file.get(key(Kind::Session, 1), now).await.unwrap().is_some());
    assert!(file.get(key(Kind::Form, 0), now).await.unwrap().is_some());
    fs::remove_file(&filler).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while file.put(key(Kind::Form, number), large(1 << 20, now)).await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(file);
    let file = open(&path);
    for number in 0..=number {
        assert!(file.get(key(Kind::Form, number), now).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_callers_gets_what_is_taken() {
    let (_folder, path) = folder();
    let (file, now) = (Arc::new(open(&path)), contract::begin());
    for number in 0..20 {
        file.put(key(Kind::Code, number), contract::record(b"x", now, 60)).await.unwrap();
        let takers: Vec<_> = (0..16)
            .map(|_| {
                let file = Arc::clone(&file);
                tokio::spawn(async move { file.take(key(Kind::Code, number), now).await.unwrap() })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            taken += usize::from(taker.await.unwrap().is_some());
        }
        assert_eq!(taken, 1);
    }
}

#[tokio::test]
async fn whoever_stopped_waiting_is_passed_over() {
    let (_folder, path) = folder();
    let (file, now) = (open(&path), contract::begin());
    // Asked for and given up before the thread that writes has seen it.
    let (answer, _) = oneshot::channel();
    let permit = Arc::clone(&file.room).acquire_owned().await.unwrap();
    let record = contract::record(b"x", now, 60);
    let command = Command::Put { key: key(Kind::Session, 1), record };
    let change = Change { command, answer, _permit: permit };
    file.queue.send(Message::Change(Box::new(change))).unwrap();
    file.check().await.unwrap();
    assert!(file.get(key(Kind::Session, 1), now).await.unwrap().is_none());
}
