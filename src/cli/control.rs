//! What a running gateway is told by signals and by its configuration file.
//!
//! | signal | what happens |
//! |---|---|
//! | SIGHUP | the configuration is read again; a good one applies from the next request on |
//! | SIGUSR1 | the access log and the audit log go on in new files, after the old ones were moved away |
//! | SIGUSR2 | what our name leads to now is started with the same sockets; this one leaves then |
//!
//! `brama reload` does what SIGHUP does and hears what became of it ([`super::reload`]). The
//! configuration is also read again when its file changes, or one of the certificates, keys and
//! authorities that it names ([`super::watched`]). A wrong one changes nothing, and the log says
//! why.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::configuration::load_watched;
use super::reload::{Asked, Outcome};
use super::watched::{Change, Watched};
use crate::app::{Command, ReloadError};
use crate::base::causes::in_one_line;

/// The signals that are waited for. From when there is one of these, none of them ends the process,
/// which is what the system does with them otherwise.
pub(super) struct Signals {
    hang_up: Signal,
    user1: Signal,
    user2: Signal,
    /// Who asks for a reload and waits for the answer.
    asked: Asked,
}

impl Signals {
    /// Begins to wait.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            asked: Asked::listen(),
        })
    }
}

/// Listens for signals and looks at files until the gateway has stopped. `watched` says how they
/// were before they were read.
pub(super) async fn listen(
    mut signals: Signals,
    mut watched: Watched,
    commands: mpsc::Sender<Command>,
) {
    let mut look = tokio::time::interval(LOOK_AT_FILES);
    let mut last = String::new();
    loop {
        let told = tokio::select! {
            _ = signals.hang_up.recv() => {
                read_again(&mut watched, &mut last, &commands).await.map(drop)
            }
            mut question = signals.asked.next() => {
                if !question.is_good().await {
                    continue;
                }
                match read_again(&mut watched, &mut last, &commands).await {
                    Ok(outcome) => {
                        question.answer(&outcome).await;
                        Ok(())
                    }
                    Err(gone) => Err(gone),
                }
            }
            _ = signals.user1.recv() => {
                commands.send(Command::ReopenLogs).await.map_err(|_| Gone)
            }
            _ = signals.user2.recv() => {
                let successor = Command::Succeed(Box::new(this_program()));
                commands.send(successor).await.map_err(|_| Gone)
            }
            _ = look.tick() => match watched.look() {
                Change::None => Ok(()),
                Change::Configuration => {
                    last.clear();
                    apply(&mut watched, &mut last, &commands).await.map(drop)
                }
                Change::Named => apply(&mut watched, &mut last, &commands).await.map(drop),
            },
        };
        if told.is_err() {
            return;
        }
    }
}

/// The gateway has stopped.
struct Gone;

/// Reads everything again because an operator asked for it, and tells what is wrong in any case.
async fn read_again(
    watched: &mut Watched,
    last: &mut String,
    commands: &mpsc::Sender<Command>,
) -> Result<Outcome, Gone> {
    // A file that is being written is looked at again when it is whole.
    watched.look();
    last.clear();
    apply(watched, last, commands).await
}

/// Reads everything again. `last` is what was wrong before, which is not told twice.
async fn apply(
    watched: &mut Watched,
    last: &mut String,
    commands: &mpsc::Sender<Command>,
) -> Result<Outcome, Gone> {
    let (settings, problems) = tokio::task::block_in_place(|| load_watched(watched));
    let found = problems.to_string();
    let is_news = settings.is_some() || found != *last;
    if is_news {
        for problem in &problems {
            warn!(%problem, "configuration");
        }
    }
    let outcome = Outcome::Refused(found.clone());
    *last = found;
    let Some(settings) = settings else {
        watched.tried(false);
        if is_news {
            error!(
                "the new configuration, or a file that it names, is wrong, so the old one stays"
            );
        }
        let refused = Command::Refused { is_news };
        return commands.send(refused).await.map(|()| outcome).map_err(|_| Gone);
    };
    watched.tried(true);
    let (told, answer) = oneshot::channel();
    commands.send(Command::Apply(Box::new(settings), told)).await.map_err(|_| Gone)?;
    match answer.await.map_err(|_| Gone)? {
        Ok(()) => {
            info!("the new configuration is applied");
            Ok(Outcome::Applied)
        }
        Err(refused) => {
            // A file that was in the middle of a change is good a moment later.
            watched.tried(!matches!(refused, ReloadError::Redis(_)));
            let refused = in_one_line(&refused);
            error!(refused, "the old configuration stays");
            Ok(Outcome::Refused(refused))
        }
    }
}

/// The program that is called now as this one was, with our arguments. The name is resolved anew:
/// after an update, or behind a link that was switched, it leads to the new program, and what the
/// system calls our own file is the old one, wherever that was moved to.
fn this_program() -> process::Command {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("brama"));
    let path = program_named(&name).or_else(|| std::env::current_exe().ok());
    let mut command = process::Command::new(path.unwrap_or_else(|| PathBuf::from(name)));
    command.args(arguments);
    command
}

/// Finds what the shell would start: a path as it is, a bare name in the folders of `PATH`. None
/// when there is nothing, which is so when our parent process gave us a name of its own.
fn program_named(name: &OsStr) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    };
    let path = PathBuf::from(name);
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(path).filter(is_program);
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(is_program)
}

/// How often files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);
