//! The invented people who sign in here, and the ways in that the node offers.
//!
//! Numbers are in the range of the 19th century, so they belong to no living person; their
//! checksums fit, but for the person who is there to show what happens when one does not.

use std::borrow::Cow;

use jiff::civil::{Date, date};

use super::faults::Fault;
use crate::identity::assurance::Assurance;
use crate::pages::Language;

/// An invented person: one of [`PEOPLE`], or of a file of the developer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name by which the person is chosen.
    pub key: Cow<'static, str>,
    /// Given names, parted by spaces.
    pub given_name: Cow<'static, str>,
    /// The family name, as the assertion has it.
    pub family_name: Cow<'static, str>,
    /// The date of birth.
    pub birthdate: Date,
    /// A PESEL, or an identifier of another country.
    pub identifier: Cow<'static, str>,
    /// The login name at the identity provider, which becomes the `NameID`.
    pub login: Cow<'static, str>,
    /// What the person is there for, in Polish and English; empty when for nothing special.
    pub note: [Cow<'static, str>; 2],
    /// The status that the node answers with instead of a login.
    pub status: Option<NodeStatus>,
    /// The way in that the person takes when none is chosen.
    pub way: Option<Way>,
    /// The level that the person has when none is chosen, whatever the way gives.
    pub assurance: Option<Assurance>,
    /// The faults that each login of the person has.
    pub faults: Vec<Fault>,
}

impl Person {
    /// Returns what the person is there for.
    #[must_use]
    pub fn note(&self, language: Language) -> &str {
        let [polish, english] = &self.note;
        match language {
            Language::Polish => polish,
            Language::English | Language::Ukrainian => english,
        }
    }

    /// Finds a person by key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.key == key)
    }
}

/// What is chosen instead of a person.
pub(super) const CANCEL: &str = "cancel";

/// What the node says when there is no login (SAML core 3.2.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeStatus {
    /// The citizen did not authenticate.
    AuthnFailed,
    /// The node refuses this login.
    RequestDenied,
    /// The node knows no such person.
    UnknownPrincipal,
    /// The request is wrong.
    Requester,
    /// The node could not do its work.
    Responder,
}

impl NodeStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::AuthnFailed,
        Self::RequestDenied,
        Self::UnknownPrincipal,
        Self::Requester,
        Self::Responder,
    ];

    /// Returns the name by which it is chosen: that of its most particular code.
    #[must_use]
    pub fn name(self) -> &'static str {
        let (code, below) = self.codes();
        below.unwrap_or(code)
    }

    /// Finds a status by name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Returns the top-level code and the one below it, without their common prefix.
    #[must_use]
    pub fn codes(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::AuthnFailed => ("Responder", Some("AuthnFailed")),
            Self::RequestDenied => ("Requester", Some("RequestDenied")),
            Self::UnknownPrincipal => ("Responder", Some("UnknownPrincipal")),
            Self::Requester => ("Requester", None),
            Self::Responder => ("Responder", None),
        }
    }

    /// Returns the text that goes with it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::AuthnFailed => "Uwierzytelnienie nie powiodło się",
            Self::RequestDenied => "Żądanie zostało odrzucone",
            Self::UnknownPrincipal => "Nieznany użytkownik",
            Self::Requester => "Błędne żądanie",
            Self::Responder => "Błąd węzła",
        }
    }
}

/// A way in that the node offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Way {
    /// The trusted profile (profil zaufany), of level substantial.
    #[default]
    TrustedProfile,
    /// The identity card with a chip.
    IdentityCard,
    /// A bank, of level substantial.
    Bank,
    /// The application mObywatel, taken to be of level substantial.
    MObywatel,
}

impl Way {
    /// Every way in, in the order in which a citizen is offered them.
    pub const ALL: [Self; 4] =
        [Self::TrustedProfile, Self::IdentityCard, Self::Bank, Self::MObywatel];

    /// Returns the name by which the way is chosen.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::TrustedProfile => "profil-zaufany",
            Self::IdentityCard => "e-dowod",
            Self::Bank => "bank",
            Self::MObywatel => "mobywatel",
        }
    }

    /// Finds a way by key.
    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.key() == key)
    }

    /// Returns the value of `AuthenticatingAuthority`. Only the first was seen in a genuine
    /// answer; the others are plainly invented.
    #[must_use]
    pub fn authority(self) -> &'static str {
        match self {
            Self::TrustedProfile => "pz.gov.pl",
            Self::IdentityCard => "e-dowod.symulator",
            Self::Bank => "bank.symulator",
            Self::MObywatel => "mobywatel.symulator",
        }
    }

    /// Returns the level of assurance that the way gives by itself.
    #[must_use]
    pub fn assurance(self) -> Assurance {
        match self {
            Self::TrustedProfile | Self::Bank | Self::MObywatel => Assurance::Substantial,
            Self::IdentityCard => Assurance::High,
        }
    }

    /// Returns the name for people.
    #[must_use]
    pub fn title(self, language: Language) -> &'static str {
        let titles = match self {
            Self::TrustedProfile => ["Profil zaufany", "Trusted profile (profil zaufany)"],
            Self::IdentityCard => ["E-dowód", "Identity card (e-dowód)"],
            Self::Bank => ["Bank", "Bank"],
            Self::MObywatel => ["Aplikacja mObywatel", "Application mObywatel"],
        };
        pick(titles, language)
    }
}

fn pick(words: [&'static str; 2], language: Language) -> &'static str {
    match language {
        Language::Polish => words[0],
        Language::English | Language::Ukrainian => words[1],
    }
}

const fn person(
    key: &'static str,
    [given_name, family_name]: [&'static str; 2],
    birthdate: Date,
    identifier: &'static str,
    login: &'static str,
    note: [&'static str; 2],
) -> Person {
    let [polish, english] = note;
    Person {
        key: Cow::Borrowed(key),
        given_name: Cow::Borrowed(given_name),
        family_name: Cow::Borrowed(family_name),
        birthdate,
        identifier: Cow::Borrowed(identifier),
        login: Cow::Borrowed(login),
        note: [Cow::Borrowed(polish), Cow::Borrowed(english)],
        status: None,
        way: None,
        assurance: None,
        faults: Vec::new(),
    }
}

const fn refused(
    key: &'static str,
    family_name: &'static str,
    status: NodeStatus,
    note: [&'static str; 2],
) -> Person {
    let [polish, english] = note;
    Person {
        key: Cow::Borrowed(key),
        given_name: Cow::Borrowed("Test"),
        family_name: Cow::Borrowed(family_name),
        birthdate: date(1889, 3, 21),
        identifier: Cow::Borrowed("89832122043"),
        login: Cow::Borrowed(key),
        note: [Cow::Borrowed(polish), Cow::Borrowed(english)],
        status: Some(status),
        way: None,
        assurance: None,
        faults: Vec::new(),
    }
}

const PLAIN: [&str; 2] = ["", ""];
/// A PESEL of this date could be a living person's, so a person who was born on it has none here.
const MINOR: Date = date(2020, 6, 1);

/// Every person who can sign in.
pub static PEOPLE: [Person; 14] = [
    person(
        "anna",
        ["Anna", "Żółkiewska"],
        date(1884, 5, 14),
        "84851401359",
        "anna.zolkiewska",
        PLAIN,
    ),
    person(
        "lukasz",
        ["Łukasz Józef", "Ścibor-Wąż"],
        date(1891, 12, 3),
        "91920342187",
        "lukasz.scibor",
        ["dwa imiona i nazwisko dwuczłonowe", "two given names and a double name"],
    ),
    person(
        "zofia",
        ["Zofia", "Gęśla-Ćwikłowa"],
        date(1877, 2, 28),
        "77822877314",
        "zosia1877",
        ["wszystkie trudne litery", "all the difficult letters"],
    ),
    person(
        "stanislaw",
        ["Stanisław", "Ó"],
        date(1868, 10, 31),
        "68903190848",
        "stanislaw",
        ["nazwisko z jednej litery", "a family name of one letter"],
    ),
    person(
        "lutek",
        ["Lutosław", "Przestępny"],
        date(1880, 2, 29),
        "80822955139",
        "lutek.29.02",
        ["urodzony 29 lutego", "born on 29 February"],
    ),
    person(
        "malgorzata",
        ["Małgorzata", "O'Reilly & Synowie <Kraków>"],
        date(1895, 6, 7),
        "95860733465",
        "m&m",
        ["znaki, które XML i HTML muszą zabezpieczyć", "characters that XML and HTML must escape"],
    ),
    person(
        "jurgen",
        ["Jürgen", "Müller-Weiß"],
        date(1871, 1, 1),
        "DE/PL/symulator-7f3a9c5e",
        "eidas.juergen",
        ["logowanie transgraniczne, bez numeru PESEL", "cross-border, without a PESEL"],
    ),
    person(
        "mia",
        ["Mia", "Müller-Weiß"],
        MINOR,
        "DE/PL/symulator-0b51d2aa",
        "eidas.mia",
        ["osoba niepełnoletnia (do 2038 r.)", "a minor (until 2038)"],
    ),
    person(
        "bledny",
        ["Bogumił", "Błędny"],
        date(1899, 8, 19),
        "99881906621",
        "bogumil",
        ["suma kontrolna numeru PESEL się nie zgadza", "the checksum of the PESEL does not fit"],
    ),
    refused(
        "odmowa",
        "Odmówiona",
        NodeStatus::RequestDenied,
        ["węzeł odpowiada: RequestDenied", "the node answers RequestDenied"],
    ),
    refused(
        "nieznany",
        "Nieznany",
        NodeStatus::UnknownPrincipal,
        ["węzeł odpowiada: UnknownPrincipal", "the node answers UnknownPrincipal"],
    ),
    refused(
        "zle-zadanie",
        "Złożądaniowy",
        NodeStatus::Requester,
        ["węzeł odpowiada: Requester", "the node answers Requester"],
    ),
    refused(
        "awaria",
        "Awaryjna",
        NodeStatus::Responder,
        ["węzeł odpowiada: Responder", "the node answers Responder"],
    ),
    refused(
        "pomylka",
        "Pomyłkowa",
        NodeStatus::AuthnFailed,
        ["węzeł odpowiada: AuthnFailed", "the node answers AuthnFailed"],
    ),
];

/// A person who never signs in: what a forged message names.
pub(super) static FORGED: Person =
    person("forged", ["Ewa", "Fałszywa"], date(1889, 3, 21), "89832122043", "ewa.falszywa", PLAIN);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::identity::pesel::{Note, Pesel};

    #[test]
    fn numbers_fit_their_dates_and_belong_to_nobody_alive() {
        for person in &PEOPLE {
            let Some(pesel) = Pesel::parse(&person.identifier) else {
                assert!(person.identifier.starts_with("DE/PL/"), "{person:?}");
                continue;
            };
            assert_eq!(pesel.date(), Some(person.birthdate), "{person:?}");
            assert!(person.birthdate.year() < 1900);
            let expected: &[Note] = if person.key == "bledny" { &[Note::Checksum] } else { &[] };
            assert_eq!(pesel.notes(Some(person.birthdate)), expected, "{person:?}");
        }
    }

    #[test]
    fn keys_are_unique_and_found() {
        let keys: HashSet<_> = PEOPLE.iter().map(|person| &person.key).collect();
        assert_eq!(keys.len(), PEOPLE.len());
        assert_eq!(Person::find("anna").map(|p| &*p.given_name), Some("Anna"));
        assert_eq!(Person::find("cancel"), None);
        for way in Way::ALL {
            assert_eq!(Way::find(way.key()), Some(way));
        }
        for status in NodeStatus::ALL {
            assert_eq!(NodeStatus::find(status.name()), Some(status));
        }
        assert_eq!(NodeStatus::find("Success"), None);
    }
}
