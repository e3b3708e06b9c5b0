//! The way of every request, in one function (`Worker::handle`): no request that is answered by a
//! rule or an endpoint takes another way. What cannot be read as a request, and plain HTTP that is
//! sent to https, are answered here too.

use std::pin::pin;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Body as _;

use crate::base::body::Body;
use crate::base::random;
use crate::base::reason::Reason;
use crate::flow::return_to::ReturnTo;
use crate::gate::Decision;
use crate::gate::action::Action;
use crate::gateway::decide::{self, Found, Received};
use crate::gateway::failure::Failure;
use crate::gateway::failure_response;
use crate::gateway::forms::RequestBody;
use crate::gateway::{Settings, Shared, Worker, action, destination, endpoints, forms, response};
use crate::observe::traces;
use crate::pages::ErrorPage;
use crate::proxy;
use crate::request::access_record::AccessRecord;
use crate::request::context::{Caller, RequestContext};
use crate::request::headers::HeaderScan;
use crate::request::headers::forwarded::Client;
use crate::request::host::Host;
use crate::request::recorded;
use crate::request::service::{Peer, Service, ServiceResponse};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Worker {
    type Said = ServiceResponse;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> ServiceResponse {
        let mut unanswered = Unanswered::begin(self, parts, peer);
        let context = unanswered.context();
        let mut answer = match self.handle(context, peer, body).await {
            Ok(answer) => answer,
            Err(failure) => {
                let by_successor = self.by_successor(&failure, context);
                context.record.reason = by_successor.is_none().then_some(failure.code);
                let own = || failure_response::respond(&failure, context, &self.shared);
                by_successor.unwrap_or_else(own).into()
            }
        };
        let context = unanswered.answered();
        let hsts = self.shared.settings.edge.hsts.as_ref();
        answer.add_hsts(hsts, context.client.is_tls);
        self.note(context, answer)
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        // What cannot be read as a request has no headers to go by.
        let (parts, ()) = Request::new(()).into_parts();
        let mut context = self.begin(Box::new(parts), peer);
        context.assumed = Some(if wants_page { Caller::Navigation } else { Caller::Program });
        context.record.reason = Some(refusal.code());
        let response = failure_response::respond(&refusal.into(), &context, &self.shared);
        self.note(context, response.into()).into_response()
    }
}

/// A request that has no answer yet: when it is dropped, the client has left.
pub struct Unanswered<'w> {
    worker: &'w Worker,
    context: Option<RequestContext>,
}

impl<'w> Unanswered<'w> {
    /// Begins with the head of a request.
    #[must_use]
    pub fn begin(worker: &'w Worker, parts: Box<Parts>, peer: &Peer) -> Self {
        Self { worker, context: Some(worker.begin(parts, peer)) }
    }

    /// Returns the request.
    pub fn context(&mut self) -> &mut RequestContext {
        self.context.as_mut().expect("it is taken at the end only")
    }

    /// Returns what it came to.
    #[must_use]
    pub fn worker(&self) -> &'w Worker {
        self.worker
    }

    /// Returns the request, which has its answer now.
    #[must_use]
    pub fn answered(mut self) -> RequestContext {
        self.context.take().expect("nobody else takes it")
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(context) = self.context.take() {
            self.worker.note_unanswered(context);
        }
    }
}

impl Worker {
    /// Sends a client that came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal
    /// only.
    #[must_use]
    pub fn to_https(&self, parts: Box<Parts>, peer: &Peer) -> ServiceResponse {
        let mut context = self.begin(parts, peer);
        let response = match self.https_target(&context) {
            Ok(target) => response::permanently_at(&target),
            Err(failure) => {
                context.record.reason = Some(failure.code);
                failure_response::respond(&failure, &context, &self.shared)
            }
        };
        self.note(context, response.into())
    }

    /// Notes a request that was answered elsewhere.
    pub fn answer(
        &self,
        parts: Box<Parts>,
        peer: &Peer,
        response: Response<Body>,
    ) -> ServiceResponse {
        self.note(self.begin(parts, peer), response.into())
    }

    fn https_target(&self, context: &RequestContext) -> Result<String, Failure> {
        let host = decide::host(&context.parts, false, None)?;
        self.shared.rules.path(host.name(), context.parts.uri.path())?;
        if !self.shared.rules.policy.has_host(host.name()) {
            let code = Reason::RequestNoRoute;
            return Err(Failure::new(ErrorPage::NotFound, StatusCode::NOT_FOUND, code));
        }
        // The port is known of hosts that citizens sign in at.
        let known = self.shared.settings.known_origin(host.name());
        let known = known.and_then(|origin| origin.strip_prefix("https://"));
        let authority = known.unwrap_or(host.name());
        Ok(format!("https://{authority}{}", context.path_and_query()))
    }

    fn begin(&self, parts: Box<Parts>, peer: &Peer) -> RequestContext {
        RequestContext {
            id: random::unique_name(),
            assumed: None,
            began: self.shared.clock.now(),
            scan: HeaderScan::default(),
            trace: None,
            client: Client::direct(peer, self.is_https()),
            host: Host::unknown(),
            record: AccessRecord::begin(&parts.headers, &self.shared.access),
            parts,
        }
    }

    /// Has a successor answer what failed because it has the store by now, when nothing was spent
    /// and nothing has gone on to the portal.
    fn by_successor(&self, failure: &Failure, context: &RequestContext) -> Option<Response<Body>> {
        if failure.page != ErrorPage::SessionsAway || !self.shared.flows.tenure.is_over() {
            return None;
        }
        let same = context.path_and_query();
        // A path that browsers would take for an address of others stays what it is.
        (ReturnTo::parse(same).as_str() == same).then(|| response::ask_again(same))
    }

    /// Tells whether browsers speak TLS to the portal, wherever that ends.
    pub(super) fn is_https(&self) -> bool {
        self.shared.settings.origin.starts_with("https://")
    }

    /// Takes a request all the way: who asks, for what, in whose name, whether it may pass, and on
    /// to the portal.
    async fn handle(
        &self,
        context: &mut RequestContext,
        peer: &Peer,
        body: Incoming,
    ) -> Result<ServiceResponse, Failure> {
        // 1. One reading of the request, the same for us and for the upstreams behind us, and no
        //    client that speaks in our name.
        let received = self.receive(context, peer)?;
        let trace = context.trace.clone();
        let served = pin!(self.serve(context, received, peer, body));
        match trace {
            None => served.await,
            // What others are asked meanwhile belongs to its trace.
            Some(trace) => traces::within(trace, served).await,
        }
    }

    async fn serve(
        &self,
        context: &mut RequestContext,
        received: Received,
        peer: &Peer,
        body: Incoming,
    ) -> Result<ServiceResponse, Failure> {
        // 2. Our own places.
        let found = match self.find(&received, context, !body.is_end_stream()) {
            Found::Route(found) => found,
            Found::Own(endpoint) => {
                context.record.endpoint = Some(endpoint.name());
                // On the heap: a login needs far more room than a request that passes.
                let answer = Box::pin(endpoints::answer(self, endpoint, context, body)).await;
                return answer.map(ServiceResponse::from);
            }
        };

        // 3. The handle of a form that was kept stands for the form.
        let body_or_form = if forms::may_be_resent(context, &body) {
            Box::pin(forms::look_into(self, context, body)).await?
        } else {
            RequestBody::Own(body)
        };

        // 4. In whose name is the request, and may it go on? No kept form is taken before that is
        //    settled.
        let most = found.max_body().unwrap_or(self.shared.settings.edge.max_body);
        let most = found.keeps_forms().then_some(most);
        let pass = match self.decide(context, found).await? {
            Decision::Pass(pass) => pass,
            Decision::Deny(denial) => {
                let answer = Box::pin(self.deny(&denial, context, body_or_form, most)).await;
                return answer.map(ServiceResponse::from);
            }
        };
        let identity = self.identity(&pass, context)?;
        let (body, taken) = match body_or_form {
            RequestBody::Own(body) => (body, None),
            RequestBody::Kept(kept) => {
                let (body, taken) = Box::pin(forms::put_in_place(self, context, kept)).await?;
                (body, Some(taken))
            }
        };

        // 5. It may reach a second place.
        if destination::has_second_place(&context.parts.method) {
            Box::pin(destination::judge(self, &pass, context)).await?;
        }

        // 6. On to the portal, or what the route says instead.
        context.record.route = Some(Arc::clone(pass.route()));
        let (proxy, settings) = (&self.proxy, &self.shared.settings);
        let error = match &pass.route().action {
            Action::Forward(forward) => {
                let body = (body, peer);
                match proxy::forward(proxy, &pass, forward, context, body, identity).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => {
                        context.record.unanswered_by = Some(forward.upstream);
                        error
                    }
                }
            }
            Action::Redirect(redirect) => {
                return Ok(action::redirect(redirect, &pass, context, settings).into());
            }
            Action::Respond(respond) => return Ok(action::respond(respond, &pass).into()),
            Action::Permit => return Err(Failure::only_asked_about()),
        };
        if let Some(taken) = taken {
            Box::pin(forms::put_back(self, context, *taken, &error)).await;
        }
        Err(error.into())
    }

    /// Notes a request and its answer: in the counts of answers now, in the access log and among those that
    /// were cut when the answer was sent.
    #[must_use]
    pub fn note(&self, context: RequestContext, answer: ServiceResponse) -> ServiceResponse {
        let Shared { settings, access, events, clock, .. } = &*self.shared;
        let status = answer.response.status();
        self.answers.add(status);
        self.note_duration(&context, status);
        let has_secret_query = has_secret_query(&context, settings);
        recorded::follow(context, answer, (access, events, clock), has_secret_query)
    }

    /// Counts how long a request took that is answered by us: as a whole, or in the place of an
    /// upstream. An answer of an upstream is counted when it ends.
    fn note_duration(&self, context: &RequestContext, status: StatusCode) {
        let AccessRecord { is_timed, unanswered_by, .. } = context.record;
        if !is_timed {
            let durations = match unanswered_by {
                Some(number) => &self.proxy.upstreams.durations_of(number).requests,
                None => &self.own,
            };
            let took = self.shared.clock.now().duration_since(context.began);
            durations.observe(status, took.unsigned_abs());
        }
    }

    /// Notes a request whose client left before there was an answer.
    fn note_unanswered(&self, context: RequestContext) {
        let Shared { settings, access, events, clock, .. } = &*self.shared;
        let has_secret_query = has_secret_query(&context, settings);
        recorded::unanswered(context, (access, events, clock), has_secret_query);
    }
}

/// Tells whether a handle of ours may stand in the query.
fn has_secret_query(context: &RequestContext, settings: &Settings) -> bool {
    let uri = &context.parts.uri;
    uri.query().is_some() && settings.may_be_ours(uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{HOST, OK, get, world};
    use crate::base::clock::Time;
    use crate::gateway::portals::testing::settings;

    #[tokio::test]
    async fn what_failed_because_a_successor_has_the_store_is_asked_again() {
        let world = world("[[route]]\npath = \"/\"\nupstream = \"portal\"\n", OK).await;
        let (worker, status) = (&world.worker, StatusCode::SERVICE_UNAVAILABLE);
        let away = Failure::new(ErrorPage::SessionsAway, status, Reason::SessionStoreUnavailable);
        let other = Failure::new(ErrorPage::PortalDown, status, Reason::UpstreamBusy);
        let peer = Peer::new("127.0.0.1:1".parse().unwrap(), true);
        let led = |failure: &Failure, target: &str| {
            let (parts, ()) = get(HOST, target, &[]).into_parts();
            let answer = worker.by_successor(failure, &worker.begin(Box::new(parts), &peer))?;
            Some(answer.headers()["location"].to_str().unwrap().to_owned())
        };
        assert_eq!(led(&away, "/tax?a"), None, "nobody succeeds this process");
        assert!(worker.shared.flows.tenure.end(std::time::Duration::ZERO).await);
        assert_eq!(led(&away, "/tax?a").as_deref(), Some("/tax?a"));
        assert_eq!(led(&away, "//evil.test/tax"), None);
        assert_eq!(led(&other, "/tax?a"), None);
    }

    #[test]
    fn a_query_that_may_hold_a_handle_is_told_from_one_of_the_portals() {
        for (target, is_secret) in [
            ("/.brama/finish?state=1&ticket=2", true),
            ("/%2Ebrama/finish?state=1", true),
            // Where the node sends a browser with an artifact.
            ("/saml/acs?SAMLart=x&RelayState=y", true),
            ("/.brama/finish", false),
            ("/tax?state=1", false),
            ("/tax", false),
        ] {
            let (parts, ()) = Request::get(target).body(()).unwrap().into_parts();
            let peer = Peer::new("127.0.0.1:1".parse().unwrap(), false);
            let context = RequestContext {
                id: String::new(),
                parts: Box::new(parts),
                client: Client::direct(&peer, true),
                host: Host::unknown(),
                record: AccessRecord::default(),
                assumed: None,
                began: Time::UNIX_EPOCH,
                scan: HeaderScan::default(),
                trace: None,
            };
            let settings =
                Settings { acs_path: "/saml/acs".to_owned(), ..settings("https://a.example") };
            assert_eq!(has_secret_query(&context, &settings), is_secret, "{target}");
        }
    }
}
