//! What a backend is told: the claims of the signed identity.
//!
//! Personal claims are released per route and by name. The subject is a pairwise pseudonym
//! (OpenID Connect core 8.1): two backends cannot tell that they serve the same person.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use serde::Serialize;

use super::assurance::Assurance;
use super::person::{Identifier, Person};
use crate::base::clock::Time;
use crate::base::encoding::base64url;
use crate::base::random;
use crate::base::secret::Secret;

/// A claim about the person that a route may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PersonalClaim {
    /// `given_name`.
    GivenName,
    /// `family_name`.
    FamilyName,
    /// `birthdate`, as `YYYY-MM-DD`.
    Birthdate,
    /// `pesel`, eleven digits.
    Pesel,
}

impl PersonalClaim {
    /// Returns its name in the token.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Birthdate => "birthdate",
            Self::Pesel => "pesel",
        }
    }
}

/// What is known of a signed-in session, as far as a backend may learn it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s> {
    /// The person whom the node vouched for.
    pub person: &'s Person,
    /// The public name of the session: not the secret in the cookie.
    pub session: &'s str,
    /// How sure the identification was.
    pub assurance: Assurance,
    /// Which authority identified the citizen, when the node said so (`AuthenticatingAuthority`).
    pub authority: Option<&'s str>,
    /// When the citizen identified.
    pub authenticated: Time,
    /// When the session ends at the latest.
    pub session_end: Time,
}

/// The claims of the signed identity (RFC 7519, OpenID Connect core 2 and 5.1).
#[derive(Debug, Serialize)]
pub struct Claims<'c> {
    pub(super) iss: &'c str,
    aud: &'c str,
    pub(super) sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    pub(super) sid: &'c str,
    pub(super) acr: &'static str,
    /// The way in (RFC 8176 1: a list of methods, whose names the parties agree on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amr: Option<[&'c str; 1]>,
    /// The same, as the node names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authenticating_authority: Option<&'c str>,
    pub(super) auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given_name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) family_name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pesel: Option<&'c str>,
}

/// The claims of a signed identity that says: nobody. It has no `sub`, so a backend that looks for
/// a person finds none.
#[derive(Debug, Serialize)]
pub struct Nobody<'c> {
    iss: &'c str,
    aud: &'c str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    anonymous: bool,
}

impl<'c> Nobody<'c> {
    /// Makes the claims for one audience.
    #[must_use]
    pub fn new(issuer: &'c str, audience: &'c str, now: Time, expires: Time) -> Self {
        Self {
            iss: issuer,
            aud: audience,
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires.as_second(),
            jti: random::handle(),
            anonymous: true,
        }
    }
}

/// The secret behind the pseudonyms. With it, the person behind a pseudonym can be found out. Clones
/// share it: when it is replaced, it is another one for all of them.
#[derive(Debug, Clone)]
pub struct PairwiseSecret(Arc<RwLock<Held>>);

#[derive(Debug, Clone)]
struct Held {
    bytes: Secret<Vec<u8>>,
    /// Whether it is the one that is kept. Nobody is told a pseudonym before.
    is_known: bool,
}

impl PairwiseSecret {
    /// The fewest bytes that are taken.
    pub const LEAST: usize = 32;

    /// Takes a secret of at least [`Self::LEAST`] bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= Self::LEAST).then(|| Self::of(bytes, true))
    }

    /// Makes a random secret of [`Self::LEAST`] bytes.
    #[must_use]
    pub fn generate() -> Self {
        Self::of(random::bytes::<32>().to_vec(), true)
    }

    /// Stands for the secret that is kept, until that is known and replaces it.
    #[must_use]
    pub fn pending() -> Self {
        Self::of(random::bytes::<32>().to_vec(), false)
    }

    fn of(bytes: Vec<u8>, is_known: bool) -> Self {
        Self(Arc::new(RwLock::new(Held { bytes: Secret::new(bytes), is_known })))
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether it is the one that is kept. What is made with another one is good for nobody.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.held().is_known
    }

    /// Returns the bytes, to be kept.
    #[must_use]
    pub fn bytes(&self) -> Secret<Vec<u8>> {
        self.held().bytes.clone()
    }

    /// Tells whether it is the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.bytes().expose(), other.bytes().expose()).is_ok()
    }

    /// Returns the same secret, which is not replaced with this one.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self(Arc::new(RwLock::new(self.held().clone())))
    }

    /// Takes over another one, for all clones.
    pub fn replace(&self, other: &Self) {
        let held = other.held().clone();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Returns a digest by which everything of one person is found again. It is no pseudonym of any
    /// audience.
    #[must_use]
    pub fn owner(&self, person: &Person) -> [u8; 32] {
        self.owner_of(person.identifier())
    }

    /// Returns the same for an identifier.
    #[must_use]
    pub fn owner_of(&self, identifier: &Identifier) -> [u8; 32] {
        let tag = self.mac("", identifier);
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        digest
    }

    /// Returns the pseudonym of a person towards an audience.
    #[must_use]
    pub fn pseudonym(&self, person: &Person, audience: &str) -> String {
        base64url(self.mac(audience, person.identifier()).as_ref())
    }

    /// An audience has a name, so an empty one is for ourselves.
    fn mac(&self, audience: &str, identifier: &Identifier) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes().expose());
        let mut context = hmac::Context::with_key(&key);
        // Lengths in front, so that no two pairs of texts run together alike.
        for part in [audience, identifier.kind(), identifier.as_str()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
    }
}

impl<'c> Claims<'c> {
    /// Makes the claims of one session for one audience, with the personal ones that are released. The way in is known by a name when the node
    /// told an authority.
    #[must_use]
    pub fn new(
        issuer: &'c str,
        (audience, released): (&'c str, &[PersonalClaim]),
        (subject, way): (Subject<'c>, Option<&'c str>),
        secret: &PairwiseSecret,
        now: Time,
        expires: Time,
    ) -> Self {
        let person = subject.person;
        let released = |claim| released.contains(&claim);
        Self {
            iss: issuer,
            aud: audience,
            sub: secret.pseudonym(person, audience),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires.as_second(),
            jti: random::handle(),
            sid: subject.session,
            acr: subject.assurance.uri(),
            amr: way.map(|way| [way]),
            authenticating_authority: subject.authority,
            auth_time: subject.authenticated.as_second(),
            given_name: person.given_name().filter(|_| released(PersonalClaim::GivenName)),
            family_name: person.family_name().filter(|_| released(PersonalClaim::FamilyName)),
            birthdate: person
                .birthdate()
                .filter(|_| released(PersonalClaim::Birthdate))
                .map(|date| date.to_string()),
            pesel: person.pesel().filter(|_| released(PersonalClaim::Pesel)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        let given = Some("Żaneta".to_owned());
        let family = Some("Nowak".to_owned());
        Person::new(given, family, "1944-05-14".parse().ok(), Identifier::parse("44051401359"))
    }

    fn claims(released: &[PersonalClaim]) -> serde_json::Value {
        let person = person();
        let subject = Subject {
            person: &person,
            session: "s",
            assurance: Assurance::High,
            authority: Some("pz.gov.pl"),
            authenticated: Time::UNIX_EPOCH,
            session_end: Time::MAX,
        };
        let secret = PairwiseSecret::generate();
        let claims = Claims::new(
            "https://p",
            ("tax", released),
            (subject, Some("profil_zaufany")),
            &secret,
            Time::UNIX_EPOCH,
            Time::UNIX_EPOCH,
        );
        serde_json::to_value(claims).unwrap()
    }

    #[test]
    fn releases_nothing_personal_that_was_not_asked_for() {
        let none = claims(&[]);
        for claim in ["given_name", "family_name", "birthdate", "pesel"] {
            assert!(none.get(claim).is_none(), "{claim}");
        }
        assert!(!none.to_string().contains("44051401359"));
        assert_eq!(none["amr"], serde_json::json!(["profil_zaufany"]));
        assert_eq!(none["authenticating_authority"], "pz.gov.pl");
        let name = claims(&[PersonalClaim::GivenName, PersonalClaim::Birthdate]);
        assert_eq!(name["given_name"], "Żaneta");
        assert_eq!(name["birthdate"], "1944-05-14");
        assert!(name.get("pesel").is_none());
    }

    #[test]
    fn pseudonyms_differ_per_audience_and_stay_the_same_per_person() {
        let secret = PairwiseSecret::generate();
        let person = person();
        assert_eq!(secret.pseudonym(&person, "a"), secret.pseudonym(&person, "a"));
        assert_ne!(secret.pseudonym(&person, "a"), secret.pseudonym(&person, "b"));
        let other = PairwiseSecret::generate();
        assert_ne!(secret.pseudonym(&person, "a"), other.pseudonym(&person, "a"));
        assert!(PairwiseSecret::new(vec![0; 31]).is_none());
    }

    /// Pairs of an audience and an identifier that are one text when they run together.
    #[test]
    fn where_a_part_under_a_pseudonym_ends_makes_another_pseudonym() {
        let secret = PairwiseSecret::new(vec![7; 32]).unwrap();
        let of = |audience: &str, login: &str| {
            let person = Person::new(None, None, None, Identifier::login_name(login));
            secret.pseudonym(&person, audience)
        };
        let kind = Identifier::login_name("x").kind();
        assert_ne!(of("a", &format!("b{kind}c")), of(&format!("a{kind}b"), "c"));
        // The kind of an identifier counts as well.
        let pesel = Person::new(None, None, None, Identifier::parse("44051401359"));
        assert!(pesel.pesel().is_some());
        assert_ne!(secret.pseudonym(&pesel, "tax"), of("tax", "44051401359"));
        // What it is must never change: portals keep it.
        assert_eq!(
            of("tax", "office"),
            base64url(
                hmac::sign(
                    &hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
                    &[
                        &3u64.to_be_bytes()[..],
                        b"tax",
                        &(kind.len() as u64).to_be_bytes(),
                        kind.as_bytes(),
                        &6u64.to_be_bytes(),
                        b"office",
                    ]
                    .concat(),
                )
                .as_ref()
            )
        );
    }

    #[test]
    fn what_belongs_to_one_person_is_found_under_a_digest_that_no_audience_is_told() {
        let secret = PairwiseSecret::new(vec![7; 32]).unwrap();
        let person = person();
        let owner = secret.owner(&person);
        assert_eq!(owner, secret.owner_of(&Identifier::parse("44051401359")));
        assert_ne!(owner, secret.owner_of(&Identifier::parse("02070803628")));
        assert_ne!(owner, secret.owner_of(&Identifier::login_name("44051401359")));
        assert_ne!(owner, PairwiseSecret::new(vec![8; 32]).unwrap().owner(&person));
        assert_eq!(base64url(&owner), secret.pseudonym(&person, ""), "audiences have names");
        assert_ne!(base64url(&owner), secret.pseudonym(&person, "tax"));
    }
}
