//! `logout`: asked for with GET, done with POST.
//!
//! A foreign page can make a browser GET anything with the citizen's cookies, so a GET only asks.
//! A POST counts when it comes from a page of our own origin; only where the browser does not say
//! (no `Sec-Fetch-Site`, no `Origin`) the token of the asking page decides, which backends know as
//! `sid`. The cookie does not come with a foreign POST anyway (`SameSite=Lax`).
//!
//! At whichever host it is done, the one session ends, and with it all that the citizen sees at
//! other hosts as signed in; the page stays at the host where the button was.

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::base::body::Body;
use crate::flow::logout::SignedOut;
use crate::gateway::Worker;
use crate::gateway::endpoints::small_form;
use crate::gateway::failure::Failure;
use crate::gateway::portal_cookies;
use crate::gateway::response;
use crate::observe::event::Event;
use crate::pages::{self, Branding, LogoutOutcome, Switch};
use crate::request::context::{Caller, RequestContext, form_value};
use crate::wire::incoming::Incoming;

/// The most bytes of the form: a token, and an address with every byte escaped.
const MOST_FORM: usize = 8192;
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Asks whether the citizen wants to sign out. `return_to` is where the portal has them go then: a
/// path, or one of `pages.return_urls`. With `told`, which our own page after a sign-out names, it
/// says once more how that ended.
///
/// # Errors
/// When the session store is away.
pub async fn ask(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let settings = &worker.shared.settings;
    let look = response::look(settings, context);
    let named = settings.returns.named(context.query("return_to").as_deref());
    let page = match worker.live(context).await? {
        None => {
            // Only our own page may have us say that somebody else's session has ended.
            let is_ours = context.is_same_origin(settings.origin_of(context.host.name()));
            let told = context.query("told").filter(|_| is_ours == Some(true));
            let outcome = told.as_deref().and_then(LogoutOutcome::parse);
            let home = named.as_deref().unwrap_or(settings.returns.home());
            pages::signed_out(look, outcome.unwrap_or(LogoutOutcome::NotSignedIn), home)
        }
        Some(live) => {
            let (action, token) =
                (settings.prefix.clone() + "logout", live.session().public_name());
            pages::confirm_logout(look, &action, token, ("/", named.as_deref()))
        }
    };
    Ok(response::page(StatusCode::OK, page))
}

/// Signs the citizen out.
///
/// # Errors
/// When the session store is away: then the citizen may still be signed in.
pub async fn answer(
    worker: &Worker,
    context: &RequestContext,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    let cookies = worker.shared.settings.cookies;
    let id = worker.session_id(context).await?;
    let said = context.is_same_origin(worker.shared.settings.origin_of(context.host.name()));
    let form = match said {
        Some(false) => Bytes::new(),
        _ => small_form::read(body, MOST_FORM).await.unwrap_or_default(),
    };
    let ours = said.unwrap_or_else(|| {
        // An old browser that says nothing of where the form was; ours holds the token.
        let expected = id.as_ref().map(|id| id.key().public_name());
        expected.is_some() && form_value(&form, &["token"]) == expected
    });
    if !ours {
        // Not ours to obey. The cookie is absent here when another site asks, so the browser is
        // sent to the page that asks the citizen, where it is present.
        return Ok(response::see_other(&format!("{}logout", worker.shared.settings.prefix)));
    }
    let signed_out = match &id {
        Some(id) => {
            worker.shared.minter.forget(id.key().bytes(), worker.shared.rules.policy.releases());
            let signed_out = worker.shared.flows.logout(id).await?;
            // A second one that a script may have set beside ours leads to no session either.
            let all = worker.session_ids(context).await?;
            for other in all.into_iter().filter(|other| other.key() != id.key()) {
                worker
                    .shared
                    .minter
                    .forget(other.key().bytes(), worker.shared.rules.policy.releases());
                warn(worker, context, &worker.shared.flows.logout(&other).await?);
            }
            signed_out
        }
        None => SignedOut::NotSignedIn,
    };
    warn(worker, context, &signed_out);
    let (outcome, name) = told(&signed_out);
    // A number that leads to no session, such as an invented one, names none.
    let ended = id.as_ref().filter(|_| outcome != LogoutOutcome::NotSignedIn);
    let session = ended.map(|id| id.key().public_name());
    let event = Event::SignedOut { session: session.as_deref(), outcome: name };
    worker.shared.tell(context, event);
    let mut response = if context.caller() == Caller::Program {
        response::json(StatusCode::OK, &serde_json::json!({ "outcome": name }))
    } else {
        let return_to = context.query("return_to").or_else(|| form_value(&form, &["return_to"]));
        told_to_people(worker, context, outcome, return_to.as_deref())
    };
    response.headers_mut().insert(SET_COOKIE, cookies.clear_session());
    if let Some(cookie) = cookies.clear_second_session(&context.parts.headers) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    portal_cookies::clear(worker, context, &mut response);
    // What the browser kept of the portal's pages goes as well.
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// Leads a citizen back when all has ended, as the portal named the way. In every other case there
/// is something to know first, so the page says it, and its button leads there.
fn told_to_people(
    worker: &Worker,
    context: &RequestContext,
    outcome: LogoutOutcome,
    return_to: Option<&str>,
) -> Response<Body> {
    let settings = &worker.shared.settings;
    let named = settings.returns.named(return_to);
    if let Some(named) = named.as_deref().filter(|_| outcome == LogoutOutcome::SignedOutEverywhere)
    {
        return response::see_other(named);
    }
    let home = named.as_deref().unwrap_or(settings.returns.home());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("told", outcome.name()).append_pair("return_to", home);
    let here = format!("{}logout?{}", settings.prefix, query.finish());
    let look = response::look(settings, context);
    // The page in another language is this one, and no question whether to sign out.
    let switch = look.switch.map(|switch| Switch { return_to: &here, ..switch });
    response::page(StatusCode::OK, pages::signed_out(Branding { switch, ..look }, outcome, home))
}

/// Tells the log that the session at the node may live on.
fn warn(worker: &Worker, context: &RequestContext, signed_out: &SignedOut) {
    if let Some(why) = signed_out.not_confirmed() {
        worker.shared.tell(context, Event::LogoutNotConfirmed { why });
    }
}

/// Returns what the citizen is told, and its name for programs, the log and the metrics.
fn told(signed_out: &SignedOut) -> (LogoutOutcome, &'static str) {
    match signed_out {
        SignedOut::Everywhere => (LogoutOutcome::SignedOutEverywhere, "signed_out_everywhere"),
        SignedOut::OnlyHere(_) => (LogoutOutcome::NodeDidNotConfirm, "node_did_not_confirm"),
        SignedOut::NotWritten(node) => match **node {
            SignedOut::Everywhere => (LogoutOutcome::NotWritten, "not_written"),
            _ => (LogoutOutcome::NotWrittenNorConfirmed, "not_written"),
        },
        SignedOut::NodeNotAsked => (LogoutOutcome::NodeNotAsked, "node_not_asked"),
        SignedOut::NotSignedIn => (LogoutOutcome::NotSignedIn, "not_signed_in"),
    }
}
