//! The Polish national identification number (ustawa o ewidencji ludności, art. 15 to 19).

use jiff::civil::Date;

/// Eleven digits. Checksum and date are noted, not demanded: test persons of the node have
/// numbers in which they do not fit.
#[derive(Clone, PartialEq, Eq)]
pub struct Pesel([u8; LENGTH]);

const LENGTH: usize = 11;

/// What is odd about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The last digit is not the checksum of the others.
    Checksum,
    /// The first six digits are no date.
    NoDate,
    /// The first six digits are another date than the date of birth.
    OtherDate,
}

impl Pesel {
    /// Takes a text of exactly eleven digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = <[u8; LENGTH]>::try_from(text.as_bytes()).ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// Returns the eleven digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("only digits are taken")
    }

    /// Returns what is odd, compared with a date of birth when there is one.
    #[must_use]
    pub fn notes(&self, birthdate: Option<Date>) -> Vec<Note> {
        let mut notes = Vec::new();
        if !self.checksum_fits() {
            notes.push(Note::Checksum);
        }
        match (self.date(), birthdate) {
            (None, _) => notes.push(Note::NoDate),
            (Some(date), Some(birthdate)) if date != birthdate => notes.push(Note::OtherDate),
            _ => {}
        }
        notes
    }

    /// Returns the date that the number begins with; the century is in the month.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        let [year, month, day] = [0, 2, 4].map(|at| 10 * self.digit(at) + self.digit(at + 1));
        let century = match month / 20 {
            0 => 1900,
            1 => 2000,
            2 => 2100,
            3 => 2200,
            _ => 1800,
        };
        Date::new(century + i16::from(year), (month % 20) as i8, day as i8).ok()
    }

    fn checksum_fits(&self) -> bool {
        const WEIGHTS: [u8; 10] = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];
        let sum: u32 =
            WEIGHTS.iter().enumerate().map(|(at, w)| u32::from(w * self.digit(at))).sum();
        (10 - sum % 10) % 10 == u32::from(self.digit(10))
    }

    fn digit(&self, at: usize) -> u8 {
        self.0[at] - b'0'
    }
}

impl std::fmt::Debug for Pesel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pesel([personal])")
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Checksum => "the checksum of the PESEL does not fit",
            Self::NoDate => "the PESEL begins with no date",
            Self::OtherDate => "the PESEL begins with another date than the date of birth",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn reads_the_century_from_the_month() {
        for (text, expected) in [
            ("44051401359", Some(date(1944, 5, 14))),
            ("02270803628", Some(date(2002, 7, 8))),
            ("00815700000", None),
            ("00810100000", Some(date(1800, 1, 1))),
            ("00410100000", Some(date(2100, 1, 1))),
            ("99723100000", Some(date(2299, 12, 31))),
            ("99999900000", None),
        ] {
            assert_eq!(Pesel::parse(text).unwrap().date(), expected, "{text}");
        }
    }

    #[test]
    fn notes_what_does_not_fit_but_takes_the_number() {
        let pesel = Pesel::parse("44051401359").unwrap();
        assert_eq!(pesel.notes(Some(date(1944, 5, 14))), []);
        assert_eq!(pesel.notes(Some(date(1944, 5, 15))), [Note::OtherDate]);
        let odd = Pesel::parse("44051401358").unwrap();
        assert_eq!(odd.notes(None), [Note::Checksum]);
        let undated = Pesel::parse("99999900000").unwrap();
        for birthdate in [None, Some(date(1999, 9, 9))] {
            assert!(undated.notes(birthdate).contains(&Note::NoDate), "{birthdate:?}");
        }
        assert!(!pesel.notes(None).contains(&Note::NoDate));
    }

    #[test]
    fn is_eleven_ascii_digits_and_nothing_else() {
        for wrong in
            ["", "4405140135", "440514013590", "4405140135a", "４4051401359", " 4405140135"]
        {
            assert!(Pesel::parse(wrong).is_none(), "{wrong}");
        }
    }
}
