//! Envoy's questions over gRPC, asked by Google's implementation of it with the messages that the
//! makers of Envoy publish: what is answered, and what is taken for a question.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use brama::base::encoding::{base64, from_base64url};
use serde_json::{Value, json};

use crate::harness::{
    Gateway, Plan, Program, Simulator, Tls, Wire, free_address, sign_in, source, tools,
};

/// What asks.
struct Client(Program);

/// What was answered to a question.
#[derive(Debug)]
struct Verdict(Value);

impl Client {
    fn start(address: &str, authority: Option<&Path>) -> Option<Self> {
        let mut command = Command::new(tools::judges_python()?);
        command.arg(source("ext_authz_client.py")).arg(address).args(authority);
        let mut program = Program::start(&mut command);
        program.event("ready");
        Some(Self(program))
    }

    fn call(&mut self, call: &Value) -> Value {
        self.0.tell(&call.to_string());
        self.0.wait_for(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            matches!(event["kind"].as_str()?, "answer" | "status" | "health").then_some(event)
        })
    }

    fn ask(&mut self, question: &Value) -> Verdict {
        let request = json!({ "attributes": question });
        Verdict::of(self.call(&json!({ "call": "check", "request": request })))
    }

    fn send(&mut self, bytes: &str) -> Verdict {
        let method = "/envoy.service.auth.v3.Authorization/Check";
        Verdict::of(self.call(&json!({ "call": "bytes", "method": method, "bytes": bytes })))
    }
}

impl Verdict {
    /// Envoy takes a status of 0 for a yes, and none as well: there is no third thing.
    fn of(event: Value) -> Self {
        assert_eq!(event["kind"], "answer", "{event}");
        assert_eq!(event["has_status"], true, "{event}");
        let which = if event["status"] == 0 { "ok_response" } else { "denied_response" };
        assert_eq!(event["which"], which, "{event}");
        let verdict = Self(event);
        assert!(verdict.values("set-cookie").is_empty(), "{verdict:?}");
        if verdict.is_yes() {
            assert_eq!(verdict.values("x-brama-assertion").len(), 1, "{verdict:?}");
            assert!(!verdict.values("x-brama-assertion")[0].is_empty());
            // What is set and removed as well is removed.
            let removed = verdict.removed();
            assert!(verdict.names().iter().all(|name| !removed.contains(name)), "{verdict:?}");
            // OVERWRITE_IF_EXISTS_OR_ADD
            assert!(verdict.0["actions"].as_array().unwrap().iter().all(|action| *action == 2));
        } else {
            assert!(verdict.values("x-brama-assertion").is_empty(), "{verdict:?}");
            assert!(verdict.code() >= 300, "{verdict:?}");
        }
        verdict
    }

    fn is_yes(&self) -> bool {
        self.0["status"] == 0
    }

    fn code(&self) -> u64 {
        self.0["code"].as_u64().unwrap()
    }

    fn fields(&self) -> Vec<(&str, &str)> {
        let fields = self.0["headers"].as_array().unwrap().iter();
        fields.map(|field| (field[0].as_str().unwrap(), field[1].as_str().unwrap())).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.fields().into_iter().map(|(name, _)| name).collect()
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.fields().into_iter().filter(|(known, _)| *known == name).map(|(_, it)| it).collect()
    }

    fn removed(&self) -> Vec<&str> {
        self.0["removed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }

    fn claims(&self) -> Value {
        let payload = self.values("x-brama-assertion")[0].split('.').nth(1).unwrap();
        serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
    }

    /// The code of a refusal, as Envoy may log it.
    fn reason(&self) -> &str {
        self.0["metadata"]["reason"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// A gateway that Envoy asks, with a citizen who is signed in.
struct Envoy {
    gateway: Gateway,
    cookie: String,
    address: SocketAddr,
    client: Client,
    _simulator: Simulator,
}

impl Envoy {
    fn start(routes: &[(&str, &str, &str)]) -> Option<Self> {
        Self::start_with(routes, |plan| plan)
    }

    fn start_with(
        routes: &[(&str, &str, &str)],
        change: impl FnOnce(Plan) -> Plan,
    ) -> Option<Self> {
        let address = free_address();
        let client = Client::start(&address.to_string(), None)?;
        let mut plan = Plan::empty().companion("envoy-grpc", &format!("listen = \"{address}\""));
        for (path, access, lines) in routes {
            plan = plan.permitted(path, access).with(lines);
        }
        let plan = change(plan);
        let simulator = Simulator::start(plan.address());
        let gateway = plan.node(&simulator).start();
        let cookie = sign_in(&gateway, "anna");
        Some(Self { gateway, cookie, address, client, _simulator: simulator })
    }

    fn ask(&mut self, question: &Value) -> Verdict {
        self.client.ask(question)
    }
}

const SCRIPT: [(&str, &str); 2] = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
const PAGE: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

/// What Envoy says of a request, with `headers` joined.
fn joined(method: &str, target: &str, headers: &[(&str, &str)]) -> Value {
    let mut question = frame(method, target);
    let all = pseudo(method, target).into_iter().chain(headers.iter().copied());
    let map: serde_json::Map<_, _> =
        all.map(|(name, value)| (name.to_owned(), value.into())).collect();
    question["request"]["http"]["headers"] = map.into();
    question
}

/// What Envoy says of a request with `encode_raw_headers`.
fn raw(method: &str, target: &str, headers: &[(&str, &[u8])]) -> Value {
    let mut question = frame(method, target);
    let all = pseudo(method, target);
    let all = all.iter().map(|(name, value)| (*name, value.as_bytes()));
    question["request"]["http"]["header_map"] = map(all.chain(headers.iter().copied()));
    question
}

fn map<'v>(lines: impl Iterator<Item = (&'v str, &'v [u8])>) -> Value {
    let lines = lines.map(|(name, value)| json!({ "key": name, "raw_value": base64(value) }));
    json!({ "headers": lines.collect::<Vec<_>>() })
}

fn pseudo<'q>(method: &'q str, target: &'q str) -> [(&'q str, &'q str); 4] {
    [(":method", method), (":path", target), (":authority", "localhost"), (":scheme", "http")]
}

fn frame(method: &str, target: &str) -> Value {
    json!({
        "source": { "address": { "socket_address": { "address": "192.0.2.7", "port_value": 4711 } } },
        "destination": { "address": { "socket_address": { "address": "192.0.2.1", "port_value": 80 } } },
        "request": {
            "time": "2026-01-01T00:00:00Z",
            "http": {
                "id": "1", "method": method, "path": target, "host": "localhost", "scheme": "http",
                "protocol": "HTTP/1.1", "size": "0", "body": "of no interest",
            },
        },
        "context_extensions": { "any": "thing" },
    })
}

const ROUTES: [(&str, &str, &str); 5] = [
    ("/", "required", "claims = [\"given_name\"]"),
    ("/public", "public", ""),
    (
        "/optional",
        "optional",
        "identity = [\"assertion\", \"headers\", \"bearer\"]\nclaims = [\"given_name\"]",
    ),
    ("/high", "required", "assurance = \"high\""),
    ("/closed", "public", "maintenance = true"),
];

#[test]
fn envoy_is_told_who_is_signed_in_and_how_everybody_else_gets_there() {
    let Some(mut envoy) = Envoy::start(&ROUTES) else { return };
    let cookie = envoy.cookie.clone();
    let with = |fields: [(&'static str, &'static str); 2], cookie: &str| {
        let [one, other] = fields;
        joined("GET", "/tax?year=2026", &[one, other, ("cookie", cookie)])
    };
    let yes = envoy.ask(&with(PAGE, &cookie));
    assert!(yes.is_yes(), "{yes:?}");
    assert_eq!(yes.claims()["given_name"], "Anna");
    assert_eq!(yes.claims()["aud"], "portal");
    assert_eq!(yes.0["metadata"]["session"], yes.claims()["sid"]);

    let login =
        envoy.gateway.url("/.brama/login?return_to=%2Ftax%3Fyear%3D2026&assurance=substantial");
    for cookie in ["", "brama=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let page = envoy.ask(&with(PAGE, cookie));
        assert_eq!((page.code(), page.values("location")), (302, vec![&*login]), "{page:?}");
        assert_eq!((&page.0["status"], page.reason()), (&json!(16), "login_required"));
        let script = envoy.ask(&with(SCRIPT, cookie));
        assert_eq!((script.code(), script.reason()), (401, "login_required"), "{script:?}");
        let body: Value = serde_json::from_str(script.0["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["error"], "login_required");
        assert_eq!(script.values("cache-control"), ["no-store"]);
    }
    for (path, cookie, code, reason) in [
        ("/high", &*cookie, 302, "login_required"),
        ("/closed", "", 503, "request.maintenance"),
        ("/.brama/login", "", 421, "request.misdirected"),
    ] {
        let no = envoy.ask(&joined("GET", path, &[PAGE[0], PAGE[1], ("cookie", cookie)]));
        assert_eq!((no.code(), no.reason()), (code, reason), "{path}: {no:?}");
        assert!(path == "/high" || no.0["body"].as_str().unwrap().contains("<html"), "{no:?}");
    }
    let trace = envoy.ask(&joined("TRACE", "/", &[("cookie", &*cookie)]));
    assert_eq!((trace.code(), trace.reason()), (405, "request.method_not_allowed"), "{trace:?}");
}

#[test]
fn a_yes_leaves_nothing_of_what_a_client_says_it_is() {
    let Some(mut envoy) = Envoy::start(&ROUTES) else { return };
    let cookie = envoy.cookie.clone();
    for (path, cookie, is_anybody) in
        [("/public", &*cookie, false), ("/optional", "", false), ("/optional", &*cookie, true)]
    {
        let said = [
            ("cookie", cookie),
            ("x-brama-assertion", "forged"),
            ("x-brama-role", "forged"),
            ("remote-user", "forged"),
            ("x-auth-request-email", "forged"),
            ("accept", "*/*"),
        ];
        let yes = envoy.ask(&joined("GET", path, &said));
        assert!(yes.is_yes(), "{yes:?}");
        assert_eq!(yes.claims().get("sub").is_some(), is_anybody, "{path} {}", yes.claims());
        let removed = yes.removed();
        for name in ["x-brama-role", "remote-user", "x-auth-request-email"] {
            assert!(removed.contains(&name), "{name}: {yes:?}");
        }
        // Of cookies there are none but ours, which no portal sees.
        assert!(!removed.contains(&"accept") && removed.contains(&"cookie"));
        for spelled in ["x_brama_assertion", "x.brama.assertion", "x-brama_assertion"] {
            assert!(removed.contains(&spelled), "{spelled}: {yes:?}");
        }
        if path == "/optional" {
            assert!(removed.contains(&"x_brama_given_name"), "{yes:?}");
            let name = if is_anybody { "Anna" } else { "" };
            assert_eq!(yes.values("x-brama-given-name"), [name]);
            assert_eq!(yes.values("authorization").len(), 1);
        }
    }
    // A name that is spelled otherwise is refused where it is seen.
    let alias = envoy.ask(&joined("GET", "/public", &[("x_brama_assertion", "forged")]));
    assert_eq!((alias.code(), alias.reason()), (400, "request.identity_header_alias"));
}

#[test]
fn whatever_is_no_question_is_answered_with_a_no() {
    let Some(mut envoy) = Envoy::start(&[("/", "public", "")]) else { return };
    assert!(envoy.ask(&joined("GET", "/a", &[])).is_yes());
    assert!(envoy.ask(&raw("GET", "/a", &[])).is_yes());
    for bytes in ["", "ff", "0a", "0a02ffff", "08ffffffffffffffffffffff01", "0a0012"] {
        let no = envoy.client.send(bytes);
        assert_eq!((no.code(), no.reason()), (400, "companion.header"), "{bytes}: {no:?}");
    }
    let long = envoy.client.send(&"7a04aaaaaaaa".repeat(60_000));
    assert_eq!((long.code(), long.reason()), (400, "companion.header"), "{long:?}");
    let method = "/envoy.service.auth.v3.Authorization/Check";
    let packed =
        json!({ "call": "bytes", "method": method, "bytes": "00".repeat(200), "gzip": true });
    assert_eq!(Verdict::of(envoy.client.call(&packed)).reason(), "companion.header");

    for missing in [
        "/source",
        "/source/address",
        "/source/address/socket_address",
        "/source/address/socket_address/address",
        "/request",
        "/request/http",
        "/request/http/method",
        "/request/http/path",
        "/request/http/host",
        "/request/http/scheme",
    ] {
        let mut question = joined("GET", "/a", &[]);
        let (parent, name) = missing.rsplit_once('/').unwrap();
        question.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let no = envoy.ask(&question);
        assert_eq!((no.code(), no.reason()), (400, "companion.header"), "{missing}: {no:?}");
    }
    let mut pipe = joined("GET", "/a", &[]);
    pipe["source"]["address"] = json!({ "pipe": { "path": "/run/envoy.sock" } });
    assert_eq!(envoy.ask(&pipe).reason(), "companion.header");

    let mut many: Vec<_> = (0..200).map(|number| format!("x-a-{number}")).collect();
    let fields: Vec<_> = many.iter().map(|name| (&**name, "1")).collect();
    assert_eq!(envoy.ask(&joined("GET", "/a", &fields)).reason(), "request.header_too_large");
    many.truncate(50);
    let fields: Vec<_> = many.iter().map(|name| (&**name, "1")).collect();
    assert!(envoy.ask(&joined("GET", "/a", &fields)).is_yes());
    let large = "a".repeat(40_000);
    let large = envoy.ask(&joined("GET", "/a", &[("x-large", &large)]));
    assert_eq!(large.reason(), "request.header_too_large");
}

#[test]
fn a_question_that_contradicts_itself_is_refused() {
    let Some(mut envoy) = Envoy::start(&[("/", "public", "")]) else { return };
    for (pointer, value, reason) in [
        ("/request/http/headers/:path", "/b", "companion.conflict"),
        ("/request/http/headers/:method", "POST", "companion.conflict"),
        ("/request/http/headers/:authority", "evil.example", "companion.conflict"),
        ("/request/http/headers/:scheme", "https", "companion.conflict"),
        ("/request/http/path", "/b", "companion.conflict"),
        ("/request/http/host", "evil.example", "companion.conflict"),
        ("/request/http/query", "c=2", "companion.conflict"),
        ("/request/http/fragment", "c", "companion.conflict"),
        ("/request/http/scheme", "ftp", "companion.conflict"),
        ("/request/http/method", "G T", "companion.header"),
        ("/request/http/path", "/\u{17c}", "companion.header"),
        ("/request/http/path", "/a b", "companion.header"),
        ("/source/address/socket_address/address", "localhost", "companion.header"),
    ] {
        let mut question = joined("GET", "/a?b=1", &[]);
        match question.pointer_mut(pointer) {
            Some(place) => *place = value.into(),
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                question.pointer_mut(parent).unwrap()[name] = value.into();
            }
        }
        let no = envoy.ask(&question);
        assert_eq!((no.code(), no.reason()), (400, reason), "{pointer} {value}: {no:?}");
    }
    let mut same = joined("GET", "/a?b=1", &[("host", "localhost"), ("x-forwarded-uri", "/a?b=1")]);
    same["request"]["http"]["query"] = "b=1".into();
    assert!(envoy.ask(&same).is_yes());
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-uri", "/b"),
        ("x-original-url", "/b"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
    ] {
        let no = envoy.ask(&joined("GET", "/a?b=1", &[(name, value)]));
        assert_eq!((no.code(), no.reason()), (400, "companion.conflict"), "{name}: {no:?}");
    }
    assert_eq!(envoy.ask(&joined("GET", "/a", &[(":protocol", "x")])).reason(), "companion.header");
    let mut both = joined("GET", "/a", &[]);
    both["request"]["http"]["header_map"] =
        map(pseudo("GET", "/a").iter().map(|(name, value)| (*name, value.as_bytes())));
    assert_eq!(envoy.ask(&both).reason(), "companion.conflict");
}

#[test]
fn what_envoy_has_joined_or_replaced_is_not_guessed() {
    let Some(mut envoy) = Envoy::start(&ROUTES) else { return };
    let cookie = envoy.cookie.clone();
    // Several lines of cookies: joined by a comma, which may as well be in a value.
    for joint in [format!("a=1,{cookie}; c=3"), format!("{cookie},b=2; c=3"), "a=1,2".to_owned()] {
        let no = envoy.ask(&joined("GET", "/public", &[("cookie", &joint)]));
        assert_eq!((no.code(), no.reason()), (400, "companion.header"), "{joint}");
    }
    let fine = format!("a=1; {cookie}; c=3");
    assert!(envoy.ask(&joined("GET", "/", &[("cookie", &fine)])).is_yes());
    let lines: [(&str, &[u8]); 2] = [("cookie", b"a=1,2"), ("cookie", cookie.as_bytes())];
    assert!(envoy.ask(&raw("GET", "/", &lines)).is_yes());
    assert_eq!(envoy.ask(&raw("GET", "/", &lines)).values("cookie"), ["a=1,2"]);
    let reversed: [(&str, &[u8]); 2] = [lines[1], lines[0]];
    assert!(envoy.ask(&raw("GET", "/", &reversed)).is_yes());

    // Bytes that are not UTF-8: replaced by `!`, which a path may as well have.
    let no = envoy.ask(&joined("GET", "/public/!!", &[]));
    assert_eq!((no.code(), no.reason()), (400, "companion.header"), "{no:?}");
    assert!(envoy.ask(&raw("GET", "/public/!!", &[])).is_yes());
    let lines = |path: &'static [u8]| -> [(&'static str, &'static [u8]); 4] {
        [(":method", b"GET"), (":path", path), (":authority", b"localhost"), (":scheme", b"http")]
    };
    for (path, is_yes) in [(&b"/public/!!"[..], true), (&b"/public/\xff\xfe"[..], false)] {
        let mut question = frame("GET", "/public/!!");
        question["request"]["http"]["header_map"] = map(lines(path).into_iter());
        assert_eq!(envoy.ask(&question).is_yes(), is_yes, "{path:?}");
    }
    // Without the raw path (`allowed_headers`) it is not known either.
    let mut question = frame("GET", "/public/!!");
    question["request"]["http"]["header_map"] = map([("accept", &b"*/*"[..])].into_iter());
    assert_eq!(envoy.ask(&question).reason(), "companion.header");
    let latin = envoy.ask(&raw("GET", "/public", &[("x-name", b"\xff"), ("accept", b"*/*")]));
    assert!(latin.is_yes(), "{latin:?}");
    let torn = envoy.ask(&raw("GET", "/public", &[("x-name", b"a\r\nb: c")]));
    assert_eq!(torn.reason(), "companion.header");
}

#[test]
fn an_ended_session_is_no_yes_over_grpc() {
    let Some(mut envoy) = Envoy::start_with(&ROUTES, Plan::operated) else { return };
    let question = joined("GET", "/", &[SCRIPT[0], SCRIPT[1], ("cookie", &*envoy.cookie)]);
    assert!(envoy.ask(&question).is_yes());
    let (is_well, said) = envoy.gateway.operate(&["end-all", "--yes"], "");
    assert!(is_well, "{said}");
    assert_eq!(envoy.ask(&question).code(), 401);
}

#[test]
fn health_says_whether_questions_are_wanted_and_tells_whoever_watches() {
    let change = |plan: Plan| plan.listen("drain_delay = \"300ms\"");
    let Some(mut envoy) = Envoy::start_with(&ROUTES, change) else { return };
    let client = &mut envoy.client;
    for service in ["", "envoy.service.auth.v3.Authorization"] {
        let health = client.call(&json!({ "call": "health", "service": service }));
        assert_eq!(health["status"], "SERVING", "{health}");
    }
    let unknown = client.call(&json!({ "call": "health", "service": "other" }));
    assert_eq!(unknown["code"], "NOT_FOUND", "{unknown}");
    for method in [
        "/envoy.service.auth.v3.Authorization/Other",
        "/envoy.service.auth.v2.Authorization/Check",
        "/grpc.health.v1.Health/List",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/.brama/jwks.json",
        "/healthz",
    ] {
        let refused = client.call(&json!({ "call": "bytes", "method": method, "bytes": "" }));
        assert_eq!(refused["code"], "UNIMPLEMENTED", "{method}: {refused}");
    }
    client.0.tell(&json!({ "call": "watch", "service": "" }).to_string());
    assert_eq!(client.0.event("watched")["status"], "SERVING");
    envoy.gateway.program.signal("TERM");
    assert_eq!(client.0.event("watched")["status"], "NOT_SERVING");
    assert_eq!(client.0.event("unwatched")["code"], "UNAVAILABLE");
    assert!(envoy.gateway.program.wait().success());
}

#[test]
fn whoever_does_not_speak_grpc_gets_no_answer_that_could_be_a_yes() {
    let Some(envoy) = Envoy::start(&ROUTES) else { return };
    let check = "/envoy.service.auth.v3.Authorization/Check";
    for (method, path, fields) in [
        ("GET", "/", ""),
        ("GET", "/healthz", ""),
        ("GET", "/.brama/jwks.json", ""),
        ("GET", check, ""),
        ("POST", check, "Content-Type: application/grpc\r\nTE: trailers\r\nContent-Length: 0\r\n"),
    ] {
        let mut wire = Wire::connect(envoy.address);
        wire.send(
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes(),
        );
        assert_eq!(wire.answer(method).status, 415, "{method} {path}");
    }
}

#[test]
fn envoy_may_ask_by_tls_too() {
    let address = free_address();
    let lines =
        format!("listen = \"{address}\"\ncertificate = \"localhost.pem\"\nkey = \"localhost.key\"");
    let plan = Plan::empty().tls(Tls::On).companion("envoy-grpc", &lines);
    let gateway = plan.permitted("/", "public").start();
    let (name, authority) = (format!("localhost:{}", address.port()), gateway.certificate());
    let Some(mut client) = Client::start(&name, Some(&authority)) else { return };
    assert!(client.ask(&joined("GET", "/", &[])).is_yes());
}
