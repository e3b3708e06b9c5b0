//! Real proxies in front that ask, each with what `brama print-config` prints for it and nothing
//! else. All of them live through the same [`stories`] and [`journeys`], and through what is
//! [`known`] to have gone wrong.

mod apache;
mod caddy;
mod envoy;
mod envoy_gateway;
mod haproxy;
mod journeys;
mod known;
mod kubernetes;
mod nginx;
mod outages;
mod shape;
mod stories;
mod traefik;
mod trial;

use std::any::Any;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use brama::base::encoding::from_base64url;
use serde_json::Value;

use self::shape::{Keys, Shape};
use crate::harness::{
    Answer, Citizen, Gateway, PATIENCE, Script, Scripted, Simulator, Wire, free_address,
};

/// A proxy that asks, between citizens and a portal that notes what it hears.
pub(super) struct Site {
    pub(super) front: SocketAddr,
    pub(super) portal: Script,
    pub(super) gateway: Gateway,
    pub(super) simulator: Simulator,
    shape: Shape,
    /// Where it asks, when that is the gateway.
    asked: SocketAddr,
    keys: Keys,
    /// What the proxy is started with.
    printed: String,
    folder: PathBuf,
    proxy: Option<Box<dyn Any>>,
}

/// What a proxy is started with.
pub(super) struct Start<'s> {
    /// What was printed for it. Files that it names in the folder of the proxy below `/etc` are in
    /// the folder that it is given here.
    pub(super) printed: &'s str,
    /// A folder of its own.
    pub(super) folder: &'s Path,
    /// Where it is to listen.
    pub(super) front: SocketAddr,
    /// Where questions are answered, where the gateway is, and the portal.
    pub(super) asked: SocketAddr,
    pub(super) gateway: SocketAddr,
    pub(super) portal: SocketAddr,
    origin: &'s str,
}

impl Start<'_> {
    /// Waits until a place of the gateway itself is served, and so everything.
    pub(super) fn wait_until_it_serves(&self) {
        let url = format!("{}/.brama/jwks.json", self.origin);
        let authority = self.origin.split_once("://").unwrap().1;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut command = Command::new("curl");
            command.args(["--silent", "--insecure", "--fail", "--noproxy", "*", "--max-time", "5"]);
            command.arg("--connect-to").arg(format!("{authority}:{}", self.front)).arg(&url);
            if command.output().unwrap().status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "the proxy does not serve {url}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Site {
    /// Starts a gateway and a proxy of that kind, as `start` does it with what is printed.
    fn shaped(proxy: &str, shape: Shape, start: impl FnOnce(&Start<'_>) -> Box<dyn Any>) -> Self {
        Self::shaped_before(proxy, shape, None, start)
    }

    /// Does the same before a portal somewhere else.
    pub(super) fn start_before(
        proxy: &str,
        portal: &str,
        start: impl FnOnce(&Start<'_>) -> Box<dyn Any>,
    ) -> Self {
        Self::shaped_before(proxy, Shape::Plain, Some(portal), start)
    }

    fn shaped_before(
        proxy: &str,
        shape: Shape,
        elsewhere: Option<&str>,
        start: impl FnOnce(&Start<'_>) -> Box<dyn Any>,
    ) -> Self {
        let (front, asked) = (free_address(), free_address());
        let origin = shape.origin(front.port());
        let portal = Script::start(HashMap::from([("/ws".to_owned(), opened())]));
        let keys = Keys::new();
        let simulator = Simulator::start_for(&origin);
        // One program has several ways to ask, and several to be told how.
        let (program, asks_as) = match proxy {
            "envoy-grpc" => ("envoy", proxy),
            "envoy-gateway" => (proxy, "envoy"),
            _ => (proxy, proxy),
        };
        let plan = shape.plan(asks_as, (front, asked), (&portal, &keys));
        let gateway = plan.node(&simulator).start();

        let address = elsewhere.map_or_else(|| portal.address.to_string(), str::to_owned);
        let yes = shape.yes().map(|it| it.to_string());
        let mut words = vec![proxy, "--portal", &address];
        words.extend(yes.iter().flat_map(|yes| ["--ask", yes.as_str()]));
        let (is_well, printed) = gateway.command("print-config", &words, "");
        assert!(is_well, "{printed}");
        let folder = gateway.file("front");
        keys.write(&folder, program, shape);
        let printed =
            printed.replace(&format!("/etc/{program}/"), &format!("{}/", folder.display()));
        let started = Start {
            printed: &printed,
            folder: &folder,
            front,
            asked,
            gateway: gateway.address,
            portal: portal.address,
            origin: &origin,
        };
        let proxy = Some(start(&started));
        Self { front, portal, gateway, simulator, shape, asked, keys, printed, folder, proxy }
    }

    /// Kills the proxy.
    fn end_proxy(&mut self) {
        self.proxy = None;
    }

    /// Starts it once more, as it was started first.
    fn start_proxy(&mut self, start: impl FnOnce(&Start<'_>) -> Box<dyn Any>) {
        self.proxy = Some(start(&Start {
            printed: &self.printed,
            folder: &self.folder,
            front: self.front,
            asked: self.asked,
            gateway: self.gateway.address,
            portal: self.portal.address,
            origin: &self.origin(),
        }));
    }

    pub(super) fn origin(&self) -> String {
        self.shape.origin(self.front.port())
    }

    /// A browser that is signed in, and its session.
    pub(super) fn sign_in(&self, person: &str) -> (Citizen, String) {
        let mut citizen = Citizen::at(&self.origin());
        let session = citizen.sign_in(person);
        (citizen, format!("Cookie: {session}\r\n"))
    }

    /// Sends a request with these fields to the proxy.
    pub(super) fn send(&self, method: &str, target: &str, fields: &str) -> Answer {
        let mut wire = Wire::connect(self.front);
        let host = format!("localhost:{}", self.front.port());
        wire.send(format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes());
        wire.answer(method)
    }

    /// What the portal has heard since it had heard that many requests.
    pub(super) fn heard_since(&self, count: usize) -> Vec<Vec<(String, String)>> {
        let heard = self.portal.heard();
        heard[count..].iter().map(|heard| fields(&heard.head)).collect()
    }

    /// The claims of the identity that the portal was told; none for nobody, behind a gateway that
    /// hands on itself.
    pub(super) fn told(&self, fields: &[(String, String)]) -> Option<Value> {
        let is_absent = values(fields, "x-brama-assertion").is_empty();
        if self.shape.hands_on() && is_absent { None } else { Some(claims(fields)) }
    }

    pub(super) fn heard(&self) -> usize {
        self.portal.heard().len()
    }
}

/// A portal that takes the handshake of RFC 6455 1.3, and greets.
fn opened() -> Scripted {
    let bytes =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05hello";
    Scripted { bytes: bytes.to_vec(), closes: false }
}

/// The fields of a head: names in lower case, and values.
fn fields(head: &str) -> Vec<(String, String)> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect()
}

/// The values of all fields of a name.
pub(super) fn values<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect()
}

/// The claims of the one identity that the portal was told.
pub(super) fn claims(fields: &[(String, String)]) -> Value {
    let [token] = values(fields, "x-brama-assertion")[..] else { panic!("{fields:?}") };
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("{token}"));
    serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
}

/// The tests of a proxy: `site` starts it in a [`Shape`], when it is there, and [`known::Unsaid`] says
/// what it does with a yes that lacks the identity.
macro_rules! stories_behind {
    ($site:ident, $unsaid:expr) => {
        #[test]
        fn a_citizen_comes_and_goes() {
            let Some(site) = $site(Shape::Plain) else { return };
            stories::a_citizen_comes_and_goes(&site);
        }

        #[test]
        fn nobody_tells_the_portal_who_they_are() {
            let Some(site) = $site(Shape::Plain) else { return };
            stories::nobody_tells_the_portal_who_they_are(&site);
        }

        #[test]
        fn no_spelling_leads_past_the_question() {
            let Some(site) = $site(Shape::Plain) else { return };
            stories::no_spelling_leads_past_the_question(&site);
            stories::no_spelling_of_the_host_does(&site);
        }

        #[test]
        fn a_handshake_comes_from_a_page_of_the_portal() {
            let Some(site) = $site(Shape::Plain) else { return };
            stories::a_handshake_comes_from_a_page_of_the_portal(&site);
        }

        #[test]
        fn without_an_answer_nobody_passes() {
            let Some(site) = $site(Shape::Plain) else { return };
            stories::without_an_answer_nobody_passes(site);
        }

        #[test]
        fn a_place_that_wants_a_recent_login_gets_one() {
            let Some(site) = $site(Shape::Plain) else { return };
            journeys::a_place_that_wants_a_recent_login_gets_one(&site);
        }

        #[test]
        fn many_pages_leave_no_more_cookies_than_they_do_in_the_gateway() {
            let Some(site) = $site(Shape::Plain) else { return };
            journeys::many_pages_leave_no_more_cookies_than_they_do_in_the_gateway(&site);
        }

        #[test]
        fn a_part_is_asked_about_and_the_gateway_has_the_rest() {
            let Some(site) = $site(Shape::Part) else { return };
            journeys::a_part_is_asked_about_and_the_gateway_has_the_rest(&site);
        }

        #[test]
        fn nothing_that_went_wrong_elsewhere_does_here() {
            let Some(site) = $site(Shape::Plain) else { return };
            known::nothing_that_went_wrong_elsewhere_does_here(&site);
        }

        #[test]
        fn a_yes_that_says_not_who_tells_the_portal_nothing() {
            known::a_yes_that_says_not_who_tells_the_portal_nothing($site, $unsaid);
        }

        #[test]
        fn one_login_is_enough_for_two_hosts_over_http_2() {
            let Some(site) = $site(Shape::TwoHosts) else { return };
            journeys::one_login_is_enough_for_two_hosts_over_http_2(&site);
        }
    };
}
use stories_behind;
