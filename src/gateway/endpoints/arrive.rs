//! `arrive`: a citizen comes back to another host with a code, and is signed in there. See
//! [`crate::flow::handoff`].

use http::Response;

use crate::base::body::Body;
use crate::flow::binding::Binding;
use crate::flow::handoff::codes::HandoffCode;
use crate::flow::handoff::refusal::HandoffRefusal;
use crate::gateway::Worker;
use crate::gateway::endpoints::finish;
use crate::gateway::failure::Failure;
use crate::gateway::portal_cookies;
use crate::observe::event::Event;
use crate::request::context::RequestContext;
use crate::request::cookie::{Bound, MOST_BOUND};

/// Answers `GET arrive?code=...` at another host than the registered one.
///
/// # Errors
/// Whatever keeps the citizen from being signed in here.
pub async fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let cookies = worker.shared.settings.cookies;
    let headers = &context.parts.headers;
    // Which of its wishes the code is for, the code alone knows.
    let wishes = cookies.all_bound(headers, Bound::HandoffRequest).take(MOST_BOUND);
    let bindings: Vec<_> = wishes.filter_map(|(_, value)| Binding::parse(value)).collect();
    let earlier = cookies
        .sessions(headers)
        .into_iter()
        .flatten()
        .find_map(|id| worker.shared.flows.linked_sessions.recognise(id));
    let code = context.query("code").as_deref().and_then(HandoffCode::parse);
    let refused = |refused| Failure::from(refused).begin_again("/");
    let code = code.ok_or_else(|| refused(HandoffRefusal::UnknownCode))?;
    let host = context.host.name();
    let arrived =
        worker.shared.flows.complete_handoff(&code, host, &bindings, earlier.as_ref()).await;
    let arrived = arrived.map_err(refused)?;
    let event = Event::HandedOver { session: &arrived.public_name, host };
    worker.shared.tell(context, event);
    let target = arrived.return_to.as_str();
    let mut response = finish::arrive(worker, context, target, arrived.origin);
    finish::set_session(worker, context, arrived.linked.expose(), &mut response);
    if !arrived.is_same_person {
        portal_cookies::clear(worker, context, &mut response);
    }
    Ok(response)
}
