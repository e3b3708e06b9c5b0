use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::chain::Chain;
use super::*;
use crate::base::clock::Clock;
use crate::base::encoding::{base64url, sha256};

#[test]
fn what_is_told_is_written_in_order_and_signed_at_the_end() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..25);
    let status = log.status();
    assert!(status.is_well && status.lost == 0 && status.synced > 0, "{status:?}");
    assert!(status.written >= 26, "{status:?}");
    drop(log);
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    let seen = &report.chains[0];
    assert!(seen.is_closed && seen.signed == seen.last, "{seen:?}");
    assert_eq!(seen.checkpoint, Some(world.kept().to_string()));
    let lines = world.lines();
    assert!(lines[0].contains("\"kind\":\"opened\"") && lines[0].contains("\"public_key\""));
    let told: Vec<_> = lines.iter().filter(|line| line.contains("signed_in")).collect();
    assert_eq!(told.len(), 25);
    for (number, line) in told.iter().enumerate() {
        assert!(line.contains(&format!("\"session-{number}\"")), "{line}");
        assert!(line.contains("\"client\":\"192.0.2.0\"") && !line.contains(PESEL), "{line}");
        assert!(line.contains("\"instance\":\"gate-1\""), "{line}");
    }
    assert!(lines.iter().filter(|line| line.contains("\"checkpoint\"")).count() >= 1);
    let mode = fs::metadata(world.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_chain_goes_on_over_restarts_sizes_days_and_files_that_are_moved_away() {
    let world = World::new();
    let small = || {
        let mut settings = world.settings();
        let Target::File(file) = &mut settings.target else { unreachable!() };
        file.maximum = 4000;
        settings
    };
    for round in 0..3 {
        let log = world.start_with(small());
        for number in 0..4 {
            world.sign_in(&log, number * 5..number * 5 + 5);
        }
        // As logrotate does.
        fs::rename(world.path(), world.folder.path().join(format!("log/audit.log.{round}")))
            .unwrap();
        log.reopen();
        world.sign_in(&log, 0..5);
        drop(log);
        world.clock.advance(Duration::from_secs(24 * 3600));
    }
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.chains.len(), 1);
    assert!(report.files.len() >= 9, "{:?}", report.files);
    for path in &report.files[..report.files.len() - 1] {
        let last = lines(path).pop().unwrap();
        assert!(last.contains("\"kind\":\"rotated\""), "{last}");
    }
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

#[test]
fn a_half_line_is_set_aside_and_the_chain_goes_on() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    let whole = fs::read(world.path()).unwrap();
    drop(log);
    fs::remove_file(world.head()).unwrap();
    for torn in [&b"{\"version\":1,\"chain\""[..], &[0; 200_000]] {
        let before = [&whole[..], torn].concat();
        fs::write(world.path(), before).unwrap();
        let _ = fs::remove_file(world.folder.path().join("log/audit.log.torn"));
        let _ = fs::remove_file(world.head());
        let log = world.start();
        world.sign_in(&log, 3..6);
        drop(log);
        let report = world.verify();
        assert!(report.is_whole(), "{:?}", report.findings);
        let said: Vec<_> = report.notes.iter().map(|note| &*note.what).collect();
        // The half line is no record, and is not passed over in silence.
        assert!(said[0].contains("not looked at") && said.len() == 2, "{said:?}");
        let said = said[1];
        assert!(said.contains("did not come to its end (not_closed)"), "{said}");
        assert!(said.contains(&format!("{} bytes of a half line", torn.len())), "{said}");
        let aside = fs::read(world.folder.path().join("log/audit.log.torn")).unwrap();
        assert_eq!(aside, [torn, b"\n"].concat());
    }
}

#[test]
fn a_file_that_does_not_end_with_a_record_is_left_as_it_is_under_another_name() {
    let world = World::new();
    fs::write(world.path(), "what somebody else keeps here\n").unwrap();
    let log = world.start();
    world.sign_in(&log, 0..3);
    drop(log);
    let aside = world.files().into_iter().find(|path| path.to_string_lossy().contains(".aside-"));
    assert_eq!(fs::read_to_string(aside.unwrap()).unwrap(), "what somebody else keeps here\n");
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
}

#[test]
fn two_processes_write_one_chain() {
    let world = World::new();
    let first = world.start();
    world.sign_in(&first, 0..5);
    let clock: SharedClock = world.clock.clone();
    let second = AuditLog::start(world.settings(), world.keys(), clock, true).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..20).for_each(|n| world.sign_in(&first, n * 5..n * 5 + 5)));
        scope.spawn(|| (0..20).for_each(|n| world.sign_in(&second, n * 5..n * 5 + 5)));
    });
    drop(first);
    world.sign_in(&second, 0..5);
    drop(second);
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.chains.len(), 1);
    assert!(report.records > 210);
}

#[test]
fn no_link_is_followed_and_a_folder_that_is_not_there_is_told_at_the_start() {
    let world = World::new();
    let elsewhere = world.folder.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, world.path()).unwrap();
    let start = |settings| {
        let clock: SharedClock = world.clock.clone();
        AuditLog::start(settings, world.keys(), clock, false).err().map(|error| error.to_string())
    };
    assert!(start(world.settings()).unwrap().contains("it is a link"));
    let mut settings = world.settings();
    let Target::File(file) = &mut settings.target else { unreachable!() };
    file.path = world.folder.path().join("no/such/audit.log");
    assert!(start(settings).is_some());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "");
}

#[test]
fn what_is_tampered_with_while_it_is_written_shows() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..12);
    let mut lines = world.lines();
    lines.pop();
    write_lines(&world.path(), &lines);
    world.sign_in(&log, 12..24);
    drop(log);
    assert_eq!(world.faults(), [Fault::Removed]);
}

/// Appends to the log what somebody makes up who can write to it: a record that follows on the last.
fn append_forged(world: &World, sequence: Option<u64>) {
    let last = world.lines().pop().unwrap();
    let (mut chain, _) = Chain::after(last.as_bytes()).unwrap();
    chain.sequence = sequence.map_or(chain.sequence, |sequence| sequence - 1);
    let mut lines = Vec::new();
    let mut record = Record::new(Kind::SignedIn, world.clock.now());
    record.sid = text("forged");
    chain.append(&mut lines, &record.to_json()).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(world.path()).unwrap();
    file.write_all(&lines).unwrap();
}

/// Returns what was said of records that are not ours.
fn foreign(world: &World) -> Vec<String> {
    world.lines().into_iter().filter(|line| line.contains("\"outcome\":\"foreign\"")).collect()
}

#[test]
fn what_somebody_else_appends_is_not_signed_and_is_said_in_the_chain() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    append_forged(&world, None);
    world.sign_in(&log, 3..6);
    drop(log);
    let said = foreign(&world);
    assert!(said.len() == 1 && said[0].contains("\"kind\":\"resumed\""), "{said:?}");
    assert!(!world.verify().is_whole());
    // All but the forged one is still one chain.
    let lines = world.lines();
    let ours: Vec<_> = lines.into_iter().filter(|line| !line.contains("\"forged\"")).collect();
    let mut previous = [0; 32];
    for line in ours {
        let record = Record::parse(line.as_bytes()).unwrap();
        assert_eq!(record.previous.as_deref(), Some(&*base64url(&previous)), "{line}");
        previous = sha256(line.as_bytes());
    }
}

#[test]
fn what_is_appended_while_nothing_runs_is_not_signed() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    drop(log);
    append_forged(&world, None);
    let log = world.start();
    world.sign_in(&log, 3..6);
    drop(log);
    assert_eq!(foreign(&world).len(), 1);
    assert!(!world.verify().is_whole());
}

#[test]
fn a_number_that_leaves_no_other_stops_nothing() {
    for is_running in [true, false] {
        let world = World::new();
        let mut log = Some(world.start());
        world.sign_in(log.as_ref().unwrap(), 0..3);
        if !is_running {
            log = None;
            fs::remove_file(world.head()).unwrap();
        }
        append_forged(&world, Some(u64::MAX));
        let log = log.unwrap_or_else(|| world.start());
        world.sign_in(&log, 3..6);
        assert!(log.takes_logins() && log.status().is_well);
        let lines = world.lines();
        assert!(lines.iter().any(|line| line.contains("\"session-5\"")), "{lines:?}");
    }
}

/// A clock that the thread of the log cannot read any more.
struct Broken(ManualClock, AtomicBool);

impl Clock for Broken {
    fn now(&self) -> Time {
        let is_writer = std::thread::current().name() == Some("audit-log");
        assert!(!is_writer || !self.1.load(Ordering::Relaxed), "as the test wants it");
        self.0.now()
    }
}

#[test]
fn no_login_begins_when_the_thread_that_writes_has_ended() {
    for required in [true, false] {
        let world = World::new();
        let clock = Arc::new(Broken(ManualClock::at(world.clock.now()), AtomicBool::new(false)));
        let settings = Settings { required, ..world.settings() };
        let log = AuditLog::start(settings, world.keys(), clock.clone(), false).unwrap();
        world.sign_in(&log, 0..3);
        assert!(log.takes_logins() && log.status().is_well);
        clock.1.store(true, Ordering::Relaxed);
        world.sign_in(&log, 3..6);
        assert_eq!(log.takes_logins(), !required);
        assert!(!log.status().is_well);
    }
}

#[test]
fn who_may_read_the_log_cannot_stop_it() {
    let world = World::new();
    let log = world.start();
    let reader = fs::File::open(world.path()).unwrap();
    reader.lock().unwrap();
    world.sign_in(&log, 0..3);
    assert_eq!((log.status().failures, log.status().is_well), (0, true));
    assert!(world.lines().iter().any(|line| line.contains("\"session-2\"")));
    let lock = world.folder.path().join("audit-head.lock");
    assert_eq!(fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o600);
    // Another process of the gateway has its turn.
    let other = fs::File::open(&lock).unwrap();
    other.lock().unwrap();
    log.record(signed_in(&log, 3, world.clock.as_ref()));
    log.flush();
    assert!(log.status().failures > 0);
    other.unlock().unwrap();
    while !log.status().is_well {
        log.flush();
    }
    drop(log);
    assert!(world.verify().is_whole());
}

#[test]
fn what_strangers_cause_is_bounded_and_the_rest_is_told_in_sum() {
    let world = World::new();
    let log = world.start();
    let refused = || Record::new(Kind::RequestRefused, world.clock.now());
    for _ in 0..500 {
        log.record_of_client(refused(), Some("192.0.2.77".parse().unwrap()));
    }
    world.sign_in(&log, 0..40);
    world.clock.advance(Duration::from_secs(60));
    log.record_of_client(refused(), Some("192.0.2.78".parse().unwrap()));
    log.flush();
    drop(log);
    let lines = world.lines();
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("request_refused"), count("signed_in")), (32, 40));
    assert_eq!(count("\"outcome\":\"more\",\"number\":470"), 1, "{lines:?}");
    assert!(world.verify().is_whole());
}

/// A file system of a few kilobytes, where the machine lets a test have one.
struct SmallDisk<'w>(&'w Path);

impl<'w> SmallDisk<'w> {
    fn mount(folder: &'w Path) -> Option<Self> {
        let done = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"])
            .arg(folder)
            .output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Without it the folder cannot be removed; there is none to tell.
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_logins_keeps_what_fits_and_says_what_is_missing() {
    let world = World::new();
    let folder = world.folder.path().join("log");
    let Some(_disk) = SmallDisk::mount(&folder) else {
        eprintln!("SKIPPED: no file system may be mounted here");
        return;
    };
    let mut settings = world.settings();
    settings.queue_bytes = 16 * 1024;
    let log = world.start_with(settings);
    let filler = folder.join("filler");
    world.sign_in(&log, 0..5);
    assert!(log.takes_logins());
    fs::write(&filler, vec![1; 40 * 1024]).unwrap_or_default();
    // Nobody waits, and no more waits than is allowed.
    let begin = std::time::Instant::now();
    let mut told = 5;
    while log.status().lost < 10 {
        log.record(signed_in(&log, told, world.clock.as_ref()));
        told += 1;
        assert!(log.status().waiting <= 16 * 1024);
        if told % 50 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "the disk is never full");
    }
    assert!(!log.takes_logins(), "no login begins whose record is lost");
    fs::remove_file(&filler).unwrap();
    while !log.takes_logins() {
        log.flush();
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never written again");
    }
    log.record(signed_in(&log, told, world.clock.as_ref()));
    log.flush();
    let lost = log.status().lost;
    drop(log);
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    let written = world.lines().iter().filter(|line| line.contains("signed_in")).count() as u64;
    assert_eq!(written + lost, told + 1);
    let said: Vec<_> = report.notes.iter().filter(|note| note.what.contains("were lost")).collect();
    assert!(!said.is_empty() && said[0].what.starts_with(&format!("{lost} ")), "{said:?} {lost}");
}

#[test]
fn a_file_that_cannot_give_way_grows_on_and_gives_way_later() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    world.clock.advance(Duration::from_secs(24 * 3600));
    // Every name that it could give way to is taken.
    let taken: Vec<_> = (1..50)
        .map(|number| world.folder.path().join(format!("log/audit.log.20310505T220000Z-{number}")))
        .collect();
    taken.iter().for_each(|path| fs::create_dir(path).unwrap());
    world.sign_in(&log, 3..6);
    taken.iter().for_each(|path| fs::remove_dir(path).unwrap());
    // It rests for ten minutes, whatever day and length it has.
    world.sign_in(&log, 6..9);
    assert_eq!(world.files().len(), 1);
    let status = log.status();
    assert!(status.is_well && status.lost == 0, "{status:?}");
    world.clock.advance(Duration::from_secs(600));
    world.sign_in(&log, 9..12);
    drop(log);
    let files = world.files();
    assert_eq!(files.len(), 2, "{files:?}");
    let old = files.iter().find(|path| **path != world.path()).unwrap();
    assert!(lines(old).pop().unwrap().contains("\"kind\":\"rotated\""));
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
}
