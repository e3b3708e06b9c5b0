//! `[[upstream]]`.

use std::collections::HashMap;

use ::http::uri::{Authority, Scheme};

use super::context::{Context, is_loopback};
use crate::proxy;

/// Raises the upstreams, and the number of each by its name.
pub(super) fn raise(context: &mut Context<'_>) -> (HashMap<String, usize>, Vec<proxy::Settings>) {
    let mut names = HashMap::new();
    let mut settings = Vec::new();
    let advice = "add an [[upstream]] with the name and address of the portal";
    let given = &context.file().upstreams;
    context.required("upstream", (!given.is_empty()).then_some(given), advice);
    for (index, upstream) in given.iter().enumerate() {
        let key = |name: &str| format!("upstream[{index}].{name}");
        let advice = "give it a name that routes can refer to";
        let name = context.required(&key("name"), upstream.name.as_deref(), advice);
        let advice = "give the address of the portal, such as \"http://127.0.0.1:3000\"";
        let url = context.required(&key("url"), upstream.url.as_deref(), advice);
        // A name that is known keeps its routes from being reported as well.
        let address = url.and_then(|url| address(context, &key("url"), url));
        let Some(name) = name else { continue };
        if names.insert(name.to_owned(), index).is_some() {
            let what = format!("there is another upstream named \"{name}\"");
            context.error(&key("name"), what, "give each upstream a name of its own");
        }
        for (name, time) in [
            ("connect_timeout", upstream.connect_timeout),
            ("response_timeout", upstream.response_timeout),
        ] {
            if time.get().is_zero() {
                context.error(&key(name), "is zero", "leave it out for the default");
            }
        }
        let Some((scheme, authority)) = address else {
            continue;
        };
        settings.push(proxy::Settings {
            name: name.to_owned(),
            scheme,
            authority,
            connect_timeout: upstream.connect_timeout.get(),
            response_timeout: upstream.response_timeout.get(),
        });
    }
    (names, settings)
}

fn address(context: &mut Context<'_>, key: &str, text: &str) -> Option<(Scheme, Authority)> {
    let parsed = url::Url::parse(text).ok().filter(url::Url::has_host);
    let Some(url) = parsed else {
        context.error(key, "is not an address", "begin it with http:// or https://");
        return None;
    };
    let scheme = match url.scheme() {
        "http" => Scheme::HTTP,
        "https" => Scheme::HTTPS,
        _ => {
            context.error(key, "is not http:// or https://", "correct the scheme");
            return None;
        }
    };
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        context.error(key, "holds more than scheme, host and port", "leave out the path");
        return None;
    }
    if scheme == Scheme::HTTP && !is_loopback(&url) {
        context.warn(
            key,
            "identities and answers cross the network to the upstream in the clear",
            "use https://, or make sure that the network between is yours alone",
        );
    }
    let authority = url.authority().parse().ok()?;
    Some((scheme, authority))
}
