//! `[portal]`.

use ::http::HeaderValue;

use crate::config::presets::preset;
use crate::config::raise::context::{Context, is_loopback};
use crate::config::raise::{limits, others, outage};
use crate::http;
use crate::http::cookie::Cookies;
use crate::http::networks::Networks;

pub(super) fn raise(context: &mut Context<'_>) -> Option<http::Settings> {
    let file = &context.file().portal;
    let prefix = prefix(context);
    let acs_path = acs_path(context, prefix.as_deref());
    let maintenance = maintenance(context);
    let (limits, outage) = (limits::raise(context), outage::raise(context));
    let text = context.required(
        key!(portal.public_url),
        file.public_url.as_deref(),
        "give the address that citizens open, such as \"https://portal.example.gov.pl\"",
    )?;
    let url = address(context, key!(portal.public_url), text)?;
    let secure = url.scheme() == "https";
    Some(http::Settings {
        portal_name: file.name.clone(),
        origin: url.origin().ascii_serialization(),
        others: others::raise(context, &url),
        prefix: prefix?,
        acs_path: acs_path?,
        test_environment: preset(context.file().node.environment)
            .and_then(|preset| preset.ribbon)
            .map(str::to_owned),
        cookies: if secure { Cookies::SECURE } else { Cookies::PLAIN },
        edge: http::Edge { sends_forwarded: file.send_forwarded, ..http::Edge::default() },
        maintenance,
        limits,
        outage,
    })
}

/// Reads the address of a portal as citizens know it.
pub(super) fn address(context: &mut Context<'_>, key: &str, text: &str) -> Option<url::Url> {
    let url = match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => {
            context.error(
                key,
                "is not an address of a web server",
                "give scheme and host, such as \"https://portal.example.gov.pl\"",
            );
            return None;
        }
    };
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || url.username() != ""
    {
        context.error(
            key,
            "holds more than scheme, host and port",
            "leave out everything after the host",
        );
    }
    if url.host_str().is_some_and(|host| host.ends_with('.')) {
        context.error(
            key,
            "has a dot at the end of its host, and the host of no request is taken to have one",
            "leave the dot out",
        );
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        context.error(
            key,
            "begins with http://, so session cookies would cross the network in the clear",
            "use https://; http:// is for localhost only",
        );
    }
    Some(url)
}

fn maintenance(context: &mut Context<'_>) -> http::Maintenance {
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
    http::Maintenance { retry_after, allow: Networks::new(allow) }
}

fn prefix(context: &mut Context<'_>) -> Option<String> {
    let prefix = &context.file().portal.prefix;
    let fits = prefix.len() > 2
        && prefix.ends_with('/')
        && http::path::canonical(prefix).is_ok_and(|path| path == prefix.as_str());
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
    let fits = http::path::canonical(path).is_ok_and(|canonical| canonical == path.as_str());
    if !fits {
        context.error(
            key!(portal.acs_path),
            "is not a plain path",
            "write it as it is registered with the operator, such as \"/login/acs\"",
        );
    }
    fits.then(|| path.clone())
}
