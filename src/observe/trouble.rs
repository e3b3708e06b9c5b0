//! What is wrong for a while: told when it begins, again and again while it goes on, and when it is
//! over.

use std::time::Duration;

use crate::base::clock::{Time, later};

/// What the log was told is wrong, and when.
#[derive(Debug)]
pub struct Trouble {
    every: Duration,
    told: Option<(String, Time)>,
}

/// What the log is to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum News<'t> {
    /// This is wrong: it was not before, or it is worth saying again.
    Wrong(&'t str),
    /// Nothing is wrong any more.
    Over,
}

impl Trouble {
    /// Knows of nothing wrong, and repeats what is after that time.
    #[must_use]
    pub const fn every(every: Duration) -> Self {
        Self { every, told: None }
    }

    /// Takes in what is wrong now, if anything is; returns what is to be told of it.
    pub fn news(&mut self, wrong: Option<String>, now: Time) -> Option<News<'_>> {
        match (&wrong, &self.told) {
            (Some(wrong), Some((told, at))) if wrong == told && now < later(*at, self.every) => {
                None
            }
            (None, None) => None,
            _ => {
                self.told = wrong.map(|wrong| (wrong, now));
                Some(self.told.as_ref().map_or(News::Over, |(wrong, _)| News::Wrong(wrong)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_when_it_changes_and_again_after_a_time() {
        let mut trouble = Trouble::every(Duration::from_secs(60));
        let mut told = |wrong: Option<&str>, second: i64| {
            let now = Time::from_second(1_000_000 + second).unwrap();
            let news = trouble.news(wrong.map(str::to_owned), now);
            news.map(|news| match news {
                News::Wrong(what) => what.to_owned(),
                News::Over => "over".to_owned(),
            })
        };
        assert_eq!(told(None, 0), None);
        assert_eq!(told(Some("a"), 1).as_deref(), Some("a"));
        assert_eq!(told(Some("a"), 60), None);
        assert_eq!(told(Some("a"), 61).as_deref(), Some("a"));
        assert_eq!(told(Some("b"), 62).as_deref(), Some("b"));
        assert_eq!(told(None, 63).as_deref(), Some("over"));
        assert_eq!(told(None, 64), None);
    }
}
