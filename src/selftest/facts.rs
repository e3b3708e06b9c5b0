//! What the cases need to know of the configuration, read from its settings before they are used up.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use url::Url;

use crate::app::Settings;
use crate::app::settings::Https;
use crate::flow::OtherPerson;
use crate::gate::action::Action;
use crate::gate::policy::{Access, Route};
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::server::certificates::Certificates;
use crate::session;

/// What is known.
pub(super) struct Facts {
    /// The registered portal.
    pub(super) origin: Url,
    /// Portals on other hosts.
    pub(super) others: Vec<Url>,
    /// The prefix of the gateway's own places, with slashes around.
    pub(super) prefix: String,
    /// The name that the portal has for citizens.
    pub(super) portal: String,
    /// Our name at the node, and the node's.
    pub(super) issuer: String,
    pub(super) node: String,
    pub(super) provider_name: String,
    pub(super) acs: String,
    /// The level that every login must have.
    pub(super) assurance: Assurance,
    /// What the node is asked for, and which of it a login must have.
    pub(super) attributes: Vec<Attribute>,
    pub(super) required: Vec<Attribute>,
    /// The most bytes that are read of an answer, and how long the node is waited for.
    pub(super) maximum_answer: usize,
    pub(super) node_timeout: Duration,
    pub(super) has_logout: bool,
    pub(super) session: session::Settings,
    pub(super) login_timeout: Duration,
    pub(super) keeps_forms: bool,
    pub(super) other_person: OtherPerson,
    pub(super) routes: Vec<Arc<Route>>,
    /// The names of the upstreams, by number.
    pub(super) upstreams: Vec<String>,
    /// The certificates of the TLS listener, if there is one.
    pub(super) certificates: Option<Arc<Certificates>>,
    /// The real portals are asked, so nobody writes down what they are told.
    pub(super) with_portal: bool,
    /// What the session cookie is called.
    pub(super) session_cookie: &'static str,
}

impl Facts {
    pub(super) fn of(settings: &Settings, with_portal: bool) -> Self {
        let gateway = &settings.gateway;
        let parse = |origin: &str| Url::parse(origin).ok();
        let template = &settings.flows.template;
        let origin = parse(&gateway.origin).unwrap_or_else(|| NOWHERE.clone());
        let is_secure = origin.scheme() == "https";
        Self {
            others: gateway.others.iter().filter_map(|other| parse(&other.origin)).collect(),
            origin,
            prefix: gateway.prefix.clone(),
            portal: gateway.portal_name.clone(),
            issuer: template.issuer.clone(),
            node: settings.flows.node_issuer.clone(),
            provider_name: template.provider_name.clone(),
            acs: template.acs.clone(),
            assurance: settings.flows.assurance,
            attributes: template.required.iter().chain(&template.optional).copied().collect(),
            required: template.required.clone(),
            maximum_answer: settings.node.maximum_answer,
            node_timeout: settings.node.timeout,
            has_logout: settings.flows.logout_url.is_some(),
            session: settings.session.clone(),
            login_timeout: settings.flows.login_timeout,
            keeps_forms: settings.flows.keep_forms > 0,
            other_person: settings.flows.other_person,
            routes: settings.routes.iter().cloned().map(Arc::new).collect(),
            upstreams: settings.upstreams.iter().map(|upstream| upstream.name.clone()).collect(),
            certificates: settings.listen.https.as_ref().map(certificates),
            with_portal,
            session_cookie: if is_secure { "__Host-brama" } else { "brama" },
        }
    }

    /// Returns every portal, the registered one first.
    pub(super) fn origins(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.origin).chain(&self.others)
    }

    /// Returns one of our own places at a portal.
    pub(super) fn own(&self, origin: &Url, name: &str) -> Url {
        self.at(origin, &format!("{}{name}", self.prefix))
    }

    /// Returns an address of a portal.
    pub(super) fn at(&self, origin: &Url, target: &str) -> Url {
        origin.join(target).unwrap_or_else(|_| origin.clone())
    }

    /// Returns the portal of a route, if it is one where citizens sign in.
    pub(super) fn portal_of(&self, route: &Route) -> Option<&Url> {
        self.origins().find(|origin| origin.host_str() == Some(&route.host))
    }

    /// Returns routes that lead to an upstream by GET, and for whom.
    pub(super) fn forwarded(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter().filter(|route| {
            matches!(route.action, Action::Forward(_)) && route.methods.has(&Method::GET)
        })
    }

    /// Returns the route of a portal that asks for the least and still for a login.
    pub(super) fn protected(&self, origin: &Url) -> Option<&Arc<Route>> {
        let asks = |route: &&Arc<Route>| match &route.access {
            Access::Required(_) => route.host.as_str() == origin.host_str().unwrap_or_default(),
            Access::Public | Access::Optional => false,
        };
        self.forwarded().filter(asks).min_by_key(|route| match &route.access {
            Access::Required(needs) => (
                needs.attributes.len() + needs.authorities.len(),
                needs.assurance,
                needs.max_age.is_some(),
                route.path.len(),
            ),
            Access::Public | Access::Optional => (0, Assurance::Low, false, 0),
        })
    }

    /// Returns the name of the upstream of a route.
    pub(super) fn upstream_of(&self, route: &Route) -> Option<&str> {
        match &route.action {
            Action::Forward(forward) => self.upstreams.get(forward.upstream).map(String::as_str),
            _ => None,
        }
    }
}

fn certificates(https: &Https) -> Arc<Certificates> {
    Arc::clone(&https.certificates)
}

static NOWHERE: std::sync::LazyLock<Url> =
    std::sync::LazyLock::new(|| Url::parse("http://localhost").expect("an address"));
