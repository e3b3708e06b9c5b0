//! Runs cases one after the other and keeps what came of them.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::citizen::{A_MINUTE, Citizen, Steps, Trouble};
use super::world::World;
use crate::report::{Case, Outcome, Text};

/// What is tried, before it is.
pub(super) struct Planned {
    pub(super) id: Cow<'static, str>,
    pub(super) group: &'static str,
    pub(super) name: Text,
    pub(super) expected: Text,
    pub(super) source: &'static str,
}

/// One case while it is tried.
pub(super) struct Attempt<'w> {
    pub(super) world: &'w World,
    steps: Steps,
}

impl<'w> Attempt<'w> {
    /// Another citizen, with a browser of their own.
    pub(super) fn citizen(&self) -> Citizen<'w> {
        Citizen::new(self.world, self.steps.clone())
    }
}

/// Runs cases.
pub(super) struct Examiner<'w> {
    pub(super) world: &'w World,
    pub(super) cases: Vec<Case>,
    /// Only groups and cases whose names begin like one of these; all, when it is empty.
    only: &'w [String],
}

impl<'w> Examiner<'w> {
    pub(super) fn new(world: &'w World, only: &'w [String]) -> Self {
        Self { world, cases: Vec::new(), only }
    }

    /// Tells whether a case of a group may be wanted.
    fn wants(&self, planned: &Planned) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|only| planned.group == only || planned.id.starts_with(only))
    }

    /// Tries a case: `body` returns what was seen when it is as expected.
    pub(super) async fn case<F>(&mut self, planned: Planned, body: F)
    where
        F: AsyncFnOnce(&Attempt<'w>) -> Result<Text, Trouble>,
    {
        if !self.wants(&planned) {
            return;
        }
        // Rules count for a minute: each case is another one's minute.
        self.world.clock.advance(A_MINUTE);
        self.world.control.next(&[]);
        self.world.control.always(&[]);
        self.world.control.schedule(None);
        self.world.control.repeat_answers(false);
        // It fails only for a simulator without TLS, where nothing was set.
        let _ = self.world.control.tls(None);
        self.world.notes.take();
        let attempt = Attempt { world: self.world, steps: Steps::default() };
        let began = Instant::now();
        let ended = tokio::time::timeout(PATIENCE, Box::pin(body(&attempt))).await;
        let took = began.elapsed();
        let nothing = Text::default;
        let (outcome, seen) = match ended {
            Ok(Ok(seen)) => (Outcome::Passed, seen),
            Ok(Err(Trouble::Otherwise(seen))) => (Outcome::Failed, seen),
            Ok(Err(Trouble::Error(why))) => (Outcome::Error(why), nothing()),
            Ok(Err(Trouble::NotHere(why))) => (Outcome::Skipped(why), nothing()),
            Err(_) => {
                let why = Text::new("próba trwała zbyt długo", "the case took too long");
                (Outcome::Error(why), nothing())
            }
        };
        self.cases.push(Case {
            id: planned.id,
            group: planned.group,
            name: planned.name,
            outcome,
            expected: planned.expected,
            seen,
            took,
            source: (!planned.source.is_empty()).then_some(planned.source.into()),
            steps: attempt.steps.take(),
        });
    }
}

/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(60);
