//! What waits, for how long, how much of it, and what is closed.

use std::net::{TcpListener, TcpStream};

use super::super::Upstreams;
use super::super::http2;
use super::super::upstream::{ServerAddress, ServerSettings, Settings};
use super::*;
use crate::wire::stream::Stream;

const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A group of one server.
fn group(max_idle: usize) -> (Arc<Group>, ServerId) {
    let address = ServerAddress::Socket("127.0.0.1:1".parse().unwrap());
    let mut settings = Settings::new("portal", vec![ServerSettings::from(address)]);
    (settings.pool.keep_alive, settings.pool.max_idle) = (KEEP_ALIVE, max_idle);
    let now = Instant::now();
    let group = Group::new(settings, now);
    let id = group.choose(None, now).unwrap().id();
    (group, id)
}

/// A stream to an upstream, and the upstream.
fn stream() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    ours.set_nonblocking(true).unwrap();
    let ours = tokio::net::TcpStream::from_std(ours).unwrap();
    (Stream::Tcp(ours), listener.accept().unwrap().0)
}

/// A connection, which of all it is, and its upstream.
fn connection() -> (Box<Connection>, *const Connection, TcpStream) {
    let (stream, upstream) = stream();
    let connection = Box::new(Connection::new(stream.split()));
    let which = std::ptr::from_ref(&*connection);
    (connection, which, upstream)
}

/// Keeps a connection since a moment.
fn kept(pool: &Pool, id: ServerId, since: Instant) -> (*const Connection, TcpStream) {
    let (connection, which, upstream) = connection();
    pool.put(id, connection, since);
    (which, upstream)
}

fn taken(pool: &Pool, id: ServerId, now: Instant) -> Option<Box<Connection>> {
    match pool.take(id, now)? {
        Pooled::Http1(connection) => Some(connection),
        Pooled::Http2(_) => panic!("it is of HTTP/2"),
    }
}

fn which(connection: Option<&Connection>) -> Option<*const Connection> {
    connection.map(std::ptr::from_ref)
}

fn number(pooled: Option<Pooled>) -> Option<u64> {
    match pooled? {
        Pooled::Http1(_) => panic!("it is of HTTP/1.1"),
        Pooled::Http2(multiplexed) => Some(multiplexed.number()),
    }
}

#[tokio::test]
async fn the_one_that_was_used_last_is_taken_and_none_twice() {
    let (group, id) = group(10);
    let (pool, now) = (Pool::new(&group), Instant::now());
    assert!(pool.take(id, now).is_none());
    let (first, _one) = kept(&pool, id, now);
    let (second, _two) = kept(&pool, id, now + Duration::from_secs(1));
    let later = now + Duration::from_secs(2);
    let taken = [(); 3].map(|()| taken(&pool, id, later));
    let [a, b, c] = taken.each_ref().map(|taken| which(taken.as_deref()));
    assert_eq!((a, b, c), (Some(second), Some(first), None));
}

#[tokio::test]
async fn a_connection_is_for_its_own_server_only() {
    let ((group, id), (_, other)) = (group(10), group(10));
    let (pool, now) = (Pool::new(&group), Instant::now());
    let (first, _upstream) = kept(&pool, id, now);
    assert!(pool.take(other, now).is_none());
    assert_eq!(which(taken(&pool, id, now).as_deref()), Some(first));
}

#[tokio::test]
async fn one_that_waited_too_long_or_was_hung_up_or_spoken_on_is_not_taken() {
    let (group, id) = group(10);
    let (pool, now) = (Pool::new(&group), Instant::now());
    let moment = Duration::from_millis(1);
    let (_, _upstream) = kept(&pool, id, now);
    assert!(taken(&pool, id, now + KEEP_ALIVE).is_none());
    assert_eq!(pool.waiting(), 0, "it is closed");
    let (good, _upstream) = kept(&pool, id, now);
    assert_eq!(which(taken(&pool, id, now + KEEP_ALIVE - moment).as_deref()), Some(good));

    // Those that are good for nothing hide no good one.
    let (good, _upstream) = kept(&pool, id, now);
    let (_, hung_up) = kept(&pool, id, now);
    drop(hung_up);
    let (_, mut talks) = kept(&pool, id, now);
    std::io::Write::write_all(&mut talks, b"HTTP/1.1 200 OK\r\n").unwrap();
    assert_eq!(which(taken(&pool, id, now).as_deref()), Some(good));
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test]
async fn no_more_wait_for_a_server_than_may() {
    let (group, id) = group(2);
    let (pool, now) = (Pool::new(&group), Instant::now());
    let (first, _one) = kept(&pool, id, now);
    let (second, _two) = kept(&pool, id, now);
    let (_, mut refused) = kept(&pool, id, now);
    assert_eq!(pool.waiting(), 2);
    assert_eq!(std::io::Read::read(&mut refused, &mut [0]).unwrap(), 0, "it was closed");
    let taken = [(); 3].map(|()| taken(&pool, id, now));
    let [a, b, c] = taken.each_ref().map(|taken| which(taken.as_deref()));
    assert_eq!((a, b, c), (Some(second), Some(first), None));

    let (none, id) = self::group(0);
    let pool = Pool::new(&none);
    let (_, _upstream) = kept(&pool, id, now);
    assert!(pool.take(id, now).is_none());
}

#[tokio::test]
async fn a_sweep_closes_what_is_good_for_nothing_and_nothing_else() {
    let (group, id) = group(10);
    let (_, gone) = self::group(10);
    let (pool, now) = (Pool::new(&group), Instant::now());
    let long_ago = now.checked_sub(KEEP_ALIVE).unwrap();
    let (_, _late) = kept(&pool, id, long_ago);
    let (_, hung_up) = kept(&pool, id, now);
    drop(hung_up);
    let (good, _upstream) = kept(&pool, id, now);
    let (_, _of_one_that_is_gone) = kept(&pool, gone, now);
    assert_eq!(pool.waiting(), 4);
    pool.sweep(&group, now);
    assert_eq!(pool.waiting(), 1);
    assert!(pool.lock().iter().all(|server| server.id == id), "a server that is gone is forgotten");
    assert_eq!(which(taken(&pool, id, now).as_deref()), Some(good));
}

async fn multiplexed(pool: &Pool, id: ServerId) -> (u64, TcpStream) {
    let (stream, upstream) = stream();
    let sender = http2::begin(stream).await.unwrap();
    (number(Some(pool.put_http2(id, sender))).unwrap(), upstream)
}

#[tokio::test]
async fn a_connection_for_many_is_kept_for_all_until_it_is_forgotten_or_closed() {
    let (group, id) = group(10);
    let (pool, now) = (Pool::new(&group), Instant::now());
    assert!(pool.take_multiplexed(id).is_none());
    let (first, _upstream) = multiplexed(&pool, id).await;
    // However often it is taken, however long it waited, and before any other.
    let (_, _other) = kept(&pool, id, now);
    for _ in 0..2 {
        assert_eq!(number(pool.take(id, now + 10 * KEEP_ALIVE)), Some(first));
        assert_eq!(number(pool.take_multiplexed(id)), Some(first));
    }
    pool.sweep(&group, now);
    assert_eq!(number(pool.take_multiplexed(id)), Some(first));

    // Whoever was told that the first is no good does not take the second from others.
    let (second, upstream) = multiplexed(&pool, id).await;
    assert_ne!(first, second);
    pool.forget(id, first);
    assert_eq!(number(pool.take_multiplexed(id)), Some(second));
    pool.forget(id, second);
    assert!(pool.take_multiplexed(id).is_none());
    assert!(taken(&pool, id, now).is_some(), "the others wait still");
    drop(upstream);
}

#[tokio::test]
async fn a_connection_for_many_that_was_closed_is_given_to_nobody_and_swept() {
    let (group, id) = group(10);
    let (pool, now) = (Pool::new(&group), Instant::now());
    for sweeps in [true, false] {
        let (_, upstream) = multiplexed(&pool, id).await;
        drop(upstream);
        let is_closed =
            || pool.lock().iter().any(|s| s.multiplexed.as_ref().unwrap().sender.is_closed());
        while !is_closed() {
            tokio::task::yield_now().await;
        }
        if sweeps {
            pool.sweep(&group, now);
            assert!(pool.lock().iter().all(|server| server.multiplexed.is_none()));
        }
        assert!(pool.take_multiplexed(id).is_none());
        assert!(pool.take(id, now).is_none());
    }
}

#[tokio::test]
async fn the_connections_to_all_portals_are_swept() {
    let (group, id) = group(10);
    let upstreams = Upstreams::new(&[Arc::clone(&group)]);
    let (pool, now) = (&upstreams.get(0).pool, Instant::now());
    let (_, _late) = kept(pool, id, now.checked_sub(KEEP_ALIVE).unwrap());
    let (good, _upstream) = kept(pool, id, now);
    upstreams.sweep();
    assert_eq!(pool.waiting(), 1);
    assert_eq!(which(taken(pool, id, now).as_deref()), Some(good));
}
