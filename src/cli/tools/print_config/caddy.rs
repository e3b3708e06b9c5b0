//! Caddy: `forward_auth`. Paths go to the question and to the portal as the client wrote them.

use std::fmt::Write as _;

use super::names::{OTHER_REQUEST, OTHER_WAY, shown};
use super::site::{Place, Site, Way};
use super::sketch::Sketch;

/// Writes sites of a Caddyfile, and what they have in common.
pub(super) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    clear(&mut text, sketch);
    ask(&mut text, sketch);
    for one in &sketch.sites {
        site(&mut text, sketch, one);
    }
    text
}

const HEAD: &str = "\
# Caddy asks Brama about each request (forward_auth). Needed is Caddy 2.11.4 or later.
#
# What must stay as it is:
# - all lines of a site in `route`, in this order: without it Caddy sorts them, and what clears
#   headers would take the identity away that was just told;
# - no `respond`, `redir`, `rewrite`, `handle_path` or `uri` before the question, and no path behind
#   forward_auth: Caddy and portals read paths in different ways;
# - no trusted_proxies that let a client write X-Forwarded-*, no allow_underscore_in_headers;
# - public places are the gateway's to say (access = \"public\"), not a handle without brama-ask.

";

/// What no name of a header has, but letters, digits and `-`: CGI, WSGI and PHP make one variable of
/// `X-Brama-Assertion` and `X~Brama~Assertion` (RFC 9110 5.6.2 lists what a name may have).
const NEVER_IN_NAMES: &str = "_.~!#$%&'*+^|";

fn clear(text: &mut String, sketch: &Sketch) {
    text.push_str(
        "(brama-clear) {
	# No other protocol than WebSocket: \"Upgrade: h2c\" would open a way past the questions. And what a
	# client names in Connection goes no further, the identity too.
	@brama-websocket {
		header_regexp Upgrade (?i)^websocket$
		header Sec-WebSocket-Key *
	}
	@brama-plain not {
		header_regexp Upgrade (?i)^websocket$
		header Sec-WebSocket-Key *
	}
	request_header @brama-plain -Upgrade
	request_header @brama-plain -Connection
	request_header @brama-websocket Upgrade websocket
	request_header @brama-websocket Connection Upgrade
	# Names that are other names of one header to many portals.
",
    );
    for sign in NEVER_IN_NAMES.chars() {
        let _ = writeln!(text, "\trequest_header -*{sign}*");
    }
    text.push_str("\trequest_header \"-*`*\"\n");
    text.push_str(
        "\t# What a client wrote of who it is, or of another request, goes no further.\n",
    );
    let told = sketch.told.iter().map(shown);
    let cleared = sketch.cleared.iter().cloned().chain(told);
    let other = OTHER_REQUEST.into_iter().chain(OTHER_WAY).map(str::to_owned);
    for name in other.chain(cleared) {
        // The question needs it, and puts its own in its place.
        if name != "Authorization" {
            let _ = writeln!(text, "\trequest_header -{name}");
        }
    }
    text.push_str("}\n\n");
}

fn ask(text: &mut String, sketch: &Sketch) {
    let Sketch { path, portal, .. } = sketch;
    let told: Vec<_> = sketch.copied().map(shown).collect();
    let ask = to(&sketch.ask, sketch.asks_by_tls);
    let told = told.join(" ");
    let tls = match sketch.asks_by_tls {
        true => {
            "\t\t\ttls_trust_pool file /etc/caddy/tls/brama-ca.pem
\t\t\ttls_client_auth /etc/caddy/tls/caddy.pem /etc/caddy/tls/caddy.key\n"
        }
        false => "",
    };
    let _ = write!(
        text,
        "(brama-ask) {{
	forward_auth {ask} {{
		# With the question mark: without it the client's query stands behind this path.
		uri {path}?
		header_up -Upgrade
		header_up -Connection
		copy_headers {told}
		transport http {{
			dial_timeout 1s
			response_header_timeout 5s
{tls}		}}
	}}
	# A yes has a signed identity, of a citizen or of nobody.
	@brama-unsaid not header X-Brama-Assertion *
	respond @brama-unsaid 503
	reverse_proxy {portal}
}}
"
    );
}

fn site(text: &mut String, sketch: &Sketch, site: &Site) {
    let Site { host, port, is_tls, .. } = site;
    let scheme = site.scheme();
    let _ = writeln!(text, "\n{scheme}://{host}:{port} {{");
    if *is_tls {
        let _ = write!(
            text,
            "\t# Without this line Caddy gets a certificate by itself.
\ttls /etc/caddy/tls/{host}.pem /etc/caddy/tls/{host}.key\n"
        );
    }
    text.push_str(
        "\troute {\n\t\timport brama-clear\n\t\t@brama-odd method CONNECT TRACE\n\
         \t\trespond @brama-odd 405\n",
    );
    for (at, place) in site.places().iter().enumerate() {
        let matcher = matcher(text, at, place);
        let _ = writeln!(text, "\t\thandle{matcher} {{");
        match place.way {
            Way::Portal => text.push_str("\t\t\timport brama-ask\n"),
            Way::Gateway => gateway(text, sketch, host),
        }
        text.push_str("\t\t}\n");
    }
    text.push_str("\t}\n}\n");
}

/// Writes what says that a path is in a place, and returns what names it.
fn matcher(text: &mut String, at: usize, place: &Place<'_>) -> String {
    let paths = match (place.path, place.is_exact) {
        ("/", false) => return String::new(),
        (path, true) => path.to_owned(),
        (path, false) if path.ends_with('/') => format!("{path}*"),
        (path, false) => format!("{path} {path}/*"),
    };
    let _ = writeln!(text, "\t\t@brama-place-{at} path {paths}");
    format!(" @brama-place-{at}")
}

fn gateway(text: &mut String, sketch: &Sketch, host: &str) {
    let gateway = to(&sketch.gateway, sketch.gateway_by_tls);
    if sketch.gateway_by_tls {
        let _ = write!(
            text,
            "\t\t\treverse_proxy {gateway} {{
\t\t\t\ttransport http {{
\t\t\t\t\ttls_server_name {host}
\t\t\t\t\ttls_trust_pool file /etc/caddy/tls/brama-ca.pem
\t\t\t\t}}
\t\t\t}}\n"
        );
    } else {
        let _ = writeln!(text, "\t\t\treverse_proxy {gateway}");
    }
}

/// An address as Caddy has it.
fn to(address: &str, by_tls: bool) -> String {
    match address.strip_prefix("unix:") {
        Some(path) => format!("unix/{path}"),
        None if by_tls => format!("https://{address}"),
        None => address.to_owned(),
    }
}
