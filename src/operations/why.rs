//! What operators ask of one login: why it ended as it did.
//!
//! It is asked for by the number on the citizen's page, the number of a request in the logs, a `sid`,
//! or the `ID` of an `AuthnRequest`. That it was asked stands in the log, with the operator's name.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::Serialize;

use super::acts::Acts;
use super::call::{Call, Done, said};
use super::problem::Problem;
use crate::base::clock::SharedClock;
use crate::base::foreign::Foreign;
use crate::flow::history::{Histories, History};
use crate::observe::event::AdminAction;
use crate::observe::events::Events;
use crate::observe::incident;

/// Tells operators about single logins.
pub struct WhyDesk {
    histories: Arc<Histories>,
    acts: Acts,
}

/// What is kept of a login.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Login")]
pub struct Told {
    /// What happened, step by step, without anything that names a person.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    history: History,
}

impl WhyDesk {
    /// Makes the door to what is kept of logins.
    #[must_use]
    pub fn new(histories: Arc<Histories>, events: Arc<Events>, clock: SharedClock) -> Self {
        Self { histories, acts: Acts::new(events, clock) }
    }

    pub(super) async fn show(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let asked = percent_decode_str(&call.name).decode_utf8();
        let asked = asked.map_err(|_| Problem::malformed("it is no text in UTF-8"))?;
        // However it was typed, it is told as it stands in records and lines.
        let asked = incident::parse(&asked).map_or(asked, Cow::Owned);
        let found = self.histories.find(&asked).await?;
        let (shown, is_found) = (Foreign::new(&asked), found.is_some());
        let action = AdminAction::AskedAboutLogin { asked: shown.as_str(), is_found };
        self.acts.tell(&admin, action);
        match found {
            Some(history) => said(&Told { history }),
            None if self.histories.kept_for().is_zero() => {
                Err(Problem::Conflict(NONE_KEPT.to_owned()))
            }
            None => Err(Problem::NoSuch(UNKNOWN)),
        }
    }
}

pub(super) const SHOWS: &str = "Says why a login ended as it did, by the number on the citizen's \
                                page, that of a request in the logs, a sid or the ID of an \
                                AuthnRequest.";
const UNKNOWN: &str = "no history is kept of it: it was mistyped, is older than \
                       operations.login_history, made room for others, or is of a gateway that \
                       does not share its store with this one; the log has the number in the field \
                       incident";
const NONE_KEPT: &str = "no histories are kept, because operations.login_history is zero";
