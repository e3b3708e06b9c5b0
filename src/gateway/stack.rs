//! The way of every request, in one function (`Worker::handle`): no request that is answered by a
//! rule or an endpoint takes another way. What cannot be read as a request, and plain HTTP that is
//! sent to https, are answered here too.

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
use crate::gateway::forms::RequestBody;
use crate::gateway::settings::Edge;
use crate::gateway::{Shared, Worker, action, denial, destination, endpoints, forms, response};
use crate::pages::ErrorPage;
use crate::proxy;
use crate::request::access_record::AccessRecord;
use crate::request::context::{Caller, RequestContext};
use crate::request::headers::HeaderScan;
use crate::request::headers::forwarded::{self, Client};
use crate::request::host::Host;
use crate::request::service::{Peer, Service, ServiceResponse};
use crate::request::{headers, path, recorded};
use crate::wire::head::{self, is_method};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

impl Service for Worker {
    type Said = ServiceResponse;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> ServiceResponse {
        let mut context = self.begin(parts, peer);
        let mut answer = match self.handle(&mut context, peer, body).await {
            Ok(answer) => answer,
            Err(failure) => {
                context.record.reason = Some(failure.code);
                failure::respond(&failure, &context, &self.shared.settings).into()
            }
        };
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
        let response = failure::respond(&refusal.into(), &context, &self.shared.settings);
        self.note(context, response.into()).into_response()
    }
}

impl Worker {
    /// Sends whoever came by plain HTTP to https (RFC 9110 15.4.9), on hosts of the portal only.
    #[must_use]
    pub fn to_https(&self, parts: Box<Parts>, peer: &Peer) -> ServiceResponse {
        let mut context = self.begin(parts, peer);
        let response = match self.https_target(&context) {
            Ok(target) => response::permanently_at(&target),
            Err(failure) => {
                context.record.reason = Some(failure.code);
                failure::respond(&failure, &context, &self.shared.settings)
            }
        };
        self.note(context, response.into())
    }

    fn https_target(&self, context: &RequestContext) -> Result<String, Failure> {
        let host = decide::host(&context.parts, false, None)?;
        path::canonical(context.parts.uri.path())?;
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
            client: Client::direct(peer, self.is_https()),
            host: Host::unknown(),
            record: AccessRecord::begin(&parts.headers, &self.shared.access),
            parts,
        }
    }

    /// Tells whether browsers speak TLS to the portal, wherever that ends.
    fn is_https(&self) -> bool {
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
        self.check_head(context)?;

        // 1. Who asks: the proxies in front that we trust are heard before their headers go.
        self.hear_proxies(context, peer)?;

        // 2. One host and one path, the same for us and for whoever is behind us.
        let told = context.client.host.take();
        context.host = decide::host(&context.parts, context.client.is_tls, told)?;
        let path = decide::path(&context.parts.uri)?;

        // 3. Nobody speaks in our name, on whatever path.
        context.scan = headers::clean_request(&mut context.parts.headers)?;

        // 4. Our own places.
        let (place, client) = ((context.host.name(), &*path), Some(context.client.address));
        let found = match self.shared.find(place, &context.parts.method, client) {
            Found::Route(found) => found,
            Found::Own(endpoint) => {
                // On the heap: a login needs far more room than a request that passes.
                let answer = Box::pin(endpoints::answer(self, endpoint, context, body)).await;
                return answer.map(ServiceResponse::from);
            }
        };

        // 5. The handle of a form that was kept stands for the form.
        let body_or_form = if forms::may_be_resent(context, &body) {
            Box::pin(forms::look_into(self, context, body)).await?
        } else {
            RequestBody::Own(body)
        };

        // 6. Whose request is it, and may it go on? No kept form is taken before that is settled.
        let most = found.max_body().unwrap_or(self.shared.settings.edge.max_body);
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

        // 7. It may reach a second place.
        if destination::has_second_place(&context.parts.method) {
            Box::pin(destination::judge(self, &pass, context)).await?;
        }

        // 8. On to the portal, or what the route says instead.
        context.record.route = Some(Arc::clone(pass.route()));
        let (proxy, settings) = (&self.proxy, &self.shared.settings);
        let error = match &pass.route().action {
            Action::Forward(forward) => {
                match proxy::forward(proxy, &pass, forward, context, body, identity).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                }
            }
            Action::Redirect(redirect) => {
                return Ok(action::redirect(redirect, &pass, context, settings).into());
            }
            Action::Respond(respond) => return Ok(action::respond(respond, &pass).into()),
        };
        if let Some(taken) = taken {
            Box::pin(forms::put_back(self, context, *taken, &error)).await;
        }
        Err(error.into())
    }

    /// Takes what a proxy in front says of the client, if it is believed.
    fn hear_proxies(&self, context: &mut RequestContext, peer: &Peer) -> Result<(), Failure> {
        let Edge { trusted, believed, .. } = &self.shared.settings.edge;
        if !trusted.is_empty() {
            let headers = &context.parts.headers;
            context.client = forwarded::read(headers, peer, trusted, *believed, self.is_https())?;
        }
        if let Some(id) = context.client.request_id.take() {
            context.id = id;
        }
        Ok(())
    }

    /// Refuses heads that no door takes: methods for nobody, what HTTP/2 can say and HTTP/1.1
    /// cannot, targets that are no path.
    fn check_head(&self, context: &RequestContext) -> Result<(), Failure> {
        denial::check_method(&context.parts.method)?;
        if !is_method(context.parts.method.as_str().as_bytes()) {
            return Err(Failure::malformed(Reason::RequestMalformed, "method"));
        }
        if context.parts.version == Version::HTTP_2 {
            head::check_http2(&context.parts, &self.shared.settings.edge.bounds)?;
        }
        if !context.path_and_query().starts_with('/') {
            return Err(path::Error::Relative.into());
        }
        Ok(())
    }

    /// Notes a request and its answer: in the counts now, in the access log when the answer was
    /// sent.
    fn note(&self, context: RequestContext, answer: ServiceResponse) -> ServiceResponse {
        let Shared { settings, access, counts, clock, .. } = &*self.shared;
        self.answers.add(answer.response.status());
        if let Some(reason) = context.record.reason {
            counts.refusals.add(reason.as_str());
        }
        if access.is_off() {
            return answer;
        }
        let uri = &context.parts.uri;
        let has_secret_query = uri.query().is_some() && settings.may_be_ours(uri.path());
        recorded::follow(context, answer, (access, clock), has_secret_query)
    }
}
