//! What systemd would hear of a gateway, and a successor, which is no child of the test.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use tempfile::TempDir;

use super::plan::Plan;
use super::program::PATIENCE;

/// What systemd would hear of a gateway.
pub(crate) struct Systemd {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Systemd {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, folder }
    }

    pub(crate) fn watch(&self, plan: Plan) -> Plan {
        plan.environment("NOTIFY_SOCKET", self.folder.path().join("notify").to_str().unwrap())
    }

    /// Waits until it hears this, and returns the rest of that line.
    pub(crate) fn hears(&self, beginning: &str) -> String {
        let mut buffer = [0; 500];
        loop {
            let length = self.socket.recv(&mut buffer).expect(beginning);
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if let Some(rest) = text.lines().find_map(|line| line.strip_prefix(beginning)) {
                return rest.to_owned();
            }
        }
    }
}

/// A successor, which is no child of ours. Ends with its owner.
pub(crate) struct Successor(pub(crate) String);

impl Successor {
    pub(crate) fn signal(&self, name: &str) -> bool {
        Command::new("kill").args(["-s", name, &self.0]).output().unwrap().status.success()
    }

    /// Tells whether it has ended; whoever is its parent now may not have noticed yet.
    pub(crate) fn has_ended(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        status.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.signal("KILL");
        }
    }
}
