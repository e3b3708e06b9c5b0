//! Whether the backends behind verify what they are told: each is asked past the gateway for a page
//! that needs a citizen, without an identity and with forged ones.
//!
//! 1. No token is one that a backend should take ([`super::forgery`]). The person that it speaks of is made up, and has a name by chance ([`Mark`]):
//!    a page with this name in it believed the token, whatever its status.
//! 2. 401, 403 and redirects to elsewhere are good, and 2xx are bad. What else a status means is not
//!    known; nor what a redirect means that leads to the same page written in another way, or below
//!    it: nobody was refused by it.
//! 3. A page that repeats whatever it is sent tells nothing by the name. It is asked once for that.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::Full;
use url::Url;

use super::check::{Check, Group};
use super::exchange::Answer;
use super::finding::Findings;
use super::forgery::Forgery;
use super::options::Options;
use super::site::AGENT;
use super::upstream::{self, Reached};
use crate::app::Settings;
use crate::base::encoding::hex_lower;
use crate::base::random;
use crate::gate::action::{Action, Forward, HostHeader};
use crate::gate::policy::{Access, Route};
use crate::identity::forms::Form;

/// The checks that are made by tokens.
const BY_TOKEN: [Check; 2] = [Check::BackendForged, Check::BackendExpired];
/// All of them.
const ALL: [Check; 4] =
    [Check::BackendOpen, Check::BackendForged, Check::BackendExpired, Check::BackendHeaders];

/// Names under which programs are told a user, when no form of the route has its own.
const PLAIN: [&str; 4] =
    ["remote-user", "x-remote-user", "x-forwarded-user", "x-auth-request-user"];

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    reached: &[Reached],
    findings: &mut Findings,
) {
    let mut asked = Vec::new();
    for route in &settings.routes {
        let Action::Forward(forward) = &route.action else { continue };
        if !matches!(route.access, Access::Required(_)) || asked.contains(&forward.upstream) {
            continue;
        }
        asked.push(forward.upstream);
        let Some(server) = reached.iter().find(|found| found.upstream == forward.upstream) else {
            let name = settings.upstreams.get(forward.upstream).map_or("", |found| &found.name);
            findings.none_examined(&ALL, name, "no server of it is reached");
            continue;
        };
        let backend = Backend::new(options, settings, (route, forward), server);
        backend.examine(findings).await;
    }
    findings.fill(&[Group::Backend], "no route needs a citizen and goes on to an upstream");
}

/// A backend, and the page that it is asked for.
struct Backend<'b> {
    settings: &'b Settings,
    route: &'b Route,
    server: &'b Reached,
    path: String,
    host: String,
    about: String,
    time: Duration,
}

/// What tells a person who was made up from whatever else a page says.
struct Mark(String);

impl Mark {
    fn new() -> Self {
        let bytes: [u8; 6] = random::bytes();
        Self(format!("doctor{}", hex_lower(&bytes)))
    }

    fn is_in(&self, answer: &Answer) -> bool {
        answer.text().to_ascii_lowercase().contains(&self.0)
    }
}

impl<'b> Backend<'b> {
    fn new(
        options: &Options,
        settings: &'b Settings,
        (route, forward): (&'b Route, &Forward),
        server: &'b Reached,
    ) -> Self {
        let asked = options.backend_path.clone().unwrap_or_else(|| route.path.clone());
        let path = if asked.starts_with(&*route.path) { route.rewrite.path(&asked) } else { asked };
        let authority = settings.gateway.origin.split_once("://").map_or("", |(_, rest)| rest);
        let host = match &forward.host {
            HostHeader::Preserve => authority.to_owned(),
            HostHeader::Upstream => server.server.address.authority(),
            HostHeader::Fixed(host) => host.to_str().unwrap_or_default().to_owned(),
        };
        let name = settings.upstreams.get(forward.upstream).map_or("", |found| &found.name);
        let about = format!("{name} ({}{path})", server.server.address);
        let time = options.timeout;
        Self { settings, route, server, path, host, about, time }
    }

    async fn examine(&self, findings: &mut Findings) {
        let about = &self.about;
        // 1. Without an identity.
        let Some(bare) = self.ask(&[]).await else {
            return findings.none_examined(&ALL, about, "it does not answer in HTTP/1.1");
        };
        let is_open = self.judge_bare(&bare, findings);
        // 2. Does the page repeat whatever it is sent?
        let mark = Mark::new();
        let repeats = self.ask(&[("x-doctor-repeats", &mark.0)]).await;
        let repeats = repeats.is_some_and(|answer| mark.is_in(&answer));
        // 3. With tokens of a stranger.
        if self.route.release.forms.iter().any(Form::has_token) {
            for check in BY_TOKEN {
                self.token(check, is_open, repeats, findings).await;
            }
        } else {
            let why = "this route hands on no token: see backend.headers";
            findings.none_examined(&BY_TOKEN, about, why);
        }
        // 4. With names that nothing proves.
        self.plain(is_open, repeats, findings).await;
    }

    fn judge_bare(&self, bare: &Answer, findings: &mut Findings) -> bool {
        let (check, about) = (Check::BackendOpen, &self.about);
        let seen = format!("without an identity it answers {}", bare.told());
        match self.judged(bare) {
            Judged::Refused => findings.ok(check, about, seen),
            Judged::Unknown => {
                let why =
                    format!("{seen}, which says nothing: give --backend-path a page that is there");
                findings.not_examined(check, about, why);
            }
            Judged::Served => {
                findings.problem(check, about, seen, OPEN);
                return true;
            }
        }
        false
    }

    /// Asks with a token that is wrong in one way.
    async fn token(&self, check: Check, is_open: bool, repeats: bool, findings: &mut Findings) {
        let (about, mark) = (&self.about, Mark::new());
        let forgery = Forgery { settings: self.settings, route: self.route };
        let own = (check == Check::BackendExpired).then(|| forgery.over(&mark.0)).flatten();
        let is_own = own.is_some();
        let (token, which) = match (check, own) {
            (_, Some(token)) => (Some(token), "a token of the gateway's that is over"),
            (Check::BackendExpired, None) => {
                (forgery.of_a_stranger_and_over(&mark.0), "a stranger's token that is over")
            }
            _ => (forgery.of_a_stranger(&mark.0), "a token that a stranger signed"),
        };
        let Some(token) = token else {
            return findings.not_examined(check, about, format!("{which} cannot be made here"));
        };
        let bearer = format!("Bearer {token}");
        let is_bearer = self.route.release.forms.contains(&Form::Bearer);
        let mut headers = vec![("x-brama-assertion", &*token)];
        if is_bearer {
            headers.push(("authorization", &*bearer));
        }
        let Some(answer) = self.ask(&headers).await else {
            return findings.not_examined(check, about, "it does not answer");
        };
        let seen = format!("with {which} it answers {}", answer.told());
        let has_mark = mark.is_in(&answer) && !repeats;
        match self.judged(&answer) {
            _ if has_mark => {
                let seen = format!("{seen}, and calls the citizen by the name in it");
                findings.problem(check, about, seen, VERIFY);
            }
            Judged::Served if is_open => {
                let why = "it answers without an identity as well, so this says nothing";
                findings.not_examined(check, about, why);
            }
            Judged::Served => findings.problem(check, about, seen, VERIFY),
            Judged::Refused if check == Check::BackendExpired && !is_own => {
                let why = format!(
                    "{seen}, maybe for the signature: the gateway's keys cannot be read here \
                     (portal.state_directory), so no other can be made"
                );
                findings.not_examined(check, about, why);
            }
            Judged::Refused => findings.ok(check, about, seen),
            Judged::Unknown => {
                findings.not_examined(check, about, format!("{seen}, which says nothing"));
            }
        }
    }

    /// Asks with plain names.
    async fn plain(&self, is_open: bool, repeats: bool, findings: &mut Findings) {
        let (check, about, mark) = (Check::BackendHeaders, &self.about, Mark::new());
        let plain = |form: &Form| (!form.has_token()).then(|| form.names());
        let own: Vec<_> = self.route.release.forms.iter().filter_map(plain).flatten().collect();
        let mut names: Vec<&str> = own.iter().map(http::HeaderName::as_str).collect();
        names.extend(PLAIN.iter().filter(|name| !own.iter().any(|own| own.as_str() == **name)));
        let headers: Vec<_> = names.iter().map(|name| (*name, &*mark.0)).collect();
        let Some(answer) = self.ask(&headers).await else {
            return findings.not_examined(check, about, "it does not answer");
        };
        let seen = format!("with a made-up name in plain headers it answers {}", answer.told());
        let is_served = matches!(self.judged(&answer), Judged::Served) && !is_open;
        let is_believed = (mark.is_in(&answer) && !repeats) || is_served;
        if is_believed && own.is_empty() {
            findings.problem(check, about, seen, HEADERS);
        } else if is_believed {
            // That is what the form is: nothing proves it.
            findings.warning(check, about, seen, FENCE);
        } else if matches!(self.judged(&answer), Judged::Unknown) {
            findings.not_examined(check, about, format!("{seen}, which says nothing"));
        } else if repeats || (is_open && matches!(self.judged(&answer), Judged::Served)) {
            let why = format!("{seen}, as without, so this says nothing");
            findings.not_examined(check, about, why);
        } else {
            findings.ok(check, about, seen);
        }
    }

    fn judged(&self, answer: &Answer) -> Judged {
        match answer.status.as_u16() {
            401 | 403 | 407 => Judged::Refused,
            301..=303 | 307 | 308 if self.is_of_the_same_page(answer) => Judged::Unknown,
            301..=303 | 307 | 308 => Judged::Refused,
            200..=299 => Judged::Served,
            _ => Judged::Unknown,
        }
    }

    fn is_of_the_same_page(&self, answer: &Answer) -> bool {
        let gateway = &self.settings.gateway;
        let own = gateway.origin.split_once("://").map_or("", |(_, authority)| authority);
        let asked = (&*self.path, &[&*self.host, own][..]);
        leads_nowhere_else(answer.header("location"), asked, &gateway.prefix)
    }

    /// Asks past the gateway, on a connection of its own.
    async fn ask(&self, headers: &[(&str, &str)]) -> Option<Answer> {
        let upstream = self.settings.upstreams.get(self.server.upstream)?;
        let (server, endpoint) = (&self.server.server, &self.server.endpoint);
        let dialled = upstream::open(upstream, server, endpoint, self.time).await.ok()?;
        let mut request = Request::get(&self.path)
            .header(HOST, HeaderValue::try_from(&self.host).ok()?)
            .header(USER_AGENT, AGENT)
            .header("accept", "text/html,application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<Bytes>::default()).ok()?;
        upstream::ask(dialled.stream, request, self.time).await.ok()
    }
}

/// What a status says of whether somebody was let in.
enum Judged {
    Refused,
    Served,
    Unknown,
}

/// What is in the path of a page at which one signs in.
const SIGNING_IN: [&str; 10] = [
    "login",
    "logon",
    "signin",
    "sign-in",
    "sign_in",
    "logowanie",
    "zaloguj",
    "oauth",
    "sso",
    "saml",
];

/// Tells whether a redirect leads to the page that was asked for, or to one below it at which nobody
/// signs in. Scheme and port are not looked at: what stands in front has others.
fn leads_nowhere_else(
    location: Option<&str>,
    (path, hosts): (&str, &[&str]),
    own_places: &str,
) -> bool {
    let bases = hosts.iter().filter_map(|host| Url::parse(&format!("http://{host}{path}")).ok());
    let bases: Vec<_> = bases.collect();
    let target = location.and_then(|location| bases.first()?.join(location).ok());
    let Some(target) = target else { return true };
    let is_here = bases.iter().any(|base| base.host() == target.host());
    let asked = bases.first().map_or("/", Url::path).trim_end_matches('/').to_lowercase();
    let leads_to = target.path().to_lowercase();
    let Some(below) = leads_to.strip_prefix(&asked) else { return false };
    is_here
        && (below.is_empty() || below.starts_with('/'))
        && !leads_to.starts_with(own_places)
        && !SIGNING_IN.iter().any(|word| below.contains(word))
}

const OPEN: &str = "whoever reaches the backend past the gateway sees the page: have it verify the \
                    token of each request (docs/backends.md), and let nobody but the gateway reach \
                    it; if the page is for everybody, give another one with --backend-path";
const VERIFY: &str = "have it verify signature, issuer, audience and times of the token against \
                      /.brama/jwks.json (docs/backends.md; brama token --vectors FOLDER writes test cases)";
const HEADERS: &str = "it believes a header that anybody can write: have it read the token and nothing \
                       else, and let nobody but the gateway reach it";
const FENCE: &str = "that is how plain headers are: nothing proves them. Let nobody but the gateway \
                     reach this backend (loopback, a unix socket, or TLS with a client certificate)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_the_same_page_or_below_it_refuses_nobody() {
        for (path, location, expected) in [
            ("/app", "/app/", true),
            ("/app", "/APP/", true),
            ("/app", "app?lang=pl", true),
            ("/app", "https://portal.example/app/start", true),
            ("/app", "http://10.0.0.7:8080/app/", true),
            ("/", "/home", true),
            ("/", "/.brama/login", false),
            ("/", "/.brama/other", false),
            ("/", "/login", false),
            ("/app", "/app/sign-in?next=/app", false),
            ("/app", "/application", false),
            ("/app", "/", false),
            ("/app", "//login.example/app/", false),
            ("/app", "https://sso.example/", false),
        ] {
            let asked = (path, &["10.0.0.7:8080", "portal.example"][..]);
            let found = leads_nowhere_else(Some(location), asked, "/.brama/");
            assert_eq!(found, expected, "{path} to {location}");
        }
        let asked = ("/app", &["portal.example"][..]);
        assert!(leads_nowhere_else(None, asked, "/.brama/"), "it leads nowhere");
    }
}
