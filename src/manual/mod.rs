//! The long texts: what does not fit beside one function.
//!
//! The pages are the Markdown of `docs/`, where a code host shows them; here rustdoc reads the same
//! files, so that what they say of the code leads somewhere or fails the build.
//!
//! 1. A page writes its links as references (`[operations]`), and what they refer to stands at its
//!    end, as paths of files.
//! 2. `links.md` stands before every page and refers the same references to pages and items of
//!    this documentation. Of two definitions Markdown takes the first.
//! 3. `tests/docs` follows the paths of files, and holds the two lists together.
//!
#![doc = include_str!("links.md")]
//!
#![doc = include_str!("../../docs/README.md")]

macro_rules! pages {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[doc = include_str!("links.md")]
            #[doc = include_str!($file)]
            pub mod $name {}
        )*
    };
}

pages! {
    acme: "../../docs/acme.md",
    admin_api: "../../docs/admin-api.md",
    architecture: "../../docs/architecture.md",
    attacks: "../../docs/attacks.md",
    attacks_browser: "../../docs/attacks-browser.md",
    attacks_gateway: "../../docs/attacks-gateway.md",
    audit: "../../docs/audit.md",
    backends: "../../docs/backends.md",
    companion: "../../docs/companion.md",
    demo: "../../docs/demo.md",
    examine: "../../docs/examine.md",
    doctor: "../../docs/doctor.md",
    explain: "../../docs/explain.md",
    forms: "../../docs/forms.md",
    from_shibboleth: "../../docs/from-shibboleth.md",
    glossary: "../../docs/glossary.md",
    hosts: "../../docs/hosts.md",
    http3: "../../docs/http3.md",
    identity: "../../docs/identity.md",
    install: "../../docs/install.md",
    kubernetes: "../../docs/kubernetes.md",
    logins: "../../docs/logins.md",
    metrics: "../../docs/metrics.md",
    monitoring: "../../docs/monitoring.md",
    onboarding: "../../docs/onboarding.md",
    operations: "../../docs/operations.md",
    pages: "../../docs/pages.md",
    policy: "../../docs/policy.md",
    portal: "../../docs/portal.md",
    portals: "../../docs/portals.md",
    protocols: "../../docs/protocols.md",
    proxy: "../../docs/proxy.md",
    reasons: "../../docs/reasons.md",
    replicas: "../../docs/replicas.md",
    scale: "../../docs/scale.md",
    selftest: "../../docs/selftest.md",
    sessions: "../../docs/sessions.md",
    simulator: "../../docs/simulator.md",
    threat_model: "../../docs/threat-model.md",
    traces: "../../docs/traces.md",
    upstream_paths: "../../docs/upstream-paths.md",
    what_we_own: "../../docs/what-we-own.md",
    why: "../../docs/why.md",
}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/pl/README.md")]
pub mod pl {
    pages! {
        architektura: "../../docs/pl/architektura.md",
        bezpieczenstwo: "../../docs/pl/bezpieczenstwo.md",
        bledy: "../../docs/pl/bledy.md",
        certyfikaty: "../../docs/pl/certyfikaty.md",
        droga: "../../docs/pl/droga.md",
        konfiguracja: "../../docs/pl/konfiguracja.md",
        migracja: "../../docs/pl/migracja.md",
        portal: "../../docs/pl/portal.md",
        slownik: "../../docs/pl/slownik.md",
        utrzymanie: "../../docs/pl/utrzymanie.md",
    }
}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/en/README.md")]
pub mod en {
    pages! {
        migration: "../../docs/en/migration.md",
        overview: "../../docs/en/overview.md",
        security: "../../docs/en/security.md",
        steps: "../../docs/en/steps.md",
    }
}
