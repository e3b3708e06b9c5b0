//! What holds for whatever comes in: no panic, nobody signed in who should not be, one meaning.

#![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

use std::sync::OnceLock;
use std::time::Duration;

use brama::base::clock::Time;
use brama::flow::return_to::ReturnTo;
use brama::gate::action::{Redirect, RedirectHost};
use brama::gate::readings::UNKNOWN;
use brama::gate::rewrite::Rewrite;
use brama::identity::assurance::Assurance;
use brama::identity::attribute::Attribute;
use brama::identity::forms::headers::Preset;
use brama::identity::headers::{IdentityHeader, ToldNames, identity_header};
use brama::pages::Language;
use brama::request::{context, headers, host, lenient_path, path};
use brama::saml::artifact::Artifact;
use brama::saml::examine::examine;
use brama::saml::expected::{Expected, Wrapping};
use brama::simulator::answer::{self, Login};
use brama::simulator::kit::{Kit, Names, Role};
use brama::simulator::people::PEOPLE;
use brama::xml::keys::DecryptionKey;
use brama::xml::signature::TrustedCertificates;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

struct World {
    answer: Vec<u8>,
    trusted: TrustedCertificates,
    keys: Vec<DecryptionKey>,
    expected: Expected,
    now: Time,
}

/// One answer that is right, made once: making keys is slow.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let now: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        let kit = Kit::make(Names { node: "n", service: "s", hosts: &[] }, now).unwrap();
        let recipient = kit.pair(Role::ServiceEncryption).certificate().clone();
        let login = Login::example("n", "s", &recipient);
        let answer = answer::build(&login, &kit, &[], now).unwrap();
        let node = kit.pair(Role::NodeSigning).certificate().clone();
        let key = DecryptionKey::try_from(kit.pair(Role::ServiceEncryption).key()).unwrap();
        World {
            answer,
            trusted: TrustedCertificates::pin(vec![node]).unwrap(),
            keys: vec![key],
            expected: Expected {
                node: Some("n".to_owned()),
                service: Some("s".to_owned()),
                acs: Some("https://portal.example/acs".to_owned()),
                request_id: Some("ID-request".to_owned()),
                resolve_id: Some("ID-resolve".to_owned()),
                assurance: Some(Assurance::Low),
                fresh_since: None,
                required: Attribute::ALL.to_vec(),
                skew: Duration::from_secs(60),
                maximum_bytes: 256 * 1024,
                wrapping: Wrapping::Soap,
            },
            now,
        }
    })
}

/// Who is signed in by an answer, if anybody.
fn signed_in(answer: &[u8]) -> Option<String> {
    let w = world();
    let examination = examine(answer, &w.trusted, &w.keys, &w.expected, w.now);
    let assertion = examination.for_login().ok()?;
    Some(assertion.person().identifier().as_str().to_owned())
}

/// An edit of a message: where, how much goes, what comes instead.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        "[<>/&;:#\"'= a-zA-Z0-9!?-]{0,24}".prop_map(String::into_bytes),
        Just(b"<!-- -->".to_vec()),
        Just(b"<saml2:Assertion/>".to_vec()),
        Just(b" ID=\"x\"".to_vec()),
    ];
    (any::<prop::sample::Index>(), 0..40_usize, piece)
}

/// A name under which a portal may be told an identity, in any spelling that a program behind may
/// read as that name: letters of either case, and whatever separates words in a name of HTTP.
fn name_of_an_identity() -> impl Strategy<Value = HeaderName> {
    const OF_OTHERS: [&str; 12] = [
        "x-brama-assertion",
        "x-brama-encrypted-assertion",
        "x-auth-request-user",
        "x-authentik-username",
        "x-client-cert",
        "x-forwarded-client-cert",
        "ssl-client-s-dn",
        "cf-access-jwt-assertion",
        "x-pomerium-claim-email",
        "x-goog-iap-jwt-assertion",
        "x-ms-client-principal",
        CITIZEN,
    ];
    let presets =
        [Preset::Brama, Preset::RemoteUser, Preset::Oauth2Proxy, Preset::Shibboleth].into_iter();
    let presets = presets.flat_map(|preset| preset.fields().iter().map(|(name, _)| *name));
    // These three are taken from clients where a route has the preset.
    let presets = presets.filter(|name| !matches!(*name, "givenname" | "sn" | "displayname"));
    let known: Vec<&str> = OF_OTHERS.into_iter().chain(presets).collect();
    let separators = prop::collection::vec(prop::sample::select(&b"!#$%&'*+-.^_`|~"[..]), 8);
    let is_upper = prop::collection::vec(any::<bool>(), 64);
    (prop::sample::select(known), separators, is_upper).prop_map(|(name, separators, is_upper)| {
        let mut separators = separators.into_iter().cycle();
        let letters = name.bytes().zip(is_upper).map(|(letter, is_upper)| match letter {
            b'-' => separators.next().unwrap(),
            letter if is_upper => letter.to_ascii_uppercase(),
            letter => letter,
        });
        HeaderName::from_bytes(&letters.collect::<Vec<_>>()).unwrap()
    })
}

/// A name of the operator's choice.
const CITIZEN: &str = "x-citizen-id";

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_answer_signs_in_nobody_else(edits in prop::collection::vec(edit(), 1..4)) {
        let mut answer = world().answer.clone();
        for (at, removed, inserted) in edits {
            let at = at.index(answer.len());
            let end = (at + removed).min(answer.len());
            answer.splice(at..end, inserted);
        }
        let person = signed_in(&answer);
        prop_assert!(person.is_none() || person.as_deref() == Some(&*PEOPLE[0].identifier));
    }

    #[test]
    fn two_parts_of_an_answer_exchanged_sign_in_nobody_else(
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
        length in 1..4000_usize,
    ) {
        let mut answer = world().answer.clone();
        let from = a.index(answer.len());
        let part: Vec<u8> = answer[from..].iter().copied().take(length).collect();
        let to = b.index(answer.len());
        answer.splice(to..to, part);
        let person = signed_in(&answer);
        prop_assert!(person.is_none() || person.as_deref() == Some(&*PEOPLE[0].identifier));
    }

    #[test]
    fn any_bytes_at_all_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        prop_assert_eq!(signed_in(&bytes), None);
    }

    /// Whatever route it is for: this is looked at before there is any.
    #[test]
    fn nobody_sends_a_name_of_an_identity(
        forged in prop::collection::vec(name_of_an_identity(), 1..6),
        harmless in "[a-z]{1,8}-[a-z]{1,8}",
    ) {
        let told = ToldNames::new([&HeaderName::from_static(CITIZEN)]);
        let mut map = HeaderMap::new();
        for name in &forged {
            map.append(name, HeaderValue::from_static("forged"));
            prop_assert!(!headers::may_be_in_request_trailer(name, &told), "{name} as a trailer");
        }
        map.append(HeaderName::try_from(harmless.as_str()).unwrap(), HeaderValue::from_static("x"));
        if headers::clean_request(&mut map, &[], &told).is_ok() {
            prop_assert!(map.values().all(|value| value != "forged"), "{map:?}");
        }
    }

    #[test]
    fn a_path_that_is_taken_has_one_meaning(raw in "[/.%;\\\\a-c0-9#ż]{0,24}") {
        let raw = format!("/{raw}");
        if let Ok(decoded) = path::canonical(&raw) {
            let segments: Vec<_> = decoded.split('/').collect();
            prop_assert!(!segments.contains(&"..") && !segments.contains(&"."), "{decoded}");
            prop_assert!(!decoded.contains("//") && !decoded.contains('\\'), "{decoded}");
            prop_assert!(!decoded.contains(';'), "{decoded}");
        }
    }

    #[test]
    fn a_lenient_path_leads_up_in_no_reading(
        raw in "(/|[.;a-c]|%2[Ff]|%2[Ee]|%25|%3[Bb]|%B1|%C0|%AF|%C5%BC|%5C){0,14}",
    ) {
        let raw = format!("/{raw}");
        let Some(readings) = lenient_path::read(&raw) else { return Ok(()) };
        // Everything decoded; of bytes that are no UTF-8, what is no letter of ASCII dropped.
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(&raw).collect();
        let ascii = || bytes.iter().copied().filter(u8::is_ascii).map(char::from).collect();
        let decoded = String::from_utf8(bytes.clone()).unwrap_or_else(|_| ascii());
        let dropped = |reading: &String| reading.replace(UNKNOWN, "");
        let all = readings.others.iter().chain([&readings.path, &readings.longest]).map(dropped);
        for reading in all.chain([decoded]) {
            prop_assert!(!reading.starts_with("//"), "{} {}", raw, reading);
            let leads_up = reading.split(['/', ';']).any(|part| part == "." || part == "..");
            prop_assert!(!leads_up, "{} {}", raw, reading);
        }
    }

    #[test]
    fn policy_and_upstream_see_the_same_path_but_for_the_prefixes(rest in "[/.%;a-c0-9]{0,16}") {
        let rewrite = Rewrite::new("/tax/b", "/tax/b", "/app").unwrap();
        for prefix in ["/tax/b", "/%74ax/b", "/tax;x=1/%62;y"] {
            let raw = format!("{prefix}{rest}");
            let Ok(seen) = path::canonical(&raw) else { continue };
            let Some(after) = seen.strip_prefix("/tax/b") else { continue };
            if after.is_empty() || after.starts_with('/') {
                let rewritten = rewrite.path(&raw);
                let seen = path::canonical(&rewritten).map(std::borrow::Cow::into_owned);
                prop_assert_eq!(seen, Ok(format!("/app{after}")));
            }
        }
    }

    #[test]
    fn a_client_does_not_choose_where_a_redirect_leads(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "https://", "{host}", "{path}", "{query}", "/", "a", ".", "?", "@", ":", "#", "8", "&",
            ]),
            1..7,
        ),
    ) {
        let text = pieces.concat();
        if let Ok(redirect) = Redirect::parse(302, &text) {
            let host = RedirectHost { name: "portal.example", origin: None };
            let location = redirect.location(host, "/evil.path", Some("//evil.query"));
            let location = location.unwrap();
            let base = url::Url::parse("https://portal.example/").unwrap();
            // What is no address at all leads nowhere.
            if let Ok(target) = base.join(location.to_str().unwrap()) {
                prop_assert!(!target.host_str().unwrap_or("").contains("evil"), "{} {}", text, target);
            }
        }
    }

    #[test]
    fn a_place_to_return_to_is_on_this_host(text in "\\PC{0,40}") {
        let base = url::Url::parse("https://portal.example/").unwrap();
        let target = ReturnTo::parse(&text);
        let target = base.join(target.as_str()).unwrap();
        prop_assert_eq!(target.origin(), base.origin());
    }

    #[test]
    fn small_parsers_are_total(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = host::name(&text);
        let _ = Language::negotiate(Some(&text));
        let _ = Artifact::parse(&text);
        let _ = context::form_value(&bytes, &["RelayState"]);
        let _ = brama::config::load_text("x", &text, std::iter::empty());
    }

    #[test]
    fn a_name_that_folds_to_ours_is_never_foreign(separator in "[!#$%&'*+.^_`|~-]", case in any::<bool>()) {
        let name = format!("x{separator}brama{separator}assertion");
        let name = if case { name.to_ascii_uppercase() } else { name };
        prop_assert_ne!(identity_header(&name), IdentityHeader::Foreign);
    }
}

#[test]
fn the_answer_that_is_edited_is_right() {
    assert_eq!(signed_in(&world().answer).as_deref(), Some(&*PEOPLE[0].identifier));
}
