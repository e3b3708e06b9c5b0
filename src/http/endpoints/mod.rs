//! Our own places, below the prefix, and the assertion consumer service wherever it is registered.
//!
//! | place | registered host | host of another portal | host for the public |
//! |---|---|---|---|
//! | the assertion consumer service, `finish`, `cross` | yes | | |
//! | `arrive` | | yes | |
//! | `login`, `logout`, `session`, `session.js`, `keepalive`, `form` | yes | yes, for its own cookie | |
//! | `jwks.json` | yes | yes, the same keys | yes, under any name |
//!
//! Below the prefix nothing else is anywhere, and nothing there reaches a portal.

pub mod acs;
pub mod arrive;
pub mod cross;
pub mod finish;
pub mod form;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod session;
pub mod timer;

use std::time::Duration;

use http::header::{LOCATION, REFERRER_POLICY};
use http::{HeaderValue, Method, Response, StatusCode};

use super::answer::{self, Failure};
use super::exchange::{Caller, Exchange};
use super::portals::Standing;
use super::{Gateway, Settings};
use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::gate::policy::Policy;
use crate::pages::Trouble;
use crate::wire::incoming::Incoming;

/// How long one of our own small forms may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

/// One of our places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A login begins.
    Login,
    /// The browser brings an artifact.
    Acs,
    /// The browser that began the login finishes it.
    Finish,
    /// Somebody wants to be signed in at another host.
    Cross,
    /// Somebody comes to another host with a code.
    Arrive,
    /// A form that was kept waits to be sent.
    Form,
    /// A citizen signs out.
    Logout,
    /// A page's script asks who is signed in.
    Session,
    /// A page's script says that the citizen is still there.
    KeepAlive,
    /// A page includes the session timer.
    Timer,
    /// A backend fetches the public keys.
    Jwks,
    /// Below the prefix there is nothing else.
    Unknown,
}

/// Finds the place that a path names, on the hosts of the portal.
#[must_use]
pub fn find(settings: &Settings, host: &str, path: &str, policy: &Policy) -> Option<Place> {
    // Public keys are for whoever asks, under whatever name a backend reaches us by.
    let (is_acs, name) = (path == settings.acs_path, path.strip_prefix(&*settings.prefix));
    if name == Some("jwks.json") {
        return Some(Place::Jwks);
    }
    // Nearly every path is none of ours, and then the host does not matter.
    if !(is_acs || name.is_some()) || !policy.has_host(host) {
        return None;
    }
    let standing = settings.standing(host);
    if is_acs && standing == Standing::Registered {
        return Some(Place::Acs);
    }
    let name = name?;
    let of_one_host = match (name, standing) {
        (_, Standing::Public) => Some(Place::Unknown),
        ("finish", Standing::Registered) => Some(Place::Finish),
        ("cross", Standing::Registered) => Some(Place::Cross),
        ("arrive", Standing::Other(_)) => Some(Place::Arrive),
        _ => None,
    };
    Some(of_one_host.unwrap_or(match name {
        "login" => Place::Login,
        "form" => Place::Form,
        "logout" => Place::Logout,
        "session" => Place::Session,
        "keepalive" => Place::KeepAlive,
        "session.js" => Place::Timer,
        _ => Place::Unknown,
    }))
}

/// Answers at one of our places.
///
/// # Errors
/// Whatever goes wrong there.
pub async fn answer(
    gateway: &Gateway,
    place: Place,
    exchange: &Exchange,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    let method = &exchange.parts.method;
    match (place, method) {
        (Place::Login, &Method::GET | &Method::HEAD) => login::answer(gateway, exchange).await,
        (Place::Acs, &Method::GET | &Method::POST) => {
            require_navigation(exchange, Reason::LoginNoNavigation)?;
            may_try(gateway, exchange)?;
            counted(gateway, exchange, acs::answer(gateway, exchange, body).await)
        }
        (Place::Finish, &Method::GET) => {
            require_navigation(exchange, Reason::LoginNoNavigation)?;
            may_try(gateway, exchange)?;
            counted(gateway, exchange, finish::answer(gateway, exchange).await)
        }
        (Place::Cross, &Method::GET) => {
            require_navigation(exchange, Reason::CrossingNoNavigation)?;
            may_try(gateway, exchange)?;
            counted(gateway, exchange, cross::answer(gateway, exchange).await)
        }
        (Place::Arrive, &Method::GET) => {
            require_navigation(exchange, Reason::CrossingNoNavigation)?;
            may_try(gateway, exchange)?;
            counted(gateway, exchange, arrive::answer(gateway, exchange).await)
        }
        (Place::Form, &Method::GET) => form::ask(gateway, exchange).await,
        (Place::Form, &Method::POST) => form::discard(gateway, exchange, body).await,
        (Place::Logout, &Method::GET | &Method::HEAD) => logout::ask(gateway, exchange).await,
        (Place::Logout, &Method::POST) => logout::answer(gateway, exchange, body).await,
        (Place::Session, &Method::GET | &Method::HEAD) => session::answer(gateway, exchange).await,
        (Place::KeepAlive, &Method::POST) => session::keep_alive(gateway, exchange).await,
        (Place::Timer, &Method::GET | &Method::HEAD) => Ok(timer::answer(exchange)),
        (Place::Jwks, &Method::GET | &Method::HEAD) => Ok(jwks::answer(gateway)),
        (Place::Unknown, _) => {
            Err(Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, Reason::RequestNoSuchPlace))
        }
        _ => Err(Failure::new(
            Trouble::MalformedRequest,
            StatusCode::METHOD_NOT_ALLOWED,
            Reason::RequestMethodNotAllowed,
        )),
    }
}

/// Turns away, before anything is spent, a network of which too many logins were refused.
fn may_try(gateway: &Gateway, exchange: &Exchange) -> Result<(), Failure> {
    let may_try = gateway.limits.may_try(exchange.client.address);
    may_try.map_err(|refused| login::again_here(refused.into(), exchange))
}

/// Requires that a person goes to a page: before anything is counted, because a foreign page can have a
/// browser fetch what it likes, and that must count for nobody.
fn require_navigation(exchange: &Exchange, code: Reason) -> Result<(), Failure> {
    if exchange.caller() == Caller::Navigation {
        return Ok(());
    }
    Err(Failure::new(Trouble::MalformedRequest, StatusCode::FORBIDDEN, code))
}

/// Has the browser tell nobody the address that it is at or goes to: neither the next page, nor a page
/// that opened this one and looks on, nor our own log.
fn handoff_headers(response: &mut Response<Body>) {
    let policy = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(REFERRER_POLICY, policy);
    answer::keep_apart(response);
    if let Some(location) = response.headers_mut().get_mut(LOCATION) {
        location.set_sensitive(true);
    }
}

/// Counts a refused login against the network that it came from. What the node or we did wrong is
/// not its fault; an answer that is not believed may be.
fn counted(
    gateway: &Gateway,
    exchange: &Exchange,
    response: Result<Response<Body>, Failure>,
) -> Result<Response<Body>, Failure> {
    response.inspect_err(|failure| {
        if failure.is_of_the_network {
            gateway.limits.fail(exchange.client.address);
        }
    })
}
