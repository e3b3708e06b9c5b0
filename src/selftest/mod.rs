//! `brama selftest`: the acceptance of a sign-in with the real configuration, against a simulated node.
//!
//! 1. The configuration is copied (`copy.rs`): its rules, keys, certificates and hosts are the real
//!    ones. Only what must not be touched is replaced, and each replacement is said in the report.
//! 2. Gateway, node and what stands in for portals run in this process, on ports of loopback
//!    (`world.rs`). The node cannot be another one: its addresses and pinned keys are the simulator's
//!    before anything runs.
//! 3. A browser ([`crate::browser`]) goes through every case (`cases`). Time passes by a clock that
//!    is moved (`clock.rs`), so nobody waits for the end of a session.
//! 4. What each wrong answer of the node must lead to is a table ([`expected`]).
//!
//! What could break it: a configuration whose files only the gateway's user can read. Then keys stand
//! in for them, and the report says that the real ones were not proved.

mod cases;
mod choice;
mod citizen;
mod clock;
mod copy;
mod examiner;
pub mod expected;
mod facts;
mod plan;
mod registered;
mod served;
mod stand_in;
mod token;
mod world;

use std::path::Path;
use std::time::Instant;

use self::examiner::Examiner;
pub use self::world::Unready;
use self::world::World;
use crate::base::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::report::{Report, Text};

/// What is wanted.
#[derive(Debug, Default)]
pub struct Wish<'w> {
    /// The file of the certificate that the node encrypts to, where it is not found by itself.
    pub encryption_certificate: Option<&'w Path>,
    /// The real portals are asked, and not what stands in for them.
    pub with_portal: bool,
    /// Only these groups or cases; all, when it is empty.
    pub only: &'w [String],
    /// The configuration file with its folder, for the report.
    pub name: &'w str,
}

/// Goes through all cases with a configuration.
///
/// # Errors
/// When the configuration has errors, or a part does not start: then nothing was tried.
pub async fn examine(loaded: Loaded, wish: &Wish<'_>) -> Result<Report, Unready> {
    let (began, clock) = (SystemClock.now(), Instant::now());
    let environment = environment(&loaded);
    let start = World::start(loaded, wish.encryption_certificate, wish.with_portal);
    let world = Box::pin(start).await?;
    let cases = {
        let mut examiner = Examiner::new(&world, wish.only);
        cases::all(&mut examiner).await;
        examiner.cases
    };
    let report = Report {
        title: Text::new(
            "Protokół testów akceptacyjnych logowania",
            "Report of acceptance tests of the sign-in",
        ),
        lead: Text::new(
            "Badanie integracji usługi z Krajowym Węzłem Identyfikacji Elektronicznej: logowanie, odmowy, \
             nieprawidłowe odpowiedzi węzła, sesja i wylogowanie.",
            "How the service works with the national node of electronic identification: logins, refusals, \
             wrong answers of the node, sessions and signing out.",
        ),
        subject: subject(&world, environment, wish.name),
        program: format!("brama {}", env!("CARGO_PKG_VERSION")),
        began,
        took: clock.elapsed(),
        remarks: world.remarks.clone(),
        groups: cases::groups(),
        cases,
    };
    world.stop().await;
    Ok(report)
}

/// Returns the names of the groups, for `--only`.
#[must_use]
pub fn group_names() -> Vec<&'static str> {
    cases::groups().into_iter().map(|(id, _)| id).collect()
}

/// The environment as the configuration names it.
fn environment(loaded: &Loaded) -> String {
    let value = serde_json::to_value(loaded.file.node.environment).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn subject(world: &World, environment: String, name: &str) -> Vec<(Text, Text)> {
    let facts = &world.facts;
    let others: Vec<_> =
        facts.others.iter().map(|one| one.as_str().trim_end_matches('/')).collect();
    let mut rows = vec![
        ("Portal", "Portal", facts.portal.clone()),
        ("Adres portalu", "Address", facts.origin.as_str().trim_end_matches('/').to_owned()),
        ("Dalsze adresy", "Further addresses", others.join(", ")),
        ("Identyfikator systemu (Issuer)", "Issuer of the service", facts.issuer.clone()),
        ("Nazwa systemu (ProviderName)", "Name at the node", facts.provider_name.clone()),
        ("Adres powrotu (ACS)", "Assertion consumer service", facts.acs.clone()),
        ("Węzeł (jego rolę pełni symulator)", "Node (played by a simulator)", facts.node.clone()),
        ("Środowisko", "Environment", environment),
        ("Plik konfiguracji", "Configuration file", name.to_owned()),
    ];
    rows.retain(|(.., value)| !value.is_empty());
    let rows = rows.into_iter().map(|(pl, en, value)| (Text::new(pl, en), Text::same(value)));
    let level = (
        Text::new("Wymagany poziom wiarygodności", "Level of assurance"),
        choice::level(facts.assurance),
    );
    rows.chain([level]).collect()
}
