//! What is said of the forms of identity of a route.

use rcgen::PublicKeyData as _;

use crate::base::clock::{Clock, SystemClock};
use crate::base::private;
use crate::config;
use crate::config::load::load_text;
use crate::xml::keys::pem;

/// What is said of a route with these lines, as far as it is of the identity.
fn said(lines: &str) -> String {
    said_of("http://127.0.0.1:9", "", lines)
}

fn said_of(upstream: &str, before: &str, lines: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| private::write(&folder.path().join(name), bytes);
    write("short", &[1; 31]).unwrap();
    write("secret", &[1; 32]).unwrap();
    write("nothing.pem", b"nothing").unwrap();
    write("line", b"0123456789012345678901234567890123456789\n").unwrap();
    let private = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    write("private.pem", private.serialize_pem().as_bytes()).unwrap();
    for (name, kind) in [
        ("p256.pem", &rcgen::PKCS_ECDSA_P256_SHA256),
        ("p384.pem", &rcgen::PKCS_ECDSA_P384_SHA384),
        ("rsa.pem", &rcgen::PKCS_RSA_SHA256),
        ("ed25519.pem", &rcgen::PKCS_ED25519),
    ] {
        let public = match name {
            "rsa.pem" => RSA.as_bytes().to_vec(),
            _ => {
                let pair = rcgen::KeyPair::generate_for(kind).unwrap();
                pem("PUBLIC KEY", &pair.subject_public_key_info()).into_bytes()
            }
        };
        write(name, &public).unwrap();
    }
    let lines = lines.replace("FOLDER", &folder.path().display().to_string());
    let text = format!(
        "{before}[[upstream]]\nname = \"portal\"\nurl = \"{upstream}\"\n\
         [[route]]\npath = \"/\"\nhost = \"portal.example\"\nupstream = \"portal\"\n{lines}\n"
    );
    let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
    let (_, problems) = config::resolve(loaded, SystemClock.now());
    let problems = problems.to_string();
    let is_of_it = |line: &&str| line.contains(".identity") || line.contains("request_headers");
    problems.lines().filter(is_of_it).collect::<Vec<_>>().join("\n")
}

const RSA: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCgwDQYJKoZIhvcNAQEBBQADFwAwFAINAMFh9vB3u6YJx2tR8QIDAQAB\n\
    -----END PUBLIC KEY-----\n";

#[test]
fn each_form_is_taken_with_what_belongs_to_it() {
    for lines in [
        "",
        "identity = []",
        "identity = [\"assertion\", \"bearer\"]",
        "identity = [\"jwe\"]\nidentity_jwe_key_file = \"FOLDER/p256.pem\"",
        "identity = [\"jwe\"]\nidentity_jwe_key_file = \"FOLDER/p384.pem\"",
        "identity = [\"headers\"]",
        "identity = [\"headers\"]\nidentity_headers = { preset = \"shibboleth\" }",
        "identity = [\"headers\"]\nidentity_headers = { fields = [\"Remote-User: subject\"] }",
        "identity = [\"signature\"]",
        "identity = [\"signature\"]\nidentity_signature = { algorithm = \"ed25519\" }",
        "identity = [\"signature\"]\nidentity_signature = { algorithm = \"hmac-sha256\", \
         secret_file = \"FOLDER/secret\" }",
    ] {
        assert_eq!(said(lines), "", "{lines}");
    }
}

#[test]
fn what_a_form_cannot_be_made_of_is_refused_with_its_place() {
    let key =
        |name: &str| format!("identity = [\"jwe\"]\nidentity_jwe_key_file = \"FOLDER/{name}\"");
    let field = |line: &str| {
        format!("identity = [\"headers\"]\nidentity_headers = {{ fields = [\"{line}\"] }}")
    };
    let signature =
        |rest: &str| format!("identity = [\"signature\"]\nidentity_signature = {{ {rest} }}");
    let hmac = "algorithm = \"hmac-sha256\"";
    for (lines, expected) in [
        ("identity = [\"bearer\", \"bearer\"]".to_owned(), "identity[1]: names a form twice"),
        ("identity = [\"jwe\"]".to_owned(), "identity_jwe_key_file: is missing"),
        (key("absent.pem"), "absent.pem cannot be read"),
        (key("nothing.pem"), "holds neither a public key nor a certificate"),
        (key("rsa.pem"), "rsa.pem is no key on P-256 or P-384"),
        (key("private.pem"), "private.pem is a private key, which stays with the portal"),
        (key("ed25519.pem"), "is no key on P-256 or P-384"),
        (
            "identity_jwe_key_file = \"FOLDER/p256.pem\"".to_owned(),
            "identity_jwe_key_file: is set, and identity does not name \"jwe\"",
        ),
        (
            "identity_headers = { preset = \"remote-user\" }".to_owned(),
            "identity_headers: is set, and identity does not name \"headers\"",
        ),
        (
            "audience = \"urząd\"\nidentity = [\"signature\"]".to_owned(),
            "identity_signature: no signature covers the letters of the audience \"urząd\"",
        ),
        (
            "identity_signature = { lifetime = \"30s\" }".to_owned(),
            "identity_signature: is set, and identity does not name \"signature\"",
        ),
        (
            format!("{}\nidentity_headers = {{ encoding = \"utf8\" }}", "identity = [\"headers\", \"signature\"]"),
            "identity_headers.encoding: \"utf8\" cannot be signed",
        ),
        (
            "identity = [\"headers\"]\nidentity_headers = { preset = \"shibboleth\", fields = [\"X-A: subject\"] }".to_owned(),
            "identity_headers.preset: is set beside names of your own",
        ),
        (field("X-A subject"), "fields[0]: \"X-A subject\" has no colon"),
        (field("X A: subject"), "\"X A\" is no header name"),
        (field("X-A: email"), "\"email\" is no value; give one of subject"),
        (field("X-A: pesel"), "pesel is always empty: claims does not name pesel"),
        (field("X-A: subject\", \"x_a: session"), "fields[1]: x_a is there twice"),
        (field("Host: subject"), "fields[0]: Host has a meaning of its own"),
        (field("Origin: subject"), "fields[0]: Origin has a meaning of its own, and every client"),
        (field("sec_fetch_site: subject"), "sec_fetch_site has a meaning of its own"),
        (field("X-Cluster-Client-IP: subject"), "has a meaning of its own"),
        (field("Connection: subject"), "Connection has a meaning of its own"),
        (field("Content-Length: subject"), "Content-Length has a meaning of its own"),
        (field("Transfer-Encoding: subject"), "Transfer-Encoding has a meaning of its own"),
        (field("Cookie: subject"), "Cookie has a meaning of its own"),
        (field("X-Forwarded-For: subject"), "X-Forwarded-For has a meaning of its own"),
        (field("X-Brama-Assertion: subject"), "X-Brama-Assertion has a meaning of its own"),
        (field("x_brama_pesel: subject"), "x_brama_pesel has a meaning of its own"),
        (field("Authorization: subject"), "Authorization has a meaning of its own"),
        (field("Signature: subject"), "Signature has a meaning of its own"),
        (signature("lifetime = \"6m\""), "identity_signature.lifetime: a signature may live"),
        (signature("lifetime = \"999ms\""), "identity_signature.lifetime: a signature may live"),
        (signature("lifetime = \"0s\""), "identity_signature.lifetime: a signature may live"),
        (signature("key_id = \"a\""), "identity_signature.key_id: is for \"hmac-sha256\" alone"),
        (
            signature("algorithm = \"ed25519\", secret_file = \"FOLDER/secret\""),
            "identity_signature.secret_file: is for \"hmac-sha256\" alone",
        ),
        (signature(hmac), "identity_signature.secret_file: is missing"),
        (
            signature(&format!("{hmac}, secret_file = \"FOLDER/short\"")),
            "secret_file: is shorter than 32 bytes",
        ),
        (
            signature(&format!("{hmac}, secret_file = \"FOLDER/secret\", key_id = \"ż\"")),
            "key_id: \"ż\" cannot be a keyid",
        ),
        (
            "identity = [\"bearer\"]\nrequest_headers = { set = [\"authorization: x\"] }".to_owned(),
            "request_headers.set[0]: authorization is a header in which this route tells",
        ),
        (
            format!("{}\nrequest_headers = {{ add = [\"x_a: x\"] }}", field("X-A: subject")),
            "request_headers.add[0]: x_a is a header in which this route tells",
        ),
    ] {
        let said = said(&lines);
        assert!(said.contains(expected), "{lines}\n{said}");
    }
}

#[test]
fn plain_headers_over_a_network_and_a_token_beside_its_sealed_form_are_warned_of() {
    let plain = "identity = [\"headers\"]";
    let warned = "nothing proves plain headers";
    assert!(said_of("http://10.0.0.1:80", "", plain).contains(warned));
    assert!(said_of("https://portal.internal", "", plain).contains(warned));
    for near in ["http://127.0.0.1:80", "http://localhost:80", "unix:/run/portal.sock"] {
        assert_eq!(said_of(near, "", plain), "", "{near}");
    }
    assert!(!said_of("http://10.0.0.1:80", "", "").contains(warned));
    // Signed, they are proven; a certificate that is not used proves nothing.
    let signed = "identity = [\"headers\", \"signature\"]";
    assert!(!said_of("http://10.0.0.1:80", "", signed).contains(warned));
    let both = "identity = [\"jwe\", \"bearer\"]\nidentity_jwe_key_file = \"FOLDER/p256.pem\"";
    assert!(said(both).contains("tells in the clear what it encrypts as well"));
    let underscore = "identity = [\"headers\"]\nidentity_headers = { fields = [\"X_A: subject\"] }";
    assert!(said(underscore).contains("many servers drop headers with an underscore"));
    let line = "identity = [\"signature\"]\nidentity_signature = { algorithm = \"hmac-sha256\", \
                secret_file = \"FOLDER/line\" }";
    assert!(said(line).contains("ends with a line end, which belongs to the secret"));
    // What a trusted proxy may send is not for a route to tell.
    let passed = "[listen]\ntrusted_proxies = [\"10.0.0.1\"]\n[identity]\n\
                  pass_headers = [\"Remote-User\"]\n";
    let remote = "identity = [\"headers\"]\nidentity_headers = { preset = \"remote-user\" }";
    let said = said_of("http://127.0.0.1:9", passed, remote);
    assert!(said.contains("tells an identity in Remote-User, which identity.pass_headers"));
}
