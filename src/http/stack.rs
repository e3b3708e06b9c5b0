//! The way of every request, in one function: no request takes another way.

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use super::answer::{self, Failure};
use super::exchange::{self, Caller, Exchange};
use super::service::{Peer, Service};
use super::{Gateway, endpoints, host, hygiene, path};
use crate::base::body::Body;
use crate::base::random;
use crate::flow::return_to::ReturnTo;
use crate::gate::facts::Facts;
use crate::gate::{self, Decision};
use crate::identity::assurance::Assurance;
use crate::pages::Trouble;
use crate::proxy;
use crate::session::SessionKey;
use crate::session::store::{Activity, Live, Store, Unavailable};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Gateway {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let started = self.clock.now();
        let (parts, body) = request.into_parts();
        let mut exchange = begin(parts, peer);
        let response = match self.handle(&mut exchange, body).await {
            Ok(response) => response,
            Err(failure) => answer::failure(&failure, &exchange, &self.settings),
        };
        let took = self.clock.now().duration_since(started);
        tracing::info!(
            target: "brama::access",
            request = exchange.id,
            method = exchange.parts.method.as_str(),
            host = exchange.host,
            // Without the query: it may hold what people typed.
            path = exchange.path(),
            status = response.status().as_u16(),
            microseconds = i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
            "request"
        );
        response
    }

    fn refuse(&self, refusal: Refusal, peer: Peer, wants_page: bool) -> Response<Body> {
        answer::failure(&refusal.into(), &unreadable(peer, wants_page), &self.settings)
    }
}

/// What cannot be read as a request has no headers to go by.
fn unreadable(peer: Peer, wants_page: bool) -> Exchange {
    let (parts, ()) = Request::new(()).into_parts();
    let caller = if wants_page { Caller::Navigation } else { Caller::Program };
    Exchange { caller, ..begin(parts, peer) }
}

fn begin(parts: Parts, peer: Peer) -> Exchange {
    Exchange {
        id: random::unique_name(),
        caller: exchange::caller(&parts.headers),
        activity: exchange::activity(&parts.headers),
        language: exchange::language(&parts.headers),
        host: String::new(),
        parts,
        peer,
    }
}

impl Gateway {
    /// Sends whoever came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal only.
    #[must_use]
    pub fn to_https(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let exchange = begin(parts, peer);
        let target = self.https_target(&exchange);
        target.map_or_else(
            |failure| answer::failure(&failure, &exchange, &self.settings),
            |target| answer::permanently_at(&target),
        )
    }

    fn https_target(&self, exchange: &Exchange) -> Result<String, Failure> {
        let host = host::canonical(&exchange.parts)?;
        path::canonical(exchange.parts.uri.path())?;
        if !self.policy.has_host(&host) {
            let code = "request.no_route";
            return Err(Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code));
        }
        // The port of the portal is known for its own host only.
        let authority = match self.settings.origin.strip_prefix("https://") {
            Some(own) if own.split(':').next() == Some(&host) => own,
            _ => &host,
        };
        Ok(format!("https://{authority}{}", exchange.path_and_query()))
    }

    async fn handle(
        &self,
        exchange: &mut Exchange,
        body: Incoming,
    ) -> Result<Response<Body>, Failure> {
        // 1. One host and one path, the same for us and for whoever is behind us.
        exchange.host = host::canonical(&exchange.parts)?;
        let path = path::canonical(exchange.parts.uri.path())?.into_owned();

        // TRACE would show a citizen's browser what we add to its requests (RFC 9110 9.3.8).
        if matches!(exchange.parts.method, Method::TRACE | Method::CONNECT) {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let code = "request.method_not_allowed";
            return Err(Failure::new(Trouble::MalformedRequest, status, code));
        }

        // 2. Nobody speaks in our name, on whatever path.
        hygiene::clean_request(&mut exchange.parts.headers)?;

        // 3. Our own places.
        if let Some(place) = endpoints::find(&self.settings, &exchange.host, &path, &self.policy) {
            return endpoints::answer(self, place, exchange, body).await;
        }

        // 4. Whose request is it, and may it go on?
        let live = self.live(exchange).await?;
        let facts = Facts { host: &exchange.host, path: &path };
        match gate::decide(&facts, live, &self.policy) {
            // 5. On to the portal.
            Decision::Pass(pass) => Ok(proxy::forward(self, &pass, exchange, body).await?),
            Decision::Login(assurance) => self.sign_in(exchange, assurance, SignIn::Login),
            Decision::StepUp(assurance) => self.sign_in(exchange, assurance, SignIn::StepUp),
            Decision::Deny => {
                let code = "request.no_route";
                let detail = format!("no route covers this path on host {}", exchange.host);
                Err(Failure {
                    detail,
                    ..Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code)
                })
            }
        }
    }

    /// Finds the session of a request, which is a sign of life unless it says otherwise.
    pub(super) async fn live(&self, exchange: &Exchange) -> Result<Option<Live>, Unavailable> {
        self.live_as(exchange, exchange.activity).await
    }

    /// Finds the session of a request, with what the request counts as.
    pub(super) async fn live_as(
        &self,
        exchange: &Exchange,
        activity: Activity,
    ) -> Result<Option<Live>, Unavailable> {
        let cookie = self.settings.cookies.session(&exchange.parts.headers);
        let Some(key) = cookie.and_then(SessionKey::of) else {
            return Ok(None);
        };
        self.flows.sessions.find(key, activity, self.clock.now()).await
    }

    /// Answers a request that needs a citizen who is signed in (more surely).
    fn sign_in(
        &self,
        exchange: &Exchange,
        assurance: Assurance,
        why: SignIn,
    ) -> Result<Response<Body>, Failure> {
        let return_to = ReturnTo::parse(exchange.path_and_query());
        let reading = exchange::is_reading(&exchange.parts.method);
        match exchange.caller {
            Caller::Navigation if reading => {
                endpoints::login::begin(self, exchange, return_to, assurance)
            }
            // What was typed into a form is not kept: the page says so.
            Caller::Navigation => Err(Failure::new(
                Trouble::SessionEnded,
                StatusCode::UNAUTHORIZED,
                "request.form_without_session",
            )
            .begin_again(self.login_link(&return_to, assurance))),
            Caller::Frame => Err(Failure::new(
                Trouble::SignInNeeded,
                StatusCode::UNAUTHORIZED,
                "request.frame_without_session",
            )
            .begin_again(self.login_link(&return_to, assurance))),
            Caller::Program => {
                let link = self.login_link(&ReturnTo::front_page(), assurance);
                Ok(answer::login_required(&link, assurance.name(), why == SignIn::StepUp))
            }
        }
    }

    /// Returns the address at which a login begins.
    pub(super) fn login_link(&self, return_to: &ReturnTo, assurance: Assurance) -> String {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", return_to.as_str())
            .append_pair("assurance", assurance.name())
            .finish();
        format!("{}login?{query}", self.settings.prefix)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SignIn {
    Login,
    StepUp,
}
