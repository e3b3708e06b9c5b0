//! Apache httpd asks nobody: it stands before the gateway as a proxy, and the gateway hands on.

use std::fmt::Write as _;

use super::endpoint::Endpoint;
use super::site::Site;
use super::sketch::Sketch;

/// Writes virtual hosts.
pub(super) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    for site in &sketch.sites {
        virtual_host(&mut text, sketch, site);
    }
    text
}

const HEAD: &str = "\
# Apache httpd stands before Brama as a proxy, and Brama hands on to the portal: routes have an upstream.
#
#     a2enmod headers http2 proxy proxy_http rewrite ssl
#
# There is no recipe by which Apache asks and hands on itself, because none is sound:
# - nothing in it asks for another server's leave. mod_authnz_fcgi takes an answer without a status for
#   a yes, and knows a user, not a signed identity. mod_lua would do by a script, with a connection
#   and a program of its own for each request;
# - what the portal gets is not what was asked about. ProxyPass cleans paths (/a/../b, %61), with
#   nocanon all but some of them (//a);
# - a client's Connection: X-Brama-Assertion takes the identity away behind every rule;
# - X_Brama_Assertion and X.Brama.Assertion are names of their own here, and one to many portals.
# The gateway reads each request itself, and writes the identity behind Apache.

";

fn virtual_host(text: &mut String, sketch: &Sketch, site: &Site) {
    let Site { host, port, is_tls, .. } = site;
    if ![80, 443].contains(port) {
        let _ = writeln!(text, "# In ports.conf: Listen {port}");
    }
    let _ =
        writeln!(text, "<VirtualHost *:{port}>\n    ServerName {}://{host}:{port}", site.scheme());
    text.push_str(match is_tls {
        true => "    Protocols h2 http/1.1\n    SSLEngine on\n",
        false => "    Protocols h2c http/1.1\n    H2Upgrade off\n",
    });
    if *is_tls {
        let _ = write!(
            text,
            "    SSLCertificateFile /etc/apache2/tls/{host}.pem\n    \
             SSLCertificateKeyFile /etc/apache2/tls/{host}.key\n"
        );
    }
    text.push_str(&RULES.replace("SCHEME", site.scheme()));
    if sketch.gateway_by_tls {
        text.push_str(
            "    SSLProxyEngine on\n    SSLProxyVerify require\n    \
             SSLProxyCACertificateFile /etc/ssl/certs/ca-certificates.crt\n",
        );
    }
    let _ = write!(
        text,
        "    # nocanon: the gateway reads the path that the client wrote.\n    \
         ProxyPass / {}/ nocanon upgrade=websocket\n</VirtualHost>\n\n",
        gateway(sketch)
    );
}

const RULES: &str = r#"
    ProxyRequests Off
    # The gateway decides by the host that the client wrote.
    ProxyPreserveHost On
    TraceEnable off
    AllowEncodedSlashes NoDecode
    MergeSlashes Off
    RewriteEngine On
    # A client names none of the headers below as its connection's own: that would take them away.
    RewriteCond %{HTTP:Connection} "!^\s*((close|keep-alive|upgrade|te)\s*(,\s*|$))*$" [NC]
    RewriteRule ^ - [R=400,L]
    # Paths with two slashes in front, and whole addresses, are changed on the way.
    RewriteCond %{THE_REQUEST} "^\S+\s+(//|[A-Za-z][A-Za-z0-9+.-]*:)"
    RewriteRule ^ - [R=400,L]
    # Apache writes X-Forwarded-For and X-Forwarded-Host itself, behind what it finds. Early, so that
    # they are gone before.
    RequestHeader unset X-Forwarded-For   early
    RequestHeader unset X-Forwarded-Host  early
    RequestHeader unset X-Forwarded-Server early
    RequestHeader unset Forwarded         early
    RequestHeader unset X-Request-Id      early
    RequestHeader set   X-Forwarded-Proto SCHEME
"#;

fn gateway(sketch: &Sketch) -> String {
    let scheme = if sketch.gateway_by_tls { "https" } else { "http" };
    match Endpoint::read(&sketch.gateway) {
        Endpoint::Unix(path) => format!("unix:{path}|{scheme}://localhost"),
        Endpoint::Port(host, port) if host.contains(':') => format!("{scheme}://[{host}]:{port}"),
        Endpoint::Port(host, port) => format!("{scheme}://{host}:{port}"),
    }
}
