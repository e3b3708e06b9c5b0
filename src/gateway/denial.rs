//! What is answered to a request that the gate stopped.
//!
//! 1. [`reply`] decides it by the caller that waits for the answer, and by nothing else.
//!    `brama explain-policy` asks the same function what would be answered.
//! 2. `Worker::deny` does it: a form is kept, a login begins, a session that was ended from outside
//!    is explained first.

use http::{Method, Response, StatusCode};

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::return_to::ReturnTo;
use crate::gate::Denial;
use crate::gate::policy::Location;
use crate::gate::requirement::{AuthnRequirement, Refusal};
use crate::gateway::challenge::Challenge;
use crate::gateway::failure::Failure;
use crate::gateway::failure_response;
use crate::gateway::forms::RequestBody;
use crate::gateway::{Settings, Worker, asked_from, forms, grpc, login};
use crate::observe::event::Event;
use crate::pages::ErrorPage;
use crate::request::context::{Caller, RequestContext, is_reading};
use crate::session::label::Why;

/// What is answered to a request that the gate stopped.
#[derive(Debug)]
pub enum Reply {
    /// The page that takes the browser to the node.
    ToNode(ReturnTo, AuthnRequirement),
    /// A program is told what to bring, see [`Challenge::response`].
    Challenge(Challenge),
    /// It is refused, with a page for people or JSON for programs.
    Refuse(Failure),
}

/// The request that the gate stopped, as far as its answer depends on it.
#[derive(Debug)]
pub struct Asked<'r> {
    /// The method of the request.
    pub method: &'r Method,
    /// Path and query, as they came.
    pub target: &'r str,
    /// The page that asks, see [`asked_from`].
    pub from: Option<ReturnTo>,
}

/// Says what is answered.
#[must_use]
pub fn reply(denial: &Denial<'_>, caller: Caller, asked: Asked<'_>, settings: &Settings) -> Reply {
    let refuse = |page, status, code| Reply::Refuse(Failure::new(page, status, code));
    match *denial {
        Denial::Login(requirement) | Denial::StepUp(requirement) => {
            let step_up = matches!(denial, Denial::StepUp(_));
            sign_in(caller, asked, (requirement, step_up), settings)
        }
        Denial::Refuse(refusal) => {
            Reply::Refuse(refused(refusal, &ReturnTo::parse(asked.target), settings))
        }
        Denial::Closed => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            refuse(ErrorPage::Maintenance, status, Reason::RequestMaintenance)
        }
        Denial::NoMethod(location) => Reply::Refuse(no_method(location)),
        Denial::NoRoute => {
            refuse(ErrorPage::NotFound, StatusCode::NOT_FOUND, Reason::RequestNoRoute)
        }
    }
}

fn sign_in(
    caller: Caller,
    asked: Asked<'_>,
    (requirement, step_up): (AuthnRequirement, bool),
    settings: &Settings,
) -> Reply {
    let refuse = |return_to, page, code| {
        let link = settings.login_link(&return_to, requirement);
        Reply::Refuse(Failure::new(page, StatusCode::UNAUTHORIZED, code).begin_again(link))
    };
    let challenge = |return_to| {
        let login = settings.login_link(&return_to, requirement);
        Reply::Challenge(Challenge { login, requirement, step_up })
    };
    let (here, from) = (ReturnTo::parse(asked.target), asked.from);
    match caller {
        Caller::Navigation if is_reading(asked.method) => Reply::ToNode(here, requirement),
        // What was typed into a form is not kept: the page says so, and leads back to the form.
        Caller::Navigation => {
            refuse(from.unwrap_or(here), ErrorPage::SessionEnded, Reason::RequestFormWithoutSession)
        }
        // The login takes the whole window, which shows the page around the frame.
        Caller::Frame => refuse(
            from.unwrap_or(here),
            ErrorPage::SignInNeeded,
            Reason::RequestFrameWithoutSession,
        ),
        // What a script fetches is no page; the one that it runs in is.
        Caller::Program => challenge(from.unwrap_or_else(ReturnTo::front_page)),
        // No browser goes to the node by it: no login begins, no cookie is set, nothing is counted.
        Caller::Machine => challenge(here),
    }
}

/// A signed-in citizen is not sent to the node by themselves: that could go on for ever.
fn refused(refusal: Refusal, return_to: &ReturnTo, settings: &Settings) -> Failure {
    let page = match refusal {
        Refusal::NotAdult => ErrorPage::AdultsOnly,
        Refusal::BirthdateUnknown => ErrorPage::BirthdateUnknown,
        Refusal::NoPesel(_) => ErrorPage::PeselNeeded,
        Refusal::WayNotAllowed(_) => ErrorPage::WayNotAllowed,
    };
    let failure = Failure::new(page, StatusCode::FORBIDDEN, refusal.code());
    match refusal {
        Refusal::WayNotAllowed(assurance) | Refusal::NoPesel(assurance) => {
            let requirement =
                AuthnRequirement { assurance, max_age: Some(std::time::Duration::ZERO) };
            failure.begin_again(settings.login_link(return_to, requirement))
        }
        _ => failure,
    }
}

/// Refuses methods that are for no client. TRACE would show a citizen's browser what we add to its
/// requests (RFC 9110 9.3.8); CONNECT is for proxies that clients choose.
///
/// # Errors
/// When the method is one of them, whatever any rule says of it.
pub fn check_method(method: &Method) -> Result<(), Failure> {
    if matches!(*method, Method::TRACE | Method::CONNECT) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let code = Reason::RequestMethodNotAllowed;
        let failure = Failure::new(ErrorPage::MalformedRequest, status, code);
        let detail = format!("{method} is not taken, whatever the rules say");
        return Err(Failure { detail, ..failure });
    }
    Ok(())
}

/// RFC 9110 15.5.6: the answer says which methods there are.
fn no_method(location: &Location) -> Failure {
    let methods: Vec<&str> = location.methods().map(Method::as_str).collect();
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let code = Reason::RequestMethodNotAllowed;
    let allow = Some(methods.join(", ").into());
    Failure { allow, ..Failure::new(ErrorPage::MethodNotAllowed, status, code) }
}

/// Tells a program what to bring, in its own way to read it.
#[must_use]
pub fn challenged(challenge: &Challenge, context: &RequestContext) -> Response<Body> {
    match grpc::is_spoken(context) {
        true => grpc::refusal(StatusCode::UNAUTHORIZED, challenge.code()),
        false => challenge.response(),
    }
}

impl Worker {
    /// Answers a request that the gate stopped, whose route takes bodies of at most so many bytes;
    /// none of it is kept where that is absent.
    ///
    /// # Errors
    /// Whatever the citizen or the program is told in place of what they asked for.
    pub(super) async fn deny(
        &self,
        denial: &Denial<'_>,
        context: &mut RequestContext,
        body_or_form: RequestBody,
        most: Option<u64>,
    ) -> Result<Response<Body>, Failure> {
        if let Denial::Login(requirement) | Denial::StepUp(requirement) = *denial {
            self.count_step_up(denial, context);
            let notice = match denial {
                Denial::Login(_) => self.session_ended_notice(context, requirement).await.err(),
                _ => None,
            };
            if notice.is_none() {
                login::check_outage(self, context)?;
            }
            // What was typed waits until its citizen is back.
            let kept = match body_or_form {
                RequestBody::Own(body) => match most {
                    Some(most) => forms::keep(self, context, body, requirement, most).await?,
                    None => None,
                },
                RequestBody::Kept(kept) => {
                    forms::count(self, context)?;
                    Some(kept)
                }
            };
            match (notice, kept) {
                (Some(notice), None) => return Err(notice),
                (Some(notice), Some(kept)) => {
                    let link = self.shared.settings.login_link(&kept.return_to(self), requirement);
                    let notice = notice.begin_again(link);
                    context.record.reason = Some(notice.code);
                    let mut response = failure_response::respond(&notice, context, &self.shared);
                    kept.bind(self, context, &mut response);
                    return Ok(response);
                }
                (None, Some(kept)) => {
                    let return_to = kept.return_to(self);
                    let begun = login::begin_counted(self, context, return_to, requirement).await;
                    return begun.map(|mut response| {
                        kept.bind(self, context, &mut response);
                        response
                    });
                }
                (None, None) => {}
            }
        }
        match self.reply(denial, context) {
            Reply::ToNode(return_to, requirement) => {
                login::begin(self, context, return_to, requirement).await
            }
            Reply::Challenge(challenge) => Ok(challenged(&challenge, context)),
            Reply::Refuse(failure) => Err(failure),
        }
    }

    /// Says what is answered to a request that the gate stopped, see [`reply`], with what the log
    /// needs.
    #[must_use]
    pub fn reply(&self, denial: &Denial<'_>, context: &RequestContext) -> Reply {
        let settings = &self.shared.settings;
        let (method, target) = (&context.parts.method, context.path_and_query());
        let asked = Asked { method, target, from: asked_from::page(self, context) };
        let failure = match reply(denial, context.caller(), asked, settings) {
            Reply::Refuse(failure) => failure,
            reply => return reply,
        };
        let detail = match denial {
            Denial::Refuse(refusal) => refusal.to_string(),
            Denial::NoMethod(_) => "no route for this path has this method".to_owned(),
            Denial::NoRoute => {
                format!("no route covers this path on host {}", context.host.name())
            }
            Denial::Login(_) | Denial::StepUp(_) | Denial::Closed => String::new(),
        };
        Reply::Refuse(Failure { detail, ..failure })
    }

    /// Does what comes before a login is offered to a request that has no form to be kept.
    ///
    /// # Errors
    /// When the citizen is to be told something else first: why their session ended, or that the
    /// node is away.
    pub async fn before_login(
        &self,
        denial: &Denial<'_>,
        context: &RequestContext,
    ) -> Result<(), Failure> {
        let (Denial::Login(requirement) | Denial::StepUp(requirement)) = *denial else {
            return Ok(());
        };
        self.count_step_up(denial, context);
        if matches!(denial, Denial::Login(_)) {
            self.session_ended_notice(context, requirement).await?;
        }
        login::check_outage(self, context)
    }

    fn count_step_up(&self, denial: &Denial<'_>, context: &RequestContext) {
        if matches!(denial, Denial::StepUp(_)) && context.caller() != Caller::Machine {
            self.shared.tell(context, Event::StepUpDemanded);
        }
    }

    /// Tells a citizen whose session was ended from outside why, before a new login is offered.
    ///
    /// # Errors
    /// When there is something to tell.
    async fn session_ended_notice(
        &self,
        context: &RequestContext,
        requirement: AuthnRequirement,
    ) -> Result<(), Failure> {
        if context.caller() != Caller::Navigation {
            return Ok(());
        }
        let (page, code) = match self.why_ended(context).await? {
            None => return Ok(()),
            Some(Why::Elsewhere) => {
                (ErrorPage::SignedOutElsewhere, Reason::SessionSignedOutElsewhere)
            }
            Some(Why::Operator) => (ErrorPage::SignedOutByOperator, Reason::SessionEndedByOperator),
        };
        let return_to = match is_reading(&context.parts.method) {
            true => ReturnTo::parse(context.path_and_query()),
            false => asked_from::page(self, context).unwrap_or_else(ReturnTo::front_page),
        };
        Err(Failure::new(page, StatusCode::UNAUTHORIZED, code)
            .begin_again(self.shared.settings.login_link(&return_to, requirement)))
    }
}
