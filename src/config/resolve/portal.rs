//! `[portal]`.

use std::collections::BTreeSet;

use http::HeaderValue;

use crate::config::presets::preset;
use crate::config::resolve::context::Context;
use crate::config::resolve::{address, limits, others, outage, pages};
use crate::gate::policy::{Policy, Route};
use crate::gateway;
use crate::gateway::portal_cookies::{self, MOST_CLEARED};
use crate::request::cookie::Cookies;
use crate::request::networks::Networks;
use crate::request::path::canonical;
use crate::request::portal_cookie::PortalCookie;

pub(super) fn resolve(context: &mut Context<'_>) -> Option<gateway::Settings> {
    let file = &context.file().portal;
    let prefix = prefix(context);
    let acs_path = acs_path(context, prefix.as_deref());
    let maintenance = maintenance(context);
    let (limits, outage) = (limits::resolve(context), outage::resolve(context));
    let cookies = portal_cookies(context);
    let (appearance, returns) = pages::resolve(context);
    let text = context.required(
        key!(portal.public_url),
        file.public_url.as_deref(),
        "give the address that citizens open, such as \"https://portal.example.gov.pl\"",
    )?;
    let url = address::read(context, key!(portal.public_url), text)?;
    let secure = url.scheme() == "https";
    Some(gateway::Settings {
        portal_name: file.name.clone(),
        origin: url.origin().ascii_serialization(),
        others: others::resolve(context, &url),
        appearance,
        returns,
        language_place: format!("{}language", prefix.as_deref()?),
        prefix: prefix?,
        acs_path: acs_path?,
        test_environment: preset(context.file().node.environment)
            .and_then(|preset| preset.ribbon)
            .map(str::to_owned),
        cookies: if secure { Cookies::SECURE } else { Cookies::PLAIN },
        edge: gateway::settings::Edge {
            sends_forwarded: file.send_forwarded,
            ..gateway::settings::Edge::default()
        },
        maintenance,
        limits,
        outage,
        portal_cookies: cookies?,
        well_known: context.file().identity.well_known,
    })
}

/// Returns the hosts of the portal, each with the key that names it.
pub(super) fn hosts(
    portal: Option<&gateway::Settings>,
) -> impl Iterator<Item = (url::Host<String>, &'static str)> {
    let others = portal.into_iter().flat_map(|portal| &portal.others);
    let others = others.map(|other| (&other.origin, "other_urls"));
    let own = portal.map(|portal| (&portal.origin, "public_url"));
    own.into_iter()
        .chain(others)
        .filter_map(|(origin, name)| Some((url::Url::parse(origin).ok()?.host()?.to_owned(), name)))
}

fn maintenance(context: &mut Context<'_>) -> gateway::settings::Maintenance {
    let file = &context.file().portal;
    if file.maintenance {
        context.warn(
            key!(portal.maintenance),
            "the portal is closed to citizens",
            "set it to false when the work is done",
        );
    }
    let retry_after = HeaderValue::from(file.maintenance_retry_after.get().as_secs().max(1));
    let allow = file.maintenance_allow.iter().map(|network| network.get()).collect();
    gateway::settings::Maintenance { retry_after, allow: Networks::new(allow) }
}

/// The portal's cookies that go with the session.
fn portal_cookies(context: &mut Context<'_>) -> Option<Vec<PortalCookie>> {
    let key = key!(portal.clear_cookies_at_logout);
    let given = &context.file().portal.clear_cookies_at_logout;
    if given.len() > MOST_CLEARED {
        let what = format!("has more than {MOST_CLEARED} cookies");
        context.error(key, what, "name those of the portal's sessions");
        return None;
    }
    let mut cookies = Vec::new();
    for (index, text) in given.iter().enumerate() {
        match PortalCookie::parse(text) {
            Ok(cookie) => cookies.push(cookie),
            Err(error) => {
                let advice = "write it like \"JSESSIONID\" or \"JSESSIONID; Path=/app\"";
                context.error(&format!("{key}[{index}]"), error.to_string(), advice);
            }
        }
    }
    (cookies.len() == given.len()).then_some(cookies)
}

/// Checks that an answer has room for all of them, once the routes are known.
pub(super) fn check_cookies(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
    routes: &[Route],
) {
    let cookies = portal.map(|portal| &*portal.portal_cookies).unwrap_or_default();
    if cookies.is_empty() {
        return;
    }
    let policy = Policy::new(routes.to_vec());
    let named = cookies.iter().filter(|cookie| cookie.has_path()).count();
    let hosts: BTreeSet<&str> = routes.iter().map(|route| &*route.host).collect();
    for host in hosts {
        let paths = portal_cookies::paths(&policy, host).len();
        let count = named + (cookies.len() - named) * paths;
        if count > MOST_CLEARED {
            let what = format!(
                "takes {count} cookies away at {host}, one for each path of its routes, and an \
                 answer has room for {MOST_CLEARED}"
            );
            let advice = "say at which path each is set, such as \"JSESSIONID; Path=/app\"";
            context.error(key!(portal.clear_cookies_at_logout), what, advice);
            return;
        }
    }
}

fn prefix(context: &mut Context<'_>) -> Option<String> {
    let prefix = &context.file().portal.prefix;
    let fits = prefix.len() > 2
        && prefix.ends_with('/')
        && canonical(prefix).is_ok_and(|path| path == prefix.as_str());
    if !fits {
        context.error(
            key!(portal.prefix),
            "is not a path with a slash at its beginning and end",
            "write it like \"/.brama/\"",
        );
    }
    fits.then(|| prefix.clone())
}

fn acs_path(context: &mut Context<'_>, prefix: Option<&str>) -> Option<String> {
    let Some(path) = &context.file().portal.acs_path else {
        return prefix.map(|prefix| format!("{prefix}acs"));
    };
    let fits = canonical(path).is_ok_and(|same| same == path.as_str());
    if !fits {
        context.error(
            key!(portal.acs_path),
            "is not a plain path",
            "write it as it is registered with the operator, such as \"/login/acs\"",
        );
    }
    fits.then(|| path.clone())
}
