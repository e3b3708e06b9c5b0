//! From a question to an answer: the same steps as on the way of every request, up to the point
//! where it would go on.

use std::pin::pin;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, COOKIE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::base::reason::Reason;
use crate::companion::asked::Asked;
use crate::companion::denial::{self, Denied};
use crate::companion::front::Front;
use crate::gate::action::Action;
use crate::gate::{Decision, Pass};
use crate::gateway::decide::{Found, Received};
use crate::gateway::failure::Failure;
use crate::gateway::failure_response;
use crate::gateway::stack::Unanswered;
use crate::gateway::{Worker, action, destination};
use crate::identity::forms::Told;
use crate::identity::headers::ASSERTION;
use crate::observe::traces;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::headers::forwarded::Client;
use crate::request::headers::scan::told_as;
use crate::request::service::{Peer, WantsUpgrade};

/// It may pass.
pub const ALLOWED: &str = "allowed";
/// It may not, or not yet.
pub const DENIED: &str = "denied";
/// What was asked could not be read, or another than the proxy asked.
pub const REFUSED: &str = "refused";

/// What is answered.
pub enum Answer {
    /// It may pass.
    Allow(Allowed),
    /// It may not.
    Deny(Denied),
}

/// As whom a request passes.
pub struct Allowed {
    told: Told,
    cookies: HeaderValue,
    pass: Pass,
}

impl Allowed {
    /// Returns the fields with which the request goes on. Each takes the place of all that the
    /// client sent under its name. Cookies are those of the client without ours, which would be
    /// worth stealing at the portal.
    pub fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let told = self.told.fields().iter().map(|(name, value)| (name, value));
        told.chain([(&COOKIE, &self.cookies)])
    }

    /// Returns the public name of the session; nobody is signed in without.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.pass.live().map(|live| live.session().subject().session)
    }

    /// Puts it into an answer.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(body::empty());
        let headers = response.headers_mut();
        for (name, value) in self.fields() {
            headers.append(name, value.clone());
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Decides about a request. It has no answer yet: what is returned with the decision is to be
/// noted with what the proxy in front is told ([`note`]).
pub async fn decide<'w>(worker: &'w Worker, asked: Asked, peer: &Peer) -> (Answer, Unanswered<'w>) {
    let Asked { parts, client } = asked;
    let mut unanswered = Unanswered::begin(worker, parts, peer);
    let context = unanswered.context();
    let answer = match judge(worker, context, client).await {
        Ok(answer) => answer,
        Err(failure) => {
            context.record.reason = Some(failure.code);
            let response = failure_response::respond(&failure, context, &worker.shared);
            Answer::Deny(Denied::new(response, Some(failure.code.as_str())))
        }
    };
    let outcome = match answer {
        Answer::Allow(_) => ALLOWED,
        Answer::Deny(_) => DENIED,
    };
    worker.shared.events.counts().decisions.add(outcome);
    (answer, unanswered)
}

/// Notes what a proxy in front is told.
#[must_use]
pub fn note(unanswered: Unanswered<'_>, response: Response<Body>) -> Response<Body> {
    let worker = unanswered.worker();
    worker.note(unanswered.answered(), response.into()).into_response()
}

/// Decides about a request, for a proxy that is answered over HTTP. It takes away nothing of what
/// it showed us, so what a client says of itself is refused.
pub async fn answer(worker: &Worker, front: Front, asked: Asked, peer: &Peer) -> Response<Body> {
    if let Some(name) = told_by_client(worker, &asked.parts.headers) {
        let failure = speaks_of_itself(&name);
        return front.refusal(refuse(worker, asked.parts, peer, &failure));
    }
    let (answer, unanswered) = decide(worker, asked, peer).await;
    let response = match answer {
        Answer::Allow(allowed) => allowed.into_response(),
        Answer::Deny(denied) => front.refusal(denied.into_response()),
    };
    note(unanswered, response)
}

/// Refuses to answer a question that could not be read, or that another than the proxy asks.
#[must_use]
pub fn refuse(
    worker: &Worker,
    parts: Box<Parts>,
    peer: &Peer,
    failure: &Failure,
) -> Response<Body> {
    let mut unanswered = Unanswered::begin(worker, parts, peer);
    let context = unanswered.context();
    context.record.reason = Some(failure.code);
    worker.shared.events.counts().decisions.add(REFUSED);
    let response = failure_response::respond(failure, context, &worker.shared);
    note(unanswered, response)
}

async fn judge(
    worker: &Worker,
    context: &mut RequestContext,
    client: Client,
) -> Result<Answer, Failure> {
    // 1. One reading of the request, and what it is for.
    let received = worker.receive_told(context, client)?;
    let trace = context.trace.clone();
    let judged = pin!(judge_received(worker, context, received));
    match trace {
        None => judged.await,
        Some(trace) => traces::within(trace, judged).await,
    }
}

async fn judge_received(
    worker: &Worker,
    context: &mut RequestContext,
    received: Received,
) -> Result<Answer, Failure> {
    let found = match worker.find(&received, context, has_body(context)) {
        Found::Route(found) => found,
        Found::Own(_) => return Err(own_place()),
    };

    // 2. May it pass?
    let pass = match worker.decide(context, found).await? {
        Decision::Pass(pass) => pass,
        Decision::Deny(denied) => {
            return denial::deny(worker, &denied, context).await.map(Answer::Deny);
        }
    };
    if destination::has_second_place(&context.parts.method) {
        destination::judge(worker, &pass, context).await?;
    }
    check_upgrade(&pass, context)?;
    context.record.route = Some(Arc::clone(pass.route()));

    // 3. As whom?
    match &pass.route().action {
        Action::Permit => {}
        Action::Redirect(redirect) => {
            let settings = &worker.shared.settings;
            let mut response = action::redirect(redirect, &pass, context, settings);
            denial::make_absolute(&mut response, context, settings);
            return Ok(Answer::Deny(Denied::new(response, None)));
        }
        Action::Respond(respond) => {
            let response = action::respond(respond, &pass);
            return Ok(Answer::Deny(Denied::new(response, None)));
        }
        Action::Forward(_) => return Err(proxied()),
    }
    let told = worker.told_to_front(&pass, context)?;
    if !is_whole(&told) {
        return Err(unsaid());
    }
    let cookies = foreign_cookies(worker, context)?;
    Ok(Answer::Allow(Allowed { told, cookies, pass }))
}

/// Tells whether the signed identity is there exactly once, with a value.
fn is_whole(told: &Told) -> bool {
    let mut values = told.fields().iter().filter(|(name, _)| *name == ASSERTION);
    matches!((values.next(), values.next()), (Some((_, value)), None) if !value.is_empty())
}

/// Returns the cookies of the client without ours, in one line (RFC 9113 8.2.3 joins them alike).
fn foreign_cookies(worker: &Worker, context: &mut RequestContext) -> Result<HeaderValue, Failure> {
    let headers = &mut context.parts.headers;
    if context.scan.has_cookies {
        worker.shared.settings.cookies.remove_from_request(headers);
    }
    let mut lines = headers.get_all(COOKIE).iter();
    let joined = match (lines.next(), lines.next()) {
        (None, _) => HeaderValue::from_static(""),
        (Some(one), None) => one.clone(),
        _ => {
            let lines: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
            HeaderValue::from_bytes(&lines.join(&b"; "[..])).map_err(|_| too_many_cookies())?
        }
    };
    // Some proxies join two lines by a comma, where our name is one no more.
    let mut names = joined
        .as_bytes()
        .split(|byte| b",;".contains(byte))
        .map(|pair| pair.split(|&byte| byte == b'=').next().unwrap_or(pair).trim_ascii());
    if names.any(|name| worker.shared.settings.cookies.is_ours(name)) {
        let detail = "a cookie of ours stands in another: two lines were joined by a comma";
        return Err(Failure::malformed(Reason::CompanionHeader, detail));
    }
    if joined.len() > MAXIMUM_COOKIES { Err(too_many_cookies()) } else { Ok(joined) }
}

/// The most bytes of cookies in an answer: proxies take heads of answers up to a bound of their own.
const MAXIMUM_COOKIES: usize = 8 * 1024;

fn too_many_cookies() -> Failure {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let failure = Failure::new(ErrorPage::TooLarge, status, Reason::RequestHeaderTooLarge);
    let detail = format!("the cookies of the portal have more than {MAXIMUM_COOKIES} bytes");
    Failure { detail, ..failure }
}

/// The body does not come here, but its length does.
fn has_body(context: &RequestContext) -> bool {
    let headers = &context.parts.headers;
    let length = headers.get(CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING)
        || length.is_some_and(|length| length.as_bytes() != b"0")
}

/// A connection that the proxy in front would change to a protocol that the route does not name.
fn check_upgrade(pass: &Pass, context: &RequestContext) -> Result<(), Failure> {
    let wish = match context.parts.extensions.get::<WantsUpgrade>() {
        None => return Ok(()),
        Some(WantsUpgrade::IfPossible(wish) | WantsUpgrade::Only(wish)) => wish,
    };
    if pass.route().upgrade.of(wish).is_some() {
        return Ok(());
    }
    let (status, code) = (StatusCode::FORBIDDEN, Reason::CompanionUpgrade);
    let detail =
        "the connection would change to a protocol that upgrade of the route does not name";
    let failure = Failure::new(ErrorPage::Forbidden, status, code);
    Err(Failure { detail: detail.to_owned(), ..failure })
}

/// Returns the name of a header under which a client tells the portal who it is, in whatever
/// spelling: one of another gateway's, or one of the operator's choice. When the gateway hands
/// requests on it takes them away; here the proxy in front would hand them on.
fn told_by_client(worker: &Worker, headers: &HeaderMap) -> Option<HeaderName> {
    let shared = &worker.shared;
    let passed = &shared.settings.edge.identity_headers_passed;
    let told = shared.rules.policy.told_names();
    let tells = |name: &&HeaderName| {
        let is_told = **name != AUTHORIZATION && told_as(name.as_str(), told).is_some();
        is_told && !passed.contains(name)
    };
    headers.keys().find(tells).cloned()
}

fn speaks_of_itself(name: &HeaderName) -> Failure {
    let detail = format!(
        "{name} tells the portal who somebody is; the proxy in front must take that header away from \
         its clients, in every spelling"
    );
    let (status, code) = (StatusCode::FORBIDDEN, Reason::CompanionConflict);
    Failure { detail, ..Failure::new(ErrorPage::Forbidden, status, code) }
}

fn misdirected(detail: &str) -> Failure {
    let (status, code) = (StatusCode::MISDIRECTED_REQUEST, Reason::RequestMisdirected);
    Failure { detail: detail.to_owned(), ..Failure::new(ErrorPage::OurFault, status, code) }
}

fn own_place() -> Failure {
    misdirected(
        "it is a place of the gateway itself: the proxy in front must send it to the gateway's \
         listener for citizens, without asking",
    )
}

fn proxied() -> Failure {
    misdirected(
        "the route has an upstream, to which the gateway itself hands requests on: the proxy in \
         front must send it to the gateway's listener for citizens, without asking",
    )
}

fn unsaid() -> Failure {
    let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, Reason::IdentityCannotSign);
    let detail = "there is no signed identity to answer with";
    Failure { detail: detail.to_owned(), ..Failure::new(ErrorPage::PortalDown, status, code) }
}
