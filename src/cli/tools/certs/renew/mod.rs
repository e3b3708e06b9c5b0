//! `brama certs renew`: a certificate follows another one, and no login fails.
//!
//! The command is run again after each step: how far a renewal is shows in the files beside the old
//! ones and in the configuration, and is not remembered anywhere else. It writes new files alone;
//! lines of the configuration are changed when that is asked for, and otherwise printed.

mod begin;
mod guide;
mod issued;
mod kind;
mod named;
mod running;
mod written;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::begin::Pending;
use self::guide::Stage;
use self::issued::{Issued, Old};
use self::kind::{InUse, Kind};
use self::running::Running;
use self::written::Failed;
use super::facts::days;
use super::material::{self, UNREADABLE, shown_path};
use crate::base::clock::{Clock, SystemClock, Time};
use crate::base::foreign::Foreign;
use crate::cli::output::{complain, environment, print};
use crate::cli::tools::lines::{Lines, write_configuration};
use crate::config::{self, Loaded};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is renewed.
    #[arg(value_enum)]
    kind: Kind,
    /// The configuration that uses it.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// The certificate that was issued, in whatever form it came.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// File with the password of that file, when it has one. Repeat it: each is tried.
    #[arg(long = "password-file", value_name = "FILE")]
    password_files: Vec<PathBuf>,
    /// Makes a new key although the certificate has more than 60 days left, or it is not known how
    /// many.
    #[arg(long)]
    begin: bool,
    /// Changes the lines of the configuration, in place of printing them alone; for signing and
    /// client-tls it says that the operator confirmed the new certificate. A gateway that runs takes
    /// them within seconds.
    #[arg(long, requires = "certificate")]
    apply: bool,
    /// Takes the old one out of the configuration: when the operator uses the new certificate of ours
    /// for a day (decryption), or signs with the new one of theirs (node): the one that was issued
    /// last, or the one in `--certificate`.
    #[arg(long, conflicts_with_all = ["apply", "begin"])]
    finish: bool,
    /// The folder of the new files; left out, that of the old ones.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match renew(arguments, SystemClock.now()) {
        Ok(status) => status,
        Err(Refusal { why, status, done }) => {
            for line in why {
                complain(format_args!("brama: {line}"));
            }
            match done {
                Done::Nothing => complain("brama: nothing was written"),
                Done::Left(files) => files.iter().for_each(|file| {
                    complain(format_args!(
                        "brama: {}: it was written, and stays",
                        shown_path(file)
                    ));
                }),
                Done::AsTold => complain("brama: what is told above was done"),
            }
            status
        }
    }
}

/// Why it did not go on.
struct Refusal {
    why: Vec<String>,
    status: ExitCode,
    done: Done,
}

/// What was done all the same.
enum Done {
    Nothing,
    /// These files could not be taken away again.
    Left(Vec<PathBuf>),
    /// Everything that was printed.
    AsTold,
}

impl From<Vec<String>> for Refusal {
    fn from(why: Vec<String>) -> Self {
        Self { why, status: ExitCode::FAILURE, done: Done::Nothing }
    }
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        vec![why].into()
    }
}

impl From<Failed> for Refusal {
    fn from(Failed { why, left }: Failed) -> Self {
        let done = if left.is_empty() { Done::Nothing } else { Done::Left(left) };
        Self { done, ..why.into() }
    }
}

fn renew(arguments: &Arguments, now: Time) -> Result<ExitCode, Refusal> {
    let Arguments { kind, config: path, .. } = arguments;
    // 1. What is in use, and how far a renewal is.
    let load = |done: Done| {
        config::load(path, environment()).map_err(|problems| Refusal {
            why: vec![problems.to_string()],
            status: ExitCode::from(UNREADABLE),
            done,
        })
    };
    let loaded = load(Done::Nothing)?;
    let in_use = kind::in_use(*kind, &loaded)?;
    let folder = arguments.out.clone().or_else(|| in_use.folder().map(Path::to_owned));
    let folder = folder.unwrap_or_default();
    let name = begin::name(*kind, &loaded, &in_use);
    let pending = name.as_deref().and_then(|name| begin::pending(&folder, name, &in_use));
    let work = Work { arguments, loaded: &loaded, in_use: &in_use, folder: &folder, now };
    // 2. The next step, as far as it can be done here.
    let stage = match &arguments.certificate {
        Some(file) if !arguments.finish => work.take_in(file, name.as_deref(), pending.as_ref())?,
        _ if arguments.finish => work.finish()?,
        _ => work.go_on(name.as_deref(), pending.as_ref())?,
    };
    // 3. All steps, and what a running gateway says.
    tell_steps(*kind, stage);
    let after = load(Done::AsTold)?;
    let in_use =
        kind::in_use(*kind, &after).map_err(|why| Refusal { done: Done::AsTold, ..why.into() })?;
    Ok(tell_running(running::ask(*kind, &after, path, &in_use), stage))
}

/// What a renewal works with.
struct Work<'w> {
    arguments: &'w Arguments,
    loaded: &'w Loaded,
    in_use: &'w InUse,
    folder: &'w Path,
    now: Time,
}

impl Work<'_> {
    /// Says what is in use, and makes the new key when it is time.
    fn go_on(&self, name: Option<&str>, pending: Option<&Pending>) -> Result<Stage, Refusal> {
        let Self { arguments: Arguments { kind, begin, .. }, loaded, in_use, folder, now } = *self;
        let left = in_use.certificate.as_ref().map(|(_, facts)| days(now, facts.not_after));
        tell_in_use(*kind, in_use, left);
        if let Some(Pending { request, public }) = pending {
            print(format_args!("{}: the request that is under way", shown_path(request)));
            return Ok(match begin::certificate_of(folder, public, in_use) {
                None => Stage::Requested,
                Some(file) => {
                    let file = shown_path(&file);
                    print(format_args!(
                        "{file}: its certificate; name it by --certificate {file} --apply"
                    ));
                    Stage::Issued
                }
            });
        }
        let is_beside = match kind {
            Kind::Decryption => in_use.keys.len() > 1,
            Kind::Node => in_use.all.len() > 1,
            _ => false,
        };
        let left_over = match kind {
            Kind::Node => Vec::new(),
            _ => name.map(|name| begin::left_over(folder, name, in_use)).unwrap_or_default(),
        };
        if (is_beside || !left_over.is_empty()) && !begin {
            for file in left_over {
                print(format_args!(
                    "{}: of the old one, to be removed at the end",
                    shown_path(&file)
                ));
            }
            if is_beside {
                print("the configuration names the old one, too; at the end --finish takes it out");
            }
            return Ok(Stage::Named);
        }
        let is_due = left.is_some_and(|left| left <= EARLY);
        if *kind == Kind::Node || !(is_due || *begin) {
            if *kind != Kind::Node {
                print(format_args!(
                    "no new key is made: it is time {EARLY} days before the end; --begin makes one now"
                ));
            }
            return Ok(Stage::Idle);
        }
        let (key, request) = begin::make(*kind, loaded, in_use, folder, now)?;
        print(format_args!("{}: the new private key, for you alone", shown_path(&key)));
        print(format_args!("{}: the request, for whoever issues it", shown_path(&request)));
        Ok(Stage::Requested)
    }

    /// Takes the old one out of the configuration.
    fn finish(&self) -> Result<Stage, Refusal> {
        let Self { arguments, loaded, in_use, .. } = *self;
        let Arguments { kind, config: path, .. } = arguments;
        let shown = shown_path(path);
        let mut lines = read_lines(path)?;
        let said = arguments.certificate.as_deref();
        let node = match kind {
            Kind::Node if in_use.all.len() > 1 => Some(named::node_that_stays(in_use, said)?),
            Kind::Node => None,
            _ if said.is_some() => {
                return Err("--finish takes a certificate of the node alone".to_owned().into());
            }
            _ => None,
        };
        if !named::take_out_old(*kind, loaded, node.as_ref(), &mut lines) {
            let what = format!("{shown}: it names no old one beside the new one");
            return Err(what.into());
        }
        let errors = written::new_errors(path, &lines.text(), self.now);
        if !errors.is_empty() {
            return Err(errors.into());
        }
        for change in lines.changes() {
            print(format_args!("{shown}: {change}"));
        }
        write_configuration(path, &lines.text())?;
        print(format_args!(
            "{shown}: the lines are written; remove the files that nothing names any more"
        ));
        Ok(Stage::Finished)
    }

    /// Takes in what was issued.
    fn take_in(
        &self,
        file: &Path,
        name: Option<&str>,
        pending: Option<&Pending>,
    ) -> Result<Stage, Refusal> {
        let Self { arguments, loaded, in_use, folder, now } = *self;
        let Arguments { kind, config: path, password_files, apply, .. } = arguments;
        let shown = shown_path(path);
        let mut lines = read_lines(path)?;
        // A file that this command wrote itself has the password of the old one.
        let given = password_files.iter().map(|file| material::password(file));
        let passwords: Result<Vec<_>, _> = given.chain(in_use.password().transpose()).collect();
        let old = Old { kind: *kind, loaded, in_use, name, pending, folder, now };
        let issued = issued::take_in(&old, file, &passwords?, &mut lines);
        let issued = issued?;
        tell_issued(&issued);
        if issued.is_in_use {
            print("the configuration names it already");
            return Ok(Stage::Named);
        }
        let from = issued.facts.not_before;
        if *apply && from > now {
            let file = shown_path(file);
            let why = format!("{file}: it is valid only from {from}; --apply it then, not before");
            return Err(why.into());
        }
        let files = issued.write()?;
        if *apply {
            let errors = written::new_errors(path, &lines.text(), now);
            let applied = match errors.is_empty() {
                true => write_configuration(path, &lines.text()),
                false => Err(errors.join("\nbrama: ")),
            };
            applied.map_err(|why| written::take_away(&files, why))?;
        }
        for path in files {
            print(format_args!("{}: written", shown_path(path)));
        }
        for change in lines.changes() {
            print(format_args!("{shown}: {change}"));
        }
        if !apply {
            if from > now {
                print(format_args!("it is valid only from {from}; --apply refuses it until then"));
            }
            print("these lines are still to be written; --apply writes them");
            return Ok(Stage::Issued);
        }
        print(format_args!("{shown}: the lines are written"));
        Ok(Stage::Named)
    }
}

fn read_lines(path: &Path) -> Result<Lines, String> {
    let shown = shown_path(path);
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    Lines::read(&text).map_err(|why| format!("{shown}: {why}"))
}

fn tell_in_use(kind: Kind, in_use: &InUse, left: Option<i64>) {
    let name = kind.name();
    match (&in_use.certificate, left) {
        (Some((_, facts)), Some(left)) => print(format_args!(
            "{name}: {} ends on {} ({left} days left)",
            Foreign::new(&facts.subject),
            facts.not_after
        )),
        _ => print(format_args!(
            "{name}: its certificate is not here, so it is not known when it ends"
        )),
    }
}

fn tell_issued(issued: &Issued) {
    let facts = &issued.facts;
    print(format_args!(
        "{}, valid from {} to {}, SHA-256 {}",
        Foreign::new(&facts.subject),
        facts.not_before,
        facts.not_after,
        facts.fingerprint
    ));
}

fn tell_steps(kind: Kind, stage: Stage) {
    print("");
    let mut is_next = true;
    for (number, (shows, text)) in guide::steps(kind).iter().enumerate() {
        let mark = if shows.is_some_and(|shows| shows <= stage) || stage == Stage::Finished {
            "done"
        } else if std::mem::take(&mut is_next) {
            "now "
        } else {
            "then"
        };
        let is_assumed = mark == "done" && shows == &Some(Stage::Named);
        let assumed = match kind {
            Kind::Signing | Kind::ClientTls if is_assumed => {
                " (assumed: --apply says that the operator confirmed it)"
            }
            _ => "",
        };
        print(format_args!(" {mark} {}. {text}{assumed}", number + 1));
    }
    print("");
}

/// Says what a running gateway has. Before the configuration names the new one there is nothing for it
/// to take, and another gateway may answer.
fn tell_running(running: Running, stage: Stage) -> ExitCode {
    match running {
        Running::NotLoaded(why) if stage < Stage::Named => {
            print(format_args!(
                "note: the gateway that answers at operations.listen has not what the configuration \
                 names: {why}; there is nothing new for it to take yet"
            ));
            ExitCode::SUCCESS
        }
        Running::Loaded => {
            print("the running gateway has what the configuration names");
            ExitCode::SUCCESS
        }
        Running::NotLoaded(why) => {
            print(format_args!(
                "the running gateway has NOT taken what the configuration names: {why}"
            ));
            ExitCode::FAILURE
        }
        Running::NotThere(why) => {
            print(format_args!("no running gateway was asked (operations.listen): {why}"));
            ExitCode::SUCCESS
        }
    }
}

/// How many days before its end a certificate is renewed without being told: authorities take weeks.
const EARLY: i64 = 60;
