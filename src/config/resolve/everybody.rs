//! Lists of networks that hold every client, whether or not that was meant.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};

use super::context::{Context, is_loopback};
use crate::config::file::Network;

/// Warns of lists that hold most of the internet, and of those that hold this machine when every
/// client seems to come from it.
pub(super) fn check(context: &mut Context<'_>) {
    let file = context.file();
    let lists = [
        (key!(portal.maintenance_allow), &file.portal.maintenance_allow, "nobody is kept out"),
        (key!(limits.except), &file.limits.except, "no network is limited"),
        (
            key!(listen.trusted_proxies),
            &file.listen.trusted_proxies,
            "whoever connects is believed about address, scheme and host",
        ),
        (
            key!(listen.proxy_protocol_from),
            &file.listen.proxy_protocol_from,
            "whoever connects is believed about the address",
        ),
    ];
    for (key, networks, effect) in lists {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.get()).collect();
        if hold_most(&networks) {
            let what = format!("holds half of all addresses or more, so {effect}");
            context.warn(key, what, "name the networks that are meant, as narrow as they are");
        }
    }
    let Some((here, name)) = local_proxy(context) else { return };
    for (key, networks, effect) in &lists[..2] {
        if hold(networks, here) {
            let what = format!(
                "holds {here}, from which everybody seems to come who is handed on to {name}, so \
                 {effect}"
            );
            let advice = format!(
                "name {here} in listen.trusted_proxies, if the proxy in front says who the client is, \
                 or take it out"
            );
            context.warn(key, what, advice);
        }
    }
}

/// Where the clients of a proxy on this machine come from that is not believed, and the listener
/// that it hands them to. A portal on localhost has no proxy in front.
fn local_proxy(context: &Context<'_>) -> Option<(IpAddr, &'static str)> {
    let file = context.file();
    let url = url::Url::parse(file.portal.public_url.as_deref()?).ok()?;
    if is_loopback(&url) {
        return None;
    }
    let listen = &file.listen;
    let is_named = |here: IpAddr| hold(&listen.trusted_proxies, here);
    let tells = |here: IpAddr| is_named(here) || hold(&listen.proxy_protocol_from, here);
    let by_address = [(key!(listen.http), listen.http), (key!(listen.https), listen.https)]
        .into_iter()
        .filter_map(|(name, address)| Some((address?.ip(), name)))
        .find(|(here, _)| here.is_loopback() && !tells(*here));
    // A client of a unix socket counts as this machine, and can say otherwise only in a header.
    let here = IpAddr::from([127, 0, 0, 1]);
    let by_file = listen.unix.is_some() && !is_named(here);
    by_address.or(by_file.then_some((here, key!(listen.unix))))
}

fn hold(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.get().contains(&address))
}

/// Tells whether networks hold half of the addresses of IPv4, or of those of IPv6 that are in use
/// on the internet, however they are cut.
fn hold_most(networks: &[IpNet]) -> bool {
    let (mut old, mut new) = (0_u64, 0_u128);
    for network in IpNet::aggregate(&networks.to_vec()) {
        match network {
            IpNet::V4(network) => old += 1 << (32 - network.prefix_len()),
            IpNet::V6(network) if network.contains(&GLOBAL) => new += 1 << 125,
            IpNet::V6(network) if GLOBAL.contains(&network) => {
                new += 1 << (128 - network.prefix_len());
            }
            IpNet::V6(_) => {}
        }
    }
    old >= 1 << 31 || new >= 1 << 124
}

/// Global unicast (RFC 4291 2.4), as far as it is given out: 2000::/3.
const GLOBAL: Ipv6Net =
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    fn told(text: &str) -> String {
        let loaded = load_text("brama.toml", text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        check(&mut context);
        context.problems.to_string()
    }

    #[test]
    fn a_list_in_which_everybody_is_is_told_however_it_is_cut() {
        let lists = [
            ("portal", "maintenance_allow"),
            ("limits", "except"),
            ("listen", "trusted_proxies"),
            ("listen", "proxy_protocol_from"),
        ];
        for (section, key) in lists {
            for (networks, is_told) in [
                (&["0.0.0.0/0"][..], true),
                (&["0.0.0.0/1", "128.0.0.0/1"], true),
                (&["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/3"], true),
                (&["::/0"], true),
                (&["2000::/3"], true),
                (&["2000::/4", "3000::/4"], true),
                (&[], false),
                (&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"], false),
                (&["0.0.0.0/2", "64.0.0.0/3"], false),
                (&["2000::/5"], false),
                (&["127.0.0.1", "::1"], false),
            ] {
                let said = told(&format!("[{section}]\n{key} = {networks:?}\n"));
                let expected = format!("{section}.{key}: holds half of all addresses or more, so ");
                assert_eq!(said.contains(&expected), is_told, "{key} {networks:?}: {said}");
            }
        }
    }

    #[test]
    fn this_machine_is_everybody_behind_a_proxy_on_it_that_is_not_believed() {
        let portal = "[portal]\npublic_url = \"https://portal.example\"\n";
        let local = "[portal]\npublic_url = \"http://localhost:8080\"\n";
        let allow = "maintenance_allow = [\"127.0.0.0/8\"]\n";
        let except = "[limits]\nexcept = [\"127.0.0.1\"]\n";
        let http = "[listen]\nhttp = \"127.0.0.1:8080\"\n";
        let unix = "[listen]\nunix = \"/run/brama.sock\"\n";
        let trusted = "trusted_proxies = [\"127.0.0.1\"]\n";
        let protocol = "proxy_protocol_from = [\"127.0.0.1\"]\n";
        for (text, expected) in [
            ([portal, allow, http, ""], Some("portal.maintenance_allow: holds 127.0.0.1")),
            ([portal, allow, unix, ""], Some("who is handed on to listen.unix")),
            ([portal, allow, unix, protocol], Some("who is handed on to listen.unix")),
            ([portal, except, http, ""], Some("limits.except: holds 127.0.0.1")),
            ([portal, except, unix, ""], Some("so no network is limited")),
            ([portal, allow, http, trusted], None),
            ([portal, allow, http, protocol], None),
            ([portal, allow, unix, trusted], None),
            ([portal, allow, "[listen]\nhttps = \"0.0.0.0:443\"\n", ""], None),
            ([local, allow, http, ""], None),
            ([portal, "maintenance_allow = [\"10.0.0.0/8\"]\n", http, ""], None),
        ] {
            let said = told(&text.concat());
            match expected {
                Some(part) => assert!(said.contains(part), "{text:?}: {said}"),
                None => assert!(said.contains("0 errors, 0 warnings"), "{text:?}: {said}"),
            }
        }
    }
}
