//! What citizens see while Redis is away, slow or full, and afterwards: the table in
//! `docs/sessions.md`, row by row. Each row is four questions: a page with a session that this
//! replica knows, a page with one that it does not know, a login, a sign-out; and what operators
//! see.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Replicas, is_of_portal, page, replicas, until_status};
use crate::harness::redis::{Redis, SECRET, SlowWay, Watched, redis_at};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Citizen, Gateway, PATIENCE, sign_in};

/// Within what time an answer comes although the store does not: two commands that time out, and
/// something for a busy machine.
const BOUND: Duration = Duration::from_secs(3);

/// Signs a citizen out, as the button on our page does.
pub(super) fn sign_out(gateway: &Gateway, host: &str, cookie: &str) -> Answer {
    let mut wire = gateway.connect();
    wire.send(
        format!(
            "POST /.brama/logout HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nCookie: {cookie}\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    wire.answer("POST")
}

/// Waits until readiness says this; it is 200 in any case.
fn until_ready_says(gateway: &Gateway, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut wire = gateway.operations();
        wire.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = wire.answer("GET");
        assert_eq!(answer.status, 200);
        if answer.text() == text {
            return;
        }
        assert!(Instant::now() < deadline, "{}", answer.text());
        sleep(Duration::from_millis(20));
    }
}

const READY: &str = "ready\n";
const AWAY: &str = "ready, but the session store is away\n";

/// The page that says that it is worth to try again, and nothing else: neither a login nor the
/// portal.
fn is_put_off(answer: &Answer) -> bool {
    answer.status == 503
        && answer.header("retry-after").is_some()
        && answer.header("location").is_none()
        && answer.text().contains("session.store_unavailable")
}

#[track_caller]
pub(super) fn put_off(answer: &Answer) {
    assert!(is_put_off(answer), "{} {}", answer.status, answer.text());
}

#[track_caller]
pub(super) fn passes(answer: &Answer) {
    assert!(answer.status == 200 && is_of_portal(answer), "{} {}", answer.status, answer.text());
}

/// The log says once each that the store is away and that it is back.
#[track_caller]
fn logged_once(gateway: &Gateway, reason: &str) {
    let said = gateway.program.said();
    let away: Vec<_> = said.iter().filter(|line| line.contains("session store is away")).collect();
    assert!(away.len() == 1 && away[0].contains(reason), "{reason}: {away:?}");
    assert_eq!(said.iter().filter(|line| line.contains("session store is back")).count(), 1);
}

/// The row of a store that does not answer: who was here goes on, everybody else is put off in
/// time.
fn nothing_answers(replicas: &Replicas, (known, unknown): (&str, &str), undisturbed: Duration) {
    let host = replicas.one.host();
    let began = Instant::now();
    put_off(&page(&replicas.two, &host, "/account", known));
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    passes(&page(&replicas.one, &host, "/account", known));
    for gateway in [&replicas.one, &replicas.two] {
        until_ready_says(gateway, AWAY);
    }
    // 1. Whoever was here does not wait.
    does_not_wait(&replicas.one, &host, known, undisturbed);
    // 2. Everybody else is put off: nobody is let in, and nobody is sent to the node.
    for (cookie, path) in [(known, "/account"), (unknown, "/account"), ("", "/.brama/login")] {
        let began = Instant::now();
        put_off(&page(&replicas.two, &host, path, cookie));
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    }
    put_off(&page(&replicas.two, &host, "/account", ""));
    passes(&page(&replicas.two, &host, "/public/x", known));
    // 3. Nobody is told to be signed out who may not be.
    let began = Instant::now();
    let signed_out = sign_out(&replicas.one, &host, unknown);
    put_off(&signed_out);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert!(signed_out.header("set-cookie").is_none(), "the cookie stays, and can be tried again");
}

/// Returns how long a page takes a citizen who was here, three times of four.
fn typical(gateway: &Gateway, host: &str, cookie: &str) -> Duration {
    let mut took: Vec<_> = (0..20)
        .map(|_| {
            let began = Instant::now();
            passes(&page(gateway, host, "/account", cookie));
            let took = began.elapsed();
            sleep(Duration::from_millis(50));
            took
        })
        .collect();
    took.sort_unstable();
    took[15]
}

/// Whoever was here does not wait for the store: what a page takes is a matter of the machine.
#[track_caller]
fn does_not_wait(gateway: &Gateway, host: &str, cookie: &str, undisturbed: Duration) {
    let took = typical(gateway, host, cookie);
    let most = (RATIO * undisturbed).max(SHORTEST);
    assert!(took < most, "{took:?}, and {undisturbed:?} while the store was well");
}

/// How much longer than usual a page may take, and what is not too long on any machine.
const RATIO: u32 = 5;
const SHORTEST: Duration = Duration::from_millis(200);

/// Everything works: a new login at one, a page at the other, a sign-out that both notice.
fn everything_works(replicas: &Replicas) {
    let host = replicas.one.host();
    let deadline = Instant::now() + PATIENCE;
    while page(&replicas.one, &host, "/.brama/login", "").status != 200 {
        assert!(Instant::now() < deadline, "nobody can sign in");
        sleep(Duration::from_millis(20));
    }
    let cookie = sign_in(&replicas.one, "anna");
    passes(&page(&replicas.one, &host, "/account", &cookie));
    until_status(&replicas.two, &host, &cookie, 200, PATIENCE);
    let signed_out = sign_out(&replicas.two, &host, &cookie);
    assert_eq!(signed_out.status, 200, "{}", signed_out.text());
    let deadline = Instant::now() + Duration::from_secs(3);
    for gateway in [&replicas.one, &replicas.two] {
        while is_of_portal(&page(gateway, &host, "/account", &cookie)) {
            assert!(Instant::now() < deadline, "it goes on");
            sleep(Duration::from_millis(10));
        }
        until_ready_says(gateway, READY);
    }
}

#[test]
fn redis_is_killed_and_comes_back_empty() {
    let Some((mut redis, replicas)) = replicas("recorder.py") else { return };
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    passes(&page(&replicas.one, &host, "/account", &known));
    let undisturbed = typical(&replicas.one, &host, &known);
    redis.kill();
    nothing_answers(&replicas, (&known, &other), undisturbed);
    passes(&page(&replicas.one, &host, "/account", &other));
    // What was in it is gone, so everybody signs in again, once.
    redis.start_again();
    for gateway in [&replicas.one, &replicas.two] {
        until_ready_says(gateway, READY);
    }
    let deadline = Instant::now() + PATIENCE;
    while is_of_portal(&page(&replicas.one, &host, "/account", &known)) {
        assert!(Instant::now() < deadline, "an ended session goes on");
        sleep(Duration::from_millis(20));
    }
    for gateway in [&replicas.one, &replicas.two] {
        let asked = page(gateway, &host, "/account", &known);
        assert!(asked.status == 200 && asked.text().contains("SAMLRequest"), "{}", asked.text());
    }
    let gone = sign_out(&replicas.one, &host, &other);
    assert!(gone.status == 200 && gone.header("set-cookie").is_some(), "{}", gone.text());
    everything_works(&replicas);
    logged_once(&replicas.one, "refused");
}

#[test]
fn redis_is_killed_and_comes_back_as_it_was() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let replicas = Replicas::start("recorder.py", &redis.store());
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    passes(&page(&replicas.one, &host, "/account", &known));
    redis.kill();
    put_off(&page(&replicas.two, &host, "/account", &known));
    put_off(&sign_out(&replicas.one, &host, &other));
    redis.start_again();
    // Also who tried to sign out is still signed in, as they were told.
    for cookie in [&known, &other] {
        until_status(&replicas.two, &host, cookie, 200, PATIENCE);
        passes(&page(&replicas.one, &host, "/account", cookie));
    }
    everything_works(&replicas);
    passes(&page(&replicas.one, &host, "/account", &known));
}

#[test]
fn redis_hangs() {
    let Some((redis, replicas)) = replicas("recorder.py") else { return };
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    passes(&page(&replicas.one, &host, "/account", &known));
    let undisturbed = typical(&replicas.one, &host, &known);
    redis.program.signal("STOP");
    nothing_answers(&replicas, (&known, &other), undisturbed);
    redis.program.signal("CONT");
    until_status(&replicas.two, &host, &known, 200, PATIENCE);
    everything_works(&replicas);
    logged_once(&replicas.one, "did not answer");
}

#[test]
fn redis_answers_after_300_milliseconds_and_after_5_seconds() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    let way = SlowWay::to(redis.address);
    let replicas = Replicas::start("recorder.py", &redis_at(way.address));
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    let undisturbed = typical(&replicas.one, &host, &known);
    // 1. A slow store is waited for, but not by those who are here.
    way.delay(Duration::from_millis(300));
    does_not_wait(&replicas.one, &host, &known, undisturbed);
    until_status(&replicas.two, &host, &known, 200, PATIENCE);
    everything_works(&replicas);
    // 2. One that is too slow is as good as one that hangs.
    way.delay(Duration::ZERO);
    let known = sign_in(&replicas.one, "anna");
    way.delay(Duration::from_secs(5));
    nothing_answers(&replicas, (&known, &other), undisturbed);
    way.delay(Duration::ZERO);
    until_status(&replicas.two, &host, &known, 200, PATIENCE);
    passes(&page(&replicas.one, &host, "/account", &known));
    everything_works(&replicas);
}

#[test]
fn redis_is_full() {
    let Some((redis, replicas)) = replicas("recorder.py") else { return };
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    // Somebody is on the way at the moment when it becomes full.
    let mut late = Citizen::at(&replicas.one.url("/"));
    let begun = late.open(&late.url("/account"));
    let back = late.choose(&begun, "anna");
    assert!(redis.ask("CONFIG SET maxmemory 1").contains("OK"));
    // 1. Everybody who is signed in goes on, everywhere.
    for gateway in [&replicas.one, &replicas.two] {
        for cookie in [&known, &other] {
            passes(&page(gateway, &host, "/account", cookie));
        }
    }
    // 2. Nobody can begin to sign in, or finish.
    for path in ["/.brama/login", "/account"] {
        put_off(&page(&replicas.two, &host, path, ""));
    }
    let delivered = late.send(&back.0, Some(&back.1));
    let finish = late.url(delivered.header("location").unwrap());
    put_off(&late.send(&finish, None));
    // 3. Who wants to sign out can, and it is heard everywhere.
    let signed_out = sign_out(&replicas.one, &host, &other);
    assert_eq!(signed_out.status, 200, "{}", signed_out.text());
    let deadline = Instant::now() + Duration::from_secs(2);
    while is_of_portal(&page(&replicas.two, &host, "/account", &other)) {
        assert!(Instant::now() < deadline, "it goes on");
        sleep(Duration::from_millis(10));
    }
    // 4. Operators are told, also while sessions are looked up.
    for gateway in [&replicas.one, &replicas.two] {
        until_ready_says(gateway, AWAY);
        passes(&page(gateway, &host, "/account", &known));
        put_off(&page(gateway, &host, "/account", &other));
        until_ready_says(gateway, AWAY);
    }
    // 5. With room again, whoever was on the way arrives by repeating what failed.
    assert!(redis.ask("CONFIG SET maxmemory 0").contains("OK"));
    for gateway in [&replicas.one, &replicas.two] {
        until_ready_says(gateway, READY);
    }
    late.return_with(&back);
    passes(&page(&replicas.two, &host, "/account", &late.session().unwrap()));
    everything_works(&replicas);
    for gateway in [&replicas.one, &replicas.two] {
        logged_once(gateway, "is full");
    }
}

#[test]
fn redis_fails_over_to_its_replica() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let mut group = Watched::start();
    let sentinel = group.sentinel.address;
    let store = format!(
        "kind = \"redis\"\n{SECRET}\n\
         redis = {{ mode = \"sentinel\", master = \"main\", addresses = [\"{sentinel}\"] }}"
    );
    let replicas = Replicas::start("recorder.py", &store);
    let host = replicas.one.host();
    let (known, other) = (sign_in(&replicas.one, "anna"), sign_in(&replicas.one, "lukasz"));
    passes(&page(&replicas.one, &host, "/account", &known));
    group.until_replicated();
    group.master.kill();
    let began = Instant::now();
    put_off(&page(&replicas.two, &host, "/account", &known));
    put_off(&page(&replicas.two, &host, "/.brama/login", ""));
    put_off(&sign_out(&replicas.one, &host, &other));
    // Until there is another master, who is here goes on, and nobody else is let in or sent away.
    let mut put_off = 0;
    loop {
        passes(&page(&replicas.one, &host, "/account", &known));
        let unknown = page(&replicas.two, &host, "/account", &known);
        if !is_put_off(&unknown) {
            passes(&unknown);
            break;
        }
        put_off += 1;
        assert!(began.elapsed() < PATIENCE, "there is no other master");
        sleep(Duration::from_millis(50));
    }
    eprintln!("another master after {:?}, {put_off} put off", began.elapsed());
    until_status(&replicas.two, &host, &other, 200, PATIENCE);
    everything_works(&replicas);
    passes(&page(&replicas.one, &host, "/account", &known));
    logged_once(&replicas.one, "");
}
