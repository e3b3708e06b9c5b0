use std::time::Duration;

use super::durations::{Lasted, What};
use super::facts::{Certificate, Facts, Server, Store, Totals, Upstream};
use super::history::Minute;
use super::page;
use crate::base::clock::Time;
use crate::observe::metrics::histogram::{Histogram, OF_REQUESTS, OF_STORES, Spread};
use crate::pages::Language;

fn facts() -> Facts {
    let now: Time = "2031-03-04T10:20:30Z".parse().unwrap();
    let days = |days: i64| Time::from_second(now.as_second() + days * 86_400).unwrap();
    let certificate = |used_for, name: &str, left| {
        let (name, not_after) = (name.to_owned(), days(left));
        Certificate { used_for, name, not_after }
    };
    let server =
        Server { address: "127.0.0.1:81".to_owned(), state: "up", is_well: true, requests: 3 };
    Facts {
        now,
        portal: "Urząd <Gminy>".to_owned(),
        environment: None,
        version: "1.2.3",
        began: days(-2),
        configured: days(-1),
        is_configuration_in_use: true,
        is_leaving: false,
        sessions: (12, 100),
        connections: (3, 50),
        exchanges: (0, 16),
        store: Store { name: "file", is_up: true, hears: true, replicas: Some(1) },
        are_keys_kept: true,
        is_audit_well: true,
        alarms: Vec::new(),
        certificates: vec![certificate("signing", "CN=portal", 31)],
        upstreams: vec![Upstream { name: "portal".to_owned(), pending: 0, servers: vec![server] }],
        totals: Totals::default(),
    }
}

fn minute(facts: &Facts, ago: i64) -> Minute {
    Minute { number: facts.now.as_second() / 60 - ago, ..Minute::default() }
}

#[test]
fn it_says_in_two_languages_that_all_is_well_and_what_happened() {
    let facts = facts();
    let past = [
        Minute { signed_in: 700, ..minute(&facts, 90) },
        Minute {
            signed_in: 5,
            refused: 2,
            reasons: vec![("login.expired", 2)],
            exchanges: (5, 0),
            ..minute(&facts, 3)
        },
        Minute { signed_in: 2, begun: 1, ..minute(&facts, 0) },
    ];
    for (language, words) in [
        (Language::English, ["All is well.", "7 in all, at most 5 a minute", "707 in all"]),
        (Language::Polish, ["Wszystko działa.", "7 razem, najwięcej 5 na minutę", "707 razem"]),
    ] {
        let page = page::status(language, &facts, (&past, &[]), "anna");
        for text in words.into_iter().chain(["login.expired", "CN=portal", "2031-04-04", "anna"]) {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(page.contains("Urząd &lt;Gminy&gt;"), "what the configuration says is text");
        assert!(!page.contains("<script") && !page.contains("style=\"") && !page.contains("src="));
    }
}

#[test]
fn what_somebody_should_look_at_stands_above() {
    type Change = fn(&mut Facts);
    let rows: [(Change, &str); 13] = [
        (|facts| facts.is_leaving = true, "The process is stopping"),
        (|facts| facts.is_configuration_in_use = false, "configuration was refused"),
        (|facts| facts.store.is_up = false, "store does not answer"),
        (|facts| facts.store.hears = false, "what other replicas tell"),
        (|facts| facts.are_keys_kept = false, "are not kept"),
        (|facts| facts.is_audit_well = false, "audit log cannot be written"),
        (|facts| facts.alarms = vec!["node"], "Exchanges with the national node fail"),
        (|facts| facts.alarms = vec!["clock"], "clock is away"),
        (|facts| facts.alarms = vec!["certificates"], "wrong with a certificate"),
        (|facts| facts.certificates[0].not_after = facts.now, "ends soon: CN=portal (signing): 0"),
        (
            |facts| {
                let second = facts.now.as_second() - 1;
                facts.certificates[0].not_after = Time::from_second(second).unwrap();
            },
            "has expired: CN=portal",
        ),
        (|facts| facts.upstreams[0].servers[0].is_well = false, "no server that is well: portal"),
        (|facts| facts.upstreams[0].servers.clear(), "no server that is well: portal"),
    ];
    for (change, expected) in rows {
        let mut facts = facts();
        change(&mut facts);
        let page = page::status(Language::English, &facts, (&[], &[]), "anna");
        assert!(page.contains(expected) && !page.contains("All is well"), "{expected} in {page}");
    }
    // Of several servers one is out.
    let mut facts = facts();
    let out = Server { state: "down", is_well: false, ..facts.upstreams[0].servers[0].clone() };
    facts.upstreams[0].servers.push(out);
    let page = page::status(Language::English, &facts, (&[], &[]), "anna");
    assert!(page.contains("A server gets no requests: portal, 127.0.0.1:81: down"), "{page}");
    facts.upstreams[0].servers[1].state = "draining";
    assert!(page::status(Language::English, &facts, (&[], &[]), "anna").contains("All is well"));
    let failing = [
        Minute { exchanges: (90, 0), ..minute(&facts, 30) },
        Minute { exchanges: (1, 2), ..minute(&facts, 1) },
    ];
    let failing = page::status(Language::English, &facts, (&failing, &[]), "anna");
    assert!(failing.contains("Exchanges with the national node fail"), "the last minutes count");
    let refused = |ago, reason| {
        let reasons = vec![(reason, 7), ("upstream.timeout", 1)];
        Minute { refused: 8, reasons, ..minute(&facts, ago) }
    };
    let of = |past: &[Minute]| page::status(Language::English, &facts, (past, &[]), "anna");
    let unanswered = of(&[refused(30, "upstream.unreachable"), refused(2, "upstream.unreachable")]);
    assert!(unanswered.contains("did not answer requests of the last ten minutes: 8"));
    let (before, cancelled) = (refused(30, "upstream.unreachable"), vec![("login.cancelled", 7)]);
    let cancelled = Minute { refused: 7, reasons: cancelled, ..minute(&facts, 2) };
    assert!(of(&[before, cancelled]).contains("All is well"));
}

#[test]
fn it_says_how_long_things_took_and_how_many_gateways_there_are() {
    let upstream = Histogram::new(&OF_REQUESTS);
    (0..98).for_each(|_| upstream.observe(Duration::from_millis(2)));
    upstream.observe(Duration::from_millis(1_700));
    upstream.observe(Duration::from_secs(99));
    let store = Histogram::new(&OF_STORES);
    store.observe(Duration::from_micros(300));
    let empty = Spread::empty(&OF_REQUESTS);
    let lasted = [
        Lasted { what: What::Store, hour: store.spread(), day: store.spread() },
        Lasted { what: What::Upstream("<portal>".to_owned()), hour: empty, day: upstream.spread() },
    ];
    let mut facts = facts();
    facts.store.replicas = Some(3);
    let page = |language, facts: &Facts| page::status(language, facts, (&[], &lasted), "anna");
    for (language, words) in [
        (
            Language::English,
            ["≤ 0.5 ms", "≤ 2.5 ms", "≤ 2.5 s", "Gateways at this store</dt><dd>3<"],
        ),
        (
            Language::Polish,
            ["≤ 0,5 ms", "≤ 2,5 ms", "≤ 2,5 s", "Bramy na tym magazynie</dt><dd>3<"],
        ),
    ] {
        let page = page(language, &facts);
        for text in words.into_iter().chain(["Portal: &lt;portal&gt;", ">–<", ">100<"]) {
            assert!(page.contains(text), "{text} in {page}");
        }
    }
    facts.store.replicas = None;
    assert!(page(Language::English, &facts).contains("<dd>not known<"));
    let slow = Lasted { what: What::Resolve, hour: upstream.spread(), day: upstream.spread() };
    upstream.observe(Duration::from_secs(99));
    let slow = Lasted { hour: upstream.spread(), ..slow };
    let page = page::status(Language::Polish, &facts, (&[], &[slow]), "anna");
    assert!(page.contains("> 30 s<") || page.contains("&gt; 30 s<"), "{page}");
}

#[test]
fn the_policy_allows_the_style_of_the_page_and_nothing_else() {
    let page = page::password(Language::Polish);
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    assert!(!style.contains('\r'), "browsers read CRLF as LF, and the hash would be another one");
    let hash = crate::base::encoding::base64(&crate::base::encoding::sha256(style.as_bytes()));
    assert_eq!(
        page::policy(),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    );
}

#[test]
fn colours_keep_the_contrast_that_wcag_asks_for() {
    // WCAG 2.1 success criteria 1.4.3 (text) and 1.4.11 (bars).
    let sheet = include_str!("style.css");
    let (light, dark) = sheet.split_once("prefers-color-scheme: dark").unwrap();
    for (scheme, sheet) in [("light", light), ("dark", dark)] {
        for (front, back, least) in [
            ("ink", "surface", 4.5),
            ("ink", "paper", 4.5),
            ("muted", "surface", 4.5),
            ("muted", "paper", 4.5),
            ("link", "paper", 4.5),
            ("bad", "surface", 4.5),
            ("good", "surface", 4.5),
            ("bar", "surface", 3.0),
            ("line", "surface", 3.0),
        ] {
            let (one, other) = (luminance(sheet, front), luminance(sheet, back));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= least, "{scheme}: {front} on {back} is {contrast:.2}");
        }
    }
}

/// Returns the relative luminance of a colour of the sheet, as WCAG 2.1 defines it.
fn luminance(sheet: &str, name: &str) -> f64 {
    let (_, rest) = sheet.split_once(&format!("--{name}: #")).unwrap();
    let channel = |at: usize| {
        let share = f64::from(u8::from_str_radix(&rest[at..at + 2], 16).unwrap()) / 255.0;
        if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}
