//! A crowd of further invented persons, one for each thing that is tried: so that a page that greets
//! somebody tells which login it belongs to. No page offers them.
//!
//! Names are of plain letters, so every page writes them alike. Numbers are of the 19th century.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::people::Person;

/// How many there are.
pub(super) const CROWD: usize = 400;

/// Returns a person of the crowd. A number beyond the last begins again with the first.
pub(super) fn person(number: usize) -> Arc<Person> {
    Arc::new(make(number % CROWD))
}

/// Finds a person of the crowd by key.
pub(super) fn find(key: &str) -> Option<Arc<Person>> {
    let number: usize = key.strip_prefix("crowd-")?.parse().ok()?;
    (number < CROWD).then(|| person(number))
}

fn make(number: usize) -> Person {
    let days = i64::try_from(number).unwrap_or(0);
    let birthdate = FIRST.saturating_add(days.days());
    Person {
        key: format!("crowd-{number}").into(),
        given_name: format!("Proba{}", syllables(number)).into(),
        family_name: format!("Badana{}", syllables(number)).into(),
        birthdate,
        identifier: pesel(birthdate, number).into(),
        login: format!("proba.{number}").into(),
        note: ["".into(), "".into()],
        status: None,
        way: None,
        assurance: None,
        faults: Vec::new(),
    }
}

const FIRST: Date = date(1851, 3, 1);
const SYLLABLES: [&str; 20] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "wa",
    "ze", "bi", "co", "du",
];

/// Two syllables, other ones for each number.
fn syllables(number: usize) -> String {
    let [first, second] = [number / SYLLABLES.len(), number].map(|n| n % SYLLABLES.len());
    format!("{}{}", SYLLABLES[first], SYLLABLES[second])
}

/// A number of the 19th century: eighty is added to the month.
fn pesel(birthdate: Date, number: usize) -> String {
    let digits = format!(
        "{:02}{:02}{:02}{:04}",
        birthdate.year() % 100,
        birthdate.month() + 80,
        birthdate.day(),
        number
    );
    let weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];
    let sum: u32 =
        digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::identity::pesel::Pesel;

    #[test]
    fn each_has_a_name_and_a_number_of_their_own_that_fits() {
        let persons: Vec<_> = (0..CROWD).map(person).collect();
        for field in [
            |p: &Person| p.key.to_string(),
            |p: &Person| p.given_name.to_string(),
            |p: &Person| p.family_name.to_string(),
            |p: &Person| p.identifier.to_string(),
        ] {
            let all: HashSet<_> = persons.iter().map(|person| field(person)).collect();
            assert_eq!(all.len(), CROWD);
        }
        for person in persons {
            assert_eq!(find(&person.key).as_ref(), Some(&person));
            let pesel = Pesel::parse(&person.identifier).unwrap();
            assert_eq!(pesel.date(), Some(person.birthdate));
            assert!(pesel.notes(Some(person.birthdate)).is_empty(), "{person:?}");
            assert!(person.birthdate.year() < 1900);
        }
        assert_eq!(find("crowd-400"), None);
        assert_eq!(find("anna"), None);
        assert_eq!(person(CROWD), person(0));
    }
}
