use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::own::{Bounds, Error, Part, Place};
use super::super::search::Query;
use super::*;

fn bounds(records: usize) -> Bounds {
    Bounds { records, bytes: 1 << 20, scanned: 1 << 30, time: Duration::from_secs(60) }
}

/// Asks part after part, and returns the numbers of the sessions and how many parts there were.
fn all(log: &AuditLog, query: &Query, bounds: &Bounds, between: impl Fn()) -> (Vec<u64>, usize) {
    let (mut found, mut parts, mut after) = (Vec::new(), 0, None);
    loop {
        let part = log.find(query, after.as_ref(), bounds).unwrap();
        assert!(part.unreadable.is_empty(), "{:?}", part.unreadable);
        found.extend(sessions(&part));
        parts += 1;
        after = part.next;
        if after.is_none() {
            return (found, parts);
        }
        between();
    }
}

fn sessions(part: &Part) -> Vec<u64> {
    let lines = part.lines.iter().map(|line| Record::parse(line).unwrap());
    lines.filter_map(|r| r.sid?.strip_prefix("session-")?.parse().ok()).collect()
}

#[test]
fn parts_have_each_record_once_also_when_files_give_way_in_between() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..10);
    fs::rename(world.path(), world.folder.path().join("log/audit.log.1")).unwrap();
    log.reopen();
    world.sign_in(&log, 10..20);
    let person = Query::default().person(log.person_keys(), PESEL);
    let nobody = Query::default().person(log.person_keys(), "44051401358");
    let expected: Vec<u64> = (0..20).collect();
    assert_eq!(all(&log, &person, &bounds(1000), || ()), (expected.clone(), 1));
    for few in [1, 7, 10] {
        let (found, parts) = all(&log, &person, &bounds(few), || ());
        assert_eq!((found, parts > 1), (expected.clone(), true), "{few}");
    }
    for narrow in [
        Bounds { bytes: 1, ..bounds(1000) },
        Bounds { scanned: 1, ..bounds(1000) },
        Bounds { time: Duration::ZERO, ..bounds(1000) },
    ] {
        let (found, parts) = all(&log, &person, &narrow, || ());
        assert_eq!((found, parts >= 20), (expected.clone(), true), "{narrow:?}");
    }
    assert_eq!(all(&log, &nobody, &bounds(1000), || ()), (Vec::new(), 1));
    // The file that is read gives way, and what is written meanwhile is found too.
    let turn = std::cell::Cell::new(2);
    let (found, _) = all(&log, &person, &bounds(6), || {
        let name = format!("log/audit.log.{}", turn.get());
        turn.set(turn.get() + 1);
        fs::rename(world.path(), world.folder.path().join(name)).unwrap();
        log.reopen();
        log.flush();
        if turn.get() == 4 {
            world.sign_in(&log, 20..22);
        }
    });
    assert_eq!(found, (0..22).collect::<Vec<_>>());
}

#[test]
fn a_place_that_is_packed_cut_or_gone_is_said_and_nothing_passed_over() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..10);
    let (older, packed) = ("log/audit.log.1", "log/audit.log.1.gz");
    let older = world.folder.path().join(older);
    fs::rename(world.path(), &older).unwrap();
    log.reopen();
    world.sign_in(&log, 10..12);
    let part = log.find(&Query::default(), None, &bounds(4)).unwrap();
    let place = part.next.clone().unwrap();
    assert_eq!(place.to_string().parse(), Ok(place.clone()));
    for wrong in ["", "1.2.3", "1.2.A.3", "01.2.AAAAAAAAAAAAAAAAAAAAAA.3", "-1.0.A.1"] {
        assert!(wrong.parse::<Place>().is_err(), "{wrong}");
    }
    let go_on = || log.find(&Query::default(), Some(&place), &bounds(1000));
    assert_eq!(sessions(&go_on().unwrap()).len(), 12 - sessions(&part).len());

    let whole = fs::read(&older).unwrap();
    fs::write(&older, &whole[..whole.len() / 9]).unwrap();
    assert!(matches!(go_on(), Err(Error::Gone)), "it was cut");
    fs::write(&older, &whole).unwrap();
    assert!(go_on().is_ok());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&whole).unwrap();
    fs::write(world.folder.path().join(packed), gzip.finish().unwrap()).unwrap();
    fs::remove_file(&older).unwrap();
    assert!(matches!(go_on(), Err(Error::Gone)), "it was packed");
    // What is packed is read, and gone on in.
    let (mut found, _) = all(&log, &Query::default(), &bounds(3), || ());
    found.sort_unstable();
    assert_eq!(found, (0..12).collect::<Vec<_>>());
}

#[test]
fn what_is_damaged_or_no_log_at_all_is_said_and_the_rest_is_read() {
    let world = World::new();
    let log = world.start();
    world.sign_in(&log, 0..3);
    let beside = |name: &str, bytes: &[u8]| {
        fs::write(world.folder.path().join("log").join(name), bytes).unwrap();
    };
    beside("audit.log.1.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0]);
    beside("audit.log.2", "no record\n".repeat(1000).as_bytes());
    let narrow = Bounds { scanned: 5000, ..bounds(1000) };
    let part = log.find(&Query::default(), None, &narrow).unwrap();
    assert!(part.read.broken > 100 && part.read.broken < 1000, "{:?}", part.read);
    assert_eq!(part.unreadable.len(), 2, "{:?}", part.unreadable);
    // The bytes that led to nothing count as well; what is there is found behind them.
    let rest = log.find(&Query::default(), part.next.as_ref(), &bounds(1000)).unwrap();
    assert_eq!([sessions(&part), sessions(&rest)].concat(), [0, 1, 2]);
    assert_eq!((rest.unreadable.len(), rest.next), (0, None));
    assert!(world.lines().iter().all(|line| Record::parse(line.as_bytes()).is_some()));
}

#[test]
fn files_of_another_time_are_left_out_when_both_their_dates_say_so() {
    let world = World::new();
    let log = world.start();
    let day = Duration::from_secs(24 * 3600);
    for round in 0..4_u64 {
        world.sign_in(&log, round * 2..round * 2 + 2);
        world.clock.advance(day);
    }
    let time = |text: &str| Some(text.parse::<Time>().unwrap());
    for (from, to, expected, read_least, read_most) in [
        (time("2031-05-06T00:00:00Z"), None, vec![4, 5, 6, 7], 1, 1000),
        (None, time("2031-05-05T00:00:00Z"), vec![0, 1], 1, 10),
        (time("2031-05-05T12:00:00Z"), time("2031-05-06T23:00:00Z"), vec![2, 3, 4, 5], 1, 14),
        (time("2032-01-01T00:00:00Z"), None, vec![], 1, 1000),
    ] {
        let query = Query { from, to, ..Query::default() };
        let part = log.find(&query, None, &bounds(1000)).unwrap();
        assert_eq!(sessions(&part), expected, "{from:?} {to:?}");
        let read = part.read.records;
        assert!((read_least..=read_most).contains(&read), "{read} were read: {from:?} {to:?}");
    }
}
