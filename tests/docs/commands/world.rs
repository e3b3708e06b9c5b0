//! Where the commands of a page run: a folder with what a reader would have by then, in a network of its own.
//!
//! 1. In that network the ports are free that the pages name, and it is the loopback device alone.
//! 2. `tests/docs/world/bin/prepare` makes what every page may have: configurations, keys, certificates. What
//!    happens between two blocks, such as an answer of the operator, is in [`BETWEEN`].
//! 3. `tests/docs/world/bin` stands before everything else in `PATH`. A program that goes on for as long as
//!    one wants (`run`, `demo`, `simulator`) is started there, and the next line runs when it is ready.
//! 4. `/etc/brama` of a page is a folder of that name below.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::pages::root;

/// What happens before a block: its page, what it begins with, and what is typed by somebody else.
const BETWEEN: &[(&str, &str, &str)] = &[
    // The operator answers to the request, with a chain.
    (
        "docs/pl/certyfikaty.md",
        "brama certs inspect klucze/portal_sig_ec.key",
        "operator klucze/portal_sig_ec.csr portal_sig_ec.pem",
    ),
    (
        "docs/pl/certyfikaty.md",
        "brama certs compare",
        "operator klucze/portal_sig_ec.csr integracja_sig_ec.pem
         operator klucze/portal_sig_ec.csr produkcja_sig_ec.pem",
    ),
    (
        "docs/pl/utrzymanie.md",
        "curl -s http://127.0.0.1:9480/readyz",
        "brama run --config etc/brama/brama.toml",
    ),
    (
        "docs/pl/droga.md",
        "brama onboarding import symulator",
        "hand-over wezel/symulator od-operatora",
    ),
    (
        "docs/pl/droga.md",
        "brama onboarding import integration",
        "hand-over wezel/integration od-operatora",
    ),
    ("docs/pl/droga.md", "brama certs compare", "hand-over wezel/production kupione"),
    (
        "docs/en/steps.md",
        "brama onboarding import symulator",
        "hand-over node/symulator from-operator",
    ),
    (
        "docs/en/steps.md",
        "brama onboarding import integration",
        "hand-over node/integration from-operator",
    ),
    ("docs/en/steps.md", "brama certs compare", "hand-over node/production bought"),
    (
        "docs/simulator.md",
        "brama simulator --directory config/kit --schedule",
        "echo 1h ok >hours.txt",
    ),
    ("docs/demo.md", "sh deploy/curl/sign-in.sh", "brama demo"),
];

/// The page is typed into one shell, as a reader does it; which block failed is said at its end.
const BEGIN: &str = r#"set -eu
block='what was there before'
trap '[ -z "$block" ] || echo "$block failed" >&2' EXIT
ip link set lo up
prepare"#;

/// What `unshare` is asked for, as root and as somebody else. What was started ends with it.
const WAYS_IN: [&[&str]; 2] = [
    &["--net", "--pid", "--fork", "--kill-child"],
    &["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"],
];

fn way_in() -> Option<&'static [&'static str]> {
    let opens = |words: &&&[&str]| {
        let mut command = Command::new("unshare");
        command.args(**words).args(["sh", "-c", "ip link set lo up"]).env("PATH", path());
        command.output().is_ok_and(|output| output.status.success())
    };
    WAYS_IN.iter().find(opens).copied()
}

/// Tells whether commands can run here; where tools are required, it is an error when not.
pub(super) fn is_possible() -> bool {
    let missing = ["openssl", "curl", "ip", "unshare"].into_iter().find(|tool| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .env("PATH", path())
            .output();
        !found.is_ok_and(|output| output.status.success())
    });
    let why = match missing {
        Some(tool) => format!("{tool} is not installed"),
        None if way_in().is_none() => String::from("this machine gives no network namespaces"),
        None => return true,
    };
    let required = env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
    assert!(!required, "{why}, and BRAMA_JUDGES=required");
    eprintln!("skipped: {why}");
    false
}

/// Runs the blocks of a page, each with its name.
///
/// # Errors
/// Which block failed, and what it said.
pub(super) fn run(page: &str, story: &[(String, String)]) -> Result<(), String> {
    if story.is_empty() {
        return Ok(());
    }
    let world = tempfile::tempdir().unwrap();
    let here = world.path();
    for name in ["config", "deploy"] {
        let (from, to) = (root().join(name), here.join(name));
        if name == "deploy" {
            symlink(from, to).unwrap();
        } else {
            copy(&from, &to);
        }
    }
    let below = format!("{}/etc/brama/", here.display());
    let mut script = vec![String::from(BEGIN)];
    for (name, typed) in story {
        script.push(format!("block={name}"));
        let happens =
            |(of, begin, _): &&(&str, &str, &str)| *of == page && typed.starts_with(begin);
        for (_, _, between) in BETWEEN.iter().filter(happens) {
            script.push(format!("(cd \"$WORLD\"; {between})"));
        }
        script.push(typed.replace("/etc/brama/", &below));
    }
    // Otherwise the shell is replaced by the last command, and says nothing of it.
    script.push(String::from("block="));
    let way_in = way_in().unwrap_or_default();
    let mut command = Command::new("unshare");
    command.args(way_in).args(["sh", "-c", &script.join("\n")]).current_dir(here);
    command.env("BRAMA", env!("CARGO_BIN_EXE_brama")).env("HOME", here).env("WORLD", here);
    let bin = root().join("tests/docs/world/bin");
    command.env("PATH", format!("{}:{}", bin.display(), path()));
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| format!("{page}: unshare: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<_> = said.lines().collect();
    let last = lines.len().saturating_sub(30);
    Err(lines[last..].join("\n"))
}

/// With where Debian keeps `ip` for users who are not root.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}
