//! What a running gateway is told by signals and by its configuration file.
//!
//! | signal | what happens |
//! |---|---|
//! | SIGHUP | the configuration is read again; a good one applies from the next request on |
//! | SIGUSR1 | the access log goes on in a new file, after the old one was moved away |
//! | SIGUSR2 | what is called by our name now is started with the same sockets; when it is ready, this one leaves |
//!
//! The configuration is also read again when its file changes. A wrong one changes nothing, and the
//! log says why.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::configuration::load;
use crate::app::Command;

/// The signals that are waited for. From when there is one of these, none of them ends the process,
/// which is what the system does with them otherwise.
pub(super) struct Signals {
    hang_up: Signal,
    user1: Signal,
    user2: Signal,
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
        })
    }
}

/// Listens for signals and looks at the file until the gateway has stopped. `seen` is how the file
/// was before it was read.
pub(super) async fn listen(
    mut signals: Signals,
    path: PathBuf,
    mut seen: Fingerprint,
    commands: mpsc::Sender<Command>,
) {
    let mut look = tokio::time::interval(LOOK_AT_FILE);
    let mut told = Ok(());
    loop {
        let reads_again = tokio::select! {
            _ = signals.hang_up.recv() => true,
            _ = signals.user1.recv() => {
                told = commands.send(Command::ReopenLogs).await.map_err(|_| Gone);
                false
            }
            _ = signals.user2.recv() => {
                let successor = Command::Succeed(Box::new(this_program()));
                told = commands.send(successor).await.map_err(|_| Gone);
                false
            }
            _ = look.tick() => Fingerprint::of(&path) != seen,
        };
        if reads_again {
            // A file that is being written is looked at again when it is whole.
            seen = Fingerprint::of(&path);
            told = apply(&path, &commands).await;
        }
        if told.is_err() {
            return;
        }
    }
}

/// The gateway has stopped.
struct Gone;

async fn apply(path: &Path, commands: &mpsc::Sender<Command>) -> Result<(), Gone> {
    let owned = path.to_owned();
    let loaded = tokio::task::spawn_blocking(move || load(&owned)).await;
    let Ok((settings, problems)) = loaded else { return Ok(()) };
    for problem in &problems {
        warn!(%problem, "configuration");
    }
    let Some(settings) = settings else {
        error!("the new configuration is wrong, so the old one stays");
        return commands.send(Command::Refused).await.map_err(|_| Gone);
    };
    let (told, answer) = oneshot::channel();
    commands.send(Command::Apply(Box::new(settings), told)).await.map_err(|_| Gone)?;
    match answer.await.map_err(|_| Gone)? {
        Ok(()) => info!("the new configuration is applied"),
        Err(refused) => error!(%refused, "the old configuration stays"),
    }
    Ok(())
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
/// when there is nothing, which is so when whoever started us gave us a name of its own.
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

/// What tells one state of a file from another; symbolic links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Option<(u64, u64, i64, i64)>);

impl Fingerprint {
    pub(super) fn of(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self(metadata.map(|m| (m.ino(), m.size(), m.mtime(), m.mtime_nsec())))
    }
}

const LOOK_AT_FILE: Duration = Duration::from_secs(2);
