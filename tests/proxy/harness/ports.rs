//! Ports that nobody has.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Returns an address of loopback that nobody listens on.
///
/// The system's own choice (port 0) comes from the range that outgoing connections take their ports
/// from, so it could be taken again before a program binds it. These lie below that range, and
/// tests that run at the same time begin at different places.
pub(crate) fn free_address() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..RANGE {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(97).wrapping_add(step) % RANGE;
        let port = u16::try_from(FIRST + offset).expect("the range ends below 32768");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port from {FIRST} on");
}

const FIRST: u32 = 10_000;
const RANGE: u32 = 20_000;
