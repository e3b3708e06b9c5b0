//! `brama onboarding import`: takes in what the operator or an authority handed over.

pub(super) mod gather;
mod place;
mod role;
mod sort;

use std::path::PathBuf;
use std::process::ExitCode;

use self::place::{Place, Plan};
use self::role::Role;
use super::record::Record;
use super::stage::Stage;
use crate::base::clock::{Clock, SystemClock};
use crate::cli::configuration;
use crate::cli::output::{complain, fail, print};
use crate::cli::tools::certs::material::{UNREADABLE, shown_path};
use crate::cli::tools::lines::Lines;
use crate::config::{self, Severity};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The environment that they are of.
    #[arg(value_enum, value_name = "ENVIRONMENT")]
    stage: Stage,
    /// The files, in whatever form they came; of a folder all files in it.
    files: Vec<PathBuf>,
    /// The folder that `brama onboarding init` made.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// File with a password of files that have one. Repeat it when there are several: each is tried.
    #[arg(long = "password-file", value_name = "FILE")]
    password_files: Vec<PathBuf>,
    /// File with the certificate of our signatures, when its name does not say it. Repeat it, like
    /// the following ones.
    #[arg(long, value_name = "FILE")]
    signing: Vec<PathBuf>,
    /// File with the certificate that the node encrypts to, when its name does not say it.
    #[arg(long, value_name = "FILE")]
    encryption: Vec<PathBuf>,
    /// File with the certificate that we show to the node in TLS, when it does not say it.
    #[arg(long, value_name = "FILE")]
    client_tls: Vec<PathBuf>,
    /// File with the certificate that the node signs its messages with, when its name does not say it.
    #[arg(long, value_name = "FILE")]
    node: Vec<PathBuf>,
    /// File with authorities by which TLS to the node is trusted, beside those of the system.
    #[arg(long, value_name = "FILE")]
    node_ca: Vec<PathBuf>,
    /// Lets a certificate follow another one that is in place. The old files stay.
    #[arg(long)]
    replace: bool,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    /// What somebody said of files.
    fn said(&self) -> [(Role, &[PathBuf]); 5] {
        [
            (Role::Signing, &self.signing),
            (Role::Encryption, &self.encryption),
            (Role::ClientTls, &self.client_tls),
            (Role::Node, &self.node),
            (Role::NodeAuthority, &self.node_ca),
        ]
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let plan = match plan(arguments) {
        Ok(plan) => plan,
        Err(Refusal { why, is_unreadable }) => {
            for line in &why {
                complain(format_args!("brama: {line}"));
            }
            complain("brama: nothing was written");
            let status = if is_unreadable { ExitCode::from(UNREADABLE) } else { ExitCode::FAILURE };
            return status;
        }
    };
    let configuration = arguments.stage.configuration(&arguments.dir);
    if !arguments.dry_run
        && let Err(why) = plan.write(&configuration)
    {
        return fail(format_args!("{why}; nothing was written"));
    }
    tell(&plan, &shown_path(&configuration));
    if arguments.dry_run {
        print("nothing was written (--dry-run)");
        return ExitCode::SUCCESS;
    }
    check(&configuration)
}

/// Why nothing is done.
struct Refusal {
    why: Vec<String>,
    is_unreadable: bool,
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self { why: vec![why], is_unreadable: false }
    }
}

fn plan(arguments: &Arguments) -> Result<Plan, Refusal> {
    let Arguments { stage, dir, replace, .. } = arguments;
    // 1. The record, and the configuration as it is.
    let record = Record::read(dir)?;
    let password = record.password(dir)?;
    let path = stage.configuration(dir);
    let shown = shown_path(&path);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
    let lines = Lines::read(&text).map_err(|why| format!("{shown}: {why}"))?;
    let loaded = config::load(&path, std::iter::empty()).map_err(|why| why.to_string())?;
    let issuer = loaded.file.service.issuer.clone().filter(|issuer| !issuer.is_empty());
    let issuer =
        issuer.ok_or(format!("{shown}: service.issuer is missing: your name at the node"))?;
    // 2. What was handed over, and what is here.
    if arguments.files.is_empty() && arguments.said().iter().all(|(_, files)| files.is_empty()) {
        return Err("no file is given".to_owned().into());
    }
    let Arguments { files, password_files, .. } = arguments;
    let said = arguments.said();
    let given = gather::given(&gather::Sources { files, said, password_files });
    let given = given.map_err(|why| Refusal { why: vec![why], is_unreadable: true })?;
    if !given.unreadable.is_empty() {
        return Err(Refusal {
            why: [given.unreadable, given.problems].concat(),
            is_unreadable: true,
        });
    }
    let keys = stage.keys(dir);
    let ours = gather::ours(&keys, password.as_ref());
    // 3. What is for what, and where it goes.
    let sorted = sort::sort(&given, &ours, &issuer, SystemClock.now());
    let refused = |why: Vec<String>| {
        // A key of ours that cannot be opened may be the one that is missed.
        Refusal { why: [why, ours.problems.clone()].concat(), is_unreadable: false }
    };
    let sorted = sorted.map_err(&refused)?;
    // In the record it counts from the folder of all, in a configuration from that of the environment.
    let named = record.keys.password_file.map(|file| match file.is_relative() {
        true => format!("../{}", file.display()),
        false => file.display().to_string(),
    });
    let place = Place {
        loaded: &loaded,
        issuer: &issuer,
        keys,
        ours: &ours,
        password: password.zip(named),
        may_replace: *replace,
    };
    let plan = place::plan(&place, &sorted, lines);
    match (plan.problems.is_empty(), plan.placed.is_empty()) {
        (false, _) => Err(refused(plan.problems)),
        (true, true) => Err(refused(
            [plan.notes, vec!["there is nothing in it that has a place".to_owned()]].concat(),
        )),
        (true, false) => Ok(plan),
    }
}

fn tell(plan: &Plan, configuration: &str) {
    plan.placed.iter().for_each(print);
    plan.notes.iter().for_each(|note| print(format_args!("note: {note}")));
    for change in plan.lines.changes() {
        print(format_args!("{configuration}: {change}"));
    }
}

/// Says whether the configuration can be used now.
fn check(path: &std::path::Path) -> ExitCode {
    let shown = shown_path(path);
    let (settings, problems) = configuration::check(path);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    for problem in errors {
        print(format_args!("still: {problem}"));
    }
    let warnings = problems.iter().filter(|problem| problem.severity == Severity::Warning).count();
    if settings.is_none() {
        print(format_args!("{shown}: the configuration is not usable yet"));
        return ExitCode::FAILURE;
    }
    let more = match warnings {
        0 => String::new(),
        1 => format!(", with a warning: brama check --config {shown}"),
        more => format!(", with {more} warnings: brama check --config {shown}"),
    };
    print(format_args!("{shown}: the configuration is usable{more}"));
    ExitCode::SUCCESS
}
