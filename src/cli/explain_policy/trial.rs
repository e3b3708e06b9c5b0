//! A request that no client made, taken the way of every request up to the gate's verdict.

use std::sync::Arc;

use http::header::{HOST, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Uri};

use crate::app::Settings;
use crate::base::clock::Time;
use crate::flow::return_to::ReturnTo;
use crate::gate::Denial;
use crate::gate::action::Action;
use crate::gate::facts::Facts;
use crate::gate::policy::{Policy, Route};
use crate::gate::requirement::AuthnRequirement;
use crate::gate::standing::{Standing, standings};
use crate::gate::visitor::Visitor;
use crate::gateway::decide;
use crate::gateway::denial::{Asked, Reply, check_method, reply};
use crate::gateway::failure::Failure;
use crate::gateway::forms::longest_kept;
use crate::pages::Language;
use crate::request::context::Caller;
use crate::request::networks::Networks;
use crate::request::rules::Rules;
use crate::wire::head::is_method;

/// The request, and the policy that it is tried on.
pub(super) struct Trial<'s> {
    pub(super) method: Method,
    pub(super) target: String,
    settings: &'s Settings,
    rules: Rules,
    /// Host and path, or why they are refused before any rule is asked.
    location: Result<(String, String), Failure>,
}

/// What would become of the request.
pub(super) enum Outcome<'t> {
    /// It passes by a route, to where `to` says.
    Pass { route: &'t Arc<Route>, to: String },
    /// The gate stops it.
    Denial {
        denial: Denial<'t>,
        /// What becomes of a form that a page of the same host sends, where it is kept.
        form: Option<Told>,
        navigation: Told,
        fetch: Told,
    },
    /// It is for one of the gateway's own locations, which no rule is for.
    OwnPlace,
    /// It is refused before any rule is asked.
    Refused(&'t Failure),
}

/// What a client would be told.
pub(super) struct Told {
    pub(super) status: u16,
    /// The reason code, if it is a refusal.
    pub(super) code: Option<&'static str>,
    pub(super) what: String,
}

/// A route, where it stands, and its number in the configuration.
pub(super) struct Rule<'t> {
    pub(super) number: usize,
    pub(super) route: &'t Arc<Route>,
    pub(super) standing: Standing,
}

impl<'s> Trial<'s> {
    /// Reads method and address.
    ///
    /// # Errors
    /// When they are none: nothing could send them.
    pub(super) fn new(settings: &'s Settings, method: &str, url: &str) -> Result<Self, String> {
        let known = Method::from_bytes(method.as_bytes()).ok();
        let method = known
            .filter(|_| is_method(method.as_bytes()))
            .ok_or_else(|| format!("\"{}\" is no method", method.escape_debug()))?;
        let url = if url.starts_with('/') {
            format!("{}{url}", settings.gateway.origin)
        } else {
            url.to_owned()
        };
        let no_url = || {
            format!(
                "\"{}\" is neither an address such as https://portal.example/tax nor a path",
                url.escape_debug()
            )
        };
        // RFC 9110 4.2.5: a browser keeps a fragment for itself, and the gateway refuses one.
        if url.contains('#') {
            let shown = url.escape_debug();
            return Err(format!(
                "\"{shown}\" has a fragment, which is never sent; leave the # out"
            ));
        }
        let uri: Uri = url.parse().map_err(|_| no_url())?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(no_url());
        };
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| no_url())?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.uri = target.parse().map_err(|_| no_url())?;
        parts.headers.insert(HOST, host);
        let is_tls = uri.scheme_str() == Some("https");
        // Maintenance is for every client here: the request is of none in particular.
        let rules = Rules {
            policy: Policy::new(settings.routes.clone()),
            may_pass_maintenance: Networks::default(),
        };
        let location = check_method(&method).and_then(|()| find_location(&rules, &parts, is_tls));
        Ok(Self { method, target, settings, rules, location })
    }

    /// Returns host and path as the policy sees them.
    pub(super) fn location(&self) -> Option<(&str, &str)> {
        self.location.as_ref().ok().map(|(host, path)| (&**host, &**path))
    }

    fn facts(&self) -> Option<Facts<'_>> {
        let (host, path) = self.location()?;
        Some(Facts { host, path, method: &self.method, may_pass_maintenance: false })
    }

    /// Returns every rule with where it stands, the most specific first.
    pub(super) fn rules(&self) -> Vec<Rule<'_>> {
        let Some(facts) = self.facts() else { return Vec::new() };
        let number = |route: &Route| {
            let is_it = |other: &Route| {
                (&other.host, &other.path, &other.methods)
                    == (&route.host, &route.path, &route.methods)
            };
            self.settings.routes.iter().position(is_it).unwrap_or_default()
        };
        standings(&facts, &self.rules.policy)
            .into_iter()
            .map(|(route, standing)| Rule { number: number(route), route, standing })
            .collect()
    }

    /// Says what would become of the request.
    pub(super) fn outcome(&self, visitor: Option<&Visitor<'_>>, now: Time) -> Outcome<'_> {
        let facts = match (&self.location, self.facts()) {
            (Err(failure), _) => return Outcome::Refused(failure),
            (Ok(_), Some(facts)) => facts,
            (Ok(_), None) => return Outcome::OwnPlace,
        };
        let (settings, location) = (&self.settings.gateway, (facts.host, facts.path));
        let found = decide::find((settings, &self.rules), location, &self.method, None);
        let Some(found) = found.route() else { return Outcome::OwnPlace };
        let most = found.max_body().unwrap_or(settings.edge.max_body);
        let most = found.keeps_forms().then_some(most);
        let verdict = found.judge(visitor, now);
        match (verdict.route, verdict.outcome) {
            (Some(route), Ok(_)) => Outcome::Pass { route, to: self.destination(route) },
            (None, Ok(_)) => self.denied(Denial::NoRoute, most),
            (_, Err(denial)) => self.denied(denial, most),
        }
    }

    /// Says what is answered where the route takes bodies of at most so many bytes, or keeps no
    /// forms.
    fn denied<'t>(&'t self, denial: Denial<'t>, most: Option<u64>) -> Outcome<'t> {
        let http = &self.settings.gateway;
        let other = self.location().and_then(|(host, _)| http.other(host));
        let told = |caller: Caller| {
            let caller = caller.asking_by(&self.method);
            // Of no page that asks anything is known.
            let asked = Asked { method: &self.method, target: &self.target, from: None };
            match (reply(&denial, caller, asked, http), other) {
                (Reply::ToNode(return_to, requirement), Some(other)) => {
                    to_other_host((&http.origin, &other.origin), &return_to, requirement)
                }
                (reply, _) => told(reply),
            }
        };
        let (navigation, fetch) = (told(Caller::Navigation), told(Caller::Program));
        Outcome::Denial { form: self.form(&denial, most), denial, navigation, fetch }
    }

    /// Says what becomes of a form that a person sends from a page of the same host.
    fn form(&self, denial: &Denial<'_>, most: Option<u64>) -> Option<Told> {
        let (Denial::Login(requirement) | Denial::StepUp(requirement)) = *denial else {
            return None;
        };
        let longest = longest_kept(&self.method, self.settings.flows.keep_forms, most?)?;
        let http = &self.settings.gateway;
        let page = ReturnTo::parse(&format!("{}form", http.prefix));
        let other = self.location().and_then(|(host, _)| http.other(host));
        let there = match other {
            Some(other) => to_other_host((&http.origin, &other.origin), &page, requirement),
            None => told(Reply::ToNode(page, requirement)),
        };
        let what = format!(
            "kept for that browser, up to {longest} bytes; {}, which asks whether to send it",
            there.what
        );
        Some(Told { what, ..there })
    }

    fn destination(&self, route: &Route) -> String {
        match &route.action {
            Action::Forward(forward) => {
                let upstream = self.settings.upstreams.get(forward.upstream);
                let name = upstream.map_or("?", |upstream| &upstream.name);
                format!("goes on to the upstream \"{name}\"")
            }
            Action::Redirect(redirect) => {
                format!("is redirected with {}", redirect.status.as_u16())
            }
            Action::Respond(respond) => {
                format!("gets the fixed answer of the rule, with {}", respond.status.as_u16())
            }
            Action::Permit => "is allowed, to the proxy in front that asks".to_owned(),
        }
    }
}

/// The checks that come before the gate and can be made of a method and an address alone.
fn find_location(
    rules: &Rules,
    parts: &http::request::Parts,
    is_tls: bool,
) -> Result<(String, String), Failure> {
    let host = decide::host(parts, is_tls, None)?;
    let path = decide::path(rules, &host, &parts.uri)?;
    Ok((host.name().to_owned(), path.into_owned()))
}

/// Citizens sign in at the registered host only.
fn to_other_host(
    (registered, other): (&str, &str),
    return_to: &ReturnTo,
    requirement: AuthnRequirement,
) -> Told {
    let anew = if requirement.max_age.is_some() { ", who must identify anew" } else { "" };
    Told {
        status: 303,
        code: None,
        what: format!(
            "a redirect that takes the citizen{anew} to {registered}, there to the node unless they \
             are signed in for the level {}, and from there back to {other}{}",
            requirement.assurance,
            return_to.as_str()
        ),
    }
}

fn told(reply: Reply) -> Told {
    match reply {
        Reply::ToNode(return_to, requirement) => {
            let anew = if requirement.max_age.is_some() { ", who must identify anew" } else { "" };
            Told {
                status: 200,
                code: None,
                what: format!(
                    "a page that takes the citizen{anew} to the node for the level {}, and from \
                     there back to {}",
                    requirement.assurance,
                    return_to.as_str()
                ),
            }
        }
        Reply::Challenge(challenge) => {
            let response = challenge.response();
            let header = response.headers().get(WWW_AUTHENTICATE);
            let header = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
            Told {
                status: response.status().as_u16(),
                code: Some(challenge.code()),
                what: format!("JSON, and WWW-Authenticate: {header}"),
            }
        }
        Reply::Refuse(failure) => {
            let title = failure.page.words(Language::English).title;
            let allow = failure.allow.as_deref();
            let allow = allow.map(|methods| format!(", and Allow: {methods}")).unwrap_or_default();
            Told {
                status: failure.status.as_u16(),
                code: Some(failure.code.as_str()),
                what: format!("\"{title}\"{allow}"),
            }
        }
    }
}
