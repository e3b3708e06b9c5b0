//! Upstreams by the public name of the portal: most likely, what they are asked comes in again.
//!
//! Our own listeners are known by number, and an upstream at one of them is an error
//! ([`super::upstreams`]). What a public name leads to is for the name server to say, which may tell
//! us another address than browsers; so this is said as a doubt.

use super::context::Context;
use crate::gateway;
use crate::proxy::upstream::{ServerAddress, Settings};

/// Warns of upstreams that are the portal's public address.
pub(super) fn check(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
    upstreams: &[Settings],
) {
    let given = &context.file().upstreams;
    let Some(portal) = portal.filter(|_| upstreams.len() == given.len()) else { return };
    let others = portal.others.iter().map(|other| (key!(portal.other_urls), &other.origin));
    let public: Vec<_> = std::iter::once((key!(portal.public_url), &portal.origin))
        .chain(others)
        .filter_map(|(key, origin)| {
            let url = url::Url::parse(origin).ok()?;
            Some((key, url.host_str()?.to_owned(), url.port_or_known_default()?))
        })
        .collect();
    for (index, upstream) in upstreams.iter().enumerate() {
        let known = upstream.servers.iter().find_map(|server| {
            let ServerAddress::Name { host, port } = &server.address else { return None };
            public.iter().find(|(_, own, own_port)| own == host && own_port == port)
        });
        // On a laptop both are `localhost`, and the listeners are known.
        let Some((public, host, port)) = known.filter(|(_, host, _)| host != "localhost") else {
            continue;
        };
        let is_one = given[index].url.is_some();
        let key = format!("upstream[{index}].{}", if is_one { "url" } else { "servers" });
        context.warn(
            &key,
            format!(
                "is the address of {public}, {host}:{port}, which leads browsers to the gateway"
            ),
            "give the address at which the portal itself listens; a request that comes back is \
             refused with 508",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::base::clock::{Clock, SystemClock};
    use crate::config;
    use crate::config::load::load_text;

    /// What is said of an upstream at an address.
    fn told(address: &str) -> bool {
        let text = format!(
            "[portal]\npublic_url = \"https://portal.test\"\n\
             other_urls = [\"https://library.test:8443\"]\n\
             [[upstream]]\nname = \"up\"\n{address}\n"
        );
        let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
        let (_, problems) = config::resolve(loaded, SystemClock.now());
        problems.to_string().contains("which leads browsers to the gateway")
    }

    #[test]
    fn an_upstream_by_the_public_name_is_told_and_others_are_not() {
        for address in [
            "url = \"https://portal.test\"",
            "url = \"https://library.test:8443\"",
            "servers = [{ address = \"https://a.test\" }, { address = \"https://portal.test:443\" }]",
        ] {
            assert!(told(address), "{address}");
        }
        for address in [
            "url = \"http://portal.test\"",
            "url = \"https://portal.test:8443\"",
            "url = \"https://inner.portal.test\"",
            "url = \"http://127.0.0.1:3000\"",
            "url = \"unix:/run/portal.sock\"",
        ] {
            assert!(!told(address), "{address}");
        }
    }
}
