//! What the program tells systemd about itself. Without systemd it tells nothing.
//!
//! The socket is that of `NOTIFY_SOCKET`; messages are small and sent at once. When one cannot be
//! sent, the program goes on: it is worth a line in the log and nothing more.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::warn;

/// Says that the program serves. Also ends a reload.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// Says that a new configuration is being applied; [`ready`] follows, whether it was or not.
pub fn reloading() {
    // systemd wants to know when, by a clock that never jumps (sd_notify(3), Type=notify-reload).
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "systemd was not told of the reload"),
    }
}

/// Says that the program is about to end.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Says that a successor serves from now on: it is the one to watch.
///
/// The predecessor says it, once the successor is ready. The unit needs `NotifyAccess=all`, since
/// from then on the messages come from another process.
pub fn successor(process: u32) {
    send(&[NotifyState::MainPid(process), NotifyState::Ready]);
}

/// Says that the program is alive; to be said within the time of [`watchdog`].
pub fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// Returns how often systemd wants to hear [`alive`], if at all: half the time after which it
/// would give the program up (sd_watchdog_enabled(3)).
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|time| time / 2)
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told how the program is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    const CHILD: &str = "server::notify::tests::child_that_tells_everything";

    fn child() -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", CHILD, "--ignored"]).env_remove("NOTIFY_SOCKET");
        command
    }

    #[test]
    fn tells_systemd_each_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut command = child();
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "3000000");
        assert!(command.output().unwrap().status.success());

        let mut buffer = [0; 512];
        let mut next = || {
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(next(), "READY=1\n");
        let reloading = next();
        let microseconds = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(microseconds.trim_end().parse::<u64>().unwrap() > 0);
        assert_eq!(next(), "WATCHDOG=1\n");
        assert_eq!(next(), "MAINPID=4711\nREADY=1\n");
        assert_eq!(next(), "STOPPING=1\n");
    }

    #[test]
    fn tells_nobody_without_systemd_and_survives_one_that_has_gone() {
        assert!(child().env("WATCHDOG_USEC", "3000000").output().unwrap().status.success());
        let gone = child()
            .env("NOTIFY_SOCKET", "/nonexistent/notify")
            .env("WATCHDOG_USEC", "3000000")
            .output();
        assert!(gone.unwrap().status.success());
    }

    #[test]
    #[ignore = "started by the tests above with an environment of its own"]
    fn child_that_tells_everything() {
        ready();
        reloading();
        assert_eq!(watchdog(), Some(Duration::from_millis(1500)));
        alive();
        successor(4711);
        stopping();
    }
}
