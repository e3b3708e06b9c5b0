//! The examples that verify signatures of requests (RFC 9421) behind the real gateway, in each
//! algorithm, and what they refuse.

use std::collections::HashMap;
use std::thread::sleep;
use std::time::Duration;

use aws_lc_rs::hmac;
use brama::base::clock::{Clock, SystemClock};
use brama::base::encoding::base64;
use brama::base::private;
use brama::identity::forms::signature::base::Base;

use super::examples::{Example, Expectations, Signed};
use super::{Backend, page_text};
use crate::harness::{
    Answer, Gateway, Plan, Script, Scripted, Simulator, Wire, free_address, sign_in,
};

#[test]
fn go_takes_what_the_gateway_signed_and_nothing_else() {
    refuses_what_the_gateway_did_not_sign(Example::Go);
}

#[test]
fn node_takes_what_the_gateway_signed_and_nothing_else() {
    refuses_what_the_gateway_did_not_sign(Example::Node);
}

#[test]
fn python_takes_what_the_gateway_signed_and_nothing_else() {
    refuses_what_the_gateway_did_not_sign(Example::Python);
}

#[test]
fn rust_takes_what_the_gateway_signed_and_nothing_else() {
    refuses_what_the_gateway_did_not_sign(Example::Rust);
}

const ALGORITHMS: [&str; 3] = ["ecdsa-p256-sha256", "ed25519", "hmac-sha256"];
const SECRET: [u8; 32] = [7; 32];
const KEY_ID: &str = "portal-2026";
/// What a signature must cover where a token tells who it is.
const ALL: [&str; 6] =
    ["@method", "@authority", "@path", "@query", "x-brama-audience", "x-brama-assertion"];
const AUDIENCE: &str = "portal";
/// The most seconds, and one to spare, that an example goes on to take what has ended.
const LONGEST_TOLERANCE: i64 = 7;
/// The body of a request, and what a client says of it.
const BODY: &str = "hello";
const DIGEST: &str = "content-digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\r\n";

/// A gateway that signs in each way, a portal for each, and one that notes what it is sent.
struct World {
    gateway: Gateway,
    recorder: Script,
    backends: Vec<Backend>,
    _simulator: Simulator,
}

impl World {
    fn start(example: Example) -> Option<Self> {
        let prepared = example.prepared()?;
        let mut plan = Plan::empty();
        let secret = plan.path("portal.secret");
        private::write(&secret, &SECRET).unwrap();
        let simulator = Simulator::start(plan.address());
        let issuer = format!("http://localhost:{}", plan.address().port());
        let closing = Scripted { closes: true, ..ok() };
        let script = ALGORITHMS.map(|name| (format!("/recorded/{name}/body"), closing.clone()));
        let recorder = Script::start(HashMap::from(script));
        let sockets = ALGORITHMS.map(|_| free_address());
        plan = plan.upstream("recorder", &recorder.url());
        for (name, socket) in ALGORITHMS.iter().zip(sockets) {
            let table = match *name {
                "hmac-sha256" => format!(
                    "algorithm = \"{name}\", secret_file = \"{}\", key_id = \"{KEY_ID}\"",
                    secret.display()
                ),
                _ => format!("algorithm = \"{name}\""),
            };
            let lines = format!(
                "audience = \"portal\"\nclaims = [\"given_name\", \"family_name\"]\n\
                 identity = [\"assertion\", \"signature\"]\nidentity_signature = {{ {table} }}"
            );
            plan = plan
                .upstream(name, &format!("http://{socket}"))
                .route(&format!("/{name}"), name, "optional")
                .with(&lines)
                .route(&format!("/recorded/{name}"), "recorder", "optional")
                .with(&lines);
        }
        let gateway = plan.node(&simulator).start();
        let backends = ALGORITHMS.iter().zip(sockets).map(|(algorithm, socket)| {
            let keys = format!("{issuer}/.brama/jwks.json");
            let expected =
                Expectations { issuer: issuer.clone(), audience: AUDIENCE.to_owned(), keys };
            let signed = Signed { algorithm, secret_file: secret.clone(), key_id: KEY_ID };
            prepared.start_signed(socket, &expected, &signed)
        });
        let backends = backends.collect();
        Some(Self { gateway, recorder, backends, _simulator: simulator })
    }

    /// Sends a request by the gateway.
    fn ask(&self, line: &str, fields: &str, body: &str) -> Answer {
        let mut wire = self.gateway.connect();
        let request = Message {
            line: format!("{line} HTTP/1.1"),
            fields: format!("Host: {}\r\n{fields}", self.gateway.host()),
            body: body.to_owned(),
        };
        wire.send(request.bytes().as_bytes());
        wire.answer("GET")
    }

    /// Returns a request as the gateway signs it now.
    fn signed(&self, line: &str, fields: &str, body: &str) -> Message {
        assert_eq!(self.ask(line, fields, body).status, 200, "{line}");
        let head = self.recorder.heard().pop().unwrap().head;
        let (line, fields) = head.split_once("\r\n").unwrap();
        let fields = fields.strip_suffix("\r\n").unwrap();
        let length = |line: &&str| !line.to_ascii_lowercase().starts_with("content-length:");
        let fields = fields.split_inclusive("\r\n").filter(length).collect();
        Message { line: line.to_owned(), fields, body: body.to_owned() }
    }
}

fn ok() -> Scripted {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_vec();
    Scripted { bytes, closes: false }
}

/// A request on its way to a backend, past the gateway.
#[derive(Debug, Clone)]
struct Message {
    line: String,
    /// Each ends with its line.
    fields: String,
    body: String,
}

impl Message {
    fn bytes(&self) -> String {
        let Self { line, fields, body } = self;
        let length = match &**body {
            "" => String::new(),
            body => format!("Content-Length: {}\r\n", body.len()),
        };
        format!("{line}\r\n{fields}{length}\r\n{body}")
    }

    /// Sends it, and returns the status and the text of the page.
    fn at(&self, backend: &Backend) -> (u16, String) {
        let mut wire = Wire::connect(backend.address);
        wire.send(self.bytes().as_bytes());
        let answer = wire.answer("GET");
        (answer.status, page_text(&answer.body))
    }

    fn value(&self, name: &str) -> &str {
        let mut pairs = self.fields.lines().filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("{name}: {}", self.fields)).1.trim()
    }

    fn without(mut self, name: &str) -> Self {
        let is_other = |line: &&str| {
            !line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        self.fields = self.fields.split_inclusive("\r\n").filter(is_other).collect();
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    fn replaced(self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let value = change(self.value(name));
        self.without(name).with(name, &value)
    }

    fn lined(mut self, from: &str, to: &str) -> Self {
        assert!(self.line.contains(from), "{}", self.line);
        self.line = self.line.replacen(from, to, 1);
        self
    }
}

fn refuses_what_the_gateway_did_not_sign(example: Example) {
    let Some(world) = World::start(example) else { return };
    let cookie = |person| format!("Cookie: {}\r\n", sign_in(&world.gateway, person));
    let [anna, zofia] = ["anna", "zofia"].map(cookie);
    let mut wrong = Vec::new();
    for (algorithm, backend) in ALGORITHMS.iter().zip(&world.backends) {
        // 1. Behind the gateway everybody is who they are, with and without a body.
        for (method, target, fields, body, expected) in [
            ("GET", "", "", "", "Nobody is signed in"),
            ("GET", "?a=%C5%BB&b", &*anna, "", "Anna Żółkiewska"),
            ("GET", "/a%20b/c?[d]", &anna, "", "Anna Żółkiewska"),
            ("POST", "/x", &anna, BODY, "Anna Żółkiewska"),
            ("POST", "/x", &format!("{DIGEST}{anna}"), BODY, "Anna Żółkiewska"),
        ] {
            let answer = world.ask(&format!("{method} /{algorithm}{target}"), fields, body);
            let text = page_text(&answer.body);
            if answer.status != 200 || !text.contains(expected) {
                wrong.push(format!("{algorithm}: {method} {target}: {} {text}", answer.status));
            }
        }
        let answer = world.ask(&format!("POST /{algorithm}"), &format!("{DIGEST}{anna}"), "other");
        assert_eq!(answer.status, 401, "{algorithm}: a client's own digest is wrong");

        // 2. Past it, what it signed is taken once.
        let get = || world.signed(&format!("GET /recorded/{algorithm}?a=b"), &anna, "");
        let post = || {
            let line = format!("POST /recorded/{algorithm}/body");
            world.signed(&line, &format!("{DIGEST}{anna}"), BODY)
        };
        for message in [get(), post()] {
            let (status, text) = message.at(backend);
            assert!(status == 200 && text.contains("Anna"), "{algorithm}: {status} {text}");
            wrong.extend(refused(backend, algorithm, "it was here before", &message));
        }

        // 3. With anything else about it, it is not.
        let other = world.signed(&format!("GET /recorded/{algorithm}?a=b"), &zofia, "");
        for (what, message) in changed(&get, &post, &other) {
            wrong.extend(refused(backend, algorithm, what, &message));
        }
        for (what, message) in misread(&get) {
            let (status, text) = message.at(backend);
            if ![400, 401].contains(&status) || text.contains("Signed in") {
                wrong.push(format!("{algorithm}: {what}: {status} {text}"));
            }
        }
    }
    // 4. What is signed with the right key, but for nothing that the gateway means by it.
    let token = world.signed("GET /recorded/hmac-sha256", &anna, "");
    let (token, backend) = (token.value("x-brama-assertion"), &world.backends[2]);
    for (what, message, is_good) in self_signed(&world.gateway.host(), token) {
        let (status, text) = message.at(backend);
        if is_good && (status, text.contains("Anna")) != (200, true) {
            wrong.push(format!("hmac-sha256: {what}: {status} {text}"));
        } else if !is_good {
            wrong.extend(refused(backend, "hmac-sha256", what, &message));
        }
    }
    // 5. What is signed is taken once until its end, and not after that.
    let (message, end) = short_lived(&world.gateway.host(), token);
    let (status, text) = message.at(backend);
    assert!(status == 200 && text.contains("Anna"), "{status} {text}");
    while SystemClock.now().as_second() < end + LONGEST_TOLERANCE {
        wrong.extend(refused(backend, "hmac-sha256", "again, near its end", &message));
        sleep(Duration::from_millis(50));
    }
    // 6. A body that cannot be read costs others nothing.
    for body in ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: 5\r\n\r\nhe"] {
        let mut wire = Wire::connect(backend.address);
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}").as_bytes());
        drop(wire);
        let other =
            Message { line: "GET / HTTP/1.1".to_owned(), fields: host(), body: String::new() };
        wrong.extend(refused(backend, "hmac-sha256", "after a broken body", &other));
    }
    assert!(wrong.is_empty(), "{example:?}:\n{}", wrong.join("\n"));
}

fn host() -> String {
    "Host: portal.example\r\n".to_owned()
}

/// Says what is wrong when a message is not refused.
fn refused(backend: &Backend, algorithm: &str, what: &str, message: &Message) -> Option<String> {
    let (status, text) = message.at(backend);
    let is_refused = status == 401 && !text.contains("Signed in");
    (!is_refused).then(|| format!("{algorithm}: {what}: {status} {text}"))
}

/// Requests of which an address could be made that was signed.
fn misread(get: &dyn Fn() -> Message) -> Vec<(&'static str, Message)> {
    let target = |message: &Message| message.line.split(' ').nth(1).unwrap().to_owned();
    let moved = |host: &dyn Fn(&str, &str) -> String, line: &dyn Fn(&str, &str) -> String| {
        let message = get();
        let (target, authority) = (target(&message), message.value("host").to_owned());
        message
            .lined(&target, &line(&authority, &target))
            .replaced("host", |_| host(&authority, &target))
    };
    let as_it_is = |host: &str, _: &str| host.to_owned();
    vec![
        ("a host with the path", moved(&|host, at| format!("{host}{at}#"), &|_, _| "/x".into())),
        ("a host with a user", moved(&|host, _| format!("x@{host}"), &|_, at| at.to_owned())),
        ("a path with the host", moved(&|_, _| "x".into(), &|host, at| format!("@{host}{at}"))),
        ("a path with a fragment", moved(&as_it_is, &|_, at| format!("{at}#x"))),
        ("another host beside it", get().with("Host", "other.example")),
    ]
}

/// Each is signed anew, so it was not here before.
fn changed(
    get: &dyn Fn() -> Message,
    post: &dyn Fn() -> Message,
    other: &Message,
) -> Vec<(&'static str, Message)> {
    let input = |from: &'static str, to: &'static str| {
        get().replaced("signature-input", |input| {
            assert!(input.contains(from), "{input}");
            input.replacen(from, to, 1)
        })
    };
    let flipped = |signature: &str| {
        let (begin, end) = signature.split_at("brama=:".len());
        let first = if end.starts_with('A') { "B" } else { "A" };
        format!("{begin}{first}{}", &end[1..])
    };
    vec![
        ("another signature", get().replaced("signature", flipped)),
        ("a signature of another request", {
            let signature = other.value("signature").to_owned();
            get().replaced("signature", |_| signature.clone())
        }),
        ("no signature", get().without("signature")),
        ("nothing said of the signature", get().without("signature-input")),
        ("neither", get().without("signature").without("signature-input")),
        ("another person", {
            let token = other.value("x-brama-assertion").to_owned();
            get().replaced("x-brama-assertion", |_| token.clone())
        }),
        ("nobody in place of a person", get().without("x-brama-assertion")),
        ("told beside what was signed", get().with("X-Brama-Pesel", "44051401359")),
        ("another portal", get().replaced("x-brama-audience", |_| "other".to_owned())),
        ("any portal", get().without("x-brama-audience")),
        ("another path", get().lined("/recorded", "/recorder")),
        ("a longer path", get().lined("?", "/x?")),
        ("another query", get().lined("?a=b", "?a=c")),
        ("no query", get().lined("?a=b", "")),
        ("another method", get().lined("GET", "POST")),
        ("another host", get().replaced("host", |_| "other.example".to_owned())),
        ("another key", input("keyid=\"", "keyid=\"x")),
        ("another tag", input("tag=\"brama\"", "tag=\"other\"")),
        ("less covered", input(" \"@query\"", "")),
        ("a longer life", input("expires=1", "expires=2")),
        ("another body", Message { body: "other".to_owned(), ..post() }),
        ("another body with its digest", {
            let post = Message { body: "hello, world".to_owned(), ..post() };
            let digest = "sha-256=:Ccp+TqpuiunH0mEWcSkYSINkTQffuny/vEyKLgg2DVs=:";
            post.replaced("content-digest", |_| digest.to_owned())
        }),
        ("a body whose digest is gone", post().without("content-digest")),
        ("a digest that was not signed", {
            let get = Message { body: BODY.to_owned(), ..get() };
            let (name, value) = DIGEST.trim_end().split_once(": ").unwrap();
            get.with(name, value)
        }),
    ]
}

/// Returns a request that is good for a moment, and when it ends.
fn short_lived(host: &str, token: &str) -> (Message, i64) {
    let now = SystemClock.now().as_second();
    let end = now + 2;
    let parameters =
        format!(";created={now};expires={end};nonce=\"short\";keyid=\"{KEY_ID}\";tag=\"brama\"");
    (by_secret((host, token, AUDIENCE), &ALL, &parameters), end)
}

/// Signs a request as somebody does who has the secret.
fn by_secret(
    (host, token, audience): (&str, &str, &str),
    covered: &[&str],
    parameters: &str,
) -> Message {
    let target = "/recorded?a=b";
    let mut base = Base::new();
    for name in covered {
        match *name {
            "@method" => base.method("GET"),
            "@authority" => base.authority(host),
            "@path" => base.path(target),
            "@query" => base.query(target),
            "x-brama-audience" => base.field("x-brama-audience", [audience.as_bytes()]),
            field => base.field(field, [token.as_bytes()]),
        }
    }
    let (base, said) = base.end(&parameters).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signature = base64(hmac::sign(&key, &base).as_ref());
    let message = Message {
        line: format!("GET {target} HTTP/1.1"),
        fields: format!(
            "Host: {host}\r\nX-Brama-Audience: {audience}\r\nX-Brama-Assertion: {token}\r\n"
        ),
        body: String::new(),
    };
    message
        .with("Signature-Input", &format!("brama={said}"))
        .with("Signature", &format!("brama=:{signature}:"))
}

/// What somebody signs who has the secret; only the first two are as the gateway signs.
fn self_signed(host: &str, token: &str) -> Vec<(&'static str, Message, bool)> {
    let now = SystemClock.now().as_second();
    let sign = |covered: &[&str], parameters: &str| {
        by_secret((host, token, AUDIENCE), covered, parameters)
    };
    let good = |nonce: &str| {
        format!(
            ";created={now};expires={};nonce=\"{nonce}\";keyid=\"{KEY_ID}\";tag=\"brama\"",
            now + 60
        )
    };
    let with = |nonce: &str, from: &str, to: &str| {
        let said = good(nonce);
        assert!(said.contains(from), "{said}");
        sign(&ALL, &said.replacen(from, to, 1))
    };
    let (created, expires) = (format!("created={now};"), format!("expires={};", now + 60));
    let at = |nonce: &str, seconds: i64| {
        let both = format!("created={};expires={};", now + seconds, now + seconds + 60);
        with(nonce, &format!("{created}{expires}"), &both)
    };
    let less = |nonce: &str, left_out: &str| {
        let covered: Vec<_> = ALL.into_iter().filter(|name| *name != left_out).collect();
        sign(&covered, &good(nonce))
    };
    vec![
        ("as the gateway does", sign(&ALL, &good("1")), true),
        ("with another nonce", sign(&ALL, &good("2")), true),
        ("with a nonce that was used", at("1", -1), false),
        ("whose time is over", at("3", -100), false),
        ("which is not made yet", at("4", 100), false),
        (
            "for longer than any",
            {
                let times = format!("created={};expires={};", now - 400, now + 60);
                with("5", &format!("{created}{expires}"), &times)
            },
            false,
        ),
        ("by a key of another name", with("6", KEY_ID, "portal-2025"), false),
        ("for something else", with("7", "tag=\"brama\"", "tag=\"other\""), false),
        ("for nothing that it says", with("8", ";tag=\"brama\"", ""), false),
        ("for ever", with("9", &expires, ""), false),
        ("at no time", with("10", &created, ""), false),
        ("for any number of requests", with("11", "nonce=\"11\";", ""), false),
        ("by nobody", with("12", &format!("keyid=\"{KEY_ID}\";"), ""), false),
        ("of any method", less("13", "@method"), false),
        ("of any host", less("14", "@authority"), false),
        ("of any path", less("15", "@path"), false),
        ("of any query", less("16", "@query"), false),
        ("of any person", less("17", "x-brama-assertion"), false),
        ("of nothing", sign(&[], &good("18")), false),
        ("for any portal", less("19", "x-brama-audience"), false),
        ("for another portal", by_secret((host, token, "other"), &ALL, &good("20")), false),
        (
            "for two portals",
            by_secret((host, token, "portal, other"), &ALL, &good("21"))
                .without("x-brama-audience")
                .with("X-Brama-Audience", "portal")
                .with("X-Brama-Audience", "other"),
            false,
        ),
    ]
}
