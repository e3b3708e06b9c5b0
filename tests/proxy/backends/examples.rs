//! How each example is started.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Backend;
use crate::harness::{Program, free_address, tools};

/// An example, by its folder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Example {
    Go,
    Java,
    Node,
    Perl,
    Php,
    Python,
    Ruby,
    Rust,
    Spring,
}

/// What a backend is configured with.
pub(super) struct Expectations {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) keys: String,
}

/// What a backend that asks for signed requests is configured with.
pub(super) struct Signed<'s> {
    pub(super) algorithm: &'s str,
    pub(super) secret_file: PathBuf,
    pub(super) key_id: &'s str,
}

/// An example whose libraries are there.
pub(super) struct Prepared {
    example: Example,
    /// What `setup.sh` made.
    folder: PathBuf,
}

impl Example {
    fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Java => "java",
            Self::Node => "node",
            Self::Perl => "perl",
            Self::Php => "php",
            Self::Python => "python",
            Self::Ruby => "ruby",
            Self::Rust => "rust",
            Self::Spring => "spring",
        }
    }

    /// Returns the example when it can run here. When not, the test is to end: it says that it was
    /// skipped, or fails where judges are required.
    pub(super) fn prepared(self) -> Option<Prepared> {
        Some(Prepared { example: self, folder: tools::backend(self.name())? })
    }
}

impl Prepared {
    /// Starts it on a port that nobody has.
    pub(super) fn start(&self, expected: &Expectations) -> Backend {
        self.start_at(free_address(), expected)
    }

    pub(super) fn start_at(&self, address: SocketAddr, expected: &Expectations) -> Backend {
        self.start_with(address, expected, |command| command)
    }

    /// Starts it for requests that are signed.
    pub(super) fn start_signed(
        &self,
        address: SocketAddr,
        expected: &Expectations,
        signed: &Signed<'_>,
    ) -> Backend {
        self.start_with(address, expected, |command| {
            command
                .env("BRAMA_SIGNED", signed.algorithm)
                .env("BRAMA_SECRET_FILE", &signed.secret_file)
                .env("BRAMA_KEY_ID", signed.key_id)
        })
    }

    fn start_with(
        &self,
        address: SocketAddr,
        expected: &Expectations,
        change: impl Fn(&mut Command) -> &mut Command,
    ) -> Backend {
        let folder = tempfile::tempdir().unwrap();
        let mut command = self.command(address, &folder);
        change(&mut command)
            .env("BRAMA_ISSUER", &expected.issuer)
            .env("BRAMA_AUDIENCE", &expected.audience)
            .env("BRAMA_JWKS", &expected.keys)
            .env("BRAMA_LEVEL", "substantial")
            .env("PORT", address.port().to_string());
        let mut program = Program::start(&mut command);
        // PHP's own server says it in words of its own.
        program.wait_for(|line| {
            let is_up = line.starts_with("listening ") || line.contains("Development Server");
            is_up.then_some(())
        });
        Backend { address, _program: program, _folder: folder }
    }

    fn command(&self, address: SocketAddr, folder: &TempDir) -> Command {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/backends");
        let source = source.join(self.example.name());
        let with = |program: &Path, file: &str| {
            let mut command = Command::new(program);
            command.arg(source.join(file));
            command
        };
        match self.example {
            Example::Python => with(&self.folder.join("bin/python"), "backend.py"),
            Example::Ruby => with(Path::new("ruby"), "backend.rb"),
            Example::Perl => with(Path::new("perl"), "backend.pl"),
            Example::Node => {
                // Libraries are looked for beside the program.
                let modules = folder.path().join("node_modules");
                symlink(self.folder.join("node_modules"), modules).unwrap();
                for file in ["backend.js", "signed.js", "package.json"] {
                    fs::copy(source.join(file), folder.path().join(file)).unwrap();
                }
                let mut command = Command::new("node");
                command.arg(folder.path().join("backend.js"));
                command
            }
            Example::Java | Example::Spring => {
                let is_plain = matches!(self.example, Example::Java);
                let class = if is_plain { "Backend" } else { "Portal" };
                let jars = self.folder.join("jars/*");
                let mut build = Command::new("javac");
                build.arg("-cp").arg(&jars).arg("-d").arg(folder.path());
                built(build.arg(source.join(class).with_extension("java")));
                let mut command = Command::new("java");
                command.arg("-XX:TieredStopAtLevel=1").arg("-cp");
                command.arg(format!("{}:{}", jars.display(), folder.path().display())).arg(class);
                command
            }
            Example::Php => {
                let mut command = Command::new("php");
                let sessions = format!("session.save_path={}", folder.path().display());
                command.args(["-d", &sessions, "-S", &address.to_string()]);
                command.arg(source.join("index.php"));
                command.env("BRAMA_KEYS_FILE", folder.path().join("keys.json"));
                command
            }
            Example::Go => {
                let program = folder.path().join("portal");
                let mut build = Command::new("go");
                build.args(["build", "-o"]).arg(&program).arg(".").env("GOFLAGS", "-mod=readonly");
                built(build.current_dir(&source));
                Command::new(program)
            }
            Example::Rust => {
                let target = self.folder.join("target");
                let mut build = Command::new("cargo");
                build.args(["build", "--quiet", "--locked", "--offline", "--target-dir"]);
                build.arg(&target).arg("--manifest-path").arg(source.join("Cargo.toml"));
                built(&mut build);
                Command::new(target.join("debug/portal"))
            }
        }
    }
}

/// What it was prepared with is there already, so this is quick.
fn built(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
