//! The status of a SAML message (SAML core 3.2.2), at whichever level it stands.

use super::kind::Kind;
use super::masked::{masked, without_digits};
use super::namespaces::{SAML2P, STATUS_PREFIX};
use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::xml::tree::{self, Element};

/// A status: top-level code, second-level code, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    top: Foreign,
    second: Option<Foreign>,
    message: Option<Foreign>,
}

impl Status {
    /// Reads the `Status` of a message. Its text is masked, and everything bounded and escaped.
    ///
    /// # Errors
    /// When there is none or it is not of the schema.
    pub fn read(message: Element<'_>) -> Result<Self, tree::Error> {
        let status = message.child(SAML2P, "Status")?;
        let code = status.child(SAML2P, "StatusCode")?;
        let top = code.required_attribute("Value")?;
        let second = match code.optional_child(SAML2P, "StatusCode")? {
            Some(second) => Some(second.required_attribute("Value")?.into()),
            None => None,
        };
        let message = match status.optional_child(SAML2P, "StatusMessage")? {
            Some(message) => Some(masked(&message.text()?)),
            None => None,
        };
        Ok(Self { top: top.into(), second, message })
    }

    /// Tells whether the node reports success. A code below says what went wrong (SAML core
    /// 3.2.2.2), so with one it is no success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.short_top() == Some("Success") && self.second.is_none()
    }

    /// Returns the stable reason code of a status that is not success.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self.decisive() {
            Some("AuthnFailed" | "NoAuthnContext" | "NoPassive") => Reason::LoginCancelled,
            Some("RequestDenied") => Reason::LoginRefusedByNode,
            Some("UnknownPrincipal") => Reason::LoginUnknownPerson,
            Some("Requester" | "VersionMismatch") => Reason::LoginOurRequestRefused,
            Some("Responder") => Reason::LoginNodeFailed,
            _ => Reason::LoginOtherNodeStatus,
        }
    }

    /// Returns what the status means for the citizen.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.code() {
            Reason::LoginCancelled => Kind::Cancelled,
            Reason::LoginRefusedByNode => Kind::RefusedByNode,
            Reason::LoginUnknownPerson => Kind::UnknownPerson,
            Reason::LoginOurRequestRefused => Kind::OurFault,
            _ => Kind::NodeFault,
        }
    }

    /// Returns the codes of the standard that it has, `other` for each other one; never the text
    /// beside them.
    #[must_use]
    pub fn known_codes(&self) -> String {
        let known = |code: &Foreign| {
            let found = STANDARD.into_iter().find(|known| short(code.as_str()) == Some(known));
            found.unwrap_or("other")
        };
        match &self.second {
            Some(second) => format!("{} / {}", known(&self.top), known(second)),
            None => known(&self.top).to_owned(),
        }
    }

    /// Returns the text beside the codes, masked.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_ref().map(Foreign::as_str)
    }

    /// The second-level code says more, when it is one that we know; clients have seen codes that
    /// the standard defines as second-level on the top level, so both are looked at alike.
    fn decisive(&self) -> Option<&str> {
        const KNOWN: [&str; 5] =
            ["AuthnFailed", "NoAuthnContext", "NoPassive", "RequestDenied", "UnknownPrincipal"];
        let second = self.second.as_ref().and_then(|second| short(second.as_str()));
        second.filter(|second| KNOWN.contains(second)).or_else(|| self.short_top())
    }

    fn short_top(&self) -> Option<&str> {
        short(self.top.as_str())
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown =
            |code: &Foreign| without_digits(short(code.as_str()).unwrap_or_else(|| code.as_str()));
        write!(f, "{}", shown(&self.top))?;
        if let Some(second) = &self.second {
            write!(f, " / {}", shown(second))?;
        }
        if let Some(message) = &self.message {
            write!(f, " ({message})")?;
        }
        Ok(())
    }
}

/// All codes of SAML core 3.2.2.2.
const STANDARD: [&str; 23] = [
    "Success",
    "Requester",
    "Responder",
    "VersionMismatch",
    "AuthnFailed",
    "InvalidAttrNameOrValue",
    "InvalidNameIDPolicy",
    "NoAuthnContext",
    "NoAvailableIDP",
    "NoPassive",
    "NoSupportedIDP",
    "PartialLogout",
    "ProxyCountExceeded",
    "RequestDenied",
    "RequestUnsupported",
    "RequestVersionDeprecated",
    "RequestVersionTooHigh",
    "RequestVersionTooLow",
    "ResourceNotRecognized",
    "TooManyResponses",
    "UnknownAttrProfile",
    "UnknownPrincipal",
    "UnsupportedBinding",
];

fn short(uri: &str) -> Option<&str> {
    uri.strip_prefix(STATUS_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::super::refusal::{Level, Refusal};
    use super::*;
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    fn status(inside: &str) -> Result<Status, tree::Error> {
        let xml = format!("<p:R xmlns:p='{SAML2P}'><p:Status>{inside}</p:Status></p:R>");
        let document = Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap();
        Status::read(document.root())
    }

    fn code(top: &str, second: &str) -> String {
        let second = if second.is_empty() {
            String::new()
        } else {
            format!("<p:StatusCode Value='{STATUS_PREFIX}{second}'/>")
        };
        format!("<p:StatusCode Value='{STATUS_PREFIX}{top}'>{second}</p:StatusCode>")
    }

    #[test]
    fn maps_every_known_status_at_either_level() {
        for (top, second, reason) in [
            ("Responder", "AuthnFailed", "login.cancelled"),
            ("AuthnFailed", "", "login.cancelled"),
            ("Requester", "RequestDenied", "login.refused_by_node"),
            ("RequestDenied", "", "login.refused_by_node"),
            ("Responder", "UnknownPrincipal", "login.unknown_person"),
            ("UnknownPrincipal", "", "login.unknown_person"),
            ("Requester", "", "login.our_request_refused"),
            ("Requester", "InvalidAttrNameOrValue", "login.our_request_refused"),
            ("Responder", "", "login.node_failed"),
            ("Responder", "SomethingNew", "login.node_failed"),
            ("SomethingNew", "", "login.other_node_status"),
            ("Success", "AuthnFailed", "login.cancelled"),
            ("Success", "RequestDenied", "login.refused_by_node"),
            ("Success", "SomethingNew", "login.other_node_status"),
            ("Success", "Success", "login.other_node_status"),
        ] {
            let status = status(&code(top, second)).unwrap();
            assert_eq!(status.code(), reason, "{top}/{second}");
            assert!(!status.is_success());
        }
    }

    #[test]
    fn a_status_means_one_thing_to_the_citizen_and_so_does_its_refusal() {
        for (top, second, kind) in [
            ("Responder", "AuthnFailed", Kind::Cancelled),
            ("Responder", "NoPassive", Kind::Cancelled),
            ("Requester", "RequestDenied", Kind::RefusedByNode),
            ("Responder", "UnknownPrincipal", Kind::UnknownPerson),
            ("Requester", "", Kind::OurFault),
            ("Responder", "", Kind::NodeFault),
            ("SomethingNew", "", Kind::NodeFault),
        ] {
            let status = status(&code(top, second)).unwrap();
            assert_eq!(status.kind(), kind, "{top}/{second}");
            assert_eq!(Refusal::Status { level: Level::Response, status }.kind(), kind);
        }
    }

    #[test]
    fn success_is_success_only_under_its_full_name() {
        assert!(status(&code("Success", "")).unwrap().is_success());
        assert!(!status("<p:StatusCode Value='Success'/>").unwrap().is_success());
        assert!(status("").is_err());
    }
}
