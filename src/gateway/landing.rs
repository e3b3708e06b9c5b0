//! The page before the node, where the operator wants one, and what its button proves.
//!
//! 1. Nothing begins before the button is pressed: no login is counted, kept or bound, and the node
//!    is told of nobody. Any page may lead a browser to this page; none can press the button.
//! 2. The button is a link with a secret that a cookie of this browser has too. Another site's page
//!    knows neither, so it cannot begin a login in the citizen's name, past what they agree to. A
//!    link, and not a form: the step keeps its origin (Fetch metadata), and with it the portal's
//!    cookies with `SameSite=Strict` stay away where another site led here.
//! 3. The secret says that the page was shown in this browser, and nothing of a person. It goes
//!    away with the browser.

use http::header::SET_COOKIE;
use http::{Response, StatusCode};

use super::{Worker, history, response};
use crate::base::body::Body;
use crate::base::random;
use crate::flow::pending::Origin;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::pages;
use crate::request::context::RequestContext;

/// The parameter of `login` with the secret.
const FIELD: &str = "begin";

/// Returns the page, unless there is none or its button was pressed. It is shown at the registered
/// host alone, where logins take place.
pub(super) fn before(
    worker: &Worker,
    context: &RequestContext,
    return_to: &ReturnTo,
    requirement: AuthnRequirement,
) -> Option<Response<Body>> {
    let settings = &worker.shared.settings;
    let host = context.host.name();
    if settings.appearance.landing.is_none() || settings.other(host).is_some() {
        return None;
    }
    let headers = &context.parts.headers;
    let known = settings.cookies.landings(headers);
    let is_login = context.path().strip_prefix(&*settings.prefix) == Some("login");
    let said = context.query(FIELD).filter(|_| is_login);
    if said.is_some_and(|said| known.contains(&&*said)) {
        return None;
    }
    // All tabs of a browser have the same one, so that none takes it from another.
    let secret = known.first().map_or_else(random::handle, |known| (*known).to_owned());
    let link = format!("{}&{FIELD}={secret}", settings.login_link(return_to, requirement));
    let link = if is_login { history::still_following(link, context) } else { link };
    let mut page = pages::landing(response::look(settings, context), &link);
    if context.origin() == Origin::Elsewhere {
        page = page.without_origin();
    }
    let mut response = response::page(StatusCode::OK, page);
    // The secret is in the page: no window that another site has opened looks at it.
    response::isolate_opener(&mut response);
    response.headers_mut().insert(SET_COOKIE, settings.cookies.set_landing(&secret));
    Some(response)
}
