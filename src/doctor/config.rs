//! The configuration: read and resolved as a gateway does it.

use super::check::Check;
use super::finding::Findings;
use super::options::Options;
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock};
use crate::config::{self, Problem, Problems, Severity};

/// Reads the configuration, and returns what a gateway would run with.
pub(super) fn examine(options: &Options, findings: &mut Findings) -> Option<Settings> {
    let path = options.config.display().to_string();
    let loaded = match config::load(&options.config, options.environment.iter().cloned()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let (seen, advice) = told(&problems.iter().collect::<Vec<_>>());
            findings.problem(Check::ConfigFile, &path, seen, advice);
            return None;
        }
    };
    findings.ok(Check::ConfigFile, &path, "it can be read");
    let (settings, problems) = config::resolve(loaded, SystemClock.now());
    sort(&path, &problems, findings);
    settings
}

/// What is wrong, each under the check that it belongs to.
fn sort(path: &str, problems: &Problems, findings: &mut Findings) {
    let errors = || problems.iter().filter(|problem| problem.severity == Severity::Error);
    let is_of_modes = |problem: &&Problem| problem.what.contains(" has mode ");
    let is_of_reading = |problem: &&Problem| problem.what.contains(" cannot be read: ");
    let modes: Vec<_> = errors().filter(is_of_modes).collect();
    let unread: Vec<_> = errors().filter(is_of_reading).collect();
    let others: Vec<_> = errors().filter(|p| !is_of_modes(p) && !is_of_reading(p)).collect();
    let warnings: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Warning).collect();
    let rights = "every file has the rights that it should have";
    for (check, found, good) in [
        (Check::ConfigUsable, others, "a gateway would start with it"),
        (Check::FilesReadable, unread, "every file that is named can be read by this user"),
        (Check::FilesModes, modes, rights),
    ] {
        if found.is_empty() {
            let blocked = check == Check::ConfigUsable && problems.has_errors();
            match blocked {
                true => findings.not_examined(check, path, "files that it names are in the way"),
                false => findings.ok(check, path, good),
            }
        } else {
            let (seen, advice) = told(&found);
            findings.problem(check, path, seen, advice);
        }
    }
    if warnings.is_empty() {
        let seen = "nothing in it is unwise; what a start alone sees, such as a port that is taken, \
                    is not looked at";
        findings.ok(Check::ConfigWarnings, path, seen);
    } else {
        let (seen, advice) = told(&warnings);
        findings.warning(Check::ConfigWarnings, path, seen, advice);
    }
}

/// What is said of several problems, with the places of each, and what to do about each.
fn told(problems: &[&Problem]) -> (String, String) {
    let seen = problems.iter().map(|problem| match &*problem.key {
        "" => format!("{}: {}", problem.place, problem.what),
        key => format!("{}: {key}: {}", problem.place, problem.what),
    });
    let mut advice: Vec<_> = problems.iter().map(|problem| &*problem.advice).collect();
    advice.retain(|advice| !advice.is_empty());
    advice.dedup();
    (seen.collect::<Vec<_>>().join("; "), advice.join("; "))
}
