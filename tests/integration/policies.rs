//! Random policies: what the gateway does is what `explain-policy` says, and where a more open
//! route reaches what a stricter one protects, `check` warned.
//!
//! One world takes one policy after the other, as a reload does. Requests are sent as they are
//! written, by nobody and by somebody who is signed in. What a portal takes for the same is played
//! by readings of the path that reached it: as it is, without case, by a beginning that ends
//! anywhere, without an ending.

use std::fs;
use std::process::Command;

use brama::app::Settings;
use brama::base::clock::Time;
use brama::config;
use brama::gate::action::Action;
use brama::gate::policy::{Access, Policy};
use brama::gate::visitor::Visitor;
use brama::identity::assurance::Assurance;
use brama::request::networks::Networks;
use brama::request::path;
use brama::request::rules::Rules;
use http::Method;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::harness::{World, world};

const HOST: &str = "portal-a.example";
/// A host at which nobody can be signed in.
const PUBLIC_HOST: &str = "news.example";
/// What makes a path one that servers read in more than one way.
const LENIENT: [&str; 10] = [
    "%2Fa",
    "/a%2fb",
    "/z%2F..%2Fa",
    "//a",
    "/z//b",
    "%3Bz",
    "/a%3Bz",
    "/%B1",
    "/a%B1",
    "/z%2F%B1//x",
];
/// How many policies are tried.
const POLICIES: usize = 50;
/// Of so many requests one is explained: a process is slow to start.
const EXPLAINED: usize = 53;

/// One route, as it is written.
fn route() -> impl Strategy<Value = String> {
    let host = prop_oneof![3 => Just(HOST), 1 => Just(PUBLIC_HOST)];
    let paths = vec!["/", "/a", "/a/b", "/A", "/b", "/b/a", "/old", "/old/a", "/%C5%BC"];
    let access = prop::sample::select(vec![
        "access = \"public\"",
        "access = \"optional\"",
        "",
        "",
        "assurance = \"high\"",
        "require = [\"pesel\"]",
        "maintenance = true",
    ]);
    let methods = prop_oneof![
        4 => Just(""),
        1 => Just("methods = [\"GET\", \"HEAD\"]"),
        1 => Just("methods = [\"POST\"]"),
    ];
    let end = prop_oneof![
        5 => Just("upstream = \"portal\"".to_owned()),
        2 => Just("upstream = \"same\"".to_owned()),
        2 => Just("upstream = \"portal\"\nstrip_prefix = \"{path}\"".to_owned()),
        1 => Just("upstream = \"portal\"\nstrip_prefix = \"{path}\"\nadd_prefix = \"/a\"".to_owned()),
        1 => Just("upstream = \"same\"\nadd_prefix = \"/b\"".to_owned()),
        1 => Just("respond = { status = 200, body = \"fixed\" }".to_owned()),
    ];
    let lenient = prop_oneof![
        4 => Just(""),
        2 => Just("lenient_paths = [\"encoded_slash\"]"),
        1 => Just("lenient_paths = [\"empty_segment\", \"encoded_semicolon\"]"),
        1 => Just(
            "lenient_paths = [\"encoded_slash\", \"empty_segment\", \"encoded_semicolon\", \
             \"not_utf8\"]"
        ),
    ];
    (host, prop::sample::select(paths), access, methods, (end, lenient)).prop_map(
        |(host, path, access, methods, (end, lenient))| {
            let access = if host == PUBLIC_HOST { "access = \"public\"" } else { access };
            let end = end.replace(
                "strip_prefix = \"{path}\"",
                &match path {
                    "/" => String::new(),
                    path => format!("strip_prefix = \"{path}\""),
                },
            );
            format!(
                "[[route]]\nhost = \"{host}\"\npath = \"{path}\"\n{access}\n{methods}\n{lenient}\n\
                 {end}\n"
            )
        },
    )
}

/// Paths that are near those of a policy.
fn requests(settings: &Settings) -> Vec<(String, String)> {
    let mut requests = Vec::new();
    for host in [HOST, PUBLIC_HOST] {
        let mut paths = vec!["/".to_owned(), "/z".to_owned(), "/old/b/a".to_owned()];
        for route in &settings.routes {
            let path = route.path.trim_end_matches('/').replace('ż', "%c5%bc");
            let turned: String = path.chars().map(turn).collect();
            for more in ["", "/", "/a", "/a/b", "x", ".json", ".", "./a", "/A"] {
                paths.push(format!("{path}{more}"));
            }
            for more in LENIENT {
                paths.push(format!("{path}{more}"));
            }
            paths.extend([format!("{turned}/b"), turned]);
        }
        paths.retain(|path| path.starts_with('/'));
        paths.sort();
        paths.dedup();
        requests.extend(paths.into_iter().map(|path| (host.to_owned(), path)));
    }
    requests
}

fn turn(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

/// What came back.
struct Came {
    status: u16,
    body: String,
}

impl Came {
    /// Whether the gate let it pass.
    fn passed(&self) -> bool {
        self.status == 200 && (self.body == "portal" || self.body == "fixed")
    }

    /// The reason code.
    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        json["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request as it is written.
async fn send(
    world: &World,
    method: &Method,
    (host, path): (&str, &str),
    cookie: Option<&str>,
) -> Came {
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n\
         connection: close\r\ncontent-length: 0\r\n{cookie}\r\n"
    );
    let answer = world.send(request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    // A body of unknown length is one chunk here.
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { body.lines().nth(1).unwrap_or_default() } else { body };
    Came { status, body: body.to_owned() }
}

/// What a request led to: the route that decides, and what the upstream sees or would see.
struct Known {
    number: usize,
    host: String,
    path: String,
    upstream: Option<String>,
    passes: bool,
}

/// Says what the policy decides.
fn decided(
    settings: &Settings,
    rules: &Rules,
    method: &Method,
    (host, raw): (&str, &str),
    visitor: Option<&Visitor<'_>>,
    now: Time,
) -> Option<Known> {
    let canonical = rules.path(host, raw).ok()?;
    let verdict = rules.find((host, &canonical), method, None).judge(visitor, now);
    let route = verdict.route?;
    if path::canonical(raw).is_err() {
        for reading in lenient_readings(raw) {
            // What is not read so leads nowhere at all.
            let Ok(reading) = path::canonical(&reading) else { continue };
            let read = rules.find((host, &reading), method, None).judge(visitor, now);
            assert!(read.route.is_some_and(|read| std::ptr::eq(read, route)), "{raw} {reading}");
        }
    }
    let is_it = |other: &brama::gate::policy::Route| {
        (&other.host, &other.path, &other.methods) == (&route.host, &route.path, &route.methods)
    };
    let upstream = match &route.action {
        Action::Forward(_) => Some(route.rewrite.path(raw)),
        _ => None,
    };
    Some(Known {
        number: settings.routes.iter().position(is_it).unwrap(),
        host: host.to_owned(),
        path: raw.to_owned(),
        upstream,
        passes: verdict.outcome.is_ok(),
    })
}

/// What portals make of a path that is read in more than one way.
fn lenient_readings(path: &str) -> Vec<String> {
    let changes: [&dyn Fn(&str) -> String; 4] = [
        &|path| path.replace("%2F", "/").replace("%2f", "/"),
        &|path| {
            path.split('/').map(|it| it.split("%3B").next().unwrap()).collect::<Vec<_>>().join("/")
        },
        &|path| path.replace("%B1", ""),
        &|path| path.replace("///", "/").replace("//", "/"),
    ];
    let mut readings = vec![path.to_owned()];
    for change in changes {
        readings.extend(readings.iter().map(|path| change(path)).collect::<Vec<_>>());
    }
    readings
}

/// What portals take for the same.
fn readings(path: &str) -> [String; 5] {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let each =
        |read: &dyn Fn(&str) -> String| path.split('/').map(read).collect::<Vec<_>>().join("/");
    [
        path.to_owned(),
        path.to_lowercase(),
        each(&|segment| segment.trim_end_matches('x').to_owned()),
        each(&|segment| segment.trim_end_matches(".json").to_owned()),
        lenient_readings(path).pop().unwrap(),
    ]
}

/// Where the upstream ignores case, no spelling in another case goes past a rule.
fn is_one_place_without_case(settings: &Settings, known: &[Known], text: &str) {
    let ignores = |known: &Known| match &settings.routes[known.number].action {
        Action::Forward(forward) => forward.ignores_case,
        _ => false,
    };
    for one in known.iter().filter(|known| ignores(known)) {
        for other in known.iter().filter(|known| ignores(known)) {
            if one.host == other.host && one.path.to_lowercase() == other.path.to_lowercase() {
                assert_eq!(one.passes, other.passes, "{} {}\n{text}", one.path, other.path);
            }
        }
    }
}

/// The beginning of paths that a route covers at the upstream.
fn prefix(settings: &Settings, number: usize) -> String {
    let route = &settings.routes[number];
    route.rewrite.path(&route.path).trim_end_matches('/').to_lowercase()
}

/// Wherever a more open route reaches what a stricter one protects, there is a warning for it.
fn is_warned(settings: &Settings, known: &[Known], warnings: &str, text: &str) -> usize {
    let mut met = 0;
    for open in known.iter().filter(|known| known.passes) {
        for strict in known.iter().filter(|known| !known.passes) {
            let (Some(one), Some(other)) = (&open.upstream, &strict.upstream) else { continue };
            let protects = &settings.routes[strict.number];
            if !matches!(protects.access, Access::Required(_)) || protects.maintenance {
                continue;
            }
            let same: Vec<bool> = readings(one)
                .iter()
                .zip(readings(other))
                .map(|(one, other)| *one == other)
                .collect();
            let wider = || {
                let (above, below) =
                    (prefix(settings, open.number), prefix(settings, strict.number));
                below.starts_with(&above)
            };
            if same[0] || (same.contains(&true) && wider()) {
                met += 1;
                let key = format!("route[{}].path: is ", open.number);
                assert!(
                    warnings.contains(&key),
                    "{}{} passes and {}{} does not, and both are {one} and {other}:\n{text}\n{warnings}",
                    open.host,
                    open.path,
                    strict.host,
                    strict.path
                );
            }
        }
    }
    met
}

/// Asks the program.
fn explained(
    file: &std::path::Path,
    method: &Method,
    url: &str,
    signed_in: bool,
) -> (bool, serde_json::Value) {
    let mut brama = Command::new(env!("CARGO_BIN_EXE_brama"));
    brama.args(["explain-policy", "--json", "--config"]).arg(file);
    brama.args([method.as_str(), url]);
    if signed_in {
        brama.args(["--level", "substantial"]);
    }
    let output = brama.output().unwrap();
    let said = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{url}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), said)
}

/// The configuration before the routes, with a second upstream that is the same portal.
fn base(world: &World, ignores_case: bool) -> String {
    let text = fs::read_to_string(world.file()).unwrap();
    let (before, _) = text.split_once("[[route]]").unwrap();
    let url = before.lines().rfind(|line| line.starts_with("url = ")).unwrap();
    let url = url.replace("127.0.0.1", "localhost");
    format!("{before}\n[[upstream]]\nname = \"same\"\n{url}\nignores_case = {ignores_case}\n")
}

#[tokio::test]
async fn random_policies_do_what_is_explained_and_second_doors_are_warned_of() {
    let world = world().with_hosts(&["https://portal-a.example"]).start().await;
    let bases = [false, true].map(|ignores| base(&world, ignores));
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let names: Vec<String> = browser.cookie_names().into_iter().map(str::to_owned).collect();
    let cookies: Vec<_> =
        names.iter().map(|name| format!("{name}={}", browser.cookie(name).unwrap())).collect();
    let cookie = cookies.join("; ");

    let mut runner = TestRunner::deterministic();
    let policies = prop::collection::vec(route(), 1..6);
    let (mut tried, mut sent, mut explanations, mut met, mut lenient) = (0, 0, 0, 0, 0);
    while tried < POLICIES {
        let routes = policies.new_tree(&mut runner).unwrap().current().concat();
        let text = format!("{}{routes}", bases[tried % 2]);
        let candidate = world.file().with_file_name("candidate.toml");
        fs::write(&candidate, &text).unwrap();
        let now = brama::base::clock::Clock::now(&*world.clock);
        let loaded = config::load(&candidate, std::iter::empty()).unwrap();
        let (Some(settings), problems) = config::resolve(loaded, now) else { continue };
        tried += 1;
        world.reload_with(|_| text.clone()).await;
        let rules = Rules {
            policy: Policy::new(settings.routes.clone()),
            may_pass_maintenance: Networks::default(),
        };
        let visitor = Visitor {
            assurance: Assurance::Substantial,
            authenticated: now,
            authority: None,
            birthdate: None,
            has_pesel: true,
        };
        for (method, signed_in) in
            [(Method::GET, false), (Method::POST, false), (Method::GET, true)]
        {
            let mut known = Vec::new();
            for (host, path) in requests(&settings) {
                let place = (&*host, &*path);
                let visitor = Some(&visitor).filter(|_| signed_in && host == HOST);
                let expected = decided(&settings, &rules, &method, place, visitor, now);
                let with = Some(&*cookie).filter(|_| signed_in);
                world.forget_seen();
                let came = send(&world, &method, place, with).await;
                let why =
                    || format!("{method} {host}{path} {}: {}\n{routes}", came.status, came.body);
                // 1. The gateway does what the policy says, and hands on what the rewriting says.
                let passes = expected.as_ref().is_some_and(|known| known.passes);
                assert_eq!(came.passed(), passes, "{}", why());
                let reached = world.seen().first().map(|seen| seen.target.clone());
                let meant = expected.as_ref().and_then(|known| known.upstream.clone());
                assert_eq!(reached, meant.filter(|_| passes), "{}", why());
                lenient += usize::from(passes && path::canonical(&path).is_err());
                // 2. The program says the same.
                sent += 1;
                if sent % EXPLAINED == 0 {
                    explanations += 1;
                    let url = format!("https://{host}{path}");
                    let (success, said) =
                        explained(&candidate, &method, &url, signed_in && host == HOST);
                    assert_eq!(success, came.passed(), "{said} {}", why());
                    if passes {
                        let number = expected.as_ref().map(|known| known.number as u64);
                        assert_eq!(said["route"].as_u64(), number, "{said} {}", why());
                    } else {
                        assert_eq!(said["fetch"]["status"], came.status, "{said} {}", why());
                        assert_eq!(said["fetch"]["code"], came.code(), "{said} {}", why());
                    }
                }
                known.extend(expected);
            }
            // 3. What is open beside what is protected was warned of.
            met += is_warned(&settings, &known, &problems.to_string(), &routes);
            is_one_place_without_case(&settings, &known, &routes);
        }
    }
    eprintln!(
        "{tried} policies, {sent} requests, {lenient} lenient, {explanations} explained, {met} second \
         doors"
    );
    assert!(explanations > 100 && met > 100 && lenient > 100, "{explanations} {met} {lenient}");
}
