//! Who may ask at a door, by the address that a connection comes from: everybody else's is closed
//! before anything is read of it, so that strangers hold none of the connections there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::{OVER_HTTP, Question, words};
use crate::harness::{Gateway, NoAnswer, Plan, Wire, free_address, tools};

/// Where the proxy is that may ask, and where somebody else is.
const NAMED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// More than the 1,024 connections of a worker.
const MANY: usize = 1_100;

/// A gateway with doors at which one address may ask.
fn gateway(doors: &[(&str, SocketAddr)], workers: usize) -> Gateway {
    let mut plan = Plan::empty().listen(&format!("workers = {workers}"));
    for (door, address) in doors {
        let lines = format!("listen = \"{address}\"\ntrusted = [\"{NAMED}/32\"]");
        plan = plan.companion(door, &lines);
    }
    plan.permitted("/", "public").start()
}

/// Connects to a door from an address of this machine.
fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

/// Asks, and returns the status of what is answered.
fn ask(from: IpAddr, (door, address): (&str, SocketAddr)) -> Result<u16, NoAnswer> {
    let mut wire = Wire::over(connect(from, address));
    wire.send(words(door, Question::script("/"), "").as_bytes());
    wire.try_answer("GET").map(|answer| answer.status)
}

#[test]
fn only_those_who_are_named_may_ask() {
    let doors = OVER_HTTP.map(|door| (door, free_address()));
    let gateway = gateway(&doors, 2);
    for door in doors {
        assert_eq!(ask(NAMED, door), Ok(200), "{door:?}");
        let refused = ask(STRANGER, door);
        assert!(refused.is_err(), "{door:?}: {refused:?}");
    }
    gateway.has_said(&["companion.not_trusted", "peer=127.0.0.1", "trusted of [[companion]]"]);
}

#[test]
fn strangers_hold_no_connection_of_those_who_may_ask() {
    tools::allow_descriptors(4_096);
    let door = ("traefik", free_address());
    let gateway = gateway(&[door], 1);
    let idle = gateway.open_descriptors();
    // They say nothing, and keep what they have.
    let strangers: Vec<_> = (0..MANY).map(|_| connect(STRANGER, door.1)).collect();
    assert_eq!(ask(NAMED, door), Ok(200));
    for stranger in strangers {
        // It has ended already, which a client hears as an end or a reset.
        let mut wire = Wire::over(stranger);
        assert_eq!(wire.try_answer("GET").unwrap_err(), NoAnswer::Closed);
    }
    assert!(gateway.open_descriptors() <= idle + 2, "{}", gateway.open_descriptors());
    let told = gateway.program.said();
    let told = told.iter().filter(|line| line.contains("companion.not_trusted"));
    assert_eq!(told.count(), 1, "once a minute is enough");
}

#[test]
fn those_who_may_ask_have_the_connections_to_themselves_and_no_more_than_there_are() {
    tools::allow_descriptors(4_096);
    let door = ("traefik", free_address());
    let gateway = gateway(&[door], 1);
    let idle = gateway.open_descriptors();
    let _kept: Vec<_> = (0..MANY).map(|_| connect(NAMED, door.1)).collect();
    let deadline = std::time::Instant::now() + crate::harness::PATIENCE;
    while gateway.open_descriptors() < idle + 1_000 {
        assert!(std::time::Instant::now() < deadline, "{}", gateway.open_descriptors());
    }
    assert!(gateway.open_descriptors() <= idle + 1_024, "{}", gateway.open_descriptors());
}
