//! The conditions under which an assertion holds (SAML core 2.5, SAML profiles 4.1.4.3).

use std::time::Duration;

use super::checks::Checks;
use super::expected::Expected;
use super::message::parse_instant;
use super::namespaces::{BEARER, SAML2};
use super::refusal::{Level, Refusal, TimeBound};
use crate::base::clock::{Time, earlier, later};
use crate::base::foreign::Foreign;
use crate::xml::tree::{self, Element};

pub(super) fn shape(error: tree::Error) -> Refusal {
    Refusal::AssertionShape(error.to_string())
}

/// Checks the one subject confirmation: bearer, for this request, at this address, in time.
pub(super) fn check_subject(
    subject: Element<'_>,
    expected: &Expected,
    now: Time,
    checks: &mut Checks,
) -> Result<(), Refusal> {
    let confirmation = subject.child(SAML2, "SubjectConfirmation").map_err(shape)?;
    let method = confirmation.required_attribute("Method").map_err(shape)?;
    if method != BEARER {
        let method = Foreign::new(method);
        return Err(Refusal::AssertionShape(format!("subject confirmation is by {method}")));
    }
    let data = confirmation.child(SAML2, "SubjectConfirmationData").map_err(shape)?;
    checks.compare(
        "assertion_in_response_to",
        data.required_attribute("InResponseTo").map_err(shape)?,
        expected.request_id.as_deref(),
        |found, expected| Refusal::InResponseTo { level: Level::Assertion, found, expected },
    )?;
    checks.compare(
        "assertion_recipient",
        data.required_attribute("Recipient").map_err(shape)?,
        expected.acs.as_deref(),
        |found, expected| Refusal::Recipient { found, expected },
    )?;
    let clock = Clock { expected, now };
    let before = optional_time(data, "NotBefore")?;
    let after = required_time(data, "NotOnOrAfter")?;
    checks
        .note("confirmation_not_before", clock.begins(TimeBound::ConfirmationNotBefore, before))?;
    checks.note(
        "confirmation_not_on_or_after",
        clock.ends(TimeBound::ConfirmationNotOnOrAfter, Some(after)),
    )
}

/// How far ahead an assertion may say that it ends. The node's own hold for fifty minutes. Its use
/// is remembered until then, so the bound is one on what is remembered.
const MAXIMUM_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks the `Conditions`: both times, every audience restriction, and nothing unknown. Returns
/// when they end.
pub(super) fn check_conditions(
    conditions: Element<'_>,
    expected: &Expected,
    now: Time,
    checks: &mut Checks,
) -> Result<Time, Refusal> {
    let clock = Clock { expected, now };
    let before = optional_time(conditions, "NotBefore")?;
    let after = required_time(conditions, "NotOnOrAfter")?;
    if after > later(later(now, expected.skew), MAXIMUM_VALIDITY) {
        let what = format!("Conditions/@NotOnOrAfter is {after}, more than a day ahead of {now}");
        return Err(Refusal::AssertionShape(what));
    }
    checks.note("conditions_not_before", clock.begins(TimeBound::ConditionsNotBefore, before))?;
    checks.note(
        "conditions_not_on_or_after",
        clock.ends(TimeBound::ConditionsNotOnOrAfter, Some(after)),
    )?;

    let mut restricted = false;
    for condition in conditions.children() {
        if condition.is(SAML2, "AudienceRestriction") {
            restricted = true;
            check_audience(condition, expected, checks)?;
        } else if !condition.is(SAML2, "OneTimeUse") {
            // SAML core 2.5.1: a condition that is not understood leaves validity open.
            return Err(Refusal::UnknownCondition(format!("{condition:?}")));
        }
    }
    if restricted {
        Ok(after)
    } else {
        Err(Refusal::AssertionShape("there is no AudienceRestriction".to_owned()))
    }
}

/// SAML core 2.5.1.4: one of the audiences of each restriction must be us.
fn check_audience(
    restriction: Element<'_>,
    expected: &Expected,
    checks: &mut Checks,
) -> Result<(), Refusal> {
    let mut audiences = Vec::new();
    for audience in restriction.children() {
        if !audience.is(SAML2, "Audience") {
            return Err(Refusal::AssertionShape(format!("audience restriction has {audience:?}")));
        }
        audiences.push(audience.text().map_err(shape)?);
    }
    let ours = audiences.iter().find(|a| Some(&***a) == expected.service.as_deref());
    let found = ours.or(audiences.first()).map_or("", |found| &**found);
    checks.compare("assertion_audience", found, expected.service.as_deref(), |found, expected| {
        Refusal::Audience { found, expected }
    })
}

/// Checks that the login itself does not lie in the future, that it is a new one when an older one
/// will not do, and that its session has not ended.
pub(super) fn check_authn_statement(
    statement: Element<'_>,
    expected: &Expected,
    now: Time,
    checks: &mut Checks,
) -> Result<(Time, Option<Time>), Refusal> {
    let clock = Clock { expected, now };
    let instant = required_time(statement, "AuthnInstant")?;
    checks.note("authn_instant", clock.begins(TimeBound::AuthnInstant, Some(instant)))?;
    if let Some(since) = expected.fresh_since {
        let is_fresh = later(instant, expected.skew) >= since;
        let fresh = if is_fresh { Ok(()) } else { Err(Refusal::NotFresh { instant, since }) };
        checks.note("authn_instant_fresh", fresh)?;
    }
    let session_end = optional_time(statement, "SessionNotOnOrAfter")?;
    checks
        .note("session_not_on_or_after", clock.ends(TimeBound::SessionNotOnOrAfter, session_end))?;
    Ok((instant, session_end))
}

/// Checks that a message is not dated in the future, and returns its date. An old date is no fault of its own: the
/// window of validity and the request that it answers bound its age.
pub(super) fn check_issued(
    level: Level,
    element: Element<'_>,
    skew: Duration,
    now: Time,
) -> Result<Time, Refusal> {
    let issued = required_time(element, "IssueInstant").map_err(|refusal| match refusal {
        Refusal::AssertionShape(what) if level != Level::Assertion => Refusal::Shape(what),
        refusal => refusal,
    })?;
    if issued > later(now, skew) {
        return Err(Refusal::IssuedInFuture { level, issued });
    }
    Ok(issued)
}

struct Clock<'e> {
    expected: &'e Expected,
    now: Time,
}

impl Clock<'_> {
    /// `NotBefore`: inclusive, with the skew in the message's favour.
    fn begins(&self, bound: TimeBound, limit: Option<Time>) -> Result<(), Refusal> {
        match limit {
            Some(limit) if later(self.now, self.expected.skew) < limit => {
                Err(Refusal::Time { bound, limit, now: self.now })
            }
            _ => Ok(()),
        }
    }

    /// `NotOnOrAfter`: exclusive, with the skew in the message's favour.
    fn ends(&self, bound: TimeBound, limit: Option<Time>) -> Result<(), Refusal> {
        match limit {
            Some(limit) if earlier(self.now, self.expected.skew) >= limit => {
                Err(Refusal::Time { bound, limit, now: self.now })
            }
            _ => Ok(()),
        }
    }
}

fn required_time(element: Element<'_>, name: &'static str) -> Result<Time, Refusal> {
    let text = element.required_attribute(name).map_err(shape)?;
    parse_instant(text)
        .ok_or_else(|| Refusal::AssertionShape(format!("{}/@{name} is no time", element.name())))
}

fn optional_time(element: Element<'_>, name: &'static str) -> Result<Option<Time>, Refusal> {
    match element.attribute(name) {
        Some(_) => required_time(element, name).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::expected::Wrapping;
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    #[test]
    fn a_restriction_holds_nothing_but_audiences() {
        let expected = Expected {
            node: None,
            service: Some("us".to_owned()),
            acs: None,
            request_id: None,
            resolve_id: None,
            assurance: None,
            fresh_since: None,
            required: Vec::new(),
            skew: Duration::ZERO,
            maximum_bytes: 10_000,
            wrapping: Wrapping::Soap,
        };
        for (inside, holds) in [
            ("<s:Audience>us</s:Audience>", true),
            ("<s:Audience>other</s:Audience><s:Audience>us</s:Audience>", true),
            ("<s:Audience>other</s:Audience>", false),
            ("<s:Other>us</s:Other>", false),
            ("<s:Audience>us</s:Audience><Audience>us</Audience>", false),
            ("", false),
        ] {
            let xml = format!("<s:R xmlns:s='{SAML2}'>{inside}</s:R>");
            let document = Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap();
            let checked = check_audience(document.root(), &expected, &mut Checks::new());
            assert_eq!(checked.is_ok(), holds, "{inside}: {checked:?}");
        }
    }
}
