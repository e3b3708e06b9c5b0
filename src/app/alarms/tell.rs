//! Says alarms to whoever hears of events.

use super::certificates::News;
use super::clock::ClockNews;
use super::node::NodeNews;
use crate::base::clock::Time;
use crate::flow::node_clock::Measured;
use crate::observe::alarm::{ClockStanding, WatchedCertificate};
use crate::observe::event::Event;
use crate::observe::events::Events;

/// Says what there is to say of a certificate.
pub(super) fn certificate(told: &News, events: &Events, now: Time) {
    let one = &told.certificate;
    let certificate = WatchedCertificate {
        used_for: one.used_for.name(),
        subject: &one.subject,
        sha256: &one.sha256,
        key: &one.source,
        file: &one.file,
        not_before: one.not_before,
        not_after: one.not_after,
        days_left: told.days_left,
        is_followed: told.is_followed,
    };
    events.tell(now, None, Event::CertificateAlarm { certificate, news: &told.what });
}

/// Says what there is to say of the clock.
pub(super) fn clock(news: &ClockNews, events: &Events, now: Time) {
    let (standing, witness, Measured { offset, error, .. }) = match news {
        ClockNews::Differs(witness, measured) => (ClockStanding::Differs, witness, measured),
        ClockNews::Agrees(witness, measured) => (ClockStanding::Agrees, witness, measured),
        ClockNews::Unknown(witness, measured) => (ClockStanding::Unknown, witness, measured),
    };
    // Milliseconds of any time are exact in a double.
    let (seconds, within) = (*offset as f64 / 1000.0, *error as f64 / 1000.0);
    let witness = witness.name();
    events.tell(now, None, Event::ClockOffset { standing, seconds, within, witness });
}

/// Says what there is to say of the node.
pub(super) fn node(news: &NodeNews, events: &Events, now: Time) {
    let (is_over, within) = match news {
        NodeNews::Fails(within) => (false, within),
        NodeNews::Works(within) => (true, within),
    };
    let (failed, of) = (within.failed, within.all);
    events.tell(now, None, Event::NodeTrouble { is_over, failed, of });
}
