//! The files for Compose: they are read, and hold what the containers of the other tests are started with.

use std::process::Command;

use serde_json::Value;

use super::podman::Podman;
use super::{IMAGE, REDIS, context, redis_image, source};
use crate::harness::tools::{self, Tool};
use crate::harness::{Citizen, free_address};

/// Reads a file of `deploy/container`.
fn read(name: &str) -> Value {
    let script = "const yaml = require('/usr/share/nodejs/js-yaml');\
                  const text = require('fs').readFileSync(process.argv[1], 'utf8');\
                  console.log(JSON.stringify(yaml.load(text)));";
    let mut node = Command::new("node");
    node.args(["-e", script]).arg(source("deploy/container").join(name));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

/// Says what is wrong with the words that a container gives to the program.
fn wrong_option(command: &[&str]) -> Option<String> {
    let (name, options) = command.split_first()?;
    let told = Command::new(env!("CARGO_BIN_EXE_brama")).args([name, "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&told.stdout).into_owned();
    if !told.status.success() {
        return Some(format!("no command {name}"));
    }
    let names = options.iter().filter(|word| word.starts_with("--"));
    let mut names = names.map(|word| word.split('=').next().unwrap());
    let unknown = names.find(|name| !help.split_whitespace().any(|word| word == *name));
    unknown.map(|name| format!("no option {name}"))
}

#[test]
fn files_of_compose_start_what_there_is_with_no_rights() {
    if !tools::has(&[Tool::NodeYaml]) {
        return;
    }
    let demo = read("compose.yaml");
    let services = demo["services"].as_object().unwrap();
    assert_eq!(services.len(), 4);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(words(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert_eq!(wrong_option(&words(&service["command"])), None, "{name}");
        for volume in words(&service["volumes"]) {
            let from = volume.split(':').next().unwrap();
            let is_file = from.strip_prefix("./").map(|file| source("deploy/container").join(file));
            let is_there = match is_file {
                Some(file) => file.is_file(),
                None => demo["volumes"].get(from).is_some(),
            };
            assert!(is_there, "{name}: {volume}");
        }
        for needed in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(needed.0), "{name} needs {}", needed.0);
        }
        for port in words(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is for this machine");
        }
    }
    assert_eq!(wrong_option(&["simulator", "--soup=1"]), Some("no option --soup".to_owned()));
    assert_eq!(wrong_option(&["simulate"]), Some("no command simulate".to_owned()));

    let redis = read("compose.redis.yaml");
    let store = &redis["services"]["redis"];
    assert_eq!((store["read_only"].as_bool(), store["user"].as_str()), (Some(true), Some("999")));
    assert_eq!(redis["networks"]["store"]["internal"], true);
    assert_eq!(words(&store["networks"]), ["store"], "only the gateway reaches it");
    let gateway = &redis["services"]["gateway"];
    assert_eq!(words(&gateway["networks"]), ["default", "store"]);
    // podman-compose of Debian 12 puts two files together only where both have the same form.
    let kinds = [&gateway["depends_on"], &demo["services"]["gateway"]["depends_on"]];
    assert!(kinds.iter().all(|needed| needed.is_object()), "{kinds:?}");
    let addresses = gateway["environment"]["BRAMA__STORE__REDIS__ADDRESSES"].as_str().unwrap();
    assert_eq!(words(&serde_json::from_str(addresses).unwrap()), ["redis:6379"]);
}

/// The demo as the files start it, at free ports.
struct Demo {
    podman: Podman,
    environment: Vec<(&'static str, String)>,
    origin: String,
}

impl Demo {
    fn new() -> Option<Self> {
        if !tools::has(&[Tool::PodmanCompose, Tool::Redis]) {
            return None;
        }
        let podman = Podman::new()?;
        context(&podman.file("context"));
        podman.gateway(&podman.file("context"), IMAGE);
        redis_image(&podman);
        let (gateway, pages) = (free_address().port(), free_address().port());
        let environment = vec![
            ("BRAMA_IMAGE", IMAGE.to_owned()),
            ("REDIS_IMAGE", REDIS.to_owned()),
            ("BRAMA_PORT", gateway.to_string()),
            ("BRAMA_SIMULATOR_PORT", pages.to_string()),
        ];
        Some(Self { podman, environment, origin: format!("http://localhost:{gateway}") })
    }

    fn composes(&self, files: &[&str], words: &[&str]) {
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.podman.composes(files, words, &environment);
    }

    /// Starts all, and has a citizen sign in.
    fn signs_in(&self, files: &[&str]) {
        self.composes(files, &["up", "--detach"]);
        let names = self.podman.does(&["ps", "--format", "{{.Names}}"]);
        let gateway = names.lines().find(|name| name.contains("gateway")).unwrap();
        self.podman.until_healthy(gateway);
        let cookie = Citizen::at(&self.origin).sign_in("anna");
        assert!(!cookie.is_empty(), "{names}");
    }
}

#[test]
fn podman_compose_starts_the_demo_with_and_without_redis() {
    let Some(demo) = Demo::new() else { return };
    demo.signs_in(&["compose.yaml"]);
    demo.composes(&["compose.yaml"], &["down"]);
    let with_redis = ["compose.yaml", "compose.redis.yaml"];
    demo.signs_in(&with_redis);
    let names = demo.podman.does(&["ps", "--format", "{{.Names}}"]);
    let redis = names.lines().find(|name| name.contains("redis")).unwrap();
    let told = demo.podman.logs(redis);
    assert!(told.contains("Ready to accept connections"), "{told}");
    demo.composes(&with_redis, &["down"]);
    assert_eq!(demo.podman.does(&["ps", "--format", "{{.Names}}"]), "", "nothing is left");
}
