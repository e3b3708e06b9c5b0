//! What a portal was told of a citizen, checked as a portal has to: by the published keys.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::citizen::{Citizen, Trouble, otherwise};
use super::stand_in::Told;
use crate::base::clock::Clock as _;
use crate::gate::policy::Route;
use crate::identity::claims::PersonalClaim;
use crate::identity::forms::Form;
use crate::report::Text;
use crate::selftest::world::World;

/// The claims of a token, whose signature holds.
pub(super) type Claims = Map<String, Value>;

/// Finds the token of a request and checks it: signature, key, issuer, audience, time.
///
/// # Errors
/// When it is not there, or a portal could not believe it.
pub(super) async fn check(
    world: &World,
    citizen: &mut Citizen<'_>,
    told: &Told,
    route: &Route,
) -> Result<Claims, Trouble> {
    let wrong = |pl: &str, en: &str| Trouble::Otherwise(Text::new(pl.to_owned(), en.to_owned()));
    let header = |name: &str| told.headers.get(name).and_then(|value| value.to_str().ok());
    let token = match route.release.forms.iter().find(|form| form.has_token()) {
        Some(Form::Bearer) => {
            header("authorization").and_then(|value| value.strip_prefix("Bearer "))
        }
        _ => header("x-brama-assertion"),
    };
    let token = token.ok_or_else(|| {
        wrong("portal nie otrzymał podpisanej tożsamości", "the portal was told no signed identity")
    })?;
    let facts = &world.facts;
    let keys = citizen.fetch(Method::GET, &facts.own(&facts.origin, "jwks.json"), &[]).await?;
    let keys: JwkSet = serde_json::from_str(&keys.text).map_err(|_| otherwise(&keys))?;
    let not_believed = |error: &dyn std::fmt::Display| {
        wrong(
            &format!("podpis tożsamości nie daje się sprawdzić: {error}"),
            &format!("the signature of the identity cannot be verified: {error}"),
        )
    };
    let head = decode_header(token).map_err(|error| not_believed(&error))?;
    let key = head.kid.as_deref().and_then(|id| keys.find(id));
    let key = key.ok_or_else(|| not_believed(&"kid"))?;
    let key = DecodingKey::from_jwk(key).map_err(|error| not_believed(&error))?;
    let mut validation = Validation::new(head.alg);
    validation.set_audience(&[&route.release.audience]);
    validation.set_issuer(&[facts.origin.as_str().trim_end_matches('/')]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The clock of the machine is not that of the examination.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    let claims =
        decode::<Claims>(token, &key, &validation).map_err(|error| not_believed(&error))?.claims;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    let now = world.clock.now().as_second();
    if time("nbf") > now || time("exp") <= now || time("exp") - time("iat") > LONGEST {
        return Err(wrong(
            "okres ważności tożsamości się nie zgadza",
            "the times of the identity are wrong",
        ));
    }
    Ok(claims)
}

/// Makes sure that the portal was told exactly what its route releases.
///
/// # Errors
/// When something is missing, or there is more.
pub(super) fn is_as_released(claims: &Claims, route: &Route) -> Result<Text, Trouble> {
    let mut told = Vec::new();
    for claim in ALL {
        let is_told = claims.get(claim.name()).is_some_and(|value| !value.is_null());
        let is_released = route.release.claims.contains(&claim);
        if is_told != is_released {
            let name = claim.name();
            let (pl, en) = if is_released {
                (format!("brak pola „{name}”"), format!("\"{name}\" is missing"))
            } else {
                (
                    format!("portal otrzymał pole „{name}”, którego trasa nie wymienia"),
                    format!("the portal was told \"{name}\", unasked"),
                )
            };
            return Err(Trouble::Otherwise(Text::new(pl, en)));
        }
        if is_told {
            told.push(claim.name());
        }
    }
    if told.is_empty() {
        return Ok(Text::new(
            "sam pseudonim, bez danych osobowych; podpis zgodny z ogłoszonym kluczem",
            "the pseudonym alone, no personal data; the signature is of a published key",
        ));
    }
    let told = told.join(", ");
    Ok(Text::new(
        format!("pseudonim oraz: {told}; podpis zgodny z ogłoszonym kluczem"),
        format!("the pseudonym and: {told}; the signature is of a published key"),
    ))
}

/// Reads claims without looking at the signature.
pub(super) fn peek(told: &Told) -> Option<Claims> {
    let token =
        told.headers.get("x-brama-assertion").or_else(|| told.headers.get("authorization"))?;
    let token = token.to_str().ok()?;
    let claims = token.trim_start_matches("Bearer ").split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

const ALL: [PersonalClaim; 4] = [
    PersonalClaim::GivenName,
    PersonalClaim::FamilyName,
    PersonalClaim::Birthdate,
    PersonalClaim::Pesel,
];
/// The longest that an identity may hold, in seconds.
const LONGEST: i64 = 300;
