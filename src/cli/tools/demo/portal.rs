//! The small portal of the demo: a backend that trusts nothing but a signature it checked itself.
//!
//! It shows what a backend has to do, in whatever language: take `X-Brama-Assertion`, check it
//! against the gateway's public keys, its issuer and its own audience, and read the claims.

use std::sync::RwLock;

use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use maud::{Markup, html};
use serde::Deserialize;

use crate::base::body::{self, Body};
use crate::pages::{Around, Document, Framing, Language, SessionTimer};
use crate::server::listener::{Peer, Service};
use crate::wire::incoming::Incoming;

/// The audience that the demo's routes name.
pub(super) const AUDIENCE: &str = "demo-portal";

/// Pages that say who is signed in; the gateway asks for something different at each.
const ACCOUNT: &str = "/account";
pub(super) const PAYMENT: &str = "/payment";
pub(super) const DECLARATION: &str = "/declaration";
pub(super) const PROFILE: &str = "/inbox";
/// A page with a long text to type, where the session timer warns soon.
pub(super) const APPLICATION: &str = "/application";

/// On [`APPLICATION`] the timer warns that long before the end of a session of 15 minutes: 30
/// seconds after the page was opened. Elsewhere it warns at its usual time.
const WARN_SOON: u32 = 15 * 60 - 30;

/// The portal of the demo, with the gateway's public keys as they were fetched last.
pub(super) struct Portal {
    issuer: String,
    keys_url: http::Uri,
    keys: RwLock<JwkSet>,
}

/// The claims that the portal reads.
#[derive(Debug, Clone, Deserialize)]
struct Claims {
    sub: String,
    acr: String,
    sid: String,
    exp: i64,
    given_name: Option<String>,
    family_name: Option<String>,
    birthdate: Option<String>,
    pesel: Option<String>,
}

/// Why an identity is not believed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("there is no X-Brama-Assertion: nobody is signed in")]
    Absent,
    #[error("the gateway's public keys cannot be fetched: {0}")]
    NoKeys(String),
    #[error("the signed identity is not valid: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    #[error("the signed identity names a key that the gateway does not publish")]
    UnknownKey,
}

impl Portal {
    pub(super) fn new(issuer: String, keys_url: http::Uri) -> Self {
        Self { issuer, keys_url, keys: RwLock::new(JwkSet { keys: Vec::new() }) }
    }

    async fn claims(&self, headers: &HeaderMap) -> Result<Claims, Error> {
        let token = headers.get("x-brama-assertion").ok_or(Error::Absent)?;
        let token = token.as_bytes();
        let header = jsonwebtoken::decode_header(token)?;
        let id = header.kid.ok_or(Error::UnknownKey)?;
        let key = match self.known_key(&id) {
            Some(key) => key,
            // An unknown key may be a new one: the set is fetched again, then it must be there.
            None => {
                self.fetch_keys().await?;
                self.known_key(&id).ok_or(Error::UnknownKey)?
            }
        };
        // The algorithm is ours to choose, never the token's.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        Ok(jsonwebtoken::decode::<Claims>(token, &key, &validation)?.claims)
    }

    fn known_key(&self, id: &str) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        DecodingKey::from_jwk(keys.find(id)?).ok()
    }

    async fn fetch_keys(&self) -> Result<(), Error> {
        let unreachable = |error: &dyn std::fmt::Display| Error::NoKeys(error.to_string());
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let answer =
            client.get(self.keys_url.clone()).await.map_err(|error| unreachable(&error))?;
        let bytes =
            body::read(answer.into_body(), 64 * 1024).await.map_err(|error| unreachable(&error))?;
        let set = serde_json::from_slice(&bytes).map_err(|error| unreachable(&error))?;
        *self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner) = set;
        Ok(())
    }
}

impl Service for Portal {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, _: Incoming, _peer: &Peer) -> Response<Body> {
        let language = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = Language::negotiate_among(&Language::OF_TOOLS, language);
        let claims = self.claims(&parts.headers).await;
        let path = parts.uri.path();
        if path == "/api/me" {
            return api(&claims);
        }
        let (title, content) = match (path, claims) {
            ("/", Ok(claims)) => (words(language).welcome, front_page(language, Some(&claims))),
            ("/", Err(_)) => (words(language).welcome, front_page(language, None)),
            ("/public", _) => (words(language).public, public_page(language)),
            (APPLICATION, Ok(_)) => (words(language).application, application_page(language)),
            (ACCOUNT | "/certificate" | PAYMENT | DECLARATION | PROFILE, Ok(claims)) => {
                (words(language).account, account_page(language, &claims))
            }
            (
                ACCOUNT | "/certificate" | PAYMENT | DECLARATION | PROFILE | APPLICATION,
                Err(refused),
            ) => {
                let content = html! { p.warning { (refused) } };
                let title = words(language).account;
                return page(StatusCode::UNAUTHORIZED, language, title, content, None);
            }
            _ => {
                let content = html! { p { a href="/" { (words(language).back) } } };
                let title = words(language).missing;
                return page(StatusCode::NOT_FOUND, language, title, content, None);
            }
        };
        let warn_seconds = (path == APPLICATION).then_some(WARN_SOON);
        let timer = SessionTimer { source: "/.brama/session.js", warn_seconds };
        page(StatusCode::OK, language, title, content, Some(timer))
    }
}

fn api(claims: &Result<Claims, Error>) -> Response<Body> {
    let (status, value) = match claims {
        Ok(claims) => (
            StatusCode::OK,
            serde_json::json!({
                "subject": claims.sub,
                "given_name": claims.given_name,
                "family_name": claims.family_name,
                "birthdate": claims.birthdate,
                "acr": claims.acr,
                "session": claims.sid,
            }),
        ),
        Err(refused) => {
            (StatusCode::UNAUTHORIZED, serde_json::json!({ "error": refused.to_string() }))
        }
    };
    let mut response = Response::new(body::full(value.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn page(
    status: StatusCode,
    language: Language,
    title: &str,
    content: Markup,
    timer: Option<SessionTimer<'_>>,
) -> Response<Body> {
    let page = Document {
        language,
        site: "",
        title,
        ribbon: Some(words(language).ribbon),
        content,
        script: None,
        timer,
        form_action: "'self'",
        framing: Framing::Nobody,
        around: Around::default(),
    }
    .render();
    let mut response = Response::new(body::full(page.html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::try_from(page.content_security_policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn front_page(language: Language, claims: Option<&Claims>) -> Markup {
    let words = words(language);
    html! {
        @match claims {
            Some(claims) => {
                p.lead { (words.signed_in) " " strong { (name(claims)) } }
                form method="post" action="/.brama/logout" {
                    div.actions { button.quiet { (words.sign_out) } }
                }
            }
            None => {
                p.lead { (words.nobody) }
                div.actions { a.button href="/.brama/login?return_to=/account" { (words.sign_in) } }
            }
        }
        ul {
            li { a href="/public" { (words.public) } }
            li { a href="/account" { (words.account) } " — " (words.substantial) }
            li { a href="/certificate" { (words.certificate) } " — " (words.high) }
            li { a href=(PAYMENT) { (words.payment) } " — " (words.recent) }
            li { a href=(DECLARATION) { (words.declaration) } " — " (words.adults) }
            li { a href=(PROFILE) { (words.profile) } " — " (words.by_profile) }
            li { a href=(APPLICATION) { (words.application) } " — " (words.soon) }
        }
    }
}

fn public_page(language: Language) -> Markup {
    html! {
        p { (words(language).public_text) }
        p { a href="/" { (words(language).back) } }
    }
}

fn application_page(language: Language) -> Markup {
    let words = words(language);
    html! {
        p { (words.application_text) }
        form method="post" action=(APPLICATION) {
            label for="text" { (words.your_text) }
            textarea id="text" name="text" rows="6" {}
            div.actions {
                button { (words.send) }
                a.button.quiet href="/" { (words.back) }
            }
        }
    }
}

fn account_page(language: Language, claims: &Claims) -> Markup {
    let words = words(language);
    let level = match claims.acr.rsplit('/').next() {
        Some("high") => words.high,
        Some("substantial") => words.substantial,
        _ => words.low,
    };
    html! {
        p.lead { (words.signed_in) " " strong id="name" { (name(claims)) } }
        dl {
            dt { (words.birthdate) } dd { (claims.birthdate.as_deref().unwrap_or("–")) }
            dt { "PESEL" } dd { (claims.pesel.as_deref().unwrap_or("–")) }
            dt { (words.level) } dd { (level) }
            dt { (words.subject) } dd { code { (claims.sub) } }
            dt { (words.expires) } dd { (moment(claims.exp)) }
        }
        p.note { (words.verified) }
        form method="post" action="/.brama/logout" {
            div.actions {
                button { (words.sign_out) }
                a.button.quiet href="/" { (words.back) }
            }
        }
    }
}

fn name(claims: &Claims) -> String {
    let given = claims.given_name.as_deref().unwrap_or("");
    let family = claims.family_name.as_deref().unwrap_or("");
    format!("{given} {family}").trim().to_owned()
}

/// A time of the token, for people to read, in UTC.
fn moment(seconds: i64) -> String {
    crate::base::clock::Time::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

struct Words {
    ribbon: &'static str,
    welcome: &'static str,
    nobody: &'static str,
    sign_in: &'static str,
    sign_out: &'static str,
    signed_in: &'static str,
    public: &'static str,
    public_text: &'static str,
    account: &'static str,
    certificate: &'static str,
    payment: &'static str,
    recent: &'static str,
    declaration: &'static str,
    adults: &'static str,
    profile: &'static str,
    by_profile: &'static str,
    application: &'static str,
    soon: &'static str,
    application_text: &'static str,
    your_text: &'static str,
    send: &'static str,
    birthdate: &'static str,
    level: &'static str,
    low: &'static str,
    substantial: &'static str,
    high: &'static str,
    subject: &'static str,
    expires: &'static str,
    verified: &'static str,
    missing: &'static str,
    back: &'static str,
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::Polish => &Words {
            ribbon: "Portal pokazowy: osoby i sprawy są zmyślone",
            welcome: "Urząd Gminy Przykładowo",
            nobody: "Nie zalogowano.",
            sign_in: "Zaloguj przez węzeł krajowy",
            sign_out: "Wyloguj",
            signed_in: "Zalogowano:",
            public: "Ogłoszenia",
            public_text: "Tę stronę widzi każdy; portal nie dowiaduje się, kto ją czyta.",
            account: "Moje sprawy",
            certificate: "Zaświadczenie",
            payment: "Płatność",
            recent: "tożsamość potwierdzona w ostatnich 3 minutach",
            declaration: "Oświadczenie",
            adults: "osoby pełnoletnie z numerem PESEL",
            profile: "Skrzynka",
            by_profile: "po zalogowaniu profilem zaufanym",
            application: "Wniosek",
            soon: "ostrzeżenie przed końcem sesji po 30 sekundach",
            application_text: "Zacznij pisać, a potem przez 30 sekund nic nie rób: pojawi się ostrzeżenie przed końcem sesji. Na pozostałych stronach pojawia się dwie minuty przed końcem.",
            your_text: "Treść wniosku",
            send: "Wyślij",
            birthdate: "Data urodzenia",
            level: "Poziom wiarygodności",
            low: "niski (low)",
            substantial: "średni (substantial)",
            high: "wysoki (high)",
            subject: "Pseudonim dla tego portalu",
            expires: "Ważne do",
            verified: "Portal sam sprawdził podpis nagłówka X-Brama-Assertion kluczem z /.brama/jwks.json.",
            missing: "Nie ma takiej strony",
            back: "Strona główna",
        },
        Language::English | Language::Ukrainian => &Words {
            ribbon: "Demo portal: people and matters are invented",
            welcome: "Example Town Hall",
            nobody: "You are not signed in.",
            sign_in: "Sign in through the national node",
            sign_out: "Sign out",
            signed_in: "Signed in:",
            public: "Notices",
            public_text: "Everybody sees this page; the portal does not learn who reads it.",
            account: "My account",
            certificate: "Certificate",
            payment: "Payment",
            recent: "identity confirmed in the last 3 minutes",
            declaration: "Declaration",
            adults: "adults with a PESEL",
            profile: "Inbox",
            by_profile: "signed in with the trusted profile",
            application: "Application",
            soon: "a warning before the session ends after 30 seconds",
            application_text: "Begin to write, then do nothing for 30 seconds: a warning appears that the session is going to end. On the other pages it appears two minutes before the end.",
            your_text: "Your application",
            send: "Send",
            birthdate: "Date of birth",
            level: "Level of assurance",
            low: "low",
            substantial: "substantial",
            high: "high",
            subject: "Pseudonym for this portal",
            expires: "Valid until",
            verified: "The portal itself checked the signature of X-Brama-Assertion with a key from /.brama/jwks.json.",
            missing: "There is no such page",
            back: "Front page",
        },
    }
}
