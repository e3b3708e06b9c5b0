//! Faults between citizens and the gateway: the name, TLS, and what stands in front.

use super::row;
use crate::doctor::Row;

const NOTHING: &[&str] = &[];

pub(super) fn rows() -> Vec<Row> {
    [address(), tls(), ways(), pages()].into_iter().flatten().collect()
}

fn address() -> Vec<Row> {
    vec![
        row(
            "a public name that nobody has",
            &["public.dns", "gateway.running"],
            NOTHING,
            "portal.invalid",
            |_, case| {
                for key in ["https", "certificate", "key", "redirect"] {
                    case.without(key);
                }
                case.set("public_url", "\"https://portal.invalid\"");
            },
        ),
        row("a closed public port", &["public.tcp"], NOTHING, "refused", |world, case| {
            case.through(world.closed);
        }),
        row("plain HTTP leads nowhere", NOTHING, &["public.redirect"], "refused", |world, case| {
            case.set("redirect", &format!("\"{}\"", world.closed));
        }),
        row("plain HTTP has pages", &["public.redirect"], NOTHING, "HTTP 200", |world, case| {
            case.set("redirect", &format!("\"{}\"", world.sites.at("backend-open")));
        }),
    ]
}

fn tls() -> Vec<Row> {
    vec![
        row(
            "a public certificate that has ended",
            &["public.tls"],
            NOTHING,
            "ended",
            |world, case| {
                case.through(world.sites.at("ended"));
            },
        ),
        row(
            "a public certificate that ends soon",
            NOTHING,
            &["public.tls"],
            "ends",
            |world, case| {
                case.through(world.sites.at("soon"));
            },
        ),
        row(
            "a public certificate of another name",
            &["public.tls"],
            NOTHING,
            "name",
            |world, case| {
                case.through(world.sites.at("other-name"));
            },
        ),
        row("half a chain", &["public.tls"], NOTHING, "whole chain", |world, case| {
            case.through(world.sites.at("half-a-chain"));
        }),
        row(
            "an authority that browsers do not know",
            &["public.tls"],
            NOTHING,
            "not known",
            |_, case| {
                case.without_public_ca();
            },
        ),
        row(
            "no TLS at the public port",
            &["public.tls"],
            NOTHING,
            "does not speak",
            |world, case| {
                case.through(world.sites.at("no-tls"));
            },
        ),
        row("the public port says nothing", &["public.tls"], NOTHING, "no TLS", |world, case| {
            case.through(world.silent);
        }),
        row(
            "browsers are asked for certificates",
            &["public.gateway"],
            NOTHING,
            "HTTP 400",
            |world, case| {
                case.through(world.sites.at("wants-certificates"));
            },
        ),
    ]
}

fn ways() -> Vec<Row> {
    vec![
        row(
            "the proxy does not reach us",
            &["public.gateway"],
            NOTHING,
            "HTTP 502",
            |world, case| {
                case.through(world.sites.at("before-nobody"));
            },
        ),
        row("another site", &["public.gateway"], NOTHING, "HTTP 404", |world, case| {
            case.through(world.sites.at("another-site"));
        }),
        row(
            "a site that has everything",
            &["public.gateway"],
            NOTHING,
            "HTTP 200",
            |world, case| {
                case.through(world.sites.at("shop"));
            },
        ),
        row("another gateway", &["public.keys"], NOTHING, "other keys", |world, case| {
            case.through(world.sites.at("before-shared"));
        }),
        row("the proxy refuses forms", &["public.acs"], NOTHING, "HTTP 403", |world, case| {
            case.through(world.sites.at("refuses-forms"));
        }),
        row("the proxy has no consumer service", &["public.acs"], NOTHING, "404", |world, case| {
            case.through(world.sites.at("no-acs"));
        }),
        row("the proxy has no login page", &["public.login"], NOTHING, "404", |world, case| {
            case.through(world.sites.at("no-login"));
        }),
        row(
            "another consumer service is registered",
            &["public.acs", "public.login"],
            NOTHING,
            "login_required",
            |_, case| {
                case.add_to("portal", "acs_path = \"/saml/acs\"");
            },
        ),
    ]
}

fn pages() -> Vec<Row> {
    vec![
        row("the proxy eats cookies", &["public.cookies"], NOTHING, "not arrive", |world, case| {
            case.through(world.sites.at("eats-cookies"));
        }),
        row(
            "cookies lose their attributes",
            &["public.cookies"],
            NOTHING,
            "secure",
            |world, case| {
                case.through(world.sites.at("careless-cookies"));
            },
        ),
        row("cookies get a domain", &["public.cookies"], NOTHING, "domain", |world, case| {
            case.through(world.sites.at("cookie-of-a-domain"));
        }),
        row("cookies get another path", &["public.cookies"], NOTHING, "path=/", |world, case| {
            case.through(world.sites.at("cookie-of-a-path"));
        }),
        row("scripts may read cookies", &["public.cookies"], NOTHING, "httponly", |world, case| {
            case.through(world.sites.at("scripts-read-cookies"));
        }),
        row("the proxy hides the policy", &["public.headers"], NOTHING, "policy", |world, case| {
            case.through(world.sites.at("no-policy"));
        }),
        row("the proxy adds a policy", &["public.headers"], NOTHING, "twice", |world, case| {
            case.through(world.sites.at("two-policies"));
        }),
        row("pages may be kept", &["public.headers"], NOTHING, "no-store", |world, case| {
            case.through(world.sites.at("has-pages-kept"));
        }),
        row("pages come from a cache", &["public.headers"], NOTHING, "Age", |world, case| {
            case.through(world.sites.at("from-a-cache"));
        }),
    ]
}
