//! nginx, and what is made of it (Angie, OpenResty): `auth_request`.
//!
//! A refusal leads to the gateway's listener for citizens, which decides the same and answers with
//! its page, a login or JSON: `auth_request` itself passes on nothing but a status.

use std::fmt::Write as _;

use http::HeaderName;

use super::endpoint::Endpoint;
use super::names::{OTHER_REQUEST, OTHER_WAY, shown};
use super::site::{Place, Site, Way};
use super::sketch::Sketch;

/// Writes the blocks that belong into `http { }`.
pub(super) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    let Sketch { ask, gateway, portal, .. } = sketch;
    let _ = write!(
        text,
        "upstream brama_decide {{\n    server {ask};\n    keepalive 32;\n}}\n\n\
         upstream brama {{\n    server {gateway};\n    keepalive 32;\n}}\n\n\
         upstream brama_portal {{\n    server {portal};\n    keepalive 32;\n}}\n\n\
         # No other protocol than WebSocket: \"Upgrade: h2c\" would open a way past the questions.\n\
         map $http_upgrade $brama_upgrade {{\n    default \"\";\n    ~*^websocket$ websocket;\n}}\n\
         map $brama_upgrade $brama_connection {{\n    default \"\";\n    websocket upgrade;\n}}\n"
    );
    for site in &sketch.sites {
        server(&mut text, sketch, site);
    }
    text
}

const HEAD: &str = "\
# nginx asks Brama about each request (auth_request). These blocks belong into http { }.
#
# What must stay as it is:
# - every location that leads to the portal has all lines of `location /`, or includes none of its
#   own proxy_set_header: one of them in an inner block cancels all that are inherited;
# - no `return` or `rewrite` in these locations: they answer before the question;
# - no `satisfy any`, no `proxy_cache` in `location = /brama-decide`, no error_page that makes 200 of an error;
# - underscores_in_headers and ignore_invalid_headers are as they are by default: X_Brama_Assertion
#   and X.Brama.Assertion are other names of one header to many portals;
# - public places are the gateway's to say (access = \"public\"), not a location without auth_request.

";

fn server(text: &mut String, sketch: &Sketch, site: &Site) {
    let Site { host, port, is_tls, .. } = site;
    let _ = writeln!(text, "\nserver {{");
    if *is_tls {
        let _ = write!(
            text,
            "    listen {port} ssl http2;\n    server_name {host};\n    \
             ssl_certificate /etc/nginx/tls/{host}.pem;\n    \
             ssl_certificate_key /etc/nginx/tls/{host}.key;\n"
        );
    } else {
        let _ = write!(text, "    listen {port};\n    server_name {host};\n");
    }
    let _ = write!(
        text,
        "    underscores_in_headers off;\n    ignore_invalid_headers on;\n    \
         client_max_body_size {};\n",
        sketch.max_body
    );
    for place in site.places() {
        for location in locations(&place) {
            match place.way {
                Way::Portal => to_portal(text, (sketch, site), &location),
                Way::Gateway => to_gateway(text, (sketch, site), &location),
            }
        }
    }
    decide(text, sketch, site);
    to_gateway(text, (sketch, site), "@brama");
    let _ = writeln!(text, "}}");
}

/// What nginx calls a place. It takes the longest of them.
fn locations(place: &Place<'_>) -> Vec<String> {
    match (place.path, place.is_exact) {
        ("/", false) => vec!["/".to_owned()],
        (path, true) => vec![format!("= {path}")],
        (path, false) if path.ends_with('/') => vec![format!("^~ {path}")],
        // Whole segments: `location /a` has /ab in it.
        (path, false) => vec![format!("= {path}"), format!("^~ {path}/")],
    }
}

fn to_portal(text: &mut String, (sketch, site): (&Sketch, &Site), location: &str) {
    let _ = write!(text, "\n    location {location} {{\n        auth_request /brama-decide;\n");
    for name in sketch.copied() {
        let (variable, field) = (variable(name), field(name));
        let _ = writeln!(text, "        auth_request_set ${variable} $upstream_http_{field};");
    }
    let _ = write!(
        text,
        "        # The gateway answers what may not pass: with a login, a page or JSON.\n        \
         error_page 401 403 = @brama;\n\n        proxy_pass http://brama_portal;\n{}",
        common(site)
    );
    for name in sketch.copied() {
        let _ = writeln!(text, "        proxy_set_header {} ${};", shown(name), variable(name));
    }
    for name in &sketch.cleared {
        let _ = writeln!(text, "        proxy_set_header {name} \"\";");
    }
    let _ = writeln!(text, "    }}");
}

/// What goes to the portal and to the gateway alike.
const COMMON: &str = "        proxy_http_version 1.1;
        # As it comes: nobody fills a disk before it is known who they are.
        proxy_request_buffering off;
        # No answer of a portal leads to another place than the one that was asked about.
        proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate
                             X-Accel-Charset X-Accel-Buffering;
        # $host is what nginx chose this block by; $http_host is what the client wrote.
        proxy_set_header Host HOST;
        proxy_set_header Upgrade $brama_upgrade;
        proxy_set_header Connection $brama_connection;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
";

/// Returns the lines for everything that goes on.
fn common(site: &Site) -> String {
    let mut text = COMMON.replace("HOST", &site.with_port("$host"));
    clear(&mut text, &[]);
    text
}

/// Takes away what a client could say of another request, but for what is written itself.
fn clear(text: &mut String, written: &[&str]) {
    text.push_str(
        "        # What is not written here is what the client wrote, and goes no further.\n",
    );
    let names = ["X-Forwarded-Host"].into_iter().chain(OTHER_REQUEST).chain(OTHER_WAY);
    for name in names.filter(|name| !written.contains(name)) {
        let _ = writeln!(text, "        proxy_set_header {name} \"\";");
    }
}

fn decide(text: &mut String, sketch: &Sketch, site: &Site) {
    let host = site.with_port("$host");
    let scheme = if sketch.asks_by_tls { "https" } else { "http" };
    let path = sketch.path;
    let _ = write!(
        text,
        "
    location = /brama-decide {{
        internal;
        proxy_pass {scheme}://brama_decide{path};
        proxy_http_version 1.1;
        proxy_set_header Connection \"\";
        # Without both of these a body is announced that does not come.
        proxy_pass_request_body off;
        proxy_set_header Content-Length \"\";
        proxy_set_header Transfer-Encoding \"\";
        proxy_set_header Host brama;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Original-URI $request_uri;
        proxy_set_header X-Original-Host {host};
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_buffer_size 16k;
        proxy_buffers 4 16k;
        proxy_connect_timeout 1s;
        proxy_read_timeout 5s;
"
    );
    clear(text, &["X-Original-Method", "X-Original-URI", "X-Original-Host"]);
    if sketch.asks_by_tls {
        let (Endpoint::Unix(name) | Endpoint::Port(name, _)) = Endpoint::read(&sketch.ask);
        verify(text, name);
        text.push_str(
            "        # When client_ca_file of the listener asks for a certificate.\n        \
             proxy_ssl_certificate /etc/nginx/tls/nginx.pem;\n        \
             proxy_ssl_certificate_key /etc/nginx/tls/nginx.key;\n",
        );
    }
    text.push_str("    }\n");
}

fn to_gateway(text: &mut String, (sketch, site): (&Sketch, &Site), location: &str) {
    let scheme = if sketch.gateway_by_tls { "https" } else { "http" };
    let _ = write!(
        text,
        "\n    location {location} {{\n        proxy_pass {scheme}://brama;\n{}",
        common(site)
    );
    if sketch.gateway_by_tls {
        verify(text, &site.host);
    }
    text.push_str("    }\n");
}

/// Has nginx check whom it speaks to, by the name in the certificate.
fn verify(text: &mut String, name: &str) {
    let _ = write!(
        text,
        "        proxy_ssl_verify on;\n        proxy_ssl_server_name on;\n        \
         proxy_ssl_name {name};\n        \
         proxy_ssl_trusted_certificate /etc/nginx/tls/brama-ca.pem;\n"
    );
}

/// The name of a variable that holds a field of the answer.
fn variable(name: &HeaderName) -> String {
    format!("brama_{}", field(name))
}

/// A name as nginx has it in variables.
fn field(name: &HeaderName) -> String {
    name.as_str().replace('-', "_")
}
