//! What it costs to tell a portal who somebody is, in each form, by the request.
//!
//! `cargo bench --bench identity`. The token is kept, as it is for nearly every request; what is
//! counted is the look for it, all fields written into a buffer, and the signature where one is made.
//! Rounds of the forms alternate, and the best round of each counts. It is the time of the processor,
//! because others may use the machine.
//!
//! Exits with an error when plain headers cost more than 1 µs more than the token, a signature by a
//! shared secret more than 5 µs, or one by the key of the tokens more than 60 µs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use brama::base::clock::{SharedClock, SystemClock, Time};
use brama::identity::claims::{PairwiseSecret, PersonalClaim};
use brama::identity::forms::Form;
use brama::identity::forms::headers::{Encoding, PlainHeaders, Preset};
use brama::identity::forms::signature::{Message, MessageSignature, RingAlgorithm, SigningKey};
use brama::identity::keyring::KeyRing;
use brama::identity::keys::SigningKeys;
use brama::identity::release::Release;
use brama::identity::signing_key::Algorithm;
use brama::identity::token::{Minter, Tokens};
use brama::identity::ways::Ways;
use brama::saml::examine::examine;
use brama::session::{Session, SessionId};
use cpu_time::ThreadTime;
use http::{HeaderMap, HeaderValue};
use world::World;

mod world;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;
const PER_ROUND: u32 = 2000;

/// One form, and how much more than the first it may cost.
struct Contestant {
    name: &'static str,
    forms: Vec<Form>,
    signature: Option<MessageSignature>,
    most: Option<Duration>,
}

struct Case {
    tokens: Tokens,
    session: Session,
    now: Time,
    clock: SharedClock,
    headers: HeaderMap,
}

fn main() {
    let world = World::new();
    let now = world.now;
    let (trusted, expected) = (&world.trusted, &world.expected);
    let examination = examine(&world.answer, trusted, &world.keys, expected, now);
    let assertion = examination.for_login().unwrap();
    let key = SessionId::generate().key();
    let session = Session::begin(&assertion, key, &world.settings, now);
    let day = Duration::from_secs(86_400);
    let keys = Arc::new(SigningKeys::new(KeyRing::generate(
        day,
        &[Algorithm::Es256, Algorithm::EdDsa],
        now,
    )));
    let how = (Duration::from_secs(300), Ways::default());
    let secret = PairwiseSecret::generate();
    let minter = Minter::new("https://portal.example".to_owned(), secret, how, keys, 1000);
    let case = Case {
        tokens: Tokens::new(Arc::new(minter)),
        session,
        now,
        clock: Arc::new(SystemClock),
        headers: HeaderMap::new(),
    };
    let contestants = contestants();
    let mut best = vec![Duration::MAX; contestants.len()];
    for _ in 0..ROUNDS {
        for (number, (best, contestant)) in best.iter_mut().zip(&contestants).enumerate() {
            *best = (*best).min(case.round(number, contestant));
        }
    }
    println!("{:<44} {:>12}", "form", "CPU ns/op");
    let mut is_over = false;
    for (contestant, time) in contestants.iter().zip(&best) {
        println!("{:<44} {:>12}", contestant.name, time.as_nanos());
        let more = time.saturating_sub(best[0]);
        is_over |= contestant.most.is_some_and(|most| more > most);
    }
    assert!(!is_over, "a form costs more than it may");
}

fn contestants() -> Vec<Contestant> {
    let headers = Form::Headers(PlainHeaders::of(Preset::Brama, Encoding::Percent));
    let lifetime = Duration::from_secs(60);
    let shared = SigningKey::shared("portal", &[7; 32]).unwrap();
    let one = |name, forms, signature, most| Contestant {
        name,
        forms,
        signature,
        most: Option::map(most, Duration::from_micros),
    };
    let signed = |key| {
        Some(MessageSignature { key, lifetime, audience: HeaderValue::from_static("portal") })
    };
    vec![
        one("assertion", vec![Form::Assertion], None, None),
        one("headers", vec![headers], None, Some(1)),
        one("assertion, signature (hmac-sha256)", vec![Form::Assertion], signed(shared), Some(5)),
        one(
            "assertion, signature (ecdsa-p256-sha256)",
            vec![Form::Assertion],
            signed(SigningKey::Ring(RingAlgorithm::EcdsaP256Sha256)),
            Some(60),
        ),
        one(
            "assertion, signature (ed25519)",
            vec![Form::Assertion],
            signed(SigningKey::Ring(RingAlgorithm::Ed25519)),
            Some(60),
        ),
    ]
}

impl Case {
    fn round(&self, number: usize, contestant: &Contestant) -> Duration {
        let claims = vec![
            PersonalClaim::GivenName,
            PersonalClaim::FamilyName,
            PersonalClaim::Birthdate,
            PersonalClaim::Pesel,
        ];
        let forms = contestant.forms.clone();
        let release = Release { claims, forms, ..Release::by_assertion("portal", Vec::new()) };
        let subject = self.session.subject();
        let mut head = Vec::with_capacity(8192);
        let began = ThreadTime::now();
        for _ in 0..PER_ROUND {
            head.clear();
            let release = (number, &release);
            let told = self.tokens.told([7; 32], release, || subject, self.now).unwrap();
            for (name, value) in told.fields() {
                head.extend_from_slice(name.as_str().as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
            if let Some(how) = &contestant.signature {
                let message = Message {
                    method: "GET",
                    authority: "portal.example",
                    target: "/tax/declarations?year=2026",
                    headers: &self.headers,
                    identity: told.fields(),
                };
                let signed = self.tokens.signer(how, &self.clock).sign(&message).unwrap();
                for (name, value) in signed {
                    head.extend_from_slice(name.as_str().as_bytes());
                    head.extend_from_slice(value.as_bytes());
                }
            }
            black_box(&head);
        }
        began.elapsed() / PER_ROUND
    }
}
