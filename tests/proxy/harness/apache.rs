//! Apache, in one process.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::program::{PATIENCE, Program};

/// A server of Apache.
pub(crate) struct Apache {
    _program: Program,
    _folder: TempDir,
}

impl Apache {
    /// Starts it at an address, with these modules and lines.
    pub(crate) fn start(address: SocketAddr, modules: &[&str], lines: &str) -> Self {
        let folder = readable_folder();
        let here = folder.path().display();
        let mut configuration = String::new();
        for name in [&["mpm_event", "authz_core"], modules].concat() {
            let file = Path::new(MODULES).join(format!("mod_{name}.so"));
            let _ = writeln!(configuration, "LoadModule {name}_module {}", file.display());
        }
        let _ = write!(
            configuration,
            "ServerRoot {here}\nServerName localhost\nListen {address}\nUser www-data\n\
             Group www-data\nPidFile {here}/pid\nErrorLog {here}/error.log\n\
             DefaultRuntimeDir {here}\nMaxKeepAliveRequests 0\n{lines}"
        );
        let file = folder.path().join("apache.conf");
        fs::write(&file, configuration).unwrap();
        // One process, so that it ends with us.
        let mut command = Command::new("/usr/sbin/apache2");
        let mut program = Program::start(command.arg("-X").arg("-f").arg(file));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            let said = program.said();
            assert!(!program.has_ended() && Instant::now() < deadline, "Apache: {said:?}");
            thread::sleep(Duration::from_millis(5));
        }
        Self { _program: program, _folder: folder }
    }
}

/// Where Debian keeps them.
const MODULES: &str = "/usr/lib/apache2/modules";

/// A folder that a server can read that gives up its rights.
pub(crate) fn readable_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
