//! `brama certs`: what operators and authorities hand over is read in whatever form it comes, and said
//! to be what it is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{GOOD, folder as kit};

/// A folder in which files are made by others than us.
pub(crate) struct World(TempDir);

impl World {
    /// A key and its certificate by an authority, `a.key`, `a.pem` and `ca.pem`, as openssl makes them.
    pub(crate) fn new() -> Option<Self> {
        let world = Self(tempfile::tempdir().unwrap());
        if Command::new("openssl").arg("version").output().is_err() {
            let required =
                std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
            assert!(!required, "openssl is not installed, and BRAMA_JUDGES=required");
            eprintln!("SKIPPED: openssl is not installed");
            return None;
        }
        world.openssl(&[
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj",
            "/CN=CA_INT_LOGIN",
        ]);
        world.openssl(&["ecparam -name prime256v1 -genkey -noout -out a.key"]);
        world.issue("a", "a.key", "/O=Urząd/CN=portal_sig_ec", "digitalSignature", 730);
        Some(world)
    }

    /// Has the authority issue a certificate for a key.
    pub(crate) fn issue(&self, name: &str, key: &str, subject: &str, usage: &str, days: u32) {
        let request = format!("req -new -utf8 -key {key} -out {name}.csr -subj");
        self.openssl(&[&request, subject]);
        let extensions = format!("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,{usage}\n");
        self.write("ext", extensions.as_bytes());
        self.openssl(&[&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days \
             {days} -extfile ext"
        )]);
    }

    /// Runs openssl; the last of several words may have spaces in it.
    pub(crate) fn openssl(&self, words: &[&str]) {
        let mut command = Command::new("openssl");
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command.args(words[0].split_whitespace()).args(&words[1..]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    /// Returns the path of a file.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }

    fn certs(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.current_dir(self.0.path()).arg("certs").args(words).output().unwrap()
    }

    fn inspect(&self, words: &[&str]) -> (i32, Value) {
        let output = self.certs(&[&["inspect", "--json"], words].concat());
        let json = serde_json::from_slice(&output.stdout);
        (output.status.code().unwrap(), json.unwrap_or_else(|_| Value::String(text(&output))))
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn twenty_forms_of_certificates_and_keys_are_read_as_what_they_are() {
    let Some(world) = World::new() else { return };
    for command in [
        "x509 -in a.pem -outform DER -out a.der",
        "pkcs8 -topk8 -nocrypt -in a.key -out a.pkcs8",
        "pkcs8 -topk8 -nocrypt -in a.key -outform DER -out a.pkcs8.der",
        "ec -in a.key -outform DER -out a.sec1.der",
        "crl2pkcs7 -nocrl -certfile a.pem -certfile ca.pem -out chain.p7b",
        "crl2pkcs7 -nocrl -certfile a.pem -certfile ca.pem -outform DER -out chain.p7c",
        "pkcs12 -export -in a.pem -inkey a.key -certfile ca.pem -out a.p12 -passout pass:tajne",
        "pkcs12 -export -legacy -in a.pem -inkey a.key -out legacy.p12 -passout pass:tajne",
        "pkcs12 -export -keypbe NONE -certpbe NONE -in a.pem -inkey a.key -out plain.p12 -passout pass:tajne",
        "pkcs12 -export -in a.pem -inkey a.key -out empty.p12 -passout pass:",
        "pkcs12 -export -nokeys -in a.pem -out no-key.p12 -passout pass:tajne",
        "pkcs12 -export -nocerts -inkey a.key -out no-certificate.p12 -passout pass:tajne",
        "pkcs8 -topk8 -in a.key -out encrypted.key -passout pass:tajne",
        "pkcs8 -topk8 -in a.key -outform DER -out encrypted.der -passout pass:tajne",
        "pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1 -in a.key -out old-encrypted.key -passout pass:tajne",
        "ec -in a.key -aes128 -out traditional.key -passout pass:tajne",
        "req -in a.csr -outform DER -out request.der",
        "ec -in a.key -pubout -outform DER -out public.der",
        "x509 -in a.pem -trustout -addtrust serverAuth -out trusted.pem",
    ] {
        world.openssl(&[command]);
    }
    world.write("password", b"tajne\r\n");
    let pem = world.read("a.pem");
    let crlf = String::from_utf8(pem.clone()).unwrap().replace('\n', "\r\n");
    world.write("windows.pem", &[b"\xef\xbb\xbf", crlf.as_bytes()].concat());
    let ca = world.read("ca.pem");
    world
        .write("chain.pem", &[b"Bag Attributes\n  friendlyName: portal\n", &pem[..], &ca].concat());
    let text_of_pem = String::from_utf8(pem.clone()).unwrap();
    let units = || text_of_pem.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    world.write("utf16.pem", &[b"\xff\xfe", &little[..]].concat());
    world.write("utf16-big.pem", &big);
    world.write("both.pem", &[world.read("a.key"), pem.clone()].concat());
    let lines = String::from_utf8(pem).unwrap();
    let bare: String = lines.lines().filter(|line| !line.starts_with('-')).collect();
    world.write("bare.txt", bare.as_bytes());
    // File, certificates, keys, and what of the rest is said.
    let quoted: String = lines.lines().map(|line| format!("> {line}\n")).collect();
    world.write("mail.txt", quoted.as_bytes());
    world.write("one-line.pem", lines.replace('\n', " ").as_bytes());
    let key = String::from_utf8(world.read("a.key")).unwrap();
    world.write("one-line.key", key.replace('\n', " ").as_bytes());
    world.write("line-end.der", &[&world.read("a.der")[..], b"\r\n"].concat());
    world.write(
        "unknown.pem",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    for (file, certificates, keys, says) in [
        ("mail.txt", 1, 0, "PEM"),
        ("one-line.pem", 1, 0, "PEM"),
        ("one-line.key", 0, 1, "PEM"),
        ("line-end.der", 1, 0, "DER"),
        ("request.der", 0, 0, "a request for a certificate"),
        ("public.der", 0, 0, "a public key"),
        ("traditional.key", 0, 0, "a private key with a password"),
        ("trusted.pem", 1, 0, "PEM"),
        ("unknown.pem", 0, 0, "OPENSSH PRIVATE KEY"),
        ("a.pem", 1, 0, "PEM"),
        ("a.der", 1, 0, "DER"),
        ("windows.pem", 1, 0, "PEM"),
        ("bare.txt", 1, 0, "DER"),
        ("chain.pem", 2, 0, "PEM"),
        ("both.pem", 1, 1, "PEM"),
        ("a.key", 0, 1, "PEM"),
        ("a.pkcs8", 0, 1, "PEM"),
        ("a.pkcs8.der", 0, 1, "DER"),
        ("a.sec1.der", 0, 1, "DER"),
        ("chain.p7b", 2, 0, "PEM"),
        ("chain.p7c", 2, 0, "PKCS #7"),
        ("a.p12", 2, 1, "PKCS #12"),
        ("legacy.p12", 1, 1, "PKCS #12"),
        ("plain.p12", 1, 1, "PKCS #12"),
        ("no-key.p12", 1, 0, "PKCS #12"),
        ("no-certificate.p12", 0, 1, "PKCS #12"),
        ("encrypted.key", 0, 1, "PEM"),
        ("encrypted.der", 0, 1, "DER"),
        ("old-encrypted.key", 0, 1, "PEM"),
        ("utf16.pem", 1, 0, "PEM"),
        ("utf16-big.pem", 1, 0, "PEM"),
        ("a.csr", 0, 0, "a request for a certificate"),
    ] {
        let (_, found) = world.inspect(&[file, "--password-file", "password"]);
        let count = |what: &str| found[what].as_array().map_or(99, Vec::len);
        assert_eq!((count("certificates"), count("keys")), (certificates, keys), "{file}: {found}");
        assert!(found.to_string().contains(says), "{file}: {found}");
    }
    let (status, found) = world.inspect(&["empty.p12"]);
    assert_eq!((status, found["keys"].as_array().unwrap().len()), (0, 1), "{found}");
    // And the twins: what cannot be read says why, and what to do.
    world.write("wrong", b"another\n");
    world.write("nothing", b"");
    world.write("words", b"this is no key\n");
    world.write("words.txt", b"\xff\xfen\0o\0");
    world.write("a.zip", b"PK\x03\x04....");
    let pipe = Command::new("mkfifo").arg(world.path("pipe")).status().unwrap();
    assert!(pipe.success());
    world.write("torn.pem", &world.read("a.pem")[..300]);
    world.write("torn.der", &world.read("a.der")[..100]);
    world.write("torn.key", b"-----BEGIN PRIVATE KEY----- MIGHAgEAMBMGByqGSM49AgEG");
    world.write("store.jks", b"\xfe\xed\xfe\xed\0\0");
    world.write("damaged.pem", b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    for (words, says) in [
        (&["a.p12"][..], "its password is needed"),
        (&["a.p12", "--password-file", "wrong"], "is the password right?"),
        (&["a.p12", "--password-file", "missing"], "missing: No such file"),
        (&["nothing"], "it is empty"),
        (&["words"], "neither PEM nor DER"),
        (&["words.txt"], "text in UTF-16, and no PEM"),
        (&["a.zip"], "ZIP archive"),
        (&["pipe"], "a pipe to which nobody writes"),
        (&["."], "a folder, not a file"),
        (&["encrypted.key", "--password-file", "wrong"], "is the password right?"),
        (&["torn.pem"], "PEM"),
        (&["torn.der"], "PKCS #12"),
        (&["damaged.pem"], "damaged"),
        (&["torn.key"], "has no end"),
        (&["store.jks"], "keytool -importkeystore"),
        (&["a.p12", "--password-file", "/dev/zero"], "is the password right?"),
        (&["missing.pem"], "No such file"),
    ] {
        let (status, said) = world.inspect(words);
        assert_eq!(status, 2, "{words:?}: {said}");
        assert!(said.to_string().contains(says), "{words:?}: {said}");
    }
    // No part of a key is repeated, and one bad file hides no good one.
    let said = text(&world.certs(&["inspect", "torn.key"]));
    assert!(!said.contains("MIGHAgEA") && !said.contains("77, 73"), "{said}");
    let output = world.certs(&["inspect", "a.pem", "nothing", "ca.pem"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("portal_sig_ec") && said.contains("CA_INT_LOGIN"), "{said}");
}

#[test]
fn what_strangers_wrote_into_certificates_and_names_of_files_is_escaped() {
    let Some(world) = World::new() else { return };
    let name = "evil\u{1b}[2J\n  same      today: fine\u{202e}";
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("evil.pem", params.self_signed(&key).unwrap().pem().as_bytes());
    let file = "a\u{1b}[31m\nproblem: none\n.pem";
    fs::copy(world.0.path().join("evil.pem"), world.0.path().join(file)).unwrap();
    let raw: std::ffi::OsString =
        std::os::unix::ffi::OsStringExt::from_vec(b"\xff\xfe.pem".to_vec());
    fs::copy(world.0.path().join("evil.pem"), world.0.path().join(&raw)).unwrap();
    for words in [
        &["inspect", "evil.pem", file][..],
        &["inspect", "--json", "evil.pem", file],
        &["compare", "a.pem", "evil.pem"],
        &["compare", "--json", "evil.pem", "a.pem"],
        &["inspect", "missing\u{1b}[2J\n"],
        &["csr", "signing", "--issuer", "a\u{202e}b"],
        &["csr", "signing", "--issuer", "a", "--organisation", "b\u{1b}[2J"],
    ] {
        let said = text(&world.certs(words));
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{words:?}: {said:?}");
        assert!(!said.contains("\n  same      today: fine"), "{words:?}: {said}");
        assert!(!said.contains("\nproblem: none"), "{words:?}: {said}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.current_dir(world.0.path()).args(["certs", "inspect", "--json"]).arg(raw);
    let output = command.output().unwrap();
    assert!(output.status.success() && serde_json::from_slice::<Value>(&output.stdout).is_ok());
}

#[test]
fn what_is_inspected_is_put_together_and_no_private_key_is_printed() {
    let Some(world) = World::new() else { return };
    let (status, found) = world.inspect(&["a.pem", "a.key", "ca.pem"]);
    assert_eq!(status, 0, "{found}");
    let one = &found["certificates"][0];
    assert_eq!(one["subject"], "O=Urząd, CN=portal_sig_ec");
    assert_eq!((&one["key_file"], &one["file"]), (&"a.key".into(), &"a.pem".into()));
    assert_eq!((&one["signed_by_file"], &one["signature"]), (&"ca.pem".into(), &"verified".into()));
    assert_eq!(one["key"], "EC P-256");
    assert_eq!(found["keys"][0]["key_fingerprint"], one["key_fingerprint"]);
    assert_eq!(one["usages"], serde_json::json!(["digitalSignature"]));
    let left = one["days_left"].as_i64().unwrap();
    assert!((729..=730).contains(&left), "{left}");
    let openssl = Command::new("openssl")
        .current_dir(world.0.path())
        .args(["x509", "-in", "a.pem", "-noout", "-fingerprint", "-sha256"])
        .output()
        .unwrap();
    let fingerprint = text(&openssl).trim().rsplit('=').next().unwrap().replace(':', "");
    assert_eq!(one["fingerprint"].as_str().unwrap(), fingerprint.to_lowercase());
    // For people the same; and of the key its public half alone.
    let said = text(&world.certs(&["inspect", "a.pem", "a.key", "ca.pem"]));
    for part in ["EC P-256", " days left", "CN=CA_INT_LOGIN (ca.pem)", "of a certificate here"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let key = String::from_utf8(world.read("a.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    assert!(!said.contains(secret) && !found.to_string().contains(secret));
    // A key of something else, and a certificate that has ended.
    world.openssl(&["ecparam -name prime256v1 -genkey -noout -out other.key"]);
    let (status, found) = world.inspect(&["a.pem", "other.key"]);
    assert_eq!(status, 1);
    assert!(found["problems"][0].as_str().unwrap().contains("fits none"), "{found}");
    world.openssl(&["x509 -req -in a.csr -signkey a.key -out ended.pem -days -1"]);
    let (status, found) = world.inspect(&["ended.pem"]);
    assert_eq!(status, 1);
    assert!(found["problems"][0].as_str().unwrap().contains("ended on"), "{found}");
}

#[test]
fn a_configuration_says_what_it_uses_a_certificate_for() {
    let kit = kit(GOOD);
    let inspect = |file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.current_dir(kit.path()).args(["certs", "inspect", "--json", file]);
        let output = command.args(["--config", "brama.toml"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let used = |found: &Value| {
        let used = found["certificates"][0]["used_by"].as_array().unwrap().clone();
        used.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let signing = inspect("service-sig.crt.pem");
    let expected = ["service.signing_certificate", "service.signing_key (its private key)"];
    assert_eq!(used(&signing), expected);
    // The same certificate by another name; and one that nobody uses.
    let copy = Path::new("copy.pem");
    fs::copy(kit.path().join("service-sig.crt.pem"), kit.path().join(copy)).unwrap();
    assert_eq!(used(&inspect("copy.pem")), expected);
    assert_eq!(used(&inspect("node-tls.crt.pem")), [""; 0]);
    let key = inspect("service-sig.key.pem");
    assert_eq!(key["keys"][0]["used_by"], serde_json::json!(["service.signing_key"]));
    // One that is in PKCS #12, whose password stands beside it; and one that cannot be opened.
    let mut openssl = Command::new("openssl");
    openssl.current_dir(kit.path()).args(["pkcs12", "-export", "-in", "service-sig.crt.pem"]);
    openssl.args(["-inkey", "service-sig.key.pem", "-out", "sig.p12", "-passout", "pass:tajne"]);
    assert!(openssl.status().unwrap().success());
    fs::write(kit.path().join("password"), "tajne\n").unwrap();
    let p12 = GOOD
        .replace("signing_certificate = \"service-sig.crt.pem\"", "signing_p12 = \"sig.p12\"")
        .replace(
            "signing_key = \"service-sig.key.pem\"",
            "signing_p12_password_file = \"password\"",
        );
    assert_ne!(p12, GOOD);
    fs::write(kit.path().join("brama.toml"), p12).unwrap();
    assert_eq!(used(&inspect("copy.pem")), ["service.signing_p12"]);
    fs::write(kit.path().join("password"), "another\n").unwrap();
    let found = inspect("copy.pem");
    let problem = found["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("service.signing_p12: "), "{problem}");
}

#[test]
fn a_bought_certificate_is_compared_with_the_one_that_was_admitted() {
    let Some(world) = World::new() else { return };
    world.openssl(&["ecparam -name prime256v1 -genkey -noout -out b.key"]);
    world.issue("b", "b.key", "/O=Urząd/CN=portal_sig_ec", "digitalSignature", 730);
    let compare = |new: &str| {
        let output = world.certs(&["compare", "--json", "a.pem", new]);
        let told: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let rows = told["differences"].as_array().unwrap().clone();
        let with = |verdict: &str| {
            let rows = rows.iter().filter(|row| row["verdict"] == verdict);
            rows.map(|row| row["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        (output.status.code().unwrap(), with("differs"), with("look"))
    };
    let none = || Vec::<String>::new();
    assert_eq!(compare("b.pem"), (0, none(), none()));
    world.openssl(&["ecparam -name secp384r1 -genkey -noout -out p384.key"]);
    world.openssl(&["genrsa -out rsa.key 2048"]);
    let subject = "/O=Urząd/CN=portal_sig_ec";
    for (name, key, subject, usage, days, differs, look) in [
        ("p384", "p384.key", subject, "digitalSignature", 730, &["key"][..], &[][..]),
        ("rsa", "rsa.key", subject, "digitalSignature", 730, &["key"], &[]),
        ("usage", "b.key", subject, "keyAgreement", 730, &["key usage"], &[]),
        (
            "cn",
            "b.key",
            "/O=Urząd/CN=portal",
            "digitalSignature",
            730,
            &["common name"],
            &["subject"],
        ),
        ("life", "b.key", subject, "digitalSignature", 365, &[], &["life"]),
        ("soon", "b.key", subject, "digitalSignature", 10, &[], &["life", "today"]),
        ("o", "b.key", "/O=Inny/CN=portal_sig_ec", "digitalSignature", 730, &[], &["subject"]),
    ] {
        world.issue(name, key, subject, usage, days);
        let (status, found, seen) = compare(&format!("{name}.pem"));
        assert_eq!(
            (found, seen),
            (
                differs.iter().map(|s| (*s).to_owned()).collect(),
                look.iter().map(|s| (*s).to_owned()).collect()
            ),
            "{name}"
        );
        assert_eq!(status, i32::from(!differs.is_empty()), "{name}");
    }
    // What is not the same is not taken for it because it is long, or no text.
    let long = "x".repeat(250);
    world.issue(
        "long-a",
        "b.key",
        &format!("/O=Urząd/L={}a/CN=p", &long[..100]),
        "digitalSignature",
        730,
    );
    world.issue(
        "long-b",
        "b.key",
        &format!("/O=Urząd/L={}b/CN=p", &long[..100]),
        "digitalSignature",
        730,
    );
    let told = world.certs(&["compare", "--json", "long-a.pem", "long-b.pem"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let subject =
        told["differences"].as_array().unwrap().iter().find(|row| row["what"] == "subject");
    assert_eq!(subject.unwrap()["verdict"], "look");
    // The same twice in one file is one.
    world.write("twice.pem", &[world.read("b.pem"), world.read("b.pem")].concat());
    assert_eq!(compare("twice.pem"), (0, none(), none()));
    // A chain that is missing, in words for people.
    world.write("with-chain.pem", &[world.read("a.pem"), world.read("ca.pem")].concat());
    let said = text(&world.certs(&["compare", "with-chain.pem", "b.pem"]));
    assert!(said.contains("look      chain: one authority beside it -> no authority"), "{said}");
    assert!(said.contains("technically identical"), "{said}");
    let output = world.certs(&["compare", "a.pem", "a.key"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("there is no certificate in it"), "{}", text(&output));
}

#[test]
fn a_request_is_in_the_profile_of_the_node_and_its_key_for_the_owner_alone() {
    let Some(world) = World::new() else { return };
    let made = world.certs(&[
        "csr",
        "encryption",
        "--issuer",
        "portal",
        "--organisation",
        "Urząd Miasta",
        "--locality",
        "Łódź",
        "--out",
        "keys",
    ]);
    assert!(made.status.success(), "{}", text(&made));
    let key = world.0.path().join("keys/portal_enc_ec.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&key).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let shown = Command::new("openssl")
        .current_dir(world.0.path())
        .args(["req", "-in", "keys/portal_enc_ec.csr", "-noout", "-text", "-verify"])
        .args(["-nameopt", "utf8,sep_comma_plus"])
        .output()
        .unwrap();
    let shown = text(&shown);
    for part in [
        "C=PL,L=Łódź,O=Urząd Miasta,CN=portal_enc_ec",
        "NIST CURVE: P-256",
        "Key Agreement",
        "verify OK",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // What is issued for it is recognised.
    world.issue("issued", "keys/portal_enc_ec.key", "/CN=portal_enc_ec", "keyAgreement", 30);
    let (status, found) = world.inspect(&["issued.pem", "keys/portal_enc_ec.key"]);
    let fits = &found["certificates"][0]["key_file"];
    assert_eq!((status, fits), (0, &"keys/portal_enc_ec.key".into()), "{found}");
    // A key that is there stays, and may be used again.
    let before = fs::read(&key).unwrap();
    let again = world.certs(&["csr", "encryption", "--issuer", "portal", "--out", "keys"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again).contains("is there already, and stays"), "{}", text(&again));
    assert_eq!(fs::read(&key).unwrap(), before);
    // Others who can look into the folder of a key are told of; in one of our own there are none.
    assert!(!text(&made).contains("can read"), "{}", text(&made));
    let open = world.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let said = world.certs(&["csr", "signing", "--issuer", "portal", "--out", "open"]);
    assert!(said.status.success());
    assert!(
        text(&said).contains("open has mode 0755: everybody on this machine can read it"),
        "{said:?}"
    );
    // An issuer that is an address is a name of files, too; and a request that is there stays.
    let url = ["csr", "signing", "--issuer", "https://sp.example.pl/a", "--out", "url"];
    assert!(world.certs(&url).status.success());
    assert!(world.0.path().join("url/https___sp.example.pl_a_sig_ec.csr").exists());
    world.write("taken_sig_ec.csr", b"sent already");
    let taken = world.certs(&["csr", "signing", "--issuer", "taken"]);
    assert_eq!(taken.status.code(), Some(2));
    assert_eq!(world.read("taken_sig_ec.csr"), b"sent already");
    assert!(!world.0.path().join("taken_sig_ec.key").exists());
    let words = ["csr", "encryption", "--issuer", "portal", "--out", "again", "--key"];
    let again = world.certs(&[&words[..], &["keys/portal_enc_ec.key"]].concat());
    assert!(again.status.success() && !world.0.path().join("again/portal_enc_ec.key").exists());
    for (words, says) in [
        (&["csr", "signing", "--issuer", ""][..], "is empty"),
        (&["csr", "signing", "--issuer", " a"], "with a space"),
        (&["csr", "signing", "--issuer", "a_sig_ec"], "without _sig_ec"),
        (&["csr", "signing", "--issuer", "a", "--organisation", ""], "is empty"),
        (&["csr", "tls", "--issuer", "a b"], "no name of a host"),
        (&["csr", "tls", "--issuer", ".."], "no name of a host"),
        (&["csr", "tls", "--issuer", "a.example:443"], "no name of a host"),
        (&["csr", "signing", "--issuer", "a", "--key", "ca.key"], "P-256 alone"),
        (&["csr", "signing", "--issuer", &"a".repeat(60)], "64 letters"),
        (&["csr", "signing", "--issuer", "a", "--country", "Polska"], "--country"),
        (&["csr", "signing", "--issuer", "a", "--key", "a.csr"], "a request for a certificate"),
    ] {
        let refused = world.certs(words);
        assert!(!refused.status.success() && text(&refused).contains(says), "{words:?}");
    }
}
