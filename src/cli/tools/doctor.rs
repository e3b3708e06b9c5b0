//! `brama doctor`: every check against a live environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::base::counted::counted;
use crate::cli::output::{environment, fail, print};
use crate::doctor::{self, Finding, Findings, Group, Options, State};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The configuration file of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// Prints a JSON document for programs.
    #[arg(long)]
    json: bool,
    /// Makes the checks of this group alone. May be repeated.
    #[arg(long, value_enum, value_name = "GROUP")]
    only: Vec<Group>,
    /// Leaves the checks of this group out. May be repeated.
    #[arg(long, value_enum, value_name = "GROUP", conflicts_with = "only")]
    skip: Vec<Group>,
    /// Asks for the public address at this one, in place of what its name leads to: a proxy in front
    /// before DNS names it, or one of several.
    #[arg(long, value_name = "ADDRESS:PORT")]
    through: Option<SocketAddr>,
    /// Trusts the authorities of this PEM file for the public address, beside those of the system.
    #[arg(long, value_name = "FILE")]
    public_ca: Option<PathBuf>,
    /// Asks backends for this path, which needs a citizen, in place of that of their route.
    #[arg(long, value_name = "PATH", value_parser = path)]
    backend_path: Option<String>,
    /// How many seconds one question may take.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u64).range(1..=60)
    )]
    timeout: u64,
    /// Says nothing of checks that are as they should be.
    #[arg(long, short)]
    quiet: bool,
}

fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_path
        .then(|| text.to_owned())
        .ok_or_else(|| "a path begins with / and has no space".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let groups = match &*arguments.only {
        [] => Group::ALL.into_iter().filter(|group| !arguments.skip.contains(group)).collect(),
        only => only.to_vec(),
    };
    let options = Options {
        config: arguments.config.clone(),
        environment: environment().collect(),
        groups,
        through: arguments.through,
        public_ca: arguments.public_ca.clone(),
        backend_path: arguments.backend_path.clone(),
        timeout: Duration::from_secs(arguments.timeout),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format_args!("runtime cannot start: {error}")),
    };
    let findings = runtime.block_on(doctor::examine(&options));
    // A name that nobody answers for may keep a thread of the system waiting.
    runtime.shutdown_background();
    if arguments.json {
        print(format_args!("{:#}", findings.json()));
    } else {
        show(&findings, arguments.quiet);
    }
    match findings.count(State::Problem) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Prints the findings in their order, and those that need somebody once more at the end.
fn show(findings: &Findings, is_quiet: bool) {
    let all: Vec<_> = findings.iter().collect();
    for same in all.chunk_by(|one, other| is_the_same(one, other)) {
        match same {
            [first, _, ..] => not_examined(same, first),
            [only] if !is_quiet || only.state != State::Ok => line(only),
            _ => {}
        }
    }
    let [problems, warnings, not_examined, good] =
        [State::Problem, State::Warning, State::NotExamined, State::Ok]
            .map(|state| findings.count(state));
    let bad: Vec<_> = findings
        .iter()
        .filter(|finding| finding.state == State::Problem)
        .map(|finding| finding.check.id())
        .collect();
    print("");
    print(format_args!(
        "{good} good, {}, {}, {not_examined} not examined",
        counted(problems as u64, "problem"),
        counted(warnings as u64, "warning")
    ));
    if let [first, ..] = &*bad {
        print(format_args!("begin with: {first}"));
    }
}

/// What was not looked at for one reason is said in one line.
fn is_the_same(one: &Finding, other: &Finding) -> bool {
    one.state == State::NotExamined
        && one.state == other.state
        && one.seen == other.seen
        && one.check.group() == other.check.group()
}

fn not_examined(same: &[&Finding], first: &Finding) {
    let mut names: Vec<_> = same.iter().map(|finding| finding.check.id()).collect();
    names.dedup();
    print(format_args!("-       {:<22} not examined: {}", names.join(" "), first.seen));
}

fn line(finding: &Finding) {
    let Finding { check, about, state, seen, advice } = finding;
    let sign = match state {
        State::Ok => "ok      ",
        State::Warning => "WARNING ",
        State::Problem => "PROBLEM ",
        State::NotExamined => "-       ",
    };
    let id = check.id();
    let about = if about.is_empty() { String::new() } else { format!("{about}: ") };
    let not = if *state == State::NotExamined { "not examined: " } else { "" };
    print(format_args!("{sign}{id:<22} {about}{not}{seen}"));
    if !advice.is_empty() {
        print(format_args!("        {:<22} what to do: {advice}", ""));
    }
}
