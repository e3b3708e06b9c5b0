//! What is wrong with a configuration, said so that it can be put right.
//!
//! Every problem has a place, a key, what is wrong and what to do. All of them are told at once.

use std::fmt;

use super::source_location::SourceLocation;
use crate::base::counted::counted;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program does not start.
    Error,
    /// Legal but unwise: the program starts and says so.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether a gateway can start with it.
    pub severity: Severity,
    /// The line or variable where the key was written.
    pub place: SourceLocation,
    /// The key, such as `route[1].path`; empty when no single key is at fault.
    pub key: String,
    /// What is wrong, without the key and its place.
    pub what: String,
    /// What to do; may be empty.
    pub advice: String,
}

/// `error: brama.toml:12: node.certificates: no certificate is given; add the node's certificate`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.severity, self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}

/// All that is wrong, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    sorted: Vec<Problem>,
}

impl Problems {
    /// Adds a problem that keeps the program from starting.
    pub fn push_error(
        &mut self,
        place: SourceLocation,
        key: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let (key, what, advice) = (key.into(), what.into(), advice.into());
        self.push(Problem { severity: Severity::Error, place, key, what, advice });
    }

    /// Adds a problem that the program starts with.
    pub fn push_warning(
        &mut self,
        place: SourceLocation,
        key: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let (key, what, advice) = (key.into(), what.into(), advice.into());
        self.push(Problem { severity: Severity::Warning, place, key, what, advice });
    }

    /// Adds a problem after those that stand before it in the file.
    pub fn push(&mut self, problem: Problem) {
        let index = self.sorted.partition_point(|other| other.place <= problem.place);
        self.sorted.insert(index, problem);
    }

    /// Adds the problems that another check found.
    pub fn append(&mut self, others: Self) {
        for problem in others.sorted {
            self.push(problem);
        }
    }

    /// Tells whether one of them keeps the program from starting.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Counts those of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Returns how many problems there are, warnings included.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Tells whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Goes through them: first those of the file by line, then those of variables by name.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.sorted.iter()
    }
}

/// One problem a line, and their number at the end.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self {
            writeln!(f, "{problem}")?;
        }
        let errors = counted(self.count(Severity::Error) as u64, "error");
        let warnings = counted(self.count(Severity::Warning) as u64, "warning");
        write!(f, "{errors}, {warnings}")
    }
}

impl std::error::Error for Problems {}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: usize) -> SourceLocation {
        SourceLocation::File { name: "brama.toml".into(), line: Some(line), column: None }
    }

    #[test]
    fn lists_by_line_then_by_variable_and_counts() {
        let mut problems = Problems::default();
        problems.push_error(SourceLocation::Variable("BRAMA__A".to_owned()), "a", "is odd", "");
        problems.push_warning(line(12), "node.timeout", "is long", "make it shorter");
        problems.push_error(line(2), "", "no section", "");
        problems.push_error(line(12), "node.issuer", "is empty", "name the node");

        assert_eq!(
            problems.to_string(),
            "error: brama.toml:2: no section\n\
             warning: brama.toml:12: node.timeout: is long; make it shorter\n\
             error: brama.toml:12: node.issuer: is empty; name the node\n\
             error: environment variable BRAMA__A: a: is odd\n\
             3 errors, 1 warning"
        );
        assert!(problems.has_errors());
    }

    #[test]
    fn warnings_alone_are_no_errors() {
        let mut problems = Problems::default();
        problems.push_warning(line(1), "log.level", "is noisy", "");
        assert!(!problems.has_errors());
        assert!(problems.to_string().ends_with("0 errors, 1 warning"));
    }
}
