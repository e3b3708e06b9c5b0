//! What a proxy in front passes on to a client that may not pass.
//!
//! 1. It is what the gateway itself would answer ([`crate::gateway::denial`]), but for a login: that
//!    begins at our own place, to which the browser is led. So no answer sets a cookie, and none is
//!    a 200, which would be a yes.
//! 2. Addresses are whole: some proxies read a path as one of their own.
//! 3. A form is not kept, because its body does not come here. The page says so.

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::gate::Denial;
use crate::gateway::denial::{Reply, challenged};
use crate::gateway::failure::Failure;
use crate::gateway::{Settings, Worker};
use crate::request::context::RequestContext;

/// A refusal: its status is none of those that some proxy takes for a yes, or for no answer.
pub struct Denied {
    response: Response<Body>,
    reason: Option<&'static str>,
}

impl Denied {
    /// Makes a refusal of a response. One that would be a yes, or no last word, becomes 403.
    #[must_use]
    pub fn new(mut response: Response<Body>, reason: Option<&'static str>) -> Self {
        if response.status().is_success() || response.status().is_informational() {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        Self { response, reason }
    }

    /// Returns why, when there is more to it than that a citizen must sign in.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// Returns what the client is told.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        self.response
    }
}

/// Answers a request that the gate stopped.
///
/// # Errors
/// Whatever the citizen or the program is told in place of what they asked for.
pub(super) async fn deny(
    worker: &Worker,
    denial: &Denial<'_>,
    context: &RequestContext,
) -> Result<Denied, Failure> {
    worker.before_login(denial, context).await?;
    let settings = &worker.shared.settings;
    match worker.reply(denial, context) {
        Reply::ToNode(return_to, requirement) => {
            let link = settings.login_link(&return_to, requirement);
            Ok(Denied::new(to_sign_in(&whole(&link, context, settings)), None))
        }
        Reply::Challenge(challenge) => {
            Ok(Denied::new(challenged(&challenge, context), Some(challenge.code())))
        }
        Reply::Refuse(failure) => Err(failure),
    }
}

/// Leads a browser to where a login begins (RFC 9110 15.4.3).
fn to_sign_in(address: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    if let Ok(address) = HeaderValue::from_str(address) {
        headers.insert(LOCATION, address);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Makes the address in `Location` a whole one.
pub(super) fn make_absolute(
    response: &mut Response<Body>,
    context: &RequestContext,
    settings: &Settings,
) {
    let path = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let whole =
        path.filter(|path| path.starts_with('/')).map(|path| whole(path, context, settings));
    if let Some(whole) = whole.and_then(|whole| HeaderValue::try_from(whole).ok()) {
        response.headers_mut().insert(LOCATION, whole);
    }
}

/// Puts scheme, host and port before a path: as the configuration knows the host, or as it was
/// asked for.
fn whole(path: &str, context: &RequestContext, settings: &Settings) -> String {
    let host = &context.host;
    match settings.known_origin(host.name()) {
        Some(origin) => format!("{origin}{path}"),
        None => {
            let scheme = if context.client.is_tls { "https" } else { "http" };
            format!("{scheme}://{}{path}", host.name())
        }
    }
}
