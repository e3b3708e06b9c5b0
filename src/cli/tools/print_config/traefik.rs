//! Traefik: `ForwardAuth`. Two files, because entry points belong to the one that is read at the
//! start and everything else to the one that may change.
//!
//! What reaches the question and the portal is the path as Traefik cleaned it, the same for both.

use std::fmt::Write as _;

use super::names::{OTHER_REQUEST, shown};
use super::site::{Place, Site, Way};
use super::sketch::{Error, Sketch};

/// Writes both files, each behind a line that names it.
///
/// # Errors
/// When an address is a unix socket, which Traefik does not know.
pub(super) fn text(sketch: &Sketch) -> Result<String, Error> {
    let unix = |instead| Error::Unix { proxy: "Traefik", instead };
    if sketch.ask.starts_with("unix:") {
        return Err(unix("give its [[companion]] a listen, or say --ask ADDRESS"));
    }
    if sketch.gateway.starts_with("unix:") {
        return Err(unix("give listen an http or https, and say --gateway ADDRESS"));
    }
    let mut text = String::from(HEAD);
    entry_points(&mut text, sketch);
    text.push_str(DYNAMIC);
    for site in &sketch.sites {
        routers(&mut text, site);
    }
    middlewares(&mut text, sketch);
    services(&mut text, sketch);
    certificates(&mut text, sketch);
    Ok(text)
}

const HEAD: &str = "\
# Traefik asks Brama about each request (ForwardAuth). These are two files; a line that begins with
# `# FILE` is the beginning of each. Needed is Traefik 3.7.12 or later.
#
# What must stay as it is:
# - aliasHeadersStrategy: X_Brama_Assertion and X.Brama.Assertion are other names of one header to many
#   portals;
# - no forwardedHeaders.insecure, and trustForwardHeader: false: a client could ask about another
#   request than it makes. In trustedIPs stands a balancer only when it overwrites each X-Forwarded-*;
# - no other router that leads to the portal, and every one has the three middlewares in this order;
# - no stripPrefix, replacePath or headers between them and the portal;
# - public places are the gateway's to say (access = \"public\"), not a router without brama-ask.

# FILE /etc/traefik/traefik.yml
providers:
  file:
    filename: /etc/traefik/brama.yml
global:
  checkNewVersion: false
  sendAnonymousUsage: false
entryPoints:
";

const DYNAMIC: &str = "
# FILE /etc/traefik/brama.yml
http:
  routers:
";

/// One for each port at which citizens come.
fn entry_points(text: &mut String, sketch: &Sketch) {
    let mut ports: Vec<u16> = sketch.sites.iter().map(|site| site.port).collect();
    ports.sort_unstable();
    ports.dedup();
    for port in ports {
        let _ = write!(
            text,
            "  brama-{port}:
    address: \":{port}\"
    forwardedHeaders:
      insecure: false
      trustedIPs: []
    http:
      # What two servers could read in two ways is refused or cleaned before anything else.
      aliasHeadersStrategy: delete
      sanitizePath: true
      encodedCharacters:
        allowEncodedSlash: false
        allowEncodedBackSlash: false
        allowEncodedNullCharacter: false
        allowEncodedSemicolon: false
        allowEncodedPercent: false
        allowEncodedQuestionMark: false
        allowEncodedHash: false
"
        );
    }
}

/// A router for each place, and where it leads to the portal one more for WebSocket.
fn routers(text: &mut String, site: &Site) {
    let places = site.places();
    for (at, place) in places.iter().rev().enumerate() {
        // Those that are higher are tried first.
        let priority = 1_000 + 10 * at;
        let name = format!("brama-{}-{at}", site.host.replace('.', "-"));
        let rule = format!("Host(`{}`){}", site.host, path(place));
        match place.way {
            Way::Gateway => router(text, site, &name, &rule, priority, TO_GATEWAY),
            Way::Portal => {
                router(text, site, &name, &rule, priority, TO_PORTAL);
                let rule = format!("{rule} && {WEBSOCKET}");
                let name = format!("{name}-websocket");
                router(text, site, &name, &rule, priority + 1, BY_WEBSOCKET);
            }
        }
    }
}

/// A handshake that the gateway sees as one: of it Traefik keeps `Upgrade` to itself.
const WEBSOCKET: &str =
    "HeaderRegexp(`Upgrade`, `(?i)^websocket$`) && HeaderRegexp(`Sec-WebSocket-Key`, `.`)";

/// Middlewares and service.
type Leads = (&'static str, &'static str);
const TO_GATEWAY: Leads = ("brama-clear", "brama-gateway");
const TO_PORTAL: Leads = ("brama-clear, brama-no-upgrade, brama-ask", "brama-portal");
const BY_WEBSOCKET: Leads = ("brama-clear, brama-websocket, brama-ask", "brama-portal");

fn path(place: &Place<'_>) -> String {
    match (place.path, place.is_exact) {
        ("/", false) => String::new(),
        (path, true) => format!(" && Path(`{path}`)"),
        (path, false) if path.ends_with('/') => format!(" && PathPrefix(`{path}`)"),
        // Whole segments: PathPrefix(`/a`) has /ab in it.
        (path, false) => format!(" && (Path(`{path}`) || PathPrefix(`{path}/`))"),
    }
}

fn router(
    text: &mut String,
    site: &Site,
    name: &str,
    rule: &str,
    priority: usize,
    (middlewares, service): Leads,
) {
    let tls = if site.is_tls { "      tls: {}\n" } else { "" };
    let port = site.port;
    let _ = write!(
        text,
        "    {name}:
      entryPoints: [brama-{port}]
      rule: \"{rule}\"
      priority: {priority}
      middlewares: [{middlewares}]
      service: {service}
{tls}"
    );
}

fn middlewares(text: &mut String, sketch: &Sketch) {
    text.push_str(
        "  middlewares:
    # What a client wrote of who it is, or of another request, goes no further.
    brama-clear:
      headers:
        customRequestHeaders:
",
    );
    let told: Vec<_> = sketch.told.iter().map(shown).collect();
    let names = sketch.cleared.iter().chain(&told).map(String::as_str);
    for name in OTHER_REQUEST.into_iter().chain(names) {
        // The question needs it, and puts its own in its place.
        if name != "Authorization" {
            let _ = writeln!(text, "          {name}: \"\"");
        }
    }
    let scheme = if sketch.asks_by_tls { "https" } else { "http" };
    let Sketch { ask, path, .. } = sketch;
    let _ = write!(
        text,
        "    # No other protocol than WebSocket: \"Upgrade: h2c\" would open a way past the questions.
    brama-no-upgrade:
      headers:
        customRequestHeaders:
          Upgrade: \"\"
    brama-websocket:
      headers:
        customRequestHeaders:
          Upgrade: websocket
    brama-ask:
      forwardAuth:
        address: \"{scheme}://{ask}{path}\"
        trustForwardHeader: false
        # Each of these takes the place of what a client sent.
        authResponseHeaders: [{}]
        preserveLocationHeader: true
        maxResponseBodySize: 1048576
",
        sketch.copied().map(shown).collect::<Vec<_>>().join(", ")
    );
    if sketch.asks_by_tls {
        text.push_str(
            "        tls:
          ca: /etc/traefik/tls/brama-ca.pem
          cert: /etc/traefik/tls/traefik.pem
          key: /etc/traefik/tls/traefik.key
",
        );
    }
}

fn services(text: &mut String, sketch: &Sketch) {
    let Sketch { portal, gateway, .. } = sketch;
    let (scheme, transport) = match sketch.gateway_by_tls {
        true => ("https", "        serversTransport: brama-gateway\n"),
        false => ("http", ""),
    };
    let _ = write!(
        text,
        "  services:
    brama-portal:
      loadBalancer:
        servers:
          - url: \"http://{portal}\"
    brama-gateway:
      loadBalancer:
{transport}        servers:
          - url: \"{scheme}://{gateway}\"
"
    );
    if let (true, Some(site)) = (sketch.gateway_by_tls, sketch.sites.first()) {
        let _ = write!(
            text,
            "  serversTransports:
    brama-gateway:
      serverName: {}
      rootCAs: [/etc/traefik/tls/brama-ca.pem]
",
            site.host
        );
    }
}

fn certificates(text: &mut String, sketch: &Sketch) {
    let mut sites = sketch.sites.iter().filter(|site| site.is_tls).peekable();
    if sites.peek().is_some() {
        text.push_str("tls:\n  certificates:\n");
    }
    for Site { host, .. } in sites {
        let _ = write!(
            text,
            "    - certFile: /etc/traefik/tls/{host}.pem
      keyFile: /etc/traefik/tls/{host}.key
"
        );
    }
}
