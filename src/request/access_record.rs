//! What is noted of a request for the access log and the metrics while it is served;
//! [`super::recorded`] writes it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::header::{REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use hyper::body::Body as _;

use crate::base::reason::Reason;
use crate::gate::policy::Route;
use crate::observe::access::AccessLog;
use crate::request::lasting::Lasting;
use crate::session::PublicName;
use crate::wire::incoming::Incoming;

/// What is noted of a request.
#[derive(Debug, Default)]
pub struct AccessRecord {
    /// The route that it took.
    pub route: Option<Arc<Route>>,
    /// The place of ours that answered it.
    pub endpoint: Option<&'static str>,
    /// The session in whose name it was made.
    pub session: Option<PublicName>,
    /// The reason code of the refusal, when it was refused.
    pub reason: Option<Reason>,
    /// Whether its duration is counted when the answer of the upstream ends.
    pub is_timed: bool,
    /// The number of the upstream that it was for, when that gave no answer.
    pub unanswered_by: Option<usize>,
    pub(super) quoted: Option<Box<Quoted>>,
    pub(super) received: Option<Arc<AtomicU64>>,
    pub(super) answered: Option<Answered>,
    pub(super) lasting: Option<Arc<Lasting>>,
}

/// What the combined format quotes.
#[derive(Debug)]
pub(super) struct Quoted {
    pub(super) referer: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
}

/// The server that answered, and how long it took.
#[derive(Debug)]
pub struct Answered {
    /// The name of the server.
    pub server: Arc<str>,
    /// How long it took to connect, if that was needed.
    pub connect: Option<Duration>,
    /// How long it took until the head of its answer was there.
    pub first_byte: Duration,
}

impl AccessRecord {
    /// Keeps of a request's headers what the log will need: an upstream takes the others along.
    #[must_use]
    pub fn begin(headers: &HeaderMap, access: &AccessLog) -> Self {
        if !access.is_combined() {
            return Self::default();
        }
        let kept = |name| headers.get(name).cloned();
        let quoted = Quoted { referer: kept(REFERER), user_agent: kept(USER_AGENT) };
        Self { quoted: Some(Box::new(quoted)), ..Self::default() }
    }

    /// Notes that an upstream answered.
    pub fn answered(&mut self, answered: Answered) {
        self.answered = Some(answered);
    }

    /// Notes that it lasts, so that it may be ended.
    pub fn lasts(&mut self, lasting: Arc<Lasting>) {
        self.lasting = Some(lasting);
    }

    /// Counts the bytes of a request's body as they pass. Costs nothing when there is none, or no
    /// access log.
    #[must_use]
    pub fn meter(&mut self, body: Incoming, access: &AccessLog) -> Incoming {
        if access.is_off() || body.is_end_stream() {
            return body;
        }
        body.counted(Arc::clone(self.received.get_or_insert_default()))
    }
}
