//! Portals written in other languages, and nginx.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::free_address;
use super::program::{PATIENCE, Program, on_host};
use super::tools;

/// Starts a program for Node from `tests/proxy/upstreams`, and returns its address.
pub(crate) fn node(file: &str) -> (Program, String) {
    Program::start_listening(Command::new("node").arg(source(file)))
}

/// Starts a program for Python from `tests/proxy/upstreams`, and returns its address.
pub(crate) fn python(file: &str) -> (Program, String) {
    // Isolated: no packages but Debian's own.
    Program::start_listening(Command::new(tools::PYTHON).arg("-I").arg(source(file)))
}

/// Starts a program for Python on another host: these words begin a command there.
pub(crate) fn python_on(host: &[String], file: &str) -> (Program, String) {
    Program::start_listening(on_host(host, tools::PYTHON).arg("-I").arg(source(file)))
}

/// Returns a file of `tests/proxy/upstreams`.
pub(crate) fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proxy/upstreams").join(file)
}

/// A server of nginx, in one process, on a port and on a socket of the file system.
pub(crate) struct Nginx {
    pub(crate) url: String,
    pub(crate) unix_url: String,
    folder: TempDir,
    _program: Program,
}

impl Nginx {
    /// Starts it with these lines in its `server` block. A file `big.bin` may be put into its root
    /// with [`Self::root`].
    ///
    /// Its log has a line for each request: the number of the connection, the number of the request
    /// on it, status, method, target, and length of the body.
    pub(crate) fn start(server: &str) -> Self {
        Self::start_with("", server)
    }

    /// Does the same, with lines in its `http` block too.
    pub(crate) fn start_with(http: &str, server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let socket = folder.path().join("nginx.sock");
        let address = free_address();
        let here = folder.path().display();
        let mut temporary = String::new();
        for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            let _ = writeln!(temporary, "    {name}_temp_path {here}/{name};");
        }
        let configuration = format!(
            "daemon off;\nmaster_process off;\npid {here}/nginx.pid;\n\
             error_log {here}/error.log;\n\
             events {{ worker_connections 512; }}\n\
             http {{\n{temporary}\
             log_format seen '$connection $connection_requests $status \
             $request_method $request_uri $content_length';\n\
             access_log {here}/access.log seen;\n\
             client_max_body_size 0;\nclient_header_buffer_size 64k;\n\
             large_client_header_buffers 4 128k;\nkeepalive_timeout 60s;\n\
             keepalive_requests 100000;\n{http}\
             server {{\nlisten {address};\nlisten unix:{};\nroot {};\n{server}\n}}\n}}\n",
            socket.display(),
            root.display(),
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let nginx = tools::nginx().expect("nginx was found");
        let errors = folder.path().join("error.log");
        let mut command = Command::new(nginx);
        command.arg("-e").arg(&errors).arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let program = Program::start(&mut command);
        let deadline = Instant::now() + PATIENCE;
        // It writes its number when it listens everywhere, on the addresses of a test too.
        let number = folder.path().join("nginx.pid");
        while !number.is_file() || TcpStream::connect(address).is_err() {
            let said = fs::read_to_string(&errors).unwrap_or_default();
            assert!(Instant::now() < deadline, "nginx does not listen: {said}");
            thread::sleep(Duration::from_millis(5));
        }
        Self {
            url: format!("http://{address}"),
            unix_url: format!("unix:{}", socket.display()),
            folder,
            _program: program,
        }
    }

    /// Returns the folder whose files it serves.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Returns what it complains about.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    /// Returns the lines of its log, as soon as one of them satisfies.
    pub(crate) fn log_until(&self, satisfies: impl Fn(&str) -> bool) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text =
                fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            if text.ends_with('\n') && lines.iter().any(|line| satisfies(line)) {
                return lines;
            }
            assert!(Instant::now() < deadline, "nginx did not log what was waited for: {text}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
