//! `brama print-config PROXY --test URL`: asks through a proxy in front for what is tricky, and says
//! which rule its configuration breaks.
//!
//! 1. Nothing is sent but requests that a client could send: a session is that of a tester, given by
//!    hand, and none is needed for most of it.
//! 2. What the portal hears is known when this command may stand in its place (`--as-portal`): the
//!    proxy must lead there while the test runs. Without it the answers alone are judged, and what
//!    cannot be told by them is said to be untold.
//! 3. Exit status: 0 when every rule holds, 1 when one is broken, 2 when it was called wrongly.

mod case;
mod client;
mod http_2;
mod portal;
mod requests;
mod ways;

use std::net::SocketAddr;

use self::case::{Case, Expected, Manner, Open, Places};
use self::client::{Client, Heard};
use self::portal::{BODY, Portal, WAS_LED};
use crate::app::Settings;
use crate::cli::output::{complain, print};
use crate::gate::action::Action;
use crate::gate::policy::Access;

/// What is tested, and with what.
pub(super) struct Trial<'t> {
    pub(super) settings: &'t Settings,
    /// The address of the portal, as citizens have it.
    pub(super) url: &'t str,
    /// Where to stand in the place of the portal.
    pub(super) as_portal: Option<SocketAddr>,
    /// The value of a `Cookie` field of somebody who is signed in.
    pub(super) cookie: Option<&'t str>,
    /// The authorities of the proxy's certificate, in PEM; by default those of the system.
    pub(super) authorities: Option<&'t [u8]>,
}

/// What became of a case.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Broken(String),
    Untold,
}

/// How it went.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) holding: usize,
    pub(super) broken: usize,
    pub(super) untold: usize,
}

impl Trial<'_> {
    /// Asks for everything, and prints what breaks.
    ///
    /// # Errors
    /// When nothing can be asked: the address is none, nobody is there, or no route asks who comes.
    pub(super) fn run(&self) -> Result<Tally, String> {
        let client = Client::new(self.url, self.authorities)?;
        let places = self.places(&client)?;
        let portal = match self.as_portal {
            None => None,
            Some(address) => Some(Portal::start(address, &places.protected).map_err(|error| {
                format!("cannot stand in the place of the portal at {address}: {error}")
            })?),
        };
        let mut tally = Tally::default();
        let mut speaks_http_2 = true;
        for (number, case) in requests::all(&places, self.cookie).into_iter().enumerate() {
            let marked = case.marked(number);
            let line = (&*marked.method, &*marked.target);
            let answer = match case.manner {
                Manner::Plain => client.send(b"", line, &marked.fields).map(Some),
                Manner::Behind(before) => client.send(before, line, &marked.fields).map(Some),
                Manner::OverHttp2 => http_2::handshake(&client, line.1, &marked.fields),
            };
            let answer =
                answer.map_err(|error| format!("nobody answers at {}: {error}", self.url))?;
            let Some(answer) = answer else {
                speaks_http_2 = false;
                continue;
            };
            let heard = portal.as_ref().map(|portal| Reached {
                first: portal.heard(&marked.mark),
                is_led: portal.heard(&format!("{}{WAS_LED}", marked.mark)).is_some(),
            });
            match judge(&case, &answer, heard.as_ref()) {
                Verdict::Holds => tally.holding += 1,
                Verdict::Untold => tally.untold += 1,
                Verdict::Broken(what) => {
                    tally.broken += 1;
                    print(format_args!(
                        "BROKEN  {}\n        {}\n        {what}\n        {}",
                        case.rule,
                        case.shown(),
                        case.advice
                    ));
                }
            }
        }
        if portal.is_none() {
            complain(
                "what reaches the portal is not known: with --as-portal ADDRESS this command stands \
                 in its place meanwhile",
            );
        }
        if !speaks_http_2 {
            complain(
                "the proxy takes no WebSocket over HTTP/2 (RFC 8441): nothing of that is tried",
            );
        }
        if self.cookie.is_none() {
            complain("nobody is signed in: with --cookie-file FILE a tester's session is tried");
        }
        print(format_args!(
            "{} hold, {} broken, {} not to be told",
            tally.holding, tally.broken, tally.untold
        ));
        Ok(tally)
    }

    fn places(&self, client: &Client) -> Result<Places, String> {
        let host = client.host();
        let routes = || {
            let of_host = self.settings.routes.iter().filter(|route| route.host == host);
            of_host.filter(|route| matches!(route.action, Action::Permit))
        };
        let below = |path: &str| format!("{}/brama-probe", path.trim_end_matches('/'));
        let protected = routes().find(|route| matches!(route.access, Access::Required(_)));
        let public = routes().find(|route| matches!(route.access, Access::Public));
        let protected = protected.ok_or_else(|| {
            format!(
                "no route of the host {host} asks who comes and is handed on by a proxy in front, so \
                 there is nothing to test"
            )
        })?;
        Ok(Places {
            protected: below(&protected.path),
            public: public.map(|route| below(&route.path)),
            open: public.map(|route| Open {
                public: route.path.trim_end_matches('/').to_owned(),
                protected: protected.path.trim_end_matches('/').to_owned(),
            }),
            ours: self.settings.gateway.prefix.clone(),
            origin: client.url.origin().ascii_serialization(),
        })
    }
}

/// What came to the portal of a case.
struct Reached {
    /// The head of the request.
    first: Option<String>,
    /// Whether somebody came who was led by its answer.
    is_led: bool,
}

/// Judges one case. What the portal heard is unknown (`None`), nothing, or a head.
fn judge(case: &Case, answer: &Heard, reached: Option<&Reached>) -> Verdict {
    if answer.has("x-brama-assertion") {
        let what = "the signed identity is in an answer to the client, who could use it elsewhere";
        return Verdict::Broken(what.to_owned());
    }
    let heard = reached.map(|reached| reached.first.as_deref());
    match (&case.expected, heard) {
        (Expected::AtMost(open), Some(Some(head))) if open.has(target(head)) => told(head, false),
        (Expected::AtMost(_), None) if answer.status == 200 => Verdict::Untold,
        (Expected::Refused | Expected::AtMost(_), Some(Some(_))) => {
            Verdict::Broken("it reached the portal".to_owned())
        }
        (Expected::Refused | Expected::AtMost(_), Some(None)) => Verdict::Holds,
        (Expected::Refused | Expected::AtMost(_), None) => match answer.status {
            300..=399 | 400 | 401 | 403 | 405 | 413..=431 | 500..=599 => Verdict::Holds,
            _ if answer.is_nothing() => Verdict::Holds,
            status => Verdict::Broken(format!("it was answered with {status}")),
        },
        (Expected::Ours(word), _) => match answer.status == 200 && answer.text.contains(word) {
            true => Verdict::Holds,
            false => Verdict::Broken(format!(
                "it was answered with {}, and not by the gateway",
                answer.status
            )),
        },
        (Expected::Told { .. } | Expected::Undiverted, None) => Verdict::Untold,
        (Expected::Told { must_pass: true, .. }, Some(None)) => {
            Verdict::Broken(format!("it was answered with {}", answer.status))
        }
        (Expected::Told { .. } | Expected::Undiverted, Some(None)) => Verdict::Holds,
        (Expected::Told { is_somebody, .. }, Some(Some(head))) => told(head, *is_somebody),
        (Expected::Undiverted, Some(Some(_))) => {
            match reached.is_some_and(|reached| reached.is_led) {
                true => Verdict::Broken("the place was asked for that the answer names".to_owned()),
                false if !answer.text.contains(BODY) => {
                    Verdict::Broken("another answer than the portal's came".to_owned())
                }
                false => Verdict::Holds,
            }
        }
    }
}

/// Returns the target of a request line.
fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

/// Judges what the portal was told: one identity, of the one who is signed in or of nobody, and
/// nothing that the client wrote.
fn told(head: &str, is_somebody: bool) -> Verdict {
    let is_claimed = |line: &&str| [case::FORGED, ways::CLAIMED].iter().any(|it| line.contains(it));
    if let Some(line) = head.lines().skip(1).find(is_claimed) {
        return Verdict::Broken(format!("the portal got \"{line}\" of the client"));
    }
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let tokens: Vec<_> = fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-brama-assertion"))
        .map(|(_, value)| value.trim())
        .collect();
    let [token] = tokens[..] else {
        return Verdict::Broken(format!("the portal got {} identities", tokens.len()));
    };
    match case::is_anonymous(token) {
        None => Verdict::Broken("the portal got an identity that is no token".to_owned()),
        Some(true) if is_somebody => {
            Verdict::Broken("the identity says nobody, though somebody is signed in".to_owned())
        }
        Some(false) if !is_somebody => {
            Verdict::Broken("the identity is of somebody, though nobody is signed in".to_owned())
        }
        Some(_) => Verdict::Holds,
    }
}
