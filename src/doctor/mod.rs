//! `brama doctor`: looks at everything that a login and a page go through, one after the other, in
//! a live environment. It stops at nothing, and says of each check what was seen and what to do.
//!
//! 1. It uses the parts of a gateway, so that it sees what a gateway would see: the configuration
//!    as it is resolved, the client of the node, the examination of answers, the way to upstreams,
//!    the store.
//! 2. It harms nothing: no login is spent, no session is begun, no port is bound and no file is
//!    written. What it does write is told in `docs/doctor.md`: a key of Redis that every gateway
//!    writes, and lines in the logs of those whom it asks.
//! 3. Each question has its time, and so have all together; each answer its bound.
//! 4. What cannot be looked at because something else failed is "not examined", with the reason,
//!    and no problem of its own.
//! 5. No secret is in what it says.

mod backend;
mod check;
mod clock;
mod config;
mod delivered;
mod exchange;
mod files;
mod finding;
mod forgery;
mod front;
mod gateway;
mod keys;
mod login_page;
mod network;
mod node;
mod node_answer;
mod options;
mod owner;
mod public;
mod site;
mod sso;
mod store;
mod tls;
mod upstream;

use std::time::Duration;

pub use self::check::{Check, Group};
pub use self::finding::{Finding, Findings, State};
use self::gateway::Running;
pub use self::options::Options;

/// How long everything may take.
pub const TOTAL: Duration = Duration::from_secs(180);

/// Makes all checks that are wanted.
pub async fn examine(options: &Options) -> Findings {
    let mut findings = Findings::default();
    let in_time = tokio::time::timeout(TOTAL, run(options, &mut findings)).await;
    if in_time.is_err() {
        findings.fill(&Group::ALL, "everything together took too long");
    }
    findings.fill(&Group::ALL, "there is nothing to look at");
    findings.keep(&options.groups);
    findings
}

async fn run(options: &Options, findings: &mut Findings) {
    // 1. The configuration, and the files that it names. Without it there is nothing to ask.
    let Some(settings) = config::examine(options, findings) else {
        return findings.fill(&Group::ALL, "the configuration is not usable");
    };
    files::examine(&settings, findings);
    keys::examine(&settings, findings);
    // 2. The node, by which the clock is seen.
    if options.wants(&[Group::Node, Group::Clock]) {
        node::examine(options, &settings, findings).await;
    }
    // 3. What runs here, for those who look at it or depend on it; and what citizens see of it.
    let running = if options.wants(&[Group::Gateway, Group::Public, Group::Front, Group::Store]) {
        gateway::examine(options, &settings, findings).await
    } else {
        Running::default()
    };
    if options.wants(&[Group::Public, Group::Front]) {
        public::examine(options, &settings, &running, findings).await;
    }
    // 4. What stands behind.
    if options.wants(&[Group::Upstream, Group::Backend]) {
        let reached = upstream::examine(options, &settings, findings).await;
        backend::examine(options, &settings, &reached, findings).await;
    }
    if options.wants(&[Group::Store]) {
        store::examine(options, &settings, &running, findings).await;
    }
}
