//! The address of a portal.

use super::context::{Context, is_loopback};

/// Reads the address of a portal as citizens know it.
pub(super) fn read(context: &mut Context<'_>, key: &str, text: &str) -> Option<url::Url> {
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
