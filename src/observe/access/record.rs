//! What the access log is told of a request.

use std::net::IpAddr;
use std::time::Duration;

use http::Version;

use crate::base::clock::Time;
use crate::observe::traces::TraceId;

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Record<'r> {
    /// When the request came.
    pub time: Time,
    /// The number of the request, as pages and logs have it.
    pub request: &'r str,
    /// The address of the client, as far as it is believed.
    pub address: IpAddr,
    /// The method, as the client sent it.
    pub method: &'r str,
    /// The canonical host; empty when there was none.
    pub host: &'r str,
    /// The path as it came.
    pub path: &'r str,
    /// The query as it came.
    pub query: Option<&'r str>,
    /// The protocol of the client's connection.
    pub protocol: Version,
    /// Whether the browser's connection was encrypted.
    pub is_tls: bool,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the answer's body.
    pub sent: u64,
    /// Until the last byte was handed over.
    pub total: Duration,
    /// Until there was a connection to the upstream; absent when one was there already.
    pub connect: Option<Duration>,
    /// From the request until the head of the upstream's answer.
    pub first_byte: Option<Duration>,
    /// The server that answered.
    pub upstream: Option<&'r str>,
    /// The path prefix of the route.
    pub route: Option<&'r str>,
    /// Why it was refused.
    pub reason: Option<&'r str>,
    /// The public name of the session in whose name it was made.
    pub session: Option<&'r str>,
    /// The trace that it belongs to.
    pub trace: Option<TraceId>,
    /// How it ended, when its answer did not come to its end.
    pub ended: Option<Ended>,
    /// `Referer`; only its part before the query is written, in the combined format.
    pub referer: Option<&'r [u8]>,
    /// `User-Agent`, written in the combined format.
    pub user_agent: Option<&'r [u8]>,
}

/// What ended a request before its answer was all handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client left, or took nothing more, while it was answered.
    ClientClosed,
    /// The client left before there was an answer.
    ClientClosedUnanswered,
    /// The upstream broke off, sent nonsense, or sent nothing for too long.
    UpstreamBroke,
    /// The session ended, in whose name it was.
    SessionEnded,
    /// The rules do not allow it any more.
    NotAllowed,
}

impl Ended {
    /// Every way to end early; the metric has a row for each.
    pub const ALL: [Self; 5] = [
        Self::ClientClosed,
        Self::ClientClosedUnanswered,
        Self::UpstreamBroke,
        Self::SessionEnded,
        Self::NotAllowed,
    ];

    /// Returns its name in lines and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::ClientClosedUnanswered => "client_closed_unanswered",
            Self::UpstreamBroke => "upstream_broke",
            Self::SessionEnded => "cut_by_session_end",
            Self::NotAllowed => "cut_by_new_rules",
        }
    }
}
