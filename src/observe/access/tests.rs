use std::fs;
use std::time::{Duration, Instant};

use http::Version;

use super::*;

fn record() -> Record<'static> {
    Record {
        time: "2031-03-04T10:20:30.000042Z".parse().unwrap(),
        request: "abc",
        address: "192.0.2.77".parse().unwrap(),
        method: "GET",
        host: "portal.example",
        path: "/tax/form",
        query: Some("pesel=44051401359"),
        protocol: Version::HTTP_2,
        is_tls: true,
        status: 200,
        ended: None,
        session: None,
        trace: None,
        received: 0,
        sent: 1024,
        total: Duration::from_micros(1500),
        connect: None,
        first_byte: Some(Duration::from_micros(1200)),
        upstream: Some("portal/127.0.0.1:3000"),
        route: Some("/tax"),
        reason: None,
        referer: Some(b"https://portal.example/a?secret=1"),
        user_agent: Some(b"agent/1"),
    }
}

fn settings(format: Format) -> Settings {
    Settings { format, ..Settings::off() }
}

fn line(record: &Record<'_>, settings: &Settings) -> String {
    let mut line = Vec::new();
    line::write(&mut line, record, settings);
    String::from_utf8(line).unwrap()
}

#[test]
fn a_line_of_json_has_what_operators_need_and_nothing_of_people() {
    assert_eq!(
        line(&record(), &settings(Format::Json)),
        "{\"timestamp\":\"2031-03-04T10:20:30.000042Z\",\"target\":\"brama::access\",\
         \"message\":\"request\",\"request\":\"abc\",\"client\":\"192.0.2.0\",\"method\":\"GET\",\
         \"host\":\"portal.example\",\"path\":\"/tax/form\",\"protocol\":\"HTTP/2.0\",\
         \"tls\":true,\"status\":200,\"received\":0,\"sent\":1024,\"microseconds\":1500,\
         \"first_byte\":1200,\"upstream\":\"portal/127.0.0.1:3000\",\"route\":\"/tax\"}\n"
    );
}

#[test]
fn a_combined_line_is_as_web_servers_write_it() {
    assert_eq!(
        line(&record(), &settings(Format::Combined)),
        "192.0.2.0 - - [04/Mar/2031:10:20:30 +0000] \"GET /tax/form HTTP/2.0\" 200 1024 \
         \"https://portal.example/a\" \"agent/1\"\n"
    );
}

#[test]
fn the_text_for_people_has_what_and_when_and_fields_with_their_names() {
    let line = line(&record(), &settings(Format::Text));
    let begin = "2031-03-04T10:20:30.000042Z ACCESS GET https://portal.example/tax/form HTTP/2.0 ";
    assert!(line.starts_with(&format!("{begin}status=200 ")), "{line}");
    assert!(line.contains(" client=192.0.2.0 ") && line.ends_with("request=\"abc\"\n"), "{line}");
    assert!(!line.contains("44051401359"), "{line}");
}

#[test]
fn queries_and_whole_addresses_are_there_when_they_are_wanted() {
    for format in [Format::Text, Format::Json, Format::Combined] {
        let all = Settings { addresses: Addresses::Full, query: true, ..settings(format) };
        let line = line(&record(), &all);
        assert!(line.contains("192.0.2.77") && line.contains("pesel=44051401359"), "{line}");
    }
    let none = Settings { addresses: Addresses::Off, ..settings(Format::Combined) };
    assert!(line(&record(), &none).starts_with("- - - ["));
    for (address, full, masked) in [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0"),
        // As a socket of IPv6 has it.
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::1", "::1", "::"),
    ] {
        let address = address.parse().unwrap();
        let shown = |how: Addresses| how.shown(address).map(|address| address.to_string());
        assert_eq!(shown(Addresses::Full).as_deref(), Some(full));
        assert_eq!(shown(Addresses::Masked).as_deref(), Some(masked));
        assert_eq!(shown(Addresses::Off), None);
    }
}

#[test]
fn nothing_that_a_client_sends_ends_a_line_or_a_field() {
    let hostile = "a\"b\\c\r\nd\te\0f\u{7f}ż";
    let record = Record {
        path: hostile,
        host: hostile,
        method: hostile,
        user_agent: Some(b"a\" \"\xff\n"),
        ..record()
    };
    let json = line(&record, &settings(Format::Json));
    assert_eq!(json.matches('\n').count(), 1, "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["path"], hostile);
    let combined = line(&record, &settings(Format::Combined));
    assert_eq!(combined.matches(['\n', '\r', '\t', '\0']).count(), 1, "{combined}");
    assert_eq!(combined.matches('"').count(), 6, "{combined}");
    let text = line(&record, &settings(Format::Text));
    assert_eq!(text.matches(['\n', '\r', '\t', '\0']).count(), 1, "{text}");
    assert!(text.contains("a\\x22b\\x5Cc\\x0D\\x0Ad\\x09e"), "{text}");
    assert!(combined.contains("\\x22b\\x5Cc\\x0D\\x0Ad\\x09e\\x00f\\x7F\\xC5\\xBC"), "{combined}");
}

#[test]
fn a_long_field_is_cut() {
    for format in [Format::Text, Format::Json, Format::Combined] {
        for (length, written) in [
            (MAX_FIELD - 1, MAX_FIELD - 1),
            (MAX_FIELD, MAX_FIELD),
            (MAX_FIELD + 1, MAX_FIELD),
            (100_000, MAX_FIELD),
        ] {
            let long = format!("/{}", "x".repeat(length - 1));
            let line = line(&Record { path: &long, ..record() }, &settings(format));
            let whole = &long[..written];
            assert!(line.contains(whole), "{length}");
            assert!(!line.contains(&format!("{whole}x")), "{length}");
        }
    }
    // Cut in the middle of a letter, it is still JSON, and all of it that fits is there.
    let read = |path: &str| {
        let json = line(&Record { path, ..record() }, &settings(Format::Json));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["path"].as_str().unwrap().to_owned()
    };
    let long = "ż".repeat(MAX_FIELD);
    assert_eq!(read(&long), "ż".repeat(MAX_FIELD / 2));
    let odd = read(&format!("a{long}"));
    assert_eq!(odd.chars().count(), MAX_FIELD, "a byte each");
    assert!(odd.starts_with("a\u{c5}\u{bc}"), "{}", &odd[..10]);
}

#[test]
fn a_file_is_written_and_opened_anew_after_it_was_moved() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
    let settings = Settings { target: Target::File(path.clone()), ..settings(Format::Json) };
    let log = AccessLog::start(settings.clone()).unwrap();
    assert!(!log.is_off());
    log.write(&record());
    log.write(&record());
    log.flush();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    fs::rename(&path, &moved).unwrap();
    log.write(&record());
    log.flush();
    assert_eq!(fs::read_to_string(&moved).unwrap().lines().count(), 3, "still the old file");
    log.reopen();
    while !path.exists() {
        std::thread::yield_now();
    }
    log.write(&record());
    // The end writes what still waits.
    drop(log);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);

    drop(AccessLog::start(settings).unwrap());
    assert_eq!(
        fs::read_to_string(&path).unwrap().lines().count(),
        1,
        "a start keeps what is there"
    );
    let nowhere = Target::File(folder.path().join("no/such/folder"));
    assert!(AccessLog::start(Settings { target: nowhere, ..Settings::off() }).unwrap().is_off());
}

#[test]
fn a_file_that_cannot_be_opened_is_told_at_the_start() {
    let target = Target::File("/no/such/folder/access.log".into());
    assert!(AccessLog::start(Settings { target, ..settings(Format::Json) }).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_who_does_not_read_costs_lines_and_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    // Both ends, so that opening does not wait; none reads.
    let reader = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let settings = Settings { target: Target::File(path), ..settings(Format::Json) };
    let log = AccessLog::start(settings).unwrap();
    let long = "a".repeat(MAX_FIELD);
    let record = Record { path: &long, ..record() };
    let writer = log.writer.as_ref().unwrap();
    // The writer waits for a reader, the others do not. It counts anew when it takes what waits,
    // which it can do once: then it waits.
    let begin = Instant::now();
    while writer.dropped() == 0 {
        log.write(&record);
        assert!(writer.waiting() <= MAX_WAITING);
        assert!(begin.elapsed() < Duration::from_secs(60), "no line is dropped");
    }
    // Let the writer go: a reader reads at last.
    let thread = std::thread::spawn(move || {
        let mut reader = reader;
        let mut piece = vec![0; 1 << 20];
        while std::io::Read::read(&mut reader, &mut piece).is_ok_and(|length| length > 0) {
            if piece.starts_with(b"end") {
                break;
            }
        }
    });
    drop(log);
    drop(thread);
}
