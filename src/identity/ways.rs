//! The ways in which citizens identify at the node, under names that portals can rely on.
//!
//! The node says which authority identified a citizen (`AuthenticatingAuthority`), such as
//! `pz.gov.pl`. A table makes of it a name for the claim `amr`; an authority that is not in it is told
//! as the node names it.

use std::collections::BTreeMap;

/// What was seen in a genuine answer, and what the simulator says of the other ways; what the node
/// says of those is for the configuration to name.
const KNOWN: [(&str, &str); 4] = [
    ("pz.gov.pl", "profil_zaufany"),
    ("e-dowod.symulator", "e_dowod"),
    ("bank.symulator", "bank"),
    ("mobywatel.symulator", "mobywatel"),
];

/// Names of ways, by authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways(BTreeMap<String, String>);

impl Ways {
    /// Extends the known ones; what is named twice has the later name.
    #[must_use]
    pub fn extended(named: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = KNOWN.map(|(authority, way)| (authority.to_owned(), way.to_owned()));
        Self(known.into_iter().chain(named).collect())
    }

    /// Returns the names that there are, some of them more than once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// Returns the name of the way; that of the authority when there is none.
    #[must_use]
    pub fn of<'w>(&'w self, authority: &'w str) -> &'w str {
        self.0.get(authority).map_or(authority, String::as_str)
    }
}

impl Default for Ways {
    fn default() -> Self {
        Self::extended([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_has_the_name_that_was_given_or_its_own() {
        let named = |authority: &str, way: &str| (authority.to_owned(), way.to_owned());
        let ways = Ways::extended([named("bank.example", "bank"), named("x", "y")]);
        assert_eq!(ways.of("bank.example"), "bank");
        assert_eq!(ways.of("pz.gov.pl"), "profil_zaufany");
        assert_eq!(ways.of("mobywatel.symulator"), "mobywatel");
        assert_eq!(ways.of("mobywatel.gov.pl"), "mobywatel.gov.pl", "nobody has seen it");
        assert_eq!(ways.of("PZ.GOV.PL"), "PZ.GOV.PL");
        assert_eq!(Ways::extended([named("pz.gov.pl", "pz")]).of("pz.gov.pl"), "pz");
        assert_eq!(Ways::default().of("unknown"), "unknown");
        assert_eq!(ways.names().filter(|name| *name == "bank").count(), 2);
    }
}
