//! What ends a request: every error of a lower floor gets its page and its status here and nowhere
//! else. [`super::failure_response`] answers it.

use std::time::Duration;

use http::StatusCode;

use crate::base::causes::in_one_line;
use crate::base::reason::Reason;
use crate::flow::handoff::refusal::HandoffRefusal;
use crate::flow::history::Pen;
use crate::flow::login_error::{Class, LoginError};
use crate::flow::pending::Origin;
use crate::flow::room::NotKept;
use crate::gateway::limits::{Counted, TooOften};
use crate::identity;
use crate::observe::event::{self, Event, LoginFacts};
use crate::pages::ErrorPage;
use crate::proxy;
use crate::request::headers::{self, forwarded};
use crate::request::lasting::Cut;
use crate::request::{host, path};
use crate::saml::finding::Finding;
use crate::saml::kind::Kind;
use crate::store::Unavailable;
use crate::wire;
use crate::wire::incoming::BodyError;

/// Something that ends a request: what the citizen reads, and what the log needs.
#[derive(Debug)]
pub struct Failure {
    /// What the citizen reads.
    pub page: ErrorPage,
    /// The status code of the response.
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
    /// Whether the page asks for the same address by itself once more, when it is worth to.
    pub tries_again: bool,
    /// Whether it counts as a failure of the network that it came from.
    pub is_of_the_network: bool,
    /// Which site's page led to what failed, when that is not the one that led to this request.
    pub origin: Option<Origin>,
    /// The login that failed by it, if it was one.
    pub login: Option<Box<FailedLogin>>,
    /// The check that failed, for operators, where the detail is not all that there is to say.
    pub finding: Option<Box<Finding>>,
    /// What happened before, when a login came to its end.
    pub pen: Option<Pen>,
}

/// What is known of a login that failed.
#[derive(Debug)]
pub struct FailedLogin {
    /// The `ID` of our `AuthnRequest`, where the browser remembers it.
    pub authn_request: Option<String>,
}

impl Failure {
    /// Makes a failure with nothing for the log and no way to begin again.
    #[must_use]
    pub fn new(page: ErrorPage, status: StatusCode, code: Reason) -> Self {
        let (detail, begin_again) = (String::new(), None);
        Self {
            page,
            status,
            code,
            detail,
            begin_again,
            allow: None,
            retry_after: None,
            tries_again: false,
            is_of_the_network: false,
            origin: None,
            login: None,
            finding: None,
            pen: None,
        }
    }

    /// Returns what is told of it. `incident` is the number that the citizen can read out.
    pub(super) fn event<'f>(&'f self, incident: &'f str) -> Event<'f> {
        let (reason, status, detail) = (self.code, self.status.as_u16(), &*self.detail);
        let refusal = event::Refused { reason, status, incident, detail };
        match &self.login {
            Some(login) => {
                let authn_request = login.authn_request.as_deref();
                let login = LoginFacts { authn_request, ..LoginFacts::default() };
                Event::LoginRefused { login, refusal }
            }
            None => Event::RequestRefused(refusal),
        }
    }

    /// A request that is malformed.
    #[must_use]
    pub fn malformed(code: Reason, detail: impl Into<String>) -> Self {
        let failure = Self::new(ErrorPage::MalformedRequest, StatusCode::BAD_REQUEST, code);
        Self { detail: detail.into(), ..failure }
    }

    /// What is only for the proxy in front that asks came here (RFC 9110 15.5.20).
    #[must_use]
    pub fn only_asked_about() -> Self {
        let (status, code) = (StatusCode::MISDIRECTED_REQUEST, Reason::RequestMisdirected);
        let detail = "the proxy in front asks whether such requests may pass and hands them on \
                      itself; none goes on from here";
        Self { detail: detail.to_owned(), ..Self::new(ErrorPage::OurFault, status, code) }
    }

    /// Says where the citizen can begin again.
    #[must_use]
    pub fn begin_again(self, at: impl Into<String>) -> Self {
        Self { begin_again: Some(at.into()), ..self }
    }

    /// Has the page try the same address again by itself. Only for what begins nothing and spends
    /// nothing, and comes to an end.
    #[must_use]
    pub fn tries_again(self) -> Self {
        Self { tries_again: true, ..self }
    }

    /// Says when it is worth to try again.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }
}

impl From<headers::scan::Error> for Failure {
    fn from(error: headers::scan::Error) -> Self {
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
        let failure = Self::new(ErrorPage::SessionsAway, StatusCode::SERVICE_UNAVAILABLE, code);
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
        let failure = Self::new(ErrorPage::TooManyTries, StatusCode::TOO_MANY_REQUESTS, code);
        Self { detail: error.to_string(), ..failure.retry_after(error.wait) }
    }
}

impl From<proxy::Error> for Failure {
    fn from(error: proxy::Error) -> Self {
        let (page, status) = match &error {
            proxy::Error::Slow(_) => (ErrorPage::PortalSlow, StatusCode::GATEWAY_TIMEOUT),
            proxy::Error::Connect(_)
            | proxy::Error::Died(_)
            | proxy::Error::Http2(_)
            | proxy::Error::NotProcessed(_)
            | proxy::Error::StreamRefused(_)
            | proxy::Error::Http1Required(_)
            | proxy::Error::BadAnswer(_)
            | proxy::Error::ConnectionChallenge
            | proxy::Error::NotUpgraded => (ErrorPage::PortalDown, StatusCode::BAD_GATEWAY),
            proxy::Error::Busy(proxy::upstream::Busy::Share(_)) => {
                (ErrorPage::TooManyTries, StatusCode::TOO_MANY_REQUESTS)
            }
            proxy::Error::NoServer(_) | proxy::Error::Busy(_) => {
                (ErrorPage::PortalDown, StatusCode::SERVICE_UNAVAILABLE)
            }
            proxy::Error::ConnectionCredentials => (ErrorPage::Forbidden, StatusCode::FORBIDDEN),
            // RFC 9220 3, for RFC 8441 as well.
            proxy::Error::Unsigned(error) if error.is_passing() => {
                (ErrorPage::SessionsAway, StatusCode::SERVICE_UNAVAILABLE)
            }
            proxy::Error::Unsigned(_) => (ErrorPage::PortalDown, StatusCode::INTERNAL_SERVER_ERROR),
            proxy::Error::NoUpgrade => (ErrorPage::MalformedRequest, StatusCode::NOT_IMPLEMENTED),
            proxy::Error::Cut(Cut::SessionEnded) => {
                (ErrorPage::SessionEnded, StatusCode::UNAUTHORIZED)
            }
            proxy::Error::Cut(Cut::NotAllowed) => (ErrorPage::Forbidden, StatusCode::FORBIDDEN),
            proxy::Error::Body(error) => of_body(error),
        };
        Self { detail: in_one_line(&error), ..Self::new(page, status, error.code()) }
    }
}

impl From<identity::error::Error> for Failure {
    fn from(error: identity::error::Error) -> Self {
        let (page, status) = if error.is_passing() {
            (ErrorPage::SessionsAway, StatusCode::SERVICE_UNAVAILABLE)
        } else {
            (ErrorPage::PortalDown, StatusCode::INTERNAL_SERVER_ERROR)
        };
        let failure = Self::new(page, status, Reason::IdentityCannotSign);
        Self { detail: in_one_line(&error), ..failure }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        let (page, status) = match error.class() {
            Class::OtherBrowser => (ErrorPage::BegunElsewhere, StatusCode::FORBIDDEN),
            Class::Used => (ErrorPage::AlreadyUsed, StatusCode::CONFLICT),
            Class::Expired | Class::NotHere => (ErrorPage::LoginExpired, StatusCode::FORBIDDEN),
            Class::NodeBusy => (ErrorPage::NodeBusy, StatusCode::SERVICE_UNAVAILABLE),
            Class::NodeSlow => (ErrorPage::NodeSlow, StatusCode::GATEWAY_TIMEOUT),
            Class::NodeUnreachable => (ErrorPage::NodeUnreachable, StatusCode::BAD_GATEWAY),
            Class::NodeFailed => (ErrorPage::NodeFault, StatusCode::BAD_GATEWAY),
            Class::Replayed => (ErrorPage::AlreadyUsed, StatusCode::FORBIDDEN),
            Class::Answer(kind) => refused(kind),
            Class::OtherPerson => (ErrorPage::OtherPerson, StatusCode::FORBIDDEN),
            Class::Ours => (ErrorPage::OurFault, StatusCode::INTERNAL_SERVER_ERROR),
            Class::StoreAway => (ErrorPage::SessionsAway, StatusCode::SERVICE_UNAVAILABLE),
            Class::NotKept => (ErrorPage::NotKept, StatusCode::SERVICE_UNAVAILABLE),
        };
        let failure = Self::new(page, status, error.code());
        let is_of_the_network = error.is_of_the_network();
        let finding = error.finding().map(Box::new);
        Self { detail: error.to_string(), is_of_the_network, finding, ..failure }
    }
}

impl From<HandoffRefusal> for Failure {
    fn from(refused: HandoffRefusal) -> Self {
        use HandoffRefusal as Refused;
        let (page, status) = match &refused {
            Refused::UnknownRequest
            | Refused::RequestExpired
            | Refused::TooManyTries
            | Refused::UnknownCode
            | Refused::CodeExpired
            | Refused::SessionEnded => (ErrorPage::LoginExpired, StatusCode::FORBIDDEN),
            Refused::RequestUsed | Refused::CodeUsed => {
                (ErrorPage::AlreadyUsed, StatusCode::CONFLICT)
            }
            Refused::RequestOfOtherBrowser
            | Refused::CodeForOtherHost
            | Refused::CodeOfOtherBrowser => (ErrorPage::OtherBrowser, StatusCode::FORBIDDEN),
            Refused::Store(_) => (ErrorPage::SessionsAway, StatusCode::SERVICE_UNAVAILABLE),
        };
        Self { detail: refused.to_string(), ..Self::new(page, status, refused.code()) }
    }
}

fn refused(kind: Kind) -> (ErrorPage, StatusCode) {
    match kind {
        Kind::Cancelled => (ErrorPage::Cancelled, StatusCode::FORBIDDEN),
        Kind::RefusedByNode => (ErrorPage::RefusedByNode, StatusCode::FORBIDDEN),
        Kind::UnknownPerson => (ErrorPage::UnknownPerson, StatusCode::FORBIDDEN),
        Kind::AssuranceTooLow => (ErrorPage::AssuranceTooLow, StatusCode::FORBIDDEN),
        Kind::NotFresh => (ErrorPage::NotIdentifiedAnew, StatusCode::FORBIDDEN),
        Kind::OurFault => (ErrorPage::OurFault, StatusCode::BAD_GATEWAY),
        Kind::NodeFault => (ErrorPage::NodeFault, StatusCode::BAD_GATEWAY),
        Kind::ArtifactExpired => (ErrorPage::ConfirmationExpired, StatusCode::BAD_GATEWAY),
        Kind::NoIdentifier => (ErrorPage::NoIdentifier, StatusCode::BAD_GATEWAY),
        Kind::DataMissing => (ErrorPage::DataMissing, StatusCode::BAD_GATEWAY),
        Kind::AnswerRefused => (ErrorPage::AnswerRefused, StatusCode::BAD_GATEWAY),
    }
}

fn of_body(error: &BodyError) -> (ErrorPage, StatusCode) {
    match error {
        BodyError::TooLong(_) => (ErrorPage::TooLarge, StatusCode::PAYLOAD_TOO_LARGE),
        BodyError::Stalled(_) | BodyError::TooSlow(_) => {
            (ErrorPage::MalformedRequest, StatusCode::REQUEST_TIMEOUT)
        }
        BodyError::Refused(_)
        | BodyError::Broken(_)
        | BodyError::Incomplete
        | BodyError::Http2(_) => (ErrorPage::MalformedRequest, StatusCode::BAD_REQUEST),
    }
}

/// What cannot be read as a request.
impl From<wire::refusal::Refusal> for Failure {
    fn from(refusal: wire::refusal::Refusal) -> Self {
        use wire::refusal::Refusal;
        let (page, status) = match refusal {
            Refusal::Malformed(_) | Refusal::MalformedLine(..) | Refusal::Framing(_) => {
                (ErrorPage::MalformedRequest, StatusCode::BAD_REQUEST)
            }
            Refusal::Version => {
                (ErrorPage::MalformedRequest, StatusCode::HTTP_VERSION_NOT_SUPPORTED)
            }
            Refusal::TargetTooLong(_) => (ErrorPage::TooLarge, StatusCode::URI_TOO_LONG),
            Refusal::HeadTooLong(_) | Refusal::TooManyFields(_) => {
                (ErrorPage::TooLarge, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            }
            Refusal::Expectation => (ErrorPage::MalformedRequest, StatusCode::EXPECTATION_FAILED),
            Refusal::Slow => (ErrorPage::MalformedRequest, StatusCode::REQUEST_TIMEOUT),
        };
        Self { detail: refusal.to_string(), ..Self::new(page, status, refusal.code()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_has_the_status_of_what_is_wrong_with_it() {
        use wire::refusal::Refusal;
        for (refusal, status) in [
            (Refusal::Malformed("x"), 400),
            (Refusal::Version, 505),
            (Refusal::TargetTooLong(1), 414),
            (Refusal::HeadTooLong(1), 431),
            (Refusal::TooManyFields(1), 431),
            (Refusal::Expectation, 417),
            (Refusal::Slow, 408),
        ] {
            assert_eq!(Failure::from(refusal).status.as_u16(), status);
        }
        for (error, status) in [(BodyError::TooLong(1), 413), (BodyError::Incomplete, 400)] {
            assert_eq!(of_body(&error).1.as_u16(), status);
        }
    }

    #[test]
    fn each_limit_that_is_reached_has_a_code_of_its_own() {
        for (counted, code) in [
            (Counted::Start, Reason::LoginTooManyStarts),
            (Counted::Return, Reason::LoginTooManyReturns),
            (Counted::Failure, Reason::LoginTooManyFailures),
            (Counted::UnknownSession, Reason::SessionTooManyUnknown),
        ] {
            let failure = Failure::from(TooOften { counted, wait: Duration::from_secs(7) });
            assert_eq!((failure.code, failure.status.as_u16()), (code, 429));
            assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        }
    }
}
