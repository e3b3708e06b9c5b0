//! Several service providers, each held to its own registration.

use super::*;
use crate::simulator::registry;

const OTHER: &str = "https://other.example";
const OTHER_ACS: &str = "https://other.example/acs";

/// A world with a second service provider, which has keys of its own.
fn two() -> (World, Kit) {
    let world = world();
    let now = world.clock.now();
    let other = Kit::make(Names { node: "n", service: OTHER, hosts: &[] }, now).unwrap();
    let acs = vec![OTHER_ACS.to_owned(), format!("{OTHER_ACS}/2")];
    let service = other.service(OTHER, acs, Some("Inny Urząd".to_owned()));
    world.control.register(service).unwrap();
    (world, other)
}

/// The request of a service provider, changed before it is signed.
fn request(world: &World, change: impl FnOnce(&mut Template), signer: &Signer) -> String {
    let mut template = Template {
        issuer: OTHER.to_owned(),
        provider_name: "Inny Urząd".to_owned(),
        kind: ServiceKind::Public,
        destination: world.sso.clone(),
        acs: OTHER_ACS.to_owned(),
        required: Attribute::ALL.to_vec(),
        optional: Vec::new(),
        force_authn: true,
    };
    change(&mut template);
    let now = world.clock.now();
    template.sign(&message_id(), now, Assurance::Substantial, signer).unwrap()
}

/// What the simulator says to it: the status, and the page.
async fn ask(world: &World, request: &str) -> (StatusCode, String) {
    let request = base64(request.as_bytes());
    let page = world.post_form(&world.sso, &[("SAMLRequest", &request)]).await;
    (page.status, page.text())
}

#[tokio::test]
async fn each_begins_logins_with_its_own_key_name_and_addresses_alone() {
    let (world, other) = two();
    let own = other.pair(Role::ServiceSignature).signer().unwrap();
    for acs in [OTHER_ACS.to_owned(), format!("{OTHER_ACS}/2")] {
        let good = request(&world, |template| template.acs = acs, &own);
        assert_eq!(ask(&world, &good).await.0, StatusCode::OK);
    }
    for (wrong, code) in [
        (request(&world, |t| ACS.clone_into(&mut t.acs), &own), "authn-request-acs"),
        (request(&world, |t| t.acs.push_str("/3"), &own), "authn-request-acs"),
        (
            request(&world, |t| "Urząd".clone_into(&mut t.provider_name), &own),
            "authn-request-provider-name",
        ),
        (request(&world, |_| {}, &world.signer), "message-signature"),
        (request(&world, |t| ISSUER.clone_into(&mut t.issuer), &own), "message-signature"),
        (
            request(&world, |t| "https://third.example".clone_into(&mut t.issuer), &own),
            "message-issuer-unknown",
        ),
    ] {
        let (status, page) = ask(&world, &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{code}");
        assert!(page.contains(code), "{code}: {page}");
    }
}

#[tokio::test]
async fn no_key_but_its_own_fetches_an_artifact() {
    let (world, other) = two();
    let other_signer = other.pair(Role::ServiceSignature).signer().unwrap();
    let login = world.choose(&[("person", "anna")]).await;
    // By its own name, and in the name of the one that the artifact belongs to.
    for (issuer, code) in [(OTHER, "artifact-resolve-foreign"), (ISSUER, "message-signature")] {
        let now = world.clock.now();
        let id = message_id();
        let message = artifact::resolve(&login.artifact, &id, now, issuer, &other_signer).unwrap();
        let answer = world.post(&world.resolve, "", soap::wrap(&message)).await;
        assert!(answer.text().contains(code), "{}", answer.text());
        assert!(!answer.text().contains("EncryptedAssertion"));
        assert!(world.control.last_findings().unwrap().contains(&code));
    }
    assert!(world.resolve(&login).await.is_ok(), "it waits for its owner");
}

fn read(text: &str, folder: &std::path::Path) -> Result<Vec<Service>, String> {
    let kit = Kit::load(&folder.join("kit"), SystemClock.now()).unwrap();
    let path = folder.join("services.toml");
    std::fs::write(&path, text).unwrap();
    registry::read(&path, &kit).map_err(|problems| problems.to_string())
}

#[test]
fn a_file_registers_each_with_its_own_certificates_or_those_of_the_kit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let names = Names { node: "n", service: "s", hosts: &[] };
    let kit = Kit::load_or_make(&folder.join("kit"), names, SystemClock.now()).unwrap();
    let other = Kit::load_or_make(&folder.join("other"), names, SystemClock.now()).unwrap();
    let good = "[[service]]\nissuer = \"a\"\nacs = \"http://a.test/acs\"\n\
                [[service]]\nissuer = \"b\"\nacs = [\"http://b.test/1\", \"http://b.test/2\"]\n\
                provider_name = \"B\"\nsigning_certificates = [\"other/service-sig.crt.pem\"]\n\
                encryption_certificate = \"other/service-enc.crt.pem\"\n";
    let found = read(good, folder).unwrap();
    let [a, b] = &*found else { panic!("{found:?}") };
    let der = |kit: &Kit, role| kit.pair(role).certificate().der().to_vec();
    assert_eq!(a.signing[0].der(), der(&kit, Role::ServiceSignature));
    assert_eq!(a.encryption.der(), der(&kit, Role::ServiceEncryption));
    assert_eq!((&a.provider_name, a.acs.len(), b.acs.len()), (&None, 1, 2));
    assert_eq!(b.signing[0].der(), der(&other, Role::ServiceSignature));
    assert_eq!(b.encryption.der(), der(&other, Role::ServiceEncryption));
    assert_eq!(b.provider_name.as_deref(), Some("B"));

    for (from, to, expected) in [
        ("issuer = \"b\"", "issuer = \"a\"", "services.toml:5: service[1].issuer: is there twice"),
        ("acs = \"http://a.test/acs\"", "", "service[0].acs: has no address; write acs = ["),
        ("http://b.test/2", "/b", "services.toml:6: service[1].acs[1]: is no address: \"/b\"; w"),
        ("http://b.test/2", "ftp://b.test", "service[1].acs[1]: is no address"),
        ("other/service-sig", "other/none", "service[1].signing_certificates[0]: cannot be used"),
        (
            "other/service-enc.crt",
            "other/service-enc.key",
            "services.toml:9: service[1].encryption_certificate: cannot be used: \"other/service-enc",
        ),
        ("provider_name", "name", "services.toml:7: service[1].name: is not known; there are"),
        ("[[service]]", "[[services]]", "services.toml:1: services: is not known"),
    ] {
        let said = read(&good.replacen(from, to, 1), folder).unwrap_err();
        assert!(said.contains(expected), "{said}\n{expected}");
    }
    assert!(read("", folder).unwrap_err().contains("0 service providers; write 1 to 100"));
}
