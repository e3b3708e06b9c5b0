//! Upstreams that lead back to the gateway: each request would come in again, until it is refused.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::context::Context;
use crate::gateway;
use crate::proxy::upstream::{ServerAddress, Settings};

/// Warns of upstreams at which the gateway itself listens, or that are the portal's own address.
pub(super) fn check(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
    upstreams: &[Settings],
) {
    let file = context.file();
    if upstreams.len() != file.upstreams.len() {
        return;
    }
    let unix = file.listen.unix.as_deref().map(|path| context.resolve(path));
    let own = own(context, portal, unix);
    for (index, upstream) in upstreams.iter().enumerate() {
        let found = upstream.servers.iter().find_map(|server| {
            let own = own.iter().find(|own| own.is(&server.address))?;
            Some((server.address.to_string(), own.name))
        });
        let Some((address, name)) = found else { continue };
        let is_one = file.upstreams[index].url.is_some();
        let key = format!("upstream[{index}].{}", if is_one { "url" } else { "servers" });
        context.warn(
            &key,
            format!("leads back to the gateway: {address} is {name}"),
            "give the address at which the portal itself listens; a request that comes back is \
             refused with 508",
        );
    }
}

/// Somewhere that leads to the gateway.
struct Own {
    name: &'static str,
    place: Place,
}

enum Place {
    Address(SocketAddr),
    Name(String, u16),
    Unix(PathBuf),
}

fn own(
    context: &Context<'_>,
    portal: Option<&gateway::Settings>,
    unix: Option<PathBuf>,
) -> Vec<Own> {
    let listen = &context.file().listen;
    let addresses = [
        (key!(listen.http), listen.http),
        (key!(listen.https), listen.https),
        (key!(listen.redirect), listen.redirect),
        (key!(operations.listen), Some(context.file().operations.listen)),
    ];
    let addresses = addresses.into_iter().filter_map(|(name, address)| {
        let address = address.filter(|address| address.port() != 0)?;
        Some(Own { name, place: Place::Address(address) })
    });
    let unix = unix.map(|path| Own { name: key!(listen.unix), place: Place::Unix(path) });
    let others = portal.iter().flat_map(|portal| &portal.others);
    let public = portal.map(|portal| (key!(portal.public_url), &portal.origin));
    let public = public.into_iter().chain(others.map(|o| (key!(portal.other_urls), &o.origin)));
    let public = public.filter_map(|(name, origin)| {
        let url = url::Url::parse(origin).ok()?;
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        // What loopback is called is known by the listeners.
        (host != "localhost").then_some(Own { name, place: Place::Name(host, port) })
    });
    addresses.chain(unix).chain(public).collect()
}

impl Own {
    fn is(&self, server: &ServerAddress) -> bool {
        match (&self.place, server) {
            (Place::Address(own), ServerAddress::Socket(server)) => {
                own.port() == server.port() && reaches(server.ip(), own.ip())
            }
            (Place::Address(own), ServerAddress::Name { host, port }) => {
                host == "localhost"
                    && own.port() == *port
                    && (own.ip().is_loopback() || own.ip().is_unspecified())
            }
            (Place::Name(host, port), ServerAddress::Name { host: server, port: at }) => {
                host == server && port == at
            }
            (Place::Name(host, port), ServerAddress::Socket(server)) => {
                *port == server.port() && host.parse() == Ok(server.ip())
            }
            (Place::Unix(own), ServerAddress::Unix(server)) => own == server,
            _ => false,
        }
    }
}

/// Tells whether a connection to an address comes to who listens at another. Which addresses the
/// machine has is not known here, so of a listener at all of them only loopback is told.
fn reaches(server: IpAddr, own: IpAddr) -> bool {
    let (server, own) = (server.to_canonical(), own.to_canonical());
    let is_near = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    server == own
        || own.is_unspecified() && is_near(server)
        || server.is_unspecified() && own.is_loopback()
}
