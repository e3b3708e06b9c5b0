//! Examines a service provider that need not be ours: drives it from outside, as a browser that signs
//! in and as the node, answers it with every quirk and every hostile message, and judges.
//!
//! 1. A plain login comes first ([`Story::Control`]). When it is not taken, nothing can be said.
//! 2. Each case has a browser of its own, without cookies, and a person of its own, so that a page that
//!    greets somebody tells which answer it believed.
//! 3. Nothing of the service is known but what [`Subject`] says: an attack has worked when its page
//!    shows somebody signed in who should not be, and has failed otherwise.
//! 4. The service is under the examiner's eyes only at its two ends. What it writes to a log, or does
//!    later, is not seen.

mod case;
mod catalogue;
mod drive;
mod judge;
mod messages;
mod session;
mod stories;
mod subject;

use std::time::{Duration, Instant};

use crate::base::clock::SharedClock;
use crate::report::{Outcome, Report, Text};
use crate::simulator::Control;
use crate::simulator::crowd;
use crate::simulator::faults::{Fault, Kind};
use crate::simulator::node::Node;

pub use self::case::{Case, Expects, Group, Profile, Story, Trial, Weight};
pub use self::catalogue::CASES;
use self::drive::{Driver, Reached, Stop};
use self::judge::Verdict;
use self::stories::{Known, Persons};
pub use self::subject::{Logout, SignedIn, Subject};

/// What an examination found.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Every case, and what came of it.
    pub report: Report,
    /// A plain login was taken, so that the rest says something.
    pub was_possible: bool,
}

/// Examines a service provider by a simulator that runs. `tell` is told of each case as it ends.
pub async fn examine(
    simulator: &Control,
    subject: &Subject,
    clock: SharedClock,
    mut tell: impl FnMut(&crate::report::Case),
) -> Examined {
    let began = (clock.now(), Instant::now());
    let driver = Driver::new(subject, simulator.node(), clock);
    let mut known = Known::default();
    let mut was_possible = true;
    let mut cases = Vec::new();
    for (number, case) in subject.cases() {
        tokio::time::sleep(subject.pause).await;
        let began = Instant::now();
        let verdict = if was_possible || case.group == Group::Messages {
            attempt(&driver, &mut known, case, number).await
        } else {
            Verdict::skipped(Text::new(
                "zwykłe logowanie się nie udaje",
                "a plain login is not taken",
            ))
        };
        let is_first = matches!(case.trial, Trial::Story(Story::Nobody | Story::Control));
        was_possible &= !is_first || verdict.outcome == Outcome::Passed;
        let verdict = with_known(verdict, case, subject);
        let case = reported(case, verdict, driver.take_steps(), began.elapsed());
        tell(&case);
        cases.push(case);
    }
    let report = report(&driver, subject, cases, began);
    Examined { report, was_possible }
}

impl Subject {
    /// Returns the cases that are tried, with their numbers: those of the profile, and of what was asked
    /// for. The plain login always is among them.
    pub fn cases(&self) -> impl Iterator<Item = (usize, &'static Case)> {
        CASES.iter().enumerate().filter(|(_, case)| self.has(case))
    }

    fn has(&self, case: &Case) -> bool {
        let is_named = |name: &String| name == case.name() || name == case.group.name();
        let is_needed = matches!(case.trial, Trial::Story(Story::Nobody | Story::Control));
        is_needed
            || case.is_in(self.profile)
                && (self.only.is_empty() || self.only.iter().any(is_named))
                && !self.skip.iter().any(is_named)
    }
}

async fn attempt(driver: &Driver<'_>, known: &mut Known, case: &Case, number: usize) -> Verdict {
    // Two persons for each case, so that none is met again.
    let persons = Persons { one: crowd::person(2 * number), other: crowd::person(2 * number + 1) };
    let verdict = match case.trial {
        Trial::Fault(fault) => Box::pin(with_fault(driver, known, case, fault, &persons)).await,
        Trial::Story(Story::Control) => Box::pin(stories::control(driver, known, &persons)).await,
        Trial::Story(story) => Box::pin(stories::tell(driver, known, story, &persons)).await,
    };
    verdict.unwrap_or_else(Verdict::stopped)
}

/// One login whose answer has a fault.
async fn with_fault(
    driver: &Driver<'_>,
    known: &Known,
    case: &Case,
    fault: Fault,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    if fault.kind() == Kind::Logout {
        return session::log_out(driver, Story::Logout, &[fault], &persons.one).await;
    }
    if fault == Fault::ReplayedAssertion {
        // What is repeated must have been accepted.
        let first = stories::log_in(driver, &known.marks, &persons.other, &[]).await?;
        let first = Verdict::on(Expects::Taken, first);
        if first.outcome != Outcome::Passed {
            return Ok(first);
        }
    }
    let fetched = driver.node.state().fetched;
    let reached = driver.reach(&persons.one, &[fault]).await?;
    if fault == Fault::AssuranceTooLow && asks_for_least(&reached) {
        return Ok(Verdict::skipped(Text::new(
            "usługa zadowala się najniższym poziomem",
            "the service asks for the lowest level",
        )));
    }
    let Reached { mut browser, back, .. } = reached;
    driver.forget_messages();
    let ending =
        stories::bring(driver, &known.marks, (&mut browser, &back), &[], &persons.one).await;
    if driver.node.state().fetched > fetched {
        return Ok(Verdict::failed(Text::new(
            "usługa pobrała adres z wiadomości",
            "the service fetched the address that stands in the message",
        )));
    }
    let verdict = Verdict::on(case.expects, ending?);
    let is_moot = verdict.outcome == Outcome::Passed
        && matches!(case.expects, Expects::Refused | Expects::NoOtherPerson);
    if is_moot && !driver.was_asked() {
        return Err(Stop::Astray(Text::new(
            "usługa nie zapytała węzła, więc odpowiedzi nie widziała",
            "the service did not ask the node, so it has not seen the answer",
        )));
    }
    Ok(verdict)
}

fn asks_for_least(reached: &Reached) -> bool {
    reached.request.minimum == crate::identity::assurance::Assurance::Low
}

/// What is known to fail does not count, and what no longer fails is told.
fn with_known(verdict: Verdict, case: &Case, subject: &Subject) -> Verdict {
    if !subject.known.iter().any(|name| name == case.name()) {
        return verdict;
    }
    let Text { pl, en } = &verdict.seen;
    match verdict.outcome {
        Outcome::Failed => Verdict::skipped(Text::new(
            format!("wiadomo (--known): {pl}"),
            format!("known (--known): {en}"),
        )),
        Outcome::Passed => Verdict::passed(Text::new(
            format!("{pl}; --known jest tu już zbędne"),
            format!("{en}; --known is no longer needed here"),
        )),
        _ => verdict,
    }
}

fn reported(
    case: &Case,
    verdict: Verdict,
    steps: Vec<String>,
    took: Duration,
) -> crate::report::Case {
    let (weight, seen) = (case.weight.text(), verdict.seen);
    let seen = match verdict.outcome {
        Outcome::Failed => {
            Text::new(format!("{}: {}", weight.pl, seen.pl), format!("{}: {}", weight.en, seen.en))
        }
        _ => seen,
    };
    crate::report::Case {
        id: case.name().into(),
        group: case.group.name(),
        name: case.text(),
        outcome: verdict.outcome,
        expected: case.expects.text(),
        seen,
        took,
        source: Some(case.source.into()),
        steps,
    }
}

fn report(
    driver: &Driver<'_>,
    subject: &Subject,
    cases: Vec<crate::report::Case>,
    (began, since): (crate::base::clock::Time, Instant),
) -> Report {
    let Node { issuer, .. } = &*driver.node;
    let services: Vec<String> = {
        let state = driver.node.state();
        state.services.iter().map(|service| service.service.issuer.clone()).collect()
    };
    let profile = match subject.profile {
        Profile::Node => "node",
        Profile::Strict => "strict",
    };
    let address = |url: &url::Url| Text::same(crate::browser::record::shown(url));
    Report {
        title: Text::new("Badanie usługi", "Examination of a service provider"),
        lead: Text::new(
            "Czy usługa przyjmuje to, co wysyła węzeł krajowy, i odrzuca to, czego wysłać nie mógł.",
            "Whether the service takes what the national node sends, and refuses what it cannot have sent.",
        ),
        subject: vec![
            (Text::new("Usługa", "Service"), Text::same(services.join(", "))),
            (Text::new("Logowanie", "Login"), address(&subject.login)),
            (Text::new("Strona", "Page"), address(&subject.page)),
            (Text::new("Profil", "Profile"), Text::same(profile)),
        ],
        program: format!("brama {}", env!("CARGO_PKG_VERSION")),
        began,
        took: since.elapsed(),
        remarks: vec![Text::new(
            format!("W roli węzła wystąpił symulator {issuer}; osoby są zmyślone."),
            format!("The simulator {issuer} stood in for the node; the persons are invented."),
        )],
        groups: Group::ALL.iter().map(|group| (group.name(), group.title())).collect(),
        cases,
    }
}
