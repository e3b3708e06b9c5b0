//! `brama onboarding` and `brama certs renew`: from an empty folder to a configuration that is usable,
//! with certificates that others than us have made.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use serde_json::Value;

use crate::certs::World;
use crate::commands::{GOOD, Running, folder as kit};

const INIT: [&str; 9] = [
    "init",
    "way",
    "--issuer",
    "portal",
    "--name",
    "Portal Urzędu",
    "--public-url",
    "https://portal.example.gov.pl",
    "--organisation=Urząd Miasta",
];

/// Runs the program in the folder of a world.
fn brama(world: &World, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    told(&command.current_dir(world.path(".")).args(words).output().unwrap())
}

fn told(output: &Output) -> (i32, String) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

fn onboarding(world: &World, words: &[&str]) -> (i32, String) {
    brama(world, &[&["onboarding"], words].concat())
}

/// Runs a command within the folder that was made.
fn way(world: &World, words: &[&str]) -> (i32, String) {
    onboarding(world, &[words, &["--dir", "way"]].concat())
}

/// Makes the folder and has an authority and the node make theirs: `sig.pem`, `enc.pem` of our
/// requests for the symulator, `node.pem`.
fn begun(more: &[&str]) -> Option<World> {
    let world = World::new()?;
    let (status, said) = onboarding(&world, &[&INIT, more].concat());
    assert_eq!(status, 0, "{said}");
    for (name, usage) in [("sig", "digitalSignature"), ("enc", "keyAgreement")] {
        sign(&world, &format!("way/symulator/keys/portal_{name}_ec.csr"), name, usage);
    }
    world.openssl(&["ecparam -name prime256v1 -genkey -noout -out node.key"]);
    world.issue("node", "node.key", "/O=COI/OU=SUA/CN=WK_SIG_EC", "digitalSignature", 700);
    Some(world)
}

/// Has the authority sign a request.
fn sign(world: &World, request: &str, name: &str, usage: &str) {
    let extensions = format!("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,{usage}\n");
    world.write("ext", extensions.as_bytes());
    world.openssl(&[&format!(
        "x509 -req -in {request} -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 730 \
         -extfile ext"
    )]);
}

/// All files of a folder, with what is in them and their modes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            found.insert(path.clone(), (fs::read(&path).unwrap(), mode & 0o777));
        }
    }
    found
}

#[test]
fn from_an_empty_folder_to_a_configuration_that_is_usable() {
    let Some(world) = begun(&[]) else { return };
    // 1. What was made: keys for the owner alone, requests in the profile.
    let keys = world.path("way/symulator/keys");
    for (path, (_, mode)) in tree(&world.path("way")) {
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    let request = Command::new("openssl")
        .current_dir(&keys)
        .args(["req", "-in", "portal_enc_ec.csr", "-noout", "-text", "-verify", "-nameopt", "utf8"])
        .output()
        .unwrap();
    let (_, request) = told(&request);
    for part in ["Urząd Miasta", "portal_enc_ec", "Key Agreement", "NIST CURVE: P-256"] {
        assert!(request.contains(part), "{part}: {request}");
    }
    // 2. Not usable before the certificates are there, and status says what is missing.
    let (status, said) = brama(&world, &["check", "--config", "way/symulator/brama.toml"]);
    assert_eq!(status, 1, "{said}");
    let (status, said) =
        way(&world, &["status", "--done", "1", "--done", "2", "--on", "2026-11-02"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("missing: the certificate of our signatures (_sig_ec)"), "{said}");
    let (_, said) = way(&world, &["status", "--lang", "pl"]);
    assert!(said.contains("[contacts.technical]: name, email albo telephone"), "{said}");
    // 3. One command for what the operator handed over.
    let (status, said) = way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("the configuration is usable"), "{said}");
    let (status, said) = brama(&world, &["check", "--config", "way/symulator/brama.toml"]);
    assert_eq!(status, 0, "{said}");
    // 4. A second time nothing changes.
    let before = tree(&world.path("way"));
    let (status, said) = way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]);
    assert_eq!((status, said.matches("in place already").count()), (0, 3), "{said}");
    assert_eq!(tree(&world.path("way")), before);
    // 5. The sheet has what the certificates say, in Polish, as a page too.
    let (status, sheet) = way(&world, &["sheet", "symulator"]);
    assert_eq!(status, 0);
    let fingerprint = Command::new("openssl")
        .current_dir(world.path("."))
        .args(["x509", "-in", "sig.pem", "-noout", "-fingerprint", "-sha256"])
        .output()
        .unwrap();
    let (_, fingerprint) = told(&fingerprint);
    let fingerprint = fingerprint.trim().rsplit('=').next().unwrap();
    let pem = String::from_utf8(world.read("sig.pem")).unwrap();
    let line = pem.lines().nth(1).unwrap();
    for part in [fingerprint, line, "Karta danych", "`https://portal.example.gov.pl/.brama/acs`"] {
        assert!(sheet.contains(part), "{part}: {sheet}");
    }
    assert!(
        !sheet.contains("PRIVATE KEY")
            && sheet.contains("brama: na karcie brakuje: Kontakty: kontakt techniczny"),
        "{sheet}"
    );
    let record = fs::read_to_string(world.path("way/onboarding.toml")).unwrap();
    let named = "[contacts.security]\nname = \"Dyżur\"\nemail = \"soc@example.gov.pl\"\n\n";
    let head = record.find("[contacts.security]").unwrap();
    let tail = record.find("[contacts.operator]").unwrap();
    let record = format!("{}{named}{}", &record[..head], &record[tail..]);
    world.write("way/onboarding.toml", record.as_bytes());
    let (_, sheet) = way(&world, &["sheet", "symulator"]);
    assert!(sheet.contains("| kontakt do spraw bezpieczeństwa | Dyżur, soc@"), "{sheet}");
    let (_, page) = way(&world, &["sheet", "symulator", "--html", "--lang", "en"]);
    assert!(
        page.contains("<!DOCTYPE html><html lang=\"en\">") && page.contains(fingerprint),
        "{page}"
    );
    // 6. It is seen, and the step is ours to record.
    let (status, said) = way(&world, &["status"]);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("all is in place; record it: brama onboarding status --done 4"),
        "{said}"
    );
}

#[test]
fn what_is_there_is_not_overwritten_and_what_is_wrong_makes_nothing() {
    let Some(world) = begun(&[]) else { return };
    let before = tree(&world.path("way"));
    for (words, status, says) in [
        (&INIT[..], 2, "is there already, and stays"),
        (&[&INIT, &["--key-password-file", "new"][..]].concat(), 2, "is there already"),
    ] {
        let (found, said) = onboarding(&world, words);
        assert_eq!(found, status, "{said}");
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(tree(&world.path("way")), before);
    assert!(!world.path("new").exists());
    for (option, value, says) in [
        ("--issuer", "portal_sig_ec", "without _sig_ec"),
        ("--issuer", "", "is empty"),
        ("--public-url", "https://portal.example/app", "more than scheme, host and port"),
        ("--public-url", "portal.example", "is no address"),
        ("--upstream", "ftp://127.0.0.1", "no address of http or https"),
        ("--issuer-at", "test=a", "symulator, integration and production"),
        ("--country", "Polska", "two capital letters"),
        ("--key-password-file", "ext/none", "Not a directory"),
        ("--key-password-file", "missing/dir/file", "is no folder that is there"),
    ] {
        let mut words: Vec<&str> = INIT.to_vec();
        words[1] = "other";
        match words.iter().position(|word| *word == option) {
            Some(number) => words[number + 1] = value,
            None => words.extend([option, value]),
        }
        let (status, said) = onboarding(&world, &words);
        assert!(status != 0 && said.contains(says), "{option} {value}: {said}");
        let left = fs::read_dir(world.path(".")).unwrap();
        let left = left.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(left, 1, "{option} {value}: something was left behind");
    }
    // Where the folder cannot be made, no password is left behind.
    let words = [&INIT[..], &["--key-password-file", "secret"]].concat();
    let words: Vec<&str> =
        words.into_iter().map(|word| if word == "way" { "ca.pem/way" } else { word }).collect();
    assert_eq!(onboarding(&world, &words).0, 1);
    assert!(!world.path("secret").exists());
    // An empty folder may be filled, a file may not.
    fs::create_dir(world.path("empty")).unwrap();
    let mut words = INIT.to_vec();
    words[1] = "empty";
    assert_eq!(onboarding(&world, &words).0, 0);
    words[1] = "ca.pem";
    assert_eq!(onboarding(&world, &words).0, 2);
    // Without a record there is nothing to work with.
    let (status, said) = onboarding(&world, &["status"]);
    assert!(status == 1 && said.contains("--dir"), "{said}");
}

/// Makes what operators and authorities hand over, right and wrong. The pair `osig` and `oenc` are
/// those for which the operator made the keys, too.
fn hand_over(world: &World) {
    for (name, usage) in [("osig", "digitalSignature"), ("oenc", "keyAgreement")] {
        world.openssl(&[&format!("ecparam -name prime256v1 -genkey -noout -out {name}.key")]);
        let subject = format!("/O=Urząd/CN=portal_{}_ec", &name[1..]);
        world.issue(name, &format!("{name}.key"), &subject, usage, 700);
    }
    world.openssl(&["ecparam -name secp384r1 -genkey -noout -out p384.key"]);
    world.openssl(&["genrsa -out rsa.key 2048"]);
    for (name, key, subject, usage) in [
        ("p384", "p384.key", "/CN=portal_sig_ec", "digitalSignature"),
        ("rsa", "rsa.key", "/CN=portal_sig_ec", "digitalSignature"),
        ("usage", "osig.key", "/CN=portal_sig_ec", "keyAgreement"),
        ("twice", "osig.key", "/CN=portal_sig_ec", "digitalSignature"),
        ("foreign", "osig.key", "/CN=another_sig_ec", "digitalSignature"),
        ("named", "osig.key", "/CN=Urząd Miasta", "digitalSignature"),
        ("stranger", "rsa.key", "/CN=somebody", "digitalSignature"),
    ] {
        world.issue(name, key, subject, usage, 700);
    }
    world
        .openssl(&["req -x509 -key rsa.key -days 700 -out own-rsa.pem -subj", "/CN=portal_sig_ec"]);
    world.openssl(&["x509 -req -in osig.csr -signkey osig.key -out ended.pem -days -1"]);
    for command in [
        "pkcs12 -export -legacy -in osig.pem -inkey osig.key -out legacy.p12 -passout pass:tajne",
        "pkcs12 -export -in osig.pem -inkey osig.key -out empty.p12 -passout pass:",
        "pkcs12 -export -in osig.pem -inkey osig.key -certfile ca.pem -out chain.p12 -passout pass:tajne",
        "pkcs12 -export -keypbe NONE -certpbe NONE -in osig.pem -inkey osig.key -out plain.p12 -passout pass:tajne",
        "pkcs12 -export -in oenc.pem -inkey oenc.key -out oenc.p12 -passout pass:inne",
        "pkcs12 -export -in ended.pem -inkey osig.key -out ended.p12 -passout pass:tajne",
        "pkcs12 -export -in rsa.pem -inkey rsa.key -out rsa.p12 -passout pass:tajne",
        "pkcs12 -export -in p384.pem -inkey p384.key -out p384.p12 -passout pass:tajne",
        "x509 -in sig.pem -outform DER -out sig.cer",
        "crl2pkcs7 -nocrl -certfile sig.pem -certfile ca.pem -outform DER -out sig.p7b",
        "crl2pkcs7 -nocrl -certfile enc.pem -certfile ca.pem -out enc.p7b.pem",
        "pkcs8 -topk8 -in osig.key -out osig.encrypted.key -passout pass:tajne",
        "ec -in osig.key -aes128 -out osig.traditional.key -passout pass:tajne",
    ] {
        world.openssl(&[command]);
    }
    world.write("tajne", b"tajne\r\n");
    world.write("inne", b"inne\n");
    world.write("wrong", b"nie to\n");
    let pem = String::from_utf8(world.read("sig.pem")).unwrap();
    let crlf = pem.replace('\n', "\r\n");
    world.write("bom.pem", &[b"\xef\xbb\xbf", crlf.as_bytes()].concat());
    let units: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    world.write("utf16.pem", &[b"\xff\xfe", &units[..]].concat());
    let quoted: String = pem.lines().map(|line| format!("> {line}\n")).collect();
    world.write("mail.txt", format!("Dzień dobry,\n{quoted}\nz poważaniem\n").as_bytes());
    world.write("bag.pem", format!("Bag Attributes\n  localKeyID: 01\n{pem}").as_bytes());
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    world.write("bare.txt", bare.as_bytes());
    world.write("torn.pem", &pem.as_bytes()[..400]);
    world.write("nothing.pem", b"");
    world.write("store.jks", b"\xfe\xed\xfe\xed\0\0\0\x02");
    world.write("mail.zip", b"PK\x03\x04\x14\0");
    let large = fs::File::create(world.path("large.p12")).unwrap();
    large.set_len(100 * 1024 * 1024).unwrap();
    assert!(Command::new("mkfifo").arg(world.path("pipe.p12")).status().unwrap().success());
    symlink("chain.p12", world.path("link.p12")).unwrap();
    symlink("nowhere", world.path("broken.p12")).unwrap();
    fs::create_dir(world.path("all")).unwrap();
    for name in ["chain.p12", "node.pem"] {
        fs::copy(world.path(name), world.path("all").join(name)).unwrap();
    }
    world.write("all/letter.txt", "Szanowni Państwo".as_bytes());
    two_keys(world);
}

/// Both keys in one file, which openssl does not write.
fn two_keys(world: &World) {
    let mut store = KeyStore::new();
    for (number, name) in [(1, "osig"), (2, "oenc")] {
        let der = |command: &str, ending: &str| {
            world.openssl(&[&format!("{command} -outform DER -out {name}.{ending}")]);
            world.read(&format!("{name}.{ending}"))
        };
        let key = der(&format!("pkcs8 -topk8 -nocrypt -in {name}.key"), "p8");
        let certificate = der(&format!("x509 -in {name}.pem"), "cer");
        let certificate = Certificate::from_der(&certificate).unwrap();
        let key = PrivateKey::from_der(&key).unwrap();
        let chain = PrivateKeyChain::new(vec![number], key, [certificate]);
        store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    }
    world.write("two.p12", &store.writer("tajne").write().unwrap());
}

#[test]
fn awkward_forms_are_put_in_place() {
    let Some(world) = begun(&[]) else { return };
    hand_over(&world);
    world
        .openssl(&["x509 -req -in way/symulator/keys/portal_enc_ec.csr -CA ca.pem -CAkey ca.key \
        -CAcreateserial -out plain-usage.pem -days 700"]);
    let clean = world.path("clean");
    let copy = |from: &Path, to: &Path| {
        let _ = fs::remove_dir_all(to);
        assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    };
    copy(&world.path("way"), &clean);
    let (own, theirs) =
        ("signing_key = \"keys/portal_sig_ec.key\"", "signing_key = \"keys/portal_sig_ec-2.key\"");
    // Files and passwords, what is said, and what the configuration names then.
    for (words, says, line) in [
        (&["legacy.p12", "--password-file", "tajne"][..], "legacy.p12: for our signatures", theirs),
        (&["empty.p12"], "empty.p12: for our signatures", theirs),
        (&["empty.p12", "--password-file", "wrong"], "for our signatures", theirs),
        (&["plain.p12", "--password-file", "tajne"], "for our signatures", theirs),
        (&["chain.p12", "--password-file", "tajne"], "portal_sig_ec.key and its request", theirs),
        (
            &["node.pem", "ca.pem"],
            "CN=CA_INT_LOGIN is an authority",
            "certificates = [\"keys/node-signing.pem\"]",
        ),
        (
            &["plain-usage.pem"],
            "does not say what it is for",
            "decryption_keys = [\"keys/portal_enc_ec.key\"]",
        ),
        (&["link.p12", "--password-file", "tajne"], "link.p12: for our signatures", theirs),
        (
            &["chain.p12", "oenc.p12", "--password-file", "inne", "--password-file", "tajne"],
            "oenc.p12: for what the node encrypts to us",
            "decryption_keys = [\"keys/portal_enc_ec-2.key\"]",
        ),
        (
            &["two.p12", "--password-file", "tajne"],
            "two.p12: for what the node encrypts to us",
            "decryption_keys = [\"keys/portal_enc_ec-2.key\"]",
        ),
        (
            &["osig.pem", "osig.encrypted.key", "--password-file", "tajne"],
            "for our signatures",
            theirs,
        ),
        (&["osig.pem", "osig.key"], "for our signatures", theirs),
        (&["sig.cer"], "sig.cer: for our signatures", own),
        (&["bom.pem"], "for our signatures", own),
        (&["utf16.pem"], "for our signatures", own),
        (&["mail.txt"], "for our signatures", own),
        (&["bag.pem"], "for our signatures", own),
        (&["bare.txt"], "for our signatures", own),
        (&["sig.p7b"], "for our signatures", own),
        (
            &["enc.p7b.pem"],
            "for what the node encrypts to us",
            "decryption_keys = [\"keys/portal_enc_ec.key\"]",
        ),
        (&["node.pem"], "for the node's signatures", "certificates = [\"keys/node-signing.pem\"]"),
        (
            &["node.pem", "--node-ca", "ca.pem"],
            "the authority of the node's TLS",
            "extra_ca_file = \"keys/node-ca.pem\"",
        ),
        (&["--node", "stranger.pem"], "for the node's signatures", "keys/node-signing.pem"),
        (&["--signing", "named.pem", "osig.key"], "for our signatures", theirs),
        (&["all", "--password-file", "tajne"], "passed over: all/letter.txt", theirs),
        (
            &["ended.p12", "osig.pem", "--password-file", "tajne"],
            "passed over, it ended on",
            theirs,
        ),
    ] {
        copy(&clean, &world.path("way"));
        let (status, said) = way(&world, &[&["import", "symulator"], words].concat());
        assert!(status == 0 || status == 1, "{words:?}: {said}");
        assert!(said.contains(says), "{words:?}: {said}");
        let is_of_us = words[0] != "node.pem";
        assert!(!(is_of_us && said.contains("is an authority")), "{words:?}: {said}");
        let text = fs::read_to_string(world.path("way/symulator/brama.toml")).unwrap();
        assert!(text.contains(line), "{words:?}: {text}");
        assert!(text.contains("# Your name at the node"), "{words:?}: comments stay");
        // No file was touched, and the new ones are for their owner alone.
        let (before, after) = (tree(&clean), tree(&world.path("way")));
        for (path, (bytes, mode)) in after {
            let old = clean.join(path.strip_prefix(world.path("way")).unwrap());
            let is_same = before.get(&old).is_some_and(|(old, _)| *old == bytes);
            let is_new =
                !before.contains_key(&old) && path.starts_with(world.path("way/symulator/keys"));
            assert!(
                is_same || is_new || path.ends_with("symulator/brama.toml"),
                "{words:?}: {}",
                path.display()
            );
            assert_eq!(mode, 0o600, "{words:?}: {}", path.display());
        }
    }
    // What a certificate does not say is not missing in the sheet.
    copy(&clean, &world.path("way"));
    assert!(way(&world, &["import", "symulator", "plain-usage.pem"]).0 <= 1);
    let (_, said) = way(&world, &["sheet", "symulator"]);
    assert!(said.contains("| użycie klucza | brak |"), "{said}");
    // All of it together is usable.
    copy(&clean, &world.path("way"));
    let all = ["import", "symulator", "two.p12", "node.pem", "--password-file", "tajne"];
    let (status, said) = way(&world, &all);
    assert_eq!(status, 0, "{said}");
    let (status, said) = brama(&world, &["check", "--config", "way/symulator/brama.toml"]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn what_cannot_be_taken_says_why_and_nothing_is_written() {
    let Some(world) = begun(&[]) else { return };
    hand_over(&world);
    let before = tree(&world.path("way"));
    for (words, status, says) in [
        (&["chain.p12"][..], 2, "its password is needed"),
        (&["chain.p12", "--password-file", "wrong"], 2, "is the password right?"),
        (&["chain.p12", "--password-file", "missing"], 2, "missing: No such file"),
        (&["osig.pem", "osig.encrypted.key"], 1, "give the password with --password-file"),
        (
            &["osig.pem", "osig.encrypted.key", "--password-file", "wrong"],
            2,
            "is the password right?",
        ),
        (
            &["osig.pem", "osig.traditional.key", "--password-file", "tajne"],
            1,
            "openssl pkcs8 -topk8",
        ),
        (&["pipe.p12"], 2, "a pipe to which nobody writes"),
        (&["large.p12"], 2, "more than 4 MiB"),
        (&["broken.p12"], 2, "No such file"),
        (&["/proc/self/mem"], 2, "rror"),
        (&["store.jks"], 2, "keytool -importkeystore"),
        (&["mail.zip"], 2, "ZIP archive"),
        (&["nothing.pem"], 2, "it is empty"),
        (&["torn.pem"], 2, "has no end"),
        (&["osig.pem"], 1, "is nowhere"),
        (&["osig.pem", "oenc.key"], 1, "fits no certificate"),
        (&["osig.key"], 1, "fits no certificate"),
        (&["ended.p12", "--password-file", "tajne"], 1, "ended on"),
        (&["rsa.p12", "--password-file", "tajne"], 1, "a key of RSA 2048"),
        (&["own-rsa.pem", "rsa.key"], 1, "a key of RSA 2048"),
        (&["p384.p12", "--password-file", "tajne"], 1, "a key of EC P-384"),
        (&["usage.pem", "osig.key"], 1, "is for keyAgreement"),
        (&["foreign.pem", "osig.key"], 1, "is of the service \"another\""),
        (&["named.pem", "osig.key"], 1, "is called neither portal_sig_ec nor portal_enc_ec"),
        (&["stranger.pem"], 1, "whose is CN=somebody"),
        (&["osig.pem", "twice.pem", "osig.key"], 1, "two certificates for our signatures"),
        (&["ca.pem"], 1, "nothing in it that has a place"),
        (&["--node", "ca.pem"], 1, "is an authority, which signs certificates"),
        (&["a.csr"], 1, "a request for a certificate, which is not needed"),
        (&[], 1, "no file is given"),
        // One that is good does not go without the others.
        (&["sig.pem", "enc.pem", "foreign.pem"], 1, "is of the service \"another\""),
        (&["sig.pem", "torn.pem"], 2, "has no end"),
    ] {
        let begun = Instant::now();
        let (found, said) = way(&world, &[&["import", "symulator"], words].concat());
        assert_eq!(found, status, "{words:?}: {said}");
        assert!(said.contains(says) && said.contains("nothing was written"), "{words:?}: {said}");
        assert_eq!(tree(&world.path("way")), before, "{words:?}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{words:?}");
        let key = String::from_utf8(world.read("osig.key")).unwrap();
        assert!(!said.contains(key.lines().nth(1).unwrap()), "{words:?}");
    }
    // That of another environment has its key there.
    let (status, said) = way(&world, &["import", "integration", "sig.pem"]);
    assert!(status == 1 && said.contains("is it of another environment?"), "{said}");
    // What would be done is said, and not done.
    let (status, said) = way(&world, &["import", "symulator", "sig.pem", "--dry-run"]);
    assert!(status == 0 && said.contains("for our signatures"), "{said}");
    assert_eq!(tree(&world.path("way")), before);
    // What is in place is followed only when that is asked for.
    assert!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0 == 0);
    let before = tree(&world.path("way"));
    let two = ["import", "symulator", "two.p12", "--password-file", "tajne"];
    let (status, said) = way(&world, &two);
    assert!(status == 1 && said.matches("another one is in place").count() == 2, "{said}");
    assert_eq!(tree(&world.path("way")), before);
    let (status, said) = way(&world, &[&two[..], &["--replace"]].concat());
    assert_eq!(status, 0, "{said}");
    let text = fs::read_to_string(world.path("way/symulator/brama.toml")).unwrap();
    assert!(
        text.contains(
            "decryption_keys = [\"keys/portal_enc_ec-2.key\", \"keys/portal_enc_ec.key\"]"
        ),
        "{text}"
    );
}

#[test]
fn keys_that_are_encrypted_are_so_from_the_first_file_to_the_last() {
    let Some(world) = begun(&["--key-password-file", "secret"]) else { return };
    let password = fs::read_to_string(world.path("secret")).unwrap();
    assert_eq!(password.trim_end().len(), 43);
    let (status, said) = way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]);
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains(password.trim_end()));
    for (path, (bytes, mode)) in tree(&world.path("way")) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("BEGIN PRIVATE KEY"), "{}", path.display());
        assert!(!text.contains(password.trim_end()) && mode == 0o600, "{}", path.display());
    }
    // Others open it by that password, and by no other one.
    let open = |file: &str| {
        let mut command = Command::new("openssl");
        command.current_dir(world.path("way/symulator/keys"));
        command.args(["pkcs12", "-in", "portal_sig_ec.p12", "-nodes", "-passin"]);
        told(&command.arg(format!("file:../../../{file}")).output().unwrap())
    };
    let (status, said) = open("secret");
    assert!(status == 0 && said.contains("BEGIN PRIVATE KEY"), "{said}");
    assert_ne!(open("ext").0, 0);
    // Without the password nothing works, and it is said which file is meant.
    world.write("secret", b"another\n");
    let (status, said) = way(&world, &["import", "symulator", "sig.pem"]);
    assert!(status != 0 && said.contains("nothing was written"), "{said}");
}

#[test]
fn the_record_says_where_we_are_and_files_contradict_it() {
    let Some(world) = begun(&[]) else { return };
    let status = |words: &[&str]| {
        let (status, said) = way(&world, &[&["status", "--json"], words].concat());
        let json: Value = serde_json::from_str(&said).unwrap_or(Value::String(said));
        (status, json)
    };
    let (_, json) = status(&["--done", "1", "--on", "2026-11-02"]);
    let step = |json: &Value, number: usize| json["steps"][number - 1].clone();
    assert_eq!(
        (&step(&json, 1)["state"], &step(&json, 1)["done_on"]),
        (&"done".into(), &"2026-11-02".into())
    );
    // Two go on at the same time: the operator verifies, we name a contact.
    assert_eq!(
        (&step(&json, 2)["turn"], &step(&json, 3)["turn"]),
        (&"operator".into(), &"us".into())
    );
    assert_eq!(step(&json, 2)["window"]["until"], "2026-11-23");
    assert_eq!(step(&json, 4)["state"], "later");
    // The windows are those of the record.
    let record = world.path("way/onboarding.toml");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("verification_days = 21", "verification_days = 10000"))
        .unwrap();
    let (_, json) = status(&[]);
    assert_eq!(
        (&step(&json, 2)["window"]["days"], &step(&json, 2)["window"]["is_over"]),
        (&10000.into(), &false.into())
    );
    // What is recorded and cannot be so is said, and is no success.
    let (found, json) = status(&["--done", "2", "--done", "4", "--on", "2026-11-20"]);
    assert_eq!(found, 1);
    assert!(
        step(&json, 4)["contradictions"].to_string().contains("certificate of our signatures"),
        "{json}"
    );
    assert_eq!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0, 0);
    let (found, json) = status(&[]);
    assert_eq!(found, 0, "{json}");
    let (_, json) = status(&["--undo", "4"]);
    assert_eq!(step(&json, 4)["state"], "due");
    // Not before its turn, not in the future, and no step that there is none of.
    let (found, json) = status(&["--done", "9"]);
    assert!(
        found == 1 && step(&json, 9)["contradictions"].to_string().contains("step 8"),
        "{json}"
    );
    assert_eq!(status(&["--done", "3", "--on", "2999-01-01"]).0, 1);
    assert_eq!(status(&["--done", "17"]).0, 2);
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("2 = 2026-11-20") && !text.contains("2999"), "{text}");
    assert!(text.contains("# Whom the operator calls"), "comments stay");
}

#[test]
fn what_was_tried_is_promoted_and_what_belongs_to_an_environment_stays() {
    let Some(world) = begun(&["--public-url-at", "symulator=https://test.example.gov.pl"]) else {
        return;
    };
    assert_eq!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0, 0);
    let read = |name: &str| fs::read_to_string(world.path("way").join(name)).unwrap();
    let tried = read("symulator/brama.toml")
        + "\n# Those who pay.\n[[route]]\nhost = \"test.example.gov.pl\"\npath = \"/pay\"\nupstream = \"portal\"\nassurance = \"high\"\n\n[[upstream]]\nname = \"symulator\"\nurl = \"http://127.0.0.1:3001\"\n";
    let tried = tried
        .replace("[listen]\n", "[listen]\nproxy_protocol_from = [\"192.0.2.0/24\"]\ntrusted_for = [\"scheme\"]\n")
        .replace("[operations]\n", "[operations]\nhosts = [\"test-host\"]\n")
        .replace("[service]", "[identity]\nsigning_key_files = [\"test.key\"]\npairwise_secret_file = \"test.secret\"\ntoken_lifetime = \"2m\"\n[store]\nkind = \"redis\"\n[limits]\nexcept = [\"192.0.2.0/24\"]\n[service]")
        + "\n[[companion]]\nproxy = \"nginx\"\nlisten = \"127.0.0.1:8999\"\n[[identity.signing_p12]]\nfile = \"test.p12\"\n";
    world.write("way/symulator/brama.toml", tried.as_bytes());
    let own = "[operations]\nhosts = [\"own-host\"]\n";
    let before = read("integration/brama.toml").replace("[operations]\n", own);
    world.write("way/integration/brama.toml", before.as_bytes());
    let (status, said) = way(&world, &["promote", "symulator", "integration", "--dry-run"]);
    assert!(status == 0 && said.contains("nothing was written"), "{said}");
    assert_eq!(read("integration/brama.toml"), before);
    let (status, said) = way(&world, &["promote", "symulator", "integration"]);
    assert_eq!(status, 0, "{said}");
    for part in [
        "its own",
        "environment = \"integration\"",
        "import integration FILE",
        "upstream \"portal\"",
        "left out   [listen] proxy_protocol_from = [\"192.0.2.0/24\"]: it is that of symulator alone",
        "its own    [operations] hosts = [\"own-host\"]",
        "changed    [identity] token_lifetime = \"2m\"",
        "changed    [[route]]",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let text = read("integration/brama.toml");
    for part in [
        "environment = \"integration\"",
        "public_url = \"https://portal.example.gov.pl\"",
        "# Those who pay.",
        "host = \"portal.example.gov.pl\"",
        "name = \"symulator\"",
        "brama check --config integration/brama.toml",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Neither listeners nor networks, secrets nor stores are those of the environment of the test.
    for part in [
        "proxy_protocol_from =",
        "trusted_for =",
        "test-host",
        "test.key",
        "test.secret",
        "test.p12",
        "kind = \"redis\"",
        "except =",
        "[[companion]]",
    ] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("own-host") && text.contains("token_lifetime = \"2m\""), "{text}");
    assert_eq!(read("integration/brama.toml.old-1"), before);
    // A second time there is nothing to do; back is no way.
    let (_, said) = way(&world, &["promote", "symulator", "integration"]);
    assert!(said.contains("there is nothing to change"), "{said}");
    assert!(!world.path("way/integration/brama.toml.old-2").exists());
    assert_eq!(way(&world, &["promote", "integration", "symulator"]).0, 1);
    // Certificates of the next one still fit.
    for (name, usage) in [("sig", "digitalSignature"), ("enc", "keyAgreement")] {
        sign(&world, &format!("way/integration/keys/portal_{name}_ec.csr"), name, usage);
    }
    let (status, said) = way(&world, &["import", "integration", "sig.pem", "enc.pem", "node.pem"]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn each_certificate_is_renewed_in_its_order() {
    let Some(world) = begun(&[]) else { return };
    of_node(&world, "node", 2020, 2099);
    assert_eq!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0, 0);
    let config = "way/symulator/brama.toml";
    let renew = |words: &[&str]| {
        brama(&world, &[&["certs", "renew"], words, &["--config", config]].concat())
    };
    let before = tree(&world.path("way"));
    // 1. Not before it is time.
    for kind in ["signing", "decryption", "node"] {
        let (status, said) = renew(&[kind]);
        assert_eq!(status, 0, "{kind}: {said}");
        assert!(said.contains("now  1."), "{kind}: {said}");
    }
    let (status, said) = renew(&["listener"]);
    assert!(status == 1 && said.contains("none of the kind"), "{said}");
    assert_eq!(tree(&world.path("way")), before);
    for (kind, name, usage, expected) in [
        ("signing", "sig", "digitalSignature", "signing_certificate = \"keys/portal_sig_ec-20"),
        ("decryption", "enc", "keyAgreement", "\"keys/portal_enc_ec.key\"]"),
    ] {
        // 2. A key and a request, once.
        let (status, said) = renew(&[kind, "--begin"]);
        assert!(status == 0 && said.contains("now  2."), "{kind}: {said}");
        let after = tree(&world.path("way"));
        let (_, said) = renew(&[kind, "--begin"]);
        assert!(said.contains("the request that is under way"), "{kind}: {said}");
        assert_eq!(tree(&world.path("way")), after);
        let request = after.keys().find(|path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            file.starts_with(&format!("portal_{name}_ec-20")) && file.ends_with(".csr")
        });
        let request = request.unwrap().display().to_string();
        // 3. The twins: another one's, and one that is not the same.
        sign(&world, &request, "wrong", "dataEncipherment");
        for (file, says) in
            [("wrong.pem", "keyUsage"), ("a.pem", "not as the old one"), ("ca.pem", "authorities")]
        {
            let (status, said) = renew(&[kind, "--certificate", file]);
            let others = ["key usage", "its private key is neither"];
            let is_told = said.contains(says) || others.iter().any(|other| said.contains(other));
            assert!(
                status == 1 && is_told && said.contains("nothing was written"),
                "{kind} {file}: {said}"
            );
        }
        assert_eq!(tree(&world.path("way")), after);
        // 4. It is looked at, then applied, and what is named is usable.
        sign(&world, &request, "new", usage);
        let (status, said) = renew(&[kind, "--certificate", "new.pem"]);
        assert!(status == 0 && said.contains("still to be written"), "{kind}: {said}");
        let (status, said) = renew(&[kind]);
        assert!(status == 0 && said.contains("its certificate; name it by"), "{kind}: {said}");
        let (status, said) = renew(&[kind, "--certificate", "new.pem", "--apply"]);
        assert!(status == 0 && said.contains("the lines are written"), "{kind}: {said}");
        let text = fs::read_to_string(world.path(config)).unwrap();
        assert!(text.contains(expected), "{kind}: {text}");
        let (status, said) = brama(&world, &["check", "--config", config]);
        assert_eq!(status, 0, "{kind}: {said}");
    }
    // 5. The node's: beside the old one, and only one that is no authority. It ends before the old one.
    of_node(&world, "node2", 2021, 2098);
    assert_eq!(renew(&["node", "--certificate", "ca.pem"]).0, 1);
    let (status, said) = renew(&["node", "--certificate", "node2.pem", "--apply"]);
    assert!(status == 0 && said.contains("now  3."), "{said}");
    let (status, said) = brama(&world, &["check", "--config", config]);
    assert_eq!(status, 0, "{said}");
    let text = fs::read_to_string(world.path(config)).unwrap();
    assert!(
        text.contains("certificates = [\"keys/node-signing.pem\", \"keys/node-signing-20"),
        "{text}"
    );
    let (status, said) = renew(&["node", "--certificate", "node2.pem"]);
    assert!(status == 0 && said.contains("names it already"), "{said}");
    // 6. In the end nothing names the old ones, and what is left of them is told.
    let (status, said) = renew(&["signing", "--finish", "--certificate", "node2.pem"]);
    assert!(status == 1 && said.contains("of the node alone"), "{said}");
    for kind in ["decryption", "node"] {
        let (status, said) = renew(&[kind]);
        assert!(status == 0 && said.contains("--finish takes it out"), "{kind}: {said}");
        let (status, said) = renew(&[kind, "--finish"]);
        assert!(status == 0 && !said.contains("now "), "{kind}: {said}");
        let (status, said) = renew(&[kind, "--finish"]);
        assert!(status == 1 && said.contains("names no old one"), "{kind}: {said}");
    }
    let (_, said) = renew(&["signing"]);
    for file in ["portal_sig_ec.key: of the old one", "portal_sig_ec.pem: of the old one"] {
        assert!(said.contains(file), "{file}: {said}");
    }
    let text = fs::read_to_string(world.path(config)).unwrap();
    for old in ["\"keys/portal_enc_ec.key\"", "\"keys/node-signing.pem\""] {
        assert!(!text.contains(old), "{old}: {text}");
    }
    let (status, said) = brama(&world, &["check", "--config", config]);
    assert_eq!(status, 0, "{said}");
}

/// A certificate of the node, valid from one year to another.
fn of_node(world: &World, name: &str, from: i32, until: i32) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "WK_SIG_EC");
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    world.write(&format!("{name}.pem"), params.self_signed(&key).unwrap().pem().as_bytes());
}

#[test]
fn of_the_certificates_of_the_node_the_one_that_was_issued_last_stays() {
    let Some(world) = begun(&[]) else { return };
    of_node(&world, "node", 2020, 2099);
    of_node(&world, "node2", 2021, 2098);
    of_node(&world, "node3", 2021, 2097);
    assert_eq!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0, 0);
    let config = "way/symulator/brama.toml";
    let renew = |words: &[&str]| {
        brama(&world, &[&["certs", "renew", "node"], words, &["--config", config]].concat())
    };
    let named = || {
        let text = fs::read_to_string(world.path(config)).unwrap();
        let line = text.lines().find(|line| line.starts_with("certificates = ")).unwrap();
        line.to_owned()
    };
    for name in ["node2.pem", "node3.pem"] {
        let (status, said) = renew(&["--certificate", name, "--apply"]);
        assert_eq!(status, 0, "{said}");
    }
    // Of two that are valid from the same day on, somebody says which one is meant.
    let before = named();
    let (status, said) = renew(&["--finish"]);
    assert!(status == 1 && said.contains("--certificate FILE"), "{said}");
    let (status, said) = renew(&["--finish", "--certificate", "sig.pem"]);
    assert!(status == 1 && said.contains("names no certificate of it"), "{said}");
    assert_eq!(named(), before);
    let (status, said) = renew(&["--finish", "--certificate", "node2.pem"]);
    assert_eq!(status, 0, "{said}");
    assert!(!named().contains("node-signing.pem") && !named().contains(','), "{}", named());
    let bytes = fs::read(world.path("way/symulator").join(named().split('"').nth(1).unwrap()));
    assert_eq!(bytes.unwrap(), world.read("node2.pem"));
}

#[test]
fn what_would_not_be_usable_is_not_applied() {
    let Some(world) = begun(&[]) else { return };
    assert_eq!(way(&world, &["import", "symulator", "sig.pem", "enc.pem", "node.pem"]).0, 0);
    let renew = |words: &[&str]| {
        let config = ["--config", "way/symulator/brama.toml"];
        brama(&world, &[&["certs", "renew"], words, &config].concat())
    };
    // 1. One that is not valid yet may be looked at.
    of_node(&world, "later", 2097, 2099);
    let before = tree(&world.path("way"));
    let (status, said) = renew(&["node", "--certificate", "later.pem", "--apply"]);
    assert!(status == 1 && said.contains("valid only from 2097-01-01"), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(tree(&world.path("way")), before);
    // 2. A key where everybody can replace it is refused by the configuration.
    fs::create_dir(world.path("open")).unwrap();
    let open = ["--out", "open"];
    let (status, said) = renew(&[&["signing", "--begin"], &open[..]].concat());
    assert!(status == 0 && !said.contains("assumed"), "{said}");
    fs::set_permissions(world.path("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let request = tree(&world.path("open"))
        .into_keys()
        .find(|path| path.extension().unwrap() == "csr")
        .unwrap();
    sign(&world, &request.display().to_string(), "new", "digitalSignature");
    let (ours, beside) = (tree(&world.path("way")), tree(&world.path("open")));
    let apply = [&["signing", "--certificate", "new.pem", "--apply"], &open[..]].concat();
    let (status, said) = renew(&apply);
    assert!(status == 1 && said.contains("nothing was written"), "{said}");
    assert_eq!((tree(&world.path("way")), tree(&world.path("open"))), (ours, beside));
    fs::set_permissions(world.path("open"), fs::Permissions::from_mode(0o700)).unwrap();
    let (status, said) = renew(&apply);
    assert!(status == 0 && said.contains("assumed: --apply says"), "{said}");
}

/// A pair that ends in 50 days, with extensions of its own.
fn pair(world: &World, name: &str, subject: &str, extensions: &str) {
    world.openssl(&[&format!("ecparam -name prime256v1 -genkey -noout -out keys/{name}.key")]);
    world.openssl(&[&format!("req -new -key keys/{name}.key -out request -subj"), subject]);
    sign_as(world, "request", &format!("keys/{name}"), 50, extensions);
    let key = world.path(&format!("keys/{name}.key"));
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

fn sign_as(world: &World, request: &str, name: &str, days: u32, extensions: &str) {
    world.write("ext", format!("basicConstraints=critical,CA:FALSE\n{extensions}\n").as_bytes());
    world.openssl(&[&format!(
        "x509 -req -in {request} -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days {days} \
         -extfile ext"
    )]);
}

#[test]
fn certificates_of_tls_are_renewed_with_the_names_and_purposes_that_they_have() {
    let Some(world) = World::new() else { return };
    fs::create_dir(world.path("keys")).unwrap();
    let web = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n\
               subjectAltName=DNS:portal.example.gov.pl,DNS:www.example.gov.pl";
    let client = "keyUsage=digitalSignature\nextendedKeyUsage=clientAuth";
    // As of authorities of the public web: without a common name.
    pair(&world, "web", "/O=U", web);
    pair(&world, "client", "/O=U/CN=portal_tls", client);
    pair(&world, "sig", "/CN=s_sig_ec", "keyUsage=digitalSignature");
    pair(&world, "enc", "/CN=s_enc_ec", "keyUsage=keyAgreement");
    pair(&world, "node", "/CN=WK_SIG_EC", "keyUsage=digitalSignature");
    let text = GOOD
        .replace(
            "http = \"127.0.0.1:0\"",
            "https = \"127.0.0.1:0\"\ncertificate = \"keys/web.pem\"\nkey = \"keys/web.key\"",
        )
        .replace(
            "[node]",
            "[node]\nclient_certificate = \"keys/client.pem\"\nclient_key = \"keys/client.key\"",
        )
        .replace("node-signing.crt.pem", "keys/node.pem")
        .replace("service-sig.crt.pem", "keys/sig.pem")
        .replace("service-sig.key.pem", "keys/sig.key")
        .replace("service-enc.key.pem", "keys/enc.key")
        .replace("https://sp.example.gov.pl", "s");
    world.write("brama.toml", text.as_bytes());
    let renew = |words: &[&str]| {
        brama(&world, &[&["certs", "renew"], words, &["--config", "brama.toml"]].concat())
    };
    for (kind, wrong, says, right, line) in [
        (
            "listener",
            "subjectAltName=DNS:portal.example.gov.pl",
            "it is not for DNS:www.example.gov.pl",
            web,
            "[listen] certificate = \"keys/portal.example.gov.pl-20",
        ),
        (
            "client-tls",
            "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth",
            "extended key usage: clientAuth -> serverAuth",
            client,
            "[node] client_certificate = \"keys/portal_tls-20",
        ),
    ] {
        // It ends within 60 days, so that it is time.
        let (status, said) = renew(&[kind]);
        assert!(status == 0 && said.contains("now  2."), "{kind}: {said}");
        let request =
            said.lines().find_map(|line| line.strip_suffix(": the request, for whoever issues it"));
        let request = request.unwrap_or_else(|| panic!("{said}"));
        sign_as(&world, request, "wrong", 90, wrong);
        let before = tree(&world.path("keys"));
        let (status, said) = renew(&[kind, "--certificate", "wrong.pem", "--apply"]);
        assert!(status == 1 && said.contains(says), "{kind}: {said}");
        assert_eq!(tree(&world.path("keys")), before);
        sign_as(&world, request, "new", 90, right);
        let (status, said) = renew(&[kind, "--certificate", "new.pem", "--apply"]);
        assert!(status == 0 && said.contains(line), "{kind}: {said}");
        let (status, said) = brama(&world, &["check", "--config", "brama.toml"]);
        assert_eq!(status, 0, "{kind}: {said}");
        let (_, said) = renew(&[kind]);
        assert!(said.contains("of the old one, to be removed at the end"), "{kind}: {said}");
    }
}

#[test]
fn a_running_gateway_is_asked_whether_it_has_the_new_one() {
    let kit = kit(GOOD);
    let gateway = Running::start_with(kit.path(), "operations");
    let renew = |kind: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.current_dir(kit.path()).args(["certs", "renew", kind, "--config", "brama.toml"]);
        told(&command.env("BRAMA__OPERATIONS__LISTEN", &gateway.address).output().unwrap())
    };
    for kind in ["signing", "decryption", "node"] {
        let (status, said) = renew(kind);
        assert!(status == 0 && said.contains("the running gateway has what"), "{kind}: {said}");
    }
    // A configuration that is refused is not in use; and it is, when it is mended.
    let path = kit.path().join("brama.toml");
    let wait_for = |kind: &str, says: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let (status, said) = renew(kind);
            if said.contains(says) {
                return status;
            }
            assert!(Instant::now() < until, "{kind}: {said}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    fs::write(&path, GOOD.replace("service-enc.key.pem", "service-sig.key.pem")).unwrap();
    // While nothing is renewed there is nothing for it to take.
    assert_eq!(wait_for("decryption", "nothing new for it to take yet"), 0);
    let beside = "service-enc.key.pem\", \"service-sig.key.pem";
    fs::write(&path, GOOD.replace("service-enc.key.pem", beside)).unwrap();
    assert_eq!(wait_for("decryption", "NOT taken"), 1);
    fs::write(&path, GOOD).unwrap();
    assert_eq!(wait_for("decryption", "the running gateway has what"), 0);
    drop(gateway);
}
