//! Two replicas behind nginx, set up by `deploy/nginx/brama.conf` as it is shipped. They are
//! restarted one after the other with a new version, or one is killed, while citizens who are signed in
//! go on.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::upgrade::{NO_LIMITS, previous};
use super::{plan, until_status};
use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{
    Citizen, Gateway, Load, Logins, Nginx, Plan, Program, Simulator, Tally, Wire, free_address,
    python,
};

/// As many requests a second, of all citizens together.
const READING: u32 = 400;
const WRITING: u32 = 100;

/// What citizens see, and what is behind it.
struct Site {
    front: SocketAddr,
    one: Gateway,
    two: Gateway,
    /// The values of `Cookie` of those who are signed in.
    citizens: Vec<String>,
    nginx: Nginx,
    _redis: Redis,
    _portal: Program,
    _simulator: Simulator,
}

fn start() -> Option<Site> {
    if !tools::has(&[Tool::Python, Tool::Nginx, Tool::Redis]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let (redis, front) = (Redis::start(), free_address());
    let origin = format!("http://localhost:{}", front.port());
    // The times are those of the shipped file, which says that this one must be longer.
    let plan = || {
        let store = format!("{}\n\n{NO_LIMITS}", redis.store());
        let plan = plan(&url, &store).public_url(&origin);
        plan.listen("drain_delay = \"3s\"\ntrusted_proxies = [\"127.0.0.1\"]")
    };
    let (one, two) = (plan(), plan());
    let nginx = Nginx::start_with(&shipped(front, [&one, &two]), "");
    let simulator = Simulator::start(front);
    // Both are of the version before; who starts again is of this one.
    let launcher = format!("shift; exec {} \"$@\"", previous().display());
    let [one, two] =
        [one, two].map(|plan| plan.node(&simulator).launched_by(&["sh", "-c", &launcher, "sh"]));
    let (one, two) = (one.start(), two.start());
    // Each signs in through nginx, so at whichever replica has its turn.
    let persons = ["anna", "lukasz", "anna", "lukasz"];
    let citizens = persons.map(|person| Citizen::at(&origin).sign_in(person)).to_vec();
    Some(Site {
        front,
        one,
        two,
        citizens,
        nginx,
        _redis: redis,
        _portal: portal,
        _simulator: simulator,
    })
}

/// Returns the shipped configuration with addresses of ours, and without TLS.
fn shipped(front: SocketAddr, replicas: [&Plan; 2]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/brama.conf");
    let text = std::fs::read_to_string(file).unwrap();
    let changes = [
        ("10.0.0.1:8080", replicas[0].address().to_string()),
        ("10.0.0.2:8080", replicas[1].address().to_string()),
        ("listen 443 ssl", format!("listen {front}")),
    ];
    let text = changes.into_iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the shipped file has {from}");
        text.replace(from, &to)
    });
    let without_tls = text.lines().filter(|line| !line.trim().starts_with("ssl_"));
    without_tls.map(|line| format!("{line}\n")).collect()
}

impl Site {
    /// Sends all citizens to read and to write, each with one request under way of both.
    fn visit(&self) -> [Load; 2] {
        let load =
            |method, rate| Load::citizens(self.front, &self.citizens, method, "/account", rate);
        [load("GET", READING), load("POST", WRITING)]
    }

    /// Every session goes on, through nginx and at both replicas.
    fn everybody_is_signed_in(&self) {
        let host = format!("localhost:{}", self.front.port());
        for cookie in &self.citizens {
            for gateway in [&self.one, &self.two] {
                until_status(gateway, &host, cookie, 200, Duration::from_secs(5));
            }
        }
        // And whoever is not is not let in.
        let mut wire = Wire::connect(self.front);
        assert_eq!(wire.get(&host, "/account").status, 401);
    }
}

fn told(site: &Site, tallies: &[Tally; 2]) {
    let [reading, writing] = tallies;
    let refused = |line: &&str| !line.contains("Connection refused");
    site.nginx.errors().lines().filter(refused).for_each(|line| eprintln!("nginx: {line}"));
    eprintln!(
        "{} readings, p99 {:?}; {} writings, p99 {:?}",
        reading.took.len(),
        reading.p99(),
        writing.took.len(),
        writing.p99()
    );
}

#[test]
fn replicas_restart_one_after_the_other_and_no_request_no_login_and_no_session_is_lost() {
    let Some(mut site) = start() else { return };
    let loads = site.visit();
    let logins = Logins::at(&format!("http://localhost:{}/", site.front.port()));
    loads[0].answers(400);
    logins.ends(1);
    for turn in 0..2 {
        let gateway = if turn == 0 { &mut site.one } else { &mut site.two };
        gateway.program.signal("TERM");
        // Readiness fails first; nginx does not ask for it, but other balancers do.
        gateway.until_not_ready();
        assert!(!gateway.program.has_ended());
        assert!(gateway.program.wait().success());
        loads[0].answers(200);
        gateway.start_again();
        loads[0].answers(200);
        logins.ends(1);
    }
    site.citizens.extend(logins.all_signed_in());
    let tallies = loads.map(Load::stop);
    told(&site, &tallies);
    tallies.iter().for_each(Tally::all_answered);
    site.everybody_is_signed_in();
}

#[test]
fn a_replica_is_killed_and_only_what_it_was_writing_fails() {
    let Some(mut site) = start() else { return };
    let loads = site.visit();
    loads[0].answers(400);
    site.one.program.signal("KILL");
    site.one.program.wait();
    loads[0].answers(600);
    site.one.start_again();
    loads[0].answers(600);
    let [reading, writing] = loads.map(Load::stop);
    // What is safe to repeat was repeated.
    reading.all_answered();
    // Nobody knows what became of what was under way, and each citizen had one request under way.
    let failed = &writing.failed;
    assert!(failed.len() <= site.citizens.len(), "{failed:?}");
    assert!(failed.iter().all(|what| what.starts_with("502")), "{failed:?}");
    told(&site, &[reading, writing]);
    site.everybody_is_signed_in();
}
