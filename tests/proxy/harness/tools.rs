//! Finding the programs of others.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::tomcat;

/// The interpreter that Debian's own modules belong to, not one that a version manager put first.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// Tells whether all of these are installed. When not, the test is to end: it says that it was
/// skipped, or fails where judges are required.
pub(crate) fn has(tools: &[Tool]) -> bool {
    for tool in tools {
        if !tool.is_installed() {
            skip(&format!("{tool:?} is not installed (apt-get install {})", tool.package()));
            return false;
        }
    }
    true
}

/// Returns the python of the judges, when they are set up.
pub(crate) fn judges_python() -> Option<PathBuf> {
    let python = std::env::var_os("BRAMA_JUDGES_PYTHON").map(PathBuf::from);
    let python = python.filter(|python| python.exists());
    if python.is_none() {
        skip(
            "BRAMA_JUDGES_PYTHON is not set; it is the output of tests/conformance/python/setup.sh",
        );
    }
    python
}

/// Returns what `tests/proxy/backends/setup.sh` made for an example backend, when it is ready.
pub(crate) fn backend(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("BRAMA_BACKENDS").map(|all| PathBuf::from(all).join(name));
    let folder = folder.filter(|folder| folder.join("ready").is_file());
    if folder.is_none() {
        skip(&format!(
            "the example {name} is not prepared (BRAMA_BACKENDS is the output of \
             sh tests/proxy/backends/setup.sh)"
        ));
    }
    folder
}

/// A program that a test needs beside the gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    Apache,
    Buildah,
    Caddy,
    Chromium,
    Curl,
    Envoy,
    Express,
    Faketime,
    Javac,
    Haproxy,
    Iproute,
    Netavark,
    Nginx,
    Node,
    NodeYaml,
    OpenSsl,
    Php,
    PhpFpm,
    Podman,
    PodmanCompose,
    Prometheus,
    Python,
    PythonDjango,
    PythonGrpc,
    PythonPrometheus,
    PythonWebsockets,
    Redis,
    Runc,
    SocketActivate,
    SystemdAnalyze,
    Tomcat,
    Traefik,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Self::Apache => "apache2",
            Self::Buildah => "buildah",
            Self::Chromium => "chromium",
            Self::Curl => "curl",
            Self::Express => "node-express",
            Self::Faketime => "faketime",
            Self::Javac => "default-jdk-headless",
            Self::Haproxy => "haproxy",
            Self::Iproute => "iproute2",
            Self::Netavark => "netavark aardvark-dns",
            Self::Nginx => "nginx-light",
            Self::Node => "nodejs",
            Self::NodeYaml => "node-js-yaml",
            Self::OpenSsl => "openssl",
            Self::Php => "php-cli",
            Self::PhpFpm => "php-fpm",
            Self::Podman => "podman",
            Self::PodmanCompose => "podman-compose",
            Self::Prometheus => "prometheus",
            Self::Python => "python3",
            Self::PythonDjango => "python3-django",
            Self::PythonGrpc => "python3-grpcio",
            Self::PythonPrometheus => "python3-prometheus-client",
            Self::PythonWebsockets => "python3-websockets",
            Self::Redis => "redis-server",
            Self::Runc => "runc",
            Self::SocketActivate | Self::SystemdAnalyze => "systemd",
            Self::Tomcat => "tomcat10-common",
            Self::Caddy | Self::Envoy | Self::Traefik => {
                "nothing, but run tests/conformance/python/setup.sh"
            }
        }
    }

    fn is_installed(self) -> bool {
        match self {
            Self::Apache => PathBuf::from("/usr/sbin/apache2").is_file(),
            Self::Buildah => installed("buildah").is_some(),
            Self::Chromium => installed("chromium").is_some(),
            Self::Curl => installed("curl").is_some(),
            Self::Express => {
                PathBuf::from("/usr/share/nodejs/express").is_dir() && installed("node").is_some()
            }
            Self::Faketime => installed("faketime").is_some(),
            Self::Javac => installed("javac").is_some(),
            Self::Haproxy => haproxy().is_some(),
            Self::Iproute => installed("ip").is_some() || PathBuf::from("/usr/sbin/ip").is_file(),
            Self::Caddy | Self::Envoy | Self::Traefik => self.beside_judges().is_some(),
            Self::Netavark => ["netavark", "aardvark-dns"]
                .iter()
                .all(|name| PathBuf::from("/usr/lib/podman").join(name).is_file()),
            Self::Nginx => nginx().is_some(),
            Self::Node => installed("node").is_some(),
            Self::NodeYaml => {
                PathBuf::from("/usr/share/nodejs/js-yaml").is_dir() && installed("node").is_some()
            }
            Self::OpenSsl => installed("openssl").is_some(),
            Self::Php => installed("php").is_some(),
            Self::PhpFpm => php_fpm().is_some(),
            Self::Podman => installed("podman").is_some(),
            Self::PodmanCompose => installed("podman-compose").is_some(),
            Self::Prometheus => {
                ["prometheus", "promtool"].iter().all(|name| installed(name).is_some())
            }
            Self::Python => PathBuf::from(PYTHON).is_file(),
            Self::PythonDjango => has_module("django"),
            Self::PythonGrpc => has_module("grpc"),
            Self::PythonPrometheus => has_module("prometheus_client"),
            Self::PythonWebsockets => has_module("websockets"),
            Self::Redis => installed("redis-server").is_some(),
            Self::Runc => installed("runc").is_some() || PathBuf::from("/usr/sbin/runc").is_file(),
            Self::SocketActivate => installed("systemd-socket-activate").is_some(),
            Self::SystemdAnalyze => installed("systemd-analyze").is_some(),
            Self::Tomcat => PathBuf::from(tomcat::HOME).is_dir() && installed("java").is_some(),
        }
    }
}

impl Tool {
    /// Returns a proxy that is installed with the judges, as a package of Python.
    pub(crate) fn beside_judges(self) -> Option<PathBuf> {
        let python = std::env::var_os("BRAMA_JUDGES_PYTHON").map(PathBuf::from)?;
        let folder = python.parent()?;
        let file = match self {
            Self::Caddy => folder.join("caddy"),
            Self::Traefik => folder.join("traefik"),
            // Its command is a script of Python that starts the program.
            Self::Envoy => {
                let library = std::fs::read_dir(folder.parent()?.join("lib")).ok()?;
                let version = library.filter_map(Result::ok).next()?.path();
                version.join("site-packages/envoy/_bin/envoy")
            }
            _ => return None,
        };
        file.is_file().then_some(file)
    }
}

/// Returns `HAProxy`, which Debian keeps where only root looks by default.
pub(crate) fn haproxy() -> Option<PathBuf> {
    let at_home = PathBuf::from("/usr/sbin/haproxy");
    installed("haproxy").or_else(|| at_home.is_file().then_some(at_home))
}

fn has_module(name: &str) -> bool {
    let mut command = Command::new(PYTHON);
    command.args(["-I", "-c", &format!("import {name}")]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns nginx, which Debian keeps where only root looks by default.
pub(crate) fn nginx() -> Option<PathBuf> {
    let at_home = PathBuf::from("/usr/sbin/nginx");
    installed("nginx").or_else(|| at_home.is_file().then_some(at_home))
}

/// Returns the server of PHP for FastCGI, which Debian names after its version.
pub(crate) fn php_fpm() -> Option<PathBuf> {
    let programs =
        std::fs::read_dir("/usr/sbin").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))
    };
    installed("php-fpm").or_else(|| programs.filter(is_it).max())
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Says that a test is skipped, or fails where judges are required.
pub(crate) fn skip(what: &str) {
    let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
    assert!(!required, "{what}, and BRAMA_JUDGES=required");
    eprintln!("SKIPPED: {what}");
}

/// Lets this program, and those that it starts from now on, have this many open files.
pub(crate) fn allow_descriptors(count: u32) {
    let process = std::process::id().to_string();
    let mut command = Command::new("prlimit");
    let raised = command.args(["--pid", &process, &format!("--nofile={count}:")]).output().unwrap();
    assert!(raised.status.success(), "{}", String::from_utf8_lossy(&raised.stderr));
}
