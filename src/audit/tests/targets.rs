use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use super::super::{Stream, Syslog};
use super::*;

fn with(world: &World, target: Target) -> Settings {
    Settings { target, ..world.settings() }
}

/// Takes the record out of a message of RFC 5424, and judges what is before it.
fn of_message(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let (head, record) = text.split_at(text.find('{').unwrap());
    let parts: Vec<_> = head.trim_end().split(' ').collect();
    assert_eq!(parts.len(), 7, "{head}");
    assert_eq!((parts[0], parts[3]), ("<86>1", "brama"), "{head}");
    assert!(parts[1].parse::<Time>().is_ok(), "{head}");
    assert_eq!((parts[4], parts[5], parts[6]), (&*std::process::id().to_string(), "audit", "-"));
    record.as_bytes().to_vec()
}

fn is_end(record: &[u8]) -> bool {
    Record::parse(record).unwrap().kind == Kind::Closed
}

/// Writes received records to the log's file, to be verified as one.
fn keep(world: &World, records: &[Vec<u8>]) {
    let mut all = records.join(&b'\n');
    all.push(b'\n');
    let mut file = fs::OpenOptions::new().create(true).append(true).open(world.path()).unwrap();
    file.write_all(&all).unwrap();
}

#[test]
fn the_systems_log_gets_each_record_as_a_message_and_the_chain_goes_on_after_an_end() {
    let world = World::new();
    let path = world.folder.path().join("devlog");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for round in 0..2 {
        let target =
            Target::Stream(Stream::Syslog { at: Syslog::Unix(path.clone()), facility: 10 });
        let log = world.start_with(with(&world, target));
        log.record(signed_in(&log, round, world.clock.as_ref()));
        drop(log);
        let mut records: Vec<Vec<u8>> = Vec::new();
        let mut bytes = vec![0; 65_536];
        while !records.last().is_some_and(|last| is_end(last)) {
            let length = socket.recv(&mut bytes).unwrap();
            records.push(of_message(&bytes[..length]));
        }
        keep(&world, &records);
    }
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.chains.len(), report.records), (1, 6));
}

#[test]
fn a_log_of_the_system_that_stands_still_costs_records_and_no_time() {
    let world = World::new();
    let path = world.folder.path().join("devlog");
    let socket = UnixDatagram::bind(&path).unwrap();
    let target = Target::Stream(Stream::Syslog { at: Syslog::Unix(path), facility: 10 });
    let mut settings = with(&world, target);
    (settings.queue_bytes, settings.required) = (64 * 1024, false);
    let log = world.start_with(settings);
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..20_000 {
        let one = Instant::now();
        log.record(signed_in(&log, number, world.clock.as_ref()));
        slowest = slowest.max(one.elapsed());
        assert!(log.status().waiting <= 64 * 1024);
    }
    assert!(begin.elapsed() < Duration::from_secs(30) && slowest < Duration::from_secs(2));
    assert!(log.status().lost > 10_000, "{:?}", log.status());
    assert!(log.takes_logins(), "they are not required");
    // It goes on, and the rest comes with what is missing.
    let reader = std::thread::spawn(move || {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (mut records, mut bytes) = (Vec::<Vec<u8>>::new(), vec![0; 65_536]);
        while !records.last().is_some_and(|last| is_end(last)) {
            let length = socket.recv(&mut bytes).unwrap();
            records.push(of_message(&bytes[..length]));
        }
        records
    });
    log.flush();
    log.record(signed_in(&log, 1, world.clock.as_ref()));
    let lost = log.status().lost;
    drop(log);
    let records = reader.join().unwrap();
    keep(&world, &records);
    let report = world.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    // There may have been room for some in between.
    let gaps = report.notes.iter().filter_map(|note| note.what.split_once(" records were lost"));
    assert_eq!(gaps.map(|(number, _)| number.parse::<u64>().unwrap()).sum::<u64>(), lost);
}

#[test]
fn what_is_required_is_not_there_when_nothing_listens() {
    let world = World::new();
    let target = Target::Stream(Stream::Syslog {
        at: Syslog::Unix(world.folder.path().join("no")),
        facility: 10,
    });
    let log = world.start_with(with(&world, target));
    log.record(signed_in(&log, 1, world.clock.as_ref()));
    let begin = Instant::now();
    while log.takes_logins() {
        std::thread::yield_now();
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
    assert!(!log.status().is_well);
}

#[test]
fn udp_and_tcp_carry_the_same_messages() {
    let world = World::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let at = Syslog::Udp(socket.local_addr().unwrap());
    drop(world.start_with(with(&world, Target::Stream(Stream::Syslog { at, facility: 10 }))));
    let mut bytes = vec![0; 65_536];
    let mut records: Vec<Vec<u8>> = Vec::new();
    for _ in 0..2 {
        let length = socket.recv(&mut bytes).unwrap();
        records.push(of_message(&bytes[..length]));
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = Syslog::Tcp(listener.local_addr().unwrap());
    drop(world.start_with(with(&world, Target::Stream(Stream::Syslog { at, facility: 10 }))));
    let (mut stream, _) = listener.accept().unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    while !all.is_empty() {
        let space = all.iter().position(|&byte| byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&all[..space]).unwrap().parse().unwrap();
        let message: Vec<u8> = all.drain(..space + 1 + length).skip(space + 1).collect();
        records.push(of_message(&message));
    }
    assert_eq!(records.len(), 4);
    keep(&world, &records);
    assert_eq!(world.faults(), []);
}

#[test]
fn the_journal_gets_fields() {
    let world = World::new();
    let path = world.folder.path().join("journal");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    drop(world.start_with(with(&world, Target::Stream(Stream::Journald(path)))));
    let mut bytes = vec![0; 65_536];
    let mut records: Vec<Vec<u8>> = Vec::new();
    for _ in 0..2 {
        let length = socket.recv(&mut bytes).unwrap();
        let text = String::from_utf8(bytes[..length].to_vec()).unwrap();
        let fields: Vec<_> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
        assert_eq!(fields[0], ("SYSLOG_IDENTIFIER", "brama-audit"));
        assert_eq!(fields[1], ("PRIORITY", "6"));
        assert_eq!((fields[2].0, fields.len()), ("MESSAGE", 3));
        records.push(fields[2].1.as_bytes().to_vec());
    }
    keep(&world, &records);
    assert_eq!(world.faults(), []);
}
