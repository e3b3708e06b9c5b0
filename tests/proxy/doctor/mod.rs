//! `brama doctor`: every fault planted for real, and what it finds. The finding names the fault, and
//! nothing else turns red: each row says the whole set of problems, and that of warnings.
//!
//! | file | what is there |
//! |---|---|
//! | `world` | what all rows share: the simulator, gateways, nginx, Redis; all healthy, or broken in one way each |
//! | `case` | one run of the doctor: a configuration with something changed |
//! | `certificates` | certificates that have ended, are for another name, or of nobody that is known |
//! | `sites` | nginx in the place of fronts, backends and nodes that are broken in one way each |
//! | `believer` | a backend that believes whatever it is told |
//! | `secrets` | that no report holds a secret, however it is written |
//! | `rows` | the table |

mod believer;
mod case;
mod certificates;
mod rows;
mod secrets;
mod sites;
mod world;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use brama::doctor::Check;

use self::case::Case;
use self::secrets::Secrets;
use self::world::World;
use crate::harness::tools::{self, Tool};

/// A fault, and what must be found.
struct Row {
    name: &'static str,
    /// The checks that end in a problem, all of them.
    red: &'static [&'static str],
    /// The checks that end in a warning, all of them.
    warned: &'static [&'static str],
    /// What the first of them must say: of what was seen, or of what to do. Where there is none, what
    /// must be said of what is well or not examined, after its state and name.
    words: &'static str,
    plant: fn(&World, &mut Case),
}

/// How many rows run at once: most of them wait.
const AT_ONCE: usize = 8;

#[test]
fn all_is_green_where_all_is_well_and_each_fault_is_named_and_nothing_else_turns_red() {
    if !tools::has(&[Tool::Nginx, Tool::Redis, Tool::Faketime, Tool::OpenSsl]) {
        return;
    }
    let rows = rows::all();
    let only = std::env::var("BRAMA_ROW").unwrap_or_default();
    assert!(rows.iter().any(|row| row.name.contains(&only)), "no row has {only:?} in its name");
    assert!(rows.len() >= 60, "{} faults", rows.len());
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "each has its own name");
    let world = World::start();
    let secrets = Secrets::of(&world);
    healthy(&world, &secrets);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if row.name.contains(&only)
                        && let Err(why) = judge(row, &world, &secrets)
                    {
                        wrong.lock().unwrap().push(format!("{}: {why}", row.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n\n"));
    let seen: BTreeSet<_> = rows.iter().flat_map(|row| row.red.iter().chain(row.warned)).collect();
    let never: Vec<_> =
        Check::ALL.iter().map(|check| check.id()).filter(|id| !seen.contains(id)).collect();
    assert!(never.is_empty(), "no fault is planted for {never:?}");
}

/// Plants a fault, has the doctor look, and says what is not as the row has it.
fn judge(row: &Row, world: &World, secrets: &Secrets) -> Result<(), String> {
    let mut case = Case::healthy(world);
    (row.plant)(world, &mut case);
    let Some(report) = case.run() else { return Ok(()) };
    let as_set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let (red, warned) = (report.ended("problem"), report.ended("warning"));
    if red != as_set(row.red) || warned != as_set(row.warned) {
        return Err(format!(
            "red {red:?}, expected {:?}; warned {warned:?}, expected {:?}\n{}",
            row.red,
            row.warned,
            report.told(&["problem", "warning", "not_examined"])
        ));
    }
    if let Some(first) = row.red.first().or(row.warned.first())
        && !report.of(first).contains(row.words)
    {
        return Err(format!("{first} does not say {:?}: {}", row.words, report.of(first)));
    }
    let others = report.told(&["ok", "not_examined"]);
    if row.red.is_empty() && row.warned.is_empty() && !others.contains(row.words) {
        return Err(format!("nothing says {:?}:\n{others}", row.words));
    }
    report.is_sound(!row.red.is_empty())?;
    secrets.are_not_in(&report.text)
}

/// Where everything is well all is green, and no secret is told.
fn healthy(world: &World, secrets: &Secrets) {
    let case = Case::healthy(world);
    let report = case.run().expect("nothing is missing");
    let bad = report.told(&["problem", "warning"]);
    assert!(bad.is_empty(), "{bad}");
    report.is_sound(false).unwrap();
    secrets.are_not_in(&report.text).unwrap();
    // What is green was looked at: all but what this world does not have.
    let ended = report.ended("not_examined");
    let without: BTreeSet<_> = [
        "store.file",
        "store.dns",
        "store.tcp",
        "store.redis",
        "store.policy",
        "store.secret",
        "upstream.tls",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(ended, without, "{}", report.told(&["not_examined"]));
    // For people too, in the order of the checks; and nothing that is good when that is not wanted.
    let text = case.text(&[]);
    secrets.are_not_in(&text).unwrap();
    assert!(text.contains("ok      node.request") && text.ends_with("not examined\n"), "{text}");
    let quiet = case.text(&["--quiet"]);
    assert!(!quiet.contains("ok      "), "{quiet}");
    for (options, expected) in [
        (&["--only", "config", "--only", "files"][..], "config.file"),
        (&["--skip", "node"], "config.file"),
        (&["--only", "store"], "store.file"),
    ] {
        let text = case.text(options);
        assert!(text.contains(expected) && !text.contains("node.request"), "{text}");
    }
    // It spends nothing: nobody is signed in, and nobody waits.
    let metrics = world.main.metrics();
    assert!(metrics.lines().any(|line| line == "brama_sessions 0"), "{metrics}");
}
