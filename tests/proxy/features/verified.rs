//! What other implementations verify and open of what a portal is told, and what they sign that we
//! verify.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use brama::base::encoding::{base64, from_base64, from_base64url};
use brama::base::private;
use brama::identity::forms::signature::base::Base;
use brama::identity::signing_key::{Algorithm, SigningKey};
use brama::xml::keys::pem;
use serde_json::{Value, json};

use super::told::{Case, values};
use crate::harness::tools::{self, Tool};

/// Whose implementation it is.
#[derive(Debug, Clone, Copy)]
enum Judge {
    Python,
    Node,
}

impl Judge {
    /// Has it judge, or sign.
    fn asked(self, what: &str, given: &Value) -> Value {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
        let folder = tempfile::tempdir().unwrap();
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(tools::judges_python().expect("it is there"));
                command.arg(scripts.join("python/told.py"));
                command
            }
            Self::Node => {
                // Libraries are looked for beside the program.
                let modules = tools::backend("node").expect("it is there").join("node_modules");
                symlink(modules, folder.path().join("node_modules")).unwrap();
                let script = folder.path().join("told.mjs");
                std::fs::copy(scripts.join("node/told.js"), &script).unwrap();
                let mut command = Command::new("node");
                command.arg(script);
                command
            }
        };
        let command = command.arg(what).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut judge = command.spawn().unwrap();
        judge.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
        let output = judge.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{self:?} {what}: {} {text}", output.status))
    }
}

/// What a judge says of a request as the portal got it, with the keys.
fn judged(
    judge: Judge,
    what: &str,
    case: &Case,
    fields: &[(String, String)],
    line: &str,
    rest: &[(&str, &str)],
) -> Value {
    let (method, target) = line.split_once(' ').unwrap();
    let jwks = case.send("GET /.brama/jwks.json", "").json();
    let mut given = json!({ "method": method, "target": target, "headers": fields, "jwks": jwks });
    for (name, value) in rest {
        given[*name] = (*value).into();
    }
    judge.asked(what, &given)
}

#[test]
fn another_implementation_verifies_what_is_signed() {
    if tools::judges_python().is_none() || !tools::has(&[Tool::OpenSsl]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    private::write(&secret, &[7; 32]).unwrap();
    let shared = format!(
        "identity = [\"headers\", \"signature\"]\nclaims = [\"given_name\"]\n\
         identity_signature = {{ algorithm = \"hmac-sha256\", secret_file = \"{}\", \
         key_id = \"portal-2026\", lifetime = \"30s\" }}",
        secret.display()
    );
    let case = Case::start_with(
        &[
            ("/", "required", "identity = [\"assertion\", \"signature\"]"),
            ("/shared", "required", &shared),
            (
                "/ed25519",
                "required",
                "identity = [\"assertion\", \"signature\"]\n\
                 identity_signature = { algorithm = \"ed25519\" }",
            ),
            (
                "/moved",
                "required",
                "identity = [\"signature\"]\nstrip_prefix = \"/moved\"\n\
             host_header = \"Portal.Internal:80\"",
            ),
        ],
        Some(folder),
    );
    let digest = "Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:\r\n";
    let (ecdsa, ed25519) = ([("algorithm", "ecdsa-p256-sha256")], [("algorithm", "ed25519")]);
    let secret = ("secret", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    for (line, sent, fields, key) in [
        ("GET /a?b=c", "GET /a?b=c", "", &ecdsa[..]),
        ("GET /a", "GET /a", digest, &ecdsa),
        ("GET /moved/x%20y?z", "GET /x%20y?z", "", &ecdsa),
        ("GET /shared/x?", "GET /shared/x?", "", &[("algorithm", "hmac-sha256"), secret]),
        ("GET /ed25519/x?y", "GET /ed25519/x?y", "", &ed25519),
    ] {
        let told = case.of_anna(line, fields);
        let verdict = judged(Judge::Python, "signature", &case, &told, sent, key);
        assert_eq!(verdict["verified"], true, "{line}: {verdict}");
        // The twins: another target, method or identity.
        for changed in [sent.replace("GET", "POST"), format!("{sent}x")] {
            let verdict = judged(Judge::Python, "signature", &case, &told, &changed, key);
            assert_eq!(verdict["verified"], false, "{changed}: {verdict}");
        }
        for (at, (name, _)) in told.iter().enumerate() {
            let is_covered = name.starts_with("x-brama-") || name == "content-digest";
            let mut forged = told.clone();
            forged[at].1.push('x');
            if is_covered {
                let verdict = judged(Judge::Python, "signature", &case, &forged, sent, key);
                assert_eq!(verdict["verified"], false, "{name}: {verdict}");
            }
        }
    }
}

#[test]
fn two_other_implementations_open_what_is_encrypted_to_them() {
    if tools::judges_python().is_none() || !tools::has(&[Tool::OpenSsl, Tool::Node]) {
        return;
    }
    let Some(_) = tools::backend("node") else { return };
    for curve in ["P-256", "P-384"] {
        let folder = tempfile::tempdir().unwrap();
        let (private, public) = key_pair(folder.path(), curve);
        let (other, _) = key_pair(tempfile::tempdir().unwrap().path(), curve);
        let lines =
            format!("identity = [\"jwe\"]\nidentity_jwe_key_file = \"{}\"", public.display());
        let case = Case::start_with(&[("/", "required", &lines)], Some(folder));
        let told = case.of_anna("GET /", "X-Brama-Encrypted-Assertion: forged\r\n");
        assert!(values(&told, "x-brama-assertion").is_empty());
        let [sealed] = values(&told, "x-brama-encrypted-assertion")[..] else { panic!("{told:?}") };
        let (head, tag) = sealed.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", tag.chars().rev().collect::<String>());
        for judge in [Judge::Python, Judge::Node] {
            let opened = |key: &str, token: &str| {
                judged(judge, "jwe", &case, &told, "GET /", &[("key", key), ("token", token)])
            };
            let verdict = opened(&private, sealed);
            assert_eq!(verdict["claims"]["aud"], "portal", "{judge:?}: {verdict}");
            assert_eq!(verdict["header"]["cty"], "JWT", "{judge:?}: {verdict}");
            for verdict in [opened(&private, &forged), opened(&other, sealed)] {
                assert_eq!(verdict["claims"], Value::Null, "{judge:?}: {verdict}");
            }
        }
    }
}

/// A request that somebody else signed.
struct Theirs {
    method: &'static str,
    authority: &'static str,
    target: &'static str,
    fields: Vec<(&'static str, &'static str)>,
}

impl Theirs {
    /// Writes the base of what `Signature-Input` says, as a portal would with our code.
    fn base(&self, input: &str) -> Vec<u8> {
        let (_, said) = input.split_once("=(").unwrap();
        let (list, parameters) = said.split_once(')').unwrap();
        let mut base = Base::new();
        for name in list.split(' ').map(|name| name.trim_matches('"')) {
            let named = self.fields.iter().filter(|(known, _)| *known == name);
            match name {
                "@method" => base.method(self.method),
                "@authority" => base.authority(self.authority),
                "@path" => base.path(self.target),
                "@query" => base.query(self.target),
                field => base.field(field, named.map(|(_, value)| value.as_bytes())),
            }
        }
        base.end(&parameters).unwrap().0
    }
}

const COVERED: [&str; 6] =
    ["@method", "@authority", "@path", "@query", "content-digest", "x-citizen"];
const DIGEST: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";

#[test]
fn what_two_other_implementations_sign_verifies_over_our_base() {
    if tools::judges_python().is_none() || !tools::has(&[Tool::Node]) {
        return;
    }
    let Some(_) = tools::backend("node") else { return };
    let fields = vec![("content-digest", DIGEST), ("x-citizen", "anna"), ("x-citizen", " second ")];
    let theirs = || Theirs {
        method: "POST",
        authority: "portal.example:8443",
        target: "/a%20b/c?d=%C5%BB&e",
        fields: fields.clone(),
    };
    let keys = [Algorithm::Es256, Algorithm::EdDsa].map(SigningKey::generate);
    for judge in [Judge::Python, Judge::Node] {
        for algorithm in ["ecdsa-p256-sha256", "ed25519", "hmac-sha256"] {
            let key = &keys[usize::from(algorithm == "ed25519")];
            let message = theirs();
            let host = [("host", message.authority)];
            let headers: Vec<_> = host.iter().chain(&message.fields).collect();
            let mut given = json!({
                "method": message.method, "target": message.target, "headers": headers,
                "algorithm": algorithm, "covered": COVERED,
            });
            match algorithm {
                "hmac-sha256" => given["secret"] = base64(&[7; 32]).into(),
                _ => given["key"] = pem("PRIVATE KEY", key.pkcs8().expose()).into(),
            }
            let signed = judge.asked("sign", &given);
            let input = signed["input"].as_str().unwrap();
            let (_, signature) = signed["signature"].as_str().unwrap().split_once("=:").unwrap();
            let signature = from_base64(signature.strip_suffix(':').unwrap()).unwrap();
            let is_good = |base: &[u8]| verifies(algorithm, key, base, &signature);
            assert!(is_good(&message.base(input)), "{judge:?} {algorithm}: {signed}");
            for other in [
                Theirs { method: "PUT", ..theirs() },
                Theirs { authority: "portal.example", ..theirs() },
                Theirs { target: "/a b/c?d=%C5%BB&e", ..theirs() },
                Theirs { target: "/a%20b/c?d=%C5%BB", ..theirs() },
                Theirs { fields: fields[..2].to_vec(), ..theirs() },
                Theirs { fields: vec![fields[0], fields[2], fields[1]], ..theirs() },
            ] {
                assert!(!is_good(&other.base(input)), "{judge:?} {algorithm}: {signed}");
            }
            let later = input.replacen("created=1", "created=2", 1);
            assert!(!is_good(&message.base(&later)), "{judge:?} {algorithm}: {signed}");
        }
    }
}

fn verifies(algorithm: &str, key: &SigningKey, base: &[u8], signature: &[u8]) -> bool {
    let part = |name: &str| from_base64url(key.jwk()[name].as_str().unwrap()).unwrap();
    match algorithm {
        "ed25519" => UnparsedPublicKey::new(&ED25519, part("x")).verify(base, signature).is_ok(),
        "ecdsa-p256-sha256" => {
            let point = [vec![4], part("x"), part("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(base, signature).is_ok()
        }
        _ => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
            hmac::verify(&key, base, signature).is_ok()
        }
    }
}

/// Makes a key pair: the private part, and the file of the public one.
fn key_pair(folder: &Path, curve: &str) -> (String, PathBuf) {
    let (private, public) = (folder.join("private.pem"), folder.join("public.pem"));
    let openssl = |arguments: &[&OsStr]| {
        let done = Command::new("openssl").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let option = format!("ec_paramgen_curve:{curve}");
    let [algorithm, out, input] = ["-algorithm", "-out", "-in"].map(OsStr::new);
    let made = ["EC", "-pkeyopt", &option].map(OsStr::new);
    let command = [OsStr::new("genpkey"), algorithm].into_iter().chain(made);
    openssl(&command.chain([out, private.as_os_str()]).collect::<Vec<_>>());
    let command = ["pkey", "-pubout"].map(OsStr::new);
    let files = [input, private.as_os_str(), out, public.as_os_str()];
    openssl(&command.into_iter().chain(files).collect::<Vec<_>>());
    (std::fs::read_to_string(private).unwrap(), public)
}
