//! The way of every request, in one function: no request takes another way.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};

use super::account::{self, Account};
use super::answer::{self, Failure};
use super::exchange::{self, Caller, Exchange};
use super::forwarded::{self, Client};
use super::host::{self, Host};
use super::hygiene::Census;
use super::service::{Answer, Peer, Service};
use super::{Gateway, action, endpoints, hygiene, path};
use crate::base::body::Body;
use crate::base::random;
use crate::flow::return_to::ReturnTo;
use crate::gate::action::Action;
use crate::gate::facts::Facts;
use crate::gate::{Decision, Door};
use crate::identity::assurance::Assurance;
use crate::pages::Trouble;
use crate::proxy;
use crate::session::SessionKey;
use crate::session::held::{Activity, Live};
use crate::session::store::{Store, Unavailable};
use crate::wire::head::{self, is_method};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Gateway {
    type Said = Answer;

    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Answer {
        let (parts, body) = request.into_parts();
        let mut exchange = self.begin(parts, peer);
        let mut answer = match self.handle(&mut exchange, body).await {
            Ok(answer) => answer,
            Err(failure) => {
                exchange.account.reason = Some(failure.code);
                answer::failure(&failure, &exchange, &self.settings).into()
            }
        };
        let hsts = self.settings.edge.hsts.as_ref();
        hygiene::answer::add_hsts(&mut answer, hsts, exchange.client.is_tls);
        account::note(self, exchange, answer)
    }

    fn refuse(&self, refusal: Refusal, peer: Peer, wants_page: bool) -> Response<Body> {
        // What cannot be read as a request has no headers to go by.
        let (parts, ()) = Request::new(()).into_parts();
        let mut exchange = self.begin(parts, peer);
        exchange.assumed = Some(if wants_page { Caller::Navigation } else { Caller::Program });
        exchange.account.reason = Some(refusal.code());
        let response = answer::failure(&refusal.into(), &exchange, &self.settings);
        account::note(self, exchange, response.into()).into_response()
    }
}

impl Gateway {
    /// Sends whoever came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal only.
    #[must_use]
    pub fn to_https(&self, request: Request<Incoming>, peer: Peer) -> Answer {
        let (parts, _) = request.into_parts();
        let mut exchange = self.begin(parts, peer);
        let response = match self.https_target(&exchange) {
            Ok(target) => answer::permanently_at(&target),
            Err(failure) => {
                exchange.account.reason = Some(failure.code);
                answer::failure(&failure, &exchange, &self.settings)
            }
        };
        account::note(self, exchange, response.into())
    }

    fn https_target(&self, exchange: &Exchange) -> Result<String, Failure> {
        let host = host::canonical(&exchange.parts, false)?;
        path::canonical(exchange.parts.uri.path())?;
        if !self.policy.has_host(host.name()) {
            let code = "request.no_route";
            return Err(Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code));
        }
        // The port of the portal is known for its own host only.
        let authority = match self.settings.origin.strip_prefix("https://") {
            Some(own) if own.split(':').next() == Some(host.name()) => own,
            _ => host.name(),
        };
        Ok(format!("https://{authority}{}", exchange.path_and_query()))
    }

    fn begin(&self, parts: Parts, peer: Peer) -> Exchange {
        Exchange {
            id: random::unique_name(),
            assumed: None,
            began: self.clock.now(),
            census: Census::default(),
            client: Client::direct(&peer, self.is_https()),
            host: Host::unknown(),
            account: Account::begin(&parts.headers, &self.access),
            parts,
            peer,
        }
    }

    /// Tells whether browsers speak TLS to the portal, wherever that ends.
    fn is_https(&self) -> bool {
        self.settings.origin.starts_with("https://")
    }

    async fn handle(&self, exchange: &mut Exchange, body: Incoming) -> Result<Answer, Failure> {
        // TRACE would show a citizen's browser what we add to its requests (RFC 9110 9.3.8).
        if matches!(exchange.parts.method, Method::TRACE | Method::CONNECT) {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let code = "request.method_not_allowed";
            return Err(Failure::new(Trouble::MalformedRequest, status, code));
        }
        if !is_method(exchange.parts.method.as_str().as_bytes()) {
            return Err(Failure::malformed("request.malformed", "method"));
        }

        if exchange.parts.version == Version::HTTP_2 {
            head::check_http2(&exchange.parts, &self.settings.edge.bounds)?;
        }
        if !exchange.path_and_query().starts_with('/') {
            return Err(path::Error::Relative.into());
        }

        // 1. Who asks: the proxies in front that we trust are heard before their headers go.
        let trusted = &self.settings.edge.trusted;
        if !trusted.is_empty() {
            let headers = &exchange.parts.headers;
            exchange.client = forwarded::read(headers, &exchange.peer, trusted, self.is_https())?;
        }
        if let Some(id) = exchange.client.request_id.take() {
            exchange.id = id;
        }

        // 2. One host and one path, the same for us and for whoever is behind us.
        let host = host::canonical(&exchange.parts, exchange.client.is_tls)?;
        exchange.host = exchange.client.host.take().unwrap_or(host);
        let path = path::canonical(exchange.parts.uri.path())?;
        path::check_query(exchange.parts.uri.query().unwrap_or(""))?;

        // 3. Nobody speaks in our name, on whatever path.
        exchange.census = hygiene::clean_request(&mut exchange.parts.headers)?;

        // 4. Our own places.
        let name = exchange.host.name();
        if let Some(place) = endpoints::find(&self.settings, name, &path, &self.policy) {
            // On the heap: a login needs far more room than a request that passes.
            let answer = Box::pin(endpoints::answer(self, place, exchange, body)).await;
            return answer.map(Answer::from);
        }

        // 5. Whose request is it, and may it go on?
        let facts = Facts {
            host: name,
            path: &path,
            may_pass_maintenance: self.settings.maintenance.allow.contains(exchange.client.address),
        };
        let door = Door::find(&facts, &self.policy);
        let live = if door.asks_who() { self.live(exchange).await? } else { None };
        match door.decide(live) {
            // 6. On to the portal, or what the route says instead.
            Decision::Pass(pass) => {
                exchange.account.route = Some(Arc::clone(pass.route()));
                match &pass.route().action {
                    Action::Forward(forward) => {
                        Ok(proxy::forward(self, &pass, forward, exchange, body).await?)
                    }
                    Action::Redirect(redirect) => {
                        Ok(action::redirect(redirect, &pass, exchange).into())
                    }
                    Action::Respond(respond) => Ok(action::respond(respond, &pass).into()),
                }
            }
            Decision::Login(assurance) => {
                self.sign_in(exchange, assurance, SignIn::Login).map(Answer::from)
            }
            Decision::StepUp(assurance) => {
                self.sign_in(exchange, assurance, SignIn::StepUp).map(Answer::from)
            }
            Decision::Closed => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Err(Failure::new(Trouble::Maintenance, status, "request.maintenance"))
            }
            Decision::Deny => {
                let code = "request.no_route";
                let detail = format!("no route covers this path on host {}", exchange.host.name());
                Err(Failure {
                    detail,
                    ..Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code)
                })
            }
        }
    }

    /// Finds the session of a request, which is a sign of life unless it says otherwise.
    pub(super) async fn live(&self, exchange: &Exchange) -> Result<Option<Live>, Unavailable> {
        self.live_as(exchange, exchange.activity()).await
    }

    /// Finds the session of a request, with what the request counts as.
    pub(super) async fn live_as(
        &self,
        exchange: &Exchange,
        activity: Activity,
    ) -> Result<Option<Live>, Unavailable> {
        let now = exchange.began;
        if !exchange.census.has_cookies {
            return Ok(None);
        }
        let Some(cookie) = self.settings.cookies.session(&exchange.parts.headers) else {
            return Ok(None);
        };
        if let Some(live) = self.recent.find(cookie, activity, now) {
            return Ok(Some(live));
        }
        let Some(key) = SessionKey::of(cookie) else { return Ok(None) };
        let live = self.flows.sessions.find(key, activity, now).await?;
        if let Some(live) = &live {
            self.recent.remember(cookie, live, now);
        }
        Ok(live)
    }

    /// Answers a request that needs a citizen who is signed in (more surely).
    fn sign_in(
        &self,
        exchange: &Exchange,
        assurance: Assurance,
        why: SignIn,
    ) -> Result<Response<Body>, Failure> {
        endpoints::login::check_outage(self, exchange)?;
        let return_to = ReturnTo::parse(exchange.path_and_query());
        let reading = exchange::is_reading(&exchange.parts.method);
        match exchange.caller() {
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
