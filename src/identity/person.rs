//! The person whom the node vouched for.

use jiff::civil::Date;

use super::pesel::{Note, Pesel};

/// A person. Made only from an assertion that passed every check
/// ([`crate::saml::assertion::Assertion::person`]). There may be a million in memory: texts have no
/// room to grow, and a PESEL needs none of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    given_name: Option<Box<str>>,
    family_name: Option<Box<str>>,
    birthdate: Option<Date>,
    identifier: Identifier,
}

/// What tells one person from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    /// A PESEL, the number of a person in Poland.
    Pesel(Pesel),
    /// The identifier of another country, such as `DE/PL/...`, kept as it came.
    CrossBorder(CrossBorder),
    /// The node delivered none, and none was required; then the login name must do.
    LoginName(CrossBorder),
}

/// An identifier that is not a PESEL.
#[derive(Clone, PartialEq, Eq)]
pub struct CrossBorder(Box<str>);

impl std::fmt::Debug for CrossBorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CrossBorder([personal])")
    }
}

impl Identifier {
    /// Tells a PESEL from any other identifier.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Pesel::parse(text) {
            Some(pesel) => Self::Pesel(pesel),
            None => Self::CrossBorder(CrossBorder(text.into())),
        }
    }

    /// Takes the login name at the identity provider in place of an identifier.
    #[must_use]
    pub fn login_name(text: &str) -> Self {
        Self::LoginName(CrossBorder(text.into()))
    }

    /// Returns the name of the kind: a login name that looks like a PESEL is still none.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pesel(_) => "pesel",
            Self::CrossBorder(_) => "cross_border",
            Self::LoginName(_) => "login_name",
        }
    }

    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pesel(pesel) => pesel.as_str(),
            Self::CrossBorder(other) | Self::LoginName(other) => &other.0,
        }
    }
}

impl Person {
    pub(crate) fn new(
        given_name: Option<String>,
        family_name: Option<String>,
        birthdate: Option<Date>,
        identifier: Identifier,
    ) -> Self {
        let [given_name, family_name] = [given_name, family_name].map(|name| name.map(Into::into));
        Self { given_name, family_name, birthdate, identifier }
    }

    /// Returns the given names.
    #[must_use]
    pub fn given_name(&self) -> Option<&str> {
        self.given_name.as_deref()
    }

    /// Returns the family name.
    #[must_use]
    pub fn family_name(&self) -> Option<&str> {
        self.family_name.as_deref()
    }

    /// Returns the date of birth.
    #[must_use]
    pub fn birthdate(&self) -> Option<Date> {
        self.birthdate
    }

    /// Returns the identifier that the person is known by.
    #[must_use]
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// Returns the PESEL, when the person has one.
    #[must_use]
    pub fn pesel(&self) -> Option<&str> {
        match &self.identifier {
            Identifier::Pesel(pesel) => Some(pesel.as_str()),
            _ => None,
        }
    }

    /// Tells whether the person has a PESEL.
    #[must_use]
    pub fn has_pesel(&self) -> bool {
        matches!(self.identifier, Identifier::Pesel(_))
    }

    /// Returns what is odd about the PESEL.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        match &self.identifier {
            Identifier::Pesel(pesel) => pesel.notes(self.birthdate),
            _ => Vec::new(),
        }
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person([personal])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_tells_nothing_about_the_person() {
        let person = Person::new(
            Some("Anna".to_owned()),
            Some("Nowak".to_owned()),
            None,
            Identifier::parse("44051401359"),
        );
        let shown = format!("{person:?} {:?}", person.identifier());
        for personal in ["Anna", "Nowak", "4405"] {
            assert!(!shown.contains(personal), "{shown}");
        }
    }

    #[test]
    fn eleven_digits_are_a_pesel_and_anything_else_is_cross_border() {
        assert!(matches!(Identifier::parse("44051401358"), Identifier::Pesel(_)));
        let foreign = Identifier::parse("DE/PL/12345");
        assert!(matches!(foreign, Identifier::CrossBorder(_)));
        assert_eq!(foreign.as_str(), "DE/PL/12345");
        for (identifier, has_pesel) in [("44051401358", true), ("DE/PL/12345", false)] {
            let person = Person::new(None, None, None, Identifier::parse(identifier));
            assert_eq!(person.has_pesel(), has_pesel, "{identifier}");
            assert_eq!(person.pesel().is_some(), has_pesel, "{identifier}");
        }
    }

    #[test]
    fn what_is_odd_about_a_pesel_is_told_with_the_day_of_birth() {
        let born = |day: &str, identifier| {
            Person::new(None, None, Some(day.parse().unwrap()), identifier).notes()
        };
        let pesel = || Identifier::parse("44051401359");
        assert_eq!(born("1944-05-14", pesel()), []);
        assert_eq!(born("1944-05-15", pesel()), [Note::OtherDate]);
        assert_eq!(born("1944-05-15", Identifier::parse("DE/PL/12345")), []);
    }
}
