//! `finish`: the browser that began a login and delivered its answer comes with its cookie and its
//! ticket, and gets a session.

use std::time::Duration;

use http::header::{REFRESH, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::Body;
use crate::base::clock::earlier;
use crate::flow::binding::Tag;
use crate::flow::finish::{Attempt, Finished};
use crate::flow::history::Pen;
use crate::flow::login_error::{LoginError, LoginRefusal};
use crate::flow::node::NodeError;
use crate::flow::pending::{Origin, PendingLogin};
use crate::flow::relay_state::{ExpiredRelayState, NotRecognised, RelayState};
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::gateway::Worker;
use crate::gateway::failure::{FailedLogin, Failure};
use crate::gateway::{history, login, portal_cookies, response};
use crate::observe::event::{Event, LoginFacts, Personal};
use crate::pages;
use crate::request::context::RequestContext;
use crate::request::cookie::Bound;

/// Answers `GET finish?state=...&ticket=...`.
///
/// # Errors
/// Whatever keeps the citizen from being signed in.
pub async fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let flows = &worker.shared.flows;
    let state = context.query("state").unwrap_or_default();
    let relay_state = RelayState::recognise(&state, &flows.sealer, worker.shared.clock.now());
    let relay_state = match relay_state {
        Ok(relay_state) => relay_state,
        Err(NotRecognised::Expired(expired)) => return late(worker, context, &expired).await,
        Err(error) => return Err(refused(worker, None, LoginRefusal::from(error).into())),
    };
    let mut remembered = remembered(worker, context, &relay_state.tag()).into_iter();
    let begun = remembered.find_map(|text| PendingLogin::open(text, &flows.sealer, &relay_state));
    let ticket = context.query("ticket");
    let timeout = flows.settings.login_timeout;
    let pen = pen(&relay_state, timeout, begun.as_ref(), context.says_origin());
    let earlier = worker.session_id(context).await?;
    let attempt = Attempt {
        relay_state: &relay_state,
        ticket: ticket.as_deref(),
        begun: begun.as_ref(),
        earlier: earlier.as_ref(),
        network: worker.network(context),
        pen: &pen,
    };
    // Only what this browser began and brings back counts: a foreign page can lead to the rest.
    if begun.is_some() {
        let may = worker.shared.limits.come_back(context.client.address);
        may.map_err(|refused| login::again_here(refused.into(), context))?;
    }
    // Nothing is spent yet, and no session begins of which there is no record.
    login::check_audit(worker, context)?;
    let finished = match flows.finish(attempt).await {
        Ok(finished) => finished,
        // Nothing is spent yet: the same address finishes the same login in a moment, for as long
        // as the ticket in it is good.
        Err(error @ LoginError::Node(NodeError::Busy)) => {
            let failure = Failure { pen: Some(pen), ..error.into() };
            return Err(login::again_here(failure, context).tries_again());
        }
        Err(error) => {
            // Known only to the browser that began it, so that the page leads no other browser
            // there.
            if is_over(&error)
                && let Some(login) = &begun
                && worker.live(context).await?.is_some()
            {
                // The page was loaded once more, and the citizen has long been signed in.
                return Ok(arrive(worker, context, login.return_to.as_str(), login.origin));
            }
            let failure = followed(refused(worker, begun, error), context);
            return Err(Failure { pen: Some(pen), ..failure });
        }
    };
    history::signed_in(&worker.shared, context, &pen, &finished);
    tell(worker, context, &finished);
    let login = finished.login;
    let mut response = arrive(worker, context, login.return_to.as_str(), login.origin);
    set_session(worker, context, finished.session.expose(), &mut response);
    if !finished.is_same_person {
        portal_cookies::clear(worker, context, &mut response);
    }
    Ok(response)
}

/// Tells that a citizen was signed in.
fn tell(worker: &Worker, context: &RequestContext, finished: &Finished) {
    let authn_request = &*finished.login.request_id;
    let session = &finished.session.key().public_name();
    let assurance = finished.assurance.name();
    let event = match &finished.vouched {
        Some(vouched) => Event::SignedIn {
            login: LoginFacts {
                authn_request: Some(authn_request),
                artifact: Some(&vouched.artifact),
                assertion: Some(&vouched.assertion),
                authority: vouched.authority.as_deref(),
            },
            session,
            assurance,
            person: Personal::new(vouched.person.kind(), vouched.person.as_str()),
        },
        None => Event::SignedInAgain { authn_request, session, assurance },
    };
    worker.shared.tell(context, event);
}

/// Begins the history of a login with what is known of it when the browser comes back. One that does
/// not say which site's page leads it anywhere did not say it at the beginning either.
fn pen(
    relay_state: &RelayState,
    timeout: Duration,
    begun: Option<&PendingLogin>,
    says_origin: bool,
) -> Pen {
    let pen = Pen::begin();
    if let Some(login) = begun {
        pen.note(|history| {
            history.login = Some(login.request_id.clone());
            history.began = Some(earlier(relay_state.end(), timeout));
            history.assurance = Some(login.assurance.name().to_owned());
            history.anew = login.fresh_since.is_some();
            let is_from_elsewhere = login.origin == Origin::Elsewhere;
            history.from_elsewhere = is_from_elsewhere && says_origin;
            history.from_unknown = is_from_elsewhere && !says_origin;
        });
    }
    pen
}

/// Returns what the browser remembers of a login. It may show several values; what one of them opens
/// to is known to the browser that began the login.
fn remembered<'c>(worker: &Worker, context: &'c RequestContext, tag: &Tag) -> Vec<&'c str> {
    let (cookies, headers) = (worker.shared.settings.cookies, &context.parts.headers);
    let kinds = [Bound::Login, Bound::ForeignLogin];
    kinds.into_iter().flat_map(|kind| cookies.bound(headers, kind, tag)).collect()
}

/// Answers a citizen who took too long at the node: they begin again where they wanted to go, or
/// are led there when they have signed in meanwhile.
async fn late(
    worker: &Worker,
    context: &RequestContext,
    expired: &ExpiredRelayState,
) -> Result<Response<Body>, Failure> {
    let sealer = &worker.shared.flows.sealer;
    let mut remembered = remembered(worker, context, &expired.tag()).into_iter();
    let begun = remembered.find_map(|text| PendingLogin::open_late(text, sealer, expired));
    // Known only to the browser that began it, so that the page leads no other browser there.
    if let Some(login) = &begun
        && worker.live(context).await?.is_some()
    {
        return Ok(arrive(worker, context, login.return_to.as_str(), login.origin));
    }
    Err(followed(refused(worker, begun, LoginRefusal::Expired.into()), context))
}

/// Gives the browser its session cookie, in the place of any that was set before.
pub(super) fn set_session(
    worker: &Worker,
    context: &RequestContext,
    id: &str,
    response: &mut Response<Body>,
) {
    let cookies = worker.shared.settings.cookies;
    if let Some(cookie) = cookies.clear_second_session(&context.parts.headers) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response.headers_mut().append(SET_COOKIE, cookies.set_session(id));
}

/// Leads the browser on. People get a page that refreshes to the target: see [`pages::arriving`].
pub(super) fn arrive(
    worker: &Worker,
    context: &RequestContext,
    target: &str,
    origin: Origin,
) -> Response<Body> {
    let look = response::look(&worker.shared.settings, context);
    let came = match origin {
        Origin::Own => pages::Came::FromThePortal,
        Origin::Elsewhere => pages::Came::FromElsewhere,
    };
    let mut response = response::page(StatusCode::OK, pages::arriving(look, target, came));
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={target}")) {
        response.headers_mut().insert(REFRESH, refresh);
    }
    response::keep_address_private(&mut response);
    response
}

/// Tells whether a login came to its end before.
fn is_over(error: &LoginError) -> bool {
    matches!(error, LoginError::Pending(LoginRefusal::Used | LoginRefusal::TicketExpired))
}

/// Has the way to begin again say which refusal it follows.
fn followed(failure: Failure, context: &RequestContext) -> Failure {
    let link = failure.begin_again.as_ref().map(|link| history::following(link, context));
    Failure { begin_again: link, ..failure }
}

/// The way to begin again leads back to where the citizen was going: one who is signed in by then
/// simply arrives.
pub(super) fn refused(worker: &Worker, begun: Option<PendingLogin>, error: LoginError) -> Failure {
    let authn_request = begun.as_ref().map(|login| login.request_id.clone());
    let origin = begun.as_ref().map(|login| login.origin);
    let (return_to, requirement) = match begun {
        Some(login) => {
            let max_age = login.fresh_since.map(|_| Duration::ZERO);
            (login.return_to, AuthnRequirement { assurance: login.assurance, max_age })
        }
        None => {
            (ReturnTo::front_page(), AuthnRequirement::from(worker.shared.flows.settings.assurance))
        }
    };
    let login = Some(Box::new(FailedLogin { authn_request }));
    let failure = Failure { origin, login, ..error.into() };
    failure.begin_again(worker.shared.settings.login_link(&return_to, requirement))
}
