//! Upstreams that are ourselves: one of our listeners, or the operations port.
//!
//! Requests would go round in circles, or reach what is for operators only. Addresses of this
//! machine are known by number and as `localhost`; another name that leads here is not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use url::{Host, Url};

use super::key::Key;
use crate::config::file;
use crate::config::resolve::context::Context;

pub(super) fn check(context: &mut Context<'_>, key: &Key<'_>, upstream: &file::Upstream) {
    let one = upstream.url.iter().map(|url| (key(key!(Upstream: url)), url));
    let several = upstream.servers.iter().enumerate().filter_map(|(index, server)| {
        Some((key(&format!("servers[{index}].address")), server.address.as_ref()?))
    });
    for (key, address) in one.chain(several) {
        let Some(listener) = listener(context, address) else { continue };
        let what = if listener == key!(operations.listen) {
            "is operations.listen, so whoever may pass could read the numbers of the gateway, and end \
             sessions with its token"
                .to_owned()
        } else {
            format!("is {listener}, so requests would go round in circles")
        };
        context.error(&key, what, "give the address of the portal behind the gateway");
    }
}

/// Returns the listener of ours that an address leads to.
fn listener(context: &Context<'_>, address: &str) -> Option<&'static str> {
    let (listen, operations) = (&context.file().listen, context.file().operations.listen);
    if let Some(path) = address.strip_prefix("unix:") {
        let own = listen.unix.as_deref().map(|own| context.resolve(own));
        return (own.as_deref() == Some(Path::new(path))).then_some(key!(listen.unix));
    }
    let url = Url::parse(address).ok()?;
    let port = url.port_or_known_default()?;
    let hosts: &[IpAddr] = match url.host()? {
        Host::Ipv4(address) => &[IpAddr::from(address)],
        Host::Ipv6(address) => &[IpAddr::from(address).to_canonical()],
        Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => {
            &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
        }
        Host::Domain(_) => return None,
    };
    let own = [
        (key!(operations.listen), Some(operations)),
        (key!(listen.http), listen.http),
        (key!(listen.https), listen.https),
        (key!(listen.redirect), listen.redirect),
    ];
    let mut own = own.into_iter().filter_map(|(name, address)| Some((name, address?)));
    let leads = |own: SocketAddr| hosts.iter().any(|host| leads_to(*host, own.ip()));
    own.find(|(_, own)| own.port() == port && leads(*own)).map(|(name, _)| name)
}

/// Tells whether a client that connects to an address of this machine reaches a listener. To
/// connect to the unspecified address is to connect to this machine.
fn leads_to(host: IpAddr, listener: IpAddr) -> bool {
    let listener = listener.to_canonical();
    let is_here = host.is_loopback() || host.is_unspecified();
    let same_family = listener.is_ipv4() == host.is_ipv4() || listener.is_ipv6();
    host == listener
        || (listener.is_unspecified() && is_here && same_family)
        || (host.is_unspecified() && listener.is_loopback() && listener.is_ipv4() == host.is_ipv4())
}
