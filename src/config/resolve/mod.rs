//! From the file's shape to settings that cannot be wrong.
//!
//! Every problem is reported at once: a part that cannot be resolved is left out, and the others go
//! on. Settings come out only when there was no error at all.

/// Names a key of the file: the whole way from a section, or in an entry of a list. What the file
/// does not have does not compile.
macro_rules! key {
    ($table:ident: $($part:ident).+) => {
        key!(@ $table, $($part).+)
    };
    ($($part:ident).+) => {
        key!(@ File, $($part).+)
    };
    (@ $table:ident, $first:ident $(. $part:ident)*) => {{
        const _: fn(&$crate::config::file::$table) = |table| {
            let _ = &table.$first$(.$part)*;
        };
        concat!(stringify!($first) $(, ".", stringify!($part))*)
    }};
}

mod access;
mod acme;
mod action;
mod address;
mod audit;
mod caches;
mod cases;
mod certificates;
mod companion;
mod context;
mod descriptors;
mod everybody;
mod fixed;
mod identity;
mod leniency;
mod limits;
mod listen;
mod log;
mod login;
mod loops;
mod node_keys;
mod operators;
mod others;
mod outage;
mod pages;
mod paths;
mod portal;
mod ports;
mod purpose;
mod reach;
mod routes;
mod simulator;
mod state;
mod store;
mod told;
mod traces;
mod upstreams;
mod variables;
mod watch;
mod well_known;

use self::context::Context;
use super::load::Loaded;
use super::problem::Problems;
use crate::app::Settings;
use crate::base::clock::Time;
use crate::identity::claims::PairwiseSecret;
use crate::identity::token::LONGEST_LIFETIME;
use crate::request::headers;
use crate::request::networks::Networks;
use crate::session;

/// Resolves a file to settings. The problems of reading are among those that come out.
#[must_use]
pub fn resolve(loaded: Loaded, now: Time) -> (Option<Settings>, Problems) {
    resolve_and(loaded, now, |_| {})
}

/// Resolves a file as [`resolve`] does, and looks at what a start would need besides: for operators
/// who ask before the start.
#[must_use]
pub fn check(loaded: Loaded, now: Time) -> (Option<Settings>, Problems) {
    resolve_and(loaded, now, |context| {
        ports::check(context);
        state::check_writable(context);
    })
}

fn resolve_and(
    loaded: Loaded,
    now: Time,
    and: fn(&mut Context<'_>),
) -> (Option<Settings>, Problems) {
    let mut context = Context::new(&loaded, now);
    let settings = settings(&mut context);
    and(&mut context);
    let resolved = context.problems;
    let mut problems = loaded.problems;
    problems.append(resolved);
    let settings = if problems.has_errors() { None } else { settings };
    (settings, problems)
}

fn settings(context: &mut Context<'_>) -> Option<Settings> {
    let file = context.file();
    // Each part is resolved before any is demanded, so that each reports its problems.
    let portal = portal::resolve(context);
    let listen = listen::resolve(context, portal.as_ref());
    let companions = companion::resolve(context);
    let login = login::resolve(context, portal.as_ref());
    let (names, upstreams) = upstreams::resolve(context);
    let routes = routes::resolve(context, portal.as_ref(), &names);
    cases::check(context, &routes);
    leniency::check(context, &routes);
    reach::check(context, &routes, &upstreams);
    loops::check(context, portal.as_ref(), &upstreams);
    told::check(context, &routes, &upstreams);
    companion::check(context, &routes);
    portal::check_cookies(context, portal.as_ref(), &routes);
    well_known::check(context, portal.as_ref(), &routes);
    variables::check(context);
    everybody::check(context);
    let identity_headers_passed = identity::passed(context);
    let ways = identity::ways(context);
    let signing_keys = identity::signing_keys(context, &routes);
    let log = log::resolve(context);
    let audit = audit::resolve(context);
    let traces = traces::resolve(context);
    let session = session(context);
    let pairwise_secret = pairwise_secret(context);
    let operators = operators::resolve(context);
    let store = store::store(context);
    state::check(context);
    state::check_given(context);
    simulator::keep_out(context);
    let token_lifetime = file.identity.token_lifetime.get();
    if token_lifetime > LONGEST_LIFETIME || token_lifetime.is_zero() {
        context.error(
            key!(identity.token_lifetime),
            "a signed identity may live at most 5 minutes, and some time at least",
            "give a value between \"1s\" and \"5m\"",
        );
    }
    if file.identity.key_rotation.get() < LONGEST_LIFETIME * 2 {
        context.error(
            key!(identity.key_rotation),
            "keys would change before the identities that they signed have expired",
            "give at least \"10m\"; days or weeks are usual",
        );
    }
    let watch = watch::resolve(context);
    let (mut portal, login, mut listen, log) = (portal?, login?, listen?, log?);
    listen.companions = companions;
    portal.edge.trusted = Networks::new(listen.trusted_proxies.clone());
    portal.edge.believed = listen.trusted_for;
    portal.edge.hsts = listen.hsts.map(headers::response::hsts);
    portal.edge.max_body = listen.limits.body_bytes;
    portal.edge.bounds = listen.limits.head();
    portal.edge.identity_headers_passed = identity_headers_passed;
    Some(Settings {
        fixed: fixed::resolve(file, &listen),
        gateway: portal,
        listen,
        flows: login.flows,
        node: login.node,
        node_tls: login.tls,
        session,
        routes,
        upstreams,
        token_lifetime,
        ways,
        key_rotation: file.identity.key_rotation.get(),
        signing_keys,
        pairwise_secret,
        operators,
        store: store?,
        state_directory: file.portal.state_directory.as_deref().map(|path| context.resolve(path)),
        log,
        audit,
        traces: traces?,
        watch,
    })
}

fn session(context: &mut Context<'_>) -> session::Settings {
    let file = &context.file().session;
    let (idle, absolute) = (file.idle.get(), file.absolute.get());
    if idle.is_zero() {
        context.error(key!(session.idle), "a session would end at once", "give \"15m\" or so");
    }
    if absolute < idle {
        context.error(
            key!(session.absolute),
            "is shorter than session.idle, which would then have no meaning",
            "give at least as much as session.idle",
        );
    }
    if absolute.as_secs() > 24 * 3600 {
        context.warn(
            key!(session.absolute),
            "citizens stay signed in for more than a day",
            "8 hours suit most portals",
        );
    }
    for (key, value) in [
        (key!(session.maximum), file.maximum),
        (key!(session.maximum_pending), file.maximum_pending),
    ] {
        if value == 0 {
            context.error(key, "is zero, so nobody could sign in", "leave it out for the default");
        }
    }
    if file.keep_forms.bytes() > 4 << 20 {
        context.error(
            key!(session.keep_forms),
            "is more than is kept of one form",
            "give \"4 MiB\" or less; larger forms get a page that says so",
        );
    }
    session::Settings {
        idle,
        absolute,
        maximum: file.maximum as u64,
        maximum_per_person: file.maximum_per_person,
        grace: file.grace.get(),
    }
}

fn pairwise_secret(context: &mut Context<'_>) -> Option<PairwiseSecret> {
    let key = key!(identity.pairwise_secret_file);
    let path = context.file().identity.pairwise_secret_file.as_deref()?;
    let bytes = context.read_secret(key, path)?;
    let secret = PairwiseSecret::new(bytes);
    if secret.is_none() {
        context.error(
            key,
            "has fewer than 32 bytes",
            "make one with: (umask 077; head -c 32 /dev/urandom > FILE)",
        );
    }
    secret
}
