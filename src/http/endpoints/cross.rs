//! `cross`: somebody who wants to be signed in at another host comes to the registered one, and goes back
//! with a code. See [`crate::flow::crossing`].
//!
//! 1. Only a person who goes to a page crosses; scripts and frames get no code.
//! 2. What is in the address is a handle here and a code there, so neither answer lets the browser tell
//!    its own address to the next page, and nobody keeps a copy.

use http::{Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::cookie::Bound;
use super::super::exchange::Exchange;
use super::super::portals::OtherPortal;
use super::{handoff_headers, login};
use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::binding::Binding;
use crate::flow::crossing::{Next, Refused};
use crate::flow::return_to::ReturnTo;
use crate::flow::wishes::{Try, Wish, WishHandle};
use crate::gate::requirement::Demand;
use crate::pages::Trouble;

/// Leaves another host for the registered one, where the citizen is or will be signed in: a redirect, and
/// one small cookie.
///
/// # Errors
/// When the wish cannot be remembered.
pub(super) async fn leave(
    gateway: &Gateway,
    exchange: &Exchange,
    portal: &OtherPortal,
    return_to: ReturnTo,
    demand: Demand,
) -> Result<Response<Body>, Failure> {
    let origin = exchange.origin();
    let wish = Wish { host: portal.host.clone(), return_to, demand, origin };
    let (handle, binding) = gateway.flows.wish(wish, gateway.network(exchange)).await?;
    let target = gateway.settings.origin.clone() + own_address(gateway, &handle).as_str();
    let mut response = answer::see_other(&target);
    handoff_headers(&mut response);
    bind(gateway, exchange, Bound::Wish, &handle, &binding, &mut response);
    Ok(response)
}

/// Binds a wish to the browser that is answered.
fn bind(
    gateway: &Gateway,
    exchange: &Exchange,
    kind: Bound,
    handle: &WishHandle,
    binding: &Binding,
    response: &mut Response<Body>,
) {
    let cookie = (kind, &handle.tag(), binding.expose());
    let lifetime = gateway.flows.wishes.lifetime();
    login::bind(gateway, exchange, cookie, lifetime, response);
}

/// Answers `GET cross?id=...` at the registered host.
///
/// # Errors
/// When the wish is not this browser's to bring, or the login for it cannot begin.
pub async fn answer(gateway: &Gateway, exchange: &Exchange) -> Result<Response<Body>, Failure> {
    let headers = &exchange.parts.headers;
    let handle = exchange.query("id").as_deref().and_then(WishHandle::parse);
    let handle = handle.ok_or_else(|| Failure::from(Refused::UnknownWish).begin_again("/"))?;
    let known = gateway.settings.cookies.bound(headers, Bound::Home, &handle.tag());
    let known = known.into_iter().find_map(Binding::parse);
    // 1. Whoever is signed in here, and this browser.
    let live = gateway.live(exchange).await?;
    let id = gateway.session_id(exchange).await?;
    let present = id.as_ref().zip(live.as_ref());
    let binding = known.clone().unwrap_or_else(Binding::generate);
    // 2. What is next. While nobody can sign in, the wish stays as it is.
    if live.is_none() {
        login::check_outage(gateway, exchange)?;
    }
    let network = gateway.network(exchange);
    let next = match gateway.flows.cross(&handle, &binding, present, network).await {
        Ok(next) => next,
        Err(refused) => return Err(back_there(gateway, &handle, known, refused).await),
    };
    match next {
        Next::SignIn(demand, which) => {
            login::check_outage(gateway, exchange)?;
            let here = own_address(gateway, &handle);
            let mut response = match which {
                Try::Further => login::begin(gateway, exchange, here, demand).await?,
                Try::First => login::begin_counted(gateway, exchange, here, demand).await?,
            };
            bind(gateway, exchange, Bound::Home, &handle, &binding, &mut response);
            Ok(response)
        }
        Next::Go { host, code } => {
            let Some(portal) = gateway.settings.other(&host) else { return Err(no_such_portal()) };
            let target = format!(
                "{}{}arrive?code={}",
                portal.origin,
                gateway.settings.prefix,
                code.expose()
            );
            let mut response = answer::see_other(&target);
            handoff_headers(&mut response);
            // A second time it is told apart from what another browser brings.
            bind(gateway, exchange, Bound::Home, &handle, &binding, &mut response);
            tracing::info!(request = exchange.id, host, "citizen crosses to another host");
            Ok(response)
        }
    }
}

/// Where a wish is brought, on the registered host.
fn own_address(gateway: &Gateway, handle: &WishHandle) -> ReturnTo {
    ReturnTo::parse(&format!("{}cross?id={}", gateway.settings.prefix, handle.as_str()))
}

/// Shows the way back to the other host, to the browser that brought the wish.
async fn back_there(
    gateway: &Gateway,
    handle: &WishHandle,
    binding: Option<Binding>,
    refused: Refused,
) -> Failure {
    let now = gateway.clock.now();
    let wish = gateway.flows.wishes.remembered(handle, binding.as_ref(), now).await;
    let there = wish.and_then(|wish| {
        let portal = gateway.settings.other(&wish.host)?;
        Some(format!("{}{}", portal.origin, wish.return_to.as_str()))
    });
    Failure::from(refused).begin_again(there.unwrap_or_else(|| "/".to_owned()))
}

/// The portal was taken out of the configuration while somebody was on the way to it.
fn no_such_portal() -> Failure {
    Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, Reason::CrossingUnknownHost)
        .begin_again("/")
}
