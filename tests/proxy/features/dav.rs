//! `MOVE` and `COPY` (RFC 4918) reach two places, and both are judged.

use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, Plan, Program, Simulator, python, sign_in};

/// A gateway before two portals that take every method.
struct Place {
    _portals: [Program; 2],
    _simulator: Simulator,
    gateway: Gateway,
    cookie: String,
}

fn start() -> Option<Place> {
    if !tools::has(&[Tool::Python]) {
        return None;
    }
    let ((first, first_url), (second, second_url)) = (python("recorder.py"), python("recorder.py"));
    let mut plan = Plan::empty().upstream("portal", &first_url).upstream("other", &second_url);
    for (path, upstream, access, lines) in [
        ("/", "portal", "required", ""),
        ("/open", "portal", "public", ""),
        ("/strict", "portal", "required", "assurance = \"high\""),
        ("/read", "portal", "required", "methods = [\"GET\", \"HEAD\"]"),
        ("/box", "portal", "required", "methods = [\"MOVE\", \"PUT\"]"),
        ("/closed", "portal", "required", "maintenance = true"),
        ("/other", "other", "required", ""),
        ("/team", "portal", "required", ""),
        ("/team/a/secret", "portal", "required", "assurance = \"high\""),
        ("/shared", "portal", "required", ""),
        ("/shared/foreign", "other", "required", "assurance = \"high\""),
        ("/app", "portal", "required", "strip_prefix = \"/app\""),
        ("/bound", "portal", "required", "methods = [\"BIND\", \"MERGE\"]"),
    ] {
        plan = plan.route(path, upstream, access).with(lines);
    }
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    Some(Place { _portals: [first, second], _simulator: simulator, gateway, cookie })
}

impl Place {
    fn ask(&self, method: &str, path: &str, fields: &str) -> Answer {
        let (mut wire, host) = (self.gateway.connect(), self.gateway.host());
        let cookie = &self.cookie;
        let fields = fields.replace("HOST", &host);
        wire.send(
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{fields}\r\n")
                .as_bytes(),
        );
        wire.answer(method)
    }

    /// Returns the destination that the portal saw.
    fn destination(&self, answer: &Answer) -> String {
        let seen = answer.json();
        let mut headers = seen["headers"].as_array().unwrap().iter();
        let field = headers.find(|header| header[0] == "destination");
        field.unwrap()[1].as_str().unwrap().replace(&self.gateway.host(), "HOST")
    }
}

#[test]
fn a_destination_goes_on_as_the_portal_knows_it_when_the_same_session_may_write_there() {
    let Some(place) = start() else { return };
    for (method, path, fields, seen) in [
        ("MOVE", "/a", "Destination: /b\r\n", "/b"),
        ("COPY", "/a", "Destination: http://HOST/b%20c;v=1\r\n", "http://HOST/b%20c;v=1"),
        ("MOVE", "/open/a", "Destination: /b\r\n", "/b"),
        ("MOVE", "/a", "Destination: /box/b\r\nOverwrite: F\r\n", "/box/b"),
        ("MOVE", "/a", "Destination: /app/b\r\n", "/b"),
        ("MOVE", "/app/a", "Destination: http://HOST/app/b/\r\n", "http://HOST/b/"),
        ("MOVE", "/app/a", "Destination: /b\r\n", "/b"),
        ("MOVE", "/team/b", "Destination: /team/c\r\n", "/team/c"),
        ("COPY", "/team", "Destination: /b\r\nDepth: 0\r\n", "/b"),
        ("MOVE", "/shared", "Destination: /b\r\n", "/b"),
    ] {
        let answer = place.ask(method, path, fields);
        assert_eq!(answer.status, 200, "{method} {path} {fields} {}", answer.text());
        assert_eq!(place.destination(&answer), seen, "{method} {path} {fields}");
    }
}

#[test]
fn a_destination_that_cannot_be_judged_or_may_not_be_written_to_is_refused() {
    let Some(place) = start() else { return };
    let (broken, denied) = ("request.destination", "request.destination_not_allowed");
    for (method, path, fields, status, reason) in [
        ("MOVE", "/a", "", 400, broken),
        ("MOVE", "/a", "Destination: /b\r\nDestination: /c\r\n", 400, broken),
        ("MOVE", "/a", "Destination: b\r\n", 400, broken),
        ("MOVE", "/a", "Destination: //HOST/b\r\n", 400, broken),
        ("MOVE", "/a", "Destination: /b/../strict/c\r\n", 400, broken),
        ("MOVE", "/a", "Destination: /%2e%2e/strict\r\n", 400, broken),
        ("MOVE", "/a", "Destination: http://HOST/b?c\r\n", 400, broken),
        ("MOVE", "/a", "Destination: http://x@HOST/b\r\n", 400, broken),
        ("MOVE", "/a", "Destination: ftp://HOST/b\r\n", 400, broken),
        ("COPY", "/a", "Destination: http://elsewhere.example/b\r\n", 403, denied),
        ("COPY", "/a", "Destination: http://localhost:1/b\r\n", 403, denied),
        ("COPY", "/a", "Destination: /.brama/logout\r\n", 403, denied),
        ("COPY", "/a", "Destination: /strict/b\r\n", 403, denied),
        ("COPY", "/a", "Destination: http://HOST/%73trict/b\r\n", 403, denied),
        ("COPY", "/a", "Destination: /read/b\r\n", 403, denied),
        ("COPY", "/a", "Destination: /box/b\r\nOverwrite: F\r\n", 403, denied),
        ("MOVE", "/a", "Destination: /box/b\r\n", 403, denied),
        ("MOVE", "/a", "Destination: /box/b\r\nOverwrite: T\r\n", 403, denied),
        ("MOVE", "/a", "Destination: /closed/b\r\n", 403, denied),
        ("MOVE", "/a", "Destination: /other/b\r\n", 403, denied),
        // What is below goes along.
        ("COPY", "/team", "Destination: /b\r\n", 403, denied),
        ("MOVE", "/team/a", "Destination: /b\r\n", 403, denied),
        ("MOVE", "/team/a/", "Destination: /b\r\nDepth: 0\r\n", 403, denied),
        ("MOVE", "/b", "Destination: /team/a\r\n", 403, denied),
        ("MOVE", "/b", "Destination: http://HOST\r\n", 403, denied),
        // Places in a body are seen by nobody.
        ("BIND", "/a", "", 403, "request.second_place"),
        ("BMOVE", "/a", "Destination: /b\r\n", 403, "request.second_place"),
        // Nor is another method.
        (
            "POST",
            "/a",
            "X-HTTP-Method-Override: MOVE\r\nDestination: /strict/b\r\n",
            400,
            "request.method_override",
        ),
    ] {
        let answer = place.ask(method, path, fields);
        let found = (answer.status, answer.reason());
        assert_eq!(found, (status, reason.to_owned()), "{method} {path} {fields}");
    }
    // Where a route names it, somebody has decided so; and it is nothing to other methods.
    assert_eq!(place.ask("BIND", "/bound/a", "").status, 200);
    assert_eq!(place.ask("MERGE", "/bound/a", "").status, 200);
    assert_eq!(place.ask("GET", "/a", "Destination: /strict/b\r\n").status, 200);
}

#[test]
fn who_is_not_signed_in_reaches_no_second_place_that_asks_for_it() {
    let Some(mut place) = start() else { return };
    place.cookie = "a=b".to_owned();
    let answer = place.ask("COPY", "/open/a", "Destination: /b\r\n");
    assert_eq!((answer.status, &*answer.reason()), (403, "request.destination_not_allowed"));
    assert_eq!(place.ask("COPY", "/open/a", "Destination: /open/b\r\n").status, 200);
}
