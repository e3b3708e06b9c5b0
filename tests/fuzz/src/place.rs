//! Where a request goes: host and path.
//!
//! What is taken is canonical, and a browser that reads it (the URL standard) sees the same host
//! and the same path.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::product::{Host, ReturnTo, UNKNOWN, lenient_path, path};
use crate::within;

/// Looks at one input: a host, a line end, and a path with a query.
pub fn run(data: &[u8]) {
    let Some((&scheme, text)) = data.split_first() else { return };
    let is_tls = scheme % 2 == 0;
    let mut lines = text.splitn(2, |&byte| byte == b'\n');
    let host = lines.next().unwrap_or_default();
    let target = lines.next().and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or_default();
    within(64 * 1024 + 64 * text.len(), || {
        look_at_host(host, is_tls);
        look_at_path(target);
        look_at_return(target);
    });
    let raw = target.split('?').next().unwrap_or_default();
    // Segments of one letter are many pieces, and are read in eight ways.
    within(64 * 1024 + 512 * text.len(), || look_at_readings(raw));
}

fn look_at_host(text: &[u8], is_tls: bool) {
    let Ok(host) = Host::parse(text, is_tls) else { return };
    // 1. It is canonical: read again, it is the same.
    let again = Host::parse(host.authority().as_bytes(), is_tls).expect("what we write, we read");
    assert_eq!(host, again);
    assert_eq!(again.authority(), host.authority());
    assert_eq!(host.value().as_bytes(), host.authority().as_bytes());
    assert!(host.authority().starts_with(host.name()));
    let name = host.name();
    assert!(!name.is_empty() && name.is_ascii() && !name.ends_with('.'), "{name}");
    assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()), "{name}");
    // 2. A browser sees the same host and port.
    let scheme = if is_tls { "https" } else { "http" };
    for text in [std::str::from_utf8(text).expect("a host is text"), host.authority()] {
        let url = Url::parse(&format!("{scheme}://{text}/")).expect("a browser takes it");
        assert_eq!(url.port(), host.port(), "{text}");
        let shown = url.host_str().unwrap_or_default().trim_end_matches('.');
        let address = |text: &str| text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok();
        assert!(shown == name || address(shown).is_some_and(|it| Some(it) == address(name)));
    }
}

fn look_at_path(target: &str) {
    let (raw, query) = match target.split_once('?') {
        Some((raw, query)) => (raw, Some(query)),
        None => (target, None),
    };
    if query.is_some_and(|query| path::check_query(query).is_err()) {
        return;
    }
    let Ok(canonical) = path::canonical(raw) else { return };
    // 1. Nothing is left to decode, to cut off or to go up by.
    let twice = percent_decode_str(&canonical).decode_utf8().expect("it is text");
    assert_eq!(canonical, twice);
    let segments: Vec<_> = canonical[1..].split('/').collect();
    let (last, others) = segments.split_last().expect("there is one");
    assert!(!others.contains(&""), "{canonical}");
    for segment in others.iter().chain([last]) {
        assert!(!segment.ends_with('.') && !segment.contains(['\\', ';']), "{canonical}");
        assert!(!segment.chars().any(char::is_control), "{canonical:?}");
    }
    // 2. A browser that is sent there goes to the same place.
    let url = Url::parse(&format!("https://portal.example{target}")).expect("a browser takes it");
    let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    assert_eq!(decode(url.path()), decode(raw), "{target}");
    assert_eq!(url.query().map(decode), query.map(decode), "{target}");
}

/// What upstreams may make of a path that a lenient route takes.
fn look_at_readings(raw: &str) {
    let Some(readings) = lenient_path::read(raw) else { return };
    // 1. A path that every route takes is read in one way, and in the same.
    let canonical = path::canonical(raw);
    assert_eq!(canonical.is_ok(), readings.needed.is_none(), "{raw}");
    if let Ok(canonical) = canonical {
        assert_eq!((&*readings.path, readings.others.len()), (&*canonical, 0), "{raw}");
    }
    // 2. No reading leads up, stays in place or names a host.
    for reading in readings.others.iter().chain([&readings.path]) {
        assert!(reading.starts_with('/') && !reading.starts_with("//"), "{raw}: {reading:?}");
        assert!(!leads_up(&reading.replace(UNKNOWN, "")), "{raw}: {reading:?}");
    }
    assert!(!leads_up(&readings.longest), "{raw}");
    // 3. Nor does it in a server that decodes all, drops what it cannot read, and cuts parameters
    //    off before, after or not at all. What it reads is among ours.
    let is_ours = |read: &str| {
        let known = readings.others.iter().chain([&readings.path, &readings.longest]);
        known.into_iter().any(|it| percent_decode_str(it).decode_utf8_lossy() == read)
    };
    for (before, after) in [(false, false), (true, false), (false, true)] {
        let raw = if before { without_parameters(raw) } else { raw.to_owned() };
        let decoded: Vec<u8> = percent_decode_str(&raw).collect();
        let text: String = decoded.utf8_chunks().map(|chunk| chunk.valid()).collect();
        let text = if after { without_parameters(&text) } else { text };
        assert!(!leads_up(&text), "{raw}: {text:?}");
        let is_known = text.len() == decoded.len() && (after || !raw.contains(';'));
        assert!(!is_known || is_ours(&text), "{raw}: {text:?}, of {readings:?}");
    }
}

fn leads_up(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

fn without_parameters(path: &str) -> String {
    let names = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join("/")
}

/// Wherever a citizen is sent back to is on our own host.
fn look_at_return(target: &str) {
    let back = ReturnTo::parse(target);
    assert!(back.as_str().len() <= ReturnTo::MAXIMUM_LENGTH);
    assert_eq!(ReturnTo::parse(back.as_str()), back);
    let base = Url::parse("https://portal.example/.brama/finish").expect("it is one");
    let url = base.join(back.as_str()).expect("a browser takes it");
    assert_eq!(url.origin(), base.origin(), "{target}");
    http::HeaderValue::from_str(back.as_str()).expect("it fits into a header");
}
