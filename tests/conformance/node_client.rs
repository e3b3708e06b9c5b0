//! The PyPI client `django-logingovpl`, written by others for the real node, signs a person in at
//! the simulator. It verifies no signature, so it judges shape, key derivation and encryption.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use brama::base::clock::{Clock, SystemClock};
use brama::simulator::kit::{Kit, Names, Role};
use serde_json::Value;

use crate::tools::{python, run, said, script};

const SERVICE: &str = "https://client.example";
const ACS: &str = "https://client.example/acs/";

/// A running simulator, which ends with the test.
struct Simulator {
    child: Child,
    sso_url: String,
    resolve_url: String,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn simulator(certificate: &std::path::Path) -> Simulator {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["simulator", "--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
    command.args(["--mutual-tls", "off", "--service-issuer", SERVICE, "--log", "warn"]);
    command.args(["--acs", ACS, "--provider-name", "saml-emulator"]);
    // This client signs with the key that assertions are encrypted to.
    command.arg("--service-certificate").arg(certificate);
    command.arg("--encryption-certificate").arg(certificate);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut value = |name: &str| {
        loop {
            let line = lines.next().expect("the simulator tells its addresses").unwrap();
            if let Some(value) = line.trim().strip_prefix(name) {
                return value.trim().to_owned();
            }
        }
    };
    let (sso_url, resolve_url) = (value("node.sso_url"), value("node.resolve_url"));
    // The rest is read, so that the simulator never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Simulator { child, sso_url, resolve_url }
}

#[test]
fn a_client_written_by_others_signs_in_at_the_simulator() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let hosts = ["localhost".to_owned()];
    let names = Names { node: "unused", service: SERVICE, hosts: &hosts };
    let kit = Kit::make(names, SystemClock.now()).unwrap();
    let pair = kit.pair(Role::ServiceEncryption);
    let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| folder.path().join(name));
    fs::write(&key, pair.key_pem().expose()).unwrap();
    fs::write(&certificate, pair.certificate_pem()).unwrap();
    let simulator = simulator(&certificate);

    let sign_in = |person: &str| {
        let mut command = Command::new(&python);
        command.arg(script("node_client.py"));
        command.args(["--simulator-sso", &simulator.sso_url]);
        command.args(["--simulator-resolve", &simulator.resolve_url]);
        command.args(["--issuer", SERVICE, "--acs", ACS, "--person", person]);
        command.arg("--key").arg(&key).arg("--certificate").arg(&certificate);
        run(&mut command, b"")
    };
    let person = &brama::simulator::people::PEOPLE[0];
    let output = sign_in(&person.key);
    assert!(output.status.success(), "{}", said(&output));
    let user: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(user["username"], *person.identifier);
    assert_eq!(user["first_name"], *person.given_name);
    assert_eq!(user["last_name"], *person.family_name);

    // The twin refusal: whoever cancels is nobody.
    let output = sign_in("cancel");
    assert!(!output.status.success(), "{}", said(&output));
}
