//! Printing and the runtime, the same for all commands.

use std::fmt::Display;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use rustix::process::WaitOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::server::listener::{Shutdown, ShutdownHandle, shutdown};

/// Prints a line. A reader who has left (`| head`) is no error.
pub(super) fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a line for people when standard output is for programs.
pub(super) fn complain(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a line to standard error and returns the exit status of a failure.
pub(super) fn fail(line: impl Display) -> ExitCode {
    complain(format_args!("brama: {line}"));
    ExitCode::FAILURE
}

/// The variables of the process that are text.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Runs a server until it ends or the process is told to stop (SIGTERM, SIGINT).
pub(super) fn serve<F, Fut>(server: F) -> ExitCode
where
    F: FnOnce(Shutdown) -> Fut,
    Fut: Future<Output = ExitCode>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format_args!("runtime cannot start: {error}")),
    };
    runtime.block_on(async {
        if std::process::id() == 1 {
            match signal(SignalKind::child()) {
                Ok(child) => drop(tokio::spawn(reap(child))),
                Err(error) => return fail(format_args!("signals cannot be waited for: {error}")),
            }
        }
        // Where files may not grow beyond a size (`LimitFSIZE=`), this signal would end the
        // process. From here on the write fails (EFBIG), and its caller knows what to do.
        let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        if let Err(error) = signal(too_large) {
            return fail(format_args!("signals cannot be waited for: {error}"));
        }
        let (stopper, stopped) = shutdown();
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => {
                tokio::spawn(stop_on_signal(stopper, terminate, interrupt));
                server(stopped).await
            }
            (Err(error), _) | (_, Err(error)) => {
                fail(format_args!("signals cannot be waited for: {error}"))
            }
        }
    })
}

/// As the first process of a container: takes leave of processes whose parents have ended, such as
/// what somebody started there by `exec`. The kernel keeps them until then. Commands that serve
/// start no processes of their own there ([`crate::app`] has no successor), so none is missed by
/// another who waits.
async fn reap(mut child: Signal) {
    while child.recv().await.is_some() {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }
}

async fn stop_on_signal(stopper: ShutdownHandle, mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stopper.stop();
    // A second signal ends the process at once, for operators who do not want to wait.
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    std::process::exit(130);
}
