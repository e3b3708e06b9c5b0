//! Records that no gateway wrote, and what was noted of a chain's end; each beside what looks much
//! like it and is as it was written.

use super::super::chain::Chain;
use super::super::keys::Signer;
use super::*;
use crate::base::clock::Clock as _;

/// A line of a record as somebody makes it who has no key, or one of their own.
fn invented(chain: &mut Chain, kind: Kind, signer: Option<&Signer>) -> String {
    let mut record = Record::new(kind, "2031-05-04T23:00:00Z".parse().unwrap());
    record.sid = text("session-invented");
    let mut line = Vec::new();
    if let Some(signer) = signer {
        record.public_key = Some(signer.public().to_string().into());
        chain.append_signed(&mut line, &record.to_json(), signer).unwrap();
    } else {
        chain.append(&mut line, &record.to_json()).unwrap();
    }
    line.pop();
    String::from_utf8(line).unwrap()
}

fn of(report: &Report) -> Vec<Fault> {
    report.findings.iter().map(|found| found.fault).collect()
}

/// What `--config` knows: the keys, and what the gateway noted.
fn configured(world: &World) -> Expected {
    Expected { head: Head::At(world.kept()), ..world.expected() }
}

/// A log whose process was killed behind its last record, and one that was started again.
fn killed_and_resumed() -> World {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..15);
    let (file, noted) = (fs::read(world.path()).unwrap(), fs::read(world.head()).unwrap());
    drop(log);
    fs::write(world.path(), file).unwrap();
    fs::write(world.head(), noted).unwrap();
    let log = world.start();
    world.sign_in(&log, 15..18);
    drop(log);
    world
}

/// A log of two files: twenty-five sign-ins of a day, and five of the next.
fn two_days() -> World {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..25);
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.sign_in(&log, 25..30);
    drop(log);
    world
}

#[test]
fn a_log_in_which_nothing_is_signed_is_none() {
    let world = World::new();
    for count in [1, 3] {
        let mut chain = Chain::begin();
        let lines: Vec<_> =
            (0..count).map(|_| invented(&mut chain, Kind::SignedIn, None)).collect();
        write_lines(&world.path(), &lines);
        for expected in [world.expected(), Expected::default()] {
            let report = world.verify_with(&expected);
            assert_eq!(of(&report), [Fault::Inserted, Fault::Signature], "{:?}", report.findings);
            assert_eq!(report.findings[0].line, 1);
        }
        // The same with a number as if what is before were gone by its age.
        chain.sequence = 4711;
        write_lines(&world.path(), &[invented(&mut chain, Kind::SignedIn, None)]);
        assert_eq!(world.faults(), [Fault::Signature]);
    }
}

#[test]
fn a_chain_begins_with_a_start_that_a_known_key_signed() {
    let (world, own) = (World::new(), Signer::generate());
    // With a key that is known from elsewhere, another one is of no use.
    for kind in [Kind::Opened, Kind::Checkpoint] {
        let mut chain = Chain::begin();
        let first = invented(&mut chain, kind, Some(&own));
        write_lines(&world.path(), &[first, invented(&mut chain, Kind::SignedIn, None)]);
        assert!(of(&world.verify()).contains(&Fault::Signature));
    }
    // A record that is signed, and of no start.
    let mut chain = Chain::begin();
    let first = invented(&mut chain, Kind::Checkpoint, Some(&world.keys().signer));
    write_lines(&world.path(), &[first]);
    assert_eq!(world.faults(), [Fault::Inserted]);
    for kind in [Kind::Opened, Kind::Resumed] {
        let mut chain = Chain::begin();
        let first = invented(&mut chain, kind, Some(&world.keys().signer));
        write_lines(&world.path(), &[first, invented(&mut chain, Kind::SignedIn, None)]);
        assert_eq!(world.faults(), []);
    }
}

#[test]
fn a_record_with_another_chains_name_within_a_file_is_found() {
    for (kind, is_signed, sequence) in [
        (Kind::SignedIn, false, 0),
        (Kind::SignedIn, false, 40),
        (Kind::Opened, true, 0),
        (Kind::Opened, true, 40),
    ] {
        let world = World::new();
        let log = world.start();
        world.sign_in(&log, 0..25);
        drop(log);
        let (own, mut chain) = (Signer::generate(), Chain::begin());
        chain.sequence = sequence;
        let mut lines = world.lines();
        lines.insert(9, invented(&mut chain, kind, is_signed.then_some(&own)));
        write_lines(&world.path(), &lines);
        let report = world.verify();
        assert!(!report.is_whole(), "{kind:?} {sequence}");
        let places: Vec<_> = report.findings.iter().map(|found| found.line).collect();
        assert!(places.iter().all(|&line| line == 10), "{:?}", report.findings);
    }
}

#[test]
fn another_chain_within_a_file_is_good_when_its_start_is_signed_and_is_said() {
    // What a container's standard output has after a kill.
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    let mut lines = world.lines();
    drop(log);
    let mut chain = Chain::begin();
    lines.push(invented(&mut chain, Kind::Opened, Some(&world.keys().signer)));
    lines.push(invented(&mut chain, Kind::SignedIn, None));
    write_lines(&world.path(), &lines);
    let report = world.verify();
    assert!(report.is_whole() && report.chains.len() == 2, "{:?}", report.findings);
    assert!(report.notes.iter().any(|note| note.what.contains("another chain begins")));
}

#[test]
fn genuine_logs_pass_with_all_that_a_configuration_knows() {
    let (resumed, rotated, taken_over) = (killed_and_resumed(), World::new(), World::new());
    let log = rotated.start();
    for day in 0..3 {
        rotated.sign_in(&log, day * 25..day * 25 + 25);
        rotated.clock.advance(Duration::from_secs(24 * 3600));
    }
    drop(log);
    let first = taken_over.start();
    taken_over.sign_in(&first, 0..5);
    let clock: SharedClock = taken_over.clock.clone();
    let second = AuditLog::start(taken_over.settings(), taken_over.keys(), clock, true).unwrap();
    taken_over.sign_in(&first, 5..8);
    drop(first);
    taken_over.sign_in(&second, 8..30);
    drop(second);
    for world in [&resumed, &rotated, &taken_over] {
        let expected = Expected { is_from_the_start: true, ..configured(world) };
        let report = world.verify_with(&expected);
        assert!(report.is_whole(), "{:?}", report.findings);
        assert_eq!(report.chains.len(), 1);
    }
    // Old files may go; the chains of other replicas may lie beside it.
    fs::remove_file(&rotated.files()[1]).unwrap();
    fs::copy(resumed.path(), rotated.folder.path().join("log/gate-2.log")).unwrap();
    let keys = vec![rotated.public(), resumed.public()];
    let report = rotated.verify_with(&Expected { keys, ..configured(&rotated) });
    assert!(report.is_whole() && report.chains.len() == 2, "{:?}", report.findings);
}

#[test]
fn a_log_that_was_replaced_behind_what_was_noted_is_found() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..25);
    drop(log);
    let expected = configured(&world);
    let Checkpoint(mut chain) = world.kept();
    // With the digest that was noted, which the newest file has for all to see, and without.
    let right = invented(&mut chain.clone(), Kind::SignedIn, None);
    chain.digest = [7; 32];
    let wrong = invented(&mut chain, Kind::SignedIn, None);
    for (line, faults) in [
        (right, &[Fault::Truncated, Fault::Signature][..]),
        (wrong, &[Fault::Changed, Fault::Truncated, Fault::Signature]),
    ] {
        write_lines(&world.path(), &[line]);
        let report = world.verify_with(&expected);
        assert_eq!(of(&report), faults, "{:?}", report.findings);
    }
}

#[test]
fn a_checkpoint_just_before_the_first_record_is_that_of_the_file_before() {
    let world = two_days();
    let old = world.files().pop().unwrap();
    let (before, _) = Chain::after(lines(&old).last().unwrap().as_bytes()).unwrap();
    fs::remove_file(&old).unwrap();
    let with = |chain: &Chain| {
        let checkpoints = vec![Checkpoint(chain.clone())];
        world.verify_with(&Expected { checkpoints, ..configured(&world) })
    };
    let report = with(&before);
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.chains[0].first, before.sequence + 1);
    let report = with(&Chain { digest: [7; 32], ..before });
    assert_eq!(of(&report), [Fault::Changed], "{:?}", report.findings);
}

#[test]
fn a_log_that_was_gone_at_a_start_is_found_for_ever() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..25);
    drop(log);
    fs::remove_file(world.path()).unwrap();
    let log = world.start();
    world.sign_in(&log, 0..3);
    drop(log);
    for expected in [configured(&world), world.expected(), Expected::default()] {
        let report = world.verify_with(&expected);
        assert_eq!(of(&report), [Fault::Removed], "{:?}", report.findings);
        assert!(report.findings[0].what.contains("records were gone"), "{:?}", report.findings);
    }
}

#[test]
fn what_the_gateway_says_that_another_wrote_is_found_and_a_half_line_is_none() {
    for (outcome, faults) in
        [("foreign", &[Fault::Inserted][..]), ("half_line", &[]), ("not_closed", &[])]
    {
        let world = World::new();
        let log = world.start();
        world.sign_in(&log, 0..3);
        drop(log);
        let Checkpoint(mut chain) = world.kept();
        let signer = world.keys().signer;
        let mut record = Record::new(Kind::Resumed, world.clock.now());
        record.outcome = text(outcome);
        record.public_key = Some(signer.public().to_string().into());
        let mut lines = fs::read(world.path()).unwrap();
        chain.append_signed(&mut lines, &record.to_json(), &signer).unwrap();
        fs::write(world.path(), lines).unwrap();
        assert_eq!(world.faults(), faults, "{outcome}");
    }
}

#[test]
fn a_note_of_the_end_that_is_gone_is_found() {
    let world = killed_and_resumed();
    let expected = configured(&world);
    assert!(world.verify_with(&expected).is_whole());
    let mut lines = world.lines();
    lines.truncate(12);
    write_lines(&world.path(), &lines);
    assert_eq!(of(&world.verify_with(&expected)), [Fault::Truncated]);
    let expected = Expected { head: Head::Missing(world.head()), ..world.expected() };
    let report = world.verify_with(&expected);
    assert_eq!(of(&report), [Fault::Truncated], "{:?}", report.findings);
    assert_eq!(report.findings[0].file, world.head());
}

#[test]
fn a_damaged_file_of_a_folder_is_never_left_out() {
    let damages: [fn(&Path); 3] = [
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[0] = b'x';
            fs::write(path, bytes).unwrap();
        },
        |path| fs::write(path, [0xff; 200_000]).unwrap(),
        |path| fs::write(path, "nothing of it is left\n").unwrap(),
    ];
    for damage in damages {
        for which in 0..2 {
            let world = World::new();
            let log = world.start();
            world.sign_in(&log, 0..25);
            // As logrotate does.
            fs::rename(world.path(), world.folder.path().join("log/audit.log.1")).unwrap();
            log.reopen();
            world.sign_in(&log, 0..5);
            drop(log);
            assert_eq!(world.faults(), []);
            let path = world.files()[which].clone();
            damage(&path);
            let report = world.verify();
            assert_eq!(report.files.len(), 2, "{:?}", report.files);
            let is_told = |found: &super::super::verify::Finding| {
                matches!(found.fault, Fault::NotARecord | Fault::HalfLine) && found.file == path
            };
            assert!(report.findings.iter().any(is_told), "{:?}", report.findings);
        }
    }
}

#[test]
fn what_is_left_out_of_a_folder_is_said_and_a_folder_without_records_is_no_log() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    drop(log);
    let folder = world.folder.path().join("log");
    let names =
        ["access.log.2.gz", "access.jsonl", "audit.log.aside-AAAA", "audit.log.torn", "link"];
    // More than is looked at of a file.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut packer, "{\"path\":\"/\"}\n".repeat(20_000).as_bytes()).unwrap();
    fs::write(folder.join(names[0]), packer.finish().unwrap()).unwrap();
    for name in &names[1..4] {
        fs::write(folder.join(name), "what somebody else keeps here\n").unwrap();
    }
    std::os::unix::fs::symlink(world.path(), folder.join("link")).unwrap();
    fs::create_dir(folder.join("old")).unwrap();
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    let said: Vec<_> = report.notes.iter().map(|note| note.file.clone()).collect();
    let mut left_out = names.map(|name| folder.join(name));
    left_out.sort();
    assert_eq!(said, left_out);
    fs::remove_file(world.path()).unwrap();
    assert_eq!(world.faults(), [Fault::Removed]);
}

#[test]
fn a_file_that_was_emptied_has_not_the_record_that_its_name_says() {
    let world = two_days();
    assert_eq!(world.faults(), []);
    fs::write(world.files().pop().unwrap(), "").unwrap();
    assert_eq!(world.faults(), [Fault::SwappedFile]);
}
