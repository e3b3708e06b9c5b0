//! What is signed, by which key.

use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

use super::*;
use crate::base::clock::ManualClock;
use crate::base::encoding::{from_base64, from_base64url};
use crate::identity::keyring::KeyRing;
use crate::identity::keys::SigningKeys;
use crate::identity::signing_key::Algorithm;

fn message<'m>(headers: &'m HeaderMap, identity: &'m [Field]) -> Message<'m> {
    Message {
        method: "POST",
        authority: "portal.example",
        target: "/tax?year=2026",
        headers,
        identity,
    }
}

fn audience() -> Field {
    (AUDIENCE, HeaderValue::from_static("tax"))
}

fn signature(key: SigningKey) -> MessageSignature {
    MessageSignature { key, lifetime: Duration::from_secs(60), audience: audience().1 }
}

#[test]
fn the_base_has_a_line_for_each_part_and_says_what_it_covers() {
    let mut headers = HeaderMap::new();
    headers.append(CONTENT_DIGEST, HeaderValue::from_static(" sha-256=:YQ==: "));
    headers.append(CONTENT_DIGEST, HeaderValue::from_static("sha-512=:Yg==:"));
    headers.append("other", HeaderValue::from_static("x"));
    let told = (HeaderName::from_static("remote-user"), HeaderValue::from_static("anna "));
    let empty = (HeaderName::from_static("remote-email"), HeaderValue::from_static(""));
    let parameters = Parameters { times: [100, 160], nonce: "n", key_id: "k" };
    let (base, said) = message(&headers, &[told, empty]).base(&audience(), &parameters).unwrap();
    let expected = "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" \
         \"x-brama-audience\" \"remote-user\" \"remote-email\");created=100;expires=160;nonce=\"n\";keyid=\"k\";\
         tag=\"brama\"";
    assert_eq!(said, expected);
    let lines = [
        "\"@method\": POST",
        "\"@authority\": portal.example",
        "\"@path\": /tax",
        "\"@query\": ?year=2026",
        "\"content-digest\": sha-256=:YQ==:, sha-512=:Yg==:",
        "\"x-brama-audience\": tax",
        "\"remote-user\": anna",
        "\"remote-email\": ",
        &format!("\"@signature-params\": {expected}"),
    ];
    assert_eq!(String::from_utf8(base).unwrap(), lines.join("\n"));
}

#[test]
fn a_target_without_a_query_or_a_path_has_one_in_the_base() {
    let headers = HeaderMap::new();
    let parameters = Parameters { times: [0, 0], nonce: "n", key_id: "k" };
    for (target, path, query) in
        [("/", "/", "?"), ("/a?", "/a", "?"), ("/a?b?c", "/a", "?b?c"), ("?a", "/", "?a")]
    {
        let message = Message { target, ..message(&headers, &[]) };
        let base = String::from_utf8(message.base(&audience(), &parameters).unwrap().0).unwrap();
        assert!(base.contains(&format!("\"@path\": {path}\n\"@query\": {query}\n")), "{base}");
    }
}

#[test]
fn a_secret_is_as_long_as_its_digest() {
    assert!(SigningKey::shared("k", &[1; SigningKey::LEAST]).is_some());
    assert!(SigningKey::shared("k", &[1; SigningKey::LEAST - 1]).is_none());
}

#[test]
fn a_signature_of_the_ring_is_that_of_the_key_that_it_names() {
    let now = Time::from_second(1_900_000_000).unwrap();
    let period = Duration::from_secs(1000);
    let ring = KeyRing::generate(period, &[Algorithm::Es256, Algorithm::EdDsa], now);
    let keys = Arc::new(SigningKeys::new(ring));
    let signer = RingSigner::new(Arc::clone(&keys));
    let headers = HeaderMap::new();
    // The ring goes on, and so does what signs.
    let manual = Arc::new(ManualClock::at(now));
    let clock: SharedClock = Arc::clone(&manual) as SharedClock;
    let mut seen = Vec::new();
    for now in [now, later(now, period)] {
        for algorithm in [RingAlgorithm::EcdsaP256Sha256, RingAlgorithm::Ed25519] {
            let key = SigningKey::Ring(algorithm);
            let how = signature(key);
            let signer = Signer { how: &how, ring: &signer, clock: &clock };
            let [audience, (_, input), (_, signature)] =
                signer.sign(&message(&headers, &[])).unwrap();
            let parameters = input.to_str().unwrap().strip_prefix("brama=").unwrap();
            let nonce = parameters.split('"').nth_back(5).unwrap();
            let read = keys.ring();
            let key_id = read.current(algorithm.of_tokens(), now).unwrap().id();
            let times = [now, later(now, Duration::from_secs(60))].map(Time::as_second);
            let expected = Parameters { times, nonce, key_id };
            let (base, said) = message(&headers, &[]).base(&audience, &expected).unwrap();
            assert_eq!(said, parameters);
            assert!(said.contains("\"x-brama-audience\"") && audience.1 == "tax");
            let signature = signature.to_str().unwrap();
            let signature = signature.strip_prefix("brama=:").unwrap().strip_suffix(':').unwrap();
            let signature = from_base64(signature).unwrap();
            let key = public_key(&read.jwks(now), key_id);
            assert!(key.verify(&base, &signature).is_ok(), "{algorithm:?}");
            assert!(key.verify(&[&base[..], b" "].concat(), &signature).is_err());
            seen.push(key_id.to_owned());
        }
        manual.advance(period);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "each has keys of its own");
}

/// What is published of a key.
fn public_key(jwks: &str, id: &str) -> UnparsedPublicKey<Vec<u8>> {
    let jwks: serde_json::Value = serde_json::from_str(jwks).unwrap();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == id).unwrap();
    let coordinate = |name| from_base64url(key[name].as_str().unwrap()).unwrap();
    if key["kty"] == "OKP" {
        return UnparsedPublicKey::new(&ED25519, coordinate("x"));
    }
    let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
}

#[test]
fn a_ring_without_a_key_of_the_algorithm_signs_nothing() {
    let now = Time::from_second(1_900_000_000).unwrap();
    let ring = KeyRing::generate(Duration::from_secs(1000), &[Algorithm::Es256], now);
    let signer = RingSigner::new(Arc::new(SigningKeys::new(ring)));
    let clock: SharedClock = Arc::new(ManualClock::at(now));
    let key = SigningKey::Ring(RingAlgorithm::Ed25519);
    let how = signature(key);
    let signer = Signer { how: &how, ring: &signer, clock: &clock };
    let signed = signer.sign(&message(&HeaderMap::new(), &[]));
    assert_eq!(signed.unwrap_err(), Error::NoKey(Algorithm::EdDsa));
}

#[test]
fn what_no_signature_can_cover_is_not_signed() {
    let utf8 = HeaderValue::from_bytes("Żaneta".as_bytes()).unwrap();
    let told = [(HeaderName::from_static("remote-name"), utf8)];
    let parameters = Parameters { times: [0, 0], nonce: "n", key_id: "k" };
    assert!(message(&HeaderMap::new(), &told).base(&audience(), &parameters).is_err());
}

#[test]
fn a_digest_that_is_absent_or_could_not_be_covered_is_not() {
    let parameters = Parameters { times: [0, 0], nonce: "n", key_id: "k" };
    for digest in [None, Some(&b"sha-256=:YQ==:"[..]), Some("sha-256=:ż:".as_bytes())] {
        let mut headers = HeaderMap::new();
        headers
            .extend(digest.map(|value| (CONTENT_DIGEST, HeaderValue::from_bytes(value).unwrap())));
        let (_, said) = message(&headers, &[]).base(&audience(), &parameters).unwrap();
        let is_covered = digest.is_some_and(<[u8]>::is_ascii);
        assert_eq!(said.contains("content-digest"), is_covered, "{digest:?}");
    }
}

#[test]
fn a_signature_is_in_no_log() {
    let clock: SharedClock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
    let ring = RingSigner::new(Arc::new(SigningKeys::new(KeyRing::empty(Duration::MAX, &[]))));
    let how = signature(SigningKey::shared("k", &[7; 32]).unwrap());
    let signer = Signer { how: &how, ring: &ring, clock: &clock };
    let [_, (_, input), (_, signature)] = signer.sign(&message(&HeaderMap::new(), &[])).unwrap();
    assert!(signature.is_sensitive() && !input.is_sensitive());
    assert!(!format!("{signature:?}").contains("brama"));
}

#[test]
fn what_a_program_would_read_as_ours_or_as_what_is_covered_takes_its_place() {
    for (name, takes) in [
        ("signature", true),
        ("signature-input", true),
        ("signature_input", true),
        ("content_digest", true),
        // It is covered as it is.
        ("content-digest", false),
        ("signatures", false),
        ("signature-inputs", false),
        ("signature-inpux", false),
        ("content-digesx", false),
        ("x-signature", false),
    ] {
        assert_eq!(takes_its_place(&HeaderName::from_static(name)), takes, "{name}");
    }
}
