//! `signature`: each request is signed as it goes to the portal (RFC 9421), with all that is told of
//! the citizen.
//!
//! 1. What is signed: `@method`, `@authority`, `@path`, `@query`, `content-digest` when the request
//!    has one (RFC 9530; a body is streamed, so none is made here), for which backend it is
//!    ([`AUDIENCE`]: two behind one host may see the same path), and every identity field that goes
//!    with it. A request in nobody's name is signed too: that it is nobody's is told as well.
//! 2. The parameters are `created`, `expires`, `nonce`, `keyid` and `tag="brama"`. The label is
//!    `brama`. Signatures that a client brings are removed: the portal sees one.
//! 3. The key is one of those that sign tokens (`ecdsa-p256-sha256` or `ed25519`, found by `keyid`
//!    in `jwks.json`), or one that portal and gateway share (`hmac-sha256`).
//! 4. `Accept-Signature` is not honoured: what is signed is for the gateway to say.

pub mod base;
mod key;
#[cfg(test)]
mod standard;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use self::base::{Base, Parameters};
pub use self::key::{RingAlgorithm, RingSigner, SigningKey};
use super::tell::Field;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::random;
use crate::identity::error::Error;
use crate::identity::headers::{AUDIENCE, folds_to_start};

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
    /// The backend that it is for.
    pub audience: HeaderValue,
}

/// Signs one request.
pub struct Signer<'s> {
    /// How the route wants it.
    pub how: &'s MessageSignature,
    /// The keys of the tokens.
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

/// How many fields a signature comes in.
pub const FIELDS: usize = 3;

impl Signer<'_> {
    /// Returns `X-Brama-Audience`, `Signature-Input` and `Signature` of a request.
    ///
    /// # Errors
    /// When the key signs nothing, or a field has letters that no signature covers.
    pub fn sign(&self, message: &Message<'_>) -> Result<[Field; FIELDS], Error> {
        let now = self.clock.now();
        let key = self.how.key.ready(self.ring, now)?;
        let times = [now, later(now, self.how.lifetime)].map(Time::as_second);
        let nonce = random::handle();
        let parameters = Parameters { times, nonce: &nonce, key_id: key.id() };
        let audience = (AUDIENCE, self.how.audience.clone());
        let (base, parameters) = message.base(&audience, &parameters)?;
        let signature = key.sign(&base)?;
        let value = |text: String| HeaderValue::try_from(text).map_err(|_| Error::Unwritable);
        let mut signature = value(format!("brama=:{signature}:"))?;
        signature.set_sensitive(true);
        let input = value(format!("brama={parameters}"))?;
        Ok([audience, (SIGNATURE_INPUT, input), (SIGNATURE, signature)])
    }
}

impl Message<'_> {
    /// Returns the base of a signature of it, and what is said of that.
    fn base(
        &self,
        audience: &Field,
        parameters: &Parameters<'_>,
    ) -> Result<(Vec<u8>, String), Error> {
        let mut base = Base::new();
        base.method(self.method);
        base.authority(self.authority);
        base.path(self.target);
        base.query(self.target);
        let digests = || self.headers.get_all(CONTENT_DIGEST).iter().map(HeaderValue::as_bytes);
        // A client's that cannot stand in a base is none: the portal refuses it by itself.
        if self.headers.contains_key(CONTENT_DIGEST) && digests().all(<[u8]>::is_ascii) {
            base.field(CONTENT_DIGEST.as_str(), digests());
        }
        // No form writes anything else than ASCII when a signature is wanted.
        for (name, value) in std::iter::once(audience).chain(self.identity) {
            base.field(name.as_str(), [value.as_bytes()]);
        }
        base.end(parameters)
    }
}

#[cfg(test)]
mod tests;
