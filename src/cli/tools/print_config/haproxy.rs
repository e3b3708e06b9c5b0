//! `HAProxy`: an action in Lua that asks ([`LUA`]), and the rules around it.
//!
//! A request that may not pass goes to the gateway's listener for citizens, which decides the same
//! and answers with its page, a login or JSON.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::endpoint::Endpoint;
use super::names::{FAMILIES, SINGLE, told_otherwise};
use super::site::{Place, Site, Way};
use super::sketch::Sketch;

/// The action.
pub(super) const LUA: &str = include_str!("../../../../deploy/haproxy/brama.lua");

/// Writes a configuration that `HAProxy` starts with.
pub(super) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    for ((port, is_tls), sites) in sketch.ports() {
        frontend(&mut text, sketch, (port, is_tls), &sites);
    }
    let gateway = server(&sketch.gateway);
    let by_tls = match sketch.gateway_by_tls {
        true => " ssl verify required ca-file @system-ca sni req.hdr(host),field(1,:)",
        false => "",
    };
    let _ = write!(
        text,
        "\nbackend brama\n    server gateway {gateway}{by_tls}\n\n\
         backend brama_portal\n    server portal {}\n",
        server(&sketch.portal)
    );
    if sketch.asks_by_tls {
        hop(&mut text, sketch);
    }
    text
}

/// Writes the way by which it asks with TLS.
fn hop(text: &mut String, sketch: &Sketch) {
    let (known, remark) = match Endpoint::read(&sketch.ask) {
        Endpoint::Port(host, _) if host.parse::<IpAddr>().is_err() => {
            (format!(" sni str({host}) verifyhost {host}"), "")
        }
        _ => (
            String::new(),
            "# HAProxy compares no address with a certificate: let the authority have issued none but \
             those of\n# gateways, or ask by a name (--ask).\n",
        ),
    };
    let _ = write!(
        text,
        "\n# The client in Lua shows no certificate, so that it asks through this. Every program of this\n\
         # machine can, so let none run here that may not ask. The file of the certificate has its key too.\n\
         {remark}listen brama_decide\n    bind {}\n    server decide {} ssl verify required ca-file \
         /etc/haproxy/tls/brama-ca.pem crt /etc/haproxy/tls/haproxy.pem{known}\n",
        hop_name(sketch),
        server(&sketch.ask)
    );
}

/// Where the action asks when the question goes on by TLS: a name that is no file, which is found
/// from a changed root too. The whole machine has but one of each name, and of a port as well.
fn hop_name(sketch: &Sketch) -> String {
    let port = sketch.sites.first().map_or(0, |site| site.port);
    format!("abns@brama_decide_{port}")
}

const HEAD: &str = "\
# HAProxy asks Brama about each request, by an action in Lua. For HAProxy 2.6 and later, built with Lua.
#
#     brama print-config haproxy --lua > /etc/haproxy/brama.lua
#
# What must stay as it is:
# - a request goes to the portal by one rule alone: the use_backend with txn.brama_allowed. No other
#   rule leads there, and no rule stands behind the question that changes path, host or method;
# - public places are the gateway's to say (access = \"public\"), not a use_backend of their own;
# - the rules of 1: two lines of Host or Cookie are read in two ways, and trailers reach a portal past
#   every rule. So a body has a Content-Length. From 3.2 on, `option http-drop-request-trailers` may
#   stand in place of the two acl and the line with 411;
# - option http-restrict-req-hdr-names and the del-header of 2: X_Brama_Assertion and
#   X.Brama.Assertion are other names of one header to many portals.
#
# A file of a certificate, HOST.pem, has the chain and then the private key.
#
# Not by SPOE: under nearly every rule it lets a request pass when no answer comes, as when the agent is
# gone, slow, or what it is told does not fit into a frame, which a client brings about with a long
# cookie. HAProxy 3.1 has rewritten it besides. The action here is a no unless it is a yes.

global
    lua-load-per-thread /etc/haproxy/brama.lua
    # An identity has to fit in beside what the client sends; what does not fit is refused.
    tune.bufsize 32768
    tune.maxrewrite 8192

defaults
    mode http
    option http-restrict-req-hdr-names delete
    retries 1
    timeout connect 2s
    timeout http-request 10s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
";

fn frontend(text: &mut String, sketch: &Sketch, (port, is_tls): (u16, bool), sites: &[&Site]) {
    let _ = write!(text, "\nfrontend citizens_{port}\n    bind :{port}");
    if is_tls {
        text.push_str(" ssl");
        for Site { host, .. } in sites {
            let _ = write!(text, " crt /etc/haproxy/tls/{host}.pem");
        }
        text.push_str(" alpn h2,http/1.1");
    }
    let _ = write!(text, "\n{ONE_READING}");
    for (number, site) in sites.iter().enumerate() {
        let Site { host, port, .. } = site;
        let _ =
            writeln!(text, "    acl site_{number} req.fhdr(host) -i -m str {host} {host}:{port}");
    }
    let known: Vec<_> = (0..sites.len()).map(|number| format!("site_{number}")).collect();
    let _ = writeln!(text, "    http-request deny deny_status 404 unless {}", known.join(" || "));
    for (number, site) in sites.iter().enumerate() {
        let _ = writeln!(
            text,
            "    http-request set-header Host {} if site_{number}",
            site.authority()
        );
    }
    taken_away(text, sketch, if is_tls { "https" } else { "http" });
    text.push_str(
        "\n    # 3. Who answers: the gateway, or the portal when the gateway says so.\n    \
         http-request set-var(txn.place) str(gateway)\n",
    );
    for (number, site) in sites.iter().enumerate() {
        places(text, number, site);
    }
    let told: Vec<_> = sketch.copied().map(http::HeaderName::as_str).collect();
    let _ = write!(
        text,
        "    http-request lua.brama {} {} {} if {{ var(txn.place) -m str portal }}
    # Who did not answer the question would keep the citizen waiting too.
    http-request deny deny_status 503 if {{ var(txn.brama_silent) -m bool }}
    use_backend brama_portal if {{ var(txn.place) -m str portal }} {{ var(txn.brama_allowed) -m bool }} \
         {{ req.hdr(x-brama-assertion) -m found }}
    # The gateway answers what may not pass: with a login, a page or JSON.
    default_backend brama\n",
        where_to_ask(sketch),
        sketch.path,
        told.join(",")
    );
}

const ONE_READING: &str = "
    # 1. One reading of each request, here, at the gateway and at the portal.
    http-request deny deny_status 400 if { req.fhdr_cnt(host) gt 1 } || { req.fhdr_cnt(cookie) gt 1 }
    http-request deny deny_status 400 unless { path_beg / }
    http-request set-uri %[pathq]
    acl has_length req.hdr(content-length) -m found
    acl is_head_only internal.htx_blk.type(tail) -m str HTX_BLK_EOH
    http-request return status 411 content-type text/plain string \"Content-Length is needed\" \
unless has_length || { internal.htx.has_eom } is_head_only
";

/// Writes which headers of a client go no further.
fn taken_away(text: &mut String, sketch: &Sketch, scheme: &str) {
    text.push_str(
        "
    # 2. What a client says of itself, in whatever spelling. x-brama-background is said by pages.
    http-request del-header [^a-zA-Z0-9-] -m reg
    http-request del-header ^x-brama-(?!background$) -m reg
",
    );
    for family in FAMILIES {
        let _ = writeln!(text, "    http-request del-header {family} -m beg");
    }
    for name in SINGLE.into_iter().chain(told_otherwise(&sketch.told).map(http::HeaderName::as_str))
    {
        let _ = writeln!(text, "    http-request del-header {name}");
    }
    let _ = write!(
        text,
        "    # What Connection names is a client's to take away. No other protocol than WebSocket.
    http-request set-var(txn.upgrade) str(websocket) if {{ req.fhdr(upgrade) -i -m str websocket }} \
        {{ req.hdr(sec-websocket-version) -m found }}
    http-request del-header Connection
    http-request del-header Upgrade
    http-request del-header HTTP2-Settings
    http-request set-header Upgrade websocket if {{ var(txn.upgrade) -m found }}
    http-request set-header Connection Upgrade if {{ var(txn.upgrade) -m found }}
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto {scheme}\n"
    );
}

/// Writes who answers below which path. What is set last counts.
fn places(text: &mut String, number: usize, site: &Site) {
    for (at, Place { path, is_exact, way }) in site.places().into_iter().rev().enumerate() {
        let acl = format!("place_{number}_{at}");
        let beginning = format!("path_beg {}/", quoted(path.trim_end_matches('/')));
        let whole = format!("path -m str {}", quoted(path));
        let lines = match path {
            _ if is_exact => vec![whole],
            path if path.ends_with('/') => vec![beginning],
            _ => vec![beginning, whole],
        };
        for line in lines {
            let _ = writeln!(text, "    acl {acl} {line}");
        }
        let who = match way {
            Way::Portal => "portal",
            Way::Gateway => "gateway",
        };
        let _ =
            writeln!(text, "    http-request set-var(txn.place) str({who}) if site_{number} {acl}");
    }
}

/// Returns where the action asks.
fn where_to_ask(sketch: &Sketch) -> String {
    if sketch.asks_by_tls {
        return hop_name(sketch);
    }
    match Endpoint::read(&sketch.ask) {
        Endpoint::Unix(path) => format!("unix@{}", quoted(path)),
        Endpoint::Port(..) => format!("http://{}", sketch.ask),
    }
}

/// Writes an address of a server.
fn server(address: &str) -> String {
    match Endpoint::read(address) {
        Endpoint::Unix(path) => format!("unix@{}", quoted(path)),
        Endpoint::Port(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        Endpoint::Port(host, port) => format!("{host}:{port}"),
    }
}

/// Writes a text as one word of a configuration.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._~-:".contains(c);
    let escaped = text.chars().flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain([c]));
    escaped.collect()
}
