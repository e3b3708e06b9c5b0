//! The tools that `setup.sh` prepares, and what they say.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The versions of Kubernetes whose schemas judge: the oldest that the manifests are for, and the newest
/// that there are schemas of.
pub(crate) const VERSIONS: [&str; 2] = ["1.30.0", "1.37.0"];

/// A folder with tools.
pub(crate) struct Tools(PathBuf);

/// What was read from YAML, and what is wrong with it by published schemas.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) objects: Vec<Value>,
    pub(crate) problems: Vec<String>,
}

/// Returns the tools when these of them are ready; else says that the test is skipped. It is skipped where judges
/// are required, too, when the Go of the machine is too old to build a tool.
pub(crate) fn tools(needed: &[&str]) -> Option<Tools> {
    let folder = folder();
    let is_ready = |name: &&str| match *name {
        "kustomize" => kubectl_knows_components() || folder.join("kustomize.stamp").is_file(),
        name => folder.join(format!("{name}.stamp")).is_file(),
    };
    match needed.iter().find(|name| !is_ready(name)) {
        None => Some(Tools(folder)),
        Some(name) if folder.join(format!("{name}.skipped")).is_file() => {
            let why = fs::read_to_string(folder.join(format!("{name}.skipped"))).unwrap();
            eprintln!("SKIPPED: {}", why.trim());
            None
        }
        Some(name) => {
            let what = format!(
                "{name} is not in {}, which sh tests/kubernetes/setup.sh fills",
                folder.display()
            );
            skip(&what);
            None
        }
    }
}

/// Says that a test is skipped, or fails where judges are required.
pub(crate) fn skip(what: &str) {
    let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
    assert!(!required, "{what}, and BRAMA_JUDGES=required");
    eprintln!("SKIPPED: {what}");
}

/// As `setup.sh` has it.
fn folder() -> PathBuf {
    let given = std::env::var_os("BRAMA_TOOLS").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    given.unwrap_or_else(|| home().join(".cache/brama-tools")).join("kubernetes")
}

/// Components came with the third version of Kustomize; kubectl had the second one until 1.20.
fn kubectl_knows_components() -> bool {
    let asked = Command::new("kubectl").args(["version", "--client", "--output", "yaml"]).output();
    asked.is_ok_and(|said| text(&said.stdout).contains("kustomizeVersion: v5"))
}

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Tools {
    /// Renders a kustomization.
    pub(crate) fn kustomize(&self, folder: &Path) -> Result<String, String> {
        let own = self.0.join("bin/kustomize");
        let mut command = if own.is_file() { Command::new(own) } else { Command::new("kubectl") };
        let word = if self.0.join("bin/kustomize").is_file() { "build" } else { "kustomize" };
        said(&command.arg(word).arg(folder).output().unwrap())
    }

    /// Runs Helm.
    pub(crate) fn helm(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.0.join("bin/helm"));
        // Its caches, and no cluster of whoever runs the tests.
        let home = tempfile::tempdir().unwrap();
        command.env("HOME", home.path()).env("KUBECONFIG", "/dev/null").current_dir(root());
        said(&command.args(words).output().unwrap())
    }

    /// Judges manifests by the schemas of a version of Kubernetes.
    pub(crate) fn judge(&self, manifests: &str, version: &str) -> Judged {
        let mut command = Command::new(self.0.join("python/bin/python"));
        command.arg(root().join("tests/kubernetes/judge.py")).arg(version).arg(self.0.join("crds"));
        let judged: Value = serde_json::from_str(&fed(&mut command, manifests).unwrap()).unwrap();
        let problems = judged["problems"].as_array().unwrap().iter();
        Judged {
            objects: judged["objects"].as_array().unwrap().clone(),
            problems: problems.map(|one| one.as_str().unwrap().to_owned()).collect(),
        }
    }

    /// Says of each pod why the admission of Kubernetes would refuse it, where `restricted` is enforced;
    /// an empty text when it is let in.
    pub(crate) fn admission(&self, pods: &[Value]) -> Vec<String> {
        let texts: Vec<_> = pods.iter().map(Value::to_string).collect();
        let mut command = Command::new(self.0.join("bin/podsecurity"));
        let said = fed(&mut command, &texts.join("\n")).unwrap();
        let lines: Vec<_> = said.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), pods.len(), "{said}");
        lines
    }
}

/// Runs a program with a text for its input.
fn fed(command: &mut Command, input: &str) -> Result<String, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    said(&output)
}

/// What a program said: on its output when it went well, and else on both.
fn said(output: &Output) -> Result<String, String> {
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{}{}", text(&output.stdout), text(&output.stderr))),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A system whose Go is old runs the other tests, and says which tools it is too old for; and the twin.
#[test]
fn what_an_old_go_cannot_build_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (programs, tools) = (folder.path().join("programs"), folder.path().join("tools"));
    fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink("go", programs.join("kubectl")).unwrap();
    for (version, is_skipped) in [("go1.19.8", true), ("go1.26.0", false)] {
        // This Go says its version and builds nothing; neither is there a Python or a kubectl.
        let go = programs.join("go");
        fs::write(
            &go,
            format!("#!/bin/sh\n[ $1 = version ] && echo go version {version} linux/amd64\n"),
        )
        .unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        let mut setup = Command::new("sh");
        setup.arg(root().join("tests/kubernetes/setup.sh")).arg(&tools).env("PYTHON", "false");
        setup.env("PATH", format!("{}:/usr/bin:/bin", programs.display()));
        let output = setup.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = text(&output.stderr);
        for name in ["crds", "kustomize", "podsecurity", "helm"] {
            let line = format!("setup.sh: skipped: {name} needs Go 1.2");
            let told = said.lines().find(|one| one.starts_with(&line));
            assert_eq!(
                told.is_some_and(|one| one.ends_with("here is go1.19.8")),
                is_skipped,
                "{said}"
            );
            assert_eq!(tools.join(format!("{name}.skipped")).is_file(), is_skipped, "{name}");
        }
        assert!(!tools.join("helm.stamp").is_file());
    }
}
