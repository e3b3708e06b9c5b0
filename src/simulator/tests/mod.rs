//! The simulator over real sockets, as a service provider and a browser meet it.

mod last_logins;
mod listeners;
mod logins;
mod persons;
mod records;
mod services;
mod transport;

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
use crate::saml::logout::{self, ExpectedLogout, NodeSession};
use crate::saml::soap;
use crate::server::listener::{ShutdownHandle, shutdown};
use crate::server::tls;
use crate::xml::keys::DecryptionKey;
use crate::xml::signature::TrustedCertificates;
use crate::xml::signer::Signer;

const ISSUER: &str = "https://portal.example";
const ACS: &str = "https://portal.example/.brama/acs";

struct World {
    connector: HttpsConnector<HttpConnector>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    clock: Arc<ManualClock>,
    kit: Arc<Kit>,
    signer: Signer,
    sso: String,
    resolve: String,
    logout: String,
    origin: String,
    control: Control,
    _stopper: ShutdownHandle,
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
    world_from(Settings { mutual_tls, ..Settings::default() }, with_certificate)
}

fn world_from(settings: Settings, with_certificate: bool) -> World {
    // The true time: TLS asks the machine's own clock whether a certificate is valid.
    let now = SystemClock.now();
    let clock = Arc::new(ManualClock::at(now));
    let node = "symulator.brama.localhost";
    let kit = Kit::make(Names { node, service: ISSUER, hosts: &[] }, now).unwrap();
    let kit = Arc::new(kit);
    let services = vec![kit.service(ISSUER, vec![ACS.to_owned()], None)];
    let settings = Settings { services, ..settings };
    let simulator = Simulator::bind_with(settings, Arc::clone(&kit), clock.clone()).unwrap();
    let (stopper, stop) = shutdown();

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
        client: Client::builder(TokioExecutor::new()).build(connector.clone()),
        connector,
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
        let expected = ExpectedLogout {
            request_id: &id,
            node: "symulator.brama.localhost",
            skew: Duration::from_secs(60),
            maximum_bytes: 65_536,
        };
        let confirmed = logout::confirm(&answer.body, &trusted, &expected, now);
        confirmed.map(drop).map_err(|error| error.to_string())
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} in {text}")) + start.len();
    let length = text[from..].find(end).unwrap();
    &text[from..from + length]
}
