//! Spellings of protected paths, at programs that read paths in their own ways.
//!
//! The gateway tells paths apart letter by letter. nginx, Apache, Express and PHP do not: each
//! takes some other paths for the same place. Where `/` is public and single paths are protected,
//! whatever they take for more is open; where `/` is the strictest and single paths are opened,
//! nothing is.
//!
//! 1. [`generate`] makes the spellings, each with the kinds of changes that it has.
//! 2. [`portals`] starts the programs, set up as their users do.
//! 3. With `/` the strictest, no spelling reaches what is protected without a session.
//! 4. With `/` public, what gets through is what the table of `docs/upstream-paths.md` says of
//!    the program: no kind of change more, and none less. A program that is set up otherwise, or a
//!    gateway that refuses more, changes the table, and the test says which row.

mod generate;
mod portals;
mod table;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use self::generate::Spelling;
use self::portals::{Kind, Portal};
use crate::harness::{Citizen, Gateway, NoAnswer, Plan, Simulator, Wire, sign_in};

/// What only the protected places say.
const SECRET: &str = "SECRET";

/// How the rules are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `/` asks for a session; single paths are open.
    Safe,
    /// `/` is open; single paths ask for a session.
    Unsafe,
}

/// Starts the gateway before a portal, and somebody who can sign in.
fn start(portal: &Portal, shape: Shape, lines: &str) -> (Gateway, Simulator) {
    let kind = portal.kind;
    // Each spelling would be a line of the log.
    let plan = Plan::empty().log("level = \"error\"\naccess = \"off\"");
    let mut plan = plan.upstream("portal", &portal.url);
    plan = match shape {
        Shape::Safe => plan.route("/", "portal", "required"),
        Shape::Unsafe => plan.route("/", "portal", "public"),
    };
    let (paths, access) = match shape {
        Shape::Safe => (kind.opened(), "public"),
        Shape::Unsafe => (kind.protected(), "required"),
    };
    for path in paths {
        plan = plan.route(path, "portal", access).with(lines);
    }
    let simulator = Simulator::start(plan.address());
    (plan.node(&simulator).start(), simulator)
}

/// Sends requests one after the other, over as few connections as the gateway leaves open.
struct Client<'c> {
    address: SocketAddr,
    host: String,
    cookie: &'c str,
    wire: Option<Wire>,
}

impl<'c> Client<'c> {
    fn of(gateway: &Gateway, cookie: &'c str) -> Self {
        Self { address: gateway.address, host: gateway.host(), cookie, wire: None }
    }

    /// Returns the status, and whether the answer has what is protected.
    fn ask(&mut self, target: &str) -> (u16, bool) {
        let wire = self.wire.get_or_insert_with(|| Wire::connect(self.address));
        let Self { host, cookie, .. } = self;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n");
        wire.send(request.as_bytes());
        match wire.try_answer("GET") {
            Ok(answer) => {
                if answer.header("connection") == Some("close") {
                    self.wire = None;
                }
                (answer.status, answer.text().contains(SECRET))
            }
            Err(NoAnswer::Closed) => panic!("no answer to {target}"),
            Err(none) => panic!("{target}: {none:?}"),
        }
    }
}

/// Which spellings of the paths of a portal get through without a session.
fn through(gateway: &Gateway, kind: Kind) -> Vec<Spelling> {
    let mut client = Client::of(gateway, "");
    let spellings: Vec<_> = kind.places().iter().flat_map(|place| generate::of(place)).collect();
    let count = spellings.len();
    let found: Vec<_> =
        spellings.into_iter().filter(|spelling| client.ask(&spelling.target).1).collect();
    eprintln!("{kind:?}: {} of {count} spellings got through", found.len());
    found
}

/// With a session the places are there; without one they are not, as they are written.
fn places_are_behind_a_session(gateway: &Gateway, kind: Kind) {
    let cookie = format!("Cookie: {}\r\n", sign_in(gateway, "anna"));
    for place in kind.places() {
        let signed_in = Client::of(gateway, &cookie).ask(place);
        assert_eq!(signed_in, (200, true), "{kind:?}: {place}");
        assert_eq!(Client::of(gateway, "").ask(place), (401, false), "{kind:?}: {place}");
    }
}

/// No spelling gets through where `/` is the strictest.
fn safe(kind: Kind) {
    let Some(portal) = portals::start(kind) else { return };
    let (gateway, _simulator) = start(&portal, Shape::Safe, "");
    places_are_behind_a_session(&gateway, kind);
    assert_eq!(Client::of(&gateway, "").ask("/open"), (200, false), "what is opened is open");
    let found = through(&gateway, kind);
    assert!(found.is_empty(), "{kind:?}: {found:?}");
}

/// What gets through where `/` is public is what the manual says.
fn as_documented(kind: Kind) {
    let Some(portal) = portals::start(kind) else { return };
    let (gateway, _simulator) = start(&portal, Shape::Unsafe, "");
    places_are_behind_a_session(&gateway, kind);
    let found = through(&gateway, kind);
    // 1. One change alone says which kinds of changes the program does not mind.
    let alone: BTreeSet<&str> = found
        .iter()
        .filter_map(|one| match one.changes[..] {
            [change] => Some(change),
            _ => None,
        })
        .collect();
    let rows = table::rows(kind);
    let documented: BTreeSet<&str> = rows.iter().map(|row| &*row.change).collect();
    let example = |change: &&str| found.iter().find(|one| one.changes == [*change]);
    let new: Vec<_> = alone.difference(&documented).map(example).collect();
    assert!(new.is_empty(), "{kind:?}: not in the table of upstream_paths.rs: {new:?}");
    let gone: Vec<_> = documented.difference(&alone).collect();
    assert!(gone.is_empty(), "{kind:?}: in the table, and does not get through: {gone:?}");
    // 2. Two together get through because of one of them.
    let odd: Vec<_> =
        found.iter().filter(|one| !one.changes.iter().any(|it| alone.contains(it))).collect();
    assert!(odd.is_empty(), "{kind:?}: {odd:?}");
    // 3. The instances that the manual names.
    for row in rows {
        assert!(Client::of(&gateway, "").ask(&row.instance).1, "{kind:?}: {}", row.instance);
    }
}

#[test]
fn no_spelling_reaches_nginx_where_the_strictest_rule_is_for_all() {
    safe(Kind::Nginx);
}

#[test]
fn no_spelling_reaches_apache_where_the_strictest_rule_is_for_all() {
    safe(Kind::Apache);
}

#[test]
fn no_spelling_reaches_express_where_the_strictest_rule_is_for_all() {
    safe(Kind::Express);
}

#[test]
fn no_spelling_reaches_php_where_the_strictest_rule_is_for_all() {
    safe(Kind::Php);
}

#[test]
fn what_gets_through_to_nginx_where_all_is_public_is_what_the_manual_says() {
    as_documented(Kind::Nginx);
}

#[test]
fn what_gets_through_to_apache_where_all_is_public_is_what_the_manual_says() {
    as_documented(Kind::Apache);
}

#[test]
fn what_gets_through_to_express_where_all_is_public_is_what_the_manual_says() {
    as_documented(Kind::Express);
}

#[test]
fn what_gets_through_to_php_where_all_is_public_is_what_the_manual_says() {
    as_documented(Kind::Php);
}

#[test]
fn a_session_of_a_lower_level_gets_past_a_higher_rule_by_another_spelling_only_where_that_is_looser()
 {
    let Some(portal) = portals::start(Kind::Express) else { return };
    for (path, is_past) in [("/admin", true), ("/", false)] {
        let plan = Plan::empty().upstream("portal", &portal.url).route("/", "portal", "required");
        let plan = match path {
            "/" => plan.with("assurance = \"high\"").route("/.account", "portal", "required"),
            _ => plan.route(path, "portal", "required").with("assurance = \"high\""),
        };
        let simulator = Simulator::start(plan.address());
        let gateway = plan.node(&simulator).start();
        // A place that asks for no more than the usual level.
        let mut citizen = Citizen::at(&gateway.url("/"));
        let page = citizen.open(&citizen.url("/.account"));
        let back = citizen.choose(&page, "anna");
        citizen.return_with(&back);
        let cookie = format!("Cookie: {}\r\n", citizen.session().unwrap());
        let mut client = Client::of(&gateway, &cookie);
        assert_eq!(client.ask("/admin"), (401, false), "step-up");
        assert_eq!(client.ask("/Admin").1, is_past, "high for {path}");
    }
}
