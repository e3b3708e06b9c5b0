//! What was found: each check by its stable name, what was seen, and what to do.
//!
//! What comes from outside is bounded and escaped here, whatever it is, so that a report can be
//! mailed and read at any terminal.

use serde_json::{Value, json};

use super::check::{Check, Group};
use crate::base::foreign::sentence;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is as it should be.
    Ok,
    /// It works, and will not for ever, or not for everybody.
    Warning,
    /// It does not work, or is not safe.
    Problem,
    /// It could not be looked at; what was seen says why.
    NotExamined,
}

impl State {
    /// Returns its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::NotExamined => "not_examined",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check it was.
    pub check: Check,
    /// Which of several it was made of, such as a server; empty where there is one alone.
    pub about: String,
    /// How it ended.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where there is nothing.
    pub advice: String,
}

impl Finding {
    fn new(check: Check, about: &str, state: State, seen: &str, advice: &str) -> Self {
        let (about, seen, advice) = (shown(about), shown(seen), shown(advice));
        Self { check, about, state, seen, advice }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.check.id(),
            "about": self.about,
            "state": self.state.name(),
            "seen": self.seen,
            "do": self.advice,
        })
    }
}

/// All that was found, in the order in which it was looked for.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Notes that something is as it should be.
    pub(super) fn ok(&mut self, check: Check, about: &str, seen: impl AsRef<str>) {
        self.list.push(Finding::new(check, about, State::Ok, seen.as_ref(), ""));
    }

    /// Notes what works for now.
    pub(super) fn warning(
        &mut self,
        check: Check,
        about: &str,
        seen: impl AsRef<str>,
        advice: impl AsRef<str>,
    ) {
        let (seen, advice) = (seen.as_ref(), advice.as_ref());
        self.list.push(Finding::new(check, about, State::Warning, seen, advice));
    }

    /// Notes what does not work.
    pub(super) fn problem(
        &mut self,
        check: Check,
        about: &str,
        seen: impl AsRef<str>,
        advice: impl AsRef<str>,
    ) {
        let (seen, advice) = (seen.as_ref(), advice.as_ref());
        self.list.push(Finding::new(check, about, State::Problem, seen, advice));
    }

    /// Notes what could not be looked at, and why.
    pub(super) fn not_examined(&mut self, check: Check, about: &str, why: impl AsRef<str>) {
        self.list.push(Finding::new(check, about, State::NotExamined, why.as_ref(), ""));
    }

    /// Notes the same of several checks.
    pub(super) fn none_examined(&mut self, checks: &[Check], about: &str, why: impl AsRef<str>) {
        for check in checks {
            self.not_examined(*check, about, why.as_ref());
        }
    }

    /// Takes what was found elsewhere.
    pub(super) fn append(&mut self, others: Self) {
        self.list.extend(others.list);
    }

    /// Notes of every check of these groups that was not made that it was not.
    pub(super) fn fill(&mut self, groups: &[Group], why: &str) {
        for check in Check::ALL {
            if groups.contains(&check.group()) && !self.list.iter().any(|f| f.check == *check) {
                self.not_examined(*check, "", why);
            }
        }
    }

    /// Does the same of one group, but for these checks, which are still to come.
    pub(super) fn fill_except(&mut self, others: &[Check], group: Group, why: &str) {
        for check in Check::ALL.iter().filter(|check| !others.contains(check)) {
            if check.group() == group && !self.list.iter().any(|f| f.check == *check) {
                self.not_examined(*check, "", why);
            }
        }
    }

    /// Keeps what belongs to these groups, in the order of the checks.
    pub(super) fn keep(&mut self, groups: &[Group]) {
        self.list.retain(|finding| groups.contains(&finding.check.group()));
        self.list.sort_by_key(|finding| finding.check);
    }

    /// Tells whether a check ended in a problem.
    pub(super) fn is_problem(&self, check: Check) -> bool {
        self.list.iter().any(|f| f.check == check && f.state == State::Problem)
    }

    /// Goes through them.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Counts those that ended so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.list.iter().filter(|finding| finding.state == state).count()
    }

    /// Returns them for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "version": 1,
            "problems": self.count(State::Problem),
            "warnings": self.count(State::Warning),
            "not_examined": self.count(State::NotExamined),
            "findings": self.list.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }
}

/// The most characters of a text.
const MOST: usize = 1500;

/// Returns what a terminal shows and does not obey, on one line.
fn shown(text: &str) -> String {
    sentence(&text.replace(['\n', '\t'], " "), MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_shown_on_one_line_and_bounded() {
        let long = "x".repeat(5000);
        for (text, expected) in [
            ("a\nb\tc", "a b c"),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("żółw", "żółw"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&long).chars().count(), MOST);
    }

    #[test]
    fn what_was_not_looked_at_is_said_of_every_check() {
        let mut findings = Findings::default();
        findings.ok(Check::NodeTcp, "", "fine");
        findings.fill(&[Group::Node], "for a reason");
        findings.keep(&[Group::Node]);
        let of_node = Check::ALL.iter().filter(|check| check.group() == Group::Node).count();
        assert_eq!(findings.iter().count(), of_node);
        assert_eq!(findings.count(State::NotExamined), of_node - 1);
        assert!(findings.json()["findings"][0]["id"] == "node.dns");
    }
}
