//! Test vectors for backends: what arrives, and what a backend that follows the rules answers.
//!
//! 1. `vectors.json` says what the backend is to be configured with and lists the vectors;
//!    `jwks.json` has the keys that are published. The form is described in `docs/backends.md`.
//! 2. Vectors that are accepted come from the code of the gateway; so do those that differ in what
//!    it can say (audience, issuer, level, key). All others are such tokens, changed.
//! 3. An answer is one of three: nobody is signed in, this person is, or an error. An error is never
//!    a guest.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::development::{SIGNED_WITH, period};
use super::forged::{Parts, find_jwk, public_pem, zero_signature};
use super::mint::{self, Order};
use super::serve::{ATTACKER_PATH, KeySets};
use crate::base::clock::{Time, earlier, later};
use crate::identity::assurance::Assurance;
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::NotSigned;
use crate::identity::token::LONGEST_LIFETIME;
use crate::simulator::people::Person;

/// The header that carries a token.
const HEADER: &str = "X-Brama-Assertion";
/// How long ago the key changed: the one before it still has tokens that are good.
const SINCE_CHANGE: Duration = Duration::from_secs(30);
/// How far a clock may be off for a token that is refused for its time to be refused still.
const FAR: Duration = Duration::from_secs(600);
/// How long the longest token is.
const LARGE: usize = 20 * 1024;

/// What the backend answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The person of `claims` is signed in.
    Accept,
    /// Nobody is signed in.
    Nobody,
    /// An error: a status from 400 on, and a page for nobody.
    Refuse,
}

/// One request and its answer.
#[derive(Debug, Serialize)]
struct Vector {
    name: String,
    /// Headers of the request, in their order.
    headers: Vec<[String; 2]>,
    answer: Answer,
    why: &'static str,
    /// What an accepted token says.
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<Value>,
}

/// The file.
#[derive(Debug, Serialize)]
struct File<'f> {
    header: &'static str,
    issuer: &'f str,
    audience: &'f str,
    level: &'static str,
    made_at: i64,
    good_until: i64,
    vectors: Vec<Vector>,
}

/// Vectors and the sets of keys that belong to them.
#[derive(Debug)]
pub(super) struct Made {
    file: String,
    pub(super) sets: KeySets,
}

/// What vectors are made from.
struct Maker {
    order: Order,
    now: Time,
    /// The present keys: previous, current and next.
    ring: KeyRing,
    /// As it was long ago: what it signs with is published no more.
    retired: KeyRing,
    attacker: KeyRing,
    attacker_url: String,
    vectors: Vec<Vector>,
}

/// Makes all vectors for a backend that expects what the order says. `keys_origin` is where the
/// attacker's keys are served, should somebody be misled.
///
/// # Errors
/// When one cannot be signed.
pub(super) fn make(order: Order, keys_origin: &str, now: Time) -> Result<Made, Error> {
    let long_ago = earlier(now, 3 * period() + SINCE_CHANGE);
    let retired = KeyRing::generate(period(), &SIGNED_WITH, long_ago);
    let mut ring = retired.clone();
    for periods in 0..=3 {
        ring.advance(later(long_ago, periods * period()));
    }
    ring.advance(now);
    let (issuer, audience) = (order.issuer.clone(), order.audience.clone());
    let level = order.level.uri();
    let mut maker = Maker {
        order,
        now,
        ring,
        retired,
        attacker: KeyRing::generate(period(), &SIGNED_WITH, now),
        attacker_url: format!("{keys_origin}{ATTACKER_PATH}"),
        vectors: Vec::new(),
    };
    maker.accepted()?;
    maker.of_a_gateway()?;
    maker.of_other_algorithms()?;
    maker.misleading()?;
    maker.changed()?;
    maker.of_headers()?;
    let file = File {
        header: HEADER,
        issuer: &issuer,
        audience: &audience,
        level,
        made_at: now.as_second(),
        // That of the previous key is the oldest.
        good_until: later(earlier(now, 2 * SINCE_CHANGE), LONGEST_LIFETIME).as_second(),
        vectors: maker.vectors,
    };
    let file = serde_json::to_string_pretty(&file).expect("texts and numbers can be written");
    let of_attacker = Some(maker.attacker.jwks(now));
    let sets = KeySets { published: maker.ring.jwks(now), of_attacker };
    Ok(Made { file, sets })
}

/// A vector cannot be signed: the library refused a key.
#[derive(Debug, thiserror::Error)]
#[error("a vector cannot be signed: {0}")]
pub(super) struct Error(String);

impl From<jsonwebtoken::errors::Error> for Error {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<NotSigned> for Error {
    fn from(error: NotSigned) -> Self {
        Self(error.to_string())
    }
}

impl From<crate::identity::error::Error> for Error {
    fn from(error: crate::identity::error::Error) -> Self {
        Self(error.to_string())
    }
}

impl Made {
    /// Writes the files into a folder, which is made when it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("jwks.json"), &self.sets.published)?;
        std::fs::write(folder.join("vectors.json"), &self.file)
    }
}

impl Maker {
    /// What is right, in every way that there is.
    fn accepted(&mut self) -> Result<(), Error> {
        let good = self.token(|_| {})?;
        self.accept("good", good, "signed by the current key, and everything fits");
        let before = earlier(self.now, 2 * SINCE_CHANGE);
        let previous = mint::token(&self.ring, &self.order, before)?;
        self.accept(
            "previous key",
            previous,
            "signed a minute ago, by the key before this one: it is published until its last \
             token has ended",
        );
        let higher = self.token(|order| order.level = Assurance::High)?;
        self.accept("higher level", higher, "the level is at least the one that is needed");
        let escaped = self.token(|order| order.person = somebody("malgorzata"))?;
        self.accept(
            "name of signs",
            escaped,
            "a name has characters that a page must escape; nothing is wrong with it",
        );
        let abroad = self.token(|order| order.person = somebody("jurgen"))?;
        self.accept("person without a PESEL", abroad, "somebody of another country");
        Ok(())
    }

    /// What a gateway signs, but not for this backend, this time or this key.
    fn of_a_gateway(&mut self) -> Result<(), Error> {
        let (past, future) = (earlier(self.now, FAR + LONGEST_LIFETIME), later(self.now, FAR));
        // Each is signed by a key that is published, or the key would be what is wrong with it.
        let good = Parts::of(&self.token(|_| {})?);
        let at = |time: Time| {
            let end = later(time, LONGEST_LIFETIME).as_second();
            let begin = time.as_second();
            good.clone().claim("iat", begin).claim("nbf", begin).claim("exp", end)
        };
        let (expired, early) = (at(past), at(future));
        self.refuse("expired", expired.sign(&self.ring, self.now)?, "\"exp\" is ten minutes past");
        let early = early.sign(&self.ring, self.now)?;
        self.refuse("not yet valid", early, "\"nbf\" is ten minutes ahead");
        let other = self.token(|order| order.audience.push_str("-of-others"))?;
        self.refuse("wrong audience", other, "\"aud\" is another backend");
        let other = self.token(|order| order.issuer = "https://other.example".to_owned())?;
        self.refuse("wrong issuer", other, "\"iss\" is another gateway");
        if self.order.level > Assurance::Low {
            let lower = self.token(|order| order.level = Assurance::Low)?;
            self.refuse("lower level", lower, "\"acr\" is below the level that is needed");
        }
        let unknown = mint::token(&self.attacker, &self.order, self.now)?;
        self.refuse("unknown kid", unknown, "no key of that name was ever published");
        let retired = mint::token(&self.retired, &self.order, self.now)?;
        self.refuse("retired kid", retired, "the key was published once, and is no more");
        Ok(())
    }

    /// The algorithm is the backend's to say, never the token's (RFC 8725 3.1).
    fn of_other_algorithms(&mut self) -> Result<(), Error> {
        let good = Parts::of(&self.token(|_| {})?);
        for name in ["none", "None", "NONE"] {
            let token = good.clone().header("alg", name).with_signature("");
            let why = "an algorithm that proves nothing";
            self.refuse(&format!("alg: {name}"), token, why);
        }
        let id = good.header["kid"].as_str().unwrap_or_default().to_owned();
        let jwk = find_jwk(&self.ring.jwks(self.now), &id);
        let pem = public_pem(&jwk);
        let shared = good.clone().header("alg", "HS256");
        for (how, secret) in [
            ("PEM", pem.as_str()),
            ("PEM without its last line end", pem.trim_end()),
            ("JWK", &jwk.to_string()),
            ("nothing", ""),
        ] {
            let token = shared.sign_with_secret(secret.as_bytes())?;
            let why = "signed with what everybody knows, as if it were a shared secret";
            self.refuse(&format!("HS256 with the public key as {how}"), token, why);
        }
        let path = shared.header("kid", "../../../../../dev/null").sign_with_secret(b"")?;
        self.refuse("kid of a path", path, "the name of the key is that of an empty file");
        let token = good.header("alg", "ES384").sign(&self.ring, self.now)?;
        self.refuse("alg: ES384", token, "the algorithm is another one than ES256");
        Ok(())
    }

    /// The key is found by its name in the gateway's set, and nowhere else (RFC 8725 3.10).
    fn misleading(&mut self) -> Result<(), Error> {
        let good = Parts::of(&self.token(|_| {})?);
        let own =
            self.attacker.current(SIGNED_WITH[0], self.now).expect("it was made").id().to_owned();
        let jwk = find_jwk(&self.attacker.jwks(self.now), &own);
        let url = self.attacker_url.clone();
        let why = "signed by a key of the attacker, whom the token itself vouches for";
        let ours = |name: &str, value: Value| good.clone().header(name, value);
        let theirs = |name: &str, value: Value| ours(name, value).header("kid", own.clone());
        for (name, parts) in [
            ("jku in the header", theirs("jku", url.clone().into())),
            ("jku with a known kid", ours("jku", url.clone().into())),
            ("jwk in the header", theirs("jwk", jwk.clone())),
            ("jwk with a known kid", ours("jwk", jwk)),
            ("x5u in the header", theirs("x5u", url.into())),
            ("known kid", good.clone()),
        ] {
            self.refuse(name, parts.sign(&self.attacker, self.now)?, why);
        }
        let mut unnamed = good;
        if let Some(header) = unnamed.header.as_object_mut() {
            header.shift_remove("kid");
        }
        let unnamed = unnamed.sign(&self.attacker, self.now)?;
        self.refuse("no kid", unnamed, "signed by a key of the attacker, which is not named");
        Ok(())
    }

    /// What was signed is not what is there, or is not to be understood.
    fn changed(&mut self) -> Result<(), Error> {
        let good = Parts::of(&self.token(|_| {})?);
        let other = Parts::of(&self.token(|order| order.person = somebody("zofia"))?);
        let swapped = Parts { payload: other.payload, ..good.clone() };
        let token = swapped.with_signature(&good.signature);
        self.refuse("swapped payload", token, "the signature is of another person's token");
        let token = good.with_signature("");
        self.refuse("no signature", token, "the signature is empty");
        let token = good.with_signature(&zero_signature());
        let why = "a signature of noughts, which some libraries took for one of everything";
        self.refuse("signature of noughts", token, why);
        let critical = good.clone().header("crit", serde_json::json!(["brama-test"]));
        let critical = critical.header("brama-test", true).sign(&self.ring, self.now)?;
        let why = "\"crit\" names what the backend does not understand (RFC 7515 4.1.11)";
        self.refuse("crit", critical, why);
        for claim in ["exp", "iss", "aud", "sub"] {
            let token = good.clone().without(claim).sign(&self.ring, self.now)?;
            self.refuse(&format!("no {claim}"), token, "a claim is not there that must be");
        }
        let filler = "x".repeat(LARGE);
        let large = good.claim("filler", filler).sign(&self.ring, self.now)?;
        let why = "signed, and larger than any gateway makes it: it is not worth reading";
        self.refuse("20 KB token", large, why);
        Ok(())
    }

    /// What is wrong with the header, not with a token.
    fn of_headers(&mut self) -> Result<(), Error> {
        let good = self.token(|_| {})?;
        let other = self.token(|order| order.person = somebody("zofia"))?;
        self.refuse("empty token", String::new(), "a header without a token is no absent header");
        self.refuse("no token", "anna".to_owned(), "the header has something else than a token");
        self.refuse("four parts", format!("{good}.e30"), "a token has three parts");
        let joined = format!("{good}, {other}");
        let why = "two headers of two persons, which something on the way made one of";
        self.refuse("two tokens in one header", joined, why);
        let pair = |name: &str, value: String| [name.to_owned(), value];
        let twice = vec![pair(HEADER, good.clone()), pair(HEADER, other)];
        let why = "two headers of two persons: a gateway sends one";
        self.push("duplicate header", twice, Answer::Refuse, why);
        self.push("no header", Vec::new(), Answer::Nobody, "nobody is signed in");
        for (name, spelling) in [
            ("folded alias", "X_Brama_Assertion"),
            ("folded alias of mixed signs", "X-Brama_Assertion"),
        ] {
            let alias = vec![pair(spelling, good.clone())];
            let why = "another header, which servers that fold names take for ours; a gateway \
                       refuses such a request";
            self.push(name, alias, Answer::Nobody, why);
        }
        Ok(())
    }

    /// A token that is right but for what is changed of the order.
    fn token(&self, change: impl FnOnce(&mut Order)) -> Result<String, Error> {
        let mut order = self.order.clone();
        change(&mut order);
        Ok(mint::token(&self.ring, &order, self.now)?)
    }

    fn accept(&mut self, name: &str, token: String, why: &'static str) {
        let claims = Parts::of(&token).payload;
        self.push(name, vec![[HEADER.to_owned(), token]], Answer::Accept, why);
        if let Some(vector) = self.vectors.last_mut() {
            vector.claims = Some(claims);
        }
    }

    fn refuse(&mut self, name: &str, token: String, why: &'static str) {
        self.push(name, vec![[HEADER.to_owned(), token]], Answer::Refuse, why);
    }

    fn push(&mut self, name: &str, headers: Vec<[String; 2]>, answer: Answer, why: &'static str) {
        self.vectors.push(Vector { name: name.to_owned(), headers, answer, why, claims: None });
    }
}

/// An invented person by a key that is known.
fn somebody(key: &str) -> &'static Person {
    Person::find(key).expect("the simulator has this person")
}
