//! A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

mod signed;

use std::collections::HashMap;
use std::env;
use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};

use tiny_http::{Header, Request, Response, Server};

use self::signed::{Message, Signed};

// --- who it is
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

const LEVELS: [&str; 3] = ["low", "substantial", "high"];
const LONGEST: usize = 8192;
const KEEP_KEYS: Duration = Duration::from_secs(300);

type Refused = Box<dyn std::error::Error>;

/// What is pinned: it stands in the portal's settings.
struct Gateway {
    issuer: String,   // public_url of the gateway
    audience: String, // audience of the route
    least: String,    // the least level of assurance that is needed here
    keys_url: String,
    keys: JwkSet,
    fetched: Option<Instant>,
}

impl Gateway {
    /// Returns the claims, or none when nobody is signed in.
    fn citizen(&mut self, tokens: &[&str]) -> Result<Option<Value>, Refused> {
        let [token] = tokens else {
            return if tokens.is_empty() { Ok(None) } else { Err("more than one token".into()) };
        };
        if token.len() > LONGEST {
            return Err("longer than any token of the gateway".into());
        }
        let header = decode_header(token)?;
        if header.crit.is_some() {
            return Err("crit is not understood".into());
        }
        let key = DecodingKey::from_jwk(self.key(&header.kid.ok_or("the key is not named")?)?)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
        validation.validate_nbf = true;
        validation.leeway = 10;
        Ok(Some(decode(token, &key, &validation)?.claims))
    }

    /// Finds a key by name. The set is fetched every five minutes, and when a name is unknown.
    fn key(&mut self, id: &str) -> Result<&Jwk, Refused> {
        let is_old = self.fetched.is_none_or(|at| at.elapsed() > KEEP_KEYS);
        if is_old || self.keys.find(id).is_none() {
            let text = ureq::get(&self.keys_url).call()?.body_mut().read_to_string()?;
            self.keys = serde_json::from_str(&text)?;
            self.fetched = Some(Instant::now());
        }
        Ok(self.keys.find(id).ok_or("an unknown key")?)
    }

    /// Says whether the level of assurance is the least that is needed here.
    fn is_sure_enough(&self, claims: &Value) -> bool {
        let from = LEVELS.iter().position(|level| *level == self.least);
        let mut enough = from.map_or(&[][..], |from| &LEVELS[from..]).iter();
        enough.any(|level| claims["acr"] == format!("http://eidas.europa.eu/LoA/{level}"))
    }
}

/// Ends a session of your own that another login began; returns the one to go on with.
fn bind(known: Option<Session>, claims: Option<&Value>) -> Session {
    let login = claims.map(|claims| [claims["sub"].clone(), claims["sid"].clone()]);
    known.filter(|session| session.login == login).unwrap_or_else(|| Session {
        name: uuid::Uuid::new_v4().to_string(),
        login,
        visits: 0,
    })
}
// --- end

/// The most bytes of a body.
const MOST: u64 = 1 << 20;

/// A session of the portal's own. Take those of your framework.
struct Session {
    name: String,
    login: Option<[Value; 2]>,
    visits: u32,
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let setting = |name: &str, otherwise: &str| env::var(name).unwrap_or(otherwise.to_owned());
    let issuer = env::var("BRAMA_ISSUER")?;
    let mut gateway = Gateway {
        audience: env::var("BRAMA_AUDIENCE")?,
        least: setting("BRAMA_LEVEL", "substantial"),
        keys_url: setting("BRAMA_JWKS", &format!("{issuer}/.brama/jwks.json")),
        issuer,
        keys: JwkSet { keys: Vec::new() },
        fetched: None,
    };
    let mut signed = match env::var("BRAMA_SIGNED") {
        Ok(algorithm) => Some(Signed {
            algorithm: algorithm.parse().map_err(|_| "BRAMA_SIGNED names no algorithm")?,
            secret_file: setting("BRAMA_SECRET_FILE", ""),
            key_id: setting("BRAMA_KEY_ID", ""),
            audience: gateway.audience.clone(),
            nonces: HashMap::new(),
            swept: 0,
        }),
        Err(_) => None,
    };
    let mut sessions = HashMap::new();
    let server = Server::http(format!("127.0.0.1:{}", setting("PORT", "3000")))?;
    println!("listening http://{}", server.server_addr());
    for mut request in server.incoming_requests() {
        let mut body = Vec::new();
        let read = request.as_reader().take(MOST + 1).read_to_end(&mut body);
        if read.is_err() || body.len() as u64 > MOST {
            let _ = request.respond(page(400, "<p>This portal takes no such body.</p>"));
            continue;
        }
        let is_signed = signed.as_mut().is_none_or(|signed| {
            let message = message(&request, &body);
            signed.verify(&message, |id| gateway.key(id).cloned()).is_ok()
        });
        let response = match is_signed {
            true => answer(&mut gateway, &mut sessions, &request),
            false => page(401, "<p>This is no request of the gateway.</p>"),
        };
        // A client that has left needs no answer.
        let _ = request.respond(response);
    }
    Ok(())
}

fn message<'r>(request: &'r Request, body: &'r [u8]) -> Message<'r> {
    let headers = request.headers().iter().map(|header| {
        (header.field.as_str().as_str().to_ascii_lowercase(), header.value.as_str().to_owned())
    });
    let (method, target) = (request.method().as_str(), request.url());
    Message { method, target, headers: headers.collect(), body }
}

fn answer(
    gateway: &mut Gateway,
    sessions: &mut HashMap<String, Session>,
    request: &Request,
) -> Response<Cursor<Vec<u8>>> {
    let values = |name: &'static str| {
        let named = request.headers().iter().filter(move |header| header.field.equiv(name));
        named.map(|header| header.value.as_str()).collect::<Vec<_>>()
    };
    let claims = match gateway.citizen(&values("X-Brama-Assertion")) {
        Ok(claims) => claims,
        Err(_) => return page(401, "<p>This is no identity for this portal.</p>"),
    };
    if claims.as_ref().is_some_and(|claims| !gateway.is_sure_enough(claims)) {
        return page(403, "<p>A higher level of assurance is needed.</p>");
    }
    let cookies = values("Cookie");
    let mut cookies = cookies.iter().flat_map(|cookies| cookies.split("; "));
    let name = cookies.find_map(|cookie| cookie.strip_prefix("visits="));
    let known = name.and_then(|name| sessions.remove(name));
    let mut session = bind(known, claims.as_ref());
    let Some(claims) = claims else { return page(200, "<p>Nobody is signed in.</p>") };
    session.visits += 1;
    let names = ["given_name", "family_name"].map(|claim| claims[claim].as_str());
    let names: Vec<_> = names.into_iter().flatten().collect();
    let name = match names[..] {
        [] => claims["sub"].as_str().unwrap_or_default().to_owned(),
        _ => names.join(" "),
    };
    let response = page(
        200,
        &format!(
            "<p>Signed in: <strong>{}</strong></p><p>Visit {}</p>",
            escaped(&name),
            session.visits
        ),
    );
    let cookie = format!("visits={}; HttpOnly; SameSite=Lax; Path=/", session.name);
    sessions.insert(session.name.clone(), session);
    response.with_header(header("Set-Cookie", &cookie))
}

fn page(status: u16, text: &str) -> Response<Cursor<Vec<u8>>> {
    let text = format!("<!doctype html><meta charset=\"utf-8\"><title>Portal</title>{text}\n");
    Response::from_string(text)
        .with_status_code(status)
        .with_header(header("Content-Type", "text/html; charset=utf-8"))
        .with_header(header("Cache-Control", "no-store"))
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("what we write is a header")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
