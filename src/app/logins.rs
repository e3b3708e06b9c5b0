//! How logins ended, and attempts to be taken for another, as each scrape tells it.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::reason::Reason;
use crate::gateway::Shared;
use crate::observe::metrics::logins::{End, OTHERS};
use crate::observe::metrics::spoofs::Spoof;
use crate::observe::metrics::{GatewayCounts, LEVELS, MetricsEncoder, catalogue};

/// Writes both.
pub(super) fn write(shared: &Shared, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    let counts = shared.events.counts();
    let rows = logins(shared, counts);
    encoder.rows(&catalogue::LOGINS, |samples| {
        rows.iter().try_for_each(|(labels, count)| {
            samples.add(&labels.each_ref().map(String::as_str), *count as f64)
        })
    })?;
    let refusals: BTreeMap<_, _> = counts.refusals.all().into_iter().collect();
    encoder.rows(&catalogue::SPOOFS, |samples| {
        Spoof::ALL.into_iter().try_for_each(|spoof| {
            let codes = spoof.reasons().iter().map(|reason| reason.as_str());
            let refused: u64 = codes.filter_map(|code| refusals.get(code)).sum();
            let removed = match spoof {
                Spoof::ForeignIdentityHeader => counts.identities_told.value(),
                Spoof::IdentityHeader => counts.identities_forged.value(),
                _ => 0,
            };
            samples.add(&[spoof.name()], (refused + removed) as f64)
        })
    })
}

/// Result, reason, way in and level.
type Labels = [String; 4];

/// Returns how often logins ended in each way. What may happen any day begins at zero: each named
/// way in at each level, and each reason.
fn logins(shared: &Shared, counts: &GatewayCounts) -> BTreeMap<Labels, u64> {
    let ways = shared.minter.ways();
    let way_in = |authority: &str| match authority {
        "" | OTHERS => authority.to_owned(),
        known => ways.of(known).to_owned(),
    };
    let labels = |end, way: String| match end {
        End::SignedIn(level) => ["signed_in".to_owned(), String::new(), way, level.to_owned()],
        End::Refused(reason) => {
            ["refused".to_owned(), reason.as_str().to_owned(), way, String::new()]
        }
    };
    let mut rows = BTreeMap::new();
    for way in ways.names().chain([""]) {
        rows.extend(LEVELS.map(|level| (labels(End::SignedIn(level), way.to_owned()), 0)));
    }
    for reason in Reason::ALL.iter().filter(|reason| reason.is_of_login()) {
        rows.insert(labels(End::Refused(*reason), String::new()), 0);
    }
    for (end, authority, count) in counts.logins.all() {
        *rows.entry(labels(end, way_in(&authority))).or_default() += count;
    }
    rows
}
