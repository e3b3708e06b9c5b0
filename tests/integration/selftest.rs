//! The acceptance of a sign-in, as an operator's integrator runs it: what is shipped passes, a planted
//! mistake is found where it is and nowhere else, and nothing of the real gateway is touched.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use brama::base::clock::{Clock, SystemClock};
use brama::simulator::kit::{Kit, Names, Role};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

const HOST: &str = "portal.example.gov.pl";

/// A folder as an integrator has it: the shipped configuration, changed by `edit`, with its files.
fn folder(edit: impl FnOnce(String) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let kit = kit();
    for name in ["keys", "tls", "state"] {
        fs::create_dir(path(name)).unwrap();
    }
    let pair = |role: Role, certificate: &str, key: Option<&str>| {
        fs::write(path(certificate), kit.pair(role).certificate_pem()).unwrap();
        if let Some(key) = key {
            secret(&path(key), kit.pair(role).key_pem().expose());
        }
    };
    pair(Role::NodeSigning, "keys/node-signing.pem", None);
    pair(Role::ServiceSignature, "keys/portal_sig_ec.pem", Some("keys/portal_sig_ec.key.pem"));
    pair(Role::ServiceEncryption, "keys/portal_enc_ec.pem", Some("keys/portal_enc_ec.key.pem"));
    let names = vec![HOST.to_owned(), "library.example.org".to_owned()];
    let tls = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&tls).unwrap();
    fs::write(path("tls/portal.pem"), certificate.pem()).unwrap();
    secret(&path("tls/portal.key.pem"), &tls.serialize_pem());
    let shipped = include_str!("../../config/brama.toml");
    let state = path("state").display().to_string();
    let text = edit(shipped.replace("/var/lib/brama", &state));
    fs::write(path("brama.toml"), text).unwrap();
    folder
}

fn kit() -> Kit {
    let names = Names { node: "node.example", service: HOST, hosts: &[] };
    Kit::make(names, SystemClock.now()).unwrap()
}

fn secret(path: &Path, text: &str) {
    brama::base::private::write(path, text.as_bytes()).unwrap();
}

fn selftest(folder: &Path, arguments: &[&str]) -> Output {
    let mut brama = Command::new(env!("CARGO_BIN_EXE_brama"));
    brama.arg("selftest").arg("--config").arg(folder.join("brama.toml"));
    brama.args(["--lang", "en", "--json", "report.json"]).args(arguments);
    brama.current_dir(folder).output().unwrap()
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap()
}

/// The ids of the cases with that outcome.
fn ids(report: &Value, outcome: &str) -> Vec<String> {
    let cases = report["cases"].as_array().unwrap().iter();
    let found = cases.filter(|case| case["outcome"] == outcome);
    found.map(|case| case["id"].as_str().unwrap().to_owned()).collect()
}

fn wrong(report: &Value) -> Vec<String> {
    [ids(report, "failed"), ids(report, "error")].concat()
}

/// Every file of a folder with its bytes and when it was written.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let written = fs::metadata(&path).unwrap().modified().unwrap();
            found.insert(path.display().to_string(), (fs::read(&path).unwrap(), written));
        }
    }
    found
}

#[test]
fn the_shipped_configuration_passes_and_nothing_real_is_touched() {
    let store = "[store]\nkind = \"file\"\n[store.file]\npath = \"state/sessions.db\"\n";
    let folder = folder(|text| format!("{text}\n{store}"));
    let folder = folder.path();
    fs::write(folder.join("state/sessions.db"), "sessions of real citizens").unwrap();
    secret(&folder.join("state/store-secret"), "a secret of the real store, 32 bytes or more");
    let before = files(folder);
    let output = selftest(folder, &["--html", "report.html", "--junit", "report.xml"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));

    // 1. Everything that was there is as it was, and only the reports came.
    let mut after = files(folder);
    let reports = ["report.json", "report.html", "report.xml"];
    let texts = reports.map(|name| {
        let (bytes, _) = after.remove(&folder.join(name).display().to_string()).unwrap();
        String::from_utf8(bytes).unwrap()
    });
    assert_eq!(before, after);

    // 2. The reports can be read, and say the same.
    let report = report(folder);
    let passed = ids(&report, "passed");
    assert!(passed.len() > 120, "{} cases passed", passed.len());
    assert_eq!(wrong(&report), Vec::<String>::new());
    let subject = report["subject"].to_string();
    let name = folder.file_name().unwrap().to_string_lossy();
    for value in [format!("{name}/brama.toml"), String::from("symulator")] {
        assert!(subject.contains(&format!("\"value\":\"{value}\"")), "{value} in {subject}");
    }
    let mut reader = quick_xml::Reader::from_str(&texts[2]);
    let mut cases = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                cases += usize::from(tag.name().as_ref() == "testcase");
            }
            _ => {}
        }
    }
    assert_eq!(cases, report["cases"].as_array().unwrap().len());
    assert!(texts[1].starts_with("<!DOCTYPE html>") && texts[1].contains("keys.decryption"));

    // 3. No secret is in them, and nobody's number.
    let is_secret = |name: &str| name.ends_with(".key.pem") || name.ends_with("store-secret");
    let secrets: Vec<_> = before
        .iter()
        .filter(|(name, _)| is_secret(name))
        .flat_map(|(_, (bytes, _))| {
            String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| line.len() > 20)
        .collect();
    assert!(secrets.iter().any(|line| line.contains("of the real store")) && secrets.len() > 3);
    for text in &texts {
        assert!(!secrets.iter().any(|line| text.contains(line)));
        for part in ["PRIVATE KEY", "eyJ", "SAMLart=A", "84851401359", "of real citizens"] {
            assert!(!text.contains(part), "{part}");
        }
    }
}

#[test]
fn the_configuration_for_a_laptop_passes_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("kit")).unwrap();
    kit().write(&folder.path().join("kit")).unwrap();
    let shipped = include_str!("../../config/simulator.toml");
    fs::write(folder.path().join("brama.toml"), shipped).unwrap();
    let output = selftest(folder.path(), &GROUPS_WITHOUT_ANSWERS);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(ids(&report(folder.path()), "passed").contains(&"login.cookie".to_owned()));
}

#[test]
fn a_planted_mistake_is_found_where_it_is_and_nowhere_else() {
    // A certificate of another key, as it happens when keys were made twice.
    let other = kit().pair(Role::ServiceEncryption).certificate_pem();
    let misfit = folder(|text| text);
    fs::write(misfit.path().join("keys/portal_enc_ec.pem"), other).unwrap();
    let impossible = "\n[[route]]\npath = \"/impossible\"\nupstream = \"portal\"\n\
                      assurance = \"high\"\nauthorities = [\"pz.gov.pl\"]\nclaims = [\"given_name\"]\n";
    let unserved = "other_urls = [\"https://library.example.org\"]\nstate_directory";
    for (folder, expected) in [
        (misfit, "keys.decryption"),
        (
            folder(|text| format!("{text}{impossible}")),
            "routes.fits.portal.example.gov.pl/impossible",
        ),
        (
            folder(|text| text.replace("claims = [\"given_name\", \"family_name\"]", "")),
            "portal.minimal",
        ),
        (
            // The node is not asked for what a route tells its portal.
            folder(|text| {
                text.replace("[service]", "[service]\nrequired_attributes = [\"identifier\"]")
            }),
            "portal.told.portal.example.gov.pl/",
        ),
        (
            folder(|text| text.replacen("state_directory", unserved, 1)),
            "hosts.served.library.example.org",
        ),
    ] {
        let folder = folder.path();
        let output = selftest(folder, &GROUPS_WITHOUT_ANSWERS);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{expected}: {said}{complaint}");
        assert_eq!(wrong(&report(folder)), [expected], "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

/// All groups but the hundred wrong answers of the node, which another test has.
const GROUPS_WITHOUT_ANSWERS: [&str; 24] = [
    "--only", "keys", "--only", "entry", "--only", "login", "--only", "refusal", "--only",
    "portal", "--only", "routes", "--only", "session", "--only", "forms", "--only", "logout.e",
    "--only", "hosts", "--only", "line", "--only", "theft",
];

#[test]
fn a_host_with_a_route_is_served_and_rules_are_tried() {
    // The twin of what is not served, and of what is impossible.
    let routes = "\n[[route]]\nhost = \"library.example.org\"\npath = \"/\"\nupstream = \"portal\"\n\
                  claims = [\"given_name\"]\n\
                  [[route]]\npath = \"/high\"\nupstream = \"portal\"\nassurance = \"high\"\n\
                  max_age = \"5m\"\nauthorities = [\"e-dowod.symulator\"]\nrequire = [\"adult\", \"pesel\"]\n";
    let served = "other_urls = [\"https://library.example.org\"]\nstate_directory";
    let folder = folder(|text| {
        let text = text.replacen("state_directory", served, 1);
        format!("{text}{routes}\n[session]\nmaximum_per_person = 2\nother_person = \"replace\"\n")
    });
    let output = selftest(folder.path(), &GROUPS_WITHOUT_ANSWERS);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let passed = ids(&report(folder.path()), "passed");
    for id in [
        "hosts.served.library.example.org",
        "hosts.shared.library.example.org",
        "hosts.logout.library.example.org",
        "portal.told.library.example.org/",
        "routes.fits.portal.example.gov.pl/high",
        "routes.step-up.portal.example.gov.pl/high",
        "routes.max-age.portal.example.gov.pl/high",
        "routes.pesel.portal.example.gov.pl/high",
        "session.per-person",
        "session.other-person",
        "keys.tls.library.example.org",
    ] {
        assert!(passed.iter().any(|passed| passed == id), "{id} in {passed:?}");
    }
}

#[test]
fn a_proxy_in_front_and_keys_of_others_do_not_stop_it() {
    const GROUPS: [&str; 8] =
        ["--only", "keys", "--only", "login", "--only", "entry", "--only", "routes"];
    // TLS ends in front, our keys are somebody else's, and the proxy is believed.
    let folder = folder(|text| {
        text.replace(
            "https = \"0.0.0.0:443\"",
            "http = \"127.0.0.1:1\"\ntrusted_proxies = [\"10.1.2.3\"]\n\
             trusted_for = [\"address\", \"scheme\", \"host\"]",
        )
        .replace("certificate = \"tls/portal.pem\"", "")
        .replace("key = \"tls/portal.key.pem\"", "")
    });
    for name in ["portal_sig_ec.key.pem", "portal_enc_ec.key.pem", "node-signing.pem"] {
        fs::remove_file(folder.path().join("keys").join(name)).unwrap();
    }
    let output = selftest(
        folder.path(),
        &[&GROUPS[..], &["--encryption-certificate", "keys/portal_enc_ec.pem"]].concat(),
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let report = report(folder.path());
    assert!(ids(&report, "skipped").contains(&"keys.decryption".to_owned()));
    let remarks = report["remarks"].to_string();
    for part in [
        "signing key cannot be read",
        "decryption key cannot be read",
        "node's certificate",
        "named for the decryption key was not proved",
    ] {
        assert!(remarks.contains(part), "{part} in {remarks}");
    }
}

#[test]
fn the_real_portals_are_asked_only_when_that_is_wanted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 16 * 1024]);
            count.fetch_add(1, Ordering::SeqCst);
            let answer =
                "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nreal";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let folder = folder(|text| text.replace("http://127.0.0.1:3000", &format!("http://{address}")));
    let groups = ["--only", "login", "--only", "portal", "--only", "forms"];
    let output = selftest(folder.path(), &groups);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let output = selftest(folder.path(), &[&groups[..], &["--with-portal"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(asked.load(Ordering::SeqCst) > 5);
    assert!(ids(&report(folder.path()), "skipped").contains(&"forms.kept".to_owned()));
}

#[test]
fn what_cannot_begin_says_why_and_writes_nothing() {
    let broken = folder(|text| text.replace("issuer = ", "isuer = "));
    let fine = folder(|text| text);
    for (folder, arguments, expected) in [
        (&broken, vec![], "service.isuer"),
        (&fine, vec!["--only", "logins"], "there is no group \"logins\""),
        (&fine, vec!["--only", "login.typo"], "there is no case \"login.typo\""),
        (&fine, vec!["--encryption-certificate", "nowhere.pem"], "nowhere.pem"),
    ] {
        let output = selftest(folder.path(), &arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains(expected), "{expected} in {complaint}");
        assert!(!folder.path().join("report.json").exists());
    }
}

#[test]
fn a_report_that_cannot_be_written_keeps_no_other_from_being() {
    let folder = folder(|text| text);
    let arguments = ["--only", "entry", "--html", "nowhere/report.html"];
    let output = selftest(folder.path(), &arguments);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("nowhere/report.html: "), "{complaint}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Passed: "));
    assert!(!ids(&report(folder.path()), "passed").is_empty());
}
