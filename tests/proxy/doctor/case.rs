//! One run of the doctor: the configuration of the healthy gateway with something changed, and what
//! it finds.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use brama::doctor::Check;
use serde_json::Value;
use tempfile::TempDir;

use super::world::World;
use crate::harness::tools;

/// How many seconds one question may take: a machine that is busy is not broken. Whatever says
/// nothing at all is waited for so long, at no cost.
const PATIENCE: &str = "8";

/// A configuration, and how the doctor is asked about it.
pub(super) struct Case {
    text: String,
    /// What lies beside the configuration.
    pub(super) folder: TempDir,
    arguments: Vec<String>,
    launcher: Vec<String>,
    environment: Vec<(String, String)>,
    /// The authorities of public certificates, unless nobody is to know them.
    public_ca: Option<PathBuf>,
    configuration: Option<PathBuf>,
    /// The configuration does not belong to its owner alone.
    mode: Option<u32>,
    /// What the machine does not have for this row.
    missing: Option<&'static str>,
    /// What goes on while the doctor looks.
    pub(super) held: Vec<Box<dyn std::any::Any>>,
}

impl Case {
    /// Nothing is wrong.
    pub(super) fn healthy(world: &World) -> Self {
        Self {
            text: world.main.text.clone(),
            folder: tempfile::tempdir().unwrap(),
            arguments: Vec::new(),
            launcher: Vec::new(),
            environment: Vec::new(),
            public_ca: Some(world.certificates.authority()),
            configuration: None,
            mode: None,
            missing: None,
            held: Vec::new(),
        }
    }

    /// Takes the whole text of another configuration.
    pub(super) fn configuration(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.text);
        self
    }

    /// Names another file in place of the one that is written.
    pub(super) fn file_of_configuration(&mut self, path: &Path) -> &mut Self {
        self.configuration = Some(path.to_owned());
        self
    }

    /// Gives the configuration another mode.
    pub(super) fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }

    /// Replaces a line: the first one of a key, or that of a key in a section (`service.issuer`).
    pub(super) fn set(&mut self, key: &str, value: &str) -> &mut Self {
        let (section, key) = key.split_once('.').unwrap_or(("", key));
        let mut lines: Vec<_> = self.text.lines().map(str::to_owned).collect();
        let begin = match section {
            "" => 0,
            section => {
                let header = format!("[{section}]");
                lines.iter().position(|line| *line == header).expect("the section is there")
            }
        };
        let is_it = |line: &String| line.starts_with(&format!("{key} = "));
        let place = lines.iter().skip(begin).position(is_it);
        let place = begin + place.unwrap_or_else(|| panic!("{key} is there"));
        lines[place] = if value.is_empty() { String::new() } else { format!("{key} = {value}") };
        self.text = lines.join("\n") + "\n";
        self
    }

    /// Returns what a key says, without quotes.
    pub(super) fn value(&self, key: &str) -> String {
        self.value_quoted(key).trim_matches('"').to_owned()
    }

    /// Returns what the first line of a key says.
    pub(super) fn value_quoted(&self, key: &str) -> String {
        let begin = format!("{key} = ");
        let value = self.text.lines().find_map(|line| line.strip_prefix(&begin));
        value.unwrap_or_else(|| panic!("{key} is there")).to_owned()
    }

    /// Adds a line to a section.
    pub(super) fn add_to(&mut self, section: &str, line: &str) -> &mut Self {
        let header = format!("[{section}]\n");
        self.text = self.text.replace(&header, &format!("{header}{line}\n"));
        self
    }

    /// Takes a line out that begins so.
    pub(super) fn without(&mut self, key: &str) -> &mut Self {
        self.set(key, "")
    }

    /// Adds lines at the end.
    pub(super) fn add(&mut self, lines: &str) -> &mut Self {
        self.text.push_str(lines);
        self.text.push('\n');
        self
    }

    /// Has the upstream elsewhere.
    pub(super) fn upstream(&mut self, url: &str) -> &mut Self {
        self.set("url", &format!("\"{url}\""))
    }

    /// Has the node elsewhere, with a certificate of the public authority.
    pub(super) fn node(&mut self, world: &World, url: &str) -> &mut Self {
        self.set("resolve_url", &format!("\"{url}\""));
        self.set("extra_ca_file", &format!("\"{}\"", world.both_authorities.display()))
    }

    /// Gives an option.
    pub(super) fn option(&mut self, words: &[&str]) -> &mut Self {
        self.arguments.extend(words.iter().copied().map(str::to_owned));
        self
    }

    /// Asks for the public address elsewhere.
    pub(super) fn through(&mut self, address: SocketAddr) -> &mut Self {
        self.option(&["--through", &address.to_string()])
    }

    /// Knows no authority but those of the system.
    pub(super) fn without_public_ca(&mut self) -> &mut Self {
        self.public_ca = None;
        self
    }

    /// Sees another time of day, such as `+3m`.
    pub(super) fn clock(&mut self, off: &str) -> &mut Self {
        for (name, value) in [
            ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1"),
            ("FAKETIME", off),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ] {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Writes a file beside the configuration, and returns its path.
    pub(super) fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        brama::base::private::write(&path, contents.as_bytes()).unwrap();
        path
    }

    /// Runs in mounts of its own, after these commands.
    pub(super) fn in_mounts(&mut self, commands: &str) -> &mut Self {
        let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
        let works = |way: &&&[&str]| {
            let mut command = Command::new("unshare");
            command.args(**way).args(["sh", "-c", "mount -t tmpfs none /mnt"]);
            command.output().is_ok_and(|tried| tried.status.success())
        };
        let Some(way) = ways.iter().find(works) else {
            self.missing = Some("this machine gives no mounts of its own");
            return self;
        };
        let script = format!("{commands} && exec \"$@\"");
        let words = ["unshare"].iter().chain(*way).chain(&["sh", "-c"]).copied();
        self.launcher = words.map(str::to_owned).chain([script, "sh".to_owned()]).collect();
        self
    }

    /// Says that this machine cannot have the fault.
    pub(super) fn missing(&mut self, what: &'static str) {
        self.missing = Some(what);
    }

    /// Has the doctor look. None where the machine cannot have the fault.
    pub(super) fn run(&self) -> Option<Report> {
        if let Some(what) = self.missing {
            tools::skip(what);
            return None;
        }
        let output = self.command(&["--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|_| {
            panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
        });
        Some(Report { json, text, status: output.status.code() })
    }

    /// Returns what it prints for people.
    pub(super) fn text(&self, options: &[&str]) -> String {
        String::from_utf8(self.command(options).output().unwrap().stdout).unwrap()
    }

    fn command(&self, options: &[&str]) -> Command {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join("brama.toml");
        fs::write(&path, &self.text).unwrap();
        if let Some(mode) = self.mode {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = self.configuration.clone().unwrap_or(path);
        let words = self.launcher.iter().map(String::as_str);
        let mut words = words.chain([env!("CARGO_BIN_EXE_brama")]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(["doctor", "--timeout", PATIENCE, "--config"]).arg(path);
        if let Some(file) = &self.public_ca {
            command.arg("--public-ca").arg(file);
        }
        command.args(&self.arguments).args(options);
        // What tests are told by variables is no key.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_tests(name)) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What the doctor found.
pub(super) struct Report {
    json: Value,
    pub(super) text: String,
    status: Option<i32>,
}

impl Report {
    fn findings(&self) -> &[Value] {
        self.json["findings"].as_array().expect("there are findings")
    }

    /// Returns the names of the checks that ended so.
    pub(super) fn ended(&self, state: &str) -> BTreeSet<String> {
        let found = self.findings().iter().filter(|finding| finding["state"] == state);
        found.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns what is said of a check.
    pub(super) fn of(&self, id: &str) -> String {
        let of_it = |finding: &&Value| {
            finding["id"] == id && matches!(finding["state"].as_str(), Some("problem" | "warning"))
        };
        self.findings().iter().filter(of_it).map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns what is said of all that ended in one of these ways.
    pub(super) fn told(&self, states: &[&str]) -> String {
        let is_one = |finding: &&Value| states.contains(&finding["state"].as_str().unwrap());
        self.findings().iter().filter(is_one).map(line).collect::<Vec<_>>().join("\n")
    }

    /// What holds for every report: each check is in it, each fault has its advice, and the exit
    /// status says whether there is a problem.
    pub(super) fn is_sound(&self, has_problems: bool) -> Result<(), String> {
        let told: BTreeSet<_> =
            self.findings().iter().filter_map(|finding| finding["id"].as_str()).collect();
        let all: BTreeSet<_> = Check::ALL.iter().map(|check| check.id()).collect();
        if told != all {
            return Err(format!("{:?} are not in it", all.difference(&told)));
        }
        for finding in self.findings() {
            let is_bad = matches!(finding["state"].as_str(), Some("problem" | "warning"));
            let (seen, advice) = (finding["seen"].as_str(), finding["do"].as_str());
            if seen.is_none_or(str::is_empty) || (is_bad && advice.is_none_or(str::is_empty)) {
                return Err(format!("nothing is said by {finding}"));
            }
        }
        let expected = i32::from(has_problems);
        if self.status != Some(expected) {
            return Err(format!("exit status {:?}, expected {expected}", self.status));
        }
        Ok(())
    }
}

fn line(finding: &Value) -> String {
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let (state, id, about) = (text("state"), text("id"), text("about"));
    format!("  {state} {id} [{about}] {} >> {}", text("seen"), text("do"))
}

fn is_of_tests(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"BRAMA_") && !name.starts_with(b"BRAMA__")
}
