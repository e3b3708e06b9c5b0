//! The configurations in the manifests: `brama check` takes them as a container would find them, with its
//! variables, and with keys where they are mounted.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::container::{Container, MOUNTED};
use crate::manifests::{items, of_kind};
use crate::overlays;
use crate::pages;
use crate::tools::{VERSIONS, root, tools};

#[test]
fn every_configuration_is_taken_in_the_environment_of_its_manifest() {
    let Some(tools) = tools(&overlays::NEEDED) else { return };
    for overlay in overlays::overlays() {
        let container = Container::of(&overlays::objects(&tools, &overlay));
        let said = container.check().unwrap_or_else(|said| panic!("{overlay}: {said}"));
        // What is offered to the network is behind a policy of it; nothing else is to be warned of.
        let warnings: Vec<_> = said
            .lines()
            .filter(|line| line.contains("warning:"))
            .filter(|line| !EXPECTED.iter().any(|expected| line.contains(expected)))
            .collect();
        assert_eq!(warnings, [""; 0], "{overlay}: {said}");
    }
}

/// Warnings that are answered by the manifests (a policy of the network, a proxy that ends TLS), or by the
/// certificate that an operator has; of the demo it is the point that its first page is for everybody.
const EXPECTED: [&str; 6] = [
    "operations.listen: the operations port is offered to the network",
    "listen.http: plain HTTP is offered to the network",
    "companion[0].certificate: cookies of citizens and signed identities go over the network",
    "].url: identities and answers cross the network to the upstream in the clear",
    "listen.certificate: no certificate is for",
    "route[0].path: is more open",
];

/// The twin: a key that is not mounted, a variable that is mistyped, a key that everybody can read.
#[test]
fn a_configuration_that_cannot_work_there_is_refused() {
    let Some(tools) = tools(&overlays::NEEDED) else { return };
    let objects = overlays::objects(&tools, "edge");
    let container = Container::of(&objects);
    fs::remove_file(container.path("etc/brama/keys/decryption.key")).unwrap();
    assert!(container.check().unwrap_err().contains("decryption.key"));
    let mut container = Container::of(&objects);
    container.environment.insert("BRAMA__LISTEN__HTTPX".to_owned(), "x".to_owned());
    assert!(container.check().unwrap_err().contains("BRAMA__LISTEN__HTTPX"));
    let container = Container::of(&objects);
    let key = container.path("etc/brama/keys/signing.key");
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    assert!(container.check().unwrap_err().contains("0644"));
}

/// What the page has an operator run prints routes that lead to Services of the overlay, and a question that is
/// asked at one.
#[test]
fn what_is_printed_for_the_proxy_of_a_companion_leads_to_its_services() {
    let Some(tools) = tools(&overlays::NEEDED) else { return };
    let objects = overlays::objects(&tools, "companion");
    let block =
        pages::blocks("sh").into_iter().find(|block| block.contains("print-config")).unwrap();
    let block = block.replace("\\\n", " ");
    let words = block.split(" -- /usr/bin/brama ").nth(1).unwrap();
    let words: Vec<_> = words.split_whitespace().collect();
    let printed = Container::of(&objects).exec(&words);
    let printed = tools.judge(&printed, VERSIONS[1]).objects;
    let has = |service: &Value, port: &Value| {
        let services = of_kind(&objects, "Service").into_iter();
        let mut found = services.filter(|one| one["metadata"]["name"] == *service);
        found.any(|one| items(&one["spec"]["ports"]).any(|there| there["port"] == *port))
    };
    let rules =
        of_kind(&printed, "HTTPRoute").into_iter().flat_map(|one| items(&one["spec"]["rules"]));
    let mut ours = 0;
    for to in rules.flat_map(|rule| items(&rule["backendRefs"])) {
        assert!(to["name"] == "portal" || has(&to["name"], &to["port"]), "{to}");
        ours += u32::from(to["name"] == "brama");
    }
    assert!(ours > 0);
    let policies = of_kind(&printed, "SecurityPolicy");
    assert!(!policies.is_empty());
    for policy in policies {
        let asked = &policy["spec"]["extAuth"]["http"]["backendRefs"][0];
        assert!(asked["name"] == "brama-decide" && has(&asked["name"], &asked["port"]), "{policy}");
    }
}

/// What each overlay wants of its Secrets is what the page says to put into them.
#[test]
fn every_file_of_a_secret_is_one_that_the_page_makes() {
    let page = fs::read_to_string(root().join("docs/kubernetes.md")).unwrap();
    for (place, _) in MOUNTED {
        let name = Path::new(place).file_name().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "{name} is on the page");
    }
}
