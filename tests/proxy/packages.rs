//! What packages and releases have beside the program. That a package can be installed, upgraded under
//! load and purged is tried by `deploy/debian/try`, in a Debian of its own.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::tools::{self, Tool};
use crate::harness::{Plan, Script};

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn brama() -> Command {
    Command::new(env!("CARGO_BIN_EXE_brama"))
}

/// The exposure of a unit, in tenths.
fn exposure(unit: &str) -> u32 {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("etc/systemd/system");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("brama.service"), unit).unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--no-pager", "--offline=true", "--root"]).arg(root.path());
    let told = printed(command.arg("brama.service"));
    let line = told.lines().find(|line| line.contains("Overall exposure level")).unwrap();
    let number = line.split(": ").nth(1).unwrap().split(' ').next().unwrap();
    number.replace('.', "").parse().unwrap()
}

#[test]
fn the_unit_has_few_rights() {
    if !tools::has(&[Tool::SystemdAnalyze]) {
        return;
    }
    let unit = fs::read_to_string(source("deploy/systemd/brama.service")).unwrap();
    let found = exposure(&unit);
    assert!(found <= 15, "{found} tenths");
    assert!(exposure(&unit.replace("ProtectSystem=strict", "")) > found, "it is measured");
}

#[test]
fn every_command_has_a_manual_page_and_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    printed(brama().arg("man").arg(folder.path().join("man1")));
    let page = |name: &str| fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
    assert!(page("brama.1").contains("healthcheck"));
    assert!(page("brama-run.1").contains("config"));
    assert!(page("brama-keys-retire.1").contains("retire"));
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(brama().args(["completions", shell]));
        assert!(script.contains("healthcheck") && script.contains("print-config"), "{shell}");
    }
    assert!(!brama().args(["completions", "command.com"]).output().unwrap().status.success());
}

#[test]
fn the_health_check_asks_the_gateway_of_a_configuration() {
    let portal = Script::start(HashMap::new());
    let mut gateway = Plan::before(&portal.url()).start();
    let asks = |words: &[&str]| gateway.command("healthcheck", words, "");
    assert_eq!(asks(&[]), (true, "ready\n".to_owned()));
    assert!(asks(&["--live"]).0);
    // What is wrong elsewhere in the file, or in keys that it names, says nothing of who runs.
    gateway.edit_configuration("access = \"public\"", "access = \"sometimes\"");
    assert!(asks(&[]).0);
    let asks_anyhow = |text: &[u8], listens: &str| {
        fs::write(gateway.file("brama.toml"), text).unwrap();
        let mut command = brama();
        command.arg("healthcheck").arg("--config").arg(gateway.file("brama.toml"));
        command.env("BRAMA__OPERATIONS__LISTEN", listens).output().unwrap()
    };
    // A file without use is as an empty one: the variable says where.
    let listens = gateway.operations.to_string();
    for text in [&b"[[["[..], b"name = \"\xff\"", b"[operations]\nlisten = 7"] {
        let told = asks_anyhow(text, &listens);
        assert_eq!(String::from_utf8_lossy(&told.stdout), "ready\n", "{told:?}");
        assert!(!asks_anyhow(text, "127.0.0.1:1").status.success(), "it is the one that is asked");
    }
    let told = asks_anyhow(b"[[[", "nowhere");
    assert!(String::from_utf8_lossy(&told.stderr).contains("no address"), "{told:?}");
    gateway.program.signal("TERM");
    gateway.program.wait();
    let (is_well, said) = gateway.command("healthcheck", &[], "");
    assert!(!is_well && said.contains("cannot be asked"), "{said}");
}

/// It would delete what begins with its name.
#[test]
fn a_release_is_not_built_into_a_folder_of_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("brama-notes"), "mine").unwrap();
    let mut command = Command::new(source("deploy/release/build"));
    let told = command.arg("--out").arg(folder.path()).output().unwrap();
    assert!(!told.status.success());
    assert!(String::from_utf8_lossy(&told.stderr).contains("is not empty"), "{told:?}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_release_says_what_is_wrong_with_its_profile_before_it_builds_anything() {
    let folder = tempfile::tempdir().unwrap();
    let (target, profile) = (folder.path().join("target"), folder.path().join("a.profdata"));
    fs::write(&profile, "counts").unwrap();
    let profile = profile.to_str().unwrap();
    let refused = |words: &[&str]| {
        let mut command = Command::new(source(&format!("deploy/release/{}", words[0])));
        let told = command.args(&words[1..]).env("CARGO_TARGET_DIR", &target).output().unwrap();
        assert!(!told.status.success() && !target.exists(), "{words:?}: {told:?}");
        String::from_utf8(told.stderr).unwrap()
    };
    for (words, told) in [
        (
            &["build", "--profile", "none.profdata"][..],
            "no profile none.profdata (deploy/release/train)",
        ),
        (&["build", "--profile"], "--profile needs a file"),
        (&["build", "--profile", profile, "arm64"], "is for amd64"),
        (&["build", "--profile", profile, "--instrument"], "either"),
        (&["train", "--out"], "--out needs a file"),
        (&["train", "--fast"], "--fast is neither --out nor --small"),
    ] {
        let said = refused(words);
        assert!(said.contains(told), "{words:?}: {said}");
    }
}

#[test]
fn what_a_program_is_made_of_is_told_twice_alike() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let version = env!("CARGO_PKG_VERSION");
    let profile = format!("brama-{version}.profdata");
    let tell = |counts: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        if let Some(counts) = counts {
            fs::write(folder.path().join(&profile), counts).unwrap();
        }
        let mut command = Command::new(tools::PYTHON);
        command.arg(source("deploy/release/describe.py")).arg(folder.path());
        command.arg("x86_64-unknown-linux-musl").env("SOURCE_DATE_EPOCH", "1");
        // As in an archive of the sources, or in a checkout of another user.
        command.env("GIT_DIR", folder.path().join("none"));
        printed(command.current_dir(source("")));
        [".cdx.json", "-licences.txt", ".provenance.json"].map(|end| {
            fs::read_to_string(folder.path().join(format!("brama-{version}{end}"))).unwrap()
        })
    };
    let told = tell(Some("counts"));
    assert_eq!(told, tell(Some("counts")));
    let bill: serde_json::Value = serde_json::from_str(&told[0]).unwrap();
    let parts = bill["components"].as_array().unwrap();
    let scope = |name: &str| {
        let part = parts.iter().find(|part| part["name"] == name)?;
        assert!(part["hashes"][0]["content"].is_string() && part["licenses"].is_array(), "{part}");
        part["scope"].as_str()
    };
    assert_eq!(scope("rustls"), Some("required"));
    assert_eq!(scope("aws-lc-sys"), Some("required"));
    assert_eq!(scope("serde_derive"), Some("excluded"), "it runs while the program is built");
    assert_eq!(scope("proptest"), None, "it is for tests");
    assert_eq!(scope("windows-sys"), None, "it is for another system");
    assert!(told[1].contains("aws-lc-sys"), "its licence");
    assert!(told[2].contains("\"gitCommit\": \"unknown\""), "{}", told[2]);
    let used = |told: &str| {
        let made: serde_json::Value = serde_json::from_str(told).unwrap();
        assert_eq!(made["subject"].as_array().unwrap().len(), 2, "the profile is none: {made}");
        let of = made["predicate"]["buildDefinition"]["resolvedDependencies"]
            .as_array()
            .unwrap()
            .clone();
        of.into_iter()
            .find(|one| one["name"] == *profile)
            .map(|one| one["digest"]["sha256"].clone())
    };
    // `printf counts | sha256sum`
    let digest = "cdd93696b72b3de32dd12e38bdcae2eaf5a95080af38cbe347f3195ef9d56bf7";
    assert_eq!(used(&told[2]).unwrap(), digest);
    assert_eq!(used(&tell(None)[2]), None);
    for part in parts {
        may_be_handed_on(part);
    }
}

/// Every part is from the registry, by its digest, and under a licence that asks for no more than to be
/// named: whoever hands the program on owes nobody its sources.
fn may_be_handed_on(part: &serde_json::Value) {
    assert!(part["hashes"][0]["content"].is_string(), "{part} is from nowhere");
    let expression = part["licenses"][0]["expression"].as_str().unwrap();
    let words = expression.split([' ', '(', ')']);
    let terms = words.filter(|word| !["", "OR", "AND", "WITH"].contains(word));
    let strange: Vec<_> = terms.filter(|term| !PERMISSIVE.contains(term)).collect();
    assert!(strange.is_empty(), "{part} has {strange:?}");
}

const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
