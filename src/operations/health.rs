//! Health: whether the process answers, whether it has started, and whether it wants requests.
//!
//! | asked for | 200 | 503 |
//! |---|---|---|
//! | `/livez`, `/healthz`, `/ping` | the process answers | never |
//! | `/startupz` | its workers listen, and the store was asked once, whatever it said | before |
//! | `/readyz` | it wants requests | before it has started, once it is told to stop, and while something is not well that it was told to need |
//!
//! 1. What readiness needs beside is in the configuration (`operations.ready_needs`), and nothing by
//!    default: replicas share their store and their certificate, so when these are away or over, all
//!    replicas are unready at once and nobody is left to say so to citizens.
//! 2. Neither the node nor the portal is a part that can be needed by the configuration: one outage of the node would take
//!    all replicas out, with every public page.
//! 3. `?verbose` names each part with its state; `?exclude=PART` passes over one, and `?needs=PART`
//!    needs one beside, each as often as one likes. So each balancer can ask for what matters to it.
//! 4. No secret is told, and nothing of citizens. The short answers are the same under every name;
//!    `?verbose` is for those who ask by a name of the listener ([`super::Operations`]).

use std::fmt::Write as _;

use http::StatusCode;
use schemars::JsonSchema;

/// A part of the gateway that has a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename = "Part", rename_all = "lowercase", inline)]
pub enum Name {
    /// Whether the process was told to stop, or has a successor.
    Drain,
    /// Whether the workers listen, and the store was asked.
    Startup,
    /// Where sessions are kept.
    Store,
    /// The keys that sign identities.
    Keys,
    /// The certificates of every use.
    Certificates,
    /// The servers behind.
    Upstreams,
    /// The configuration that was read last.
    Configuration,
    /// The audit log.
    Audit,
}

impl Name {
    /// Every part, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Drain,
        Self::Startup,
        Self::Store,
        Self::Keys,
        Self::Certificates,
        Self::Upstreams,
        Self::Configuration,
        Self::Audit,
    ];

    /// Returns its name in answers and questions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Startup => "startup",
            Self::Store => "store",
            Self::Keys => "keys",
            Self::Certificates => "certificates",
            Self::Upstreams => "upstreams",
            Self::Configuration => "configuration",
            Self::Audit => "audit",
        }
    }

    /// Returns the part of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Not as it should be, and it does its work: a store that is away within the grace.
    Impaired,
    /// It does not do its work.
    Failed,
}

impl State {
    /// Returns its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Impaired => "impaired",
            Self::Failed => "failed",
        }
    }
}

/// A part, as it is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which one.
    pub name: Name,
    /// How it is.
    pub state: State,
    /// What there is to say of it, in one line, without secrets; empty when there is nothing.
    pub detail: String,
}

/// The parts that readiness needs, beside [`Name::Drain`] and [`Name::Startup`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs(pub Vec<Name>);

/// What readiness may be asked with.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the document says what the query may have; it is read by hand")]
pub(super) struct Question {
    /// Names each part with its state.
    verbose: Option<String>,
    /// Parts that are passed over.
    exclude: Option<Vec<Name>>,
    /// Parts that are needed beside.
    needs: Option<Vec<Name>>,
}

/// Knows how the parts are.
pub trait Health: Send + Sync {
    /// Returns each part once, in the order of [`Name::ALL`]. Asks nobody and waits for nothing.
    fn look(&self) -> Vec<Part>;

    /// Returns what the configuration in use needs.
    fn needs(&self) -> Needs;
}

/// An answer: its status, and one line or several.
pub(super) type Answer = (StatusCode, String);

/// Tells whether the answer says more than the state as a whole.
pub(super) fn is_verbose(query: Option<&str>) -> bool {
    pairs(query).any(|(name, _)| name == "verbose")
}

/// Says that the process answers.
pub(super) fn alive() -> Answer {
    (StatusCode::OK, "ok\n".to_owned())
}

/// Says whether it has started.
pub(super) fn started(parts: &dyn Health) -> Answer {
    startup(&parts.look())
}

/// Says whether it wants requests.
pub(super) fn ready_for(query: Option<&str>, parts: &dyn Health) -> Answer {
    readiness(&parts.look(), &Wanted::of(query, parts.needs()))
}

/// What readiness is asked for.
struct Wanted {
    needs: Vec<Name>,
    is_verbose: bool,
    /// Whether a part was named that there is not.
    has_unknown: bool,
}

impl Wanted {
    fn of(query: Option<&str>, configured: Needs) -> Self {
        let mut needs = vec![Name::Drain, Name::Startup];
        needs.extend(configured.0);
        let mut wanted = Self { needs, is_verbose: is_verbose(query), has_unknown: false };
        let mut excluded = Vec::new();
        for (name, value) in pairs(query) {
            let list = match &*name {
                "exclude" => &mut excluded,
                "needs" => &mut wanted.needs,
                _ => continue,
            };
            match Name::named(&value) {
                Some(part) => list.push(part),
                None => wanted.has_unknown = true,
            }
        }
        wanted.needs.retain(|part| !excluded.contains(part));
        wanted
    }
}

fn startup(parts: &[Part]) -> Answer {
    match parts.iter().find(|part| part.name == Name::Startup && part.state != State::Ok) {
        Some(part) => (StatusCode::SERVICE_UNAVAILABLE, format!("starting: {}\n", part.detail)),
        None => (StatusCode::OK, "ok\n".to_owned()),
    }
}

fn readiness(parts: &[Part], wanted: &Wanted) -> Answer {
    let is_missing =
        |part: &&Part| part.state == State::Failed && wanted.needs.contains(&part.name);
    let missing = parts.iter().find(is_missing);
    let status = match (missing, wanted.has_unknown) {
        (None, false) => StatusCode::OK,
        // A part that is not known is not known to be well.
        (None, true) => StatusCode::BAD_REQUEST,
        (Some(_), _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if wanted.is_verbose {
        return (status, verbose(parts, wanted, status));
    }
    if status == StatusCode::BAD_REQUEST {
        return (status, unknown());
    }
    (status, missing.map_or_else(|| ready(parts), unready))
}

/// What is said to a balancer that hears yes.
fn ready(parts: &[Part]) -> String {
    let is_well = |name| parts.iter().all(|part| part.name != name || part.state == State::Ok);
    match () {
        () if !is_well(Name::Store) => STORE_AWAY.to_owned(),
        () if !is_well(Name::Keys) => KEYS_APART.to_owned(),
        () => "ready\n".to_owned(),
    }
}

/// What is said to one that hears no.
fn unready(part: &Part) -> String {
    match part.name {
        Name::Drain => "stopping\n".to_owned(),
        Name::Startup => "starting\n".to_owned(),
        name => format!("not ready: {}: see ?verbose and the log\n", name.name()),
    }
}

/// What is said when a part is named that there is not.
fn unknown() -> String {
    format!("a part that is named is none of: {}\n", Name::ALL.map(Name::name).join(", "))
}

/// Each part in a line, as Kubernetes writes those of its own.
fn verbose(parts: &[Part], wanted: &Wanted, status: StatusCode) -> String {
    let mut text = String::new();
    for part in parts {
        let (mark, needed) = match (part.state, wanted.needs.contains(&part.name)) {
            (State::Ok, _) => ("+", ""),
            (State::Impaired, _) => ("!", ""),
            (State::Failed, true) => ("-", ""),
            (State::Failed, false) => ("-", " (not needed)"),
        };
        let (name, state) = (part.name.name(), part.state.name());
        let colon = if part.detail.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "[{mark}]{name} {state}{needed}{colon}{}", part.detail);
    }
    if wanted.has_unknown {
        text.push_str(&unknown());
    }
    let passed = if status == StatusCode::OK { "passed" } else { "failed" };
    let _ = writeln!(text, "readyz check {passed}");
    text
}

fn pairs(
    query: Option<&str>,
) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
    url::form_urlencoded::parse(query.unwrap_or("").as_bytes()).take(MOST)
}

/// What readiness says while the store is away, and that is no reason to say no.
const STORE_AWAY: &str = "ready, but the session store is away\n";
/// What readiness says while a change of the keys would not reach other replicas, or has not yet.
const KEYS_APART: &str = "ready, but the keys of identities are not kept, see the log\n";
/// The most parts of a query that are read.
const MOST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: &str = "a part that is named is none of: drain, startup, store, keys, \
                           certificates, upstreams, configuration, audit\n";

    struct Fixed(Vec<(Name, State)>, Vec<Name>);

    impl Health for Fixed {
        fn look(&self) -> Vec<Part> {
            let state = |name| self.0.iter().find(|(other, _)| *other == name);
            let part = |name| {
                let state = state(name).map_or(State::Ok, |(_, state)| *state);
                Part { name, state, detail: "as told".to_owned() }
            };
            Name::ALL.into_iter().map(part).collect()
        }

        fn needs(&self) -> Needs {
            Needs(self.1.clone())
        }
    }

    fn ask(states: &[(Name, State)], needs: &[Name], question: &str) -> (u16, String) {
        let (path, query) =
            question.split_once('?').map_or((question, None), |(path, query)| (path, Some(query)));
        let parts = Fixed(states.to_vec(), needs.to_vec());
        let (status, text) = match path {
            "/readyz" => ready_for(query, &parts),
            "/startupz" => started(&parts),
            _ => alive(),
        };
        (status.as_u16(), text)
    }

    #[test]
    fn readiness_is_what_is_needed() {
        use Name::{Audit, Certificates, Drain, Keys, Startup, Store, Upstreams};
        use State::{Failed, Impaired};
        let store: &[Name] = &[Store];
        for (states, needs, question, status, said) in [
            (&[][..], &[][..], "/readyz", 200, "ready\n"),
            (&[(Drain, Failed)], &[], "/readyz", 503, "stopping\n"),
            (&[(Startup, Failed)], &[], "/readyz", 503, "starting\n"),
            (&[(Drain, Failed)], &[], "/readyz?exclude=drain", 200, "ready\n"),
            (&[(Store, Impaired)], &[], "/readyz", 200, STORE_AWAY),
            (&[(Store, Failed)], &[], "/readyz", 200, STORE_AWAY),
            // The twins: it is needed, by the configuration or by the question.
            (&[(Store, Impaired)], store, "/readyz", 200, STORE_AWAY),
            (
                &[(Store, Failed)],
                store,
                "/readyz",
                503,
                "not ready: store: see ?verbose and the log\n",
            ),
            (&[(Store, Failed)], store, "/readyz?exclude=store", 200, STORE_AWAY),
            (
                &[(Store, Failed)],
                &[],
                "/readyz?needs=store",
                503,
                "not ready: store: see ?verbose and the log\n",
            ),
            (&[(Keys, Failed)], &[], "/readyz", 200, KEYS_APART),
            (
                &[(Keys, Failed)],
                &[Keys],
                "/readyz",
                503,
                "not ready: keys: see ?verbose and the log\n",
            ),
            (&[(Certificates, Failed)], &[], "/readyz", 200, "ready\n"),
            (
                &[(Certificates, Failed)],
                &[Certificates],
                "/readyz",
                503,
                "not ready: certificates: see ?verbose and the log\n",
            ),
            (&[(Certificates, Impaired)], &[Certificates], "/readyz", 200, "ready\n"),
            (&[(Upstreams, Failed)], &[], "/readyz", 200, "ready\n"),
            (
                &[(Upstreams, Failed)],
                &[],
                "/readyz?needs=upstreams",
                503,
                "not ready: upstreams: see ?verbose and the log\n",
            ),
            (&[(Audit, Failed)], &[], "/readyz", 200, "ready\n"),
            (&[(Audit, Impaired)], &[Audit], "/readyz", 200, "ready\n"),
            (
                &[(Audit, Failed)],
                &[Audit],
                "/readyz",
                503,
                "not ready: audit: see ?verbose and the log\n",
            ),
            (&[], &[], "/readyz?needs=node", 400, UNKNOWN),
            (&[], &[], "/readyz?exclude=", 400, UNKNOWN),
        ] {
            assert_eq!(ask(states, needs, question), (status, said.to_owned()), "{question}");
        }
    }

    #[test]
    fn startup_waits_and_life_does_not() {
        for (states, path, status) in [
            (&[(Name::Startup, State::Failed)][..], "/startupz", 503),
            (&[(Name::Startup, State::Ok)], "/startupz", 200),
            (&[(Name::Drain, State::Failed)], "/startupz", 200),
            (&[(Name::Startup, State::Failed), (Name::Drain, State::Failed)], "/livez", 200),
            (&[(Name::Drain, State::Failed)], "/healthz", 200),
            (&[(Name::Drain, State::Failed)], "/ping", 200),
        ] {
            assert_eq!(ask(states, &[], path).0, status, "{path}");
        }
    }

    #[test]
    fn each_part_is_named_with_its_state() {
        let states = [(Name::Store, State::Impaired), (Name::Keys, State::Failed)];
        let (status, text) = ask(&states, &[], "/readyz?verbose");
        assert_eq!(status, 200);
        for line in [
            "[+]drain ok: as told\n",
            "[!]store impaired: as told\n",
            "[-]keys failed (not needed): as told\n",
            "readyz check passed\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let (status, text) = ask(&states, &[Name::Keys], "/readyz?verbose=1&exclude=store");
        assert_eq!(status, 503);
        assert!(text.contains("[-]keys failed: as told\n"), "{text}");
        assert!(text.ends_with("readyz check failed\n"), "{text}");
        // What a question says is not said back.
        let (status, text) = ask(&[], &[], "/readyz?verbose&exclude=<script>");
        assert!(status == 400 && !text.contains("script"), "{text}");
    }
}
