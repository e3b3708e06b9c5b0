//! What a person with rights to the files could do to them, and what is said of it.

use super::super::chain::Chain;
use super::super::keys::Signer;
use super::super::search::{self, Query};
use super::*;

/// A log of three files, each with some records: the first two gave way by their day.
fn three_files() -> World {
    let world = World::new();
    let log = world.start();
    for day in 0..3_u64 {
        world.sign_in(&log, day * 25..day * 25 + 25);
        world.clock.advance(Duration::from_secs(24 * 3600));
    }
    drop(log);
    // The end of the process was on the fourth day.
    assert_eq!(world.files().len(), 4, "{:?}", world.files());
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.chains.len(), report.chains[0].first), (1, 1));
    assert_eq!(report.chains[0].last, report.records);
    world
}

type Tampering = (&'static str, fn(&World), Fault);

/// Changes the lines of the second file by time.
fn second(world: &World, change: impl FnOnce(&mut Vec<String>)) {
    let path = &world.files()[2];
    let mut lines = lines(path);
    change(&mut lines);
    write_lines(path, &lines);
}

const TAMPERINGS: [Tampering; 14] = [
    (
        "a value is another",
        |world| second(world, |lines| lines[5] = lines[5].replace("session-2", "session-9")),
        Fault::Changed,
    ),
    (
        "a value is another of the same length, with white space made up for it",
        |world| second(world, |lines| lines[5] = lines[5].replace(",\"kind\"", ", \"kind\"")),
        Fault::Changed,
    ),
    ("a record is taken out", |world| second(world, |lines| drop(lines.remove(7))), Fault::Removed),
    (
        "many records are taken out",
        |world| second(world, |lines| drop(lines.drain(3..9))),
        Fault::Removed,
    ),
    (
        "a record is there twice",
        |world| second(world, |lines| lines.insert(7, lines[6].clone())),
        Fault::Inserted,
    ),
    (
        "a record is put in with a number that is taken",
        |world| {
            second(world, |lines| {
                let record = lines[6].replace("session-2", "session-7");
                lines.insert(7, record);
            });
        },
        Fault::Inserted,
    ),
    (
        "two records change places",
        |world| second(world, |lines| lines.swap(5, 6)),
        Fault::Reordered,
    ),
    (
        "a line is no record",
        |world| second(world, |lines| lines[5] = "x".into()),
        Fault::NotARecord,
    ),
    (
        "a line becomes endless",
        |world| second(world, |lines| lines[5] = "x".repeat(3 << 20)),
        Fault::NotARecord,
    ),
    (
        "a file is cut in the middle of a line",
        |world| {
            let path = &world.files()[2];
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        Fault::HalfLine,
    ),
    ("a file is taken away", |world| fs::remove_file(&world.files()[2]).unwrap(), Fault::Removed),
    (
        "a file is put in the place of another",
        |world| {
            let files = world.files();
            fs::copy(&files[1], &files[2]).unwrap();
        },
        Fault::SwappedFile,
    ),
    (
        "two files change their names",
        |world| {
            let (files, aside) = (world.files(), world.folder.path().join("aside"));
            fs::rename(&files[1], &aside).unwrap();
            fs::rename(&files[2], &files[1]).unwrap();
            fs::rename(&aside, &files[2]).unwrap();
        },
        Fault::SwappedFile,
    ),
    (
        "a file is another of the same numbers, chained anew without the key",
        |world| rechain(&world.files()[2], None),
        Fault::Signature,
    ),
];

/// Changes a record of a file and makes all digests behind it anew; signs with a key, or leaves the
/// signatures as they were.
fn rechain(path: &Path, signer: Option<&Signer>) {
    let old = lines(path);
    let (mut chain, _) = Chain::after(old[3].as_bytes()).unwrap();
    let mut new = old[..4].to_vec();
    for line in &old[4..] {
        let mut record = Record::parse(line.as_bytes()).unwrap();
        record.previous = Some(crate::base::encoding::base64url(&chain.digest).into());
        record.sid = record.sid.map(|sid| sid.replace("session", "nothing").into());
        if let (Some(signer), Some(_)) = (signer, &record.signature) {
            record.public_key = Some(signer.public().to_string().into());
            record.signature = None;
            let mut text = record.to_json();
            text.pop();
            record.signature = Some(signer.sign(&text).into());
        }
        let line = record.to_json();
        (chain, _) = Chain::after(&line).unwrap();
        new.push(String::from_utf8(line).unwrap());
    }
    write_lines(path, &new);
}

#[test]
fn each_tampering_is_found_and_named_with_its_place() {
    for (what, tamper, expected) in TAMPERINGS {
        let world = three_files();
        tamper(&world);
        let report = world.verify();
        let found: Vec<_> = report.findings.iter().map(|found| found.fault).collect();
        assert!(found.contains(&expected), "{what}: {:?}", report.findings);
        let finding = report.findings.iter().find(|found| found.fault == expected).unwrap();
        assert!(finding.file.starts_with(world.folder.path()), "{what}: {finding:?}");
        assert!(!finding.what.is_empty());
        assert!(report.findings.len() < 40, "{what}: {:?}", report.findings);
    }
}

#[test]
fn one_change_is_one_finding_at_its_line() {
    let world = three_files();
    second(&world, |lines| lines[5] = lines[5].replace("session-2", "session-9"));
    let report = world.verify();
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert_eq!((&report.findings[0].file, report.findings[0].line), (&world.files()[2], 6));
    let world = three_files();
    second(&world, |lines| lines.swap(5, 6));
    let report = world.verify();
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
}

#[test]
fn a_file_that_was_made_anew_with_another_key_is_found_by_the_right_one_alone() {
    let world = three_files();
    let last = world.files()[0].clone();
    let path = world.files()[2].clone();
    // All that follows is taken away, so that nothing names the last digest.
    fs::remove_file(&last).unwrap();
    fs::remove_file(&world.files()[2]).unwrap();
    let before = world.files().len();
    let signer = Signer::generate();
    rechain(&world.files()[before - 1], Some(&signer));
    let _ = path;
    assert_eq!(world.faults(), [Fault::Signature]);
    let unpinned = world.verify_with(&Expected::default());
    assert!(unpinned.is_whole(), "{:?}", unpinned.findings);
    assert!(unpinned.notes.iter().any(|note| note.what.contains("another key")));
    assert!(!unpinned.chains[0].is_pinned);
}

#[test]
fn a_cut_end_is_found_by_what_was_kept_elsewhere_and_by_nothing_else() {
    let world = three_files();
    let kept = world.kept();
    fs::remove_file(world.path()).unwrap();
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert!(!report.chains[0].is_closed);
    let expected = Expected { checkpoints: vec![kept.clone()], ..world.expected() };
    let report = world.verify_with(&expected);
    assert_eq!(report.findings[0].fault, Fault::Truncated, "{:?}", report.findings);
    // Nothing at all is left.
    for path in world.files() {
        fs::remove_file(path).unwrap();
    }
    let report = world.verify_with(&expected);
    assert_eq!(report.findings[0].fault, Fault::Truncated, "{:?}", report.findings);
    // And the chain goes on behind what was kept, so that it shows for ever.
    drop(world.start());
    let report = world.verify();
    assert_eq!(report.chains[0].first, kept.0.sequence + 1);
    let whole = Expected { is_from_the_start: true, ..world.expected() };
    assert_eq!(world.verify_with(&whole).findings[0].fault, Fault::Removed);
}

#[test]
fn what_was_cut_off_while_the_program_did_not_run_shows_after_its_next_start() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..25);
    drop(log);
    let mut lines = world.lines();
    lines.truncate(10);
    write_lines(&world.path(), &lines);
    assert_eq!(world.faults(), []);
    drop(world.start());
    assert_eq!(world.faults(), [Fault::Removed]);
    assert!(world.lines()[10].contains("\"outcome\":\"records_missing\""));
}

#[test]
fn a_checkpoint_of_other_records_is_found() {
    let world = three_files();
    let mut kept = world.kept();
    kept.0.digest[0] ^= 1;
    let expected = Expected { checkpoints: vec![kept], ..world.expected() };
    assert_eq!(world.verify_with(&expected).findings[0].fault, Fault::Changed);
}

#[test]
fn old_files_may_be_gone_and_two_replicas_may_share_a_folder() {
    let world = three_files();
    fs::remove_file(&world.files()[1]).unwrap();
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert!(report.notes.iter().any(|note| note.what.contains("begins with record")));
    let other = World::new();
    let log = other.start();
    other.sign_in(&log, 0..3);
    drop(log);
    fs::copy(other.path(), world.folder.path().join("log/gate-2.log")).unwrap();
    let both = vec![world.public(), other.public()];
    let report = world.verify_with(&Expected { keys: both, ..Expected::default() });
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.chains.len(), 2);
}

#[test]
fn a_person_is_found_by_the_identifier_and_the_key_and_others_are_not() {
    let world = three_files();
    let (keys, folder) = (world.keys(), [world.folder.path().join("log")]);
    let count = |query: &Query| {
        let mut lines = 0;
        let read = search::find(&folder, query, |_, _| lines += 1).unwrap();
        assert_eq!(read.found, lines);
        lines
    };
    assert_eq!(count(&Query::default().person(&keys.persons, PESEL)), 75);
    assert_eq!(count(&Query::default().person(&keys.persons, "44051401358")), 0);
    assert_eq!(count(&Query::default().person(&Keys::generate().persons, PESEL)), 0);
    let of = |name: &str| Some(name.to_owned());
    assert_eq!(count(&Query { sid: of("session-7"), ..Query::default() }), 1);
    assert_eq!(count(&Query { request: of("request-8"), ..Query::default() }), 1);
    let day = |day: &str| Some(day.parse::<Time>().unwrap());
    let from = Query { from: day("2031-05-05T00:00:00Z"), ..Query::default() };
    let query = Query { to: day("2031-05-06T00:00:00Z"), ..from };
    assert_eq!(count(&query.person(&keys.persons, PESEL)), 25);
}

#[test]
fn packed_files_are_read_as_well() {
    let world = three_files();
    let path = world.files()[1].clone();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &fs::read(&path).unwrap()).unwrap();
    fs::write(format!("{}.gz", path.display()), packer.finish().unwrap()).unwrap();
    fs::remove_file(&path).unwrap();
    let report = world.verify();
    assert!(report.is_whole() && report.chains[0].first == 1, "{report:?}");
}
