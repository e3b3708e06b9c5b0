//! What each reason not to sign a citizen in comes down to.

use crate::flow::login_error::{LoginError, LoginRefusal};
use crate::flow::node::NodeError;
use crate::saml::finding::{Finding, Value};

impl LoginError {
    /// Returns the check that failed, with what it expected and found; none for what was told
    /// before.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let found = |check, found| Some(Finding::new(check, Value::Nothing, found));
        match self {
            Self::Pending(refused) => Some(refused.finding()),
            Self::Node(error) => Some(error.finding()),
            Self::Refused(refusal) => Some(refusal.finding()),
            Self::Examination(_) => found("examination_finished", Value::Nothing),
            Self::ReplayGuard(away) => found("room_for_used", Value::text(&away.0)),
            Self::OtherPerson => found("same_person", Value::Nothing),
            Self::Sign(error) => found("our_signature", Value::text(error.to_string())),
            Self::Store(away) => found("store", Value::text(&away.0)),
            Self::Repeated { .. } => None,
        }
    }
}

impl LoginRefusal {
    /// Returns the check that failed.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let (check, found) = match self {
            Self::Unknown => ("relay_state", Value::Nothing),
            Self::Expired => ("login_time", Value::Nothing),
            Self::Used => ("finished_once", Value::Nothing),
            Self::OtherBrowser => ("same_browser", Value::Nothing),
            Self::NoTicket => ("ticket", Value::Nothing),
            Self::TicketExpired => ("ticket_time", Value::Nothing),
            Self::Store(away) => ("store", Value::text(&away.0)),
        };
        Finding::new(check, Value::Nothing, found)
    }
}

impl NodeError {
    /// Returns the check that failed.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let text = |text: &dyn std::fmt::Display| Value::text(text.to_string());
        match self {
            Self::Busy => Finding::new("node_place", Value::Nothing, Value::Nothing),
            Self::Timeout(time) => {
                Finding::new("node_time", Value::text(format!("{time:?}")), Value::Nothing)
            }
            Self::NotReached(why) | Self::Unreachable(why) => {
                Finding::new("node_connection", Value::Nothing, Value::text(why))
            }
            Self::Status(status) => {
                Finding::new("node_http_status", Value::text("200"), text(&status.as_u16()))
            }
            Self::TooLong(limit) => {
                Finding::new("node_answer_size", Value::number(*limit), Value::Nothing)
            }
            Self::Broken => Finding::new("node_answer_whole", Value::Nothing, Value::Nothing),
            Self::Coded => {
                Finding::new("node_answer_coding", Value::text("identity"), Value::Nothing)
            }
        }
    }
}
