//! How a backend gets the keys of identities, which algorithms sign, and keys of an operator's own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use brama::base::encoding::from_base64url;
use brama::base::private;
use brama::identity::signing_key::{Algorithm, SigningKey};
use brama::xml::keys::pem;
use serde_json::{Value, json};

use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, Plan, Simulator, python, sign_in, source};

const KEYS: &str = "/.brama/jwks.json";
const WELL_KNOWN: [&str; 2] = ["/.well-known/jwks.json", "/.well-known/openid-configuration"];

/// Asks for the keys, with more fields.
fn ask(gateway: &Gateway, method: &str, path: &str, fields: &str) -> Answer {
    let mut wire = gateway.connect();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    wire.send(head.as_bytes());
    wire.answer(method)
}

#[test]
fn keys_may_be_cached_and_a_client_that_has_them_is_told_so() {
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let first = ask(&gateway, "GET", KEYS, "");
    assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(first.header("content-type"), Some("application/jwk-set+json"));
    let tag = first.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        for method in ["GET", "HEAD"] {
            let field = format!("If-None-Match: {known}\r\n");
            let again = ask(&gateway, method, KEYS, &field);
            assert_eq!((again.status, again.text()), (304, String::new()), "{known}");
            assert_eq!(again.header("etag"), Some(&*tag));
            assert_eq!(again.header("cache-control"), Some("public, max-age=300"));
        }
    }
    let other = ask(&gateway, "GET", KEYS, "If-None-Match: \"other\"\r\n");
    assert_eq!((other.status, other.text()), (200, first.text()));
    assert_eq!(ask(&gateway, "HEAD", KEYS, "").header("etag"), Some(&*tag));
}

#[test]
fn well_known_places_are_the_portals_own_until_they_are_wanted() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let gateway = Plan::before(&url).start();
    for path in WELL_KNOWN {
        assert_eq!(gateway.connect().get("localhost", path).json()["target"], path);
    }
}

#[test]
fn a_library_that_is_told_the_issuer_alone_finds_the_keys_on_the_registered_host() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::empty()
        .portal("other_urls = [\"http://other.localhost\"]")
        .upstream("portal", &url)
        .route("/", "portal", "public")
        .with("[[route]]\nhost = \"other.localhost\"\nupstream = \"portal\"\naccess = \"public\"")
        .with("[identity]\nwell_known = true");
    let gateway = plan.start();
    let issuer = format!("http://{}", gateway.host());
    let told = gateway.connect().get(&gateway.host(), WELL_KNOWN[1]);
    assert_eq!(told.header("content-type"), Some("application/json"));
    let told = told.json();
    assert_eq!(told["issuer"], issuer);
    assert_eq!(told["id_token_signing_alg_values_supported"], json!(["ES256"]));
    // OpenID Connect Discovery 4.1: the place is the issuer with that path behind it.
    let place = told["jwks_uri"].as_str().unwrap().strip_prefix(&issuer).unwrap().to_owned();
    let keys = gateway.connect().get(&gateway.host(), &place);
    assert_eq!(keys.json(), ask(&gateway, "GET", KEYS, "").json());
    let tag = format!("If-None-Match: {}\r\n", keys.header("etag").unwrap());
    assert_eq!(ask(&gateway, "GET", &place, &tag).status, 304);
    for path in WELL_KNOWN {
        let refused = ask(&gateway, "POST", path, "Content-Length: 0\r\n");
        assert_eq!(refused.status, 405, "{path}");
        // Another host, and another path, are the portal's as before.
        assert_eq!(gateway.connect().get("other.localhost", path).json()["target"], path);
    }
    for path in ["/.well-known/", "/.well-known/jwks.json/", "/.well-known/security.txt"] {
        assert_eq!(gateway.connect().get("localhost", path).json()["target"], path);
    }
}

/// What the portal is told of who is there.
fn token(gateway: &Gateway, path: &str, cookie: &str) -> String {
    let answer = ask(gateway, "GET", path, &format!("Cookie: {cookie}\r\n"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = answer.json();
    let headers = seen["headers"].as_array().unwrap();
    let header = headers.iter().find(|header| header[0] == "x-brama-assertion").unwrap();
    header[1].as_str().unwrap().to_owned()
}

fn header(token: &str) -> Value {
    let head = token.split('.').next().unwrap();
    serde_json::from_slice(&from_base64url(head).unwrap()).unwrap()
}

/// Asks Node's own library.
fn judged(token: &str, jwks: &Value) -> String {
    let mut judge = Command::new("node")
        .arg(source("jwt_judge.js"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "token": token, "jwks": jwks }).to_string();
    judge.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    String::from_utf8(judge.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Makes an RSA key as an operator does. Ours, of a build for tests, would take long.
fn rsa(form: &str) -> Vec<u8> {
    let mut openssl = Command::new("openssl");
    openssl.args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let made = openssl.args(["-outform", form]).output().unwrap();
    assert!(made.status.success());
    made.stdout
}

#[test]
fn each_audience_has_the_algorithm_that_its_backend_verifies() {
    if !tools::has(&[Tool::Python, Tool::Node, Tool::OpenSsl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::empty()
        .upstream("plain", &url)
        .route("/", "plain", "required")
        .upstream("modern", &url)
        .route("/modern", "modern", "required")
        .with("token_algorithm = \"EdDSA\"")
        .upstream("old", &url)
        .route("/old", "old", "required")
        .with("token_algorithm = \"RS256\"")
        .with("[identity]\nsigning_key_files = [\"one.pem\", \"two.pem\"]");
    for name in ["one.pem", "two.pem"] {
        private::write(&plan.path(name), &rsa("PEM")).unwrap();
    }
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    let jwks = ask(&gateway, "GET", KEYS, "").json();
    // The current and the next of each.
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 6, "{jwks}");
    for (path, algorithm) in [("/a", "ES256"), ("/modern/a", "EdDSA"), ("/old/a", "RS256")] {
        let token = token(&gateway, path, &cookie);
        assert_eq!(header(&token)["alg"], algorithm);
        assert_eq!(judged(&token, &jwks), "good", "{algorithm}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        assert_ne!(judged(&forged, &jwks), "good", "{algorithm}");
    }
    // A reload gives an audience another one, and what signed before is verified as before.
    let before = token(&gateway, "/a", &cookie);
    gateway.edit_configuration("token_algorithm = \"EdDSA\"", "token_algorithm = \"ES256\"");
    let (is_applied, said) = gateway.reload();
    assert!(is_applied, "{said}");
    let jwks = ask(&gateway, "GET", KEYS, "").json();
    let after = token(&gateway, "/modern/a", &cookie);
    assert_eq!(header(&after)["alg"], "ES256");
    for token in [before, after] {
        assert_eq!(judged(&token, &jwks), "good");
    }
}

#[test]
fn routes_of_one_audience_do_not_sign_in_two_ways() {
    let plan = Plan::empty()
        .upstream("portal", "http://127.0.0.1:9")
        .route("/", "portal", "required")
        .route("/old", "portal", "required")
        .with("token_algorithm = \"RS256\"");
    let said = plan.refused();
    assert!(said.contains("route[1].token_algorithm"), "{said}");
    assert!(said.contains("the audience \"portal\" has ES256 at"), "{said}");
}

/// A gateway whose keys are in these files.
fn with_keys(url: &str, files: &[(&str, Vec<u8>)]) -> Plan {
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let plan = Plan::empty()
        .upstream("portal", url)
        .route("/", "portal", "required")
        .upstream("old", url)
        .route("/old", "old", "required")
        .with("token_algorithm = \"RS256\"")
        .with(&format!("[identity]\nsigning_key_files = {names:?}"));
    for (name, bytes) in files {
        private::write(&plan.path(name), bytes).unwrap();
    }
    plan
}

fn as_pem(key: &SigningKey) -> Vec<u8> {
    pem("PRIVATE KEY", key.pkcs8().expose()).into_bytes()
}

#[test]
fn keys_of_an_operators_own_sign_and_others_are_refused_by_name() {
    if !tools::has(&[Tool::Python, Tool::Node, Tool::OpenSsl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (plain, old) = (SigningKey::generate(Algorithm::Es256), rsa("DER"));
    let second = SigningKey::generate(Algorithm::Es256);
    let files = [
        ("plain.pem", as_pem(&plain)),
        ("old.der", old.clone()),
        ("next.pem", rsa("PEM")),
        ("second.pem", as_pem(&second)),
    ];
    let old = SigningKey::read(&old).unwrap();
    let plan = with_keys(&url, &files);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    let jwks = ask(&gateway, "GET", KEYS, "").json();
    for (path, key) in [("/a", &plain), ("/old/a", &old)] {
        let token = token(&gateway, path, &cookie);
        assert_eq!(header(&token)["kid"], key.id());
        assert_eq!(judged(&token, &jwks), "good");
    }
    let names: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(names[..2], [plain.id(), second.id()], "the second follows by the clock");
    // What signs no identities is refused, with the key and the file.
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    for (bytes, why) in [
        (p384.serialize_pem().into_bytes(), "signs no identities: that takes a key of P-256"),
        (b"nothing".to_vec(), "holds no unencrypted private key"),
        (as_pem(&plain), "is the same key as identity.signing_key_files[0]"),
    ] {
        let said =
            with_keys(&url, &[("plain.pem", as_pem(&plain)), ("other.pem", bytes)]).refused();
        assert!(said.contains("identity.signing_key_files[1]") && said.contains(why), "{said}");
    }
    // One that no route wants is good for nothing.
    let unused = SigningKey::generate(Algorithm::EdDsa);
    let files = [("unused.pem", as_pem(&unused)), ("a.pem", rsa("PEM")), ("b.pem", rsa("PEM"))];
    let mut gateway = with_keys(&url, &files).start();
    gateway.program.wait_for(|line| line.contains("which no route wants").then_some(()));
}

#[test]
fn a_key_of_an_operators_own_comes_in_a_pkcs_12_file() {
    if !tools::has(&[Tool::OpenSsl]) {
        return;
    }
    let made = rcgen::generate_simple_self_signed(["keys".to_owned()]).unwrap();
    let plan = |password: &str| {
        let entry = "signing_p12 = [{ file = \"own.p12\", password_file = \"password\" }]";
        let plan = Plan::before("http://127.0.0.1:9").with(&format!("[identity]\n{entry}"));
        let plan =
            plan.file("password", password).file("own.key", &made.signing_key.serialize_pem());
        let plan = plan.file("own.pem", &made.cert.pem()).file("made", "first");
        let mut openssl = Command::new("openssl");
        openssl.args(["pkcs12", "-export", "-in"]).arg(plan.path("own.pem")).arg("-inkey");
        openssl.arg(plan.path("own.key")).arg("-out").arg(plan.path("own.p12"));
        let file = format!("file:{}", plan.path("made").display());
        assert!(openssl.args(["-passout", &file]).status().unwrap().success());
        plan
    };
    let gateway = plan("first\n").start();
    let id = SigningKey::read(&made.signing_key.serialize_der()).unwrap().id().to_owned();
    assert_eq!(ask(&gateway, "GET", KEYS, "").json()["keys"][0]["kid"], id);
    let said = plan("other").refused();
    assert!(said.contains("identity.signing_p12[0].file"), "{said}");
    assert!(said.contains("PKCS #12 file cannot be opened"), "{said}");
}
