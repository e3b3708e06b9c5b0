//! The attributes of a person that the node delivers (eIDAS minimum data set).

use std::fmt;

/// An attribute of a natural person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// `CurrentFamilyName`.
    FamilyName,
    /// `CurrentGivenName`.
    GivenName,
    /// `DateOfBirth`.
    DateOfBirth,
    /// `PersonIdentifier`.
    PersonIdentifier,
}

impl Attribute {
    /// All of them, in the order in which the node's documents list them.
    pub const ALL: [Self; 4] =
        [Self::FamilyName, Self::GivenName, Self::DateOfBirth, Self::PersonIdentifier];

    /// Returns the name by which an attribute is recognised.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::FamilyName => "http://eidas.europa.eu/attributes/naturalperson/CurrentFamilyName",
            Self::GivenName => "http://eidas.europa.eu/attributes/naturalperson/CurrentGivenName",
            Self::DateOfBirth => "http://eidas.europa.eu/attributes/naturalperson/DateOfBirth",
            Self::PersonIdentifier => {
                "http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier"
            }
        }
    }

    /// Returns the friendly name, which is sent along and never believed.
    #[must_use]
    pub fn friendly_name(self) -> &'static str {
        match self {
            Self::FamilyName => "FamilyName",
            Self::GivenName => "FirstName",
            Self::DateOfBirth => "DateOfBirth",
            Self::PersonIdentifier => "PersonIdentifier",
        }
    }

    /// Returns the XML Schema type of the value, which is sent along and never believed.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::FamilyName => "naturalperson:CurrentFamilyNameType",
            Self::GivenName => "naturalperson:CurrentGivenNameType",
            Self::DateOfBirth => "naturalperson:DateOfBirthType",
            Self::PersonIdentifier => "naturalperson:PersonIdentifierType",
        }
    }

    /// Finds the attribute of that name.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.uri() == uri)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.friendly_name())
    }
}
