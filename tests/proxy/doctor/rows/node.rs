//! Faults between this machine and the node.

use std::net::UdpSocket;

use super::local::quoted;
use super::row;
use crate::doctor::Row;
use crate::doctor::case::Case;
use crate::doctor::world::World;

const NOTHING: &[&str] = &[];

pub(super) fn rows() -> Vec<Row> {
    [names(), connections(), certificates(), answers(), others()].into_iter().flatten().collect()
}

/// Has a name lead to these addresses.
fn hosts(world: &World, case: &mut Case, addresses: &[&str]) {
    let lines = addresses.iter().map(|address| format!("{address} node.test\n"));
    let text = format!("127.0.0.1 localhost\n{}", lines.collect::<String>());
    let file = case.file("hosts", &text);
    let port = world.sites.at("node-named").port();
    case.node(world, &format!("https://node.test:{port}/resolve"));
    case.in_mounts(&format!("mount --bind {} /etc/hosts", file.display()));
}

fn names() -> Vec<Row> {
    vec![
        row(
            "a name that nobody has",
            &["node.dns"],
            NOTHING,
            "cannot be resolved",
            |world, case| {
                case.node(world, "https://wezel.invalid/resolve");
            },
        ),
        row(
            "a name server that says nothing",
            &["node.dns"],
            NOTHING,
            "wezel.test",
            |world, case| {
                let Ok(socket) = UdpSocket::bind("127.0.0.53:53") else {
                    return case.missing("this user cannot have port 53");
                };
                case.held.push(Box::new(socket));
                let file = case.file("resolv.conf", "nameserver 127.0.0.53\noptions timeout:30\n");
                case.node(world, "https://wezel.test/resolve");
                case.in_mounts(&format!("mount --bind {} /etc/resolv.conf", file.display()));
            },
        ),
        row(
            "one of two addresses takes no connections",
            NOTHING,
            &["node.tcp"],
            "127.0.0.9",
            |world, case| hosts(world, case, &["127.0.0.1", "127.0.0.9"]),
        ),
        row(
            "an address of IPv6 that leads nowhere",
            NOTHING,
            &["node.tcp"],
            "[2001:db8::9]",
            |world, case| hosts(world, case, &["127.0.0.1", "2001:db8::9"]),
        ),
        row(
            "IPv6 alone, which leads nowhere",
            &["node.tcp"],
            NOTHING,
            "[2001:db8::9]",
            |world, case| hosts(world, case, &["2001:db8::9"]),
        ),
    ]
}

fn connections() -> Vec<Row> {
    vec![
        row("a closed port", &["node.tcp"], NOTHING, "refused", |world, case| {
            case.node(world, &format!("https://{}/resolve", world.closed));
        }),
        row("a port that says nothing", &["node.tls"], NOTHING, "no TLS within", |world, case| {
            case.node(world, &format!("https://{}/resolve", world.silent));
        }),
        row("a port without TLS", &["node.tls"], NOTHING, "does not speak TLS", |world, case| {
            case.node(world, &world.node("node-without-tls"));
        }),
        row("TLS of another time", &["node.tls"], NOTHING, "at least TLS 1.2", |world, case| {
            case.node(world, &world.node("node-old-tls"));
        }),
    ]
}

fn certificates() -> Vec<Row> {
    vec![
        row(
            "an authority that is not known",
            &["node.tls"],
            NOTHING,
            "not known",
            |world, case| {
                case.set("extra_ca_file", &quoted(&world.strangers.join("ca.crt.pem")));
            },
        ),
        row("the node's server has ended", &["node.tls"], NOTHING, "has ended", |world, case| {
            case.node(world, &world.node("node-ended"));
        }),
        row("the node's server ends soon", NOTHING, &["node.tls"], "ends on", |world, case| {
            case.node(world, &world.node("node-soon"));
        }),
        row("a server of another name", &["node.tls"], NOTHING, "another name", |world, case| {
            case.node(world, &world.node("node-other-name"));
        }),
        row("no client certificate", &["node.client"], NOTHING, "none is configured", |_, case| {
            case.without("client_certificate").without("client_key");
        }),
        row(
            "a stranger's client certificate",
            &["node.client"],
            NOTHING,
            "refuses",
            |world, case| {
                let file = |name: &str| quoted(&world.strangers.join(name));
                case.set("client_certificate", &file("service-tls-client.crt.pem"));
                case.set("client_key", &file("service-tls-client.key.pem"));
            },
        ),
        row(
            "a page that refuses the client certificate",
            &["node.client"],
            NOTHING,
            "HTTP 400",
            |world, case| {
                case.node(world, &world.node("node-page-of-certificates"));
            },
        ),
    ]
}

fn answers() -> Vec<Row> {
    fn at(world: &World, case: &mut Case, site: &str) {
        case.node(world, &world.node(site));
    }
    vec![
        row("no such path at the node", &["node.soap"], NOTHING, "404", |world, case| {
            at(world, case, "node-404");
        }),
        row("the node forbids it", &["node.soap"], NOTHING, "403", |world, case| {
            at(world, case, "node-403");
        }),
        row("the node is down", &["node.soap"], NOTHING, "503", |world, case| {
            at(world, case, "node-503");
        }),
        row("a page instead of SOAP", &["node.soap"], NOTHING, "answer", |world, case| {
            at(world, case, "node-page");
        }),
        row("an empty answer", &["node.soap"], NOTHING, "answer", |world, case| {
            at(world, case, "node-empty");
        }),
        row(
            "an answer that is packed",
            &["node.soap"],
            NOTHING,
            "Content-Encoding",
            |world, case| {
                at(world, case, "node-coded");
            },
        ),
        row("the node is too slow", &["node.soap"], NOTHING, "within", |world, case| {
            at(world, case, "node-slow");
        }),
        row("the node cuts connections", &["node.soap"], NOTHING, "reached", |world, case| {
            at(world, case, "node-cuts");
        }),
        row("a SOAP fault", &["node.request"], NOTHING, "a SOAP fault", |world, case| {
            at(world, case, "node-fault");
        }),
        row("another issuer", &["node.issuer"], NOTHING, "inny.example", |_, case| {
            case.set("node.issuer", "\"inny.example\"");
        }),
        row(
            "a certificate of another node is pinned",
            &["node.signature"],
            NOTHING,
            "",
            |world, case| {
                let path = world.strangers.join("node-signing.crt.pem");
                case.set("certificates", &format!("[{}]", quoted(&path)));
            },
        ),
        row(
            "a service that is not registered",
            &["node.request", "public.login"],
            NOTHING,
            "Requester",
            |_, case| {
                case.set("service.issuer", "\"ktos.inny.example\"");
            },
        ),
        row(
            "a key that is not registered",
            &["node.request"],
            NOTHING,
            "Requester",
            |world, case| {
                let file = |name: &str| quoted(&world.strangers.join(name));
                case.set("signing_certificate", &file("service-sig.crt.pem"));
                case.set("signing_key", &file("service-sig.key.pem"));
            },
        ),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("nothing at the address for sign-out", NOTHING, &["node.logout"], "404", |_, case| {
            replace_path(case, "logout_url");
        }),
        row(
            "sign-out at a closed port",
            NOTHING,
            &["node.logout"],
            "connections",
            |world, case| {
                case.set("logout_url", &format!("\"https://{}/out\"", world.closed));
            },
        ),
        row(
            "a login page at a closed port",
            &["public.login"],
            &["node.sso"],
            "sends browsers to",
            |world, case| {
                case.set("sso_url", &format!("\"http://{}/login\"", world.closed));
            },
        ),
        row("no such login page", &["public.login"], &["node.sso"], "sends browsers", |_, case| {
            replace_path(case, "sso_url");
        }),
    ]
}

/// Leads to another path of the same server.
fn replace_path(case: &mut Case, key: &str) {
    let value = case.value(key);
    let url = url::Url::parse(&value).unwrap().join("/nothing-is-here").unwrap();
    case.set(key, &format!("\"{url}\""));
}
