//! The forms in which a portal is told who a citizen is.

use std::collections::HashMap;

use super::unprocessed::Portal;
use crate::harness::{Answer, Gateway, Plan, Script, Simulator, sign_in};

/// A gateway before a portal that notes what it hears, and a citizen who is signed in.
pub(super) struct Case {
    portal: Script,
    gateway: Gateway,
    cookie: String,
    /// What ends with it.
    _simulator: Simulator,
    _folder: Option<tempfile::TempDir>,
}

impl Case {
    /// Routes below `/`, each with lines of its own.
    fn start(routes: &[(&str, &str, &str)]) -> Self {
        Self::start_with(routes, None)
    }

    pub(super) fn start_with(
        routes: &[(&str, &str, &str)],
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let portal = Script::start(HashMap::new());
        let mut plan = Plan::empty().upstream("portal", &portal.url());
        for (path, access, lines) in routes {
            plan = plan.route(path, "portal", access).with(lines);
        }
        let simulator = Simulator::start(plan.address());
        let gateway = plan.node(&simulator).start();
        let cookie = format!("Cookie: {}\r\n", sign_in(&gateway, "anna"));
        Self { portal, gateway, cookie, _simulator: simulator, _folder: folder }
    }

    pub(super) fn send(&self, line: &str, fields: &str) -> Answer {
        let (mut wire, host) = (self.gateway.connect(), self.gateway.host());
        wire.send(format!("{line} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes());
        wire.answer(line.split(' ').next().unwrap())
    }

    /// The fields that the portal got of a request, in order: names in lower case, and values.
    fn told(&self, line: &str, fields: &str) -> Vec<(String, String)> {
        let answer = self.send(line, fields);
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
        let head = self.portal.heard().pop().unwrap().head;
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect()
    }

    pub(super) fn of_anna(&self, line: &str, fields: &str) -> Vec<(String, String)> {
        self.told(line, &format!("{}{fields}", self.cookie))
    }
}

/// The values of all fields of a name.
pub(super) fn values<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect()
}

#[test]
fn no_credentials_of_a_client_go_beside_a_token_that_takes_their_place() {
    let case =
        Case::start(&[("/", "required", ""), ("/bearer", "required", "identity = [\"bearer\"]")]);
    let (one, another) = ("Authorization: Basic YTpi\r\n", "authorization: Bearer x\r\n");
    let kept = case.of_anna("GET /", one);
    assert_eq!(values(&kept, "authorization"), ["Basic YTpi"]);
    for fields in ["", one, another, &format!("{one}{another}")] {
        let told = case.of_anna("GET /bearer", fields);
        let [sent] = values(&told, "authorization")[..] else { panic!("{fields}: {told:?}") };
        let token = sent.strip_prefix("Bearer ");
        assert_eq!(token.map(|token| token.split('.').count()), Some(3), "{fields}");
    }
}

#[test]
fn each_route_tells_in_the_forms_that_it_names() {
    let claims = "claims = [\"given_name\", \"family_name\"]";
    let case = Case::start(&[
        ("/", "required", ""),
        ("/bearer", "required", "identity = [\"bearer\"]"),
        ("/both", "required", "identity = [\"assertion\", \"bearer\"]"),
        ("/none", "required", "identity = []"),
        ("/own", "required", &format!("identity = [\"headers\"]\n{claims}")),
        (
            "/remote",
            "required",
            &format!(
                "identity = [\"headers\"]\n{claims}\n\
                 identity_headers = {{ preset = \"remote-user\", encoding = \"utf8\" }}"
            ),
        ),
        (
            "/named",
            "required",
            &format!(
                "identity = [\"headers\"]\n{claims}\nidentity_headers = {{ encoding = \"base64\", \
                 fields = [\"X-Citizen: subject\", \"X_Name: name\", \"X-Mail: empty\"] }}"
            ),
        ),
    ]);
    let plain = case.of_anna("GET /", "");
    let [token] = values(&plain, "x-brama-assertion")[..] else { panic!("{plain:?}") };
    assert_eq!(token.split('.').count(), 3);
    let bearer = case.of_anna("GET /bearer", "Authorization: Basic YTpi\r\n");
    let [sent] = values(&bearer, "authorization")[..] else { panic!("{bearer:?}") };
    assert_eq!(sent.strip_prefix("Bearer ").map(|token| token.split('.').count()), Some(3));
    assert!(values(&bearer, "x-brama-assertion").is_empty());
    let both = case.of_anna("GET /both", "");
    let [token] = values(&both, "x-brama-assertion")[..] else { panic!("{both:?}") };
    assert_eq!(values(&both, "authorization"), [format!("Bearer {token}")]);
    let none = case.of_anna("GET /none", "Authorization: Basic YTpi\r\n");
    assert_eq!(values(&none, "authorization"), ["Basic YTpi"], "no form takes its place");
    assert!(!none.iter().any(|(name, _)| name.starts_with("x-brama-")), "{none:?}");

    let own = case.of_anna("GET /own", "X-Brama-Given-Name: Zofia\r\n");
    for (name, value) in [
        ("x-brama-given-name", "Anna"),
        ("x-brama-family-name", "%C5%BB%C3%B3%C5%82kiewska"),
        ("x-brama-pesel", ""),
        ("x-brama-way", "profil_zaufany"),
        ("x-brama-level", "http://eidas.europa.eu/LoA/substantial"),
    ] {
        assert_eq!(values(&own, name), [value], "{name}");
    }
    assert!(values(&own, "x-brama-assertion").is_empty());
    let remote = case.of_anna("GET /remote", "Remote-User: root\r\nREMOTE_USER: root\r\n");
    assert_eq!(values(&remote, "remote-user"), values(&own, "x-brama-subject"));
    assert_eq!(values(&remote, "remote-name"), ["Anna Żółkiewska"]);
    assert_eq!(values(&remote, "remote-groups"), [""]);
    assert!(values(&remote, "remote_user").is_empty());
    let named = case.of_anna("GET /named", "");
    assert_eq!(values(&named, "x_name"), ["QW5uYSDFu8OzxYJraWV3c2th"]);
    assert_eq!((values(&named, "x-citizen").len(), values(&named, "x-mail")), (1, vec![""]));
}

/// A portal cannot see by which route a request came, so names of one route are taken from all.
#[test]
fn nobody_sends_a_name_under_which_some_route_tells_an_identity() {
    let named =
        "identity = [\"headers\"]\nidentity_headers = { fields = [\"X-Citizen_Id: subject\"] }";
    let case = Case::start(&[
        ("/", "public", ""),
        ("/optional", "optional", named),
        ("/signed", "required", ""),
    ]);
    let forged =
        "X-Citizen-Id: root\r\nX_CITIZEN_ID: root\r\nx.citizen.id: root\r\nX-Citizen: x\r\n";
    for path in ["/", "/optional"] {
        let fields = case.told(&format!("GET {path}"), forged);
        let names: Vec<_> = fields.iter().map(|(name, _)| &**name).collect();
        let left: Vec<_> = names.iter().filter(|name| name.contains("citizen")).collect();
        assert_eq!(left, [&"x-citizen"], "{path}: only what is another name");
    }
    for path in ["/", "/optional", "/signed"] {
        let fields = case.of_anna(&format!("GET {path}"), forged);
        assert!(fields.iter().all(|(_, value)| value != "root"), "{path}: {fields:?}");
    }
    let fields = case.of_anna("GET /optional", forged);
    let [subject] = values(&fields, "x-citizen_id")[..] else { panic!("{fields:?}") };
    assert_eq!(subject.len(), 43);
    // The log tells by which of the names that is known, once a minute.
    case.gateway.has_said(&["a client told an identity"]);
    let said = case.gateway.program.said();
    let told: Vec<_> =
        said.iter().filter(|line| line.contains("a client told an identity")).collect();
    assert!(matches!(told[..], [line] if line.contains("header=\"identity_headers\"")), "{told:?}");
    let answer = case.send("GET /", "Connection: close, X-Citizen-Id\r\n");
    assert_eq!(answer.reason(), "request.connection_names_identity");
}

/// Over both protocols to the portal: what stands behind a body is looked at in one place.
#[test]
fn nobody_tells_an_identity_behind_a_body() {
    let named =
        "identity = [\"headers\"]\nidentity_headers = { fields = [\"X-Citizen: subject\"] }";
    let case = Case::start(&[("/", "public", ""), ("/named", "required", named)]);
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n";
    for (trailer, status) in [
        ("X-Harmless: a\r\n", 200),
        ("X-Citizen: a\r\n", 400),
        ("x_citizen: a\r\n", 400),
        ("Remote-User: a\r\n", 400),
        ("X-Brama-Assertion: a\r\n", 400),
    ] {
        let (mut wire, host) = (case.gateway.connect(), case.gateway.host());
        wire.send(format!("POST / HTTP/1.1\r\nHost: {host}\r\n{chunked}{trailer}\r\n").as_bytes());
        assert_eq!(wire.answer("POST").status, status, "{trailer}");
    }
}

/// The same on the way of HTTP/2, which another library writes.
#[test]
fn nobody_tells_an_identity_behind_a_body_over_http_2() {
    let portal = Portal::start(&[]);
    let gateway = Plan::empty()
        .upstream("portal", &portal.url)
        .with("protocol = \"http2\"")
        .route("/", "portal", "public")
        .start();
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n";
    for (trailer, status) in
        [("X-Harmless: a\r\n", 200), ("Remote-User: a\r\n", 400), ("X_Brama_Pesel: a\r\n", 400)]
    {
        let (mut wire, host) = (gateway.connect(), gateway.host());
        wire.send(format!("POST / HTTP/1.1\r\nHost: {host}\r\n{chunked}{trailer}\r\n").as_bytes());
        assert_eq!(wire.answer("POST").status, status, "{trailer}");
    }
    assert_eq!(portal.seen(), [("2", b"a".to_vec())], "nothing else came to its end");
}

#[test]
fn a_client_signs_nothing_where_the_gateway_does() {
    let case = Case::start(&[
        ("/", "public", ""),
        ("/signed", "optional", "identity = [\"assertion\", \"signature\"]"),
    ]);
    let theirs = "Signature-Input: sig1=();created=1\r\nSignature: sig1=:YQ==:\r\n\
                  X-Brama-Audience: other\r\n\
                  Signature_Input: brama=()\r\nsignature.input: brama=()\r\nContent_Digest: x\r\n\
                  Accept-Signature: sig2=(\"cookie\")\r\n";
    let plain = case.told("GET /", theirs);
    assert_eq!(values(&plain, "signature"), ["sig1=:YQ==:"]);
    for (fields, is_named) in [
        (case.told("GET /signed?a=b", theirs), false),
        (case.of_anna("GET /signed?a=b", theirs), true),
    ] {
        let [input] = values(&fields, "signature-input")[..] else { panic!("{fields:?}") };
        let covered = if is_named { " \"x-brama-assertion\"" } else { "" };
        let begin = format!(
            "brama=(\"@method\" \"@authority\" \"@path\" \"@query\" \"x-brama-audience\"{covered});"
        );
        assert!(input.starts_with(&begin), "{input}");
        assert_eq!(values(&fields, "x-brama-audience"), ["portal"]);
        assert!(input.ends_with(";tag=\"brama\""), "{input}");
        let [signature] = values(&fields, "signature")[..] else { panic!("{fields:?}") };
        assert!(signature.starts_with("brama=:"), "{signature}");
        let aliases = ["signature_input", "signature.input", "content_digest"];
        assert!(aliases.iter().all(|name| values(&fields, name).is_empty()), "{fields:?}");
    }
    // Nor behind a body, on whatever route: a portal cannot see by which one it came.
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n";
    for trailer in ["Signature: a=:YQ==:", "Signature-Input: a=()", "signature_input: a=()"] {
        let (mut wire, host) = (case.gateway.connect(), case.gateway.host());
        wire.send(
            format!("POST / HTTP/1.1\r\nHost: {host}\r\n{chunked}{trailer}\r\n\r\n").as_bytes(),
        );
        assert_eq!(wire.answer("POST").status, 400, "{trailer}");
    }
}

/// A portal that was behind a service provider of Shibboleth believes all of its attribute map.
#[test]
fn nobody_says_what_a_portal_of_shibboleth_reads_beside_what_it_is_told() {
    let lines = "identity = [\"headers\"]\nidentity_headers = { preset = \"shibboleth\" }";
    let case = Case::start(&[("/", "public", ""), ("/shib", "required", lines)]);
    let forged = "mail: root\r\nuid: root\r\nMemberOf: root\r\nentitlement: root\r\ngivenName: root\r\n\
                  eduPersonPrincipalName: root\r\nAuth_Type: root\r\nX-Mail: stays\r\n";
    for fields in [case.told("GET /", forged), case.of_anna("GET /shib", forged)] {
        assert!(fields.iter().all(|(_, value)| value != "root"), "{fields:?}");
        assert_eq!(values(&fields, "x-mail"), ["stays"]);
    }
}
