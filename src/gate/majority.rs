//! Whether a citizen is an adult: 18 years old, on the day that it is in Poland.
//!
//! 1. A year of age is complete when its last day begins (Civil Code, article 112): one is an adult
//!    from the first moment of the eighteenth birthday. A person who was born on 29 February is one
//!    on 28 February, because there is no 29th eighteen years later.
//! 2. The day is that of Warsaw, by the rule that has held in the whole Union since 1996: summer
//!    time from the last Sunday of March to the last Sunday of October ([`WARSAW`]). So no
//!    time zone data of the machine can be missing or old. Were summer time abolished, days would
//!    begin an hour early in summer until this rule is changed.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::base::clock::{Time, WARSAW};

/// The age of adults (Civil Code, article 10).
const ADULT: i64 = 18;

/// Tells whether a person who was born on a day is an adult now.
#[must_use]
pub fn is_adult(birthdate: Date, now: Time) -> bool {
    let today = WARSAW.to_datetime(now).date();
    birthdate.checked_add(ADULT.years()).is_ok_and(|birthday| birthday <= today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_an_adult_from_the_first_moment_of_the_eighteenth_birthday_in_poland() {
        for (born, now, expected) in [
            // In winter the day begins at 23:00 UTC, in summer at 22:00.
            ("2013-01-15", "2031-01-14T22:59:59Z", false),
            ("2013-01-15", "2031-01-14T23:00:00Z", true),
            ("2013-07-15", "2031-07-14T21:59:59Z", false),
            ("2013-07-15", "2031-07-14T22:00:00Z", true),
            // The last day of winter time and the first of summer time.
            ("2013-03-30", "2031-03-29T22:59:59Z", false),
            ("2013-03-30", "2031-03-29T23:00:00Z", true),
            ("2013-03-31", "2031-03-30T21:59:59Z", false),
            ("2013-03-31", "2031-03-30T22:00:00Z", true),
            // There is no 29 February 2030.
            ("2012-02-29", "2030-02-27T22:59:59Z", false),
            ("2012-02-29", "2030-02-27T23:00:00Z", true),
            ("1950-01-01", "2031-01-01T00:00:00Z", true),
            ("2031-01-01", "2031-01-01T00:00:00Z", false),
            ("2050-01-01", "2031-01-01T00:00:00Z", false),
            ("9999-12-31", "2031-01-01T00:00:00Z", false),
            ("-9999-01-01", "2031-01-01T00:00:00Z", true),
        ] {
            let born: Date = born.replace("-9999-", "-009999-").parse().unwrap();
            assert_eq!(is_adult(born, now.parse().unwrap()), expected, "{born} {now}");
        }
    }
}
