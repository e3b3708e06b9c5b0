//! WebSockets over HTTP/2 whose sides vanish, or take nothing: what a tunnel holds goes with its
//! stream.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::harness::http_2::{
    DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    begin, block, frame, read,
};
use crate::harness::{Gateway, PATIENCE, Plan, Wire};

/// A portal that agrees to every WebSocket, and stays whatever its client does.
struct Agreeing {
    address: SocketAddr,
    opened: Receiver<TcpStream>,
}

impl Agreeing {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, opened) = channel();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                stream
                    .write_all(
                        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                          Upgrade: websocket\r\n\r\n",
                    )
                    .unwrap();
                if tell.send(stream).is_err() {
                    return;
                }
            }
        });
        Self { address, opened }
    }

    fn gateway(&self, listen: &str) -> Gateway {
        Plan::before(&format!("http://{}", self.address)).listen(listen).start()
    }

    /// Opens a tunnel on this stream; returns the portal's end of it.
    fn open(&self, wire: &mut Wire, stream: u32) -> TcpStream {
        ask(wire, stream);
        let answer = next(wire, stream);
        // RFC 7541 appendix A: 8 is `:status: 200`.
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, 0x80 | 8));
        self.opened.recv_timeout(PATIENCE).unwrap()
    }
}

/// Asks for a tunnel.
fn ask(wire: &mut Wire, stream: u32) {
    let head = block([
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/ws"),
        (":authority", "localhost"),
        ("sec-websocket-version", "13"),
    ]);
    wire.send(&frame(HEADERS, END_HEADERS, stream, &head));
}

/// Reads the next frame of a stream.
fn next(wire: &mut Wire, stream: u32) -> Frame {
    loop {
        let frame = read(wire).unwrap();
        if frame.stream == stream && frame.kind != WINDOW_UPDATE {
            return frame;
        }
    }
}

/// Takes a stream back: CANCEL.
fn take_back(wire: &mut Wire, stream: u32) {
    wire.send(&frame(RST_STREAM, 0, stream, &CANCEL));
}

const CANCEL: [u8; 4] = [0, 0, 0, 8];

#[test]
fn a_tunnel_begins_with_a_date() {
    let portal = Agreeing::start();
    let gateway = portal.gateway("");
    let mut wire = begin(gateway.connect());
    ask(&mut wire, 1);
    // RFC 7541 appendix A: 33 is `date`, with a value of its own (6.2.1).
    assert_eq!(next(&mut wire, 1).payload[..2], [0x80 | 8, 0x40 | 33]);
}

#[test]
fn a_tunnel_goes_with_its_stream_and_with_its_connection() {
    let portal = Agreeing::start();
    let gateway = portal.gateway("");
    let before = gateway.open_descriptors();
    for has_ended in [None, Some(false), Some(true)] {
        let mut wire = begin(gateway.connect());
        let streams: Vec<_> = (0..10).map(|number| 2 * number + 1).collect();
        let kept: Vec<_> = streams.iter().map(|&stream| portal.open(&mut wire, stream)).collect();
        assert!(gateway.open_descriptors() >= before + streams.len());
        let wire = match has_ended {
            None => {
                streams.iter().for_each(|&stream| take_back(&mut wire, stream));
                Some(wire)
            }
            Some(true) => {
                // Those that have said their last would still listen, were they there.
                let end = |&stream: &u32| wire.send(&frame(DATA, END_STREAM, stream, b""));
                streams.iter().for_each(end);
                for mut portal in &kept {
                    assert_eq!(portal.read(&mut [0]).unwrap(), 0);
                }
                drop(wire);
                None
            }
            Some(false) => {
                drop(wire);
                None
            }
        };
        // The portal does not end them by itself.
        let deadline = Instant::now() + PATIENCE;
        while gateway.open_descriptors() > before + 2 {
            let open = gateway.open_descriptors();
            assert!(Instant::now() < deadline, "{open}, {before} before; ended: {has_ended:?}");
            thread::sleep(Duration::from_millis(20));
        }
        drop((wire, kept));
    }
}

#[test]
fn a_connection_whose_tunnels_were_taken_back_is_idle() {
    let portal = Agreeing::start();
    let gateway = portal.gateway("idle_timeout = \"1s\"");
    let mut wire = begin(gateway.connect());
    let _kept = portal.open(&mut wire, 1);
    take_back(&mut wire, 1);
    while read(&mut wire).expect("a word of leave").kind != GOAWAY {}
}

#[test]
fn a_side_that_breaks_off_is_told_from_one_that_ends() {
    let portal = Agreeing::start();
    let gateway = portal.gateway("");
    let mut wire = begin(gateway.connect());
    // A portal that ends, and one that breaks off.
    let (ends, breaks) = (portal.open(&mut wire, 1), portal.open(&mut wire, 3));
    drop(ends);
    let end = next(&mut wire, 1);
    assert_eq!((end.kind, end.flags), (DATA, END_STREAM), "{end:?}");
    SockRef::from(&breaks).set_linger(Some(Duration::ZERO)).unwrap();
    drop(breaks);
    let end = next(&mut wire, 3);
    assert_eq!((end.kind, &*end.payload), (RST_STREAM, &CANCEL[..]), "{end:?}");
    // A client that has said its last still listens.
    let mut listened_to = portal.open(&mut wire, 5);
    wire.send(&frame(DATA, END_STREAM, 5, b"question"));
    let mut heard = String::new();
    listened_to.read_to_string(&mut heard).unwrap();
    listened_to.write_all(b"answer").unwrap();
    assert_eq!((&*heard, &*next(&mut wire, 5).payload), ("question", &b"answer"[..]));
    // What one sent before it took its stream back goes on.
    let mut left = portal.open(&mut wire, 7);
    wire.send(&[frame(DATA, 0, 7, b"last"), frame(RST_STREAM, 0, 7, &CANCEL)].concat());
    let mut heard = [0; 4];
    left.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"last");
    assert!(matches!(left.read(&mut heard), Ok(0) | Err(_)));
}

#[test]
fn a_tunnel_of_which_a_client_takes_nothing_is_given_up_and_no_other() {
    let portal = Agreeing::start();
    let gateway = portal.gateway("stall_timeout = \"1s\"");
    let mut wire = begin(gateway.connect());
    // RFC 9113 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE.
    wire.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    let (mut stuck, mut taken) = (portal.open(&mut wire, 1), portal.open(&mut wire, 3));
    for portal in [&mut stuck, &mut taken] {
        portal.write_all(b"hello").unwrap();
    }
    let open = |wire: &mut Wire| wire.send(&frame(WINDOW_UPDATE, 0, 3, &[0, 0, 0, 5]));
    open(&mut wire);
    assert_eq!(next(&mut wire, 3).payload, b"hello");
    let end = next(&mut wire, 1);
    assert_eq!((end.kind, &*end.payload), (RST_STREAM, &CANCEL[..]), "{end:?}");
    assert!(matches!(stuck.read(&mut [0]), Ok(0) | Err(_)));
    open(&mut wire);
    taken.write_all(b"again").unwrap();
    assert_eq!(next(&mut wire, 3).payload, b"again");
}
