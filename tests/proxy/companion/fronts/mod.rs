//! Real proxies in front that ask, each with what `brama print-config` prints for it and nothing
//! else. All of them live through the same [`stories`].

mod nginx;
mod stories;
mod trial;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use brama::base::encoding::from_base64url;
use serde_json::Value;

use crate::harness::{Answer, Citizen, Gateway, Plan, Script, Simulator, Wire, free_address};

/// A proxy that asks, between citizens and a portal that notes what it hears.
pub(super) struct Site {
    pub(super) front: SocketAddr,
    pub(super) portal: Script,
    pub(super) gateway: Gateway,
    _simulator: Simulator,
    _proxy: Box<dyn std::any::Any>,
}

/// What a proxy is started with.
pub(super) struct Start<'s> {
    /// What was printed for it.
    pub(super) printed: &'s str,
    /// A folder of its own.
    pub(super) folder: &'s Path,
    /// Where it is to listen.
    pub(super) front: SocketAddr,
}

/// The routes of every site.
const ROUTES: [(&str, &str, &str); 5] = [
    ("/", "required", "claims = [\"given_name\"]\nidentity = [\"assertion\", \"headers\"]"),
    ("/public", "public", "identity = [\"assertion\", \"headers\"]"),
    ("/high", "required", "assurance = \"high\"\nidentity = [\"assertion\", \"headers\"]"),
    ("/read", "public", "methods = [\"GET\"]\nidentity = [\"assertion\", \"headers\"]"),
    ("/closed", "public", "maintenance = true\nidentity = [\"assertion\", \"headers\"]"),
];

impl Site {
    /// Starts a gateway and a proxy of that kind, as `start` does it with what is printed.
    pub(super) fn start(
        proxy: &str,
        start: impl FnOnce(&Start<'_>) -> Box<dyn std::any::Any>,
    ) -> Self {
        let portal = Script::start(HashMap::new());
        let address = portal.address.to_string();
        Self { portal, ..Self::start_before(proxy, &address, start) }
    }

    /// Does the same before a portal somewhere else.
    pub(super) fn start_before(
        proxy: &str,
        portal: &str,
        start: impl FnOnce(&Start<'_>) -> Box<dyn std::any::Any>,
    ) -> Self {
        let (front, asked) = (free_address(), free_address());
        let origin = format!("http://localhost:{}", front.port());
        let mut plan = Plan::empty()
            .public_url(&origin)
            .listen("trusted_proxies = [\"127.0.0.1/32\"]")
            .companion(proxy, &format!("listen = \"{asked}\""));
        for (path, access, lines) in ROUTES {
            plan = plan.permitted(path, access).with(lines);
        }
        let simulator = Simulator::start_for(&origin);
        let gateway = plan.node(&simulator).start();
        let (is_well, printed) = gateway.command("print-config", &[proxy, "--portal", portal], "");
        assert!(is_well, "{printed}");
        let folder = gateway.file("front");
        std::fs::create_dir(&folder).unwrap();
        let proxy = start(&Start { printed: &printed, folder: &folder, front });
        let portal = Script::start(HashMap::new());
        Self { front, portal, gateway, _simulator: simulator, _proxy: proxy }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://localhost:{}", self.front.port())
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

    pub(super) fn heard(&self) -> usize {
        self.portal.heard().len()
    }
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
