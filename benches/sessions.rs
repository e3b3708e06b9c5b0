//! What a million sessions cost: resident memory of each, and the time to find one.
//!
//! `cargo bench --bench sessions`. Memory is what the process has more of after they were begun
//! (RSS), divided by their number; time is the least and the median of rounds of random look-ups,
//! on one thread. It is the time of the processor, because others may use the machine. A request
//! has just brought its id, so ids are looked at before the time is taken, some at once; then
//! sessions and tables are cold and the ids are not. What it costs when the ids are cold as well is
//! printed, too.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use brama::identity::claims::PairwiseSecret;
use brama::saml::examine::examine;
use brama::session::cached::{Activity, CachedSession};
use brama::session::recent::RecentSessions;
use brama::session::sessions::{Sessions, Sharing};
use brama::session::{Session, SessionId, Settings};
use brama::store::memory::Memory;
use brama::store::seal::Sealer;
use cpu_time::ThreadTime;
use world::World;

mod world;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SESSIONS: usize = 1_000_000;
const ROUNDS: usize = 15;
const PER_ROUND: usize = 200;
const AT_ONCE: usize = 256;

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
    let sessions =
        Sessions::in_memory(settings.clone(), PairwiseSecret::generate(), Arc::default());
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
    println!(
        "(of that, in one piece: {} bytes)",
        2 * size_of::<usize>() + size_of::<CachedSession>()
    );
    let look = |number: usize| {
        let last = runtime.block_on(async { ids[number].expose().as_bytes()[42] });
        black_box(last);
    };
    let find = |sessions: &Arc<Sessions>, before: &dyn Fn(usize)| {
        times(before, |number| {
            let found = runtime.block_on(sessions.find(&ids[number], Activity::Alive, now));
            assert!(found.unwrap().is_some());
        })
    };
    let hash = times(
        |_| {},
        |_| {
            black_box(black_box(&ids[0]).key());
        },
    );
    println!("the hash of an id alone: {hash}");
    println!("finding one, with the hash of its id: {}", find(&sessions, &look));
    println!("the same, when its id is cold as well: {}", find(&sessions, &|_| {}));
    println!("(of that, to look at an id that is cold: {})", times(|_| {}, look));

    // 2. As a worker does it for a citizen who was here a moment ago.
    let recent = RecentSessions::new(settings.idle);
    let live = runtime.block_on(sessions.find(&ids[0], Activity::Alive, now)).unwrap().unwrap();
    recent.remember("portal.example", ids[0].expose(), &live, now);
    let time = times(
        |_| {},
        |_| {
            assert!(recent.find("portal.example", ids[0].expose(), Activity::Alive, now).is_some());
        },
    );
    println!("finding one that a worker found a moment ago: {time}");

    // 3. Near, with a place behind that is not asked.
    drop(sessions);
    let place = Arc::new(Memory::new(2 * SESSIONS));
    let kept = Sessions::kept_in(
        place,
        Sharing::Replicas,
        Sealer::default(),
        settings.clone(),
        PairwiseSecret::generate(),
        Arc::default(),
    );
    runtime.block_on(async {
        for id in &ids {
            let session = Session::begin(&assertion, id.key(), &settings, now);
            kept.insert(id, session, now).await.unwrap();
        }
    });
    println!("finding one near, with a place behind: {}", find(&kept, &look));
}

/// Says how long one call takes.
fn times(before: impl Fn(usize), mut call: impl FnMut(usize)) -> String {
    let mut number = 1;
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let mut time = Duration::ZERO;
            for _ in 0..PER_ROUND {
                // Far apart, so that nothing is in a cache by luck.
                let numbers: [usize; AT_ONCE] = std::array::from_fn(|_| {
                    number = (number + 611_953) % SESSIONS;
                    number
                });
                numbers.into_iter().for_each(&before);
                let begin = ThreadTime::now();
                numbers.into_iter().for_each(&mut call);
                time += begin.elapsed();
            }
            time.as_nanos() / (PER_ROUND * AT_ONCE) as u128
        })
        .collect();
    rounds.sort_unstable();
    format!("{} ns at the least, {} ns in the median", rounds[0], rounds[ROUNDS / 2])
}

/// Returns the resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
