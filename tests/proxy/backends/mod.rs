//! The example backends of `deploy/backends`: each agrees on every vector, and each shows who is
//! there behind the real gateway.
//!
//! `setup.sh` beside this file fetches what they need; `BRAMA_BACKENDS` is what it prints. An example
//! that is not prepared is skipped, and says so; with `BRAMA_JUDGES=required` it fails.

mod examples;
mod signed;
mod vectors;

use self::examples::{Example, Expectations};
use self::vectors::{Vectors, page_text};
use crate::harness::{Citizen, Gateway, Plan, Program, Simulator, Wire};

/// Both tests for each example.
macro_rules! examples {
    ($($name:ident: $example:expr,)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn it_answers_every_vector_as_a_backend_that_follows_the_rules() {
                agrees_on_all_vectors($example);
            }

            #[test]
            fn it_shows_who_is_there_behind_the_gateway_and_nobody_forges_it() {
                shows_who_is_there($example);
            }
        })*
    };
}

examples! {
    go: Example::Go,
    java: Example::Java,
    node: Example::Node,
    perl: Example::Perl,
    php: Example::Php,
    python: Example::Python,
    ruby: Example::Ruby,
    rust: Example::Rust,
    spring: Example::Spring,
}

fn agrees_on_all_vectors(example: Example) {
    let Some(prepared) = example.prepared() else { return };
    let vectors = Vectors::make();
    let backend = prepared.start(&vectors.expectations());
    let mut wrong = Vec::new();
    for vector in &vectors.list {
        let mut wire = Wire::connect(backend.address);
        wire.send(vector.request().as_bytes());
        if let Err(what) = vector.judge(wire.try_answer("GET")) {
            wrong.push(format!("{}: {what}", vector.name));
        }
    }
    assert!(wrong.is_empty(), "{example:?}:\n{}", wrong.join("\n"));
    assert_eq!(vectors.misled(), Vec::<String>::new(), "{example:?} believes an attacker's keys");
}

fn shows_who_is_there(example: Example) {
    let Some(prepared) = example.prepared() else { return };
    let plan = Plan::empty();
    let origin = format!("http://localhost:{}", plan.address().port());
    let simulator = Simulator::start(plan.address());
    let keys = format!("{origin}/.brama/jwks.json");
    let expected = Expectations { issuer: origin.clone(), audience: "portal".to_owned(), keys };
    // The first backend that comes up may ask for the keys at once: the gateway is there before it.
    let socket = crate::harness::free_address();
    let gateway = plan
        .node(&simulator)
        .upstream("portal", &format!("http://{socket}"))
        .route("/", "portal", "optional")
        .with("audience = \"portal\"\nclaims = [\"given_name\", \"family_name\"]")
        .start();
    let _backend = prepared.start_at(socket, &expected);
    let forged = forged(&origin);

    // 1. Nobody is signed in, whatever a client says.
    let stranger = |headers: &str| ask(&gateway, headers);
    assert!(stranger("").contains("Nobody is signed in"));
    let header = format!("X-Brama-Assertion: {forged}\r\n");
    assert!(stranger(&header).contains("Nobody is signed in"));
    let alias = format!("X_Brama_Assertion: {forged}\r\n");
    assert!(stranger(&alias).contains("request.identity_header_alias"));

    // 2. Anna signs in. The page is hers, and the portal counts in a session of its own.
    let mut browser = Citizen::at(&gateway.url("/"));
    browser.sign_in("anna");
    let page = browser.url("/");
    let open = |browser: &mut Citizen| page_text(&browser.open(&page).body);
    let seen = open(&mut browser);
    assert!(seen.contains("Anna Żółkiewska") && seen.contains("Visit 1"), "{seen}");
    let seen = open(&mut browser);
    assert!(seen.contains("Anna Żółkiewska") && seen.contains("Visit 2"), "{seen}");
    let forged = format!("Cookie: {}\r\n{header}", browser.cookies());
    let seen = ask(&gateway, &forged);
    assert!(seen.contains("Anna Żółkiewska") && !seen.contains("Zofia"), "{seen}");

    // 3. She signs out; the portal's cookie stays in the browser, and is of no use to the next. The
    // portal is not asked in between, so it sees one login after the other.
    let out = browser.url("/.brama/logout");
    browser.posts(&out);
    assert_eq!(browser.session(), None);
    browser.sign_in("zofia");
    let seen = open(&mut browser);
    assert!(seen.contains("Zofia Gęśla-Ćwikłowa") && seen.contains("Visit 1"), "{seen}");
    let seen = open(&mut browser);
    assert!(seen.contains("Visit 2"), "{seen}");
    browser.posts(&out);
    assert!(open(&mut browser).contains("Nobody is signed in"));
}

/// A token that says everything right, but for the key.
fn forged(origin: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["token", "--person", "zofia", "--issuer", origin, "--directory"]);
    let output = command.arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Asks the gateway for the page with these headers.
fn ask(gateway: &Gateway, headers: &str) -> String {
    let mut wire = gateway.connect();
    wire.send(format!("GET / HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", gateway.host()).as_bytes());
    page_text(&wire.answer("GET").body)
}

/// A program and where it listens.
struct Backend {
    address: std::net::SocketAddr,
    _program: Program,
    _folder: tempfile::TempDir,
}
