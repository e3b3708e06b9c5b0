//! What a million sessions cost: resident memory of each, and the time to find one.
//!
//! `cargo bench --bench sessions`. Memory is what the process has more of after they were begun (RSS),
//! divided by their number; time is the median of rounds of random look-ups, on one thread.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints figures")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use brama::identity::claims::PairwiseSecret;
use brama::saml::examine::examine;
use brama::session::held::Activity;
use brama::session::recent::RecentSessions;
use brama::session::sessions::Sessions;
use brama::session::{Session, SessionId, Settings};
use brama::store::memory::Memory;
use brama::store::seal::Sealer;
use world::World;

mod world;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SESSIONS: usize = 1_000_000;
const ROUNDS: usize = 7;
const PER_ROUND: usize = 200_000;

fn main() {
    let settings = Settings {
        idle: Duration::from_secs(900),
        absolute: Duration::from_secs(28_800),
        maximum: 2_000_000,
        maximum_per_person: 0,
        grace: Duration::from_secs(300),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = World::new();
    let now = world.now;
    let keys = &world.keys;
    let examination = examine(&world.answer, &world.trusted, keys, &world.expected, now);
    let assertion = examination.for_login().unwrap();

    // 1. Near alone.
    let sessions = Sessions::in_memory(settings.clone(), PairwiseSecret::generate());
    let before = resident();
    let ids: Vec<_> = (0..SESSIONS).map(|_| SessionId::generate()).collect();
    let with_ids = resident();
    runtime.block_on(async {
        for id in &ids {
            let session = Session::begin(&assertion, id.key(), &settings, now);
            sessions.insert(id, session, now).await.unwrap();
        }
    });
    let bytes = (resident() - with_ids) * 1024 / SESSIONS as u64;
    println!("{SESSIONS} sessions in memory: {bytes} bytes of resident memory each");
    println!("(the ids of the browsers, which are not kept: {} KiB)", with_ids - before);
    let find = |sessions: &Arc<Sessions>| {
        median(|number| {
            let found = runtime.block_on(sessions.find(&ids[number], Activity::Alive, now));
            assert!(found.unwrap().is_some());
        })
    };
    println!("finding one, with the hash of its id: {} ns", find(&sessions));

    // 2. As a worker does it for a citizen who was here a moment ago.
    let recent = RecentSessions::new(settings.idle);
    let live = runtime.block_on(sessions.find(&ids[0], Activity::Alive, now)).unwrap().unwrap();
    recent.remember("portal.example", ids[0].expose(), &live, now);
    let time = median(|_| {
        assert!(recent.find("portal.example", ids[0].expose(), Activity::Alive, now).is_some());
    });
    println!("finding one that a worker found a moment ago: {time} ns");

    // 3. Near, with a place behind that is not asked.
    drop(sessions);
    let place = Arc::new(Memory::new(2 * SESSIONS));
    let kept =
        Sessions::kept_in(place, Sealer::default(), settings.clone(), PairwiseSecret::generate());
    runtime.block_on(async {
        for id in &ids {
            let session = Session::begin(&assertion, id.key(), &settings, now);
            kept.insert(id, session, now).await.unwrap();
        }
    });
    println!("finding one near, with a place behind: {} ns", find(&kept));
}

/// Returns the median time of one call, in nanoseconds.
fn median(mut call: impl FnMut(usize)) -> u128 {
    let mut number = 1;
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..PER_ROUND {
                // Far apart, so that nothing is in a cache by luck.
                number = (number + 611_953) % SESSIONS;
                call(number);
            }
            begin.elapsed().as_nanos() / PER_ROUND as u128
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

/// Returns the resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
