//! A token as a gateway makes it, for a person who never signed in.

use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::{Time, later};
use crate::base::random;
use crate::identity::assurance::Assurance;
use crate::identity::claims::{PairwiseSecret, PersonalClaim, Subject};
use crate::identity::error::Error;
use crate::identity::keyring::KeyRing;
use crate::identity::keys::SigningKeys;
use crate::identity::person::{self, Identifier};
use crate::identity::release::Release;
use crate::identity::token::{LONGEST_LIFETIME, Minter, Tokens};
use crate::identity::ways::Ways;
use crate::simulator::people::{Person, Way};

/// What a token is to say.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) claims: Vec<PersonalClaim>,
    pub(super) person: &'static Person,
    pub(super) level: Assurance,
}

/// Behind the pseudonyms of development. It is no secret, so that a person is the same at every
/// developer's.
const EVERYBODYS_SECRET: &[u8] = b"brama token: known to everybody, for development only";
/// How long the session lasts that the token says it is of.
const SESSION: Duration = Duration::from_secs(8 * 60 * 60);

/// Mints a token at a time, which need not be the present. Each is of a session of its own.
///
/// # Errors
/// When it cannot be signed.
pub(super) fn token(ring: &KeyRing, order: &Order, at: Time) -> Result<String, Error> {
    let secret =
        PairwiseSecret::new(EVERYBODYS_SECRET.to_vec()).expect("it is longer than the least");
    let ring = Arc::new(SigningKeys::new(ring.clone()));
    let minter =
        Minter::new(order.issuer.clone(), secret, (LONGEST_LIFETIME, Ways::default()), ring, 1);
    let release = Release::by_assertion(&order.audience, order.claims.clone());
    let invented = order.person;
    let person = person::Person::new(
        Some(invented.given_name.to_string()),
        Some(invented.family_name.to_string()),
        Some(invented.birthdate),
        Identifier::parse(&invented.identifier),
    );
    let session = random::handle();
    let subject = Subject {
        person: &person,
        session: &session,
        assurance: order.level,
        authority: Some(Way::TrustedProfile.authority()),
        authenticated: at,
        session_end: later(at, SESSION),
    };
    let told =
        Tokens::new(Arc::new(minter)).told(random::bytes(), (0, &release), || subject, at)?;
    let (_, token) = told.fields().first().ok_or(Error::Unwritable)?;
    Ok(String::from_utf8_lossy(token.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::from_base64url;
    use crate::identity::signing_key::Algorithm;

    fn claims(token: &str) -> serde_json::Value {
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
    }

    #[test]
    fn a_person_is_the_same_with_every_key_and_another_to_each_audience() {
        let now = Time::from_second(1_900_000_000).unwrap();
        let mut order = Order {
            issuer: "http://localhost:8090".to_owned(),
            audience: "portal".to_owned(),
            claims: vec![PersonalClaim::GivenName],
            person: Person::find("anna").unwrap(),
            level: Assurance::High,
        };
        let ring = || KeyRing::generate(Duration::from_secs(1000), &[Algorithm::Es256], now);
        let (one, other) = (ring(), ring());
        let first = claims(&token(&one, &order, now).unwrap());
        let second = claims(&token(&other, &order, now).unwrap());
        assert_eq!(first["sub"], second["sub"]);
        assert_ne!(first["sid"], second["sid"], "each is of a session of its own");
        assert_eq!(first["given_name"], "Anna");
        assert!(first.get("family_name").is_none(), "nothing that was not asked for");
        assert_eq!(first["exp"].as_i64().unwrap() - first["iat"].as_i64().unwrap(), 300);
        order.audience = "other".to_owned();
        assert_ne!(claims(&token(&one, &order, now).unwrap())["sub"], first["sub"]);
    }
}
