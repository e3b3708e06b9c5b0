//! The pages listener: sign-on, the choice of a person, the overview.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::message::{answer, field, page, read};
use super::{control, logins};
use crate::base::body::Body;
use crate::identity::assurance::Assurance;
use crate::pages::Language;
use crate::server::listener::{Peer, Service};
use crate::simulator::bounds::FAULTS;
use crate::simulator::choice::{Choice, NoReturn, Return};
use crate::simulator::faults::Fault;
use crate::simulator::node::Node;
use crate::simulator::pages;
use crate::simulator::paths::{CONTROL_PATH, EXTERNAL_PATH, SSO_PATH};
use crate::simulator::people::Way;
use crate::wire::incoming::Incoming;

/// Answers browsers, and programs that use the control API.
pub(in crate::simulator) struct Browser {
    node: Arc<Node>,
}

impl Browser {
    pub(in crate::simulator) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn sign_on(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        language: Language,
    ) -> Response<Body> {
        match self.node.sign_on(content_type, body) {
            Ok((handle, transaction)) => {
                if let Some(back) = self.node.play_back(&handle) {
                    return lead_back(&back, language);
                }
                let people = self.node.equipment.roster.people();
                page(StatusCode::OK, pages::chooser(language, &handle, &transaction, &people))
            }
            Err(findings) => page(StatusCode::BAD_REQUEST, pages::refused(language, &findings)),
        }
    }

    /// Tells whether what the node has seen is shown: under a name of this machine or of its own, so
    /// that no page of others leads its name here and reads it.
    fn may_see(&self, parts: &Parts) -> bool {
        let host = field(&parts.headers, header::HOST);
        let own = &self.node.addresses.pages_origin;
        let is_own = host.is_some_and(|host| {
            own.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        });
        self.node.equipment.is_watched && (is_own || control::is_local_host(host))
    }

    fn choose(&self, body: &[u8], language: Language) -> Response<Body> {
        match self.node.choose(&read_choice(body)) {
            Ok(back) => lead_back(&back, language),
            Err(NoReturn::Transaction) => page(StatusCode::GONE, pages::over(language)),
            Err(NoReturn::Person) => page(StatusCode::BAD_REQUEST, pages::nobody(language)),
        }
    }
}

impl Service for Browser {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Response<Body> {
        let accepted = field(&parts.headers, header::ACCEPT_LANGUAGE);
        let language = Language::negotiate_among(&Language::OF_TOOLS, accepted);
        let path = parts.uri.path();
        if path.starts_with(CONTROL_PATH) && self.node.equipment.is_watched {
            return control::answer(&self.node, &parts, body, peer).await;
        }
        match (path, &parts.method) {
            (SSO_PATH, &Method::POST) => match read(body).await {
                Ok(body) => {
                    let content_type = field(&parts.headers, header::CONTENT_TYPE);
                    self.sign_on(content_type, &body, language)
                }
                Err(status) => page(status, pages::unreadable(language)),
            },
            (SSO_PATH, _) => {
                let explanation = pages::post_only(language);
                let mut response = page(StatusCode::METHOD_NOT_ALLOWED, explanation);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                response
            }
            (pages::CHOOSE_PATH, &Method::POST) => match read(body).await {
                Ok(body) => self.choose(&body, language),
                Err(status) => page(status, pages::unreadable(language)),
            },
            (EXTERNAL_PATH, _) => {
                self.node.state().fetched += 1;
                page(StatusCode::NOT_FOUND, pages::not_found(language))
            }
            ("/", &Method::GET | &Method::HEAD) if self.may_see(&parts) => {
                page(StatusCode::OK, pages::overview(language, &self.node))
            }
            (path, &Method::GET | &Method::HEAD)
                if self.may_see(&parts)
                    && path
                        .strip_prefix(pages::LOGINS_PATH)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) =>
            {
                logins::show(&self.node, path, language)
            }
            _ => page(StatusCode::NOT_FOUND, pages::not_found(language)),
        }
    }
}

fn read_choice(body: &[u8]) -> Choice {
    let mut choice = Choice::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "transaction" => choice.transaction = value.into_owned(),
            "person" => choice.person = value.into_owned(),
            "way" => choice.way = Way::find(&value),
            "assurance" => choice.assurance = Assurance::parse(&value),
            "fault" => {
                choice.faults.extend(Fault::find(&value).filter(|_| choice.faults.len() < FAULTS));
            }
            _ => {}
        }
    }
    choice
}

fn lead_back(back: &Return, language: Language) -> Response<Body> {
    if back.by_get { redirect(back) } else { page(StatusCode::OK, pages::back(language, back)) }
}

/// The quirk of a return by GET.
fn redirect(back: &Return) -> Response<Body> {
    let Ok(mut target) = url::Url::parse(&back.acs) else {
        return answer(StatusCode::BAD_GATEWAY, "text/plain; charset=utf-8", "ACS");
    };
    target.query_pairs_mut().append_pair("SAMLart", &back.artifact);
    if let Some(relay_state) = &back.relay_state {
        target.query_pairs_mut().append_pair("RelayState", relay_state);
    }
    let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    if let Ok(target) = HeaderValue::try_from(target.as_str()) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}
