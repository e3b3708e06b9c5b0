//! `signature`: each request is signed as it goes to the portal (RFC 9421), with all that is told of
//! the citizen.
//!
//! 1. What is signed: `@method`, `@authority`, `@path`, `@query`, `content-digest` when the request
//!    has one (RFC 9530; a body is streamed, so none is made here), and every identity field that
//!    goes with it. A request in nobody's name is signed too: that it is nobody's is told as well.
//! 2. The parameters are `created`, `expires`, `nonce`, `keyid` and `tag="brama"`. The label is
//!    `brama`. Signatures that a client brings are removed: the portal sees one.
//! 3. The key is that of the tokens (`ecdsa-p256-sha256`, found by `keyid` in `jwks.json`), or one
//!    that portal and gateway share (`hmac-sha256`).
//! 4. `Accept-Signature` is not honoured: what is signed is for the gateway to say.

use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::tell::Field;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::encoding::base64;
use crate::base::random;
use crate::identity::error::Error;
use crate::identity::headers::folds_to_start;
use crate::identity::keys::SigningKeys;
use crate::identity::signing_key::Algorithm;

/// RFC 9421 4.1.
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
/// RFC 9421 4.2.
pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// Tells whether a field of a client's stands, to a program that reads variables, where a signature
/// of ours does, or where what it covers does.
#[must_use]
pub fn takes_its_place(name: &HeaderName) -> bool {
    let is = |known: &HeaderName| {
        let (name, known) = (name.as_str(), known.as_str());
        name.len() == known.len() && folds_to_start(name, known)
    };
    is(&SIGNATURE) || is(&SIGNATURE_INPUT) || (*name != CONTENT_DIGEST && is(&CONTENT_DIGEST))
}
/// RFC 9530 2.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// How the requests of a route are signed.
#[derive(Debug, Clone)]
pub struct MessageSignature {
    /// The key.
    pub key: SigningKey,
    /// How long a signature is valid.
    pub lifetime: Duration,
}

/// The key that signs messages.
#[derive(Clone)]
pub enum SigningKey {
    /// That of the tokens: `ecdsa-p256-sha256` (RFC 9421 3.3.4).
    Ring,
    /// One that the portal has too: `hmac-sha256` (RFC 9421 3.3.3).
    Shared {
        /// What it is called in `keyid`.
        id: String,
        /// The secret.
        key: Arc<hmac::Key>,
    },
}

impl SigningKey {
    /// The fewest bytes of a shared secret (RFC 2104 3: those of the digest).
    pub const LEAST: usize = 32;

    /// Takes a shared secret of at least [`Self::LEAST`] bytes.
    #[must_use]
    pub fn shared(id: &str, secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::LEAST).then(|| Self::Shared {
            id: id.to_owned(),
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)),
        })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ring => f.write_str("Ring"),
            Self::Shared { id, .. } => write!(f, "Shared({id}, [secret])"),
        }
    }
}

/// The key of the tokens, ready to sign messages: a key is read once for all that it signs.
pub struct RingSigner {
    keys: Arc<SigningKeys>,
    ready: RwLock<Option<Arc<Ready>>>,
}

struct Ready {
    id: String,
    pair: EcdsaKeyPair,
}

impl RingSigner {
    /// Makes one for a ring.
    #[must_use]
    pub fn new(keys: Arc<SigningKeys>) -> Self {
        Self { keys, ready: RwLock::default() }
    }

    fn current(&self, now: Time) -> Result<Arc<Ready>, Error> {
        let ring = self.keys.ring();
        let key = ring.current(Algorithm::Es256, now).ok_or(Error::NoKey(Algorithm::Es256))?;
        let id = key.id();
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ready) = ready.filter(|ready| ready.id == id) {
            return Ok(ready);
        }
        let pair = EcdsaKeyPair::from_private_key_der(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.pkcs8().expose(),
        )
        .map_err(|_| Error::Signing)?;
        let ready = Arc::new(Ready { id: id.to_owned(), pair });
        let mut kept = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(&ready));
        Ok(ready)
    }
}

/// Signs one request.
pub struct Signer<'s> {
    /// How the route wants it.
    pub how: &'s MessageSignature,
    /// The key of the tokens.
    pub ring: &'s RingSigner,
    /// Tells when it is signed: a request may have waited.
    pub clock: &'s SharedClock,
}

impl std::fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(self.how).finish()
    }
}

/// A request as the portal sees it (RFC 9421 2.2).
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// `@method`.
    pub method: &'m str,
    /// `@authority`: the host in lower case, without the port of the scheme.
    pub authority: &'m str,
    /// The path and the query, as they are sent.
    pub target: &'m str,
    /// The fields of the request, of which `Content-Digest` is covered.
    pub headers: &'m HeaderMap,
    /// The identity fields, all of which are covered.
    pub identity: &'m [Field],
}

impl Signer<'_> {
    /// Returns `Signature-Input` and `Signature` of a request.
    ///
    /// # Errors
    /// When the key signs nothing, or a field has letters that no signature covers.
    pub fn sign(&self, message: &Message<'_>) -> Result<[Field; 2], Error> {
        let now = self.clock.now();
        let ready = match &self.how.key {
            SigningKey::Ring => Some(self.ring.current(now)?),
            SigningKey::Shared { .. } => None,
        };
        let key_id = match (&self.how.key, &ready) {
            (SigningKey::Shared { id, .. }, _) => id,
            (SigningKey::Ring, Some(ready)) => &ready.id,
            (SigningKey::Ring, None) => return Err(Error::Signing),
        };
        let times = [now, later(now, self.how.lifetime)].map(Time::as_second);
        let nonce = random::handle();
        let (base, parameters) = base(message, &Parameters { times, nonce: &nonce, key_id })?;
        let signature = match (&self.how.key, &ready) {
            (SigningKey::Shared { key, .. }, _) => base64(hmac::sign(key, &base).as_ref()),
            (SigningKey::Ring, Some(ready)) => {
                let signature = ready.pair.sign(&SystemRandom::new(), &base);
                base64(signature.map_err(|_| Error::Signing)?.as_ref())
            }
            (SigningKey::Ring, None) => return Err(Error::Signing),
        };
        let value = |text: String| HeaderValue::try_from(text).map_err(|_| Error::Unwritable);
        let mut signature = value(format!("brama=:{signature}:"))?;
        signature.set_sensitive(true);
        Ok([(SIGNATURE_INPUT, value(format!("brama={parameters}"))?), (SIGNATURE, signature)])
    }
}

/// What is said of a signature beside what it covers.
struct Parameters<'p> {
    /// `created` and `expires`.
    times: [i64; 2],
    nonce: &'p str,
    key_id: &'p str,
}

/// Returns the base of a signature (RFC 9421 2.5) and its parameters (2.3).
fn base(message: &Message<'_>, parameters: &Parameters<'_>) -> Result<(Vec<u8>, String), Error> {
    let (path, query) = message.target.split_once('?').unwrap_or((message.target, ""));
    let mut base = Vec::with_capacity(512);
    let mut covered = String::with_capacity(192);
    let mut line = |name: &str, before: &str, value: &[u8]| {
        covered.push_str(if covered.is_empty() { "(\"" } else { " \"" });
        covered.push_str(name);
        covered.push('"');
        for part in ["\"", name, "\": ", before] {
            base.extend_from_slice(part.as_bytes());
        }
        base.extend_from_slice(value);
        base.push(b'\n');
    };
    line("@method", "", message.method.as_bytes());
    line("@authority", "", message.authority.as_bytes());
    line("@path", "", if path.is_empty() { b"/" } else { path.as_bytes() });
    line("@query", "?", query.as_bytes());
    // Several fields of one name are one value, parted by commas (2.1).
    let digests: Vec<_> =
        message.headers.get_all(CONTENT_DIGEST).iter().map(HeaderValue::as_bytes).collect();
    // A client's that cannot stand in a base is none: the portal refuses it by itself.
    if !digests.is_empty() && digests.iter().all(|digest| digest.is_ascii()) {
        let trimmed: Vec<_> = digests.into_iter().map(<[u8]>::trim_ascii).collect();
        line(CONTENT_DIGEST.as_str(), "", &trimmed.join(&b", "[..]));
    }
    for (name, value) in message.identity {
        line(name.as_str(), "", value.as_bytes().trim_ascii());
    }
    if !base.is_ascii() {
        // 2.5: the base is ASCII. No form writes anything else when a signature is wanted.
        return Err(Error::Unwritable);
    }
    covered.push(')');
    let Parameters { times: [created, expires], nonce, key_id } = parameters;
    // Writing to a String cannot fail.
    let _ = write!(
        covered,
        ";created={created};expires={expires};nonce=\"{nonce}\";keyid=\"{key_id}\";tag=\"brama\""
    );
    base.extend_from_slice(b"\"@signature-params\": ");
    base.extend_from_slice(covered.as_bytes());
    Ok((base, covered))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;
    use crate::base::clock::ManualClock;
    use crate::base::encoding::{from_base64, from_base64url};
    use crate::identity::keyring::KeyRing;

    fn message<'m>(headers: &'m HeaderMap, identity: &'m [Field]) -> Message<'m> {
        Message {
            method: "POST",
            authority: "portal.example",
            target: "/tax?year=2026",
            headers,
            identity,
        }
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
        let (base, said) = base(&message(&headers, &[told, empty]), &parameters).unwrap();
        let expected = "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" \
             \"remote-user\" \"remote-email\");created=100;expires=160;nonce=\"n\";keyid=\"k\";\
             tag=\"brama\"";
        assert_eq!(said, expected);
        let lines = [
            "\"@method\": POST",
            "\"@authority\": portal.example",
            "\"@path\": /tax",
            "\"@query\": ?year=2026",
            "\"content-digest\": sha-256=:YQ==:, sha-512=:Yg==:",
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
            let base = String::from_utf8(base(&message, &parameters).unwrap().0).unwrap();
            assert!(base.contains(&format!("\"@path\": {path}\n\"@query\": {query}\n")), "{base}");
        }
    }

    /// RFC 9421 B.2.5: its base, its key, and the signature that is printed there.
    #[test]
    fn the_shared_key_signs_as_in_the_example_of_the_standard() {
        let secret = from_base64(
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
        );
        let key = SigningKey::shared("test-shared-secret", &secret.unwrap()).unwrap();
        let SigningKey::Shared { key, .. } = key else { panic!("it is shared") };
        let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\
             \"content-type\": application/json\n\"@signature-params\": (\"date\" \"@authority\" \
             \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
        assert_eq!(
            base64(hmac::sign(&key, base.as_bytes()).as_ref()),
            "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="
        );
        assert!(SigningKey::shared("k", &[1; SigningKey::LEAST - 1]).is_none());
    }

    #[test]
    fn a_signature_of_the_ring_is_that_of_the_key_that_it_names() {
        let now = Time::from_second(1_900_000_000).unwrap();
        let period = Duration::from_secs(1000);
        let ring = KeyRing::generate(period, &[Algorithm::Es256], now);
        let keys = Arc::new(SigningKeys::new(ring));
        let signer = RingSigner::new(Arc::clone(&keys));
        let how = MessageSignature { key: SigningKey::Ring, lifetime: Duration::from_secs(60) };
        let headers = HeaderMap::new();
        // The ring goes on, and so does what signs.
        let manual = Arc::new(ManualClock::at(now));
        let clock: SharedClock = Arc::clone(&manual) as SharedClock;
        for now in [now, later(now, period)] {
            let signer = Signer { how: &how, ring: &signer, clock: &clock };
            let [(_, input), (_, signature)] = signer.sign(&message(&headers, &[])).unwrap();
            let parameters = input.to_str().unwrap().strip_prefix("brama=").unwrap();
            let nonce = parameters.split('"').nth_back(5).unwrap();
            let read = keys.ring();
            let key_id = read.current(Algorithm::Es256, now).unwrap().id();
            let times = [now, later(now, Duration::from_secs(60))].map(Time::as_second);
            let expected = Parameters { times, nonce, key_id };
            let (base, said) = base(&message(&headers, &[]), &expected).unwrap();
            assert_eq!(said, parameters);
            let signature = signature.to_str().unwrap();
            let signature = signature.strip_prefix("brama=:").unwrap().strip_suffix(':').unwrap();
            let jwks: serde_json::Value = serde_json::from_str(&read.jwks(now)).unwrap();
            let keys = jwks["keys"].as_array().unwrap();
            let key = keys.iter().find(|key| key["kid"] == key_id).unwrap();
            let coordinate = |name| from_base64url(key[name].as_str().unwrap()).unwrap();
            let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            let signature = from_base64(signature).unwrap();
            assert!(key.verify(&base, &signature).is_ok());
            assert!(key.verify(&[&base[..], b" "].concat(), &signature).is_err());
            manual.advance(period);
        }
    }

    #[test]
    fn what_no_signature_can_cover_is_not_signed() {
        let utf8 = HeaderValue::from_bytes("Żaneta".as_bytes()).unwrap();
        let told = [(HeaderName::from_static("remote-name"), utf8)];
        let parameters = Parameters { times: [0, 0], nonce: "n", key_id: "k" };
        assert!(base(&message(&HeaderMap::new(), &told), &parameters).is_err());
    }
}
