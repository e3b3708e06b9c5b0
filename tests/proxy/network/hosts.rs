//! Hosts of their own: each a network namespace with one link to a router, where the test and its
//! citizens are. So a packet between two hosts is forwarded, and can be lost on the way.

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use tempfile::NamedTempFile;

use crate::harness::tools::{self, Tool};

/// A host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Edge,
    One,
    Two,
    Redis,
    Node,
}

const ALL: [Host; 5] = [Host::Edge, Host::One, Host::Two, Host::Redis, Host::Node];

/// How packets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nobody says so: a host without power, a firewall that drops.
    Silent,
    /// The router says that there is no way.
    Told,
}

impl Host {
    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::One => "one",
            Self::Two => "two",
            Self::Redis => "redis",
            Self::Node => "node",
        }
    }

    fn net(self) -> u8 {
        self as u8 + 1
    }

    pub(super) fn address(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 77, self.net(), 2))
    }

    /// Returns the words that begin a command there.
    pub(super) fn enter(self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/run/netns/{}", self.name())]
    }
}

/// The hosts and the ways between them. They end with the process.
pub(super) struct Network {
    /// Names of hosts; `*.localhost` counts as this machine, for which plain HTTP will do.
    _names: NamedTempFile,
}

impl Network {
    /// Makes all hosts. Names are `portal.localhost` for the edge, `node.localhost` for the node.
    pub(super) fn start() -> Self {
        sh("mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up");
        sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
        for host in ALL {
            let (name, net) = (host.name(), host.net());
            let inside = host.enter().join(" ");
            sh(&format!("ip netns add {name}"));
            sh(&format!("ip link add to-{name} type veth peer name eth0 netns {name}"));
            sh(&format!("ip addr add 10.77.{net}.1/24 dev to-{name} && ip link set to-{name} up"));
            sh(&format!("{inside} ip addr add 10.77.{net}.2/24 dev eth0"));
            sh(&format!("{inside} ip link set lo up && {inside} ip link set eth0 up"));
            sh(&format!("{inside} ip route add default via 10.77.{net}.1"));
        }
        let names = NamedTempFile::new().unwrap();
        let (edge, node) = (Host::Edge.address(), Host::Node.address());
        let text = format!("127.0.0.1 localhost\n{edge} portal.localhost\n{node} node.localhost\n");
        std::fs::write(names.path(), text).unwrap();
        sh(&format!("mount --bind {} /etc/hosts", names.path().display()));
        Self { _names: names }
    }

    /// Loses every packet between two hosts from now on.
    pub(super) fn cut(&self, one: Host, other: Host, loss: Loss) {
        rule("add", one, other, loss);
    }

    /// Undoes it.
    pub(super) fn mend(&self, one: Host, other: Host, loss: Loss) {
        rule("del", one, other, loss);
    }

    /// Loses every packet from and to a host from now on, silently.
    pub(super) fn lose(&self, host: Host) {
        let address = host.address();
        sh(&format!("ip rule add from {address} blackhole && ip rule add to {address} blackhole"));
    }

    /// Undoes it.
    pub(super) fn find(&self, host: Host) {
        let address = host.address();
        sh(&format!("ip rule del from {address} blackhole && ip rule del to {address} blackhole"));
    }
}

fn rule(verb: &str, one: Host, other: Host, loss: Loss) {
    let kind = match loss {
        Loss::Silent => "blackhole",
        Loss::Told => "unreachable",
    };
    for (from, to) in [(one.address(), other.address()), (other.address(), one.address())] {
        sh(&format!("ip rule {verb} from {from} to {to} {kind}"));
    }
}

fn sh(line: &str) {
    let output = Command::new("sh").args(["-c", line]).env("PATH", path()).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where Debian keeps `ip` for users who are not root.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default())
}

/// Runs a story in a network of its own: by starting this program again, for this test alone, in
/// namespaces of its own. `test` is its whole name.
pub(super) fn in_a_network_of_its_own(test: &str, story: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return story();
    }
    let tools = [Tool::Iproute, Tool::Haproxy, Tool::Redis, Tool::Python, Tool::Faketime];
    if !tools::has(&tools) {
        return;
    }
    let Some(words) = WAYS_IN.into_iter().find(|words| opens(words)) else {
        return tools::skip("this machine gives no network namespaces, to root or to this user");
    };
    let mut command = Command::new("unshare");
    command.args(words).arg(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").env("PATH", path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    eprintln!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "{test} failed in its network");
}

/// What `unshare` is asked for, as root and as somebody else.
const WAYS_IN: [&[&str]; 2] =
    [&["--net", "--mount"], &["--user", "--map-root-user", "--net", "--mount"]];
const INSIDE: &str = "TEST_IN_A_NETWORK";

/// Tells whether everything that a network is made of can be done inside.
fn opens(words: &[&str]) -> bool {
    let tried = "mount -t tmpfs none /run && mkdir /run/netns && ip netns add tried && \
                 ip link add to-tried type veth peer name eth0 netns tried && \
                 nsenter --net=/run/netns/tried ip link set lo up && \
                 echo 1 > /proc/sys/net/ipv4/ip_forward && \
                 ip rule add from 10.77.0.1 to 10.77.0.2 blackhole";
    let mut command = Command::new("unshare");
    command.args(words).args(["sh", "-c", tried]).env("PATH", path());
    command.output().is_ok_and(|output| output.status.success())
}
