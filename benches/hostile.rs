//! What hostile bytes of 256 KiB cost before anybody is authenticated.
//!
//! `cargo bench --bench hostile` prints the CPU time and the memory that each case takes, searches
//! for a shape of message that takes more than any of them ([`shapes`]), and exits with an error
//! when one takes more than 50 ms or its memory is more than 32 MiB. A message of 4 MiB, the most
//! that `node.max_answer` may be, may take as much more as it is longer.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::time::Duration;

use brama::base::clock::{Clock, SystemClock};
use brama::base::encoding::base64;
use brama::identity::attribute::Attribute;
use brama::identity::headers::ToldNames;
use brama::pages::Language;
use brama::request::cookie::Cookies;
use brama::request::{context, headers, path};
use brama::saml::examine::examine;
use brama::saml::expected::{Expected, Wrapping};
use brama::simulator::kit::{Kit, Names, Role};
use brama::xml::keys::DecryptionKey;
use brama::xml::signature::TrustedCertificates;
use cpu_time::ThreadTime;

mod shapes;

const SIZE: usize = 256 * 1024;
/// How many shapes are tried.
const SHAPES: usize = 600;
const LIMIT: Duration = Duration::from_millis(50);
const MEMORY_LIMIT: u64 = 32 * 1024;

fn main() {
    let now = SystemClock.now();
    let hosts = ["localhost".to_owned()];
    let kit = Kit::make(Names { node: "n", service: "s", hosts: &hosts }, now).unwrap();
    let trusted =
        TrustedCertificates::pin(vec![kit.pair(Role::NodeSigning).certificate().clone()]).unwrap();
    let keys = [DecryptionKey::try_from(kit.pair(Role::ServiceEncryption).key()).unwrap()];
    let expected = Expected {
        node: Some("n".to_owned()),
        service: Some("s".to_owned()),
        acs: Some("https://p/acs".to_owned()),
        request_id: Some("r".to_owned()),
        resolve_id: Some("a".to_owned()),
        assurance: None,
        fresh_since: None,
        required: Attribute::ALL.to_vec(),
        skew: Duration::from_secs(60),
        maximum_bytes: SIZE,
        wrapping: Wrapping::SoapOrBare,
    };
    let mut worst = Duration::ZERO;
    println!(
        "{:<44} {:>10} {:>10} {:<34}",
        "answer of 256 KiB", "CPU ms", "KiB more", "refused for"
    );
    for (name, answer) in answers() {
        let before = forget_peak();
        let mut best = Duration::MAX;
        let mut code = "";
        for _ in 0..3 {
            let start = ThreadTime::now();
            let examination = examine(&answer, &trusted, &keys, &expected, now);
            best = best.min(start.elapsed());
            code = examination.outcome.expect_err("nobody is signed in").code().as_str();
        }
        let more = memory("VmHWM:").saturating_sub(before);
        println!("{name:<44} {:>10.2} {more:>10} {code:<34}", best.as_secs_f64() * 1e3);
        assert!(more <= MEMORY_LIMIT, "{name} took {more} KiB");
        worst = worst.max(best);
    }
    let cost = |size: usize, answer: &[u8]| {
        let expected = Expected { maximum_bytes: size, ..expected.clone() };
        let start = ThreadTime::now();
        let examination = examine(answer, &trusted, &keys, &expected, now);
        let took = start.elapsed();
        assert!(examination.outcome.is_err());
        took
    };
    let open = |declarations: &str, list: &str| {
        let bad = signature(list, &base64(&[0; 32]), &base64(&[0; 64]), "");
        format!("{}{declarations}>{bad}", OPEN.trim_end_matches('>'))
    };
    for size in [SIZE, 16 * SIZE] {
        let (shape, _) =
            shapes::search(SHAPES, |shape| cost(size, &shape.write(size, open, CLOSE)));
        let answer = shape.write(size, open, CLOSE);
        let best = (0..3).map(|_| cost(size, &answer)).min().unwrap_or_default();
        let name = format!("the worst of {SHAPES} shapes of {} KiB", size / 1024);
        println!("{name:<44} {:>10.2} {shape:?}", best.as_secs_f64() * 1e3);
        worst = worst.max(best / u32::try_from(size / SIZE).unwrap());
    }
    println!("\n{:<44} {:>10}", "request of 64 KiB", "CPU ms");
    for (name, run) in requests() {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let start = ThreadTime::now();
            run();
            best = best.min(start.elapsed());
        }
        println!("{name:<44} {:>10.2}", best.as_secs_f64() * 1e3);
        worst = worst.max(best);
    }
    assert!(worst <= LIMIT, "the worst case takes {worst:?}, at most {LIMIT:?} is wanted");
}

/// Forgets the peak of resident memory (Linux, proc(5)), and returns what is resident now in KiB.
fn forget_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    memory("VmRSS:")
}

/// A line of the process's status, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn fill(start: &str, repeat: impl Fn(usize) -> String, end: &str) -> Vec<u8> {
    let mut text = start.to_owned();
    let mut n = 0;
    loop {
        let next = repeat(n);
        if text.len() + next.len() + end.len() > SIZE {
            break;
        }
        text.push_str(&next);
        n += 1;
    }
    text.push_str(end);
    text.into_bytes()
}

const OPEN: &str = "<saml2p:ArtifactResponse xmlns:saml2p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
    xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
    xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" ID=\"x\" InResponseTo=\"a\" Version=\"2.0\">";
const CLOSE: &str = "</saml2p:ArtifactResponse>";

/// A signature of the right shape whose digest and value are wrong.
fn signature(prefix_list: &str, digest: &str, value: &str, certificate: &str) -> String {
    let c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
    format!(
        "<ds:Signature><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{c14n}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
         <ds:Reference URI=\"#x\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <ds:Transform Algorithm=\"{c14n}\"><InclusiveNamespaces xmlns=\"{c14n}\" \
         PrefixList=\"{prefix_list}\"/></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
         </ds:Signature>"
    )
}

/// A name used by 900 elements, as long as the message has room for.
fn namespace_of_many(letter: &str) -> Vec<u8> {
    let good = signature("ds saml2 saml2p xenc", &base64(&[0; 32]), &base64(&[0; 64]), "");
    let uses = "<a:x/>".repeat(900);
    let detail = |name: &str| {
        format!("{OPEN}{good}<r xmlns:a='urn:{name}'><s>{uses}</s></r>{CLOSE}").into_bytes()
    };
    let room = SIZE - detail("").len();
    detail(&letter.repeat(room))
}

fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let good = signature("ds saml2 saml2p xenc", &base64(&[0; 32]), &base64(&[0; 64]), "");
    let signed = format!("{OPEN}{good}");
    let many_prefixes: String = (0..50).map(|n| format!("p{n} ")).collect();
    let declared: String = (0..30).map(|n| format!(" xmlns:p{n}=\"urn:{n}\"")).collect();
    vec![
        ("signed, a name of quotes used by many", namespace_of_many("\"")),
        ("signed, a name of tabs used by many", namespace_of_many("\t")),
        ("signed, a name of letters used by many", namespace_of_many("u")),
        ("many attributes on one element", fill("<a", |n| format!(" a{n}=\"\""), "/>")),
        ("many namespaces on one element", fill("<a", |n| format!(" xmlns:a{n}=\"u\""), "/>")),
        ("many elements", fill("<a>", |_| "<b/>".to_owned(), "</a>")),
        (
            "many elements, as many as are allowed",
            fill(
                OPEN,
                |n| {
                    if n < 990 { "<b/>".to_owned() } else { "x".repeat(100) }
                },
                CLOSE,
            ),
        ),
        ("deep elements", fill("", |_| "<a>".to_owned(), "")),
        (
            "deep, as deep as is allowed, long names",
            fill(&format!("<{}>", "n".repeat(8000)).repeat(30), |_| "x".to_owned(), ""),
        ),
        ("one long text", fill(OPEN, |_| "x".repeat(1000), CLOSE)),
        ("one long text of references", fill(OPEN, |_| "&amp;".to_owned(), CLOSE)),
        ("one long text of numbers", fill(OPEN, |_| "&#x41;".to_owned(), CLOSE)),
        ("one long attribute", fill("<a x=\"", |_| "&lt;".to_owned(), "\"/>")),
        (
            "an entity bomb",
            fill("<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\">]><a>", |_| "&a;".to_owned(), "</a>"),
        ),
        ("comments", fill("<a>", |_| "<!-- -->".to_owned(), "</a>")),
        ("less-than signs", fill("", |_| "<".to_owned(), "")),
        ("not UTF-8", vec![0xff; SIZE]),
        ("zeros", vec![0; SIZE]),
        ("signed, long text", fill(&signed, |_| "x".repeat(1000), CLOSE)),
        ("signed, text of references", fill(&signed, |_| "&gt;".to_owned(), CLOSE)),
        (
            "signed, many elements with many namespaces",
            fill(
                &signed,
                |n| {
                    if n < 28 { format!("<b{declared}><c/></b>") } else { "x".to_owned() }
                },
                CLOSE,
            ),
        ),
        (
            "signed, many elements, many prefixes listed",
            fill(
                &format!(
                    "{OPEN}{}",
                    signature(&many_prefixes, &base64(&[0; 32]), &base64(&[0; 64]), "")
                ),
                |n| {
                    if n < 900 { "<b/>".to_owned() } else { "x".to_owned() }
                },
                CLOSE,
            ),
        ),
        (
            "signed, a huge list of prefixes",
            fill(
                &format!("{OPEN}{}", signature(&"p ".repeat(100_000), "", "", "")),
                |_| "x".to_owned(),
                CLOSE,
            ),
        ),
        (
            "signed, a huge digest",
            fill(
                &format!("{OPEN}{}", signature("ds", &"A".repeat(240_000), "", "")),
                |_| "x".to_owned(),
                CLOSE,
            ),
        ),
        (
            "signed, a huge signature value",
            fill(
                &format!("{OPEN}{}", signature("ds", &base64(&[0; 32]), &"A".repeat(240_000), "")),
                |_| "x".to_owned(),
                CLOSE,
            ),
        ),
        (
            "signed, a huge certificate",
            fill(
                &format!(
                    "{OPEN}{}",
                    signature("ds", &base64(&[0; 32]), "", &"MIIB".repeat(60_000))
                ),
                |_| "x".to_owned(),
                CLOSE,
            ),
        ),
        (
            "signed, hundreds of signatures",
            fill(&signed, |n| if n < 60 { good.clone() } else { "x".to_owned() }, CLOSE),
        ),
        (
            "signed, sorted attributes",
            fill(
                &signed,
                |n| {
                    if n < 30 {
                        format!(
                            "<b{}/>",
                            (0..31)
                                .map(|a| format!(" z{}=\"{}\"", 31 - a, "v".repeat(200)))
                                .collect::<String>()
                        )
                    } else {
                        "x".to_owned()
                    }
                },
                CLOSE,
            ),
        ),
    ]
}

/// A name for the table, and what it does with hostile bytes.
type Case = (&'static str, Box<dyn Fn()>);

fn requests() -> Vec<Case> {
    use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
    let cookies = |text: String| {
        let value = HeaderValue::try_from(text).unwrap();
        HeaderMap::from_iter([(COOKIE, value)])
    };
    let many = cookies("a=1; ".repeat(13_000));
    let ours = cookies("__Host-brama=x; ".repeat(4_000));
    let accept = "pl;q=0.1,".repeat(7_000);
    let connection = HeaderMap::from_iter([(
        HeaderName::from_static("connection"),
        HeaderValue::try_from("x,".repeat(32_000)).unwrap(),
    )]);
    let form = "RelayState=&".repeat(5_400).into_bytes();
    let long_path = format!("/{}", "a/".repeat(32_000));
    let encoded_path = format!("/{}", "%41".repeat(21_000));
    vec![
        (
            "many cookies",
            Box::new(move || {
                assert!(Cookies::SECURE.sessions(&many)[0].is_none());
                Cookies::SECURE.remove_from_request(&mut many.clone());
            }),
        ),
        (
            "many cookies of ours",
            Box::new(move || {
                assert!(Cookies::SECURE.sessions(&ours)[2].is_some());
                Cookies::SECURE.remove_from_request(&mut ours.clone());
            }),
        ),
        (
            "many languages",
            Box::new(move || {
                let _ = Language::negotiate(Some(&accept));
            }),
        ),
        (
            "Connection with many names",
            Box::new(move || {
                let mut headers = connection.clone();
                let scan =
                    headers::clean_request(&mut headers, &[], &ToldNames::default()).unwrap();
                headers::strip_for_upstream(&mut headers, scan, Cookies::SECURE);
            }),
        ),
        (
            "a form of one field many times",
            Box::new(move || {
                assert!(context::form_value(&form, &["RelayState"]).is_none());
            }),
        ),
        (
            "a path of many segments",
            Box::new(move || {
                path::canonical(&long_path).unwrap();
            }),
        ),
        (
            "an encoded path",
            Box::new(move || {
                path::canonical(&encoded_path).unwrap();
            }),
        ),
    ]
}
