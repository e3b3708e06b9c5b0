//! Failures become responses here and nowhere else.

use std::time::Duration;

use http::header::{ALLOW, CONNECTION, REFERRER_POLICY, REFRESH, RETRY_AFTER, X_FRAME_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::Body;
use crate::base::clock::for_people;
use crate::flow::pending::Origin;
use crate::flow::return_to::ReturnTo;
use crate::gateway::failure::Failure;
use crate::gateway::response::{self, isolate_opener, json, look};
use crate::gateway::{Settings, Shared, grpc, history};
use crate::observe::incident;
use crate::pages::{self, ErrorPage, Incident};
use crate::request::context::{Caller, RequestContext, is_reading};

/// Makes what a program is told.
fn problem(
    failure: &Failure,
    number: &str,
    context: &RequestContext,
    settings: &Settings,
) -> Response<Body> {
    let problem = serde_json::json!({
        "error": failure.code.as_str(),
        "status": failure.status.as_u16(),
        "title": failure.page.words(context.language(settings.cookies)).title,
        "request": context.id,
        "incident": number,
    });
    json(failure.status, &problem)
}

/// Answers a failure: a page for people, JSON for programs, fields for gRPC. Tells of it once.
pub fn respond(failure: &Failure, context: &RequestContext, shared: &Shared) -> Response<Body> {
    let settings = &shared.settings;
    let Failure { page, status, code, begin_again, allow, retry_after, .. } = failure;
    let number = incident::number(&context.id);
    shared.tell(context, failure.event(&number));
    let login = failure.login.as_ref().and_then(|login| login.authn_request.as_deref());
    let kept = || failure.outcome();
    history::refused(shared, context, (failure.pen.as_ref(), login), (*code, kept));
    if grpc::is_spoken(context) {
        return grpc::refusal(*status, code.as_str());
    }
    let mut response = if context.caller() == Caller::Program {
        problem(failure, &number, context, settings)
    } else {
        let look = look(settings, context);
        let again = begin_again.is_none().then(|| again(*page, context)).flatten();
        let link = begin_again.as_deref().or(again.as_ref().map(ReturnTo::as_str));
        // A citizen who is signed in and should not be needs that first.
        let sign_out = format!("{}logout", settings.prefix);
        let incident = Incident {
            told: told(*page, settings, context),
            reason: code.as_str(),
            number: &number,
            request: &context.id,
            time: &for_people(context.began),
            begin_again: link,
            sign_out: (*page == ErrorPage::OtherPerson).then_some(&*sign_out),
            home: settings
                .returns
                .after_cancel
                .as_deref()
                .filter(|_| *page == ErrorPage::Cancelled),
        };
        let mut words = pages::error_page(look, *page, &incident);
        let origin = failure.origin.unwrap_or_else(|| context.origin());
        if origin == Origin::Elsewhere && context.caller() == Caller::Navigation {
            // Its button must not make a foreign page's link one of the portal's own.
            words = words.without_origin();
        }
        response::page(*status, words)
    };
    // The address of what was refused may have something in it that is worth stealing.
    isolate_opener(&mut response);
    if let Some(time) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(*time)));
    } else if *status == StatusCode::SERVICE_UNAVAILABLE {
        let retry_after = match page {
            ErrorPage::Maintenance => settings.maintenance.retry_after.clone(),
            _ => HeaderValue::from_static("5"),
        };
        response.headers_mut().insert(RETRY_AFTER, retry_after);
    }
    let again = response.headers().get(RETRY_AFTER).filter(|_| failure.tries_again).cloned();
    if let Some(again) = again {
        response.headers_mut().insert(REFRESH, again);
    }
    if let Some(allow) = allow.as_deref().and_then(|allow| HeaderValue::try_from(allow).ok()) {
        response.headers_mut().insert(ALLOW, allow);
    }
    if matches!(page, ErrorPage::MalformedRequest | ErrorPage::TooLarge | ErrorPage::FormTooLarge) {
        // A client that sends what cannot be understood may mean something else with the rest too.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if settings.may_be_ours(context.path()) {
        // A handle may stand in the address, which no other site may learn. There are no forms
        // here.
        let policy = HeaderValue::from_static("no-referrer");
        response.headers_mut().insert(REFERRER_POLICY, policy);
    }
    if *page == ErrorPage::SignInNeeded {
        // The page must show inside the frame; its own policy says in whose.
        response.headers_mut().remove(X_FRAME_OPTIONS);
    }
    response
}

/// Returns the way on of a page that says none: to the same address, where what is wrong may pass
/// by itself and asking once more does no harm.
fn again(page: ErrorPage, context: &RequestContext) -> Option<ReturnTo> {
    let is_harmless = is_reading(&context.parts.method) && context.caller() != Caller::Frame;
    let is_worth_it = page.may_pass_by_itself() && is_harmless;
    is_worth_it.then(|| ReturnTo::parse(context.path_and_query()))
}

/// What the operator says of a page.
fn told<'a>(page: ErrorPage, settings: &'a Settings, context: &RequestContext) -> Option<&'a str> {
    let outage = settings.outage.as_ref().filter(|_| page == ErrorPage::NodeOutage)?;
    outage.said(context.language(settings.cookies))
}

/// Whole seconds for `Retry-After`: a client that comes then does not come too early.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_when_told_does_not_come_too_early() {
        for (milliseconds, expected) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_500, 60)] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), expected, "{milliseconds}");
        }
    }
}
