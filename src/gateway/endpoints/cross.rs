//! `cross`: a citizen who wants to be signed in at another host comes to the registered one, and
//! goes back with a code. See [`crate::flow::handoff`].
//!
//! 1. Only a person who goes to a page crosses; scripts and frames get no code.
//! 2. What is in the address is a handle here and a code there, so neither answer lets the browser
//!    tell its own address to the next page, and no cache keeps a copy.

use http::{Response, StatusCode};

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::binding::Binding;
use crate::flow::handoff::refusal::HandoffRefusal;
use crate::flow::handoff::requests::{HandoffHandle, Try};
use crate::flow::handoff::steps::Next;
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::gateway::response;
use crate::gateway::{handoff, login};
use crate::observe::event::Event;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::cookie::Bound;

/// Answers `GET cross?id=...` at the registered host.
///
/// # Errors
/// When the wish is not this browser's to bring, or the login for it cannot begin.
pub async fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let headers = &context.parts.headers;
    let handle = context.query("id").as_deref().and_then(HandoffHandle::parse);
    let handle =
        handle.ok_or_else(|| Failure::from(HandoffRefusal::UnknownRequest).begin_again("/"))?;
    let known = worker.shared.settings.cookies.bound(headers, Bound::Home, &handle.tag());
    let known = known.into_iter().find_map(Binding::parse);
    // 1. The citizen who is signed in here, and this browser.
    let live = worker.live(context).await?;
    let id = worker.session_id(context).await?;
    let present = id.as_ref().zip(live.as_ref());
    let binding = known.clone().unwrap_or_else(Binding::generate);
    // 2. What is next. While sign-in is closed, the hand-off request stays as it is.
    if live.is_none() {
        login::check_outage(worker, context)?;
    }
    let network = worker.network(context);
    let next = match worker.shared.flows.continue_handoff(&handle, &binding, present, network).await
    {
        Ok(next) => next,
        Err(refused) => return Err(back_there(worker, &handle, known, refused).await),
    };
    match next {
        Next::SignIn(requirement, which) => {
            login::check_outage(worker, context)?;
            let here = handoff::address(worker, &handle);
            let mut response = match which {
                Try::Further => login::begin(worker, context, here, requirement).await?,
                Try::First => login::begin_counted(worker, context, here, requirement).await?,
            };
            handoff::bind(worker, context, Bound::Home, &handle, &binding, &mut response);
            Ok(response)
        }
        Next::Go { host, code } => {
            let Some(portal) = worker.shared.settings.other(&host) else {
                return Err(no_such_portal());
            };
            let target = format!(
                "{}{}arrive?code={}",
                portal.origin,
                worker.shared.settings.prefix,
                code.expose()
            );
            let mut response = response::see_other(&target);
            response::keep_address_private(&mut response);
            // A second time it is told apart from what another browser brings.
            handoff::bind(worker, context, Bound::Home, &handle, &binding, &mut response);
            worker.shared.tell(context, Event::HandOverBegun { host: &host });
            Ok(response)
        }
    }
}

/// Shows the way back to the other host, to the browser that brought the wish.
async fn back_there(
    worker: &Worker,
    handle: &HandoffHandle,
    binding: Option<Binding>,
    refused: HandoffRefusal,
) -> Failure {
    let now = worker.shared.clock.now();
    let wish = worker.shared.flows.handoff_requests.remembered(handle, binding.as_ref(), now).await;
    let there = wish.and_then(|wish| {
        let portal = worker.shared.settings.other(&wish.host)?;
        Some(format!("{}{}", portal.origin, wish.return_to.as_str()))
    });
    Failure::from(refused).begin_again(there.unwrap_or_else(|| "/".to_owned()))
}

/// The portal was taken out of the configuration while a citizen was on the way to it.
fn no_such_portal() -> Failure {
    Failure::new(ErrorPage::NotFound, StatusCode::NOT_FOUND, Reason::CrossingUnknownHost)
        .begin_again("/")
}
