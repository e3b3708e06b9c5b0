//! What every door does with a request before it is answered. No door has a rule of its own.
//!
//! 1. [`Worker::receive`]: the head is checked, proxies in front are heard, host and path are
//!    settled ([`host()`] and [`path()`]: the same for us and for the upstreams behind us), and no
//!    client speaks in our name.
//! 2. [`Worker::find`]: an endpoint of ours, or what the policy has for that host, path and method.
//!    It asks for the proof of step 1.
//! 3. [`Worker::decide`]: the method is the one that the request line says, the cookie leads to a
//!    session where it matters who asks, and the gate decides. A handshake that another site's page
//!    makes in a citizen's name does not pass ([`handshake`]).
//!
//! A caller that only wants to know what would be decided finds the same and asks it for a verdict
//! ([`RouteMatch::judge`](crate::gate::RouteMatch::judge)).

use std::borrow::Cow;
use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderName, Method, StatusCode, Uri, Version};

use crate::base::reason::Reason;
use crate::gate::{Decision, RouteMatch};
use crate::gateway::failure::Failure;
use crate::gateway::settings::Edge;
use crate::gateway::{Settings, Shared, Worker, denial, endpoints, handshake};
use crate::observe::event::Event;
use crate::observe::traces::Kind;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::headers::forwarded::{self, Client};
use crate::request::host::Host;
use crate::request::probes::Arrival;
use crate::request::rules::Rules;
use crate::request::service::Peer;
use crate::request::{headers, host, path, preflight};
use crate::wire::head::{self, is_method};

/// Returns the canonical host of a request: the one that it names, unless a proxy in front is
/// believed to have `told` another.
///
/// # Errors
/// When it names none, two, or one that is not canonical, whatever was told.
pub fn host(parts: &Parts, is_tls: bool, told: Option<Host>) -> Result<Host, Failure> {
    let named = host::canonical(parts, is_tls)?;
    Ok(told.unwrap_or(named))
}

/// Returns the canonical path of a request for the policy.
///
/// # Errors
/// When path or query could be read in two ways.
pub fn path<'u>(rules: &Rules, host: &Host, uri: &'u Uri) -> Result<Cow<'u, str>, Failure> {
    let path = rules.path(host.name(), uri.path())?;
    path::check_query(uri.query().unwrap_or(""))?;
    Ok(path)
}

/// What a request is for.
#[derive(Debug)]
pub enum Found<'r> {
    /// An endpoint of ours, which no rule is for.
    Own(endpoints::Endpoint),
    /// What the policy has for it.
    Route(RouteMatch<'r>),
}

impl<'r> Found<'r> {
    /// Returns what the policy has for it, unless it is one of our own endpoints.
    #[must_use]
    pub fn route(self) -> Option<RouteMatch<'r>> {
        match self {
            Self::Own(_) => None,
            Self::Route(found) => Some(found),
        }
    }
}

/// Finds what a request is for, by its canonical host and path, its method, and its client, which
/// may be allowed to pass during maintenance.
#[must_use]
pub fn find<'r>(
    (settings, rules): (&Settings, &'r Rules),
    location: (&str, &str),
    method: &Method,
    client: Option<IpAddr>,
) -> Found<'r> {
    match endpoints::find(settings, location.0, location.1, &rules.policy) {
        Some(endpoint) => Found::Own(endpoint),
        None => Found::Route(rules.find(location, method, client)),
    }
}

/// Proof that a request was taken in, see [`Worker::receive`].
#[derive(Debug)]
pub struct Received {
    /// The canonical path, where it is another than the one that came.
    path: Option<String>,
}

/// Tells whether a request is for the server as a whole (RFC 9112 3.2.4).
fn is_for_server(context: &RequestContext) -> bool {
    context.path_and_query() == endpoints::SERVER && context.parts.method == Method::OPTIONS
}

impl Shared {
    /// Finds what a request is for, see [`find`].
    #[must_use]
    pub fn find(
        &self,
        location: (&str, &str),
        method: &Method,
        client: Option<IpAddr>,
    ) -> Found<'_> {
        find((&self.settings, &self.rules), location, method, client)
    }
}

impl Worker {
    /// Takes in a request: its head is checked, the proxies in front that we trust are heard, host
    /// and path are settled, and whatever is said in our name is taken away.
    ///
    /// # Errors
    /// When the request cannot be read in one way, a header speaks in our name, or it came through
    /// us before.
    pub fn receive(&self, context: &mut RequestContext, peer: &Peer) -> Result<Received, Failure> {
        self.check_head(context)?;
        let Shared { probes, rules, .. } = &*self.shared;
        let probe = probes.begin(&context.parts, rules.policy.told_names());
        // Before their headers go.
        self.hear_proxies(context, peer)?;
        let settled = self.settle(context, self.identity_headers_passed(peer));
        if let Some(probe) = probe {
            self.note_probe(probe, context, peer);
        }
        settled
    }

    /// Notes how a request arrived that is there for this.
    #[cold]
    fn note_probe(
        &self,
        (name, arrival): (String, Arrival),
        context: &RequestContext,
        peer: &Peer,
    ) {
        let address = peer.address.ip();
        let arrival = Arrival {
            peer: address.to_string(),
            is_trusted: self.shared.settings.edge.trusted.contains(address),
            client: context.client.address.to_string(),
            is_tls: context.client.is_tls,
            host: context.host.authority().to_owned(),
            ..arrival
        };
        self.shared.probes.arrived(&name, arrival);
    }

    /// Takes in a request of which a proxy in front tells that it came from this client: like
    /// [`Worker::receive`], but the proxy that asks was believed already.
    ///
    /// # Errors
    /// As [`Worker::receive`].
    pub fn receive_told(
        &self,
        context: &mut RequestContext,
        client: Client,
    ) -> Result<Received, Failure> {
        self.check_head(context)?;
        context.client = client;
        context.trace = self.shared.traces.begin(None, context.began);
        self.settle(context, &[])
    }

    /// Settles host and path, and takes away whatever is said in our name, or in that of other
    /// gateways under names that do not pass.
    fn settle(
        &self,
        context: &mut RequestContext,
        passed: &[HeaderName],
    ) -> Result<Received, Failure> {
        let told = context.client.host.take();
        context.host = self.host(context, told)?;
        let path = match path(&self.shared.rules, &context.host, &context.parts.uri) {
            Ok(Cow::Borrowed(_)) => None,
            Ok(Cow::Owned(decoded)) => Some(decoded),
            Err(_) if is_for_server(context) => None,
            Err(failure) => return Err(failure),
        };
        let told = self.shared.rules.policy.told_names();
        context.scan = headers::clean_request(&mut context.parts.headers, passed, told)?;
        if let Some(known) = context.scan.told_identity {
            self.note_told_identity(context, known, false);
        }
        if context.scan.told_ours {
            self.note_told_identity(context, "x-brama-*", true);
        }
        if context.scan.has_via && self.shared.via.is_in(&context.parts.headers) {
            let (status, code) = (StatusCode::LOOP_DETECTED, Reason::RequestLoop);
            let detail = "it came through this gateway before: an upstream leads back here";
            let failure = Failure::new(ErrorPage::OurFault, status, code);
            return Err(Failure { detail: detail.to_owned(), ..failure });
        }
        Ok(Received { path })
    }

    /// Finds what a request is for that was taken in. A preflight is for what it asks about, where
    /// that lets preflights through.
    #[must_use]
    pub fn find(&self, received: &Received, context: &RequestContext, has_body: bool) -> Found<'_> {
        let path = received.path.as_deref().unwrap_or_else(|| context.path());
        let client = Some(context.client.address);
        let found = self.shared.find((context.host.name(), path), &context.parts.method, client);
        match (found, preflight::asked(&context.parts, has_body)) {
            (Found::Route(found), Some(asked)) => Found::Route(found.asking_for(&asked)),
            (found, _) => found,
        }
    }

    /// Decides about a request, once it is known what it is for.
    ///
    /// # Errors
    /// When a header claims another method and it matters which it is, the session cannot be looked
    /// for, or a page of another site opens a connection where it matters who comes.
    pub async fn decide<'r>(
        &self,
        context: &mut RequestContext,
        found: RouteMatch<'r>,
    ) -> Result<Decision<'r>, Failure> {
        let mut span =
            context.trace.as_ref().and_then(|trace| trace.enter(Kind::Internal, "decide"));
        let decided = self.judge(context, found).await;
        if let Some(span) = &mut span {
            match &decided {
                Ok(decision) => span.set("brama.decision", decision.name()),
                Err(failure) => span.fail(failure.code.as_str()),
            }
        }
        decided
    }

    async fn judge<'r>(
        &self,
        context: &mut RequestContext,
        found: RouteMatch<'r>,
    ) -> Result<Decision<'r>, Failure> {
        let names_methods = found.names_methods() || context.scan.has_destination;
        if names_methods && headers::method_override::is_overridden(&context.parts.headers) {
            let detail = "a header claims another method, and it matters here which it is";
            return Err(Failure::malformed(Reason::RequestMethodOverride, detail));
        }
        let live = if found.asks_who() { self.live(context).await? } else { None };
        if let Some(live) = &live {
            context.record.session = Some(live.session().name());
        }
        let decision = found.decide(live, context.began);
        if let Decision::Pass(pass) = &decision {
            handshake::check(pass, context, &self.shared.settings)?;
        }
        Ok(decision)
    }

    /// Settles the host of a request. A port that a client wrote and that is none of ours is not
    /// told to anybody ([`ports`](crate::gateway::ports)).
    fn host(&self, context: &RequestContext, told: Option<Host>) -> Result<Host, Failure> {
        let (is_told, is_tls) = (told.is_some(), context.client.is_tls);
        let host = host(&context.parts, is_tls, told)?;
        let Shared { ports, settings, .. } = &*self.shared;
        Ok(if is_told { host } else { ports.reached(settings, host, is_tls) })
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
        let parent = context.client.trace.take();
        context.trace = self.shared.traces.begin(parent, context.began);
        Ok(())
    }

    /// Returns the names under which others tell an identity that a peer may send: a proxy that is
    /// trusted, none otherwise.
    fn identity_headers_passed(&self, peer: &Peer) -> &[HeaderName] {
        let Edge { trusted, identity_headers_passed, .. } = &self.shared.settings.edge;
        if !identity_headers_passed.is_empty() && trusted.contains(peer.address.ip()) {
            identity_headers_passed
        } else {
            &[]
        }
    }

    /// Tells that a client told an identity, as we or other gateways do, and has it logged now and
    /// then: a client that tries it looks for a portal that believes it.
    #[cold]
    fn note_told_identity(&self, context: &RequestContext, header: &'static str, is_ours: bool) {
        let is_logged = self.shared.identity_told_next.is_due(context.began);
        self.shared.tell(context, Event::IdentityToldByClient { header, is_ours, is_logged });
    }

    /// Refuses heads that no door takes: methods that are for no client, what HTTP/2 can say and
    /// HTTP/1.1 cannot, targets that are no path.
    fn check_head(&self, context: &RequestContext) -> Result<(), Failure> {
        denial::check_method(&context.parts.method)?;
        if !is_method(context.parts.method.as_str().as_bytes()) {
            return Err(Failure::malformed(Reason::RequestMalformed, "method"));
        }
        if context.parts.version == Version::HTTP_2 {
            head::check_http2(&context.parts, &self.shared.settings.edge.bounds)?;
        }
        if !context.path_and_query().starts_with('/') && !is_for_server(context) {
            return Err(path::Error::Relative.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::policy::Policy;
    use crate::request::access_record::AccessRecord;
    use crate::request::headers::HeaderScan;
    use crate::request::networks::Networks;

    #[test]
    fn a_path_goes_by_its_query_too() {
        let rules = Rules { policy: Policy::default(), may_pass_maintenance: Networks::default() };
        let host = Host::parse(b"a.example", true).unwrap();
        for (target, is_clear) in [
            (&b"/tax?year=2031"[..], true),
            (b"/tax?year=\xc5\xbc", false),
            (b"/tax/../x?year=2031", false),
        ] {
            let target = Uri::try_from(target).unwrap();
            assert_eq!(path(&rules, &host, &target).is_ok(), is_clear, "{target}");
        }
    }

    #[test]
    fn only_options_of_a_star_is_for_the_server() {
        for (method, target, is_so) in [
            (Method::OPTIONS, "*", true),
            (Method::GET, "*", false),
            (Method::OPTIONS, "/", false),
            (Method::OPTIONS, "/a/../b", false),
        ] {
            let request = http::Request::builder().method(&method).uri(target);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let peer = Peer::new("127.0.0.1:1".parse().unwrap(), false);
            let context = RequestContext {
                id: String::new(),
                parts: Box::new(parts),
                client: Client::direct(&peer, true),
                host: Host::unknown(),
                record: AccessRecord::default(),
                assumed: None,
                began: crate::base::clock::Time::UNIX_EPOCH,
                scan: HeaderScan::default(),
                trace: None,
            };
            assert_eq!(is_for_server(&context), is_so, "{method} {target}");
        }
    }
}
