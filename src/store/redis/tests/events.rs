//! What replicas hear of each other.

use tokio::sync::broadcast::Receiver;

use super::servers::Program;
use super::*;

async fn hears(events: &mut Receiver<Event>, expected: Event) {
    let hearing = async { while events.recv().await.unwrap() != expected {} };
    let second = Duration::from_secs(1);
    tokio::time::timeout(second, hearing).await.unwrap_or_else(|_| panic!("{expected:?}"));
}

#[tokio::test]
async fn one_replica_hears_within_a_second_what_another_takes_away() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let (one, other) = (connect(&server), connect(&server));
    until_watching(&other).await;
    let (key, now) = (session(), contract::begin());
    one.put(key, contract::record(b"x", now, 60)).await.unwrap();
    let mut events = other.watch();
    one.take(key, now).await.unwrap().unwrap();
    hears(&mut events, Event::Gone(key)).await;
}

#[tokio::test]
async fn nobody_hears_of_what_had_expired_or_was_never_there() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    until_watching(&store).await;
    let now = contract::begin();
    let (expired, there) = (session(), session());
    for key in [expired, there] {
        store.put(key, contract::record(b"x", now, 60)).await.unwrap();
    }
    let mut events = store.watch();
    assert_eq!(store.take(expired, contract::after(now, 60)).await.unwrap(), None);
    assert_eq!(store.take(session(), now).await.unwrap(), None);
    store.take(there, now).await.unwrap().unwrap();
    assert_eq!(events.recv().await.unwrap(), Event::Gone(there));
}

#[tokio::test]
async fn noise_on_the_channel_is_no_event() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    until_watching(&store).await;
    let mut events = store.watch();
    for noise in ["x", "session:", "session:zz", "other:00"] {
        assert_eq!(server.ask(&format!("PUBLISH brama:events {noise}")), ":1");
    }
    let key = session();
    server.ask(&format!("PUBLISH brama:events {}", record::gone(key)));
    assert_eq!(events.recv().await.unwrap(), Event::Gone(key));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_cut_is_told_twice_and_comes_back() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    until_watching(&store).await;
    let mut events = store.watch();
    assert_eq!(server.ask("CLIENT KILL TYPE pubsub"), ":1");
    hears(&mut events, Event::Missed).await;
    hears(&mut events, Event::Missed).await;
    assert!(store.is_watching());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_hangs_is_lost_within_a_second() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect(&server);
    until_watching(&store).await;
    let mut events = store.watch();
    server.stop();
    hears(&mut events, Event::Missed).await;
    assert!(!store.is_watching());
    server.go_on();
    until_watching(&store).await;
    hears(&mut events, Event::Missed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_of_a_server_that_is_killed_is_lost_until_it_is_back() {
    let Some(program) = Program::redis() else { return };
    let mut server = Server::start(&program, "");
    let store = connect(&server);
    until_watching(&store).await;
    let mut events = store.watch();
    server.kill();
    hears(&mut events, Event::Missed).await;
    assert!(!store.is_watching());
    server.restart();
    until_watching(&store).await;
    hears(&mut events, Event::Missed).await;
}
