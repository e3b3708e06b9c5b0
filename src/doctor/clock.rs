//! The clock of this machine, by the time that the node says.

use std::time::Duration;

use super::check::Check;
use super::finding::Findings;
use crate::base::clock::Time;

/// What somebody else said of the time, and when by our clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// The time that was told.
    pub(super) time: Time,
    /// Our time when the question went out.
    pub(super) asked: Time,
    /// Our time when the answer was there.
    pub(super) heard: Time,
    /// Who says so.
    pub(super) by: &'static str,
}

impl Told {
    /// Returns by how much we are ahead at the least, in seconds; negative when we are behind. A
    /// header of HTTP has whole seconds, and the answer took its time.
    fn ahead(&self) -> i64 {
        let seconds = |one: Time, other: Time| one.as_second() - other.as_second();
        let (most, least) = (seconds(self.heard, self.time), seconds(self.asked, self.time) - 1);
        match (most, least) {
            (_, 1..) => least,
            (..=-1, _) => most,
            _ => 0,
        }
    }
}

/// Judges our clock, by what was told last: a signed answer before a header.
///
/// Returns whether it is so wrong that answers are refused for it.
pub(super) fn examine(told: Option<Told>, skew: Duration, findings: &mut Findings) -> bool {
    let Some(told) = told else {
        findings.not_examined(Check::ClockNode, "", "the node told no time");
        return false;
    };
    let ahead = told.ahead();
    let by = told.by;
    let seen = match ahead {
        0 => format!("it is the node's, to the second ({by})"),
        ahead => {
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            format!(
                "it is {} s {way} the node's ({by}); {} s are tolerated",
                ahead.abs(),
                skew.as_secs()
            )
        }
    };
    let advice = "set it right: have chrony or systemd-timesyncd keep it (timedatectl), and look \
                  whether they reach their servers";
    let off = Duration::from_secs(ahead.unsigned_abs());
    if off > skew {
        findings.problem(Check::ClockNode, "", seen, advice);
    } else if off > LITTLE {
        findings.warning(Check::ClockNode, "", seen, advice);
    } else {
        findings.ok(Check::ClockNode, "", seen);
    }
    off > skew
}

/// What a clock that is kept right is never off.
const LITTLE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    fn second(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    #[test]
    fn the_time_that_a_question_takes_is_no_fault_of_the_clock() {
        let skew = Duration::from_secs(60);
        for (told, asked, heard, expected, seen) in [
            (100, 100, 100, State::Ok, "to the second"),
            // Eight seconds on the way: somewhere between them is right.
            (100, 96, 104, State::Ok, "to the second"),
            (100, 103, 103, State::Ok, "2 s ahead"),
            (100, 110, 111, State::Warning, "9 s ahead"),
            (100, 90, 92, State::Warning, "8 s behind"),
            (300, 120, 120, State::Problem, "180 s behind"),
            (100, 280, 280, State::Problem, "179 s ahead"),
        ] {
            let told =
                Told { time: second(told), asked: second(asked), heard: second(heard), by: "it" };
            let mut findings = Findings::default();
            examine(Some(told), skew, &mut findings);
            let found = findings.iter().next().unwrap();
            assert_eq!(found.state, expected, "{}", found.seen);
            assert!(found.seen.contains(seen), "{}", found.seen);
        }
    }
}
