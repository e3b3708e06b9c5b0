//! `brama token`: test tokens and test vectors, as somebody who writes a backend asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::harness::Browser;

/// Runs the command with its keys in a folder of the test.
fn token(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.arg("token").args(arguments).env("XDG_STATE_HOME", folder);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn minted(folder: &Path, arguments: &[&str]) -> String {
    let output = token(folder, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

/// What a backend expects.
fn expected(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
    validation.validate_nbf = true;
    validation
}

/// Checks a token as a backend does.
fn verified(keys: &str, token: &str, expected: &Validation) -> Result<Value, String> {
    let keys: JwkSet = serde_json::from_str(keys).unwrap();
    let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    let key = keys.find(&header.kid.ok_or("no kid")?).ok_or("unknown kid")?;
    let key = DecodingKey::from_jwk(key).unwrap();
    let decoded = jsonwebtoken::decode::<Value>(token, &key, expected);
    decoded.map(|data| data.claims).map_err(|error| format!("{:?}", error.kind()))
}

/// The command while it serves, ended with the test.
struct Serving {
    child: Child,
    token: String,
    address: String,
}

impl Serving {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = command(folder, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let token = lines.next().unwrap().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("keys are at ").expect("it says where").to_owned();
        Self { child, token, address }
    }

    async fn keys(&self) -> String {
        let origin = self.address.strip_suffix("/.brama/jwks.json").unwrap();
        let answer = Browser::new(origin).open("/.brama/jwks.json").await;
        assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
        assert!(!answer.text.contains("\"d\""), "no private key is published");
        answer.text
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_test_token_is_verified_with_the_keys_that_are_served_and_says_what_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let served = Serving::start(folder.path(), &["--serve", "0"]);
    let keys = served.keys().await;
    let issuer = served.address.strip_suffix("/.brama/jwks.json").unwrap();
    let claims = verified(&keys, &served.token, &expected(issuer, "portal")).unwrap();
    assert_eq!([&claims["given_name"], &claims["family_name"]], ["Anna", "Żółkiewska"]);
    assert_eq!(claims["acr"], "http://eidas.europa.eu/LoA/substantial");
    assert!(claims["pesel"].is_null(), "nobody asked for it");
    // One that another run makes is of the same keys.
    let other = minted(
        folder.path(),
        &[
            "--person",
            "zofia",
            "--audience",
            "tax",
            "--level",
            "high",
            "--claims",
            "birthdate,pesel",
            "--issuer",
            "https://portal.example.gov.pl",
        ],
    );
    let at = expected("https://portal.example.gov.pl", "tax");
    let claims = verified(&keys, &other, &at).unwrap();
    assert_eq!([&claims["birthdate"], &claims["pesel"]], ["1877-02-28", "77822877314"]);
    assert_eq!(claims["acr"], "http://eidas.europa.eu/LoA/high");
    assert!(claims["given_name"].is_null());
    // The twin refusals: another backend, and keys of another folder.
    assert_eq!(verified(&keys, &other, &expected(issuer, "portal")).unwrap_err(), "InvalidIssuer");
    let stranger = tempfile::tempdir().unwrap();
    let foreign = minted(stranger.path(), &["--issuer", issuer]);
    let refused = verified(&keys, &foreign, &expected(issuer, "portal"));
    assert_eq!(refused.unwrap_err(), "unknown kid");
}

#[test]
fn test_tokens_are_not_signed_with_keys_of_a_gateway_nor_for_somebody_who_never_signs_in() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    let given = ["--directory", state.to_str().unwrap()];
    assert!(token(folder.path(), &given).status.success(), "an empty folder is nobody's");
    for name in ["identity-keys.json", "pairwise-secret", "store-secret"] {
        fs::write(state.join(name), "").unwrap();
        let refused = token(folder.path(), &given);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
        let said = text(&refused.stderr);
        assert!(said.contains(name) && said.contains("--directory"), "{said}");
        fs::remove_file(state.join(name)).unwrap();
    }
    for (wrong, known) in [
        (["--person", "odmowa"], "zofia"),
        (["--level", "High"], "high"),
        (["--claims", "x"], "pesel"),
    ] {
        let refused = token(folder.path(), &wrong);
        assert!(!refused.status.success() && text(&refused.stderr).contains(known), "{wrong:?}");
    }
}

/// Each vector is wrong in what it says and in nothing else, by a library that knows nothing of us.
#[test]
fn each_vector_is_refused_for_the_reason_that_it_is_there_for() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors");
    let given = ["--vectors", vectors.to_str().unwrap(), "--audience", "tax"];
    assert!(token(folder.path(), &given).status.success());
    let keys = fs::read_to_string(vectors.join("jwks.json")).unwrap();
    let file: Value =
        serde_json::from_str(&fs::read_to_string(vectors.join("vectors.json")).unwrap()).unwrap();
    assert_eq!([&file["audience"], &file["issuer"]], ["tax", "http://localhost:8090"]);
    let mut said = BTreeMap::new();
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let headers: Vec<_> = vector["headers"].as_array().unwrap().iter().collect();
        let [header] = headers[..] else {
            said.insert(name, format!("{} headers", headers.len()));
            continue;
        };
        let value = header[1].as_str().unwrap();
        let decoded = verified(&keys, value, &expected("http://localhost:8090", "tax"));
        let is_ours = header[0] == file["header"];
        match &decoded {
            Ok(claims) if vector["answer"] == "accept" => assert_eq!(claims, &vector["claims"]),
            Ok(_) => {}
            Err(error) => assert_eq!(vector["answer"], "refuse", "{name}: {error}"),
        }
        said.insert(name, decoded.map_or_else(|error| error, |_| format!("fits, ours: {is_ours}")));
    }
    let said: Vec<_> = said.into_iter().collect();
    let all: Vec<_> = said.iter().map(|(name, said)| format!("{name}: {said}")).collect();
    let is_as_told = |((name, said), told): (&(&str, String), &(&str, &str))| {
        *name == told.0 && said.starts_with(told.1)
    };
    let fits = said.len() == SAID.len() && said.iter().zip(&SAID).all(is_as_told);
    assert!(fits, "the library says:\n{}", all.join("\n"));
}

/// What the library says of each, or how it begins. Those that fit and are refused all the same are
/// refused by a rule of ours for backends, or by a part of the standard that the library leaves to
/// its user.
const SAID: [(&str, &str); 45] = [
    ("20 KB token", "fits, ours: true"),
    ("HS256 with the public key as JWK", "InvalidAlgorithm"),
    ("HS256 with the public key as PEM", "InvalidAlgorithm"),
    ("HS256 with the public key as PEM without its last line end", "InvalidAlgorithm"),
    ("HS256 with the public key as nothing", "InvalidAlgorithm"),
    ("alg: ES384", "InvalidAlgorithm"),
    ("alg: NONE", "JSON error: unknown variant"),
    ("alg: None", "JSON error: unknown variant"),
    ("alg: none", "JSON error: unknown variant"),
    ("crit", "fits, ours: true"),
    ("duplicate header", "2 headers"),
    ("empty token", "InvalidToken"),
    ("expired", "ExpiredSignature"),
    ("folded alias", "fits, ours: false"),
    ("folded alias of mixed signs", "fits, ours: false"),
    ("four parts", "Base64 error"),
    ("good", "fits, ours: true"),
    ("higher level", "fits, ours: true"),
    ("jku in the header", "unknown kid"),
    ("jku with a known kid", "InvalidSignature"),
    ("jwk in the header", "unknown kid"),
    ("jwk with a known kid", "InvalidSignature"),
    ("kid of a path", "unknown kid"),
    ("known kid", "InvalidSignature"),
    ("lower level", "fits, ours: true"),
    ("name of signs", "fits, ours: true"),
    ("no aud", "MissingRequiredClaim(\"aud\")"),
    ("no exp", "MissingRequiredClaim(\"exp\")"),
    ("no header", "0 headers"),
    ("no iss", "MissingRequiredClaim(\"iss\")"),
    ("no kid", "no kid"),
    ("no signature", "InvalidSignature"),
    ("no sub", "MissingRequiredClaim(\"sub\")"),
    ("no token", "InvalidToken"),
    ("not yet valid", "ImmatureSignature"),
    ("person without a PESEL", "fits, ours: true"),
    ("previous key", "fits, ours: true"),
    ("retired kid", "unknown kid"),
    ("signature of noughts", "InvalidSignature"),
    ("swapped payload", "InvalidSignature"),
    ("two tokens in one header", "Base64 error"),
    ("unknown kid", "unknown kid"),
    ("wrong audience", "InvalidAudience"),
    ("wrong issuer", "InvalidIssuer"),
    ("x5u in the header", "unknown kid"),
];

/// A vector that no backend could be led astray by would be refused by every backend.
#[test]
fn a_backend_that_believes_what_the_token_says_of_its_key_is_led_astray() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors");
    assert!(token(folder.path(), &["--vectors", vectors.to_str().unwrap()]).status.success());
    let file: Value =
        serde_json::from_str(&fs::read_to_string(vectors.join("vectors.json")).unwrap()).unwrap();
    let value = |name: &str| {
        let mut vectors = file["vectors"].as_array().unwrap().iter();
        let vector = vectors.find(|vector| vector["name"] == name).unwrap();
        vector["headers"][0][1].as_str().unwrap().to_owned()
    };
    let expected = expected("http://localhost:8090", "portal");
    for name in ["jwk in the header", "jwk with a known kid"] {
        let token = value(name);
        let key = jsonwebtoken::decode_header(&token).unwrap().jwk.unwrap();
        let key = DecodingKey::from_jwk(&key).unwrap();
        let decoded = jsonwebtoken::decode::<Value>(&token, &key, &expected).unwrap();
        assert_eq!(decoded.claims["given_name"], "Anna", "{name}");
    }
    let mut shared = expected;
    shared.algorithms = vec![Algorithm::HS256];
    let key = DecodingKey::from_secret(b"");
    let token = value("HS256 with the public key as nothing");
    assert!(jsonwebtoken::decode::<Value>(&token, &key, &shared).is_ok());
    let token = value("HS256 with the public key as PEM");
    assert!(jsonwebtoken::decode::<Value>(&token, &key, &shared).is_err());
}

#[test]
fn vectors_are_told_apart_by_name_and_have_fresh_times() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors");
    let read = || {
        let given = ["--vectors", vectors.to_str().unwrap(), "--level", "low"];
        assert!(token(folder.path(), &given).status.success());
        let text = fs::read_to_string(vectors.join("vectors.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let (first, second) = (read(), read());
    let names = |file: &Value| -> Vec<String> {
        let vectors = file["vectors"].as_array().unwrap();
        vectors.iter().map(|vector| vector["name"].as_str().unwrap().to_owned()).collect()
    };
    let unique: BTreeSet<_> = names(&first).into_iter().collect();
    assert_eq!(unique.len(), names(&first).len());
    assert!(!unique.contains("lower level"), "there is none below the lowest");
    assert_eq!(names(&first), names(&second));
    assert_ne!(first["vectors"][0]["headers"], second["vectors"][0]["headers"]);
    assert!(first["good_until"].as_i64() > first["made_at"].as_i64());
    // Nothing of development is kept by it: its keys are gone with the process.
    assert!(!folder.path().join("brama-development").exists());
}
