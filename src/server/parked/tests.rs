//! Who wakes, who is closed, and who is left, with sockets of the kernel.

use std::cell::RefCell;
use std::io::Read as _;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::base::shutdown::shutdown;

/// A parking whose connections have numbers, and what was woken.
struct Lot {
    parking: Rc<Parking<usize>>,
    listener: TcpListener,
    woken: Rc<RefCell<Vec<(std::net::TcpStream, usize)>>>,
}

impl Lot {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { parking: Rc::new(Parking::new().unwrap()), listener, woken: Rc::default() }
    }

    /// Has a connection wait for so long; returns its client.
    async fn wait(&self, number: usize, time: Duration) -> TcpStream {
        let address = self.listener.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let (socket, _) = self.listener.accept().await.unwrap();
        self.parking.park(socket, Instant::now() + time, number).unwrap();
        client
    }

    /// Has it served until the test has gone on so far.
    async fn serve_while(&self, stop: &Shutdown, test: impl Future<Output = ()>) {
        let woken = |socket, number| self.woken.borrow_mut().push((socket, number));
        tokio::select! {
            () = self.parking.serve(stop.clone(), woken) => {}
            () = test => {}
        }
    }

    async fn until_woken(&self, count: usize) {
        while self.woken.borrow().len() < count {
            tokio::task::yield_now().await;
        }
    }

    fn numbers(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = self.woken.borrow().iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    fn waiting(&self) -> (usize, usize) {
        let table = self.parking.lock();
        (table.rows.len(), table.ends.len())
    }
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn whoever_sends_something_wakes_and_nobody_else() {
    let (lot, (_stopper, stop)) = (Lot::new().await, shutdown());
    // More than are taken in one go, and some that had sent before they were parked.
    let mut clients = Vec::new();
    for number in 0..AT_ONCE * 3 {
        clients.push(lot.wait(number, LONG).await);
        if number % 2 == 0 {
            clients[number].write_all(b"x").await.unwrap();
        }
    }
    let awake = AT_ONCE * 3 / 2;
    lot.serve_while(&stop, lot.until_woken(awake)).await;
    assert_eq!(lot.numbers(), (0..AT_ONCE * 3).step_by(2).collect::<Vec<_>>());
    assert_eq!(lot.waiting(), (awake, awake));
    for (socket, _) in lot.woken.borrow_mut().iter_mut() {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }
    // The others wake later.
    for client in clients.iter_mut().skip(1).step_by(2) {
        client.write_all(b"y").await.unwrap();
    }
    lot.serve_while(&stop, lot.until_woken(AT_ONCE * 3)).await;
    assert_eq!(lot.waiting(), (0, 0));
    assert_eq!(lot.parking.lock().rows.capacity(), 0, "no room is kept when all have gone");
}

#[tokio::test]
async fn whoever_leaves_is_forgotten_and_whoever_said_something_before_is_not() {
    let (lot, (_stopper, stop)) = (Lot::new().await, shutdown());
    let (left, mut silent) = (lot.wait(0, LONG).await, lot.wait(1, LONG).await);
    let (mut last_words, _stays) = (lot.wait(2, LONG).await, lot.wait(3, LONG).await);
    drop(left);
    silent.shutdown().await.unwrap();
    last_words.write_all(b"x").await.unwrap();
    last_words.shutdown().await.unwrap();
    lot.serve_while(&stop, lot.until_woken(1)).await;
    // The kernel may tell of them by turns.
    lot.serve_while(&stop, async {
        assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "closed on our side");
    })
    .await;
    assert_eq!((lot.numbers(), lot.waiting()), (vec![2], (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn whoever_has_waited_long_enough_is_closed() {
    let (lot, (_stopper, stop)) = (Lot::new().await, shutdown());
    let begin = Instant::now();
    let mut long = lot.wait(0, Duration::from_secs(75)).await;
    lot.serve_while(&stop, tokio::time::sleep(Duration::from_secs(5))).await;
    // One that comes later has less time.
    let mut short = lot.wait(1, Duration::from_secs(10)).await;
    for (client, seconds) in [(&mut short, 15), (&mut long, 75)] {
        lot.serve_while(&stop, async {
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            assert_eq!(begin.elapsed().as_secs(), seconds);
        })
        .await;
    }
    assert_eq!((lot.numbers(), lot.waiting()), (vec![], (0, 0)));
}

#[tokio::test]
async fn whoever_asks_in_the_moment_when_its_time_is_over_wakes() {
    let (lot, (_stopper, stop)) = (Lot::new().await, shutdown());
    for number in 0..20 {
        let mut asks = lot.wait(number, Duration::ZERO).await;
        let mut silent = lot.wait(usize::MAX, Duration::ZERO).await;
        asks.write_all(b"x").await.unwrap();
        // Both are over by now, and what was asked is there; nobody has looked since.
        lot.serve_while(&stop, async {
            lot.until_woken(number + 1).await;
            assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
        })
        .await;
    }
    assert_eq!((lot.numbers(), lot.waiting()), ((0..20).collect(), (0, 0)));
}

#[tokio::test]
async fn on_a_stop_those_that_asked_wake_the_rest_is_closed_and_nobody_comes_any_more() {
    let (lot, (stopper, stop)) = (Lot::new().await, shutdown());
    let mut clients = Vec::new();
    for number in 0..AT_ONCE * 2 {
        clients.push(lot.wait(number, LONG).await);
    }
    for client in &mut clients[AT_ONCE / 2..] {
        client.write_all(b"x").await.unwrap();
    }
    stopper.stop();
    lot.serve_while(&stop, pending()).await;
    assert_eq!(lot.numbers(), (AT_ONCE / 2..AT_ONCE * 2).collect::<Vec<_>>());
    for client in &mut clients[..AT_ONCE / 2] {
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }
    let (address, late) = (lot.listener.local_addr().unwrap(), AT_ONCE * 2);
    let _client = TcpStream::connect(address).await.unwrap();
    let (socket, _) = lot.listener.accept().await.unwrap();
    let refused = lot.parking.park(socket, Instant::now() + LONG, late);
    assert_eq!(refused.unwrap_err().1, late);
}
