//! The way of every request, in one function: no request takes another way.

use std::future::Future;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode, Version};

use super::account::{self, Account};
use super::answer::{self, Failure};
use super::exchange::{Caller, Exchange, is_reading};
use super::forms::Load;
use super::forwarded::{self, Client};
use super::host::{self, Host};
use super::hygiene::Census;
use super::portals::Standing;
use super::service::{Answer, Peer, Service};
use super::stop::{self, Reply};
use super::{Gateway, action, destination, endpoints, forms, hygiene, path};
use crate::base::body::Body;
use crate::base::random;
use crate::base::reason::Reason;
use crate::flow::return_to::ReturnTo;
use crate::gate::action::Action;
use crate::gate::facts::Facts;
use crate::gate::requirement::Demand;
use crate::gate::{Decision, Door, Stop};
use crate::pages::Trouble;
use crate::proxy;
use crate::session::SessionId;
use crate::session::branches::{BranchId, Near};
use crate::session::held::{Activity, Live};
use crate::session::label::Why;
use crate::session::sessions::Known;
use crate::store::Unavailable;
use crate::wire::head::{self, is_method};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Gateway {
    type Said = Answer;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Answer {
        let mut exchange = self.begin(parts, peer);
        let mut answer = match self.handle(&mut exchange, peer, body).await {
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

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        // What cannot be read as a request has no headers to go by.
        let (parts, ()) = Request::new(()).into_parts();
        let mut exchange = self.begin(Box::new(parts), peer);
        exchange.assumed = Some(if wants_page { Caller::Navigation } else { Caller::Program });
        exchange.account.reason = Some(refusal.code());
        let response = answer::failure(&refusal.into(), &exchange, &self.settings);
        account::note(self, exchange, response.into()).into_response()
    }
}

impl Gateway {
    /// Sends whoever came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal only.
    #[must_use]
    pub fn to_https(&self, parts: Box<Parts>, peer: &Peer) -> Answer {
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
            let code = Reason::RequestNoRoute;
            return Err(Failure::new(Trouble::NotFound, StatusCode::NOT_FOUND, code));
        }
        // The port is known of hosts that citizens sign in at.
        let known = self.settings.known_origin(host.name());
        let known = known.and_then(|origin| origin.strip_prefix("https://"));
        let authority = known.unwrap_or(host.name());
        Ok(format!("https://{authority}{}", exchange.path_and_query()))
    }

    fn begin(&self, parts: Box<Parts>, peer: &Peer) -> Exchange {
        Exchange {
            id: random::unique_name(),
            assumed: None,
            began: self.clock.now(),
            census: Census::default(),
            client: Client::direct(peer, self.is_https()),
            host: Host::unknown(),
            account: Account::begin(&parts.headers, &self.access),
            parts,
        }
    }

    /// Tells whether browsers speak TLS to the portal, wherever that ends.
    fn is_https(&self) -> bool {
        self.settings.origin.starts_with("https://")
    }

    async fn handle(
        &self,
        exchange: &mut Exchange,
        peer: &Peer,
        body: Incoming,
    ) -> Result<Answer, Failure> {
        stop::check_method(&exchange.parts.method)?;
        if !is_method(exchange.parts.method.as_str().as_bytes()) {
            return Err(Failure::malformed(Reason::RequestMalformed, "method"));
        }

        if exchange.parts.version == Version::HTTP_2 {
            head::check_http2(&exchange.parts, &self.settings.edge.bounds)?;
        }
        if !exchange.path_and_query().starts_with('/') {
            return Err(path::Error::Relative.into());
        }

        // 1. Who asks: the proxies in front that we trust are heard before their headers go.
        let (trusted, believed) = (&self.settings.edge.trusted, self.settings.edge.believed);
        if !trusted.is_empty() {
            let headers = &exchange.parts.headers;
            exchange.client = forwarded::read(headers, peer, trusted, believed, self.is_https())?;
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

        // 5. The handle of a form that was kept stands for the form.
        let load = if forms::may_be_resent(exchange, &body) {
            Box::pin(forms::look_into(self, exchange, body)).await?
        } else {
            Load::Own(body)
        };

        // 6. Whose request is it, and may it go on?
        let facts = Facts {
            host: name,
            path: &path,
            method: &exchange.parts.method,
            may_pass_maintenance: self.settings.maintenance.allow.contains(exchange.client.address),
        };
        let door = Door::find(&facts, &self.policy);
        let names_methods = door.names_methods() || exchange.census.has_destination;
        if names_methods && hygiene::method::is_overridden(&exchange.parts.headers) {
            let detail = "a header claims another method, and it matters here which it is";
            return Err(Failure::malformed(Reason::RequestMethodOverride, detail));
        }
        let most = door.max_body().unwrap_or(self.settings.edge.max_body);
        let live = if door.asks_who() { self.live(exchange).await? } else { None };
        let pass = match door.decide(live, exchange.began) {
            Decision::Pass(pass) => pass,
            // On the heap: a login needs far more room than a request that passes.
            Decision::Stop(stop) => {
                let answer = Box::pin(self.stop(&stop, exchange, load, most)).await;
                return answer.map(Answer::from);
            }
        };
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
                let error = match proxy::forward(self, &pass, forward, exchange, body).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                if let Some(taken) = taken {
                    Box::pin(forms::put_back(self, exchange, *taken, &error)).await;
                }
                Err(error.into())
            }
            Action::Redirect(redirect) => {
                Ok(action::redirect(redirect, &pass, exchange, &self.settings).into())
            }
            Action::Respond(respond) => Ok(action::respond(respond, &pass).into()),
        }
    }

    /// Answers a request that the gate stopped, whose route takes bodies of at most so many bytes.
    async fn stop(
        &self,
        stop: &Stop<'_>,
        exchange: &mut Exchange,
        load: Load,
        most: u64,
    ) -> Result<Response<Body>, Failure> {
        if let Stop::Login(demand) | Stop::StepUp(demand) = *stop {
            if matches!(stop, Stop::StepUp(_)) {
                self.counts.step_ups.add();
            }
            let farewell = match stop {
                Stop::Login(_) => self.farewell(exchange, demand).await.err(),
                _ => None,
            };
            if farewell.is_none() {
                endpoints::login::check_outage(self, exchange)?;
            }
            // What was typed waits until its citizen is back.
            let kept = match load {
                Load::Own(body) => forms::keep(self, exchange, body, demand, most).await?,
                Load::Kept(kept) => {
                    forms::count(self, exchange)?;
                    Some(kept)
                }
            };
            match (farewell, kept) {
                (Some(farewell), None) => return Err(farewell),
                (Some(farewell), Some(kept)) => {
                    let link = self.settings.login_link(&kept.return_to(self), demand);
                    let farewell = farewell.begin_again(link);
                    exchange.account.reason = Some(farewell.code);
                    let mut response = answer::failure(&farewell, exchange, &self.settings);
                    kept.bind(self, exchange, &mut response);
                    return Ok(response);
                }
                (None, Some(kept)) => {
                    let return_to = kept.return_to(self);
                    let begun =
                        endpoints::login::begin_counted(self, exchange, return_to, demand).await;
                    return begun.map(|mut response| {
                        kept.bind(self, exchange, &mut response);
                        response
                    });
                }
                (None, None) => {}
            }
        }
        let target = (&exchange.parts.method, exchange.path_and_query());
        match stop::reply(stop, exchange.caller(), target, &self.settings) {
            Reply::ToNode(return_to, demand) => {
                endpoints::login::begin(self, exchange, return_to, demand).await
            }
            Reply::Challenge(challenge) => Ok(answer::challenge(&challenge)),
            Reply::Refuse(failure) => {
                let detail = match stop {
                    Stop::Refuse(refusal) => refusal.to_string(),
                    Stop::NoMethod(_) => "no route for this path has this method".to_owned(),
                    Stop::Deny => {
                        format!("no route covers this path on host {}", exchange.host.name())
                    }
                    Stop::Login(_) | Stop::StepUp(_) | Stop::Closed => String::new(),
                };
                Err(Failure { detail, ..failure })
            }
        }
    }

    /// Finds the session of a request, which is a sign of life unless it says otherwise.
    pub(super) async fn live(&self, exchange: &Exchange) -> Result<Option<Live>, Failure> {
        self.live_as(exchange, exchange.activity()).await
    }

    /// Finds the session of a request, with what the request counts as.
    pub(super) async fn live_as(
        &self,
        exchange: &Exchange,
        activity: Activity,
    ) -> Result<Option<Live>, Failure> {
        if !exchange.census.has_cookies {
            return Ok(None);
        }
        for cookie in self.settings.cookies.sessions(&exchange.parts.headers).into_iter().flatten()
        {
            let live = self.live_by(exchange, cookie, activity).await?;
            if live.is_some() {
                return Ok(live);
            }
        }
        Ok(None)
    }

    /// Finds the session that one value of the cookie leads to.
    async fn live_by(
        &self,
        exchange: &Exchange,
        cookie: &str,
        activity: Activity,
    ) -> Result<Option<Live>, Failure> {
        let (host, now) = (exchange.host.name(), exchange.began);
        if let Some(live) = self.recent.find(host, cookie, activity, now) {
            return Ok(Some(live));
        }
        let Some(id) = self.session_by(exchange, cookie).await? else { return Ok(None) };
        let sessions = &self.flows.sessions;
        let live = match sessions.find_near(&id, activity, now) {
            Known::Live(live) => Some(live),
            Known::Nothing => None,
            Known::Doubtful(_) => sessions.find(&id, activity, now).await?,
            Known::Unknown => {
                self.ask_if_it_may(exchange, sessions.find(&id, activity, now)).await?
            }
        };
        if let Some(live) = &live {
            self.recent.remember(host, cookie, live, now);
        }
        Ok(live)
    }

    /// Finds who ended the session of a request from outside, where that is known.
    pub(super) async fn why_ended(&self, exchange: &Exchange) -> Result<Option<Why>, Failure> {
        match self.session_id(exchange).await? {
            Some(id) => Ok(self.flows.sessions.why_ended(&id, exchange.began).await),
            None => Ok(None),
        }
    }

    /// Returns the session that the cookie of a request leads to, dead or alive: at the registered host
    /// the cookie is its id, at another one it is that of a branch.
    pub(super) async fn session_id(
        &self,
        exchange: &Exchange,
    ) -> Result<Option<SessionId>, Failure> {
        let mut first = None;
        for cookie in self.settings.cookies.sessions(&exchange.parts.headers).into_iter().flatten()
        {
            let Some(id) = self.session_by(exchange, cookie).await? else { continue };
            let now = exchange.began;
            let known = self.flows.sessions.find_near(&id, Activity::Background, now);
            if matches!(known, Known::Live(_)) {
                return Ok(Some(id));
            }
            first.get_or_insert(id);
        }
        Ok(first)
    }

    /// Returns all sessions that values of the cookie lead to, dead or alive.
    pub(super) async fn session_ids(&self, exchange: &Exchange) -> Result<Vec<SessionId>, Failure> {
        let mut ids = Vec::new();
        for cookie in self.settings.cookies.sessions(&exchange.parts.headers).into_iter().flatten()
        {
            ids.extend(self.session_by(exchange, cookie).await?);
        }
        Ok(ids)
    }

    /// Returns the session that one value of the cookie leads to.
    async fn session_by(
        &self,
        exchange: &Exchange,
        cookie: &str,
    ) -> Result<Option<SessionId>, Failure> {
        match self.settings.standing(exchange.host.name()) {
            // An invention is nothing, and costs nobody anything: neither the place, nor whoever shares
            // an address with the inventor.
            Standing::Registered => Ok(SessionId::recognise(cookie, &self.flows.session_marks)),
            Standing::Other(_) => match self.flows.branches.recognise(cookie) {
                Some(branch) => self.lead_on(exchange, &branch).await,
                None => Ok(None),
            },
            Standing::Public => Ok(None),
        }
    }

    /// Returns the session that a branch leads to.
    async fn lead_on(
        &self,
        exchange: &Exchange,
        branch: &BranchId,
    ) -> Result<Option<SessionId>, Failure> {
        let (host, now) = (exchange.host.name(), exchange.began);
        let branches = &self.flows.branches;
        match branches.find_near(branch, host, now) {
            Near::Leads(found) => Ok(found),
            Near::Doubtful => self.ask(exchange, branches.find(branch, host, now)).await,
            Near::Unknown => self.ask_if_it_may(exchange, branches.find(branch, host, now)).await,
        }
    }

    /// Asks the place for something that nobody here has seen, if the client's network may: ids that have
    /// ended have a good mark too, and to ask costs the place something.
    async fn ask_if_it_may<T>(
        &self,
        exchange: &Exchange,
        find: impl Future<Output = Result<Option<T>, Unavailable>>,
    ) -> Result<Option<T>, Failure> {
        self.limits.may_ask(exchange.client.address)?;
        self.ask(exchange, find).await
    }

    /// Asks the place, and counts for the client's network when there is nothing.
    async fn ask<T>(
        &self,
        exchange: &Exchange,
        find: impl Future<Output = Result<Option<T>, Unavailable>>,
    ) -> Result<Option<T>, Failure> {
        let found = find.await?;
        if found.is_none() {
            self.limits.asked_in_vain(exchange.client.address);
        }
        Ok(found)
    }

    /// Tells a citizen whose session was ended from outside why, before a new login is offered.
    ///
    /// # Errors
    /// When there is something to tell.
    async fn farewell(&self, exchange: &Exchange, demand: Demand) -> Result<(), Failure> {
        if exchange.caller() != Caller::Navigation {
            return Ok(());
        }
        let (trouble, code) = match self.why_ended(exchange).await? {
            None => return Ok(()),
            Some(Why::Elsewhere) => {
                (Trouble::SignedOutElsewhere, Reason::SessionSignedOutElsewhere)
            }
            Some(Why::Operator) => (Trouble::SignedOutByOperator, Reason::SessionEndedByOperator),
        };
        let return_to = match is_reading(&exchange.parts.method) {
            true => ReturnTo::parse(exchange.path_and_query()),
            false => ReturnTo::front_page(),
        };
        Err(Failure::new(trouble, StatusCode::UNAUTHORIZED, code)
            .begin_again(self.settings.login_link(&return_to, demand)))
    }
}
