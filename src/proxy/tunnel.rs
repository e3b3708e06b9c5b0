//! An upgraded connection belongs to the session in whose name it was opened.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response, StatusCode};

use super::attempt::Share;
use super::connection::Connection;
use crate::base::body::{self, Body};
use crate::flow::Flows;
use crate::gate::Pass;
use crate::http::{Gateway, hygiene};
use crate::session::held::Live;
use crate::wire::lines::Lines;
use crate::wire::tunnel::{Passage, Tunnel};

/// How often a tunnel asks whether its session is still there. A session that ended takes its
/// tunnels with it within a second.
const LOOK: Duration = Duration::from_millis(500);

/// Packs the upstream's connection into the answer; whoever holds the client's side carries on.
pub(super) fn open(
    gateway: &Gateway,
    pass: &Pass,
    lines: Lines,
    connection: Connection,
    share: Share,
) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = lines.to_map();
    let headers = response.headers_mut();
    let protocol = headers.get(UPGRADE).cloned();
    hygiene::clean_answer(headers, gateway.settings.cookies);
    let is_websocket = protocol
        .as_ref()
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    // A tunnel may stay for hours, so it takes no place among the requests under way. It counts for
    // the balance as long as it is there.
    let lease = share.lease;
    let session = pass.live().map(|live| (Arc::clone(&gateway.flows), live.clone()));
    let ended = Box::pin(async move {
        let _lease = lease;
        match session {
            Some((flows, live)) => session_ended(flows, live).await,
            None => std::future::pending().await,
        }
    });
    let tunnel = Tunnel { far: connection.into_stream(), ended, is_websocket };
    response.extensions_mut().insert(Passage::new(tunnel));
    response
}

/// Is ready when the session has ended. Bytes in a tunnel are no sign of life: a page that only
/// stays open sends them as well.
async fn session_ended(flows: Arc<Flows>, live: Live) {
    loop {
        tokio::time::sleep(LOOK).await;
        // While the store is away, this is an error only when the grace is over.
        if !flows.sessions.is_live(&live, flows.clock.now()).await.unwrap_or(false) {
            return;
        }
    }
}
