//! Keys are rotated and retired, and a replica is killed in between, while two replicas serve 500
//! requests a second. A backend that follows the rules refuses nobody.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{BEHIND, Site, published, site, token, until};
use crate::harness::{Gateway, TOKEN, Wire, sign_in};

/// As many requests a second, at both replicas together.
const EACH_SECOND: u32 = 500;
/// Citizens at each replica.
const VISITORS: u32 = 2;
/// How often the backend fetches the keys, whether it needs to or not. So it forgets each key as
/// soon as a replica does not publish it any more, which is stricter than any cache.
const FETCH: Duration = Duration::from_millis(100);

/// A backend that follows the rules: it knows the keys that it fetched last, and fetches them once
/// more when it does not know one.
struct Backend {
    replicas: [std::net::SocketAddr; 2],
    issuer: String,
    keys: Mutex<HashMap<String, DecodingKey>>,
    verified: Mutex<HashMap<String, Instant>>,
    turn: AtomicUsize,
    refused: Mutex<Vec<String>>,
}

impl Backend {
    /// Fetches the keys from the replica whose turn it is, or from the other when it is away.
    fn fetch(&self) {
        for _ in 0..2 {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % 2;
            let Ok(stream) = TcpStream::connect(self.replicas[turn]) else { continue };
            let mut wire = Wire::over(stream);
            wire.send(b"GET /.brama/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let Ok(answer) = wire.try_answer("GET") else { continue };
            if answer.status != 200 {
                continue;
            }
            let set: JwkSet = serde_json::from_value(answer.json()).unwrap();
            let keys = set.keys.iter().map(|key| {
                let name = key.common.key_id.clone().unwrap();
                (name, DecodingKey::from_jwk(key).unwrap())
            });
            *self.keys.lock().unwrap() = keys.collect();
            // What was verified with a key that is not published any more is verified again.
            self.verified.lock().unwrap().clear();
            return;
        }
    }

    fn verify(&self, token: &str) {
        if self.verified.lock().unwrap().contains_key(token) {
            return;
        }
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let knows = || self.keys.lock().unwrap().contains_key(&kid);
        if !knows() {
            self.fetch();
        }
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["portal"]);
        rules.set_issuer(&[&self.issuer]);
        let key = self.keys.lock().unwrap().get(&kid).cloned();
        let verified = match key {
            None => Err(format!("{kid} is not published")),
            Some(key) => jsonwebtoken::decode::<serde_json::Value>(token, &key, &rules)
                .map(drop)
                .map_err(|error| error.to_string()),
        };
        match verified {
            Ok(()) => drop(self.verified.lock().unwrap().insert(token.to_owned(), Instant::now())),
            Err(why) => self.refused.lock().unwrap().push(why),
        }
    }
}

/// Citizens of one replica, who come at a steady pace and whose tokens the backend verifies.
struct Visitors {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(usize, Vec<String>)>>,
}

impl Visitors {
    fn send(gateway: &Gateway, host: &str, cookie: &str, backend: &Arc<Backend>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let pace = Duration::from_secs(1) * VISITORS * 2 / EACH_SECOND;
        let visit = |_| {
            let (stop, backend) = (Arc::clone(&stop), Arc::clone(backend));
            let head = format!("GET /account HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
            let mut wire = gateway.connect();
            thread::spawn(move || {
                let (mut served, mut failed, mut next) = (0, Vec::new(), Instant::now());
                while !stop.load(Ordering::Relaxed) {
                    sleep(next.saturating_duration_since(Instant::now()));
                    next += pace;
                    wire.send(head.as_bytes());
                    match wire.try_answer("GET") {
                        Ok(answer) if answer.status == 200 => {
                            served += 1;
                            backend.verify(&token(&answer.json()));
                        }
                        Ok(answer) => failed.push(answer.status.to_string()),
                        Err(none) => {
                            failed.push(format!("{none:?}"));
                            break;
                        }
                    }
                }
                (served, failed)
            })
        };
        Self { threads: (0..VISITORS).map(visit).collect(), stop }
    }

    /// Lets them go; returns how many requests were served.
    fn leave(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = 0;
        for visitor in self.threads {
            let (served, failed) = visitor.join().unwrap();
            assert_eq!(failed, Vec::<String>::new());
            all += served;
        }
        all
    }
}

fn current(gateway: &Gateway) -> String {
    let (done, said) = gateway.command("keys", &["list"], "");
    assert!(done, "{said}");
    let keys = said.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let signing = keys.filter(|key| key["standing"] == "current").collect::<Vec<_>>();
    signing[0]["kid"].as_str().unwrap().to_owned()
}

#[test]
fn no_request_carries_a_token_that_a_backend_refuses_while_keys_change_and_a_replica_is_killed() {
    let Some(mut site) = site() else { return };
    let Site { one, two, .. } = &mut site;
    let (host, cookie) = (one.host(), sign_in(one, "anna"));
    let backend = Arc::new(Backend {
        replicas: [one.address, two.address],
        issuer: format!("http://{host}"),
        keys: Mutex::default(),
        verified: Mutex::default(),
        turn: AtomicUsize::new(0),
        refused: Mutex::default(),
    });
    let is_over = Arc::new(AtomicBool::new(false));
    let fetching = {
        let (backend, is_over) = (Arc::clone(&backend), Arc::clone(&is_over));
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                backend.fetch();
                sleep(FETCH);
            }
        })
    };
    let began = Instant::now();
    let at_one = Visitors::send(one, &host, &cookie, &backend);
    let mut at_two = Visitors::send(two, &host, &cookie, &backend);
    let mut served = 0;
    let same = |one: &Gateway, two: &Gateway| {
        let took = until("the same set", BEHIND, || published(one) == published(two));
        eprintln!("both publish the same after {took:?}");
    };
    let done = |gateway: &Gateway, words: &[&str]| {
        let (done, said) = gateway.command("keys", words, "");
        assert!(done, "{said}");
    };
    // 1. Rotated at one, and what signed is retired at the other; and what signs then.
    let first = current(one);
    done(one, &["rotate"]);
    same(one, two);
    done(two, &["retire", &first]);
    let second = current(two);
    let asked = Instant::now();
    done(one, &["retire", &second]);
    same(one, two);
    let gone = |gateway: &Gateway| !published(gateway).contains(&second);
    until("the end of the key", Duration::from_secs(5), || gone(one) && gone(two));
    eprintln!("no replica publishes the retired key after {:?}", asked.elapsed());
    // 2. Killed in the middle of rotations.
    let listed = |gateway: &Gateway| gateway.command("keys", &["list"], "").1;
    for pause in [0, 1, 3, 8] {
        served += at_two.leave();
        let (before, list) = (published(one), listed(one));
        let mut operator = two.operations();
        let head = format!(
            "POST /keys/rotate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        operator.send(head.as_bytes());
        sleep(Duration::from_millis(pause));
        two.program.signal("KILL");
        two.program.wait();
        two.start_again();
        until("the same set", BEHIND, || published(one) == published(two));
        let after = published(one);
        assert!(before.iter().all(|key| after.contains(key)), "{before:?} {after:?}");
        let rotated = listed(one) != list;
        eprintln!("killed after {pause} ms; it was rotated: {rotated}, keys: {}", after.len());
        at_two = Visitors::send(two, &host, &cookie, &backend);
    }
    sleep(Duration::from_secs(2));
    served += at_one.leave() + at_two.leave();
    is_over.store(true, Ordering::Relaxed);
    fetching.join().unwrap();
    let rate = served as f64 / began.elapsed().as_secs_f64();
    eprintln!("{served} requests, {rate:.0} a second");
    assert_eq!(*backend.refused.lock().unwrap(), Vec::<String>::new());
    assert!(served > 1000);
}
