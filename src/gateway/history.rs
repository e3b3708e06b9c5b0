//! The history of a login, as the gateway hands it over to be kept: what the citizen was told.

use super::Shared;
use crate::base::foreign::sentence;
use crate::base::reason::Reason;
use crate::flow::finish::Finished;
use crate::flow::history::{History, Outcome, Pen};
use crate::observe::incident;
use crate::request::context::{Caller, RequestContext};

/// Keeps what a citizen was told who could not sign in, with what happened before and which login it
/// was, where that is known. Of requests that no person made nothing is kept but where a login had
/// come to its end.
pub fn refused(
    shared: &Shared,
    context: &RequestContext,
    (pen, login): (Option<&Pen>, Option<&str>),
    (reason, told): (Reason, impl FnOnce() -> Outcome),
) {
    let is_of_a_login = reason == Reason::SessionStoreUnavailable
        || FAMILIES.iter().any(|family| reason.as_str().starts_with(family));
    if pen.is_none() && (!is_of_a_login || context.caller() != Caller::Navigation) {
        return;
    }
    let begun = Pen::begin();
    begun.note(|history| history.login = login.map(str::to_owned));
    keep(shared, context, pen.unwrap_or(&begun), told());
}

/// Keeps that a citizen was signed in.
pub fn signed_in(shared: &Shared, context: &RequestContext, pen: &Pen, finished: &Finished) {
    pen.note(|history| history.session = Some(finished.session.key().public_name()));
    let assurance = finished.assurance.name().to_owned();
    keep(shared, context, pen, Outcome::SignedIn { assurance, again: finished.vouched.is_none() });
}

/// Has a page's way to begin again say which refusal it follows, so that it is known of the one that
/// the citizen began again.
#[must_use]
pub fn following(link: &str, context: &RequestContext) -> String {
    format!("{link}&{FOLLOWS}={}", incident::number(&context.id))
}

/// Has the button of a page between a refusal and the node say what the link to that page said.
#[must_use]
pub fn still_following(link: String, context: &RequestContext) -> String {
    let number = context.query(FOLLOWS).and_then(|number| incident::parse(&number));
    match number {
        Some(number) => format!("{link}&{FOLLOWS}={number}"),
        None => link,
    }
}

/// Keeps that a citizen began again after a refusal, as the link to `login` said that led here. To
/// be called when a login has begun. Whoever knows the number can have it said by beginning one;
/// nothing but this line follows from it.
pub fn began_again(shared: &Shared, context: &RequestContext) {
    let is_login = context.path().strip_prefix(&*shared.settings.prefix) == Some("login");
    let said = context.query(FOLLOWS).filter(|_| is_login);
    let Some(follows) = said.and_then(|number| incident::parse(&number)) else {
        return;
    };
    let pen = Pen::begin();
    pen.note(|history| history.follows = Some(follows));
    keep(shared, context, &pen, Outcome::BeganAgain);
}

fn keep(shared: &Shared, context: &RequestContext, pen: &Pen, outcome: Outcome) {
    let named = (incident::number(&context.id), sentence(&context.id, MOST_NUMBER));
    let history: Option<History> = pen.end((context.began, shared.clock.now()), named, outcome);
    if let Some(history) = history {
        let network = shared.limits.network(context.client.address);
        shared.flows.histories.keep(history, network);
    }
}

/// The families of reasons that keep a citizen from signing in.
const FAMILIES: [&str; 2] = ["login.", "crossing."];
/// The parameter that says which refusal a login follows.
const FOLLOWS: &str = "after";
/// The most letters of the number of a request.
const MOST_NUMBER: usize = 200;
