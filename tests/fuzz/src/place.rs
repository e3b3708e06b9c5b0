//! Where a request goes: host and path.
//!
//! What is taken is canonical, and a browser that reads it (the URL standard) sees the same host
//! and the same path.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::product::{Host, ReturnTo, path};
use crate::within;

/// Looks at one input: a host, a line end, and a path with a query.
pub fn run(data: &[u8]) {
    let Some((&scheme, text)) = data.split_first() else { return };
    let is_tls = scheme % 2 == 0;
    let mut lines = text.splitn(2, |&byte| byte == b'\n');
    let host = lines.next().unwrap_or_default();
    within(64 * 1024 + 64 * text.len(), || {
        look_at_host(host, is_tls);
        if let Some(target) = lines.next().and_then(|rest| std::str::from_utf8(rest).ok()) {
            look_at_path(target);
            look_at_return(target);
        }
    });
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
