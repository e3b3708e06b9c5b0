//! How the servers of an upstream are asked how they are.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, StatusCode};

use super::key::Key;
use crate::config::file;
use crate::config::resolve::context::Context;
use crate::proxy::upstream::HealthCheck;

/// Resolves the checks: `Some(None)` without, `None` when something is wrong.
pub(super) fn resolve(
    context: &mut Context<'_>,
    key: &Key<'_>,
    health: &file::Health,
) -> Option<Option<HealthCheck>> {
    let of = |name: &str| key(&format!("health.{name}"));
    let Some(path) = &health.path else {
        if *health != file::Health::default() {
            let what = "is not used without health.path, which says what is asked for";
            context.warn(
                &key(key!(Upstream: health)),
                what,
                "give health.path, such as \"/health\"",
            );
        }
        return Some(None);
    };
    let mut is_good = true;
    let mut error = |name: &str, what: &str, advice: &str| {
        is_good = false;
        context.error(&of(name), what, advice);
    };
    let parsed = PathAndQuery::try_from(path.as_str());
    if !path.starts_with('/') || path.contains('#') || parsed.is_err() {
        error(key!(Health: path), "is not a path", "begin it with \"/\"");
    }
    // An authority, because HTTP/2 has it in place of the header.
    let is_host = |host: &&String| host.parse::<Authority>().is_ok() && !host.contains('@');
    let host = health.host.as_ref().filter(is_host);
    let host = host.and_then(|host| HeaderValue::try_from(host).ok());
    if host.is_none() && health.host.is_some() {
        error(key!(Health: host), "is not a host", "give a name, with a port if need be");
    }
    for (name, time) in
        [(key!(Health: interval), health.interval), (key!(Health: timeout), health.timeout)]
    {
        if time.get().is_zero() {
            error(name, "is zero", "leave it out for the default");
        }
    }
    if health.timeout > health.interval {
        let what = "is longer than health.interval, so questions would overtake each other";
        error(key!(Health: timeout), what, "give at most the interval");
    }
    for (name, number) in
        [(key!(Health: healthy), health.healthy), (key!(Health: unhealthy), health.unhealthy)]
    {
        if number == 0 {
            error(name, "is zero", "give 1 or more");
        }
    }
    let mut statuses = Vec::new();
    for (index, status) in health.statuses.iter().enumerate() {
        match StatusCode::from_u16(*status) {
            Ok(status) if (200..600).contains(&status.as_u16()) => statuses.push(status),
            _ => error(
                &format!("statuses[{index}]"),
                "is not the status of an answer",
                "give numbers from 200 to 599",
            ),
        }
    }
    is_good.then(|| {
        Some(HealthCheck {
            path: path.clone(),
            host,
            interval: health.interval.get(),
            timeout: health.timeout.get(),
            healthy: health.healthy,
            unhealthy: health.unhealthy,
            statuses,
        })
    })
}
