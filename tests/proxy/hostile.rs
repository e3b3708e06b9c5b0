//! Clients that want to be in the way. The others wait no longer than usual, and when it is over
//! nothing is left of it: no connection, and no memory that has to do with how many they were.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::harness::http_2::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, begin, frame,
};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Load, PATIENCE, Plan, Program, Simulator, Wire, node, sign_in};

/// How much longer than in peace 99 of 100 answers for a citizen who is signed in may take: the
/// attack runs on the same machine, without optimisation as the program does.
const RATIO: u32 = 20;
/// Which part of the attack an answer may take in any case: where the machine is busy with other
/// things, the attack takes as much longer as the answers do, and both wait for the same gateway.
const SHARE: u32 = 20;
/// What counts as peace at least, so that a machine on which nothing takes any time is not held to
/// it.
const SHORTEST: Duration =
    Duration::from_micros(if cfg!(debug_assertions) { 12_500 } else { 5_000 });
/// How often an attack is tried: what else goes on on the machine is seldom the same three times.
const ATTEMPTS: usize = 3;
/// By how much memory may have grown, in KiB; the program is without optimisation.
const GROWTH_KIB: u64 = 48 << 10;

/// A gateway with little patience, and a citizen who is signed in.
struct World {
    gateway: Gateway,
    cookie: String,
    _portal: Program,
    _simulator: Simulator,
}

/// Makes a world with the portal on Node, when that is installed.
fn start() -> Option<World> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    // Connections to the portal go soon, so that only those of the attack could stay.
    let plan = Plan::empty()
        .upstream_with("portal", &format!("url = \"{url}\"\nkeep_alive = \"1s\""))
        .route("/", "portal", "public")
        .route("/mine", "portal", "required");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.listen("header_timeout = \"2s\"").node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    Some(World { gateway, cookie, _portal: portal, _simulator: simulator })
}

/// Lets an attack happen with a citizen about, and compares before and after. What the attack
/// returns stays until the citizen has seen enough.
fn withstands<T>(world: &World, attack: impl Fn(&Gateway) -> T) {
    let World { gateway, .. } = world;
    // The connections of the citizen and to the portal are not the attack's.
    p99(world, || {});
    let (descriptors, memory) = (gateway.open_descriptors(), gateway.memory_kib());

    let mut found = Vec::new();
    loop {
        let undisturbed = p99(world, || {}).max(SHORTEST);
        let mut lasted = Duration::ZERO;
        let disturbed = p99(world, || {
            let began = Instant::now();
            let attackers = attack(gateway);
            lasted = began.elapsed();
            attackers
        });
        if disturbed < (RATIO * undisturbed).max(lasted / SHARE) {
            break;
        }
        found.push((undisturbed, disturbed, lasted));
        assert!(found.len() < ATTEMPTS, "p99 in peace, in the attack, and how long: {found:?}");
    }

    let deadline = Instant::now() + PATIENCE;
    loop {
        let (open, now) = (gateway.open_descriptors(), gateway.memory_kib());
        if open <= descriptors + 8 && now < memory + GROWTH_KIB {
            return;
        }
        let found = format!("{open} descriptors and {now} KiB");
        assert!(Instant::now() < deadline, "{found}, {descriptors} and {memory} before");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns within what time 99 of 100 answers come to a citizen while something happens; all come.
fn p99<T>(World { gateway, cookie, .. }: &World, event: impl FnOnce() -> T) -> Duration {
    let citizen = Load::signed_in(gateway.address, "/mine", cookie);
    let kept = event();
    citizen.answers(300);
    let tally = citizen.stop();
    drop(kept);
    tally.all_answered();
    tally.p99()
}

#[test]
fn five_hundred_heads_that_never_end() {
    let Some(world) = start() else { return };
    withstands(&world, |gateway| {
        let mut wires: Vec<Wire> = (0..500).map(|_| gateway.connect()).collect();
        for wire in &mut wires {
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ");
        }
        // The gateway ends them all, however long they would stay.
        for wire in &mut wires {
            wire.send(b"more");
            assert!(wire.rest().is_some(), "a head without end keeps its connection");
        }
    });
}

#[test]
fn three_hundred_bodies_that_hardly_come() {
    let Some(world) = start() else { return };
    withstands(&world, |gateway| {
        let mut wires: Vec<Wire> = (0..300).map(|_| gateway.connect()).collect();
        for wire in &mut wires {
            let head = b"POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
            wire.send(head);
        }
        for _ in 0..10 {
            wires.iter_mut().for_each(|wire| wire.send(b"x"));
        }
        wires
    });
}

#[test]
fn fifty_heads_of_ten_megabytes() {
    let Some(world) = start() else { return };
    let field = format!("X-A: {}\r\n", "a".repeat(1000)).repeat(100);
    withstands(&world, |gateway| {
        for _ in 0..50 {
            let mut wire = gateway.connect();
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
            for _ in 0..100 {
                wire.send(field.as_bytes());
            }
            assert!(wire.rest().is_some(), "a head of ten megabytes is no reason to end");
        }
    });
}

/// Connects from an address of loopback, of which each machine has many: one client cannot have
/// more than its connections, but who attacks has more than one address.
fn connect_from(client: u8, gateway: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 1, client), 0)).into()).unwrap();
    socket.connect(&gateway.into()).unwrap();
    socket.into()
}

#[test]
fn twenty_thousand_connections_that_lead_to_nothing() {
    tools::allow_descriptors(8192);
    let Some(world) = start() else { return };
    withstands(&world, |gateway| {
        let mut round = Vec::new();
        for number in 0..20_000_usize {
            let client = u8::try_from(number / 500 % 40).unwrap();
            let mut wire = Wire::over(connect_from(1 + client, gateway.address));
            wire.send(match number % 4 {
                0 => b"",
                1 => b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ",
                2 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS, perhaps",
                // An answer that nobody reads.
                _ => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            });
            round.push(wire);
            if round.len() == 2000 {
                round.clear();
            }
        }
    });
}

#[test]
fn a_client_that_takes_all_connections_leaves_descriptors_to_the_others() {
    let gateway = Plan::empty()
        .upstream("portal", "http://127.0.0.1:1")
        .route("/", "portal", "required")
        .launched_by(&["sh", "-c", "ulimit -n 256; exec \"$0\" \"$@\""])
        .start();
    gateway.has_said(&["listen.max_connections", "this process may have 256"]);
    let silent: Vec<_> = (0..300).map(|_| connect_from(1, gateway.address)).collect();
    for client in [2, 3, 4] {
        let mut wire = Wire::over(connect_from(client, gateway.address));
        assert_eq!(wire.get("localhost", "/").status, 401);
        assert!(gateway.is_ready());
    }
    // Nor do many clients take those of the operators' port and of what goes on to portals.
    let more: Vec<_> = (10..250).map(|client| connect_from(client, gateway.address)).collect();
    assert!(gateway.is_ready());
    assert!(gateway.open_descriptors() < 200, "{}", gateway.open_descriptors());
    drop((silent, more));
    let mut wire = Wire::over(connect_from(5, gateway.address));
    assert_eq!(wire.get("localhost", "/").status, 401);
}

#[test]
fn all_descriptors_are_taken_that_the_system_gives() {
    let gateway = Plan::before("http://127.0.0.1:1")
        .launched_by(&["sh", "-c", "ulimit -S -n 64; exec \"$0\" \"$@\""])
        .start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.program.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<_> = line.split_whitespace().skip(3).take(2).collect();
    assert!(numbers[0] == numbers[1] && numbers[0] != "64", "{line}");
}

#[test]
fn twenty_thousand_streams_of_http_2_that_are_taken_back_at_once() {
    let Some(world) = start() else { return };
    withstands(&world, |gateway| {
        let mut wire = begin(gateway.connect());
        for number in 0..20_000 {
            let stream = 2 * number + 1;
            let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, REQUEST);
            wire.send(&[request, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat());
        }
        assert!(wire.rest().is_some(), "rapid reset is no reason to end");
    });
}

#[test]
fn a_head_of_http_2_that_is_continued_without_end() {
    let Some(world) = start() else { return };
    withstands(&world, |gateway| {
        let mut wire = begin(gateway.connect());
        wire.send(&frame(HEADERS, END_STREAM, 1, REQUEST));
        // A literal field without indexing: `a: a`.
        let more = frame(CONTINUATION, 0, 1, &b"\x00\x01a\x01a".repeat(100));
        for _ in 0..20_000 {
            wire.send(&more);
        }
        assert!(wire.rest().is_some(), "a head without end is no reason to end");
    });
}

/// GET, http, / of the static table, and `:authority` as a literal (RFC 7541 6).
const REQUEST: &[u8] = b"\x82\x86\x84\x41\x09localhost";
