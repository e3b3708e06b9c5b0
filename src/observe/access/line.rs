//! What a line of the access log looks like.
//!
//! Text of a client is escaped byte by byte: in JSON as `\u00XX`, in the other formats as `\xXX`.
//! Letters outside ASCII stay in JSON when they are UTF-8.

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use http::Version;

use super::record::{Ended, Record};
use super::settings::{Format, Settings};
use crate::base::clock::Time;
use crate::base::network::write_address;

/// The most bytes of one field that are written.
pub const MAX_FIELD: usize = 2048;

/// Writes a record, with the end of its line.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, settings: &Settings) {
    match settings.format {
        Format::Off => return,
        Format::Text => for_people(line, record, settings),
        Format::Json => json(line, record, settings),
        Format::Combined => combined(line, record, settings),
    }
    line.push(b'\n');
}

fn json(line: &mut Vec<u8>, record: &Record<'_>, settings: &Settings) {
    line.extend_from_slice(b"{\"timestamp\":\"");
    rfc3339(line, record.time);
    line.extend_from_slice(b"\",\"target\":\"brama::access\",\"message\":\"request\"");
    text(line, "request", record.request.as_bytes());
    if let Some(address) = settings.addresses.shown(record.address) {
        line.extend_from_slice(b",\"client\":\"");
        let _ = write_address(line, address);
        line.push(b'"');
    }
    text(line, "method", record.method.as_bytes());
    text(line, "host", record.host.as_bytes());
    text(line, "path", record.path.as_bytes());
    if let Some(query) = record.query.filter(|_| settings.query) {
        text(line, "query", query.as_bytes());
    }
    text(line, "protocol", protocol(record.protocol).as_bytes());
    line.extend_from_slice(if record.is_tls { b",\"tls\":true" } else { b",\"tls\":false" });
    number(line, "status", record.status.into());
    number(line, "received", record.received);
    number(line, "sent", record.sent);
    number(line, "microseconds", microseconds(record.total));
    for (name, time) in [("connect", record.connect), ("first_byte", record.first_byte)] {
        if let Some(time) = time {
            number(line, name, microseconds(time));
        }
    }
    let optional = [
        ("upstream", record.upstream),
        ("route", record.route),
        ("reason", record.reason),
        ("ended", record.ended.map(Ended::name)),
        ("session", record.session),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            text(line, name, value.as_bytes());
        }
    }
    if let Some(trace) = record.trace {
        line.extend_from_slice(b",\"trace_id\":\"");
        line.extend_from_slice(&trace.hex());
        line.push(b'"');
    }
    line.push(b'}');
}

/// As the lines of the program's log: when, what, and fields with their names.
fn for_people(line: &mut Vec<u8>, record: &Record<'_>, settings: &Settings) {
    rfc3339(line, record.time);
    line.extend_from_slice(b" ACCESS ");
    escape_combined(line, record.method.as_bytes());
    line.extend_from_slice(if record.is_tls { b" https://" } else { b" http://" });
    escape_combined(line, record.host.as_bytes());
    escape_combined(line, record.path.as_bytes());
    if let Some(query) = record.query.filter(|_| settings.query) {
        line.push(b'?');
        escape_combined(line, query.as_bytes());
    }
    let milliseconds = record.total.as_secs_f64() * 1000.0;
    let _ = write!(
        line,
        " {} status={} milliseconds={milliseconds:.1} received={} sent={}",
        protocol(record.protocol),
        record.status,
        record.received,
        record.sent
    );
    if let Some(address) = settings.addresses.shown(record.address) {
        line.extend_from_slice(b" client=");
        let _ = write_address(line, address);
    }
    let optional = [
        ("ended", record.ended.map(Ended::name)),
        ("reason", record.reason),
        ("route", record.route),
        ("upstream", record.upstream),
        ("request", Some(record.request)),
        ("session", record.session),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            let _ = write!(line, " {name}=\"");
            escape_combined(line, value.as_bytes());
            line.push(b'"');
        }
    }
    if let Some(trace) = record.trace {
        let _ = write!(line, " trace_id=\"{trace}\"");
    }
}

fn combined(line: &mut Vec<u8>, record: &Record<'_>, settings: &Settings) {
    match settings.addresses.shown(record.address) {
        Some(address) => {
            let _ = write_address(line, address);
        }
        None => line.push(b'-'),
    }
    line.extend_from_slice(b" - - [");
    clf_time(line, record.time);
    line.extend_from_slice(b"] \"");
    escape_combined(line, record.method.as_bytes());
    line.push(b' ');
    escape_combined(line, record.path.as_bytes());
    if let Some(query) = record.query.filter(|_| settings.query) {
        line.push(b'?');
        escape_combined(line, query.as_bytes());
    }
    let _ = write!(line, " {}\" {} {} \"", protocol(record.protocol), record.status, record.sent);
    let referer = record.referer.map(|referer| {
        let end = referer.iter().position(|byte| b"?#".contains(byte)).unwrap_or(referer.len());
        if settings.query { referer } else { &referer[..end] }
    });
    escape_combined(line, referer.unwrap_or(b"-"));
    line.extend_from_slice(b"\" \"");
    escape_combined(line, record.user_agent.unwrap_or(b"-"));
    line.push(b'"');
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn number(line: &mut Vec<u8>, name: &str, value: u64) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
    line.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn text(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":\"");
    let value = &value[..value.len().min(MAX_FIELD)];
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    // All are looked at, whatever the first was: that is many at a time.
    if value.iter().fold(true, |all, byte| all & is_plain(byte)) {
        line.extend_from_slice(value);
        line.push(b'"');
        return;
    }
    let is_utf8 = std::str::from_utf8(value).is_ok();
    for &byte in value {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => line.push(byte),
            0x80.. if is_utf8 => line.push(byte),
            _ => {
                let _ = write!(line, "\\u{byte:04x}");
            }
        }
    }
    line.push(b'"');
}

fn escape_combined(line: &mut Vec<u8>, value: &[u8]) {
    for &byte in &value[..value.len().min(MAX_FIELD)] {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                let _ = write!(line, "\\x{byte:02X}");
            }
            _ => line.push(byte),
        }
    }
}

/// Writing out a time costs more than the rest of a line, and most lines are of the same second.
#[derive(Default)]
struct Second {
    number: Option<i64>,
    rfc3339: String,
    clf: String,
}

thread_local! {
    static SECOND: RefCell<Second> = RefCell::default();
}

fn with_second(time: Time, then: impl FnOnce(&Second)) {
    SECOND.with_borrow_mut(|second| {
        if second.number != Some(time.as_second()) {
            second.number = Some(time.as_second());
            second.rfc3339 = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            second.clf = time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
        }
        then(second);
    });
}

fn rfc3339(line: &mut Vec<u8>, time: Time) {
    with_second(time, |second| {
        let (mut digits, mut rest) = ([b'0'; 6], time.subsec_microsecond().unsigned_abs());
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        line.extend_from_slice(second.rfc3339.as_bytes());
        line.push(b'.');
        line.extend_from_slice(&digits);
        line.push(b'Z');
    });
}

fn clf_time(line: &mut Vec<u8>, time: Time) {
    with_second(time, |second| line.extend_from_slice(second.clf.as_bytes()));
}
