//! Where the servers of an upstream are: `url`, or `servers`.

use std::net::SocketAddr;

use url::{Host, Url};

use super::key::Key;
use crate::config::file;
use crate::config::resolve::context::{Context, is_loopback};
use crate::proxy::upstream::{MAX_WEIGHT, ServerAddress, ServerSettings};

/// The servers of one upstream, one at least, all spoken to alike.
pub(super) struct Servers(Vec<(Way, ServerSettings)>);

/// How a server is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Clear,
    Encrypted,
}

impl Servers {
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.iter().any(|(way, _)| *way == Way::Encrypted)
    }

    pub(super) fn into_settings(self) -> Vec<ServerSettings> {
        self.0.into_iter().map(|(_, server)| server).collect()
    }
}

pub(super) fn resolve(
    context: &mut Context<'_>,
    key: &Key<'_>,
    upstream: &file::Upstream,
) -> Option<Servers> {
    if upstream.servers.is_empty() {
        let advice = "give the address of the portal, such as \"http://127.0.0.1:3000\"";
        let url = context.required(&key(key!(Upstream: url)), upstream.url.as_deref(), advice)?;
        let (way, address) = address(context, &key(key!(Upstream: url)), url)?;
        return Some(Servers(vec![(way, address.into())]));
    }
    if upstream.url.is_some() {
        let advice = "give either url or servers; url is short for one server";
        context.error(&key(key!(Upstream: url)), "is given besides servers", advice);
    }
    let mut found: Vec<(Way, ServerSettings)> = Vec::new();
    for (index, server) in upstream.servers.iter().enumerate() {
        let of_server = |name: &str| key(&format!("servers[{index}].{name}"));
        let (address_key, weight_key) = (of_server("address"), of_server("weight"));
        let weight = server.weight;
        if weight == 0 || weight > MAX_WEIGHT {
            let what = format!("is not between 1 and {MAX_WEIGHT}");
            context.error(&weight_key, what, "leave the server out if it is to get nothing");
        }
        let advice = "give the address of the server, such as \"http://10.0.0.1:3000\"";
        let text = context.required(&address_key, server.address.as_deref(), advice);
        let Some((way, address)) = text.and_then(|text| address(context, &address_key, text))
        else {
            continue;
        };
        if found.iter().any(|(_, other)| other.address == address) {
            let what = "is the address of another server too";
            context.error(&address_key, what, "give it once, with the weight that it should have");
        }
        if found.first().is_some_and(|(first, _)| *first != way) {
            context.error(
                &address_key,
                "is with TLS where the first server is without, or the other way round",
                "give all servers of an upstream http:// or unix:, or all https://",
            );
        }
        found.push((way, ServerSettings { address, weight }));
    }
    (found.len() == upstream.servers.len()).then_some(Servers(found))
}

fn address(context: &mut Context<'_>, key: &str, text: &str) -> Option<(Way, ServerAddress)> {
    if let Some(path) = text.strip_prefix("unix:") {
        if !path.starts_with('/') || path.starts_with("//") {
            context.error(
                key,
                "is not the path of a socket",
                "write it like unix:/run/portal.sock",
            );
            return None;
        }
        return Some((Way::Clear, ServerAddress::Unix(path.into())));
    }
    let Some(url) = Url::parse(text).ok().filter(Url::has_host) else {
        context.error(key, "is not an address", "begin it with http://, https:// or unix:");
        return None;
    };
    let way = match url.scheme() {
        "http" => Way::Clear,
        "https" => Way::Encrypted,
        _ => {
            context.error(key, "is not http:// or https://", "correct the scheme");
            return None;
        }
    };
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        context.error(key, "holds more than scheme, host and port", "leave out the path");
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        context.error(key, "holds a user name or a password", "leave them out; they are not used");
        return None;
    }
    if way == Way::Clear && !is_loopback(&url) {
        context.warn(
            key,
            "identities and answers cross the network to the upstream in the clear",
            "use https://, or make sure that the network between is yours alone",
        );
    }
    let port = url.port_or_known_default()?;
    if port == 0 {
        context.error(key, "has port 0, where nobody listens", "give the port of the server");
        return None;
    }
    let address = match url.host()? {
        Host::Domain(host) => ServerAddress::Name { host: host.to_owned(), port },
        Host::Ipv4(address) => ServerAddress::Socket(SocketAddr::from((address, port))),
        Host::Ipv6(address) => ServerAddress::Socket(SocketAddr::from((address, port))),
    };
    Some((way, address))
}
