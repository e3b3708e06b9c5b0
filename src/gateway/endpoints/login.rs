//! `login`: a login begins, on purpose or because a page needs it. Only a person who goes to a page
//! begins one; scripts, frames and what fetches ahead are told that it is needed.

use std::time::Duration;

use http::{Response, StatusCode};

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::return_to::ReturnTo;
use crate::gateway::Worker;
use crate::gateway::authn_requirement;
use crate::gateway::challenge::Challenge;
use crate::gateway::failure::Failure;
use crate::gateway::login;
use crate::gateway::response;
use crate::identity::assurance::Assurance;
use crate::observe::event::Event;
use crate::pages::ErrorPage;
use crate::request::context::{Caller, RequestContext};
use crate::session::cached::ActiveSession;

/// Answers `GET login?return_to=/path&assurance=high&max_age=300`; all parameters are optional.
/// With `max_age` (seconds) a citizen who identified longer ago does so anew, with 0 every citizen.
/// Neither asks for less than the service and the return path do.
///
/// # Errors
/// When sign-in is closed, the network began too many logins, our request cannot be signed, or the
/// session store is away.
pub async fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let return_to = context.query("return_to").unwrap_or_default();
    let return_to = ReturnTo::parse(&return_to);
    let assurance = context.query("assurance").map(|text| {
        let detail = "assurance is low, substantial or high";
        Assurance::parse(&text).ok_or_else(|| Failure::malformed(Reason::RequestAssurance, detail))
    });
    let max_age = context.query("max_age").map(|text| parse_age(&text));
    let wish = (assurance.transpose()?, max_age.transpose()?);
    let requirement = authn_requirement::demanded(worker, context, &return_to, wish);
    // A citizen who is signed in surely and recently enough need not go to the node again.
    let live = worker.live(context).await?;
    let is_met = live.as_ref().map(ActiveSession::session).is_some_and(|session| {
        requirement.is_met(session.assurance(), session.authenticated(), context.began)
    });
    if is_met {
        return Ok(response::see_other(return_to.as_str()));
    }
    if live.is_some() && context.caller() != Caller::Machine {
        worker.shared.tell(context, Event::StepUpDemanded);
    }
    login::check_outage(worker, context)?;
    let login = worker.shared.settings.login_link(&return_to, requirement);
    match context.caller() {
        Caller::Navigation => login::begin(worker, context, return_to, requirement).await,
        // None of them can go to the node, so nothing begins and no cookie is set: a script that
        // asks again and again leaves nothing behind.
        Caller::Program | Caller::Machine => {
            Ok(Challenge { login, requirement, step_up: live.is_some() }.response())
        }
        Caller::Frame => {
            let (status, code) = (StatusCode::UNAUTHORIZED, Reason::RequestFrameWithoutSession);
            Err(Failure::new(ErrorPage::SignInNeeded, status, code).begin_again(login))
        }
    }
}

/// Reads whole seconds; ten digits are three centuries.
fn parse_age(text: &str) -> Result<Duration, Failure> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::malformed(Reason::RequestMaxAge, "max_age is a number of seconds"))
}
