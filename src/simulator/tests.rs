//! The simulator over real sockets, as a service provider and a browser meet it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::kit::{Kit, Names, Role};
use super::*;
use crate::base::clock::{Clock, ManualClock, SystemClock};
use crate::base::encoding::base64;
use crate::base::random::message_id;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::artifact::{self, Artifact};
use crate::saml::assertion::Assertion;
use crate::saml::authn_request::{ServiceKind, Template};
use crate::saml::examine::examine;
use crate::saml::expected::{Expected, Wrapping};
use crate::saml::logout::{self, NodeSession};
use crate::saml::soap;
use crate::server::listener::{Stopper, stop};
use crate::server::tls;
use crate::xml::keys::DecryptionKey;
use crate::xml::signature::TrustedCertificates;
use crate::xml::signer::Signer;

const ISSUER: &str = "https://portal.example";
const ACS: &str = "https://portal.example/.brama/acs";

struct World {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    clock: Arc<ManualClock>,
    kit: Arc<Kit>,
    signer: Signer,
    sso: String,
    resolve: String,
    logout: String,
    origin: String,
    control: Control,
    _stopper: Stopper,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a service provider remembers of a login.
struct Login {
    request_id: String,
    artifact: Artifact,
    relay_state: Option<String>,
}

fn world_with(mutual_tls: MutualTls, with_certificate: bool) -> World {
    // The true time: TLS asks the machine's own clock whether a certificate is valid.
    let now = SystemClock.now();
    let clock = Arc::new(ManualClock::at(now));
    let node = "symulator.brama.localhost";
    let kit = Kit::make(Names { node, service: ISSUER, hosts: &[] }, now).unwrap();
    let kit = Arc::new(kit);
    let services = vec![kit.service(ISSUER, vec![ACS.to_owned()], None)];
    let settings = Settings { mutual_tls, services, ..Settings::default() };
    let simulator = Simulator::bind_with(settings, Arc::clone(&kit), clock.clone()).unwrap();
    let (stopper, stop) = stop();

    let authority = kit.pair(Role::Authority).certificate_pem();
    let roots = tls::root_store(&tls::read_chain(authority.as_bytes()).unwrap()).unwrap();
    let own = kit.pair(Role::ServiceTlsClient);
    let (certificate, key) = (own.certificate_pem(), own.key_pem());
    let identity =
        tls::Identity { certificate: certificate.as_bytes(), key: key.expose().as_bytes() };
    let config = tls::client(roots, with_certificate.then_some(identity)).unwrap();
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .build();
    let world = World {
        client: Client::builder(TokioExecutor::new()).build(connector),
        signer: kit.pair(Role::ServiceSignature).signer().unwrap(),
        sso: simulator.sso_url().to_owned(),
        resolve: simulator.resolve_url().to_owned(),
        logout: simulator.logout_url().to_owned(),
        origin: simulator.pages_origin().to_owned(),
        control: simulator.control(),
        clock,
        kit,
        _stopper: stopper,
    };
    tokio::spawn(simulator.run(stop));
    world
}

fn world() -> World {
    world_with(MutualTls::Required, true)
}

impl World {
    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    async fn try_send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, hyper_util::client::legacy::Error> {
        let response: Response<_> = self.client.request(request).await?;
        let location = response.headers().get("location").map(|v| v.to_str().unwrap().to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Ok(Answer { status, location, body })
    }

    async fn post(&self, url: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
        let mut request = Request::post(url).header("accept-language", "en");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.post(url, "application/x-www-form-urlencoded", body.finish()).await
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(format!("{}{path}", self.origin));
        self.send(request.body(Full::default()).unwrap()).await
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/control/{path}", self.origin))
            .header("x-brama-control", "1");
        self.send(request.body(Full::new(body.to_string().into())).unwrap()).await
    }

    fn request(&self, id: &str) -> String {
        let template = Template {
            issuer: ISSUER.to_owned(),
            provider_name: "Urząd".to_owned(),
            kind: ServiceKind::Public,
            destination: self.sso.clone(),
            acs: ACS.to_owned(),
            required: Attribute::ALL.to_vec(),
            optional: Vec::new(),
            force_authn: true,
        };
        template.sign(id, self.clock.now(), Assurance::Substantial, &self.signer).unwrap()
    }

    /// Opens the page where a person is chosen, and returns the request's ID and the handle.
    async fn open(&self, relay_state: &str) -> (String, String) {
        let id = message_id();
        let request = base64(self.request(&id).as_bytes());
        let fields = [("SAMLRequest", &*request), ("RelayState", relay_state)];
        let page = self.post_form(&self.sso, &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let text = page.text();
        let handle = between(&text, "name=\"transaction\" value=\"", "\"").to_owned();
        (id, handle)
    }

    async fn choose(&self, fields: &[(&str, &str)]) -> Login {
        let (request_id, handle) = self.open("ślad-1").await;
        let mut all = vec![("transaction", &*handle)];
        all.extend_from_slice(fields);
        let page = self.post_form(&format!("{}/login/choose", self.origin), &all).await;
        let text = page.text();
        assert_eq!(page.status, StatusCode::OK, "{text}");
        assert!(text.contains(&format!("action=\"{ACS}\"")), "{text}");
        let artifact = Artifact::parse(between(&text, "name=\"SAMLart\" value=\"", "\"")).unwrap();
        let start = "name=\"RelayState\" value=\"";
        let relay_state = text.contains(start).then(|| between(&text, start, "\"").to_owned());
        Login { request_id, artifact, relay_state }
    }

    async fn resolve_as(&self, login: &Login, issuer: &str) -> (String, Answer) {
        let id = message_id();
        let now = self.clock.now();
        let message = artifact::resolve(&login.artifact, &id, now, issuer, &self.signer).unwrap();
        // A published client sends no content type.
        let answer = self.post(&self.resolve, "", soap::wrap(&message)).await;
        (id, answer)
    }

    async fn resolve(&self, login: &Login) -> Result<Assertion, &'static str> {
        let (resolve_id, answer) = self.resolve_as(login, ISSUER).await;
        self.examine(login, resolve_id, &answer)
    }

    fn examine(
        &self,
        login: &Login,
        resolve_id: String,
        answer: &Answer,
    ) -> Result<Assertion, &'static str> {
        let node = self.kit.pair(Role::NodeSigning).certificate().clone();
        let trusted = TrustedCertificates::pin(vec![node]).unwrap();
        let key = DecryptionKey::try_from(self.kit.pair(Role::ServiceEncryption).key()).unwrap();
        let expected = Expected {
            node: Some("symulator.brama.localhost".to_owned()),
            service: Some(ISSUER.to_owned()),
            acs: Some(ACS.to_owned()),
            request_id: Some(login.request_id.clone()),
            resolve_id: Some(resolve_id),
            assurance: Some(Assurance::Substantial),
            fresh_since: None,
            required: Attribute::ALL.to_vec(),
            skew: Duration::from_secs(60),
            maximum_bytes: 256 * 1024,
            wrapping: Wrapping::Soap,
        };
        examine(&answer.body, &trusted, &[key], &expected, self.clock.now())
            .for_login()
            .map_err(|refusal| refusal.code().as_str())
    }

    async fn log_out(&self, assertion: &Assertion) -> Result<(), String> {
        let id = message_id();
        let session =
            NodeSession { name_id: assertion.name_id(), session_index: assertion.session_index() };
        let now = self.clock.now();
        let message =
            logout::request(&session, &id, now, ISSUER, &self.logout, &self.signer).unwrap();
        let answer = self.post(&self.logout, "text/xml", soap::wrap(&message)).await;
        let node = self.kit.pair(Role::NodeSigning).certificate().clone();
        let trusted = TrustedCertificates::pin(vec![node]).unwrap();
        logout::confirm(&answer.body, &id, &trusted, 65_536).map_err(|error| error.to_string())
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} in {text}")) + start.len();
    let length = text[from..].find(end).unwrap();
    &text[from..from + length]
}

#[tokio::test]
async fn a_citizen_signs_in_and_out() {
    let world = world();
    let login = world.choose(&[("person", "lukasz")]).await;
    assert_eq!(login.relay_state.as_deref(), Some("ślad-1"));
    let assertion = world.resolve(&login).await.unwrap();
    assert_eq!(assertion.person().family_name(), Some("Ścibor-Wąż"));
    assert_eq!(assertion.assurance(), Assurance::Substantial);
    let sessions = world.get("/control/sessions").await.json();
    assert_eq!(sessions[0]["person"], "lukasz");
    assert_eq!(world.log_out(&assertion).await, Ok(()));
    let again = world.log_out(&assertion).await.unwrap_err();
    assert!(again.contains("unknown session"), "{again}");
    assert_eq!(world.control.last_findings(), Some(vec!["logout-request-unknown-session"]));
}

#[tokio::test]
async fn the_way_in_gives_its_level_and_a_chosen_level_wins() {
    let world = world();
    for (fields, level, authority) in [
        (vec![("way", "e-dowod")], Assurance::High, "e-dowod.symulator"),
        (vec![("way", "bank")], Assurance::Substantial, "bank.symulator"),
        (vec![("assurance", "high")], Assurance::High, "pz.gov.pl"),
    ] {
        let mut fields = fields;
        fields.push(("person", "anna"));
        let assertion = world.resolve(&world.choose(&fields).await).await.unwrap();
        assert_eq!((assertion.assurance(), assertion.authority()), (level, Some(authority)));
    }
    let low = world.choose(&[("person", "anna"), ("assurance", "low")]).await;
    assert_eq!(world.resolve(&low).await.unwrap_err(), "login.assurance_too_low");
}

#[tokio::test]
async fn an_artifact_is_of_the_standard_form_and_is_used_once_within_its_life() {
    let world = world();
    let login = world.choose(&[("person", "anna")]).await;
    let bytes = crate::base::encoding::from_base64(login.artifact.as_str()).unwrap();
    assert_eq!((bytes.len(), &bytes[..4]), (44, &[0, 4, 0, 0][..]));
    assert!(world.resolve(&login).await.is_ok());
    assert_eq!(world.resolve(&login).await.unwrap_err(), "login.artifact_unknown_to_node");
    let late = world.choose(&[("person", "anna")]).await;
    world.clock.advance(bounds::ARTIFACT_LIFE);
    assert_eq!(world.resolve(&late).await.unwrap_err(), "login.artifact_unknown_to_node");
}

#[tokio::test]
async fn a_transaction_is_used_once() {
    let world = world();
    let (_, handle) = world.open("x").await;
    let url = format!("{}/login/choose", world.origin);
    let fields = [("transaction", &*handle), ("person", "anna")];
    let unknown = [("transaction", &*handle), ("person", "nikt")];
    assert_eq!(world.post_form(&url, &unknown).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.post_form(&url, &fields).await.status, StatusCode::OK);
    assert_eq!(world.post_form(&url, &fields).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn cancelling_and_special_people_come_back_with_their_status() {
    let world = world();
    for (person, code) in [
        ("cancel", "login.cancelled"),
        ("odmowa", "login.refused_by_node"),
        ("nieznany", "login.unknown_person"),
        ("zle-zadanie", "login.our_request_refused"),
        ("awaria", "login.node_failed"),
    ] {
        let login = world.choose(&[("person", person)]).await;
        assert_eq!(world.resolve(&login).await.unwrap_err(), code, "{person}");
    }
    assert_eq!(world.get("/control/sessions").await.json(), json!([]));
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_with_all_that_is_wrong() {
    let world = world();
    let id = message_id();
    let wrong = world.request(&id).replace("HTTP-Artifact", "HTTP-POST").replace("LoA/", "loa/");
    let encoded = base64(wrong.as_bytes());
    let page = world.post_form(&world.sso, &[("SAMLRequest", &encoded)]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let codes = ["message-signature", "authn-request-protocol-binding", "authn-request-assurance"];
    for code in codes {
        assert!(page.text().contains(code), "{code}: {}", page.text());
    }
    assert!(page.text().contains("What to do"));
    assert_eq!(world.control.last_findings(), Some(codes.to_vec()));
    let requests = world.get("/control/requests").await.json();
    assert_eq!(requests[0]["accepted"], false);
    assert_eq!(requests[0]["kind"], "AuthnRequest");
    assert_eq!(requests[0]["id"], id);
    assert_eq!(requests[0]["xml"], wrong);
    assert_eq!(requests[0]["findings"][1]["code"], codes[1]);

    let overview = world.get("/").await;
    assert!(overview.text().contains("authn-request-protocol-binding"));
    let by_get = world.get(sockets::SSO_PATH).await;
    assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(by_get.text().contains("HTTP-POST"));
    let long = vec![b'x'; bounds::BODY_BYTES + 1];
    let form = "application/x-www-form-urlencoded";
    assert_eq!(world.post(&world.sso, form, long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_wrong_resolve_is_answered_with_requester_and_the_reason() {
    let world = world();
    let login = world.choose(&[("person", "anna")]).await;
    let (id, answer) = world.resolve_as(&login, "https://nobody.example").await;
    assert!(answer.text().contains("message-issuer-unknown"), "{}", answer.text());
    let refused = world.examine(&login, id, &answer);
    assert_eq!(refused.unwrap_err(), "login.our_request_refused");

    // Another service presents the artifact: it stays for the one that it belongs to.
    let other = "https://other.example";
    world.control.register(world.kit.service(other, vec![ACS.to_owned()], None)).unwrap();
    let (id, answer) = world.resolve_as(&login, other).await;
    assert!(answer.text().contains("artifact-resolve-foreign"), "{}", answer.text());
    assert_eq!(world.examine(&login, id, &answer).unwrap_err(), "login.our_request_refused");
    assert!(world.resolve(&login).await.is_ok());

    for body in ["", "rubbish", "<a/>"] {
        let answer = world.post(&world.resolve, "text/xml", body).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.text().contains("soap:Client"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_identifier_of_a_resolve_may_be_repeated() {
    let world = world();
    for _ in 0..2 {
        let login = world.choose(&[("person", "anna")]).await;
        let id = "ID-00000000-0000-4000-8000-000000000001";
        let now = world.clock.now();
        let message = artifact::resolve(&login.artifact, id, now, ISSUER, &world.signer).unwrap();
        let answer = world.post(&world.resolve, "", soap::wrap(&message)).await;
        assert!(world.examine(&login, id.to_owned(), &answer).is_ok());
    }
}

#[tokio::test]
async fn faults_are_chosen_on_the_page_for_the_next_login_or_for_all() {
    let world = world();
    let on_page = world.choose(&[("person", "anna"), ("fault", "audience")]).await;
    assert_eq!(world.resolve(&on_page).await.unwrap_err(), "login.wrong_audience");

    let answer = world.control("PUT", "faults", &json!({ "next": ["recipient"] })).await;
    assert_eq!((answer.status, &answer.json()["next"]), (StatusCode::OK, &json!(["recipient"])));
    let next = world.choose(&[("person", "anna")]).await;
    assert_eq!(world.resolve(&next).await.unwrap_err(), "login.wrong_recipient");
    assert!(world.resolve(&world.choose(&[("person", "anna")]).await).await.is_ok());

    world.control.always(&[faults::Fault::Http500]);
    for _ in 0..2 {
        let login = world.choose(&[("person", "anna")]).await;
        let (_, answer) = world.resolve_as(&login, ISSUER).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let unknown = world.control("PUT", "faults", &json!({ "always": ["no-such"] })).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.text().contains("no-such"));
}

#[tokio::test]
async fn the_way_back_has_its_faults_too() {
    let world = world();
    let lost = world.choose(&[("person", "anna"), ("fault", "relay-state-lost")]).await;
    assert_eq!(lost.relay_state, None);
    let other = world.choose(&[("person", "anna"), ("fault", "relay-state-other")]).await;
    assert!(other.relay_state.is_some_and(|relay_state| relay_state != "ślad-1"));

    let (_, handle) = world.open("a b").await;
    let url = format!("{}/login/choose", world.origin);
    let fields = [("transaction", &*handle), ("person", "anna"), ("fault", "return-by-get")];
    let answer = world.post_form(&url, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.location.unwrap();
    assert!(location.starts_with(&format!("{ACS}?SAMLart=")), "{location}");
    assert!(location.ends_with("&RelayState=a+b"), "{location}");
}

#[tokio::test]
async fn a_replayed_assertion_has_the_identifier_of_the_one_before() {
    let world = world();
    let first = world.resolve(&world.choose(&[("person", "anna")]).await).await.unwrap();
    let replayed = world.choose(&[("person", "zofia"), ("fault", "replayed-assertion")]).await;
    let second = world.resolve(&replayed).await.unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(world.log_out(&second).await, Ok(()));
}

#[tokio::test]
async fn a_logout_can_be_made_to_fail() {
    let world = world();
    for (fault, text) in [("logout-fails", "symulowana odmowa"), ("logout-rubbish", "read")] {
        let login = world.choose(&[("person", "anna"), ("fault", fault)]).await;
        let assertion = world.resolve(&login).await.unwrap();
        let failed = world.log_out(&assertion).await.unwrap_err();
        assert!(failed.contains(text), "{failed}");
    }
}

#[tokio::test]
async fn the_soap_listener_asks_for_a_client_certificate_as_it_is_told() {
    for (mutual_tls, with_certificate, open) in [
        (MutualTls::Required, true, true),
        (MutualTls::Required, false, false),
        (MutualTls::Optional, true, true),
        (MutualTls::Optional, false, true),
        (MutualTls::Off, false, true),
    ] {
        let world = world_with(mutual_tls, with_certificate);
        let request = Request::post(&world.resolve).body(Full::default()).unwrap();
        let answer = world.try_send(request).await;
        assert_eq!(answer.is_ok(), open, "{mutual_tls:?} {with_certificate}");
        let scheme = if mutual_tls == MutualTls::Off { "http://" } else { "https://" };
        assert!(world.resolve.starts_with(scheme));
    }
}

#[tokio::test]
async fn the_control_api_answers_only_local_names_and_changes_only_with_its_header() {
    let world = world();
    let url = format!("{}/control/faults", world.origin);
    let put = |url: &str| Request::put(url);
    let body = || Full::new(Bytes::from_static(b"{\"always\":[\"audience\"]}"));
    let plain = world.send(put(&url).body(body()).unwrap()).await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN);
    for method in ["PUT", "GET"] {
        let foreign = Request::builder()
            .method(method)
            .uri(&url)
            .header("host", "evil.example")
            .header("x-brama-control", "1");
        let answer = world.send(foreign.body(body()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let state = world.get("/control/state").await.json();
    assert_eq!(state["always"], json!([]));
    assert_eq!(state["faults"].as_array().unwrap().len(), faults::Fault::ALL.len());
    assert_eq!(state["services"][0]["issuer"], ISSUER);
    assert_eq!(world.get("/control/other").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/control/faults").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_service_is_registered_through_the_control_api() {
    let world = world();
    let pem = |role| world.kit.pair(role).certificate_pem();
    let registration = json!({
        "issuer": "django",
        "acs": ["http://127.0.0.1:8000/acs/"],
        "provider_name": "saml-emulator",
        "signing_certificate": pem(Role::ServiceEncryption),
        "encryption_certificate": pem(Role::ServiceEncryption),
    });
    let answer = world.control("POST", "services", &registration).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "issuer": "django" })));
    let state = world.get("/control/state").await.json();
    assert_eq!(state["services"][1]["provider_name"], "saml-emulator");
    for broken in [
        json!({}),
        json!({
            "issuer": "x",
            "acs": [],
            "signing_certificate": "",
            "encryption_certificate": "",
        }),
    ] {
        let answer = world.control("POST", "services", &broken).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[test]
fn refuses_addresses_that_others_can_reach_and_issuers_that_are_no_host_names() {
    let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    for settings in [
        Settings { pages: everywhere, ..Settings::default() },
        Settings { soap: everywhere, ..Settings::default() },
    ] {
        let refused = Simulator::bind(settings.clone(), clock.clone());
        assert!(matches!(refused, Err(Error::NotLoopback(_))));
        let settings = Settings { allow_remote: true, ..settings };
        assert!(Simulator::bind(settings, clock.clone()).is_ok());
    }
    for node_issuer in ["", "https://login.gov.pl", "a b"] {
        let settings = Settings { node_issuer: node_issuer.to_owned(), ..Settings::default() };
        assert!(matches!(Simulator::bind(settings, clock.clone()), Err(Error::NodeIssuer(_))));
    }
}
