//! What a backend receives, and that nobody can forge it.

use std::time::Duration;

use brama::request::networks::Networks;
use http::{Method, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::harness::{Browser, World, world};

/// Checks a token as a backend does, and returns its claims.
async fn verified(world: &World, token: &str, audience: &str) -> Result<Value, String> {
    let set = world.browser().open("/.brama/jwks.json").await;
    assert_eq!(set.header("content-type"), Some("application/jwk-set+json"));
    assert!(!set.text.contains("\"d\""), "no private key is published");
    let set: JwkSet = serde_json::from_str(&set.text).unwrap();
    let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    let key = set.find(&header.kid.unwrap()).ok_or("unknown key")?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[&world.origin]);
    let key = DecodingKey::from_jwk(key).unwrap();
    let decoded = jsonwebtoken::decode::<Value>(token, &key, &validation);
    decoded.map(|data| data.claims).map_err(|error| error.to_string())
}

async fn token(world: &World, browser: &mut Browser, path: &str) -> String {
    assert_eq!(browser.fetch(path).await.status, StatusCode::OK);
    world.last_seen().assertion().unwrap().to_owned()
}

#[tokio::test]
async fn a_backend_can_check_who_is_there_by_itself() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let token = token(&world, &mut browser, "/tax").await;
    let claims = verified(&world, &token, "tax").await.unwrap();
    assert_eq!(claims["given_name"], "Anna");
    assert_eq!(claims["family_name"], "Żółkiewska");
    assert_eq!(claims["iss"], world.origin);
    assert!(claims["pesel"].as_str().unwrap().len() == 11);
    assert!(claims["acr"].as_str().unwrap().starts_with("http://eidas.europa.eu/LoA/"));
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 300);
    for claim in ["sub", "sid", "jti", "auth_time", "nbf", "birthdate"] {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    // The twin refusals: another audience, and a changed token.
    assert!(verified(&world, &token, "health").await.is_err());
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    assert!(verified(&world, &forged, "tax").await.is_err());
}

#[tokio::test]
async fn each_audience_gets_its_own_claims_and_its_own_pseudonym() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/health", "anna").await;
    let tax = token(&world, &mut browser, "/tax").await;
    let health = token(&world, &mut browser, "/health").await;
    let tax = verified(&world, &tax, "tax").await.unwrap();
    let health = verified(&world, &health, "health").await.unwrap();
    assert_ne!(tax["sub"], health["sub"]);
    assert_eq!(tax["sid"], health["sid"]);
    assert_eq!(health["given_name"], "Anna");
    for claim in ["family_name", "birthdate", "pesel"] {
        assert!(health[claim].is_null(), "{claim} was not asked for");
    }
    // The same person is the same to the same backend next time.
    let mut again = world.browser();
    again.sign_in("/tax", "anna").await;
    let next = token(&world, &mut again, "/tax").await;
    let next = verified(&world, &next, "tax").await.unwrap();
    assert_eq!(next["sub"], tax["sub"]);
    assert_ne!(next["sid"], tax["sid"]);
}

#[tokio::test]
async fn a_token_is_made_once_and_renewed_before_it_expires() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let first = token(&world, &mut browser, "/tax").await;
    assert_eq!(token(&world, &mut browser, "/tax/other").await, first);
    world.advance(Duration::from_secs(239));
    assert_eq!(token(&world, &mut browser, "/tax").await, first);
    world.advance(Duration::from_secs(2));
    assert_ne!(token(&world, &mut browser, "/tax").await, first);
}

#[tokio::test]
async fn nobody_forges_an_identity_on_any_path() {
    let world = world().start().await;
    let mut signed_in = world.browser();
    signed_in.sign_in("/tax", "anna").await;
    for path in ["/public", "/", "/tax"] {
        for name in ["X-Brama-Assertion", "x-brama-subject", "X-BRAMA-ANYTHING"] {
            let headers = [(name, "forged")];
            signed_in.fetch_with(Method::GET, path, &headers, "").await;
            let seen = world.last_seen();
            let forged = seen.headers.values().any(|value| value.as_bytes() == b"forged");
            assert!(!forged, "{name} reached {path}");
        }
        let before = world.seen().len();
        for alias in ["X_Brama_Assertion", "x.brama.assertion", "X-Brama_Subject", "x~brama~x"] {
            let headers = [(alias, "forged")];
            let answer = signed_in.fetch_with(Method::GET, path, &headers, "").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{alias} on {path}");
            assert_eq!(answer.json()["error"], "request.identity_header_alias");
        }
        let headers = [("connection", "close, X-Brama-Assertion")];
        let answer = signed_in.fetch_with(Method::GET, path, &headers, "").await;
        assert_eq!(answer.json()["error"], "request.connection_names_identity");
        assert_eq!(world.seen().len(), before, "nothing of it reached the portal");
    }
}

/// Names under which other gateways tell an identity, in spellings that a program reads alike.
const OF_OTHERS: [&str; 16] = [
    "Remote-User",
    "REMOTE_USER",
    "remote.user",
    "X-Remote-User",
    "X-Auth-Request-Email",
    "X-Forwarded-User",
    "X-Forwarded-Preferred-Username",
    "Shib-Session-ID",
    "OIDC_CLAIM_sub",
    "X-authentik-username",
    "Cf-Access-Jwt-Assertion",
    "X-Pomerium-Jwt-Assertion",
    "X-Goog-IAP-JWT-Assertion",
    "X-Amzn-Oidc-Data",
    "SSL_CLIENT_S_DN",
    "X-Ms-Client-Principal-Name",
];

#[tokio::test]
async fn nobody_tells_an_identity_in_the_way_of_other_gateways() {
    let world = world().start().await;
    let mut signed_in = world.browser();
    signed_in.sign_in("/tax", "anna").await;
    for path in ["/public", "/", "/tax"] {
        for name in OF_OTHERS {
            let headers = [(name, "admin"), ("x-harmless", "stays")];
            let answer = signed_in.fetch_with(Method::GET, path, &headers, "").await;
            assert_eq!(answer.status, StatusCode::OK, "it is no fault of the request: {name}");
            let seen = world.last_seen();
            let told = seen.headers.values().any(|value| value.as_bytes() == b"admin");
            assert!(!told, "{name} reached {path}");
            assert_eq!(seen.header("x-harmless"), Some("stays"));
        }
    }
    let counted = format!("\nbrama_identity_headers_removed_total {}\n", 3 * OF_OTHERS.len());
    assert!(world.metrics().await.contains(&counted));
}

#[tokio::test]
async fn a_header_that_is_given_back_goes_on_from_a_trusted_proxy_and_from_no_other() {
    let given = "[identity]\npass_headers = [\"X-Client-Cert\", \"x-forwarded-user\"]\n";
    let headers = [
        ("x-client-cert", "cert"),
        ("x-forwarded-user", "user"),
        ("x-forwarded-email", "mail"),
        ("x_client_cert", "other spelling"),
        ("x-client-cert-chain", "other"),
    ];
    for (trusted, passes) in [("127.0.0.1", true), ("192.0.2.1", false)] {
        let world = world().with(given).with_settings(move |settings| {
            let trusted = Networks::new(vec![trusted.parse::<std::net::IpAddr>().unwrap().into()]);
            settings.gateway.edge.trusted = trusted;
        });
        let world = world.start().await;
        let mut browser = world.browser();
        browser.fetch_with(Method::GET, "/public", &headers, "").await;
        let seen = world.last_seen();
        assert_eq!(seen.header("x-client-cert"), passes.then_some("cert"));
        assert_eq!(seen.header("x-forwarded-user"), passes.then_some("user"));
        for name in ["x-forwarded-email", "x_client_cert", "x-client-cert-chain"] {
            assert_eq!(seen.header(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn the_next_key_is_published_long_before_it_signs() {
    let world = world().start().await;
    let set = world.browser().open("/.brama/jwks.json").await;
    let keys: JwkSet = serde_json::from_str(&set.text).unwrap();
    assert_eq!(keys.keys.len(), 2, "the present key and the next one");
}
