//! What is answered to a request that the gate stopped: by who waits for the answer, and nothing
//! else. `brama explain-policy` asks the same function what would be answered.

use http::{Method, StatusCode};

use super::Settings;
use super::answer::Failure;
use super::exchange::{Caller, is_reading};
use crate::base::reason::Reason;
use crate::flow::return_to::ReturnTo;
use crate::gate::Stop;
use crate::gate::policy::Place;
use crate::gate::requirement::{Demand, Refusal};
use crate::pages::Trouble;

/// What is answered.
#[derive(Debug)]
pub enum Reply {
    /// The page that takes the browser to the node.
    ToNode(ReturnTo, Demand),
    /// A program is told what to bring, see [`super::answer::challenge`].
    Challenge(Challenge),
    /// It is refused.
    Refuse(Failure),
}

/// What a program is told that needs a citizen who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Where a login begins that brings what is missing.
    pub login: String,
    /// What is missing.
    pub demand: Demand,
    /// Whether somebody is signed in, but not surely or recently enough.
    pub step_up: bool,
}

impl Challenge {
    /// Returns the stable code: it is no refusal, but programs tell the two apart by it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        if self.step_up { "step_up_required" } else { "login_required" }
    }

    /// Returns the error as RFC 9470 3 has it.
    #[must_use]
    pub fn error(&self) -> &'static str {
        if self.step_up { "insufficient_user_authentication" } else { "login_required" }
    }
}

/// Says what is answered.
#[must_use]
pub fn reply(
    stop: &Stop<'_>,
    caller: Caller,
    (method, path_and_query): (&Method, &str),
    settings: &Settings,
) -> Reply {
    let return_to = ReturnTo::parse(path_and_query);
    let refuse = |trouble, status, code| Reply::Refuse(Failure::new(trouble, status, code));
    match *stop {
        Stop::Login(demand) | Stop::StepUp(demand) => {
            let step_up = matches!(stop, Stop::StepUp(_));
            sign_in(caller, is_reading(method), return_to, (demand, step_up), settings)
        }
        Stop::Refuse(refusal) => Reply::Refuse(refused(refusal, &return_to, settings)),
        Stop::Closed => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            refuse(Trouble::Maintenance, status, Reason::RequestMaintenance)
        }
        Stop::NoMethod(place) => Reply::Refuse(no_method(place)),
        Stop::Deny => refuse(Trouble::NotFound, StatusCode::NOT_FOUND, Reason::RequestNoRoute),
    }
}

fn sign_in(
    caller: Caller,
    reading: bool,
    return_to: ReturnTo,
    (demand, step_up): (Demand, bool),
    settings: &Settings,
) -> Reply {
    let refuse = |trouble, code| {
        let link = settings.login_link(&return_to, demand);
        Reply::Refuse(Failure::new(trouble, StatusCode::UNAUTHORIZED, code).begin_again(link))
    };
    match caller {
        Caller::Navigation if reading => Reply::ToNode(return_to, demand),
        // What was typed into a form is not kept: the page says so.
        Caller::Navigation => refuse(Trouble::SessionEnded, Reason::RequestFormWithoutSession),
        Caller::Frame => refuse(Trouble::SignInNeeded, Reason::RequestFrameWithoutSession),
        Caller::Program => {
            let login = settings.login_link(&ReturnTo::front_page(), demand);
            Reply::Challenge(Challenge { login, demand, step_up })
        }
    }
}

/// A signed-in citizen is not sent to the node by themselves: that could go on for ever.
fn refused(refusal: Refusal, return_to: &ReturnTo, settings: &Settings) -> Failure {
    let trouble = match refusal {
        Refusal::NotAdult => Trouble::AdultsOnly,
        Refusal::BirthdateUnknown => Trouble::BirthdateUnknown,
        Refusal::NoPesel(_) => Trouble::PeselNeeded,
        Refusal::WayNotAllowed(_) => Trouble::WayNotAllowed,
    };
    let failure = Failure::new(trouble, StatusCode::FORBIDDEN, refusal.code());
    match refusal {
        Refusal::WayNotAllowed(assurance) | Refusal::NoPesel(assurance) => {
            let demand = Demand { assurance, max_age: Some(std::time::Duration::ZERO) };
            failure.begin_again(settings.login_link(return_to, demand))
        }
        _ => failure,
    }
}

/// Refuses methods that are for nobody. TRACE would show a citizen's browser what we add to its
/// requests (RFC 9110 9.3.8); CONNECT is for proxies that clients choose.
///
/// # Errors
/// When the method is one of them, whatever any rule says of it.
pub fn check_method(method: &Method) -> Result<(), Failure> {
    if matches!(*method, Method::TRACE | Method::CONNECT) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let code = Reason::RequestMethodNotAllowed;
        let failure = Failure::new(Trouble::MalformedRequest, status, code);
        let detail = format!("{method} is not taken, whatever the rules say");
        return Err(Failure { detail, ..failure });
    }
    Ok(())
}

/// RFC 9110 15.5.6: the answer says which methods there are.
fn no_method(place: &Place) -> Failure {
    let methods: Vec<&str> = place.methods().map(Method::as_str).collect();
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let code = Reason::RequestMethodNotAllowed;
    let allow = Some(methods.join(", ").into());
    Failure { allow, ..Failure::new(Trouble::MethodNotAllowed, status, code) }
}
