//! How many workers there are: one for each core that the program may use.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// More workers than this are a mistake in the configuration.
pub const MOST_WORKERS: usize = 512;

/// Returns the number of workers: the setting, or as many as there are cores when it is zero.
///
/// The standard library takes the smaller one of the cores that the process may run on (its
/// affinity) and the quota of its cgroup, version 1 or 2, over all its ancestors. A quota of one
/// core and a half makes one worker: a second one would make both wait for each other's turn.
#[must_use]
pub fn workers(setting: usize) -> usize {
    match setting {
        0 => available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_WORKERS),
        given => given.min(MOST_WORKERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_wins_and_without_one_the_system_says() {
        assert_eq!(workers(3), 3);
        assert_eq!(workers(usize::MAX), MOST_WORKERS);
        assert_eq!(workers(0), available_parallelism().unwrap().get());
    }

    #[test]
    fn a_process_bound_to_one_core_gets_one_worker() {
        let program = std::env::current_exe().unwrap();
        let name = "server::cores::tests::child_that_may_use_one_core";
        let bound = std::process::Command::new("taskset")
            .args(["--cpu-list", "0"])
            .arg(program)
            .args(["--exact", name, "--ignored"])
            .output();
        // Without the tool there is nothing to learn here.
        if let Ok(output) = bound {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }

    #[test]
    #[ignore = "started by the test above, bound to one core"]
    fn child_that_may_use_one_core() {
        assert_eq!(workers(0), 1);
    }
}
