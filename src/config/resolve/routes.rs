//! `[[route]]`.

use std::collections::HashMap;

use super::access::{self, Claimed};
use super::action;
use super::context::Context;
use super::{caches, identity, leniency, paths, told};
use crate::config::file::{self, Claim, TokenAlgorithm};
use crate::gate::header_rules::{Rules, Side};
use crate::gate::policy::Route;
use crate::gateway;
use crate::gateway::portals::Standing;
use crate::identity::claims::PersonalClaim;
use crate::identity::release::Release;
use crate::identity::signing_key::Algorithm;
use crate::request::host;

pub(super) fn resolve(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
    upstreams: &HashMap<String, usize>,
) -> Vec<Route> {
    let given = &context.file().routes;
    let advice = "add a [[route]] with path and upstream; what no route covers is denied";
    context.required("route", (!given.is_empty()).then_some(given), advice);
    let public_host = portal
        .and_then(|portal| url::Url::parse(&portal.origin).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let mut taken: Vec<Claimed> = Vec::new();
    let mut releases: Vec<Release> = Vec::new();
    let mut routes = Vec::new();
    for (index, route) in given.iter().enumerate() {
        let key = |name: &str| format!("route[{index}].{name}");
        let host = host(context, &key, route.host.as_deref(), public_host.as_deref());
        let path = path(context, &key(key!(Route: path)), &route.path);
        let upstream = match route.upstream.as_deref() {
            None if route.is_answered_here() => None,
            None if route.is_permitted(context.file()) => None,
            upstream => context.required(&key(key!(Route: upstream)), upstream, NAME_UPSTREAM),
        };
        let number = number_of(context, &key(key!(Route: upstream)), upstreams, upstream);
        let methods = access::methods(context, route, &key(key!(Route: methods)));
        let access = access::access(context, route, &key);
        check_standing(context, &key, (portal, host.as_deref()), route.access);
        caches::check(context, route, &key(key!(Route: response_headers)));
        let upgrade = action::upgrade(context, &route.upgrade, &key(key!(Route: upgrade)));
        let origins = action::upgrade_origins(context, route, &key(key!(Route: upgrade_origins)));
        let action = action::resolve(context, route, &key, number);
        let rewrite = path.as_deref().and_then(|path| action::rewrite(context, route, &key, path));
        let leniency =
            leniency::resolve(context, route, &key(key!(Route: lenient_paths)), path.as_deref());
        let headers = headers(context, route, &key);
        let audience = audience(context, route, &key, upstream);
        let claims: Vec<_> = route.claims.iter().map(|claim| personal(*claim)).collect();
        let telling = told::resolve(context, route, &key, (&claims, &audience));
        let (Some(host), Some(path), Some(action), Some(rewrite)) = (host, path, action, rewrite)
        else {
            continue;
        };
        let Some([request_headers, response_headers]) = headers else { continue };
        let (Some(methods), Some(upgrade)) = (methods, upgrade) else { continue };
        let Some(upgrade_origins) = origins else { continue };
        let claimed =
            Claimed { index, host: host.clone(), path: path.clone(), methods: methods.clone() };
        access::check_tie(context, &taken, &claimed);
        taken.push(claimed);
        let Some(told::Telling { forms, signature }) = telling else { continue };
        let algorithm = algorithm(route.token_algorithm);
        let release = Release { audience, claims, forms, algorithm };
        identity::check_algorithm(context, &key(key!(Route: token_algorithm)), &routes, &release);
        let release_number = release_number(&mut releases, &release);
        let origin = portal.and_then(|portal| portal.known_origin(&host)).map(str::to_owned);
        routes.push(Route {
            host,
            path,
            methods,
            access,
            action,
            rewrite,
            leniency,
            origin,
            rewrite_responses: route.rewrite_responses,
            request_headers,
            response_headers,
            maintenance: route.maintenance || context.file().portal.maintenance,
            upgrade,
            upgrade_origins,
            cors_preflight: route.cors_preflight,
            outlives_session: route.outlives_session,
            release,
            release_number,
            signature,
        });
    }
    check_others(context, portal, &routes);
    routes
}

/// Returns the changes to headers, of requests and of answers.
fn headers(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
) -> Option<[Rules; 2]> {
    let [requests, responses] = [
        (Side::Request, &route.request_headers, "request_headers"),
        (Side::Response, &route.response_headers, "response_headers"),
    ]
    .map(|(side, headers, name)| action::headers(context, side, headers, &key(name)));
    Some([requests?, responses?])
}

/// Returns the canonical host of a route: the one that it names, or that of the portal.
fn host(
    context: &mut Context<'_>,
    key: &dyn Fn(&str) -> String,
    given: Option<&str>,
    public: Option<&str>,
) -> Option<String> {
    let Some(given) = given else { return public.map(str::to_owned) };
    let name = host::from_configuration(given);
    if name.is_none() {
        let advice = "give a name without a port";
        context.error(&key(key!(Route: host)), "is not a host", advice);
    }
    name
}

/// Reports a route that asks for a login at a host of which no portal is known.
fn check_standing(
    context: &mut Context<'_>,
    key: &dyn Fn(&str) -> String,
    (portal, host): (Option<&gateway::Settings>, Option<&str>),
    access: file::Access,
) {
    let is_public = |host| portal.is_some_and(|portal| portal.standing(host) == Standing::Public);
    if access != file::Access::Public && host.is_some_and(is_public) {
        context.error(
            &key(key!(Route: host)),
            "is neither the host of portal.public_url nor one of portal.other_urls, so nobody \
             could be signed in there",
            "add its address to portal.other_urls, or set access = \"public\"; left out, it is the \
             host of portal.public_url",
        );
    }
}

/// Returns for whom the identity is: whom the route names, or its upstream.
fn audience(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
    upstream: Option<&str>,
) -> String {
    let given = route.audience.as_deref().or(upstream);
    if given.is_none() && route.is_permitted(context.file()) {
        let advice = "name the portal that the proxy in front hands the requests on to";
        context.required(&key(key!(Route: audience)), None::<&str>, advice);
    }
    given.unwrap_or_default().to_owned()
}

/// Returns the number of an upstream by its name.
fn number_of(
    context: &mut Context<'_>,
    key: &str,
    upstreams: &HashMap<String, usize>,
    name: Option<&str>,
) -> Option<usize> {
    let name = name?;
    let number = upstreams.get(name).copied();
    // That there is none at all is told once.
    if number.is_none() && !context.file().upstreams.is_empty() {
        let what = format!("there is no upstream named \"{name}\"");
        context.error(key, what, NAME_UPSTREAM);
    }
    number
}

/// Returns the number of a release; equal ones have the same.
fn release_number(releases: &mut Vec<Release>, release: &Release) -> usize {
    releases.iter().position(|other| other == release).unwrap_or_else(|| {
        releases.push(release.clone());
        releases.len() - 1
    })
}

/// Another portal without a route is a mistake, most likely.
fn check_others(context: &mut Context<'_>, portal: Option<&gateway::Settings>, routes: &[Route]) {
    for (index, other) in portal.iter().flat_map(|portal| &portal.others).enumerate() {
        if !routes.iter().any(|route| route.host == other.host) {
            let key = format!("portal.other_urls[{index}]");
            let what = format!("no route is for the host {}", other.host);
            context.warn(&key, what, "add a [[route]] with that host, or take the address out");
        }
    }
}

const NAME_UPSTREAM: &str = "give the name of an [[upstream]]";

/// A path prefix, canonical, without a slash at its end.
fn path(context: &mut Context<'_>, key: &str, text: &str) -> Option<String> {
    let path = paths::read(context, key, text)?;
    Some(if path == "/" { path } else { path.trim_end_matches('/').to_owned() })
}

fn algorithm(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::Es256 => Algorithm::Es256,
        TokenAlgorithm::EdDsa => Algorithm::EdDsa,
        TokenAlgorithm::Rs256 => Algorithm::Rs256,
    }
}

fn personal(claim: Claim) -> PersonalClaim {
    match claim {
        Claim::GivenName => PersonalClaim::GivenName,
        Claim::FamilyName => PersonalClaim::FamilyName,
        Claim::Birthdate => PersonalClaim::Birthdate,
        Claim::Pesel => PersonalClaim::Pesel,
    }
}
