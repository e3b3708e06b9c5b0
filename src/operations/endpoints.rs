//! The table of what this listener answers. What is not in it is not answered; requests are
//! dispatched by it, and `/openapi.json` is made of it ([`super::openapi`]).
//!
//! 1. An endpoint is a variant of [`Endpoint`]. [`Endpoint::row`] says of each what it is, and
//!    [`super::Operations`] answers each: neither match has a catch-all, so that an endpoint that
//!    lacks one of them does not compile.
//! 2. Who may ask is said here and looked at before the endpoint is ([`Who`]).

use std::sync::LazyLock;

use http::Method;

use super::call::Nothing;
use super::problem::Problem;
use super::row::{HTML, METRICS, PLAIN, Row, Who, get, health, row};
use super::{audit, capture, health, keys, log_level, probes, sessions, status, why};

/// Names every endpoint, and lists them.
macro_rules! endpoints {
    ($($(#[$doc:meta])+ $name:ident,)*) => {
        /// What can be asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint { $($(#[$doc])+ $name,)* }

        impl Endpoint {
            /// All of them, in the order of the document.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the name by which programs know it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

endpoints! {
    /// Whether the process answers.
    Livez,
    /// The same.
    Healthz,
    /// The same.
    Ping,
    /// Whether it has started.
    Startupz,
    /// Whether it wants requests.
    Readyz,
    /// Numbers.
    Metrics,
    /// How the gateway is, for people.
    Status,
    /// This table, for programs.
    OpenApi,
    /// Sessions, page by page.
    ListSessions,
    /// One session.
    ShowSession,
    /// Ends one session.
    EndSession,
    /// Whose sessions are to be found.
    FindOwner,
    /// Ends many sessions.
    EndSessions,
    /// The keys that sign identities.
    ListKeys,
    /// Their public halves.
    PublishedKeys,
    /// Has the next one sign.
    RotateKeys,
    /// Has one sign no more.
    RetireKey,
    /// Saves the secret of the pseudonyms.
    BackupSecret,
    /// Brings it back.
    RestoreSecret,
    /// What is kept of a login.
    ShowLogin,
    /// What is written down of somebody or something.
    FindRecords,
    /// Has answers of the node captured.
    BeginCapture,
    /// How that stands.
    ShowCapture,
    /// What was captured.
    FetchCapture,
    /// Ends it.
    EndCapture,
    /// What the log says.
    ShowLogLevel,
    /// Has it say more or less.
    SetLogLevel,
    /// Which gateway this is.
    WhichGateway,
    /// Announces a probe.
    AnnounceProbe,
    /// How a probe arrived.
    ShowProbe,
    /// Awaits it no more.
    ForgetProbe,
}

impl Endpoint {
    /// Says what is known of it.
    #[must_use]
    pub fn row(self) -> Row {
        match self {
            Self::Livez => health("/livez", "Says that the process answers."),
            Self::Healthz => health("/healthz", "Says that the process answers."),
            Self::Ping => health("/ping", "Says that the process answers."),
            Self::Startupz => health("/startupz", "Says whether the process has started.")
                .text(503, "not yet", PLAIN),
            Self::Readyz => health("/readyz", "Says whether the gateway wants requests.")
                .query::<health::Question>()
                .text(400, "a part is named that there is not", PLAIN)
                .text(503, "it does not", PLAIN),
            Self::Metrics => get("/metrics", Who::Neighbours, "Numbers, for Prometheus.")
                .text(200, "all of them", METRICS)
                .or(&[500]),
            Self::Status => get("/status", Who::Browsers, "Shows how the gateway is, on a page.")
                .query::<status::Wanted>()
                .text(200, "the page", HTML)
                .text(401, "a token is needed", HTML)
                .or(&[400]),
            Self::OpenApi => get("/openapi.json", Who::Neighbours, "This document.")
                .json::<serde_json::Map<String, serde_json::Value>>(200, "the document"),
            Self::ListSessions => list_sessions(),
            Self::ShowSession => show_session(),
            Self::EndSession => end_session(),
            Self::FindOwner => find_owner(),
            Self::EndSessions => end_sessions(),
            Self::ListKeys => get("/keys", Who::Readers, "Lists the keys that sign identities.")
                .json::<keys::Listed>(200, "all keys with their standing and times"),
            Self::PublishedKeys => published_keys(),
            Self::RotateKeys => rotate_keys(),
            Self::RetireKey => retire_key(),
            Self::BackupSecret => backup_secret(),
            Self::RestoreSecret => restore_secret(),
            Self::ShowLogin => get("/why/{number}", Who::Readers, why::SHOWS)
                .json::<why::Told>(200, "what happened, step by step")
                .or(&[400, 404, 409, 503]),
            Self::FindRecords => row(Method::POST, "/audit/find", Who::Writers, audit::FINDS)
                .body::<audit::Wanted>()
                .json::<audit::Found>(200, "a part of the records, the oldest first")
                .or(&[409, 503]),
            Self::BeginCapture => begin_capture(),
            Self::ShowCapture => get(capture::PATH, Who::Writers, capture::SHOWS)
                .json::<capture::Standing>(200, "how it stands"),
            Self::FetchCapture => fetch_capture(),
            Self::EndCapture => row(Method::DELETE, capture::PATH, Who::Writers, capture::ENDS)
                .json::<capture::Standing>(200, "how it stands"),
            Self::ShowLogLevel => {
                get("/log/level", Who::Readers, "Says how much the program logs.")
                    .json::<log_level::Shown>(200, "the level, and until when")
            }
            Self::SetLogLevel => row(Method::PUT, "/log/level", Who::Writers, log_level::SETS)
                .body::<log_level::Wanted>()
                .json::<log_level::Shown>(200, "the level, and until when"),
            Self::WhichGateway => {
                get(probes::PATH, Who::Programs, "Tells one gateway from another.")
                    .json::<probes::Which>(200, "its public address")
            }
            Self::AnnounceProbe => {
                row(Method::POST, probes::PATH, Who::Programs, "Announces a probe of brama doctor.")
                    .json::<probes::Announced>(201, "the name that a request brings then")
                    .or(&[409])
            }
            Self::ShowProbe => {
                get("/probes/{name}", Who::Programs, "Tells how a probe arrived, once.")
                    .json::<probes::Shown>(200, "how it arrived, or null while it has not")
                    .or(&[404])
            }
            Self::ForgetProbe => {
                row(Method::DELETE, "/probes/{name}", Who::Programs, "Awaits a probe no more.")
                    .json::<Nothing>(200, "it is not awaited")
            }
        }
    }
}

fn list_sessions() -> Row {
    get("/sessions", Who::Readers, "Lists sessions, page by page.")
        .query::<sessions::Page>()
        .json::<sessions::Listed>(200, "a page of sessions")
        .or(&[400, 503])
}

fn show_session() -> Row {
    get("/sessions/{key}", Who::Readers, "Shows one session.")
        .named_by(sessions::DIGEST)
        .json::<sessions::Shown>(200, "the session")
        .or(&[400, 404, 503])
}

fn end_session() -> Row {
    row(Method::DELETE, "/sessions/{key}", Who::Writers, "Ends one session.")
        .named_by(sessions::DIGEST)
        .json::<sessions::Ended>(200, "it has ended, at every replica")
        .or(&[400, 404, 503])
}

fn find_owner() -> Row {
    row(Method::POST, "/sessions/owner", Who::Writers, sessions::FINDS_OWNER)
        .body::<sessions::Person>()
        .json::<sessions::Owner>(200, "the digest")
}

fn end_sessions() -> Row {
    row(Method::POST, "/sessions/end", Who::Writers, "Ends the sessions of one, or all.")
        .body::<sessions::Whose>()
        .json::<sessions::Ended>(200, "how many have ended, at every replica")
        .or(&[503])
}

fn published_keys() -> Row {
    get("/keys/jwks", Who::Readers, "Tells the public keys, as they are published.")
        .json::<keys::Published>(200, "a JWK Set (RFC 7517 5)")
}

fn rotate_keys() -> Row {
    row(Method::POST, "/keys/rotate", Who::Writers, keys::ROTATES)
        .body::<keys::Rotate>()
        .json::<keys::Listed>(200, "all keys; the next one signs")
        .or(&[409, 503])
}

fn retire_key() -> Row {
    row(Method::POST, "/keys/retire", Who::Writers, keys::RETIRES)
        .body::<keys::Retire>()
        .json::<keys::Listed>(200, "all keys; that one signs nothing any more")
        .json::<keys::Listed>(202, "here alone, and why; the others are told later")
        .or(&[404, 409, 503])
}

fn backup_secret() -> Row {
    row(Method::POST, "/keys/backup", Who::WritersHere, keys::SAVES)
        .body::<Nothing>()
        .json::<keys::PairwiseBackup>(200, "the secret")
        .or(&[409, 503])
}

fn restore_secret() -> Row {
    row(Method::POST, "/keys/restore", Who::WritersHere, keys::RESTORES)
        .body::<keys::PairwiseBackup>()
        .json::<keys::Restored>(200, "how many sessions ended by it")
        .or(&[409, 503])
}

fn begin_capture() -> Row {
    row(Method::POST, capture::PATH, Who::Writers, capture::BEGINS)
        .body::<capture::Wanted>()
        .json::<capture::Standing>(200, "how it stands")
}

fn fetch_capture() -> Row {
    get("/capture/{name}", Who::Writers, capture::FETCHES)
        .json::<capture::Sealed>(200, "the answer, sealed to the service's decryption key")
        .or(&[404])
}

/// A request that names an endpoint.
pub struct Asked<'p> {
    /// What it asks for.
    pub endpoint: Endpoint,
    /// Who may.
    pub who: Who,
    /// The segment in the place of the one in braces.
    pub name: Option<&'p str>,
}

/// Finds what a request asks for. A path that stands in the table as it is comes before one with a
/// segment in braces.
///
/// # Errors
/// [`Problem::NotFound`], and [`Problem::Method`] for a path that has other methods.
pub fn find<'p>(method: &Method, path: &'p str) -> Result<Asked<'p>, Problem> {
    let is_literal = !path.contains('{') && ROWS.iter().any(|(_, row)| row.path == path);
    let fits = |row: &Row| match is_literal {
        true => row.path == path,
        false => row.named(path).is_some(),
    };
    let mut allowed = Vec::new();
    for (endpoint, row) in ROWS.iter().filter(|(_, row)| fits(row)) {
        let is_head = *method == Method::HEAD && row.method == Method::GET;
        if is_head || *method == row.method {
            let name = row.named(path).filter(|_| !is_literal);
            return Ok(Asked { endpoint: *endpoint, who: row.who, name });
        }
        allowed.push(row.method.as_str());
        if row.method == Method::GET {
            allowed.push("HEAD");
        }
    }
    match allowed.is_empty() {
        true => Err(Problem::NotFound),
        false => Err(Problem::Method(allowed.join(", "))),
    }
}

/// The rows, made once.
static ROWS: LazyLock<Vec<(Endpoint, Row)>> =
    LazyLock::new(|| Endpoint::ALL.iter().map(|endpoint| (*endpoint, endpoint.row())).collect());

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_request_finds_its_endpoint_and_no_other() {
        for (method, path, expected) in [
            ("GET", "/sessions", Ok((Endpoint::ListSessions, None))),
            ("HEAD", "/sessions", Ok((Endpoint::ListSessions, None))),
            ("GET", "/sessions/ab", Ok((Endpoint::ShowSession, Some("ab")))),
            ("DELETE", "/sessions/ab", Ok((Endpoint::EndSession, Some("ab")))),
            ("POST", "/sessions/end", Ok((Endpoint::EndSessions, None))),
            ("GET", "/sessions/end", Err(405)),
            ("DELETE", "/sessions/owner", Err(405)),
            ("PUT", "/sessions/ab", Err(405)),
            ("DELETE", "/sessions", Err(405)),
            ("GET", "/sessions/", Err(404)),
            ("GET", "/sessions/a/b", Err(404)),
            ("GET", "/sessionsque", Err(404)),
            ("GET", "/sessions/{key}", Ok((Endpoint::ShowSession, Some("{key}")))),
            ("OPTIONS", "/keys", Err(405)),
            ("GET", "/", Err(404)),
            ("GET", "*", Err(404)),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = find(&method, path).map(|asked| (asked.endpoint, asked.name));
            assert_eq!(found.map_err(|p| p.status().as_u16()), expected, "{method} {path}");
        }
    }

    #[test]
    fn no_two_endpoints_are_one() {
        let all: BTreeSet<_> =
            ROWS.iter().map(|(_, row)| (row.path, row.method.as_str())).collect();
        assert_eq!(all.len(), Endpoint::ALL.len());
        for (endpoint, row) in ROWS.iter() {
            assert!(!row.says.is_empty(), "{endpoint:?} says something");
            assert!(row.about.ends_with('.'), "{endpoint:?}");
            // What changes something is for those who may.
            let is_change = !matches!(row.method, Method::GET);
            let is_for_some = matches!(row.who, Who::Writers | Who::WritersHere | Who::Programs);
            assert!(!is_change || is_for_some, "{endpoint:?}");
        }
    }
}
