//! Certificates are changed in the documented order while citizens sign in: no login fails. Out of
//! order, logins do fail, which shows that the order is what saves them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Logins, Person, Plan, Program, Simulator, Tls, python};

/// Where citizens find the portal: by TLS, with the certificate that is changed too.
const PORTAL: &str = "https://portal.test";

/// A portal whose citizens sign in over TLS, and all its keys.
struct World {
    gateway: Gateway,
    simulator: Simulator,
    /// What clients trust: the certificate of the listener, and the next one.
    trusted: Vec<u8>,
    _portal: Program,
}

impl World {
    fn start() -> Option<Self> {
        if !tools::has(&[Tool::Python, Tool::Curl, Tool::OpenSsl]) {
            return None;
        }
        let (portal, url) = python("recorder.py");
        let simulator = Simulator::start_for(PORTAL);
        let plan = Plan::empty().tls(Tls::On).tls_names(&["portal.test"]).public_url(PORTAL);
        let plan = plan.upstream("portal", &url).route("/", "portal", "required");
        let mut gateway = plan.log("level = \"info\"").node(&simulator).start();
        for used_for in ["client", "signing", "node"] {
            is_in_use(&mut gateway, used_for);
        }
        let next = rcgen::generate_simple_self_signed(["portal.test".to_owned()]).unwrap();
        let pem = next.cert.pem();
        fs::write(gateway.file("next.pem"), &pem).unwrap();
        write_key(&gateway.file("next.key"), &next.signing_key.serialize_pem());
        let trusted = [fs::read(gateway.certificate()).unwrap(), pem.into_bytes()].concat();
        Some(Self { gateway, simulator, trusted, _portal: portal })
    }

    /// Somebody who has no session yet.
    fn person(&self) -> impl Fn() -> Person + Send + 'static {
        let (address, trusted) = (self.gateway.tls_address.unwrap(), self.trusted.clone());
        move || Person::new(vec![("portal.test:443".to_owned(), address)], &trusted)
    }

    /// Citizens who sign in one after the other.
    fn logins(&self) -> Logins {
        let person = self.person();
        Logins::by(move || {
            let place = format!("{PORTAL}/account");
            let person = person();
            let page = person.sign_in(&place, PORTAL);
            assert_eq!((page.url.as_str(), page.status), (&*place, 200), "{}", page.text);
            fs::read_to_string(person.jar()).unwrap()
        })
    }

    fn kit(&self, name: &str) -> PathBuf {
        self.simulator.kit().join(name)
    }

    fn reload(&self) {
        let (is_applied, said) = self.gateway.reload();
        assert!(is_applied, "{said}");
    }

    /// Registers our certificates at the node, in place of those that it had.
    fn register(&self, signing: &[&Path], encryption: &Path) {
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let signing: String = signing.iter().map(|path| read(path)).collect();
        let registration = json!({
            "issuer": "portal.brama.localhost",
            "acs": [format!("{PORTAL}/.brama/acs")],
            "signing_certificate": signing,
            "encryption_certificate": read(encryption),
        });
        self.simulator.control("POST", "services", &registration);
    }

    /// Makes a pair of ours that the node's authority signed: `NAME.key` and `NAME.pem`, beside the
    /// configuration.
    fn issue(&self, name: &str, subject: &str, usage: &str) -> (PathBuf, PathBuf) {
        let [key, request, made, extensions] =
            ["key", "csr", "pem", "cnf"].map(|kind| self.gateway.file(&format!("{name}.{kind}")));
        fs::write(&extensions, usage).unwrap();
        let subject = format!("/C=PL/O=Test/CN={subject}");
        let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        openssl(Command::new("openssl").arg("req").args(ec).args(["-subj", &subject]).args([
            "-keyout".as_ref(),
            key.as_os_str(),
            "-out".as_ref(),
            request.as_os_str(),
        ]));
        let (ca, ca_key) = (self.kit("ca.crt.pem"), self.kit("ca.key.pem"));
        openssl(Command::new("openssl").args(["x509", "-req", "-days", "2"]).args([
            "-in".as_ref(),
            request.as_os_str(),
            "-out".as_ref(),
            made.as_os_str(),
            "-CA".as_ref(),
            ca.as_os_str(),
            "-CAkey".as_ref(),
            ca_key.as_os_str(),
            "-extfile".as_ref(),
            extensions.as_os_str(),
        ]));
        (key, made)
    }
}

fn openssl(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn write_key(path: &Path, pem: &str) {
    brama::base::private::write(path, pem.as_bytes()).unwrap();
}

/// Puts a file in the place of another, whole at each moment.
fn replace(from: &Path, to: &Path) {
    brama::base::private::write(to, &fs::read(from).unwrap()).unwrap();
}

/// Waits until another certificate is in use.
fn is_in_use(gateway: &mut Gateway, used_for: &str) {
    gateway.program.wait_for(|line| {
        (line.contains("certificate is in use") && line.contains(used_for)).then_some(())
    });
}

/// A login that began before ends, and another one that began after.
fn some(logins: &[Logins]) {
    logins.iter().for_each(|logins| logins.ends(2));
}

#[test]
fn no_login_fails_while_every_certificate_is_changed_in_the_documented_order() {
    let Some(mut world) = World::start() else { return };
    let logins = [world.logins(), world.logins()];
    some(&logins);

    // The node's: believed beside the old one before it is used, and the old one not after.
    let announce = json!({ "step": "announce" });
    let announced = world.simulator.control("POST", "certificates", &announce);
    let announced = announced["announced"].as_str().unwrap().to_owned();
    let next = world.gateway.file("node-next.pem");
    fs::write(&next, &announced).unwrap();
    let (first, both) = (world.kit("node-signing.crt.pem"), world.gateway.file("node-first.pem"));
    fs::copy(&first, &both).unwrap();
    let list = |files: &[&Path]| format!("certificates = {files:?}\nextra_ca");
    let before = list(&[&first]);
    world.gateway.edit_configuration(&before, &list(&[&both, &next]));
    world.reload();
    is_in_use(&mut world.gateway, "node");
    some(&logins);
    let used = world.simulator.control("POST", "certificates", &json!({ "step": "change" }));
    assert_eq!((used["used"].as_str(), &used["announced"]), (Some(&*announced), &Value::Null));
    assert_eq!(fs::read_to_string(&first).unwrap(), announced, "kept for its next start");
    some(&logins);
    world.gateway.edit_configuration(&list(&[&both, &next]), &list(&[&next]));
    world.reload();
    some(&logins);

    // What opens answers: known to us before the node knows it, and the old one forgotten last.
    let old_signature = world.kit("service-sig.crt.pem");
    let agreement = "keyUsage = critical, keyAgreement";
    let (key, encryption) = world.issue("enc", "portal.brama.localhost_enc_ec", agreement);
    let old = format!("decryption_keys = [{:?}]", world.kit("service-enc.key.pem"));
    let two = format!("decryption_keys = [{:?}, {key:?}]", world.kit("service-enc.key.pem"));
    world.gateway.edit_configuration(&old, &two);
    world.reload();
    world.register(&[&old_signature], &encryption);
    some(&logins);
    world.gateway.edit_configuration(&two, &format!("decryption_keys = [{key:?}]"));
    world.reload();
    some(&logins);

    // What we sign with: known to the node before we use it, and the old one forgotten last.
    let signs = "keyUsage = critical, digitalSignature";
    let (key, signature) = world.issue("sig", "portal.brama.localhost_sig_ec", signs);
    let first = world.gateway.file("sig-first.pem");
    fs::copy(&old_signature, &first).unwrap();
    world.register(&[&first, &signature], &encryption);
    replace(&key, &world.kit("service-sig.key.pem"));
    some(&logins);
    replace(&signature, &old_signature);
    is_in_use(&mut world.gateway, "signing");
    some(&logins);
    world.register(&[&signature], &encryption);
    some(&logins);

    // Who we are to the node's TLS.
    let client = "keyUsage = critical, digitalSignature\nextendedKeyUsage = clientAuth";
    let (key, certificate) = world.issue("client", "portal.brama.localhost_tls", client);
    replace(&key, &world.kit("service-tls-client.key.pem"));
    some(&logins);
    replace(&certificate, &world.kit("service-tls-client.crt.pem"));
    is_in_use(&mut world.gateway, "client");
    some(&logins);

    // Who we are to citizens.
    let [key, certificate] = ["localhost.key", "localhost.pem"].map(|it| world.gateway.file(it));
    replace(&world.gateway.file("next.key"), &key);
    some(&logins);
    replace(&world.gateway.file("next.pem"), &certificate);
    world.gateway.program.wait_for(|line| {
        let is_it = line.contains("new certificate is in use");
        (is_it && line.contains("citizens")).then_some(())
    });
    some(&logins);

    for logins in logins {
        logins.all_signed_in();
    }
}

#[test]
fn a_certificate_that_is_changed_out_of_order_costs_logins_until_it_is_mended() {
    let Some(mut world) = World::start() else { return };
    let person = world.person();
    let place = format!("{PORTAL}/account");
    let refused_with = |code: &str| person().sign_in(&place, PORTAL).is_refused_with(code);
    let signs_in = || assert_eq!(person().sign_in(&place, PORTAL).status, 200);
    signs_in();

    // The node signs with what we do not know.
    let announced = world.simulator.control("POST", "certificates", &json!({ "step": "announce" }));
    world.simulator.control("POST", "certificates", &json!({ "step": "change" }));
    refused_with("login.signature_not_trusted");
    let next = world.gateway.file("node-next.pem");
    fs::write(&next, announced["announced"].as_str().unwrap()).unwrap();
    let old = format!("certificates = [{:?}]", world.kit("node-signing.crt.pem"));
    world.gateway.edit_configuration(&old, &format!("certificates = [{next:?}]"));
    world.reload();
    signs_in();

    // It encrypts to a key that we do not have yet.
    let agreement = "keyUsage = critical, keyAgreement";
    let (key, encryption) = world.issue("enc", "portal.brama.localhost_enc_ec", agreement);
    world.register(&[&world.kit("service-sig.crt.pem")], &encryption);
    refused_with("login.decryption_failed");
    let old = format!("decryption_keys = [{:?}]", world.kit("service-enc.key.pem"));
    world.gateway.edit_configuration(&old, &format!("decryption_keys = [{key:?}]"));
    world.reload();
    signs_in();

    // It forgot what we sign with still: its own page says so, and nobody comes back.
    let signs = "keyUsage = critical, digitalSignature";
    let (key, signature) = world.issue("sig", "portal.brama.localhost_sig_ec", signs);
    world.register(&[&signature], &encryption);
    let page = person().open(&place);
    let refused = person().answer_of_node(&page);
    assert_eq!(refused.status, 400, "{}", refused.text);
    replace(&key, &world.kit("service-sig.key.pem"));
    replace(&signature, &world.kit("service-sig.crt.pem"));
    is_in_use(&mut world.gateway, "signing");
    signs_in();
}
