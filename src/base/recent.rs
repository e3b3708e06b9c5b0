//! A small table of what was found last, before whatever is dearer to ask.
//!
//! 1. Each key has one slot in it; a later key takes it over. So the table has a fixed size and
//!    nothing is ever tidied.
//! 2. What is found is compared in whole: the slot says nothing.
//! 3. It is for one worker, so its lock is hardly ever waited for.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A table of a fixed number of slots, each with the key and the value that came last.
pub struct Recent<K, V>(Mutex<Table<K, V>>);

type Table<K, V> = Box<[Option<(K, V)>]>;

impl<K, V> Recent<K, V> {
    /// Makes an empty table.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self(Mutex::new((0..slots.max(1)).map(|_| None).collect()))
    }

    /// Returns what `take` makes of the value, if the key at this slot is the one wanted. A value
    /// of which nothing is made is forgotten.
    pub fn find<T>(
        &self,
        slot: u64,
        is_wanted: impl FnOnce(&K) -> bool,
        take: impl FnOnce(&V) -> Option<T>,
    ) -> Option<T> {
        let mut table = self.lock();
        let entry = at(&mut table, slot);
        let (key, value) = entry.as_ref()?;
        if !is_wanted(key) {
            return None;
        }
        let taken = take(value);
        if taken.is_none() {
            *entry = None;
        }
        taken
    }

    /// Puts a value in its place.
    pub fn put(&self, slot: u64, key: K, value: V) {
        *at(&mut self.lock(), slot) = Some((key, value));
    }

    fn lock(&self) -> MutexGuard<'_, Table<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at<E>(table: &mut [E], slot: u64) -> &mut E {
    // The remainder is smaller than the length.
    let index = (slot % table.len() as u64) as usize;
    &mut table[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_and_nothing_else() {
        let recent = Recent::new(4);
        recent.put(1, "a", 10);
        assert_eq!(recent.find(1, |key| *key == "a", |value| Some(*value)), Some(10));
        assert_eq!(recent.find(1, |key| *key == "b", |value| Some(*value)), None);
        assert_eq!(recent.find(2, |key| *key == "a", |value| Some(*value)), None);
        // 5 has the slot of 1.
        recent.put(5, "b", 20);
        assert_eq!(recent.find(1, |key| *key == "a", |value| Some(*value)), None);
        assert_eq!(recent.find(5, |key| *key == "b", |value| Some(*value)), Some(20));
    }

    #[test]
    fn forgets_what_is_of_no_use_any_more() {
        let recent = Recent::new(1);
        recent.put(0, "a", 10);
        assert_eq!(recent.find(0, |_| true, |_| None::<u32>), None);
        assert_eq!(recent.find(0, |_| true, |value| Some(*value)), None);
    }
}
