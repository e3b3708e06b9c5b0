//! Faults of what stands behind: servers, and what they believe.

use super::row;
use crate::doctor::Row;
use crate::doctor::believer::{Looks, start};
use crate::doctor::case::Case;
use crate::doctor::world::World;

const NOTHING: &[&str] = &[];

pub(super) fn rows() -> Vec<Row> {
    [servers(), believers()].into_iter().flatten().collect()
}

fn at(world: &World, case: &mut Case, site: &str) {
    case.upstream(&format!("http://{}", world.sites.at(site)));
}

fn over_tls(world: &World, case: &mut Case, site: &str, authority: &std::path::Path) {
    let url = format!("https://{}", world.sites.at(site));
    case.set("url", &format!("\"{url}\"\ntls_ca_file = \"{}\"", authority.display()));
}

fn servers() -> Vec<Row> {
    vec![
        row("a portal that is not there", &["upstream.tcp"], NOTHING, "refused", |world, case| {
            case.upstream(&format!("http://{}", world.closed));
        }),
        row(
            "a portal of a name that nobody has",
            &["upstream.dns"],
            &["config.warnings"],
            "resolved",
            |_, case| {
                case.upstream("http://portal.invalid:80");
            },
        ),
        row(
            "a portal that says nothing",
            &["upstream.answers"],
            NOTHING,
            "no answer",
            |world, case| {
                case.upstream(&format!("http://{}", world.silent));
            },
        ),
        row("a portal that says 502", &["upstream.answers"], NOTHING, "HTTP 502", |world, case| {
            at(world, case, "backend-502");
        }),
        row("a portal that says 500", NOTHING, &["upstream.answers"], "HTTP 500", |world, case| {
            at(world, case, "backend-500");
        }),
        row("a portal that is ill", &["upstream.answers"], NOTHING, "for ill", |world, case| {
            let url = format!("\"http://{}\"", world.sites.at("backend-ill"));
            case.set("url", &format!("{url}\nhealth = {{ path = \"/health\" }}"));
        }),
        row(
            "a portal that wants TLS",
            &["upstream.answers"],
            NOTHING,
            "https://",
            |world, case| {
                at(world, case, "backend-tls");
            },
        ),
        row("a portal without TLS", &["upstream.tls"], NOTHING, "does not speak", |world, case| {
            over_tls(world, case, "backend-good", &world.both_authorities);
        }),
        row(
            "a portal of another authority",
            &["upstream.tls"],
            NOTHING,
            "not known",
            |world, case| {
                over_tls(world, case, "backend-tls", &world.strangers.join("ca.crt.pem"));
            },
        ),
        row(
            "a portal of another name",
            &["upstream.tls"],
            NOTHING,
            "another name",
            |world, case| {
                over_tls(world, case, "backend-other-name", &world.both_authorities);
            },
        ),
        row(
            "a portal whose certificate ended",
            &["upstream.tls"],
            NOTHING,
            "ended",
            |world, case| {
                over_tls(world, case, "backend-ended", &world.both_authorities);
            },
        ),
        row("a socket that is not there", &["upstream.tcp"], NOTHING, "socket", |_, case| {
            let path = case.folder.path().join("portal.sock");
            case.upstream(&format!("unix:{}", path.display()));
        }),
        row(
            "a server of two that is not there",
            &["upstream.tcp"],
            NOTHING,
            "refused",
            |world, case| {
                let (good, closed) = (world.sites.at("backend-good"), world.closed);
                let line = format!(
                    "servers = [{{ address = \"http://{good}\" }}, {{ address = \"http://{closed}\" }}]"
                );
                let name = case.value_quoted("name");
                case.without("url").set("name", &format!("{name}\n{line}"));
            },
        ),
    ]
}

fn believers() -> Vec<Row> {
    vec![
        row(
            "a page that leads to where one signs in",
            NOTHING,
            NOTHING,
            "ok backend.open",
            |world, case| at(world, case, "backend-redirects"),
        ),
        row(
            "a page that leads to itself with a slash",
            NOTHING,
            NOTHING,
            "not_examined backend.open",
            |world, case| {
                at(world, case, "backend-adds-a-slash");
                case.option(&["--backend-path", "/app"]);
            },
        ),
        row("a page for everybody", &["backend.open"], NOTHING, "HTTP 200", |world, case| {
            at(world, case, "backend-open");
        }),
        row(
            "a token whose time is not looked at",
            &["backend.expired"],
            NOTHING,
            "by the name in it",
            |world, case| {
                case.upstream(&start(Looks::AtTheSignature(world.main.keys())));
            },
        ),
        row(
            "any token will do",
            &["backend.forged", "backend.expired"],
            NOTHING,
            "a stranger signed",
            |world, case| at(world, case, "backend-any-token"),
        ),
        row(
            "a token that is not verified",
            &["backend.forged", "backend.expired"],
            NOTHING,
            "by the name in it",
            |_, case| {
                case.upstream(&start(Looks::ForOne));
            },
        ),
        row(
            "only the time is looked at",
            &["backend.forged"],
            NOTHING,
            "by the name",
            |_, case| {
                case.upstream(&start(Looks::AtTheTime));
            },
        ),
        row(
            "a page for everybody that believes tokens",
            &["backend.open", "backend.forged", "backend.expired"],
            NOTHING,
            "HTTP 200",
            |_, case| {
                case.upstream(&start(Looks::AtNothing));
            },
        ),
        row(
            "a name in a header",
            &["backend.headers"],
            NOTHING,
            "anybody can write",
            |world, case| {
                at(world, case, "backend-by-name");
            },
        ),
        row(
            "a page for everybody that believes names",
            &["backend.open", "backend.headers"],
            NOTHING,
            "HTTP 200",
            |world, case| at(world, case, "backend-greets"),
        ),
    ]
}
