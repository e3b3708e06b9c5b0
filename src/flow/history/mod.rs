//! The history of a login: what happened in which order, what failed, and what the citizen was told.
//! An operator finds it by the number on the citizen's page.
//!
//! 1. A history is typed and bounded, and names no person: neither name nor identifier nor
//!    attribute, and nothing that the node says in words of its own ([`crate::saml::finding`]).
//! 2. It is written by a [`Pen`] while the login goes on, and kept behind it ([`Histories`]): no
//!    citizen waits for it, and no login is refused for want of it.
//! 3. A login has one history, found by the `ID` of our `AuthnRequest`. Each time that the citizen
//!    comes to its end is a [`Visit`] with a number of its own; the numbers and the `sid` lead to
//!    the history. What is refused before it is known which login it belongs to has a history with
//!    one visit, found by its number.

mod findings;
mod keeper;
mod pen;
#[cfg(test)]
mod tests;
mod waiting;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::keeper::{Bounded, Histories};
pub use self::pen::Pen;
use crate::base::clock::Time;
use crate::saml::checks;
use crate::saml::finding::Finding;

/// What is kept of one login. Fields are only ever added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The `ID` of our `AuthnRequest`, when it is known which login it was.
    pub login: Option<String>,
    /// When it began.
    pub began: Option<Time>,
    /// The level of assurance that was asked for.
    pub assurance: Option<String>,
    /// Whether the citizen was to identify anew.
    pub anew: bool,
    /// Whether another site's page led to it.
    pub from_elsewhere: bool,
    /// Whether the browser does not say which site's page led to it.
    pub from_unknown: bool,
    /// The artifact, by the first 64 bits of its fingerprint.
    pub artifact: Option<String>,
    /// The `ID` of our `ArtifactResolve`.
    pub resolve: Option<String>,
    /// The `ID` of the assertion.
    pub assertion: Option<String>,
    /// When the citizen identified at the node, as it says (`AuthnInstant`).
    pub identified: Option<Time>,
    /// The authority by which the citizen identified, such as `pz.gov.pl`.
    pub authority: Option<String>,
    /// The `sid` of the session that began.
    pub session: Option<String>,
    /// The number of the visit that this one follows, when it is of no login yet; never kept.
    #[serde(skip)]
    pub follows: Option<String>,
    /// Each time that the citizen came to its end, in their order.
    pub visits: Vec<Visit>,
    /// How many visits there were beyond those.
    pub more_visits: u32,
}

/// One request of a citizen, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// When it began.
    pub at: Time,
    /// When the citizen was told; none of a visit that was kept before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Time>,
    /// The number on the citizen's page.
    pub number: String,
    /// The number of the request in the logs.
    pub request: String,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// What it came to.
    pub outcome: Outcome,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When it was over.
    pub at: Time,
    /// What it was.
    pub what: What,
}

/// Returns how long something took, as steps have it: in whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What can happen to a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The browser brought the node's answer to the consumer service, and got a ticket for it.
    Delivered,
    /// There was a place among the exchanges with the node, after so long.
    Permitted {
        /// Milliseconds.
        waited: u64,
    },
    /// The login was claimed for this visit.
    Claimed,
    /// It was claimed before, by an earlier visit or at another replica.
    ClaimedBefore,
    /// The claim was given back: nothing was spent.
    GivenBack,
    /// The node was asked what the artifact stands for.
    Asked {
        /// How long that took, in milliseconds.
        took: u64,
        /// The HTTP status of the answer, where there was one.
        status: Option<u16>,
        /// The bytes of the answer, where it was read.
        bytes: Option<usize>,
    },
    /// The answer was examined.
    Examined {
        /// The checks, in their order; the last one may have failed.
        checks: Vec<Check>,
    },
    /// Artifact and assertion were noted as used; neither was before.
    FirstUse,
    /// A session began.
    SessionBegan,
}

/// One check of the node's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Whether it held; `None` when it could not be made.
    #[serde(rename = "ok")]
    pub is_held: Option<bool>,
    /// What was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
}

impl From<&checks::Check> for Check {
    fn from(check: &checks::Check) -> Self {
        let is_held = match check.outcome {
            checks::Outcome::Passed => Some(true),
            checks::Outcome::Failed => Some(false),
            checks::Outcome::NotChecked => None,
        };
        // What failed is told as a finding: the sentence may repeat what the node says.
        let seen = match is_held {
            Some(true) => check.detail.clone(),
            _ => String::new(),
        };
        Self { name: Cow::Borrowed(check.name), is_held, seen }
    }
}

/// What a visit came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A citizen was signed in.
    SignedIn {
        /// How sure it is who they are.
        assurance: String,
        /// Whether an earlier visit was told so already.
        again: bool,
    },
    /// The citizen pressed the button of the page, and another login began.
    BeganAgain,
    /// The browser was gone before there was an answer for it. What became of the login is told when
    /// it comes again.
    Left {
        /// The reason code, when the citizen was not signed in.
        reason: Option<String>,
        /// The check that failed, where there is one.
        finding: Option<Finding>,
    },
    /// The citizen saw a page that says why not.
    Refused {
        /// The reason code.
        reason: String,
        /// The HTTP status of the page.
        status: u16,
        /// Which page it was.
        page: String,
        /// The check that failed, where there is one.
        finding: Option<Finding>,
        /// Where there is none, what the log says.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
}

impl History {
    /// Takes over what another one knows of the same login.
    pub(super) fn join(&mut self, other: Self) {
        let Self {
            login,
            began,
            assurance,
            anew,
            from_elsewhere,
            from_unknown,
            artifact,
            resolve,
            assertion,
            identified,
            authority,
            session,
            // Who has read it has followed it already.
            follows: _,
            visits,
            more_visits,
        } = other;
        fill(&mut self.login, login);
        fill(&mut self.began, began);
        fill(&mut self.assurance, assurance);
        fill(&mut self.artifact, artifact);
        fill(&mut self.resolve, resolve);
        fill(&mut self.assertion, assertion);
        fill(&mut self.identified, identified);
        fill(&mut self.authority, authority);
        fill(&mut self.session, session);
        self.anew |= anew;
        self.from_elsewhere |= from_elsewhere;
        self.from_unknown |= from_unknown;
        self.more_visits = self.more_visits.max(more_visits);
        for visit in visits {
            if self.visits.contains(&visit) {
                continue;
            }
            if self.visits.len() < MOST_VISITS {
                self.visits.push(visit);
            } else {
                self.more_visits = self.more_visits.saturating_add(1);
            }
        }
    }

    /// Tells whether no visit was refused.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.visits.iter().all(|visit| match &visit.outcome {
            Outcome::SignedIn { .. } | Outcome::BeganAgain => true,
            Outcome::Left { reason, .. } => reason.is_none(),
            Outcome::Refused { .. } => false,
        })
    }
}

fn fill<T>(ours: &mut Option<T>, other: Option<T>) {
    if ours.is_none() {
        *ours = other;
    }
}

/// How many steps of a visit are kept: twice what a login takes that is claimed a second time.
const MOST_STEPS: usize = 24;
/// How many visits of one login are kept: the first ones, which have the cause.
const MOST_VISITS: usize = 12;
