//! What an assertion says, and what faults make of it.

use std::time::Duration;

use super::login::{Login, Outcome, assertion_id};
use crate::base::clock::{Time, earlier, later};
use crate::base::random::message_id;
use crate::identity::attribute::Attribute;
use crate::simulator::faults::Fault;
use crate::simulator::people::{FORGED, Person};

/// How long an assertion holds: what a genuine one says.
const VALIDITY: Duration = Duration::from_secs(50 * 60);
/// Longer than any use is remembered.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
/// Further than any allowed difference of clocks.
pub(super) const FAR: Duration = Duration::from_secs(20 * 60);
/// A node that is not the simulated one.
pub(super) const OTHER_NODE: &str = "inny-wezel.example";
/// A service provider that is not the one that asked.
pub(super) const OTHER_SERVICE: &str = "https://inna-usluga.example";

/// What the assertion says.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) issued: Time,
    pub(super) name_id: String,
    pub(super) in_response_to: String,
    pub(super) recipient: String,
    pub(super) confirmation: (Option<Time>, Time),
    pub(super) conditions: (Time, Time),
    pub(super) unknown_condition: bool,
    pub(super) audience: String,
    pub(super) authn_instant: Time,
    pub(super) session_index: String,
    pub(super) session_end: Option<Time>,
    pub(super) assurance: String,
    pub(super) authority: String,
    /// Name, value, and whether a comment is put into the middle of the value.
    pub(super) attributes: Vec<(Attribute, String, bool)>,
}

impl Claims {
    pub(super) fn new(login: &Login<'_>, now: Time) -> Self {
        let person: &Person = match login.outcome {
            Outcome::Person(person) => person,
            Outcome::Failed(_) => &FORGED,
        };
        let second = Time::from_second(now.as_second()).unwrap_or(now);
        let end = later(second, VALIDITY);
        Self {
            id: login.assertion_id.to_owned(),
            issuer: login.node.to_owned(),
            issued: now,
            name_id: person.login.to_string(),
            in_response_to: login.request_id.to_owned(),
            recipient: login.acs.to_owned(),
            confirmation: (None, end),
            conditions: (second, end),
            unknown_condition: false,
            audience: login.service.to_owned(),
            authn_instant: now,
            session_index: login.assertion_id.to_owned(),
            session_end: None,
            assurance: login.assurance.uri().to_owned(),
            authority: login.way.authority().to_owned(),
            attributes: attributes(person, login.attributes),
        }
    }

    pub(super) fn apply(&mut self, fault: Fault, login: &Login<'_>, now: Time) {
        let past = earlier(now, FAR);
        let future = later(now, FAR);
        match fault {
            Fault::NodeIssuerAssertion => self.issuer = OTHER_NODE.to_owned(),
            Fault::InResponseToAssertion => self.in_response_to = message_id(),
            Fault::Audience => self.audience = OTHER_SERVICE.to_owned(),
            Fault::Recipient => self.recipient = format!("{OTHER_SERVICE}/acs"),
            Fault::ReplayedAssertion => {
                if let Some(previous) = login.previous_assertion {
                    previous.clone_into(&mut self.id);
                    previous.clone_into(&mut self.session_index);
                }
            }
            Fault::ConditionsExpired => self.conditions = (earlier(past, VALIDITY), past),
            Fault::ConditionsTooLong => self.conditions.1 = later(now, CENTURY),
            Fault::EmptyId => self.id.clear(),
            Fault::ConditionsNotYet => self.conditions.0 = future,
            Fault::ConfirmationExpired => self.confirmation.1 = past,
            Fault::ConfirmationNotYet => self.confirmation.0 = Some(future),
            Fault::AuthnInstantOld => self.authn_instant = past,
            Fault::AuthnInstantFuture => self.authn_instant = future,
            Fault::SessionExpired => self.session_end = Some(past),
            Fault::AssertionFuture => self.issued = future,
            Fault::AssuranceTooLow => {
                self.assurance = "http://eidas.europa.eu/LoA/low".to_owned();
            }
            Fault::AssuranceUnknown => {
                self.assurance = "http://eidas.europa.eu/LoA/highest".to_owned();
            }
            Fault::AttributeMissing => {
                self.attributes.retain(|(name, ..)| *name != Attribute::PersonIdentifier);
            }
            Fault::AttributeRepeated => {
                let forged = FORGED.identifier.to_string();
                self.attributes.push((Attribute::PersonIdentifier, forged, false));
            }
            Fault::AttributeEmpty => self.change(Attribute::PersonIdentifier, |v| v.0.clear()),
            Fault::BirthdateMalformed => self.change(Attribute::DateOfBirth, |value| {
                "14.05.1884".clone_into(value.0);
            }),
            Fault::CommentInValue => {
                self.change(Attribute::PersonIdentifier, |value| *value.1 = true);
            }
            Fault::UnknownCondition => self.unknown_condition = true,
            _ => {}
        }
    }

    fn change(&mut self, attribute: Attribute, change: impl Fn((&mut String, &mut bool))) {
        for (name, value, comment) in &mut self.attributes {
            if *name == attribute {
                change((value, comment));
            }
        }
    }

    /// The same, said of a person who did not sign in.
    pub(super) fn forged(&self) -> Self {
        let names: Vec<Attribute> = self.attributes.iter().map(|(name, ..)| *name).collect();
        Self {
            id: assertion_id(),
            name_id: FORGED.login.to_string(),
            attributes: attributes(&FORGED, &names),
            ..self.clone()
        }
    }
}

/// In the order of the genuine answers.
fn attributes(person: &Person, wanted: &[Attribute]) -> Vec<(Attribute, String, bool)> {
    [
        (Attribute::FamilyName, person.family_name.to_string()),
        // `xs:date` with a zone, as the node writes it.
        (Attribute::DateOfBirth, format!("{}Z", person.birthdate)),
        (Attribute::GivenName, person.given_name.to_string()),
        (Attribute::PersonIdentifier, person.identifier.to_string()),
    ]
    .into_iter()
    .filter(|(name, _)| wanted.contains(name))
    .map(|(name, value)| (name, value, false))
    .collect()
}
