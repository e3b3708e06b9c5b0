//! nginx, Apache, Express and PHP, each with what is protected and what is open.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::SECRET;
use crate::harness::tools::{self, Tool};
use crate::harness::{Apache, Nginx, PATIENCE, Program, free_address, node, readable_folder};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Apache,
    Express,
    Php,
}

impl Kind {
    /// What the manual calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Express => "Express",
            Self::Php => "PHP",
        }
    }

    /// The paths that rules protect, where all else is public.
    pub(super) fn protected(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["/admin", "/panel", "/private"],
            Self::Apache => &["/panel"],
            Self::Express | Self::Php => &["/admin"],
        }
    }

    /// The paths that rules open, where all else is protected.
    pub(super) fn opened(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["/open", "/files"],
            Self::Apache | Self::Express | Self::Php => &["/open"],
        }
    }

    /// Where the secret is.
    pub(super) fn places(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["/admin", "/panel/dash", "/private/secret.txt"],
            Self::Apache => &["/panel"],
            Self::Express | Self::Php => &["/admin"],
        }
    }
}

/// A running portal.
pub(super) struct Portal {
    pub(super) kind: Kind,
    pub(super) url: String,
    _program: Running,
}

/// Ends with its owner.
enum Running {
    Nginx { _nginx: Nginx, _folder: TempDir },
    Apache { _apache: Apache, _root: TempDir },
    Program { _program: Program, _folder: Option<TempDir> },
}

/// Starts a portal, where it is installed.
pub(super) fn start(kind: Kind) -> Option<Portal> {
    let tool = match kind {
        Kind::Nginx => Tool::Nginx,
        Kind::Apache => Tool::Apache,
        Kind::Express => Tool::Express,
        Kind::Php => Tool::Php,
    };
    if !tools::has(&[tool]) {
        return None;
    }
    let (url, program) = match kind {
        Kind::Nginx => nginx(),
        Kind::Apache => apache(),
        Kind::Express => {
            let (program, url) = node("express.js");
            (url, Running::Program { _program: program, _folder: None })
        }
        Kind::Php => php(),
    };
    Some(Portal { kind, url, _program: program })
}

/// Three habits: a location without a slash at its end, the same before another program, and the
/// same before a folder.
fn nginx() -> (String, Running) {
    let (app, folder) = (free_address(), readable_folder());
    for (name, file, text) in [("files", "a.txt", "open"), ("private", "secret.txt", SECRET)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join(file), text).unwrap();
    }
    let here = folder.path().display();
    let nginx = Nginx::start_with(
        &format!(
            "default_type text/plain;\n\
             upstream app {{ server {app}; }}\n\
             server {{ listen {app}; location / {{ return 200 open; }} \
             location = /dash {{ return 200 {SECRET}; }} }}"
        ),
        &format!(
            "location / {{ return 200 open; }}\n\
             location /admin {{ return 200 {SECRET}; }}\n\
             location /panel {{ proxy_pass http://app/; }}\n\
             location /files {{ alias {here}/files/; }}\n\
             location /private/ {{ alias {here}/private/; }}"
        ),
    );
    (nginx.url.clone(), Running::Nginx { _nginx: nginx, _folder: folder })
}

/// Files, with `MultiViews`: a name finds its file without the extension.
fn apache() -> (String, Running) {
    let root = readable_folder();
    for (name, text) in [("panel.html", SECRET), ("open.html", "open"), ("index.html", "open")] {
        fs::write(root.path().join(name), text).unwrap();
    }
    let address = free_address();
    let lines = format!(
        "TypesConfig /etc/mime.types\nDocumentRoot {root}\nDirectoryIndex index.html\n\
         <Directory {root}>\nRequire all granted\nOptions +MultiViews\n</Directory>\n",
        root = root.path().display()
    );
    let apache = Apache::start(address, &["mime", "negotiation", "dir"], &lines);
    (format!("http://{address}"), Running::Apache { _apache: apache, _root: root })
}

/// The server of PHP itself, with a script for all that is no file (`PATH_INFO`).
fn php() -> (String, Running) {
    let folder = readable_folder();
    let script = format!(
        "<?php\n$path = $_SERVER['PATH_INFO'] ?? '/';\n\
         echo $path === '/admin' || $path === '/admin/' ? '{SECRET}' : 'open';\n"
    );
    fs::write(folder.path().join("index.php"), script).unwrap();
    let address = free_address();
    let mut command = Command::new("php");
    command.args(["-n", "-q", "-S", &address.to_string(), "-t"]).arg(folder.path());
    let program = Program::start(&mut command);
    listening(program, address, folder)
}

/// Waits until a program listens.
fn listening(mut program: Program, address: SocketAddr, folder: TempDir) -> (String, Running) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(
            !program.has_ended() && Instant::now() < deadline,
            "nobody listens: {:?}",
            program.said()
        );
        thread::sleep(Duration::from_millis(5));
    }
    let running = Running::Program { _program: program, _folder: Some(folder) };
    (format!("http://{address}"), running)
}
