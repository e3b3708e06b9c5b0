//! Levels of assurance (Regulation (EU) 910/2014, article 8).

use std::fmt;

/// How sure it is that the person is who they say. Ordered: low, substantial, high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// A limited degree of confidence.
    Low,
    /// A substantial degree of confidence.
    Substantial,
    /// A high degree of confidence.
    High,
}

impl Assurance {
    /// All levels, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Substantial, Self::High];

    /// Returns the identifier that stands in messages and in the `acr` claim.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Low => "http://eidas.europa.eu/LoA/low",
            Self::Substantial => "http://eidas.europa.eu/LoA/substantial",
            Self::High => "http://eidas.europa.eu/LoA/high",
        }
    }

    /// Returns the short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Substantial => "substantial",
            Self::High => "high",
        }
    }

    /// Reads the identifier. Anything else is no level at all.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.uri() == uri)
    }

    /// Reads the short name or the identifier.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == text || level.uri() == text)
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_read_back() {
        assert!(
            Assurance::Low < Assurance::Substantial && Assurance::Substantial < Assurance::High
        );
        for level in Assurance::ALL {
            assert_eq!(Assurance::from_uri(level.uri()), Some(level));
            assert_eq!(Assurance::parse(level.name()), Some(level));
            assert_eq!(Assurance::parse(level.uri()), Some(level));
        }
        for wrong in ["", "High", "http://eidas.europa.eu/LoA/High", "urn:high"] {
            assert_eq!(Assurance::from_uri(wrong), None);
            assert_eq!(Assurance::parse(wrong), None);
        }
    }
}
