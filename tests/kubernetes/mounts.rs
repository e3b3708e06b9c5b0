//! What is mounted changes while a gateway runs, as the kubelet changes it: all files of a folder at once,
//! by a link that is exchanged.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::container::Container;
use crate::manifests::text;
use crate::overlays::{self, Own};
use crate::tools::{VERSIONS, root, tools};

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway that runs in a container, and its operations listener.
struct Running {
    program: Child,
    operations: SocketAddr,
}

impl Running {
    fn start(container: &mut Container) -> Self {
        for name in ["LISTEN__HTTPS", "LISTEN__REDIRECT", "OPERATIONS__LISTEN"] {
            container.environment.insert(format!("BRAMA__{name}"), "127.0.0.1:0".to_owned());
        }
        let mut command = container.command("run");
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it starts").unwrap();
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["message"] == "gateway started" {
                break text(&event["operations"]).parse().unwrap();
            }
        };
        // What it says further on is read, so that it can say it.
        thread::spawn(move || lines.for_each(drop));
        Self { program, operations: address }
    }

    fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.operations).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = self.operations;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    /// Waits until it wants requests.
    fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.ask("/readyz").starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < deadline, "{}", self.ask("/readyz"));
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a number of it is this one.
    fn until(&self, metric: &str, number: u32) {
        let line = format!("\n{metric} {number}\n");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.ask("/metrics");
            if said.contains(&line) {
                return;
            }
            assert!(Instant::now() < deadline, "{metric} is {number}: {said}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn a_secret_and_a_config_map_that_change_are_taken_without_a_restart() {
    let Some(tools) = tools(&overlays::NEEDED) else { return };
    let own = Own::of(&["edge"]);
    let config = root().join("deploy/kubernetes/overlays/edge/brama.toml");
    let config = std::fs::read_to_string(config).unwrap();
    own.write("brama.toml", &config);
    let objects = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects;
    let mut container = Container::of(&objects);
    let gateway = Running::start(&mut container);
    gateway.until_ready();
    let (applied, refused, taken) = (
        "brama_config_reloads_total{result=\"applied\"}",
        "brama_config_reloads_total{result=\"refused\"}",
        "brama_certificate_reloads_total{result=\"taken\"}",
    );
    // 1. The configuration.
    container.mount_config(&config.replace("path = \"/public\"", "path = \"/open\""));
    gateway.until(applied, 1);
    // 2. All keys and certificates for the node.
    let kit = container.make_kit("other");
    container.mount_secret("etc/brama/keys", &kit);
    gateway.until(applied, 2);
    // 3. The certificate for citizens.
    gateway.until(taken, 0);
    container.mount_secret("etc/brama/tls", &kit);
    gateway.until(taken, 1);
    // The twin: what is wrong is refused, and the gateway goes on.
    container.mount_config("[portal]\npublic_url = 1\n");
    gateway.until(refused, 1);
    gateway.until("brama_config_last_reload_successful", 0);
    assert!(gateway.ask("/readyz").starts_with("HTTP/1.1 200 "));
    container.mount_config(&config);
    gateway.until(applied, 3);
    gateway.until("brama_config_last_reload_successful", 1);
}
