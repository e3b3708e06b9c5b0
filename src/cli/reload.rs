//! `brama reload`: has a running gateway read its configuration again, and says what became of it.
//!
//! A signal has no answer, and systemd before version 253 cannot be told of a reload that failed
//! (`Type=notify-reload`). So a gateway listens where other processes of its user can ask:
//!
//! 1. At a socket in the abstract namespace (unix(7)), so there is no file to clean up. Its name has
//!    the number of the process, and that of the space that the number counts in.
//! 2. Both sides look at who the other one is (`SO_PEERCRED`). The gateway does it for its own user
//!    and for root; who asks believes only the process that was meant.
//! 3. One is answered at a time, each within [`SHORT`] of asking; who does not ask is let go.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net;
use tracing::warn;

use super::output::{fail, print};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The process: `$MAINPID` in a unit of systemd.
    #[arg(long, value_name = "NUMBER")]
    pid: u32,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format_args!("runtime cannot start: {error}")),
    };
    match runtime.block_on(ask(arguments.pid)) {
        Ok(Outcome::Applied) => {
            print("the new configuration is applied");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Refused(why)) => fail(format_args!("the old configuration stays: {why}")),
        Err(error) => fail(format_args!(
            "process {} was not asked, or did not answer: {error}; is it a gateway of this user, \
             of this version or later?",
            arguments.pid
        )),
    }
}

/// What became of a new configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It holds from the next request on.
    Applied,
    /// It does not, and why: several lines where there are several problems.
    Refused(String),
}

/// Asks a process, and waits for what it says.
async fn ask(process: u32) -> io::Result<Outcome> {
    let stream = UnixStream::connect_addr(&address(process)?)?;
    stream.set_nonblocking(true)?;
    let mut stream = net::UnixStream::from_std(stream)?;
    let answers = stream.peer_cred()?.pid();
    if answers.and_then(|pid| u32::try_from(pid).ok()) != Some(process) {
        return Err(io::Error::other(format!("process {answers:?} answers in its place")));
    }
    stream.write_all(QUESTION).await?;
    let mut answer = String::new();
    let mut stream = stream.take(LONGEST);
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    if answer == APPLIED {
        return Ok(Outcome::Applied);
    }
    let why = answer.strip_prefix(REFUSED).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Outcome::Refused(why.to_owned()))
}

/// Where a gateway is asked.
pub(super) struct Asked(Option<net::UnixListener>);

impl Asked {
    /// Listens for questions to this process. One that cannot be asked goes on without.
    pub(super) fn listen() -> Self {
        let listener = (|| {
            let listener = UnixListener::bind_addr(&address(std::process::id())?)?;
            listener.set_nonblocking(true)?;
            net::UnixListener::from_std(listener)
        })();
        let complain = |error: &io::Error| warn!(%error, "brama reload cannot ask this process");
        Self(listener.inspect_err(complain).ok())
    }

    /// Waits for the next one who asks. May be given up at any time.
    pub(super) async fn next(&self) -> Question {
        loop {
            let Some(listener) = &self.0 else { return std::future::pending().await };
            match listener.accept().await {
                Ok((stream, _)) => return Question(stream),
                // Without descriptors this would go round and round.
                Err(_) => tokio::time::sleep(SHORT).await,
            }
        }
    }
}

/// Somebody who may be asking.
pub(super) struct Question(net::UnixStream);

impl Question {
    /// Tells whether it is one of those who may, and whether that is what they want.
    pub(super) async fn is_good(&mut self) -> bool {
        let own = rustix::process::geteuid().as_raw();
        let may = self.0.peer_cred().is_ok_and(|peer| [0, own].contains(&peer.uid()));
        let mut question = [0; QUESTION.len()];
        let read = tokio::time::timeout(SHORT, self.0.read_exact(&mut question));
        may && read.await.is_ok_and(|read| read.is_ok()) && question == *QUESTION
    }

    /// Says what became of it. Who has gone meanwhile hears nothing.
    pub(super) async fn answer(mut self, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Applied => APPLIED.to_owned(),
            Outcome::Refused(why) => format!("{REFUSED}{why}"),
        };
        let _ = tokio::time::timeout(SHORT, self.0.write_all(text.as_bytes())).await;
    }
}

fn address(process: u32) -> io::Result<SocketAddr> {
    // Containers may share a network, and with it this namespace, and number their processes alike.
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    SocketAddr::from_abstract_name(format!("brama/reload/{}/{process}", space.display()))
}

const QUESTION: &[u8; 7] = b"reload\n";
const APPLIED: &str = "applied\n";
const REFUSED: &str = "refused\n";
/// How long one side may keep the other one waiting with nothing to do.
const SHORT: Duration = Duration::from_secs(1);
/// How long a configuration may take: names of servers are looked up for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of an answer that are read.
const LONGEST: u64 = 1 << 20;
