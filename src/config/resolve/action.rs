//! What a `[[route]]` does with a request that may pass.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::context::Context;
use super::paths;
use crate::config::file;
use crate::gate::action::{Action, Bounds, Forward, HostHeader, MAX_FIXED_BODY, Redirect, Respond};
use crate::gate::header_rules::{Lines, MAX_RULES, Rules, Side};
use crate::gate::origins::Origins;
use crate::gate::protocols::{self, Protocols};
use crate::gate::rewrite::{self, Rewrite};
use crate::request::host::Host;

/// The full key of one of the route's keys.
type Key<'k> = &'k dyn Fn(&str) -> String;

/// Resolves what happens; `upstream` is the number of the route's upstream, if it names one that is
/// there.
pub(super) fn resolve(
    context: &mut Context<'_>,
    route: &file::Route,
    key: Key<'_>,
    upstream: Option<usize>,
) -> Option<Action> {
    let redirects = route.redirect.to.is_some();
    let responds = route.respond.status.is_some();
    if [redirects, responds, route.upstream.is_some()].iter().filter(|is| **is).count() > 1 {
        context.error(
            &key(key!(Route: upstream)),
            "does more than one of going on to an upstream, redirecting and responding",
            "keep one of upstream, redirect.to and respond.status",
        );
        return None;
    }
    if (redirects || responds) && goes_on_differently(route) {
        context.warn(
            &key(key!(Route: host_header)),
            "keys for requests that go on have no meaning on a route that answers itself",
            "leave out host_header, timeouts, max_body, upgrade and request_headers",
        );
    }
    if let Some(target) = &route.redirect.to {
        return match Redirect::parse(route.redirect.status, target) {
            Ok(redirect) => Some(Action::Redirect(redirect)),
            Err(error) => {
                let advice = "write it like \"https://new.example.gov.pl{path}?{query}\"";
                context.error(&key(key!(Route: redirect.to)), error.to_string(), advice);
                None
            }
        };
    }
    if let Some(status) = route.respond.status {
        return respond(context, status, &route.respond, key).map(Action::Respond);
    }
    if route.is_permitted(context.file()) {
        return permit(context, route, key);
    }
    let bounds = bounds(context, route, key);
    let host = host_header(context, route, key);
    let (upstream, host) = (upstream?, host?);
    let ignores_case = context.file().upstreams.get(upstream).is_some_and(|u| u.ignores_case);
    Some(Action::Forward(Forward { upstream, host, bounds, ignores_case }))
}

/// Resolves how the path changes.
pub(super) fn rewrite(
    context: &mut Context<'_>,
    route: &file::Route,
    key: Key<'_>,
    route_path: &str,
) -> Option<Rewrite> {
    let mut prefixes = [("strip_prefix", &route.strip_prefix), ("add_prefix", &route.add_prefix)]
        .map(|(name, prefix)| match prefix.as_deref().unwrap_or("") {
            "" => Some(String::new()),
            prefix => paths::read(context, &key(name), prefix),
        })
        .into_iter();
    let (strip, add) = (prefixes.next()??, prefixes.next()??);
    match Rewrite::new(route_path, &strip, &add) {
        Ok(rewrite) => Some(rewrite),
        Err(error @ rewrite::Error::NotOfTheRoute) => {
            let advice = "give the path of the route, or a beginning of it";
            context.error(&key(key!(Route: strip_prefix)), error.to_string(), advice);
            None
        }
        Err(error @ rewrite::Error::NotPlain) => {
            let advice = "write a plain path such as \"/app\"";
            context.error(&key(key!(Route: add_prefix)), error.to_string(), advice);
            None
        }
    }
}

/// Resolves the changes to the headers of one side.
pub(super) fn headers(
    context: &mut Context<'_>,
    side: Side,
    headers: &file::Headers,
    key: &str,
) -> Option<Rules> {
    let file::Headers { set, add, remove } = headers;
    if set.len() + add.len() + remove.len() > MAX_RULES {
        let what = format!("has more than {MAX_RULES} rules");
        context.error(key, what, "leave such work to the backend");
        return None;
    }
    match Rules::parse(side, Lines { set, add, remove }) {
        Ok(rules) => Some(rules),
        Err(errors) => {
            for (list, index, error) in errors {
                let advice = if list == "remove" {
                    "give the name of another header"
                } else {
                    "write it like \"X-Frame-Options: DENY\", with another header"
                };
                context.error(&format!("{key}.{list}[{index}]"), error.to_string(), advice);
            }
            None
        }
    }
}

/// Resolves the protocols that a connection may change to.
pub(super) fn upgrade(context: &mut Context<'_>, names: &[String], key: &str) -> Option<Protocols> {
    if names.len() > MAX_PROTOCOLS {
        let what = format!("has more than {MAX_PROTOCOLS} protocols");
        context.error(key, what, "name those that the portal speaks");
        return None;
    }
    match Protocols::parse(names) {
        Ok(protocols) => Some(protocols),
        Err(errors) => {
            for (index, error) in errors {
                let advice = match error {
                    protocols::Error::NoName => "write it like \"websocket\" or \"own/1\"",
                    protocols::Error::Http => {
                        "leave it out; HTTP/2 to the portal is protocol = \"http2\" of its upstream"
                    }
                };
                context.error(&format!("{key}[{index}]"), error.to_string(), advice);
            }
            None
        }
    }
}

/// The most protocols of a route.
const MAX_PROTOCOLS: usize = 16;

/// Resolves the other sites whose pages may have a connection change.
pub(super) fn upgrade_origins(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &str,
) -> Option<Origins> {
    let given = &route.upgrade_origins;
    if given.len() > MAX_ORIGINS {
        let what = format!("has more than {MAX_ORIGINS} origins");
        context.error(key, what, "name those whose pages open WebSockets of the portal");
        return None;
    }
    if route.access == file::Access::Public && !given.is_empty() {
        context.warn(
            key,
            "has no meaning on a public route, whose connections every page may open",
            "leave it out, or set access = \"optional\"",
        );
    }
    match Origins::parse(given) {
        Ok(origins) => Some(origins),
        Err(errors) => {
            for (index, error) in errors {
                let advice = "write it like \"https://app.example.gov.pl\", without a path";
                context.error(&format!("{key}[{index}]"), error.to_string(), advice);
            }
            None
        }
    }
}

/// The most origins of a route.
const MAX_ORIGINS: usize = 32;

/// The proxy in front hands the request on, so nothing can be changed about it here.
fn permit(context: &mut Context<'_>, route: &file::Route, key: Key<'_>) -> Option<Action> {
    let default = file::Route::default();
    for (name, is_given) in [
        (key!(Route: strip_prefix), route.strip_prefix.is_some()),
        (key!(Route: add_prefix), route.add_prefix.is_some()),
        (key!(Route: host_header), route.host_header != default.host_header),
        (key!(Route: response_timeout), route.response_timeout.is_some()),
        (key!(Route: idle_timeout), route.idle_timeout.is_some()),
        (key!(Route: max_body), route.max_body.is_some()),
        (key!(Route: outlives_session), route.outlives_session),
        (key!(Route: request_headers), route.request_headers != default.request_headers),
        (key!(Route: response_headers), route.response_headers != default.response_headers),
    ] {
        if is_given {
            context.error(
                &key(name),
                "is not for a route without upstream: the proxy in front hands its requests on",
                "leave it out and do it in that proxy, or name an upstream",
            );
        }
    }
    if !route.lenient_paths.is_empty() {
        context.error(
            &key(key!(Route: lenient_paths)),
            "is not for a route without upstream: the proxy in front may read such a path in \
             another way",
            "leave it out, or name an upstream and have the gateway hand these requests on",
        );
    }
    if !route.identity.contains(&file::IdentityForm::Assertion) {
        context.error(
            &key(key!(Route: identity)),
            "leaves out \"assertion\", without which no proxy in front gets a yes",
            "add \"assertion\"; some proxies let through what a client sent in place of what is \
             missing",
        );
    }
    if route.identity.contains(&file::IdentityForm::Signature) {
        context.error(
            &key(key!(Route: identity)),
            "has \"signature\", which is over the very request that goes on: the proxy in front \
             makes that one",
            "leave it out, or name an upstream",
        );
    }
    Some(Action::Permit)
}

fn goes_on_differently(route: &file::Route) -> bool {
    route.host_header != "preserve"
        || route.response_timeout.is_some()
        || route.idle_timeout.is_some()
        || route.max_body.is_some()
        || route.upgrade != file::Route::default().upgrade
        || route.request_headers != file::Headers::default()
}

fn respond(
    context: &mut Context<'_>,
    status: u16,
    respond: &file::Respond,
    key: Key<'_>,
) -> Option<Respond> {
    let advice = "give a status between 200 and 599";
    let given = StatusCode::from_u16(status).ok().filter(|_| (200..600).contains(&status));
    let Some(status) = given else {
        context.error(&key(key!(Route: respond.status)), "is no status of an answer", advice);
        return None;
    };
    // RFC 9110 15: these have no content.
    if matches!(status.as_u16(), 204 | 205 | 304) && !respond.body.is_empty() {
        context.error(
            &key(key!(Route: respond.body)),
            "has no place in such an answer",
            "leave it out",
        );
        return None;
    }
    if respond.body.len() > MAX_FIXED_BODY {
        let what = format!("is longer than {MAX_FIXED_BODY} bytes");
        context.error(&key(key!(Route: respond.body)), what, "serve it from an upstream");
        return None;
    }
    let content_type = HeaderValue::from_str(&respond.content_type).ok();
    let Some(content_type) = content_type.filter(|value| value.to_str().is_ok()) else {
        let advice = "write it like \"text/plain; charset=utf-8\"";
        context.error(&key(key!(Route: respond.content_type)), "is not the type of a text", advice);
        return None;
    };
    Some(Respond { status, content_type, body: Bytes::from(respond.body.clone()) })
}

fn bounds(context: &mut Context<'_>, route: &file::Route, key: Key<'_>) -> Bounds {
    for (name, time) in
        [("response_timeout", route.response_timeout), ("idle_timeout", route.idle_timeout)]
    {
        if time.is_some_and(|time| time.get().is_zero()) {
            context.error(&key(name), "is zero", "leave it out for that of the upstream");
        }
    }
    Bounds {
        response_timeout: route.response_timeout.map(file::HumanDuration::get),
        idle_timeout: route.idle_timeout.map(file::HumanDuration::get),
        max_body: route.max_body.map(file::HumanSize::bytes),
    }
}

/// Returns a host as it is sent. A port stays, because the scheme of the upstream is not known here.
fn canonical(host: &str) -> Option<HeaderValue> {
    let host = Host::parse(host.as_bytes(), host.ends_with(":80")).ok()?;
    Some(host.value().clone())
}

fn host_header(context: &mut Context<'_>, route: &file::Route, key: Key<'_>) -> Option<HostHeader> {
    match route.host_header.as_str() {
        "preserve" => Some(HostHeader::Preserve),
        "upstream" => Some(HostHeader::Upstream),
        // A name without a dot is most likely one of the two words, misspelled.
        name => match canonical(name) {
            Some(host) if name.contains(['.', ':']) || name == "localhost" => {
                Some(HostHeader::Fixed(host))
            }
            _ => {
                let advice =
                    "write \"preserve\", \"upstream\" or a name such as \"portal.internal\"";
                context.error(&key(key!(Route: host_header)), "is not a host", advice);
                None
            }
        },
    }
}
