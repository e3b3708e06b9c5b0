//! The gateway or the proxy in front hangs, dies and starts again while 300 requests a second come:
//! the portal hears of nobody but who is signed in, a stranger reaches no place that asks who comes,
//! and soon after everything is as before.

mod crowd;

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use self::crowd::{Came, Crowd, Visitor, Who, until, who_asked};
use super::shape::Shape;
use super::{Site, Start, claims, values};
use crate::harness::Wire;

/// What citizens see of a proxy while the gateway is away: the statuses by which it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// While it hangs, when the proxy has waited for long enough; nothing where it waits longer than
    /// this does.
    pub(super) hangs: &'static [u16],
    /// While nobody listens where it was.
    pub(super) gone: &'static [u16],
    /// How many requests come while nobody listens.
    pub(super) asked: usize,
}

/// How many come while it hangs: those of six seconds, which is more than the five that proxies wait.
const HANGS: usize = 1_800;
/// How many come while nobody is where it was; half a second says it all.
pub(super) const GONE: usize = 150;

/// A time in which nobody may pass, and what is seen then.
struct Outage {
    name: &'static str,
    from: Instant,
    until: Instant,
    /// `None` where there is nobody to say anything.
    seen: Option<&'static [u16]>,
}

/// Lives through it all. `start` starts the proxy once more.
pub(super) fn whatever_dies_nobody_passes_who_may_not(
    site: &mut Site,
    start: impl Fn(&Start<'_>) -> Box<dyn Any>,
    seen: Seen,
) {
    let keys = Keys::of(site);
    let crowd = Crowd::start(site.front, visitors(site));
    let visitors = crowd.visitors().to_vec();
    let mut outages = Vec::new();
    let mut again = Vec::new();
    again.push(("at first", crowd.are_well_after(Instant::now())));

    // It hangs.
    site.gateway.program.signal("STOP");
    until_stopped(site.gateway.program.id());
    let from = Instant::now();
    crowd.ask(HANGS);
    outages.push(Outage { name: "hangs", from, until: Instant::now(), seen: Some(seen.hangs) });
    site.gateway.program.signal("CONT");
    again.push(("after it hung", crowd.are_well_after(Instant::now())));

    // It is gone.
    site.gateway.program.signal("KILL");
    site.gateway.program.wait();
    let from = Instant::now();
    crowd.ask(seen.asked);
    if !seen.gone.is_empty() {
        crowd.until_answered_after(from);
    }
    outages.push(Outage { name: "is gone", from, until: Instant::now(), seen: Some(seen.gone) });
    site.gateway.start_again();
    again.push(("after it was gone", crowd.are_well_after(Instant::now())));

    // The proxy in front is gone.
    site.end_proxy();
    let from = Instant::now();
    crowd.ask(GONE);
    outages.push(Outage { name: "without the proxy", from, until: Instant::now(), seen: None });
    site.start_proxy(start);
    again.push(("after the proxy was gone", crowd.are_well_after(Instant::now())));

    let came = crowd.stop();
    for outage in &outages {
        show(outage, &came, &visitors);
        nobody_passes_in(outage, &came);
    }
    eprintln!("works again: {again:?}");
    let heard = the_portal_heard_the_truth(site, &keys, &visitors);
    // And it did hear most of them, so that this is not about nothing.
    assert!(heard > came.len() / 10, "the portal heard {heard} of {}", came.len());
}

/// Two citizens, so that one could be taken for the other, and strangers.
fn visitors(site: &Site) -> Vec<Visitor> {
    let (_, anna) = site.sign_in("anna");
    let (_, zofia) = site.sign_in("zofia");
    // A true identity, of somebody else.
    site.send("GET", "/tax", &anna);
    let heard = site.heard_since(0).pop().unwrap();
    let [token] = values(&heard, "x-brama-assertion")[..] else { panic!("{heard:?}") };
    let forged = format!("X-Brama-Assertion: {token}\r\nX-Brama-Given-Name: forged\r\n");
    let mut visitors = Vec::new();
    visitors.extend(Visitor::both(&Who::Citizen("Anna"), &anna));
    visitors.extend(Visitor::both(&Who::Stranger, ""));
    visitors.extend(Visitor::both(&Who::Citizen("Zofia"), &zofia));
    visitors.extend(Visitor::both(&Who::Forger, &forged));
    visitors
}

/// A signal is sent when `kill` returns; it has stopped when the system says so (proc(5)).
fn until_stopped(id: u32) {
    until("the gateway stops", || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let state = stat.rsplit_once(") ").unwrap().1;
        state.starts_with('T').then_some(())
    });
}

/// Whoever asked and was answered in that time got an error, of the kinds that are known.
fn nobody_passes_in(outage: &Outage, came: &[Came]) {
    let within = |one: &&Came| one.sent >= outage.from && one.ended <= outage.until;
    let within: Vec<_> = came.iter().filter(within).collect();
    let is_seen = outage.seen.is_some_and(|seen| !seen.is_empty());
    assert_eq!(!within.is_empty(), is_seen || outage.seen.is_none(), "while it {}", outage.name);
    for one in within {
        let is_known =
            one.status.is_none_or(|status| outage.seen.unwrap_or_default().contains(&status));
        assert!(is_known, "while it {}: {:?} {}", outage.name, one.status, one.text);
    }
}

/// Prints what was seen, for those who write it down.
fn show(outage: &Outage, came: &[Came], visitors: &[Visitor]) {
    let mut kinds: BTreeMap<_, (usize, Duration, &str)> = BTreeMap::new();
    for one in came.iter().filter(|one| one.sent >= outage.from && one.ended <= outage.until) {
        let Visitor { who, path, .. } = &visitors[one.visitor];
        let kind = kinds.entry((who, path, one.status)).or_default();
        let longest = kind.1.max(one.ended - one.sent);
        *kind = (kind.0 + 1, longest, &one.text);
    }
    for ((who, path, status), (count, longest, text)) in kinds {
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let begin: String = body.chars().take(60).collect();
        eprintln!("{}: {who:?} {path} {status:?} x{count}, {longest:?}: {begin:?}", outage.name);
    }
}

/// Everything that the portal heard was signed, and said who asked: strangers were nobody, and at
/// the place that asks who comes there was none of them.
fn the_portal_heard_the_truth(site: &Site, keys: &Keys, visitors: &[Visitor]) -> usize {
    let mut verified = HashSet::new();
    let mut count = 0;
    let heard = site.portal.heard();
    for (heard, fields) in heard.iter().zip(site.heard_since(0)) {
        let Some(asked) = who_asked(&heard.path) else { continue };
        let Visitor { who, path, .. } = &visitors[asked];
        let what = format!("{who:?} asked for {path}: {}", heard.head);
        assert!(heard.path.starts_with(&format!("{path}?")), "{what}");
        assert!(!heard.head.contains("forged"), "{what}");
        let told = claims(&fields);
        let [token] = values(&fields, "x-brama-assertion")[..] else { unreachable!() };
        if verified.insert(token.to_owned()) {
            keys.verify(token).unwrap_or_else(|error| panic!("{error}: {what}"));
        }
        match (who, *path) {
            (Who::Citizen(name), "/tax") => assert_eq!(told["given_name"], *name, "{what}"),
            (_, "/public") => assert_eq!(told["anonymous"], true, "{what}"),
            _ => panic!("{what}"),
        }
        assert_eq!(told.get("sub").is_some(), *path == "/tax", "{what}");
        count += 1;
    }
    count
}

/// The keys of the gateway, as a backend has them.
struct Keys {
    set: JwkSet,
    issuer: String,
}

impl Keys {
    fn of(site: &Site) -> Self {
        let mut wire = Wire::connect(site.gateway.address);
        let answer = wire.get(&site.gateway.host(), "/.brama/jwks.json");
        Self { set: serde_json::from_value(answer.json()).unwrap(), issuer: site.origin() }
    }

    fn verify(&self, token: &str) -> Result<(), String> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
        let key = header.kid.as_deref().and_then(|kid| self.set.find(kid));
        let key = DecodingKey::from_jwk(key.ok_or("a key that is not published")?);
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["portal"]);
        rules.set_issuer(&[&self.issuer]);
        let key = key.map_err(|error| error.to_string())?;
        let told = jsonwebtoken::decode::<Value>(token, &key, &rules);
        told.map(drop).map_err(|error| error.to_string())
    }
}

/// What must hold behind a proxy that `$site` starts in a [`Shape`], and `$start` once more.
macro_rules! outages_behind {
    ($site:expr, $start:ident, $seen:expr) => {
        #[test]
        fn whatever_dies_or_hangs_under_load_nobody_passes_who_may_not() {
            let Some(mut site) = $site else { return };
            outages::whatever_dies_nobody_passes_who_may_not(&mut site, $start, $seen);
        }
    };
}
pub(super) use outages_behind;

/// The shape that sites have here: those who were signed in still are, after a new start.
pub(super) const SHAPE: Shape = Shape::Lasting;
