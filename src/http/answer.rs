//! Errors become answers here and nowhere else; and the shapes of our own answers.

use std::time::Duration;

use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::exchange::{Caller, Exchange};
use super::lasting::Cut;
use super::limits::{Counted, TooOften};
use super::stop::Challenge;
use super::{Settings, forwarded, host, hygiene, path};
use crate::base::body::{self, Body};
use crate::base::causes::in_one_line;
use crate::base::reason::Reason;
use crate::flow::crossing;
use crate::flow::login_error::{Class, LoginError};
use crate::flow::pending::Origin;
use crate::flow::room::NotKept;
use crate::pages::{self, Look, Page, Trouble};
use crate::proxy;
use crate::saml::refusal::Kind;
use crate::store::Unavailable;
use crate::wire;
use crate::wire::incoming::BodyError;

/// Something that ends a request: what the citizen reads, and what the log needs.
#[derive(Debug)]
pub struct Failure {
    /// What the citizen reads.
    pub trouble: Trouble,
    /// The status.
    pub status: StatusCode,
    /// The stable reason code.
    pub code: Reason,
    /// For the log only.
    pub detail: String,
    /// Where the citizen can begin again.
    pub begin_again: Option<String>,
    /// The methods that there are, when there is not this one.
    pub allow: Option<Box<str>>,
    /// When it is worth to try again, where that is known.
    pub retry_after: Option<Duration>,
    /// Whether it counts as a failure of the network that it came from.
    pub is_of_the_network: bool,
    /// Whose page led to what failed, when that is not whose page led to this request.
    pub origin: Option<Origin>,
}

impl Failure {
    /// Makes a failure.
    #[must_use]
    pub fn new(trouble: Trouble, status: StatusCode, code: Reason) -> Self {
        let (detail, begin_again) = (String::new(), None);
        Self {
            trouble,
            status,
            code,
            detail,
            begin_again,
            allow: None,
            retry_after: None,
            is_of_the_network: false,
            origin: None,
        }
    }

    /// A request that is malformed.
    #[must_use]
    pub fn malformed(code: Reason, detail: impl Into<String>) -> Self {
        let failure = Self::new(Trouble::MalformedRequest, StatusCode::BAD_REQUEST, code);
        Self { detail: detail.into(), ..failure }
    }

    /// Says where the citizen can begin again.
    #[must_use]
    pub fn begin_again(self, at: impl Into<String>) -> Self {
        Self { begin_again: Some(at.into()), ..self }
    }

    /// Says when it is worth to try again.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }
}

impl From<hygiene::Error> for Failure {
    fn from(error: hygiene::Error) -> Self {
        Self::malformed(error.code(), error.to_string())
    }
}

impl From<forwarded::Error> for Failure {
    fn from(error: forwarded::Error) -> Self {
        Self::malformed(error.code(), error.to_string())
    }
}

impl From<path::Error> for Failure {
    fn from(error: path::Error) -> Self {
        let code = match error {
            path::Error::Query => Reason::RequestAmbiguousQuery,
            _ => Reason::RequestAmbiguousPath,
        };
        Self::malformed(code, error.to_string())
    }
}

impl From<host::Error> for Failure {
    fn from(error: host::Error) -> Self {
        Self::malformed(Reason::RequestHost, error.to_string())
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        let code = Reason::SessionStoreUnavailable;
        let failure = Self::new(Trouble::SessionsAway, StatusCode::SERVICE_UNAVAILABLE, code);
        Self { detail: error.to_string(), ..failure }
    }
}

impl From<NotKept> for Failure {
    fn from(not_kept: NotKept) -> Self {
        Unavailable::from(not_kept).into()
    }
}

impl From<TooOften> for Failure {
    fn from(error: TooOften) -> Self {
        let code = match error.counted {
            Counted::Start => Reason::LoginTooManyStarts,
            Counted::Return => Reason::LoginTooManyReturns,
            Counted::Failure => Reason::LoginTooManyFailures,
            Counted::UnknownSession => Reason::SessionTooManyUnknown,
        };
        let failure = Self::new(Trouble::TooManyTries, StatusCode::TOO_MANY_REQUESTS, code);
        Self { detail: error.to_string(), ..failure.retry_after(error.wait) }
    }
}

impl From<proxy::Error> for Failure {
    fn from(error: proxy::Error) -> Self {
        let (trouble, status) = match &error {
            proxy::Error::Slow(_) => (Trouble::PortalSlow, StatusCode::GATEWAY_TIMEOUT),
            proxy::Error::Connect(_)
            | proxy::Error::Died(_)
            | proxy::Error::Http2(_)
            | proxy::Error::BadAnswer(_)
            | proxy::Error::NotUpgraded => (Trouble::PortalDown, StatusCode::BAD_GATEWAY),
            proxy::Error::NoServer(_) | proxy::Error::Busy(_) => {
                (Trouble::PortalDown, StatusCode::SERVICE_UNAVAILABLE)
            }
            // RFC 9220 3, for RFC 8441 as well.
            proxy::Error::NoUpgrade => (Trouble::MalformedRequest, StatusCode::NOT_IMPLEMENTED),
            proxy::Error::Cut(Cut::SessionEnded) => {
                (Trouble::SessionEnded, StatusCode::UNAUTHORIZED)
            }
            proxy::Error::Cut(Cut::NotAllowed) => (Trouble::Forbidden, StatusCode::FORBIDDEN),
            proxy::Error::Identity(_) => (Trouble::PortalDown, StatusCode::INTERNAL_SERVER_ERROR),
            proxy::Error::Body(error) => of_body(error),
        };
        Self { detail: in_one_line(&error), ..Self::new(trouble, status, error.code()) }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        let (trouble, status) = match error.class() {
            Class::OtherBrowser => (Trouble::BegunElsewhere, StatusCode::FORBIDDEN),
            Class::Used => (Trouble::AlreadyUsed, StatusCode::CONFLICT),
            Class::Expired | Class::NotHere => (Trouble::LoginExpired, StatusCode::FORBIDDEN),
            Class::NodeBusy => (Trouble::NodeBusy, StatusCode::SERVICE_UNAVAILABLE),
            Class::NodeSlow => (Trouble::NodeSlow, StatusCode::GATEWAY_TIMEOUT),
            Class::NodeFailed => (Trouble::NodeFault, StatusCode::BAD_GATEWAY),
            Class::Replayed => (Trouble::AlreadyUsed, StatusCode::FORBIDDEN),
            Class::Answer(kind) => refused(kind),
            Class::Ours => (Trouble::OurFault, StatusCode::INTERNAL_SERVER_ERROR),
            Class::StoreAway => (Trouble::SessionsAway, StatusCode::SERVICE_UNAVAILABLE),
            Class::NotKept => (Trouble::PortalDown, StatusCode::SERVICE_UNAVAILABLE),
        };
        let failure = Self::new(trouble, status, error.code());
        let is_of_the_network = error.is_of_the_network();
        Self { detail: error.to_string(), is_of_the_network, ..failure }
    }
}

impl From<crossing::Refused> for Failure {
    fn from(refused: crossing::Refused) -> Self {
        use crossing::Refused;
        let (trouble, status) = match &refused {
            Refused::UnknownWish
            | Refused::WishExpired
            | Refused::TooManyTries
            | Refused::UnknownCode
            | Refused::CodeExpired
            | Refused::SessionEnded => (Trouble::LoginExpired, StatusCode::FORBIDDEN),
            Refused::WishUsed | Refused::CodeUsed => (Trouble::AlreadyUsed, StatusCode::CONFLICT),
            Refused::WishOfOtherBrowser
            | Refused::CodeForOtherHost
            | Refused::CodeOfOtherBrowser => (Trouble::OtherBrowser, StatusCode::FORBIDDEN),
            Refused::Store(_) => (Trouble::SessionsAway, StatusCode::SERVICE_UNAVAILABLE),
        };
        Self { detail: refused.to_string(), ..Self::new(trouble, status, refused.code()) }
    }
}

fn refused(kind: Kind) -> (Trouble, StatusCode) {
    match kind {
        Kind::Cancelled => (Trouble::Cancelled, StatusCode::FORBIDDEN),
        Kind::RefusedByNode => (Trouble::RefusedByNode, StatusCode::FORBIDDEN),
        Kind::UnknownPerson => (Trouble::UnknownPerson, StatusCode::FORBIDDEN),
        Kind::AssuranceTooLow => (Trouble::AssuranceTooLow, StatusCode::FORBIDDEN),
        Kind::NotFresh => (Trouble::NotIdentifiedAnew, StatusCode::FORBIDDEN),
        Kind::OurFault => (Trouble::OurFault, StatusCode::BAD_GATEWAY),
        Kind::NodeFault => (Trouble::NodeFault, StatusCode::BAD_GATEWAY),
        Kind::AnswerRefused => (Trouble::AnswerRefused, StatusCode::BAD_GATEWAY),
    }
}

fn of_body(error: &BodyError) -> (Trouble, StatusCode) {
    match error {
        BodyError::TooLong(_) => (Trouble::TooLarge, StatusCode::PAYLOAD_TOO_LARGE),
        BodyError::Stalled(_) => (Trouble::MalformedRequest, StatusCode::REQUEST_TIMEOUT),
        BodyError::Refused(_)
        | BodyError::Broken(_)
        | BodyError::Incomplete
        | BodyError::BrokenOff
        | BodyError::Http2(_) => (Trouble::MalformedRequest, StatusCode::BAD_REQUEST),
    }
}

/// What cannot be read as a request.
impl From<wire::refusal::Refusal> for Failure {
    fn from(refusal: wire::refusal::Refusal) -> Self {
        use wire::refusal::Refusal;
        let (trouble, status) = match refusal {
            Refusal::Malformed(_) | Refusal::Framing(_) => {
                (Trouble::MalformedRequest, StatusCode::BAD_REQUEST)
            }
            Refusal::Version => (Trouble::MalformedRequest, StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            Refusal::TargetTooLong(_) => (Trouble::TooLarge, StatusCode::URI_TOO_LONG),
            Refusal::HeadTooLong(_) | Refusal::TooManyFields(_) => {
                (Trouble::TooLarge, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            }
            Refusal::Expectation => (Trouble::MalformedRequest, StatusCode::EXPECTATION_FAILED),
            Refusal::Slow => (Trouble::MalformedRequest, StatusCode::REQUEST_TIMEOUT),
        };
        Self { detail: refusal.to_string(), ..Self::new(trouble, status, refusal.code()) }
    }
}

/// Keeps a page apart from the one that opened its window, which could otherwise read its address when
/// it is of the same origin (HTML, cross-origin opener policy).
pub fn keep_apart(response: &mut Response<Body>) {
    let name = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("same-origin"));
}

/// Answers a failure: a page for people, JSON for programs. Logs it once.
pub fn failure(failure: &Failure, exchange: &Exchange, settings: &Settings) -> Response<Body> {
    let Failure { trouble, status, code, detail, begin_again, allow, retry_after, .. } = failure;
    tracing::warn!(
        reason = code.as_str(),
        request = exchange.id,
        status = status.as_u16(),
        detail,
        "request refused"
    );
    let mut response = if exchange.caller() == Caller::Program {
        let problem = serde_json::json!({
            "error": code.as_str(),
            "status": status.as_u16(),
            "title": trouble.words(exchange.language()).title,
            "request": exchange.id,
        });
        json(*status, &problem)
    } else {
        let look = look(settings, exchange);
        let link = begin_again.as_deref();
        let told = told(*trouble, settings, exchange);
        let mut words =
            pages::trouble_told(look, *trouble, told, code.as_str(), &exchange.id, link);
        let origin = failure.origin.unwrap_or_else(|| exchange.origin());
        if origin == Origin::Elsewhere && exchange.caller() == Caller::Navigation {
            // Its button must not make a foreign page's link one of the portal's own.
            words = words.without_origin();
        }
        page(*status, words)
    };
    // The address of what was refused may have something in it that is worth stealing.
    keep_apart(&mut response);
    if let Some(time) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(*time)));
    } else if *status == StatusCode::SERVICE_UNAVAILABLE {
        let retry_after = match trouble {
            Trouble::Maintenance => settings.maintenance.retry_after.clone(),
            _ => HeaderValue::from_static("5"),
        };
        response.headers_mut().insert(RETRY_AFTER, retry_after);
    }
    if let Some(allow) = allow.as_deref().and_then(|allow| HeaderValue::try_from(allow).ok()) {
        response.headers_mut().insert(ALLOW, allow);
    }
    if matches!(trouble, Trouble::MalformedRequest | Trouble::TooLarge | Trouble::FormTooLarge) {
        // Whoever sends what cannot be understood may mean something else with the rest as well.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if settings.may_be_ours(exchange.path()) {
        // A handle may stand in the address, and is nobody's business. There are no forms here.
        let policy = HeaderValue::from_static("no-referrer");
        response.headers_mut().insert(REFERRER_POLICY, policy);
    }
    if *trouble == Trouble::SignInNeeded {
        // The page must show inside the frame; its own policy says in whose.
        response.headers_mut().remove(X_FRAME_OPTIONS);
    }
    response
}

/// What the operator says of a trouble.
fn told<'a>(trouble: Trouble, settings: &'a Settings, exchange: &Exchange) -> Option<&'a str> {
    let outage = settings.outage.as_ref().filter(|_| trouble == Trouble::NodeOutage)?;
    outage.said(exchange.language())
}

/// Whole seconds for `Retry-After`: whoever comes then does not come too early.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

/// Returns the look of our pages for a request.
#[must_use]
pub fn look<'a>(settings: &'a Settings, exchange: &Exchange) -> Look<'a> {
    Look {
        language: exchange.language(),
        portal_name: &settings.portal_name,
        test_environment: settings.test_environment.as_deref(),
    }
}

/// Answers with a page of ours.
#[must_use]
pub fn page(status: StatusCode, page: Page) -> Response<Body> {
    let mut response = Response::new(body::full(page.html));
    *response.status_mut() = status;
    let policy = HeaderValue::try_from(page.content_security_policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": browsers would then send "Origin: null" with forms.
        (REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (VARY, "Accept-Language"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Answers with JSON.
#[must_use]
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(body::full(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // RFC-less but universal: nobody else's page may read it.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// Sends the browser on with GET (RFC 9110 15.4.4).
#[must_use]
pub fn see_other(target: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let target = HeaderValue::from_str(target).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, target);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends whoever asks to another address for good, with the same method (RFC 9110 15.4.9).
#[must_use]
pub fn permanently_at(target: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

/// Tells a program that the citizen must sign in (RFC 9110 15.5.2), or sign in more surely or anew
/// (RFC 9470).
#[must_use]
pub fn challenge(challenge: &Challenge) -> Response<Body> {
    let Challenge { login, demand, .. } = challenge;
    let (assurance, acr) = (demand.assurance.name(), demand.assurance.uri());
    let age = demand.max_age.map(|age| age.as_secs());
    let mut value = serde_json::json!({
        "error": challenge.code(),
        "login": login,
        "assurance": assurance,
        "acr_values": acr,
    });
    let mut header = format!("Brama error=\"{}\", acr_values=\"{acr}\"", challenge.error());
    if let Some(age) = age {
        value["max_age"] = age.into();
        header.push_str(&format!(", max_age=\"{age}\""));
    }
    header.push_str(&format!(", login=\"{login}\", assurance=\"{assurance}\""));
    let mut response = json(StatusCode::UNAUTHORIZED, &value);
    if let Ok(header) = HeaderValue::from_str(&header) {
        response.headers_mut().insert(WWW_AUTHENTICATE, header);
    }
    response
}
