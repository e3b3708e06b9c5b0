//! `[[companion]]`: listeners at which other proxies ask.

use super::context::Context;
use super::listen::{networks, unix_socket};
use crate::app::inventory::Use;
use crate::app::settings::{Companion, CompanionTls};
use crate::base::rights;
use crate::companion::Askers;
use crate::companion::front::Front;
use crate::config::file;
use crate::gate::action::Action;
use crate::gate::policy::Route;
use crate::request::networks::Networks;
use crate::server::listener::Socket;
use crate::server::tls;

/// The full key of one of the block's keys.
type Key<'k> = &'k dyn Fn(&str) -> String;

pub(super) fn resolve(context: &mut Context<'_>) -> Vec<Companion> {
    let given = &context.file().companion;
    let mut companions: Vec<Companion> = Vec::new();
    for (index, companion) in given.iter().enumerate() {
        let key = |name: &str| format!("companion[{index}].{name}");
        let advice = "name the kind of proxy that asks, such as \"nginx\"";
        let proxy =
            context.required(&key(key!(Companion: proxy)), companion.proxy.as_ref(), advice);
        let front = proxy.map(|proxy| Front::from(*proxy));
        let socket = socket(context, companion, &key);
        let tls = tls(context, companion, &key);
        let (Some(front), Some(socket), Some(tls)) = (front, socket, tls) else { continue };
        if companions.iter().any(|other| other.front == front) {
            let what = format!("there is a listener for {} already", front.name());
            let advice = "give each kind of proxy one listener, which several of that kind can ask";
            context.error(&key(key!(Companion: proxy)), what, advice);
            continue;
        }
        let askers = askers(context, companion, &key, tls.as_ref());
        companions.push(Companion { front, socket, askers, tls });
    }
    companions
}

/// Looks at what the proxies that ask will be told of the routes.
pub(super) fn check(context: &mut Context<'_>, routes: &[Route]) {
    let file = context.file();
    if file.companion.is_empty() || routes.len() != file.routes.len() {
        return;
    }
    let permitted = |route: &&Route| matches!(route.action, Action::Permit);
    if !routes.iter().any(|route| permitted(&route)) {
        context.warn(
            key!(companion),
            "no route is for the proxies that ask here, so they are told no for everything",
            "add a [[route]] with audience and without upstream",
        );
        return;
    }
    if file.listen.trusted_proxies.is_empty() && file.listen.unix.is_none() {
        context.warn(
            key!(listen.trusted_proxies),
            "is empty, though citizens come to our own places through the proxies that ask: all of \
             them would have the proxy's address",
            "name the networks of these proxies",
        );
    }
    for (index, route) in routes.iter().enumerate() {
        let is_shared = routes.iter().filter(permitted).any(|other| other.host == route.host);
        if is_shared && matches!(route.action, Action::Forward(_)) {
            context.warn(
                &format!("route[{index}].{}", key!(Route: upstream)),
                "the gateway hands these requests on itself, and a proxy that asks about one is told \
                 no (request.misdirected)",
                "have the proxy send them to the gateway's listener for citizens, as brama \
                 print-config does, or leave upstream out",
            );
        }
    }
}

fn socket(context: &mut Context<'_>, companion: &file::Companion, key: Key<'_>) -> Option<Socket> {
    match (companion.listen, companion.unix.as_deref()) {
        (Some(address), None) => Some(address.into()),
        (None, Some(path)) => {
            let keys = (&*key(key!(Companion: unix)), &*key(key!(Companion: unix_mode)));
            unix_socket(context, keys, path, &companion.unix_mode)
        }
        _ => {
            context.error(
                &key(key!(Companion: listen)),
                "names no place to ask at, or two",
                "give one of listen, such as \"127.0.0.1:9080\", and unix",
            );
            None
        }
    }
}

/// Who may ask. Without networks or certificates it is this machine.
fn askers(
    context: &mut Context<'_>,
    companion: &file::Companion,
    key: Key<'_>,
    tls: Option<&CompanionTls>,
) -> Askers {
    let name = key(key!(Companion: trusted));
    let asks_by_certificate = tls.is_some_and(|tls| tls.authorities.is_some());
    let Some(address) = companion.listen else {
        if !companion.trusted.is_empty() {
            let advice = "leave it out; unix_mode says who may connect";
            context.warn(&name, "has no meaning for a unix socket", advice);
        }
        return Askers::WhoeverReachesIt;
    };
    let trusted = networks(context, &name, &companion.trusted);
    if trusted.is_empty() && asks_by_certificate {
        return Askers::WhoeverReachesIt;
    }
    if trusted.is_empty() && !address.ip().is_loopback() {
        context.error(
            &name,
            "is not given, so nobody could ask at this address but this machine",
            "name the networks of the proxies, or give client_ca_file, or listen on loopback",
        );
    }
    if !trusted.is_empty() && tls.is_none() && !address.ip().is_loopback() {
        context.warn(
            &key(key!(Companion: certificate)),
            "cookies of citizens and signed identities go over the network in plain",
            "give certificate and key, or listen on loopback or at a unix socket",
        );
    }
    let this_machine = ["127.0.0.0/8", "::1/128"].into_iter().filter_map(|text| text.parse().ok());
    Askers::Networks(Networks::new(match trusted.is_empty() {
        true => this_machine.collect(),
        false => trusted,
    }))
}

/// Resolves how TLS is spoken, `Some(None)` without it.
fn tls(
    context: &mut Context<'_>,
    companion: &file::Companion,
    key: Key<'_>,
) -> Option<Option<CompanionTls>> {
    let (certificate, private) = (companion.certificate.as_deref(), companion.key.as_deref());
    if certificate.is_none() && private.is_none() {
        if companion.client_ca_file.is_some() {
            context.error(
                &key(key!(Companion: client_ca_file)),
                "has no meaning without TLS",
                "give certificate and key of the listener",
            );
            return None;
        }
        return Some(None);
    }
    let advice = "name a PEM file; TLS needs certificate and key";
    let certificate = context.required(&key(key!(Companion: certificate)), certificate, advice);
    let private = context.required(&key(key!(Companion: key)), private, advice);
    let (certificate, private) = (certificate?, private?);
    context.forbid(&key(key!(Companion: key)), private, rights::of_secret);
    let name = key(key!(Companion: certificate));
    let certificates = context.listener_certificate(&name, certificate, private)?;
    let authorities = match companion.client_ca_file.as_deref() {
        None => None,
        Some(path) => {
            let name = key(key!(Companion: client_ca_file));
            let bytes = context.read(&name, path)?;
            if let Err(error) = tls::client_authorities(&bytes) {
                let advice = "give the certificates of the authorities in a PEM file";
                context.error(&name, error.to_string(), advice);
                return None;
            }
            context.note_all(Use::CompanionCa, &name, path, &bytes);
            Some(bytes)
        }
    };
    Some(Some(CompanionTls { certificates, authorities }))
}

#[cfg(test)]
mod tests {
    use crate::base::clock::{Clock, SystemClock};
    use crate::config;
    use crate::config::load::load_text;

    const ROUTE: &str = "[[route]]\npath = \"/\"\naudience = \"tax\"\n";
    const DOOR: &str = "[[companion]]\nproxy = \"nginx\"\nlisten = \"127.0.0.1:9080\"\n";

    /// All that is said of a configuration.
    fn said(text: &str) -> String {
        let text = format!(
            "[portal]\npublic_url = \"https://portal.test\"\n[listen]\nhttp = \"127.0.0.1:8080\"\n\
             {text}"
        );
        let (_, problems) = config::resolve(
            load_text("test.toml", &text, std::iter::empty()).unwrap(),
            SystemClock.now(),
        );
        problems.to_string()
    }

    #[test]
    fn a_listener_says_who_asks_and_where_and_who_may() {
        for (door, expected) in [
            ("listen = \"127.0.0.1:1\"", "companion[0].proxy: is missing"),
            ("proxy = \"nginx\"", "companion[0].listen: names no place to ask at, or two"),
            (
                "proxy = \"nginx\"\nlisten = \"127.0.0.1:1\"\nunix = \"a\"",
                "companion[0].listen: names no place to ask at, or two",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"0.0.0.0:1\"",
                "companion[0].trusted: is not given, so nobody could ask",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"0.0.0.0:1\"\ntrusted = [\"10.0.0.0/8\"]",
                "companion[0].certificate: cookies of citizens and signed identities go over",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"0.0.0.0:1\"\ntrusted = [\"0.0.0.0/0\"]",
                "companion[0].trusted[0]: 0.0.0.0/0 is everybody",
            ),
            (
                "proxy = \"nginx\"\nunix = \"a\"\ntrusted = [\"10.0.0.0/8\"]",
                "companion[0].trusted: has no meaning for a unix socket",
            ),
            (
                "proxy = \"nginx\"\nunix = \"a\"\nunix_mode = \"rw\"",
                "companion[0].unix_mode: \"rw\" is no mode of a file",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"127.0.0.1:8080\"",
                "companion[0].listen: 127.0.0.1:8080 is taken by listen.http",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"127.0.0.1:1\"\nclient_ca_file = \"ca.pem\"",
                "companion[0].client_ca_file: has no meaning without TLS",
            ),
            (
                "proxy = \"nginx\"\nlisten = \"127.0.0.1:1\"\ncertificate = \"a.pem\"",
                "companion[0].key: is missing",
            ),
        ] {
            let said = said(&format!("[[companion]]\n{door}\n{ROUTE}"));
            assert!(said.contains(expected), "{door}: {said}");
        }
        assert!(!said(&format!("{DOOR}{ROUTE}")).contains("companion"));
        let twice = said(&format!("{DOOR}{}{ROUTE}", DOOR.replace("9080", "9081")));
        assert!(twice.contains("companion[1].proxy: there is a listener for nginx already"));
    }

    #[test]
    fn a_route_for_a_proxy_that_asks_has_nothing_that_only_the_gateway_could_do() {
        for (line, expected) in [
            ("strip_prefix = \"/\"", "route[0].strip_prefix: is not for a route without upstream"),
            ("max_body = \"1 MiB\"", "route[0].max_body: is not for a route without upstream"),
            (
                "request_headers = { remove = [\"X-A\"] }",
                "route[0].request_headers: is not for a route without upstream",
            ),
            (
                "lenient_paths = [\"encoded_slash\"]",
                "route[0].lenient_paths: is not for a route without upstream",
            ),
            ("identity = [\"headers\"]", "route[0].identity: leaves out \"assertion\""),
            ("identity = [\"assertion\", \"signature\"]", "route[0].identity: has \"signature\""),
        ] {
            let said = said(&format!("{DOOR}{ROUTE}{line}\n"));
            assert!(said.contains(expected), "{line}: {said}");
        }
        let nameless = said(&format!("{DOOR}[[route]]\npath = \"/\"\n"));
        assert!(nameless.contains("route[0].audience: is missing"), "{nameless}");
        // Without a listener a route goes on to an upstream, as ever.
        assert!(said(ROUTE).contains("route[0].upstream: is missing"));
    }

    #[test]
    fn routes_that_the_gateway_hands_on_itself_are_told() {
        let upstream = "[[upstream]]\nname = \"app\"\nurl = \"http://127.0.0.1:9\"\n";
        let own = "[[route]]\npath = \"/forms\"\nupstream = \"app\"\n";
        let both = said(&format!("{DOOR}{upstream}{ROUTE}{own}"));
        assert!(both.contains("route[1].upstream: the gateway hands these requests on"), "{both}");
        let alone = said(&format!("{DOOR}{upstream}{own}"));
        assert!(alone.contains("companion: no route is for the proxies that ask"), "{alone}");
        assert!(both.contains("listen.trusted_proxies: is empty"), "{both}");
    }
}
