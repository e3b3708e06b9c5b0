//! Our own places, below the prefix, and the assertion consumer service wherever it is registered.
//!
//! | place | registered host | host of another portal | host for the public |
//! |---|---|---|---|
//! | the assertion consumer service, `finish`, `cross` | yes | | |
//! | `arrive` | | yes | |
//! | `login`, `logout`, `session`, `session.js`, `keepalive`, `form` | yes | yes, for its own cookie | |
//! | `language`, `logo-…` | yes | yes | yes, where our pages are shown too |
//! | `jwks.json` | yes | yes, the same keys | yes, under any name |
//! | `/.well-known/jwks.json`, `/.well-known/openid-configuration`, when they are wanted | yes | | |
//!
//! Below the prefix nothing else is anywhere, and nothing there reaches a portal. Well-known places
//! are the portal's own unless the configuration says otherwise.

pub mod acs;
pub mod arrive;
pub mod cross;
pub mod finish;
pub mod form;
pub mod jwks;
pub mod language;
pub mod login;
pub mod logo;
pub mod logout;
pub mod session;
mod small_form;
pub mod timer;

use http::{Method, Response, StatusCode};

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::gate::policy::Policy;
use crate::gateway::failure::Failure;
use crate::gateway::portals::Standing;
use crate::gateway::{Settings, Worker, response};
use crate::pages::ErrorPage;
use crate::request::context::{Caller, RequestContext, is_reading};
use crate::wire::incoming::Incoming;

/// One of our own paths, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// A login begins, or the citizen is signed in well enough and goes on.
    Login,
    /// The browser brings an artifact.
    Acs,
    /// The browser that began the login finishes it.
    Finish,
    /// A citizen wants to be signed in at another host.
    Cross,
    /// A citizen comes to another host with a code.
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
    /// A citizen wants our pages in another language.
    Language,
    /// A page of ours shows a logo.
    Logo,
    /// A backend fetches the public keys.
    Jwks,
    /// A client asks whether there is a server (`OPTIONS *`).
    Server,
    /// A backend's library asks what there is to know of the issuer.
    Issuer,
    /// Below the prefix there is nothing else.
    Unknown,
}

impl Endpoint {
    /// Returns its name for operators.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Acs => "acs",
            Self::Finish => "finish",
            Self::Cross => "cross",
            Self::Arrive => "arrive",
            Self::Form => "form",
            Self::Logout => "logout",
            Self::Session => "session",
            Self::KeepAlive => "keep_alive",
            Self::Timer => "timer",
            Self::Language => "language",
            Self::Logo => "logo",
            Self::Jwks => "jwks",
            Self::Server => "server",
            Self::Issuer => "issuer",
            Self::Unknown => "unknown",
        }
    }

    /// Tells whether it is nothing without the store.
    fn needs_store(self) -> bool {
        match self {
            Self::Login
            | Self::Acs
            | Self::Finish
            | Self::Cross
            | Self::Arrive
            | Self::Form
            | Self::Logout
            | Self::Session
            | Self::KeepAlive => true,
            Self::Timer
            | Self::Language
            | Self::Logo
            | Self::Jwks
            | Self::Server
            | Self::Issuer
            | Self::Unknown => false,
        }
    }
}

/// Stands for the server as a whole in place of a path (RFC 9112 3.2.4).
pub const SERVER: &str = "*";

/// Finds the place that a path names, on the hosts of the portal.
#[must_use]
pub fn find(settings: &Settings, host: &str, path: &str, policy: &Policy) -> Option<Endpoint> {
    // Public keys are for every client, under whatever name a backend reaches us by.
    let (is_acs, name) = (path == settings.acs_path, path.strip_prefix(&*settings.prefix));
    if name == Some("jwks.json") {
        return Some(Endpoint::Jwks);
    }
    // Nearly every path is none of ours, and then the host does not matter.
    if !(is_acs || name.is_some()) {
        if settings.well_known && settings.standing(host) == Standing::Registered {
            match path {
                jwks::WELL_KNOWN_KEYS => return Some(Endpoint::Jwks),
                jwks::WELL_KNOWN_ISSUER => return Some(Endpoint::Issuer),
                _ => {}
            }
        }
        return (path == SERVER && policy.has_host(host)).then_some(Endpoint::Server);
    }
    if !policy.has_host(host) {
        return None;
    }
    let standing = settings.standing(host);
    if is_acs && standing == Standing::Registered {
        return Some(Endpoint::Acs);
    }
    let name = name?;
    let of_one_host = match (name, standing) {
        ("language", _) => Some(Endpoint::Language),
        (_, _) if name.starts_with(logo::STEM) => Some(Endpoint::Logo),
        (_, Standing::Public) => Some(Endpoint::Unknown),
        ("finish", Standing::Registered) => Some(Endpoint::Finish),
        ("cross", Standing::Registered) => Some(Endpoint::Cross),
        ("arrive", Standing::Other(_)) => Some(Endpoint::Arrive),
        _ => None,
    };
    Some(of_one_host.unwrap_or(match name {
        "login" => Endpoint::Login,
        "form" => Endpoint::Form,
        "logout" => Endpoint::Logout,
        "session" => Endpoint::Session,
        "keepalive" => Endpoint::KeepAlive,
        "session.js" => Endpoint::Timer,
        _ => Endpoint::Unknown,
    }))
}

/// Answers at one of our places.
///
/// # Errors
/// Whatever goes wrong there.
pub async fn answer(
    worker: &Worker,
    endpoint: Endpoint,
    context: &RequestContext,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    let method = &context.parts.method;
    let (tenure, needs_store) = (&worker.shared.flows.tenure, endpoint.needs_store());
    if needs_store && tenure.is_over() {
        return Ok(response::ask_again(context.path_and_query()));
    }
    // Until it is answered, the store is not left to a successor: but for a body, which comes as
    // slowly as its sender likes.
    let _hold = (needs_store && is_reading(method)).then(|| tenure.hold());
    match (endpoint, method) {
        (Endpoint::Login, &Method::GET | &Method::HEAD) => login::answer(worker, context).await,
        (Endpoint::Acs, &Method::GET | &Method::POST) => {
            require_navigation(context, Reason::LoginNoNavigation)?;
            may_try(worker, context)?;
            counted(worker, context, acs::answer(worker, context, body).await)
        }
        (Endpoint::Finish, &Method::GET) => {
            require_navigation(context, Reason::LoginNoNavigation)?;
            may_try(worker, context)?;
            counted(worker, context, finish::answer(worker, context).await)
        }
        (Endpoint::Cross, &Method::GET) => {
            require_navigation(context, Reason::CrossingNoNavigation)?;
            may_try(worker, context)?;
            counted(worker, context, cross::answer(worker, context).await)
        }
        (Endpoint::Arrive, &Method::GET) => {
            require_navigation(context, Reason::CrossingNoNavigation)?;
            may_try(worker, context)?;
            counted(worker, context, arrive::answer(worker, context).await)
        }
        (Endpoint::Form, &Method::GET) => form::ask(worker, context).await,
        (Endpoint::Form, &Method::POST) => form::discard(worker, context, body).await,
        (Endpoint::Logout, &Method::GET | &Method::HEAD) => logout::ask(worker, context).await,
        (Endpoint::Logout, &Method::POST) => logout::answer(worker, context, body).await,
        (Endpoint::Session, &Method::GET | &Method::HEAD) => session::answer(worker, context).await,
        (Endpoint::KeepAlive, &Method::POST) => session::keep_alive(worker, context).await,
        (Endpoint::Timer, &Method::GET | &Method::HEAD) => Ok(timer::answer(context)),
        (Endpoint::Language, &Method::GET | &Method::HEAD) => Ok(language::answer(worker, context)),
        (Endpoint::Logo, &Method::GET | &Method::HEAD) => logo::answer(worker, context),
        (Endpoint::Jwks, &Method::GET | &Method::HEAD) => Ok(jwks::answer(worker, context)),
        (Endpoint::Issuer, &Method::GET | &Method::HEAD) => Ok(jwks::issuer(worker, context)),
        // RFC 9110 9.3.7: a ping. What portals take is theirs to say, path by path.
        (Endpoint::Server, _) => Ok(response::no_content()),
        (Endpoint::Unknown, _) => Err(Failure::new(
            ErrorPage::NotFound,
            StatusCode::NOT_FOUND,
            Reason::RequestNoSuchPlace,
        )),
        _ => Err(Failure::new(
            ErrorPage::MalformedRequest,
            StatusCode::METHOD_NOT_ALLOWED,
            Reason::RequestMethodNotAllowed,
        )),
    }
}

/// Turns away, before anything is spent, a network of which too many logins were refused.
fn may_try(worker: &Worker, context: &RequestContext) -> Result<(), Failure> {
    let may_try = worker.shared.limits.may_try(context.client.address);
    may_try.map_err(|refused| super::login::again_here(refused.into(), context))
}

/// Requires that a person goes to a page: before anything is counted, because a foreign page can
/// have a browser fetch what it likes, and that must not be counted for the citizen.
fn require_navigation(context: &RequestContext, code: Reason) -> Result<(), Failure> {
    if context.caller() == Caller::Navigation {
        return Ok(());
    }
    Err(Failure::new(ErrorPage::MalformedRequest, StatusCode::FORBIDDEN, code))
}

/// Counts a refused login against the network that it came from. What the node or we did wrong is
/// not its fault; an answer that is not believed may be.
fn counted(
    worker: &Worker,
    context: &RequestContext,
    response: Result<Response<Body>, Failure>,
) -> Result<Response<Body>, Failure> {
    response.inspect_err(|failure| {
        if failure.is_of_the_network {
            worker.shared.limits.fail(context.client.address);
        }
    })
}

#[cfg(test)]
mod tests;
