//! `[alarms]` and `operations.ready_needs`: what is watched of a running gateway.

use std::time::Duration;

use super::context::Context;
use crate::app::alarms::settings as alarms;
use crate::app::watch;
use crate::config::file::{AuditTarget, ReadyNeed};
use crate::operations::health::{Name, Needs};

/// Resolves it. It comes last: all certificates were read by then.
pub(super) fn resolve(context: &mut Context<'_>) -> watch::Settings {
    let file = context.file();
    let given = &file.alarms;
    if given.node_failures > 100 || given.node_failures == 0 {
        context.error(
            key!(alarms.node_failures),
            "is no number of a hundred",
            "give 1 to 99, or 100 for no alarm",
        );
    }
    let window = given.node_window.get();
    if !(SHORTEST..=LONGEST).contains(&window) {
        context.error(
            key!(alarms.node_window),
            "is not between a minute and a day",
            "give \"5m\" or so",
        );
    }
    let (offset, skew) = (given.clock_offset.get(), file.service.clock_skew.get());
    if offset > skew {
        context.warn(
            key!(alarms.clock_offset),
            "is more than service.clock_skew, so citizens are refused before the alarm",
            "give less than service.clock_skew",
        );
    }
    let needs_certificates = file.operations.ready_needs.contains(&ReadyNeed::Certificates);
    if needs_certificates && file.listen.acme.directory.is_some() {
        context.warn(
            key!(operations.ready_needs),
            "has certificates, and no balancer sends an authority to a gateway that has none yet",
            "leave it out with listen.acme, or have port 80 reach the gateway without the balancer",
        );
    }
    let needs_audit = file.operations.ready_needs.contains(&ReadyNeed::Audit);
    if needs_audit && file.audit.target == AuditTarget::Off {
        context.warn(
            key!(operations.ready_needs),
            "has audit, and there is no audit log",
            "leave it out, or give audit.target",
        );
    }
    let alarms = alarms::Settings {
        clock_offset: offset,
        node_failures: given.node_failures,
        node_window: window,
        node_minimum: given.node_minimum,
    };
    let needs = file.operations.ready_needs.iter().map(|need| match need {
        ReadyNeed::Store => Name::Store,
        ReadyNeed::Certificates => Name::Certificates,
        ReadyNeed::Keys => Name::Keys,
        ReadyNeed::Audit => Name::Audit,
    });
    let needs = Needs(needs.collect());
    watch::Settings { certificates: std::mem::take(&mut context.certificates), needs, alarms }
}

const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
