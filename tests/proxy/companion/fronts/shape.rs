//! What a site looks like: its hosts, its routes, and how its proxy asks.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use brama::base::private;

use crate::harness::{Authority, Plan, Script};

/// A shape of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One host, without TLS.
    Plain,
    /// As [`Self::Plain`], but the proxy hands on a part only, and the gateway all else.
    Part,
    /// Two hosts that have no domain in common, over TLS.
    TwoHosts,
    /// One host, and the proxy asks nobody: the gateway hands on itself. Then a portal is told of
    /// nobody by no identity at all; a proxy that asks gets a signed one, of nobody.
    HandsOn,
    /// As [`Self::Plain`], and the proxy asks by TLS with a certificate.
    Certificate,
    /// The same with a certificate that nobody knows who listens for questions.
    StrangeCertificate,
    /// As [`Self::Plain`], and the gateway is found at sockets of the file system.
    Sockets,
    /// As [`Self::Plain`], and sessions and keys outlive the gateway.
    Lasting,
    /// As [`Self::Plain`], but what answers is somebody who says yes and not who it is.
    YesOf(SocketAddr),
}

/// The host that the node knows, and another.
pub(super) const A: &str = "portal-a.example";
pub(super) const B: &str = "portal-b.test";

const TOLD: &str = "identity = [\"assertion\", \"headers\"]";

/// The routes of every site.
const ROUTES: [(&str, &str, &str); 7] = [
    ("/", "required", "claims = [\"given_name\"]"),
    ("/public", "public", ""),
    ("/high", "required", "assurance = \"high\""),
    ("/recent", "required", "max_age = \"10m\""),
    ("/read", "public", "methods = [\"GET\"]"),
    ("/closed", "public", "maintenance = true"),
    // Below a place of which the gateway itself hands requests on.
    ("/app/asked", "required", "claims = [\"given_name\"]"),
];

impl Shape {
    /// Where citizens come.
    pub(super) fn origin(self, port: u16) -> String {
        match self {
            Self::TwoHosts => format!("https://{A}:{port}"),
            _ => format!("http://localhost:{port}"),
        }
    }

    /// Who answers in place of the gateway.
    pub(super) fn yes(self) -> Option<SocketAddr> {
        match self {
            Self::YesOf(address) => Some(address),
            _ => None,
        }
    }

    /// What the gateway is to do.
    pub(super) fn plan(
        self,
        proxy: &str,
        (front, asked): (SocketAddr, SocketAddr),
        (portal, keys): (&Script, &Keys),
    ) -> Plan {
        let mut plan = Plan::empty()
            .public_url(&self.origin(front.port()))
            .listen("trusted_proxies = [\"127.0.0.1/32\"]")
            .upstream("portal", &portal.url());
        if self.hands_on() {
            plan = plan.route("/app", "portal", "required").with(TOLD);
            for (path, access, more) in ROUTES {
                plan = plan.route(path, "portal", access).with(TOLD).with(more);
            }
            return plan;
        }
        let mut lines = format!("listen = \"{asked}\"");
        if self.asks_by_certificate() {
            let (ours, theirs) = (keys.ours.path(HERE), keys.theirs.path("ca.pem"));
            let _ = write!(
                lines,
                "\ncertificate = \"{ours}.pem\"\nkey = \"{ours}.key\"\nclient_ca_file = \"{theirs}\""
            );
        }
        if self == Self::Sockets {
            lines = format!("unix = \"{}\"", plan.path("decide.sock").display());
            let socket = plan.path("brama.sock");
            plan = plan.listen(&format!("unix = \"{}\"", socket.display()));
        }
        plan = plan.companion(proxy, &lines);
        if self == Self::Part {
            return plan
                .route("/", "portal", "required")
                .permitted("/tax", "required")
                .with("methods = [\"GET\"]\nclaims = [\"given_name\"]")
                .with(TOLD)
                .route("/tax/forms", "portal", "required")
                .with("methods = [\"GET\"]")
                .route("/tax/forms", "portal", "required")
                .with("methods = [\"POST\"]");
        }
        plan = plan.route("/app", "portal", "required");
        for (path, access, more) in ROUTES {
            plan = plan.permitted(path, access).with(TOLD).with(more);
        }
        if self == Self::Lasting {
            let (state, sessions) = (plan.path("state"), plan.path("sessions.db"));
            plan = plan
                .portal(&format!("state_directory = \"{}\"", state.display()))
                .with("[store]\nkind = \"file\"")
                .with(&format!("[store.file]\npath = \"{}\"", sessions.display()));
        }
        if self == Self::TwoHosts {
            plan = plan
                .portal(&format!("other_urls = [\"https://{B}:{}\"]", front.port()))
                .permitted("/", "required")
                .with(&format!("host = \"{B}\"\nclaims = [\"given_name\"]"))
                .with(TOLD)
                .file("pairwise", "0123456789abcdef0123456789abcdef")
                .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise");
        }
        plan
    }

    /// Whether the gateway hands on itself.
    pub(super) fn hands_on(self) -> bool {
        self == Self::HandsOn
    }

    fn asks_by_certificate(self) -> bool {
        matches!(self, Self::Certificate | Self::StrangeCertificate)
    }
}

/// Where questions are answered, as its certificate has it.
const HERE: &str = "127.0.0.1";

/// Certificates: those of the gateway and of hosts, and those of proxies.
pub(super) struct Keys {
    ours: Authority,
    pub(super) theirs: Authority,
    pub(super) stranger: Authority,
}

impl Keys {
    pub(super) fn new() -> Self {
        let keys =
            Self { ours: Authority::new(), theirs: Authority::new(), stranger: Authority::new() };
        for name in [A, B, HERE] {
            keys.ours.issue(name);
        }
        for authority in [&keys.theirs, &keys.stranger] {
            authority.issue("proxy");
        }
        keys
    }

    /// Returns the file of the authority of the gateway.
    pub(super) fn authority(&self) -> String {
        self.ours.path("ca.pem")
    }

    /// Returns the authority of hosts and of the gateway, in PEM.
    pub(super) fn trusted(&self) -> Vec<u8> {
        fs::read(self.authority()).unwrap()
    }

    /// Writes what a proxy of that name looks for in its folder.
    pub(super) fn write(&self, folder: &Path, proxy: &str, shape: Shape) {
        let tls = folder.join("tls");
        fs::create_dir_all(&tls).unwrap();
        let copy = |from: String, to: &str| {
            private::write(&tls.join(to), &fs::read(from).unwrap()).unwrap();
        };
        copy(self.authority(), "brama-ca.pem");
        let is_strange = shape == Shape::StrangeCertificate;
        let of_proxy = if is_strange { &self.stranger } else { &self.theirs };
        for (authority, issued, name) in
            [(&self.ours, A, A), (&self.ours, B, B), (of_proxy, "proxy", proxy)]
        {
            for end in ["pem", "key"] {
                copy(authority.path(&format!("{issued}.{end}")), &format!("{name}.{end}"));
            }
            if proxy == "haproxy" {
                // It has both in one file.
                let file = tls.join(format!("{name}.pem"));
                let key = fs::read(authority.path(&format!("{issued}.key"))).unwrap();
                let both = [fs::read(&file).unwrap(), key].concat();
                private::write(&file, &both).unwrap();
            }
        }
    }
}
