//! Names of keys that are remembered when the keys have gone, each with the time when it was noted.
//!
//! 1. At most [`MOST`] are remembered, the newest of them. What is forgotten leaves its time behind.
//! 2. Lists that different replicas made are joined, and the outcome is the same in whichever order
//!    and however often that is done: otherwise two replicas would write it again and again.

use crate::base::clock::Time;

/// Names of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// In milliseconds, as they are kept; by time, then by name.
    noted: Vec<(i64, String)>,
    forgotten: Option<i64>,
}

impl Names {
    /// Takes names as they were kept, and the time of the last one that was forgotten.
    pub(super) fn kept(noted: Vec<(i64, String)>, forgotten: Option<i64>) -> Self {
        let mut names = Self { noted, forgotten };
        names.tidy();
        names
    }

    /// Tells whether a name is remembered.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all().any(|known| known == name)
    }

    /// Remembers a name.
    pub(super) fn note(&mut self, name: &str, now: Time) {
        if !self.has(name) {
            self.noted.push((now.as_millisecond(), name.to_owned()));
            self.tidy();
        }
    }

    /// Remembers what another list does.
    pub(super) fn join(&mut self, other: &Self) {
        self.forgotten = self.forgotten.max(other.forgotten);
        self.noted.extend(other.noted.iter().cloned());
        self.tidy();
    }

    /// Tells whether a name that was noted at that time or later may have been forgotten.
    pub(super) fn may_have_forgotten(&self, since: Time) -> bool {
        self.forgotten.is_some_and(|forgotten| since.as_millisecond() <= forgotten)
    }

    /// Returns the names.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.noted.iter().map(|(_, name)| name)
    }

    /// Returns what is to be kept: the names with their times, and that of the last one that was
    /// forgotten.
    pub(super) fn to_kept(&self) -> (Vec<(i64, String)>, Option<i64>) {
        (self.noted.clone(), self.forgotten)
    }

    fn tidy(&mut self) {
        // Of two times of one name the later one counts.
        self.noted.sort_by(|one, other| (&one.1, other.0).cmp(&(&other.1, one.0)));
        self.noted.dedup_by(|one, other| one.1 == other.1);
        self.noted.sort();
        let surplus = self.noted.len().saturating_sub(MOST);
        let last = self.noted.drain(..surplus).map(|(time, _)| time).next_back();
        self.forgotten = self.forgotten.max(last);
    }
}

/// The most names that are remembered of the keys that were retired, and of those that were taken in.
pub(super) const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(seconds: impl Iterator<Item = i64>) -> Names {
        let mut names = Names::default();
        for second in seconds {
            names.note(&format!("key {second}"), Time::from_second(second).unwrap());
        }
        names
    }

    fn joined(one: &Names, other: &Names) -> Names {
        let mut joined = one.clone();
        joined.join(other);
        joined
    }

    #[test]
    fn lists_are_joined_in_whichever_order_and_however_often() {
        let (a, b) = (names((0..90).step_by(2)), names((0..300).step_by(5)));
        let c = names(80..160);
        let all = joined(&joined(&a, &b), &c);
        assert_eq!(all, joined(&a, &joined(&c, &b)));
        for one in [&a, &b, &c, &all] {
            assert_eq!(joined(&all, one), all, "what was joined already changes nothing");
        }
        assert_eq!(all.all().count(), MOST);
        assert!(all.has("key 295") && !all.has("key 0"));
    }

    #[test]
    fn what_is_forgotten_leaves_its_time_behind_and_nothing_is_while_there_is_room() {
        let at = |second| Time::from_second(second).unwrap();
        let full = names(1..=64);
        assert!(full.has("key 1") && !full.may_have_forgotten(at(0)));
        let mut over = full.clone();
        over.note("key 1", at(65));
        assert_eq!(over, full, "it is known");
        over.note("key 65", at(65));
        assert!(!over.has("key 1"));
        assert!(over.may_have_forgotten(at(1)) && !over.may_have_forgotten(at(2)));
        assert!(joined(&full, &over).may_have_forgotten(at(1)));
        let (noted, forgotten) = over.to_kept();
        assert_eq!(Names::kept(noted, forgotten), over);
        // In whichever order it was written, and however much.
        let noted: Vec<_> = (0..=64).rev().map(|time| (time, format!("key {time}"))).collect();
        let read = Names::kept(noted, None);
        assert!(read.all().count() == MOST && !read.has("key 0"));
        assert_eq!(read.to_kept().1, Some(0));
    }
}
