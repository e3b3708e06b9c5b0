//! One server, and everything that can happen to it.

use tokio::time::Instant;

use super::servers::{Firewall, Program, free_port, parrot};
use super::*;

/// Within what time every answer comes: the timeout of a command, and something for a busy machine.
const BOUND: Duration = Duration::from_millis(900);

async fn in_time<T>(work: Work<'_, T>) -> Result<T, Unavailable> {
    tokio::time::timeout(BOUND, work).await.expect("there is an answer in time")
}

async fn is_unavailable<T: std::fmt::Debug>(work: Work<'_, T>, with: &str) {
    let Unavailable(text) = in_time(work).await.unwrap_err();
    assert!(text.contains(with), "{text}");
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_used_when_it_comes() {
    let Some(program) = Program::redis() else { return };
    let port = free_port();
    let address = Address { host: "127.0.0.1".to_owned(), port };
    let store = Redis::connect(settings(&[&address])).unwrap();
    let now = contract::begin();
    is_unavailable(store.check(), "refused").await;
    is_unavailable(store.get(session(), now), "refused").await;
    assert!(!store.is_watching());
    let _server = Server::start_with(&program, port, &format!("port {port}"), &[]);
    until_used(&store).await;
    until_watching(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_restarts_empty_is_used_again() {
    let Some(program) = Program::redis() else { return };
    let mut server = Server::start(&program, "");
    let store = connect(&server);
    let (key, now) = (session(), contract::begin());
    store.put(key, contract::record(b"x", now, 60)).await.unwrap();
    server.kill();
    for _ in 0..3 {
        is_unavailable(store.get(key, now), &server.address.to_string()).await;
        is_unavailable(store.put(key, contract::record(b"x", now, 60)), "").await;
        is_unavailable(store.take(key, now), "").await;
        is_unavailable(store.check(), "").await;
    }
    server.restart();
    until_used(&store).await;
    assert_eq!(store.get(key, now).await.unwrap(), None, "it forgot everything");
    // It forgot the scripts too.
    store.put(key, contract::record(b"y", now, 60)).await.unwrap();
    let touch = Touch { key, alive: 1, expires: contract::after(now, 90) };
    assert_eq!(server.ask("SCRIPT FLUSH"), "+OK");
    store.touch(vec![touch]).await.unwrap();
    assert!(store.get(key, contract::after(now, 80)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_left_alone_and_used_again() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    let (key, now) = (session(), contract::begin());
    store.put(key, contract::record(b"x", now, 60)).await.unwrap();
    server.stop();
    for _ in 0..breaker::PATIENCE {
        is_unavailable(store.get(key, now), "did not answer within 500 ms").await;
    }
    // No request waits any more.
    let begin = Instant::now();
    for _ in 0..100 {
        is_unavailable(store.get(key, now), "left alone").await;
    }
    assert!(begin.elapsed() < breaker::PAUSE, "{:?}", begin.elapsed());
    server.go_on();
    until_used(&store).await;
    assert!(store.get(key, now).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_before_a_server_that_hangs_is_bounded_and_answered_in_time() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    // Long enough for all of them to have come, also on a busy machine.
    let timeout = Duration::from_secs(3);
    let settings = Settings { command_timeout: timeout, ..settings(&[&server.address]) };
    let store = Arc::new(Redis::connect(settings).unwrap());
    until_used(&store).await;
    server.stop();
    let (key, now) = (session(), contract::begin());
    let crowd = (0..5000).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let begin = Instant::now();
            let Unavailable(text) = store.get(key, now).await.unwrap_err();
            (text, begin.elapsed())
        })
    });
    let crowd: Vec<_> = crowd.collect();
    // What this machine makes of such a time at the moment.
    let sleeper = tokio::spawn(async move {
        let begin = Instant::now();
        tokio::time::sleep(timeout).await;
        begin.elapsed()
    });
    let answers: Vec<_> = join_all(crowd).await.into_iter().map(Result::unwrap).collect();
    let slept = sleeper.await.unwrap();
    let last = answers.iter().map(|(_, took)| *took).max().unwrap();
    assert!(last < slept + timeout, "{last:?}, where {timeout:?} took {slept:?}");
    let texts: Vec<_> = answers.into_iter().map(|(text, _)| text).collect();
    // As many as may wait do, and some that come when the first of them have given up.
    let is_at_once = |text: &str| text.contains("too much") || text.contains("left alone");
    let waited = texts.iter().filter(|text| !is_at_once(text)).count();
    assert!((1000..1100).contains(&waited), "{waited} waited");
    server.go_on();
    until_used(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_is_waited_for_within_the_timeout() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "enable-debug-command local");
    let store = connect(&server);
    until_used(&store).await;
    let asleep = std::thread::spawn(move || {
        server.ask("DEBUG SLEEP 0.2");
        server
    });
    for _ in 0..20 {
        in_time(store.get(session(), contract::begin())).await.unwrap();
    }
    asleep.join().unwrap();
}

#[tokio::test]
async fn a_full_server_says_so_and_still_lets_citizens_sign_out() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    let (key, other, now) = (session(), session(), contract::begin());
    let kept = Record { owner: Some([1; 32]), ..contract::record(b"x", now, 60) };
    store.put(key, kept.clone()).await.unwrap();
    store.put(other, kept.clone()).await.unwrap();
    assert_eq!(server.ask("CONFIG SET maxmemory 1"), "+OK");
    let new = || contract::record(b"y", now, 60);
    is_unavailable(store.put(key, new()), "is full").await;
    is_unavailable(store.put_new(session(), new(), now), "is full").await;
    is_unavailable(store.swap(key, kept.sealed.clone(), new(), now), "is full").await;
    let touch = Touch { key, alive: i64::MAX, expires: contract::after(now, 90) };
    is_unavailable(store.touch(vec![touch]), "is full").await;
    is_unavailable(store.check(), "is full").await;
    // What was there is as it was, and can be taken away.
    assert_eq!(store.get(key, now).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.owned(Kind::Session, [1; 32], 9, now).await.unwrap().len(), 2);
    assert_eq!(store.take(key, now).await.unwrap(), Some(kept));
    assert_eq!(server.ask("CONFIG SET maxmemory 0"), "+OK");
    store.put(key, new()).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_replica_takes_nothing_in() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    let (key, now) = (session(), contract::begin());
    store.put(key, contract::record(b"x", now, 60)).await.unwrap();
    assert_eq!(server.ask("REPLICAOF 127.0.0.1 1"), "+OK");
    is_unavailable(store.put(key, contract::record(b"y", now, 60)), "is a replica").await;
    is_unavailable(store.take(key, now), "is a replica").await;
    is_unavailable(store.check(), "is a replica").await;
    assert_eq!(server.ask("REPLICAOF NO ONE"), "+OK");
    assert!(store.take(key, now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_without_its_replicas_takes_nothing_in_when_it_was_told_so() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "min-replicas-to-write 1");
    let store = connect(&server);
    let now = contract::begin();
    is_unavailable(store.put(session(), contract::record(b"x", now, 60)), "too few replicas").await;
    is_unavailable(store.check(), "too few replicas").await;
}

#[tokio::test]
async fn what_others_wrote_is_not_taken_for_nothing() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    let (key, now) = (session(), contract::begin());
    let name = store.names.record(key);
    assert_eq!(server.ask(&format!("HSET {name} s x e 1")), ":2");
    is_unavailable(store.get(key, now), "somebody else").await;
    assert_eq!(server.ask(&format!("DEL {name}")), ":1");
    assert_eq!(server.ask(&format!("SET {name} x")), "+OK");
    is_unavailable(store.get(key, now), "WRONGTYPE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_that_is_forgotten_on_the_way_does_no_harm_for_long() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let firewall = Firewall::before(&server).await;
    let store = Redis::connect(settings(&[&firewall.address])).unwrap();
    // The first connection listens; the second and third are the pool.
    until_watching(&store).await;
    let ask = || in_time(store.get(session(), contract::begin()));
    for _ in 0..4 {
        ask().await.unwrap();
    }
    firewall.forget(2);
    let mut failed = 0;
    for _ in 0..20 {
        failed += u32::from(ask().await.is_err());
    }
    assert_eq!(failed, breaker::PATIENCE);
    assert!(store.is_watching());
    // The one that listens is missed as well.
    let mut events = store.watch();
    firewall.forget(1);
    let missed = tokio::time::timeout(Duration::from_secs(1), events.recv()).await;
    assert_eq!(missed.expect("within a second").unwrap(), Event::Missed);
    until_watching(&store).await;
}

#[tokio::test]
async fn odd_answers_are_neither_yes_nor_no() {
    let answers: [(&[u8], &str); 11] = [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "is loading its data"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "lost its master"),
        (b"-MISCONF Errors writing to the AOF file\r\n", "cannot write to its disk"),
        (b"-BUSY Redis is busy running a script\r\n", "is busy"),
        (b"-NOSCRIPT No matching script\r\n", "forgets scripts"),
        (b"-MOVED 1 127.0.0.1:1\r\n", "is it a cluster?"),
        (b"-MOVED nonsense\r\n", "without an address"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ""),
        (b"+OK\r\n", "something"),
        (b":7\r\n", "something"),
        (b"*1000000000\r\n", ""),
    ];
    let now = contract::begin();
    for (answer, text) in answers {
        let store = Redis::connect(settings(&[&parrot(answer).await])).unwrap();
        is_unavailable(store.put(session(), contract::record(b"x", now, 60)), text).await;
        let reading = in_time(store.get(session(), now)).await;
        assert!(reading.is_err(), "{reading:?}");
        in_time(store.take(session(), now)).await.unwrap_err();
        in_time(store.touch(vec![Touch { key: session(), alive: 1, expires: now }])).await.ok();
        in_time(store.list(Kind::Session, None, 9, now)).await.unwrap_err();
        assert!(!store.is_watching());
    }
}

#[tokio::test]
async fn a_cluster_that_sends_on_in_circles_is_given_up() {
    let slots = b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n";
    for answer in
        [&slots[..], b"-MOVED 1 :1\r\n", b"-CLUSTERDOWN The cluster is down\r\n", b"*0\r\n"]
    {
        let address = parrot(answer).await;
        let store = Redis::connect(Settings::new(Mode::Cluster, vec![address])).unwrap();
        in_time(store.get(session(), contract::begin())).await.unwrap_err();
        in_time(store.check()).await.unwrap_err();
    }
}
