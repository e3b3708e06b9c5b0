//! The portals of `deploy/portals` behind the real gateway: each takes the citizen for a user of its
//! own, takes nobody for one who only says so, and ends its own session with the login.
//!
//! The part of the gateway's configuration is the recipe's own. `setup.sh` beside this file fetches
//! what they need, into the folder of the example backends; a portal that is not prepared is skipped,
//! and says so; with `BRAMA_JUDGES=required` it fails.

mod pages;
mod recipes;
mod start;

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use self::pages::Seen;
use self::recipes::{Believes, Recipe};
use self::start::{Address, Portal};
use crate::harness::{Citizen, Gateway, Plan, Simulator};

/// Both tests for each recipe.
macro_rules! recipes {
    ($($name:ident: $recipe:expr,)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn its_user_is_the_citizen_and_its_session_ends_with_the_login() {
                has_citizens_for_users($recipe);
            }

            #[test]
            fn nobody_becomes_a_user_by_saying_so() {
                has_no_user_who_only_says_so($recipe);
            }
        })*
    };
}

recipes! {
    apache: Recipe::Apache,
    django: Recipe::Django,
    django_by_headers: Recipe::DjangoByHeaders,
    dokuwiki: Recipe::DokuWiki,
    express: Recipe::Express,
    flask: Recipe::Flask,
    nginx: Recipe::Nginx,
    spring: Recipe::Spring,
    tomcat: Recipe::Tomcat,
}

/// A gateway with a portal behind it.
struct World {
    recipe: Recipe,
    gateway: Gateway,
    portal: Portal,
    _simulator: Simulator,
}

impl World {
    /// Starts both; `None` when the portal cannot run here.
    fn start(recipe: Recipe) -> Option<Self> {
        if !recipe.is_prepared() {
            return None;
        }
        let address = Address::new(recipe);
        let plan = Plan::empty();
        let issuer = format!("http://localhost:{}", plan.address().port());
        let simulator = Simulator::start(plan.address());
        let gateway =
            plan.node(&simulator).with(&recipe.configuration(&address.upstream())).start();
        let portal = Portal::start(recipe, address, &issuer);
        Some(Self { recipe, gateway, portal, _simulator: simulator })
    }

    fn browser(&self) -> Citizen {
        Citizen::at(&self.gateway.url("/"))
    }

    /// What a citizen sees of themselves, when they look for the so-many-th time.
    fn look(&self, browser: &mut Citizen, time: u64) -> Option<Seen> {
        let page = browser.url(&self.recipe.path(time));
        let answer = browser.open(&page);
        self.recipe.read(&String::from_utf8(answer.body).unwrap())
    }

    /// What the page says to these fields through the gateway; `None` when that refuses them.
    fn ask(&self, fields: &str) -> Option<Option<Seen>> {
        let (path, host) = (self.recipe.path(1), self.gateway.host());
        let mut wire = self.gateway.connect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes());
        let answer = wire.answer("GET");
        if answer.text().contains("request.identity_header_alias") {
            assert_eq!(answer.status, 400);
            return None;
        }
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text());
        Some(self.recipe.read(&String::from_utf8(answer.body).unwrap()))
    }

    /// What the portal itself says to these fields, past the gateway.
    fn ask_portal(&self, fields: &str) -> (u16, Option<Seen>) {
        let (status, text) = self.portal.ask(&self.recipe.path(1), &self.gateway.host(), fields);
        let seen = if status == 200 { self.recipe.read(&text) } else { None };
        (status, seen)
    }
}

fn has_citizens_for_users(recipe: Recipe) {
    let Some(world) = World::start(recipe) else { return };
    let mut browser = world.browser();
    assert_eq!(world.look(&mut browser, 1), None, "nobody is signed in");
    let inner = recipe.inner().map(|(path, refusal)| (browser.url(path), refusal));
    if let Some((inner, refusal)) = &inner {
        assert_eq!(browser.send(inner, None).status, *refusal, "nobody, at {inner}");
    }

    // 1. Anna is a user of the portal's own, and the portal counts in a session of its own.
    browser.sign_in("anna");
    let anna = world.look(&mut browser, 1).expect("a user");
    assert_eq!(anna.name, "Anna Żółkiewska");
    assert!(anna.user.len() >= 32, "a pseudonym: {}", anna.user);
    assert_eq!(anna.visits, recipe.visits(1));
    let again = world.look(&mut browser, 2).expect("a user");
    assert_eq!((&again.user, again.visits), (&anna.user, recipe.visits(2)));
    if let Some((inner, _)) = &inner {
        assert_eq!(browser.send(inner, None).status, 200, "a citizen, at {inner}");
    }

    // 2. She signs out. What the portal gave her browser is of no use without her.
    let out = browser.url("/.brama/logout");
    browser.posts(&out);
    assert_eq!(browser.session(), None);
    let left = format!("Cookie: {}\r\n", browser.cookies());
    let has_own = browser.cookies().split("; ").any(|cookie| !cookie.starts_with("brama"));
    assert_eq!(recipe.visits(1).is_some(), has_own, "the portal's own cookie: {left}");

    // 3. The portal was not asked in between, and Zofia signs in with the same browser.
    browser.sign_in("zofia");
    let zofia = world.look(&mut browser, 1).expect("a user");
    assert_eq!(zofia.name, "Zofia Gęśla-Ćwikłowa");
    assert_ne!(zofia.user, anna.user);
    assert_eq!(zofia.visits, recipe.visits(1), "a session of the portal that was Anna's");
    browser.posts(&out);
    assert_eq!(world.look(&mut browser, 1), None);

    // 4. Anna is the same user the next time, in a session that begins anew.
    for expected in [1, recipe.visits_after_a_second_login()] {
        browser.sign_in("anna");
        let back = world.look(&mut browser, 1).expect("a user");
        assert_eq!((&back.user, back.visits), (&anna.user, recipe.visits(expected)));
        browser.posts(&out);
    }
    assert_eq!(world.ask(&left), Some(None));
}

fn has_no_user_who_only_says_so(recipe: Recipe) {
    let Some(world) = World::start(recipe) else { return };
    let mut browser = world.browser();
    browser.sign_in("anna");
    let anna = world.look(&mut browser, 1).expect("a user");
    let session = format!("Cookie: {}\r\n", browser.session().unwrap());

    // 1. Through the gateway, whatever a client says: nobody is nobody, and Anna is Anna.
    let forged = forged(&world.gateway);
    for field in said_of_oneself(&forged) {
        if let Some(seen) = world.ask(&field) {
            assert_eq!(seen, None, "{field}");
        }
        if let Some(seen) = world.ask(&format!("{session}{field}")) {
            let seen = seen.unwrap_or_else(|| panic!("nobody, by {field}"));
            assert_eq!((seen.user, seen.name), (anna.user.clone(), anna.name.clone()), "{field}");
        }
    }

    // 2. Past the gateway. Who verifies, refuses; who believes headers must not be reached.
    assert_eq!(world.ask_portal(""), (200, None));
    let cookies = format!("Cookie: {}\r\n", browser.cookies());
    assert_eq!(world.ask_portal(&cookies), (200, None), "by the cookies of a citizen alone");
    let token = format!("X-Brama-Assertion: {forged}\r\n");
    let Believes::Headers(fields) = recipe.believes() else {
        assert_eq!(world.ask_portal(&token), (401, None));
        for plain in said_of_oneself("nonsense").iter().filter(|it| !it.contains("ssertion")) {
            assert_eq!(world.ask_portal(plain), (200, None), "{plain}");
        }
        return;
    };
    assert_eq!(world.ask_portal(&token), (200, None));
    let (status, seen) = world.ask_portal(&fields.replace("{}", "mallory"));
    let user = seen.map(|seen| seen.user);
    assert_eq!((status, user.as_deref()), (200, Some("mallory")), "why it must be closed");
    is_closed_to_others(&world.portal.address);
}

/// Only this machine, and only who may, connects to a portal that believes headers.
fn is_closed_to_others(address: &Address) {
    match address {
        // Another address of the same machine reaches whatever listens on all of them.
        Address::Tcp(address) => {
            assert!(TcpStream::connect(("127.0.0.2", address.port())).is_err());
        }
        Address::Socket { path: socket, .. } => {
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
            let folder = socket.parent().unwrap();
            let is_for_all = |path: &Path| mode(path) & 0o007 != 0;
            assert!(!is_for_all(folder) || !is_for_all(socket), "{}", socket.display());
        }
    }
}

/// What clients write to be taken for somebody.
fn said_of_oneself(token: &str) -> Vec<String> {
    let names = [
        "Remote-User",
        "REMOTE_USER",
        "Remote_User",
        "remote.user",
        "Remote-Name",
        "X-Citizen",
        "X_Citizen",
        "X-Citizen-Session",
        "X-Brama-Subject",
        "X_Brama_Subject",
        "X-Forwarded-User",
        "X-Remote-User",
        "Shib-Session-ID",
        "persistent-id",
        "givenName",
        "displayName",
        "BRAMA_SUBJECT",
        "HTTP_REMOTE_USER",
    ];
    let mut fields: Vec<_> = names.iter().map(|name| format!("{name}: mallory\r\n")).collect();
    fields.push(format!("X-Brama-Assertion: {token}\r\n"));
    fields.push(format!("X_Brama_Assertion: {token}\r\n"));
    // mallory, with a password: what servers make of it is REMOTE_USER, too.
    fields.push("Authorization: Basic bWFsbG9yeTp4\r\n".to_owned());
    fields.push("Remote-User: mallory\r\nRemote-User: mallory\r\n".to_owned());
    fields
}

/// A token that says everything right, but for the key.
fn forged(gateway: &Gateway) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["token", "--person", "zofia", "--directory"]).arg(folder.path());
    let output = command.arg("--issuer").arg(gateway.url("")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
