//! The way of every request, in one function: no request takes another way.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode, Version};

use crate::base::body::Body;
use crate::base::random;
use crate::base::reason::Reason;
use crate::gate::Decision;
use crate::gate::action::Action;
use crate::gateway::decide::{self, Found};
use crate::gateway::failure::{self, Failure};
use crate::gateway::forms::Load;
use crate::gateway::{Shared, Worker, action, denial, destination, endpoints, forms, response};
use crate::pages::Trouble;
use crate::proxy;
use crate::request::access_record::Account;
use crate::request::context::{Caller, Exchange};
use crate::request::headers::HeaderScan;
use crate::request::headers::forwarded::{self, Client};
use crate::request::host::Host;
use crate::request::service::{Answer, Peer, Service};
use crate::request::{headers, path, recorded};
use crate::wire::head::{self, is_method};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Worker {
    type Said = Answer;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Answer {
        let mut exchange = self.begin(parts, peer);
        let mut answer = match self.handle(&mut exchange, peer, body).await {
            Ok(answer) => answer,
            Err(failure) => {
                exchange.account.reason = Some(failure.code);
                failure::respond(&failure, &exchange, &self.shared.settings).into()
            }
        };
        let hsts = self.shared.settings.edge.hsts.as_ref();
        answer.add_hsts(hsts, exchange.client.is_tls);
        self.note(exchange, answer)
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        // What cannot be read as a request has no headers to go by.
        let (parts, ()) = Request::new(()).into_parts();
        let mut exchange = self.begin(Box::new(parts), peer);
        exchange.assumed = Some(if wants_page { Caller::Navigation } else { Caller::Program });
        exchange.account.reason = Some(refusal.code());
        let response = failure::respond(&refusal.into(), &exchange, &self.shared.settings);
        self.note(exchange, response.into()).into_response()
    }
}

impl Worker {
    /// Sends whoever came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal only.
    #[must_use]
    pub fn to_https(&self, parts: Box<Parts>, peer: &Peer) -> Answer {
        let mut exchange = self.begin(parts, peer);
        let response = match self.https_target(&exchange) {
            Ok(target) => response::permanently_at(&target),
            Err(failure) => {
                exchange.account.reason = Some(failure.code);
                failure::respond(&failure, &exchange, &self.shared.settings)
            }
        };
        self.note(exchange, response.into())
    }

    fn https_target(&self, exchange: &Exchange) -> Result<String, Failure> {
        let host = decide::host(&exchange.parts, false, None)?;
        path::canonical(exchange.parts.uri.path())?;
        if !self.shared.rules.policy.has_host(host.name()) {
            let code = Reason::RequestNoRoute;
            return Err(Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code));
        }
        // The port is known of hosts that citizens sign in at.
        let known = self.shared.settings.known_origin(host.name());
        let known = known.and_then(|origin| origin.strip_prefix("https://"));
        let authority = known.unwrap_or(host.name());
        Ok(format!("https://{authority}{}", exchange.path_and_query()))
    }

    fn begin(&self, parts: Box<Parts>, peer: &Peer) -> Exchange {
        Exchange {
            id: random::unique_name(),
            assumed: None,
            began: self.shared.clock.now(),
            scan: HeaderScan::default(),
            client: Client::direct(peer, self.is_https()),
            host: Host::unknown(),
            account: Account::begin(&parts.headers, &self.shared.access),
            parts,
        }
    }

    /// Tells whether browsers speak TLS to the portal, wherever that ends.
    fn is_https(&self) -> bool {
        self.shared.settings.origin.starts_with("https://")
    }

    async fn handle(
        &self,
        exchange: &mut Exchange,
        peer: &Peer,
        body: Incoming,
    ) -> Result<Answer, Failure> {
        denial::check_method(&exchange.parts.method)?;
        if !is_method(exchange.parts.method.as_str().as_bytes()) {
            return Err(Failure::malformed(Reason::RequestMalformed, "method"));
        }

        if exchange.parts.version == Version::HTTP_2 {
            head::check_http2(&exchange.parts, &self.shared.settings.edge.bounds)?;
        }
        if !exchange.path_and_query().starts_with('/') {
            return Err(path::Error::Relative.into());
        }

        // 1. Who asks: the proxies in front that we trust are heard before their headers go.
        let (trusted, believed) =
            (&self.shared.settings.edge.trusted, self.shared.settings.edge.believed);
        if !trusted.is_empty() {
            let headers = &exchange.parts.headers;
            exchange.client = forwarded::read(headers, peer, trusted, believed, self.is_https())?;
        }
        if let Some(id) = exchange.client.request_id.take() {
            exchange.id = id;
        }

        // 2. One host and one path, the same for us and for whoever is behind us.
        let told = exchange.client.host.take();
        exchange.host = decide::host(&exchange.parts, exchange.client.is_tls, told)?;
        let path = decide::path(&exchange.parts.uri)?;

        // 3. Nobody speaks in our name, on whatever path.
        exchange.scan = headers::clean_request(&mut exchange.parts.headers)?;

        // 4. Our own places.
        let place = (exchange.host.name(), &*path);
        let client = Some(exchange.client.address);
        let found = match self.shared.find(place, &exchange.parts.method, client) {
            Found::Route(found) => found,
            Found::Own(endpoint) => {
                // On the heap: a login needs far more room than a request that passes.
                let answer = Box::pin(endpoints::answer(self, endpoint, exchange, body)).await;
                return answer.map(Answer::from);
            }
        };

        // 5. The handle of a form that was kept stands for the form.
        let load = if forms::may_be_resent(exchange, &body) {
            Box::pin(forms::look_into(self, exchange, body)).await?
        } else {
            Load::Own(body)
        };

        // 6. Whose request is it, and may it go on?
        let most = found.max_body().unwrap_or(self.shared.settings.edge.max_body);
        let pass = match self.decide(exchange, found).await? {
            Decision::Pass(pass) => pass,
            // On the heap: a login needs far more room than a request that passes.
            Decision::Stop(stop) => {
                let answer = Box::pin(self.deny(&stop, exchange, load, most)).await;
                return answer.map(Answer::from);
            }
        };
        let identity = self.identity(&pass, exchange)?;
        let (body, taken) = match load {
            Load::Own(body) => (body, None),
            Load::Kept(kept) => {
                let (body, taken) = Box::pin(forms::put_in_place(self, exchange, kept)).await?;
                (body, Some(taken))
            }
        };

        // 7. It may reach a second place.
        if destination::has_second_place(&exchange.parts.method) {
            Box::pin(destination::judge(self, &pass, exchange)).await?;
        }

        // 8. On to the portal, or what the route says instead.
        exchange.account.route = Some(Arc::clone(pass.route()));
        match &pass.route().action {
            Action::Forward(forward) => {
                let error =
                    match proxy::forward(&self.proxy, &pass, forward, exchange, body, identity)
                        .await
                    {
                        Ok(answer) => return Ok(answer),
                        Err(error) => error,
                    };
                if let Some(taken) = taken {
                    Box::pin(forms::put_back(self, exchange, *taken, &error)).await;
                }
                Err(error.into())
            }
            Action::Redirect(redirect) => {
                Ok(action::redirect(redirect, &pass, exchange, &self.shared.settings).into())
            }
            Action::Respond(respond) => Ok(action::respond(respond, &pass).into()),
        }
    }

    /// Notes a request and its answer: in the counts now, in the access log when the answer was sent.
    fn note(&self, exchange: Exchange, answer: Answer) -> Answer {
        let Shared { settings, access, counts, clock, .. } = &*self.shared;
        self.answers.add(answer.response.status());
        if let Some(reason) = exchange.account.reason {
            counts.refusals.add(reason.as_str());
        }
        if access.is_off() {
            return answer;
        }
        let uri = &exchange.parts.uri;
        let has_secret_query = uri.query().is_some() && settings.may_be_ours(uri.path());
        recorded::follow(exchange, answer, (access, clock), has_secret_query)
    }
}
