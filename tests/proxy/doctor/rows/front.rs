//! Faults in what proxies in front say of citizens.

use super::row;
use crate::doctor::Row;

const NOTHING: &[&str] = &[];

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "the proxy names another host",
            &["front.host"],
            NOTHING,
            "127.0.0.1",
            |world, case| {
                case.through(world.sites.at("another-host"));
            },
        ),
        row(
            "the proxy loses the port",
            NOTHING,
            &["front.host"],
            "loses the port",
            |world, case| {
                case.through(world.sites.at("no-port"));
            },
        ),
        row(
            "the proxy says http",
            &["front.scheme"],
            NOTHING,
            "x-forwarded-proto: http",
            |world, case| {
                case.through(world.sites.at("another-scheme"));
            },
        ),
        row(
            "the proxy says two schemes",
            &["public.gateway"],
            NOTHING,
            "request.forwarded_conflict",
            |world, case| {
                case.through(world.sites.at("two-schemes"));
            },
        ),
        row("the proxy says no address", &["front.client"], NOTHING, "for whom", |world, case| {
            case.through(world.sites.at("no-address"));
        }),
        row(
            "the proxy is not trusted",
            &["front.client"],
            &["config.warnings"],
            "trusted_proxies",
            |world, case| {
                case.configuration(&world.untrusting.text)
                    .through(world.sites.at("before-untrusting"));
            },
        ),
        row(
            "the proxy passes addresses of clients",
            &["front.forged", "front.client"],
            NOTHING,
            "its address 192.0.2.66",
            |world, case| {
                case.through(world.sites.at("passes-addresses"));
            },
        ),
        row("the proxy passes Forwarded", NOTHING, &["front.forged"], "conflict", |world, case| {
            case.through(world.sites.at("passes-forwarded"));
        }),
        row(
            "the proxy passes hosts of clients",
            &["front.forged"],
            NOTHING,
            "its host",
            |world, case| {
                case.configuration(&world.careless.text).through(world.sites.at("passes-hosts"));
            },
        ),
        row(
            "the proxy passes names of clients",
            &["front.identity"],
            NOTHING,
            "remote-user",
            |world, case| {
                case.configuration(&world.careless.text).through(world.sites.at("passes-names"));
            },
        ),
        row("the proxy decodes paths", &["front.target"], NOTHING, "arrives", |world, case| {
            case.through(world.sites.at("decodes"));
        }),
        row("the proxy drops queries", &["front.target"], NOTHING, "arrives", |world, case| {
            case.through(world.sites.at("drops-queries"));
        }),
        row(
            "the proxy eats cookies of requests",
            &["front.cookies"],
            NOTHING,
            "was sent",
            |world, case| {
                case.through(world.sites.at("eats-requests-cookies"));
            },
        ),
        row(
            "the proxy eats what it does not know",
            NOTHING,
            &["front.seen"],
            "x-brama-probe",
            |world, case| {
                case.through(world.sites.at("eats-probes"));
            },
        ),
    ]
}
