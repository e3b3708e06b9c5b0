//! The operations listener: health, numbers, and what operators ask and change, on a port of its own.
//!
//! 1. [`endpoints`] has the table of all that is answered. A request is dispatched by it, and
//!    `/openapi.json` is made of it ([`openapi`]).
//! 2. Health as a whole ([`health`]) is answered to whoever asks, under any name: it says nothing that
//!    is worth hiding, and balancers do not say whom they mean. Its parts (`?verbose`) are not.
//! 3. All else is answered under the listener's own names alone, and to no foreign page ([`guard`]).
//! 4. What is told of citizens, and what changes something, needs the token of an operator
//!    ([`operators`]). Wrong tokens are answered one after the other, and told (`wrong`).
//! 5. What is sent is bounded and read strictly ([`call`]); what is wrong is told as a problem of
//!    RFC 9457 ([`problem`]).
//!
//! Nothing here is answered on the public listeners. `brama` asks it by one piece of code
//! ([`client`]).

pub mod acts;
pub mod address;
pub mod audit;
pub mod call;
pub mod capture;
pub mod client;
pub mod endpoints;
pub mod guard;
pub mod health;
pub mod keys;
pub mod log_level;
pub mod openapi;
pub mod operators;
pub mod probes;
pub mod problem;
pub mod row;
pub mod sessions;
pub mod status;
pub mod why;
mod wrong;

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::Mutex;

use self::audit::AuditDesk;
use self::call::{Call, answer};
use self::capture::CaptureDesk;
use self::endpoints::{Asked, Endpoint};
use self::guard::Guard;
use self::health::Health;
use self::keys::KeyDesk;
use self::log_level::LogDesk;
use self::operators::{Admin, Operators, Role, Shown};
use self::probes::ProbeDesk;
use self::problem::{Problem, plain};
use self::row::Who;
use self::sessions::SessionDesk;
use self::status::StatusDesk;
use self::why::WhyDesk;
use self::wrong::WrongTokens;
use crate::base::body::{self, Body};
use crate::observe::metrics::{Format, Scraper};
use crate::request::probes::Probes;
use crate::request::service::{Peer, Service};
use crate::wire::incoming::Incoming;

/// What answers, by what is asked about.
pub struct Desks {
    /// How the parts are.
    pub health: Arc<dyn Health>,
    /// Sessions.
    pub sessions: SessionDesk,
    /// Keys of identities.
    pub keys: KeyDesk,
    /// Single logins.
    pub why: WhyDesk,
    /// What is written down.
    pub audit: AuditDesk,
    /// Answers of the node.
    pub capture: CaptureDesk,
    /// How much is logged.
    pub log: Arc<LogDesk>,
    /// Numbers.
    pub scraper: Scraper,
    /// How requests of `brama doctor` arrive.
    pub probes: Arc<Probes>,
    /// How the gateway is.
    pub status: StatusDesk,
}

/// Answers the operators' questions.
pub struct Operations {
    guard: Guard,
    operators: Arc<Operators>,
    health: Arc<dyn Health>,
    sessions: SessionDesk,
    keys: KeyDesk,
    why: WhyDesk,
    audit: AuditDesk,
    capture: CaptureDesk,
    log: Arc<LogDesk>,
    scraper: Arc<Scraper>,
    probes: ProbeDesk,
    status: StatusDesk,
    wrong: WrongTokens,
    /// One answer is made at a time, however many ask.
    turn: Arc<Mutex<()>>,
}

impl Operations {
    /// Makes the service.
    #[must_use]
    pub fn new(guard: Guard, operators: Arc<Operators>, desks: Desks) -> Self {
        Self {
            guard,
            operators,
            health: desks.health,
            sessions: desks.sessions,
            keys: desks.keys,
            why: desks.why,
            audit: desks.audit,
            capture: desks.capture,
            log: desks.log,
            scraper: Arc::new(desks.scraper),
            probes: ProbeDesk(desks.probes),
            status: desks.status,
            wrong: WrongTokens::new(),
            turn: Arc::default(),
        }
    }

    async fn handle(
        &self,
        head: Parts,
        body: Incoming,
        peer: &Peer,
    ) -> Result<Response<Body>, Problem> {
        // 1. What is asked for. A name that is not ours learns nothing, not even what there is.
        let path = head.uri.path();
        let found = endpoints::find(&head.method, path);
        let is_for_anybody = matches!(&found, Ok(Asked { who: Who::Anybody, .. }));
        if !is_for_anybody || health::is_verbose(head.uri.query()) {
            let is_page = matches!(&found, Ok(Asked { who: Who::Browsers, .. }));
            self.guard.pass(&head, peer.is_tls, is_page)?;
        }
        let Asked { endpoint, who, name } = found?;
        let name = name.unwrap_or_default().to_owned();
        // 2. Who asks.
        let from = peer.address.ip();
        let admin = match self.admit(&head, who, peer).await {
            // The browser asks for another one.
            Err(Problem::Unauthorized | Problem::NotInBrowsers) if who == Who::Browsers => {
                return Ok(status::ask_for_password(&head));
            }
            admitted => admitted?,
        };
        // 3. The answer.
        Ok(self.dispatch(endpoint, Call { head, body, admin, name, from }).await)
    }

    /// Admits who may ask, and returns the operator where it takes one.
    async fn admit(&self, head: &Parts, who: Who, peer: &Peer) -> Result<Option<Admin>, Problem> {
        let role = match who {
            Who::Anybody | Who::Neighbours => return Ok(None),
            Who::Programs => {
                let says_so = head.headers.get(probes::ASKS).is_some_and(|value| value == "1");
                let missing = Problem::malformed("the field X-Brama-Doctor is missing, or not 1");
                return says_so.then_some(None).ok_or(missing);
            }
            Who::Readers | Who::Browsers => Role::Read,
            Who::Writers | Who::WritersHere => Role::Write,
        };
        let admitted = self.operators.admit(
            &Shown {
                headers: &head.headers,
                certificate: peer.certificate.as_deref(),
                may_be_password: who == Who::Browsers,
            },
            role,
        );
        let admin = match admitted {
            Err(Problem::Unauthorized) if head.headers.contains_key(AUTHORIZATION) => {
                return Err(self.wrong.answer(peer.address.ip()).await);
            }
            admitted => admitted?,
        };
        if who == Who::WritersHere {
            keys::require_here(peer.address.ip(), &head.headers)?;
        }
        Ok(Some(admin))
    }

    async fn dispatch(&self, endpoint: Endpoint, call: Call) -> Response<Body> {
        answer(match endpoint {
            Endpoint::Livez | Endpoint::Healthz | Endpoint::Ping => return plain(health::alive()),
            Endpoint::Startupz => return plain(health::started(&*self.health)),
            Endpoint::Readyz => {
                return plain(health::ready_for(call.head.uri.query(), &*self.health));
            }
            Endpoint::Metrics => return self.metrics(&call.head.headers).await,
            Endpoint::Status => return self.status.page(&call),
            Endpoint::OpenApi => return openapi::answer(),
            Endpoint::ListSessions => self.sessions.list(call).await,
            Endpoint::ShowSession => self.sessions.show(call).await,
            Endpoint::EndSession => self.sessions.end(call).await,
            Endpoint::FindOwner => self.sessions.owner(call).await,
            Endpoint::EndSessions => self.sessions.end_many(call).await,
            Endpoint::ListKeys => self.keys.list(),
            Endpoint::PublishedKeys => self.keys.published(),
            Endpoint::RotateKeys => self.keys.rotate(call).await,
            Endpoint::RetireKey => self.keys.retire(call).await,
            Endpoint::BackupSecret => self.keys.backup(call).await,
            Endpoint::RestoreSecret => self.keys.restore(call).await,
            Endpoint::ShowLogin => self.why.show(call).await,
            Endpoint::FindRecords => self.audit.find(call).await,
            Endpoint::BeginCapture => self.capture.begin(call).await,
            Endpoint::ShowCapture => self.capture.show(),
            Endpoint::FetchCapture => self.capture.fetch(&call),
            Endpoint::EndCapture => self.capture.end(&call),
            Endpoint::ShowLogLevel => self.log.show(),
            Endpoint::SetLogLevel => self.log.set(call).await,
            Endpoint::WhichGateway => self.probes.which(),
            Endpoint::AnnounceProbe => self.probes.announce(&call),
            Endpoint::ShowProbe => self.probes.show(&call),
            Endpoint::ForgetProbe => self.probes.forget(&call),
        })
    }

    async fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let (format, scraper) = (Format::accepted(accept), Arc::clone(&self.scraper));
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let text = tokio::task::spawn_blocking(move || {
            // Held to the end, although the client may have left.
            let _turn = turn;
            scraper.text(format)
        });
        let text = text.await;
        let Ok(Ok(text)) = text else {
            return Problem::Failed("the numbers cannot be told").answer();
        };
        let mut response = Response::new(body::full(text));
        let content_type = HeaderValue::from_static(format.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Service for Operations {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Response<Body> {
        self.handle(*parts, body, peer).await.unwrap_or_else(|problem| problem.answer())
    }
}
