//! `[[upstream]]`.

mod health;
mod key;
mod own;
mod servers;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::HashMap;

use self::key::{Key, protocol};
use super::context::Context;
use crate::config::file;
use crate::proxy::upstream::{Limits, Passive, Pool, Settings, Timeouts};

/// Resolves the upstreams, and the number of each by its name.
pub(super) fn resolve(context: &mut Context<'_>) -> (HashMap<String, usize>, Vec<Settings>) {
    let mut names = HashMap::new();
    let mut settings = Vec::new();
    let advice = "add an [[upstream]] with the name and address of the portal";
    let given = &context.file().upstreams;
    // Routes that are answered here need none, nor those that a proxy in front asks about.
    let whole = context.file();
    let needs_one = |route: &file::Route| !route.is_answered_here() && !route.is_permitted(whole);
    if whole.routes.iter().any(needs_one) {
        context.required("upstream", (!given.is_empty()).then_some(given), advice);
    }
    for (index, upstream) in given.iter().enumerate() {
        let key = |name: &str| format!("upstream[{index}].{name}");
        let advice = "give it a name that routes can refer to";
        let name = context.required(&key("name"), upstream.name.as_deref(), advice);
        // Each part is resolved before any is demanded, so that each reports its problems.
        let servers = servers::resolve(context, &key, upstream);
        let encrypted = servers.as_ref().is_some_and(servers::Servers::is_encrypted);
        let tls = tls::resolve(context, &key, upstream, encrypted);
        let health = health::resolve(context, &key, &upstream.health);
        check_times_and_numbers(context, &key, upstream);
        own::check(context, &key, upstream);
        // A name that is known keeps its routes from being reported as well.
        let Some(name) = name else { continue };
        if names.insert(name.to_owned(), index).is_some() {
            let what = format!("there is another upstream named \"{name}\"");
            context.error(&key("name"), what, "give each upstream a name of its own");
        }
        let (Some(servers), Some(tls), Some(health)) = (servers, tls, health) else { continue };
        settings.push(Settings {
            name: name.to_owned(),
            servers: servers.into_settings(),
            tls,
            protocol: protocol(upstream.protocol),
            timeouts: Timeouts {
                connect: upstream.connect_timeout.get(),
                response: upstream.response_timeout.get(),
                idle: upstream.idle_timeout.get(),
            },
            pool: Pool {
                keep_alive: upstream.keep_alive.get(),
                max_idle: upstream.max_idle_connections,
            },
            limits: Limits {
                max_requests: upstream.max_requests,
                max_pending: upstream.max_pending,
                max_requests_per_client: upstream.max_requests_per_client,
                pending_timeout: upstream.pending_timeout.get(),
            },
            passive: Passive {
                max_fails: upstream.max_fails,
                fail_timeout: upstream.fail_timeout.get(),
            },
            health,
            slow_start: upstream.slow_start.get(),
            dns_refresh: upstream.dns_refresh.get(),
        });
    }
    (names, settings)
}

fn check_times_and_numbers(context: &mut Context<'_>, key: &Key<'_>, upstream: &file::Upstream) {
    for (name, time) in [
        (key!(Upstream: connect_timeout), upstream.connect_timeout),
        (key!(Upstream: response_timeout), upstream.response_timeout),
        (key!(Upstream: idle_timeout), upstream.idle_timeout),
        (key!(Upstream: keep_alive), upstream.keep_alive),
        (key!(Upstream: pending_timeout), upstream.pending_timeout),
        (key!(Upstream: fail_timeout), upstream.fail_timeout),
        (key!(Upstream: dns_refresh), upstream.dns_refresh),
    ] {
        if time.get().is_zero() {
            context.error(&key(name), "is zero", "leave it out for the default");
        }
    }
    if upstream.max_requests == 0 {
        let what = "is zero, so no request could be handed on";
        context.error(&key("max_requests"), what, "leave it out for the default");
    }
}
