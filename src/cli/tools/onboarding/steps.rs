//! The sixteen steps, and whose turn each of them is.

use super::stage::Stage;
use super::words::{Words, both};

/// A step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) number: u8,
    pub(super) title: Words,
    /// The environment that it is about.
    pub(super) stage: Option<Stage>,
    /// Steps that come before.
    pub(super) after: &'static [u8],
    pub(super) turn: Turn,
    /// How long it may take, counted from the step before.
    pub(super) window: Option<Window>,
    /// What there is to look at.
    pub(super) about: About,
    /// What we do: a command, or what no command can do.
    pub(super) task: Words,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// We do it.
    Us,
    /// The operator does it.
    Operator,
    /// First we, then the operator.
    Both,
}

/// A window of the operator's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Verification,
    Tests,
    Decision,
}

/// What of a step shows in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing.
    People,
    /// The technical contact.
    Contact,
    /// Keys and certificates.
    Certificates,
    /// Certificates that must be as those of integration.
    BoughtCertificates,
    /// The data sheet.
    Sheet,
    /// A configuration that can be used.
    Configuration,
}

const fn step(
    number: u8,
    (stage, after): (Option<Stage>, &'static [u8]),
    (turn, about): (Turn, About),
    window: Option<Window>,
    title: Words,
    task: Words,
) -> Step {
    Step { number, title, stage, after, turn, window, about, task }
}

const SYMULATOR: Option<Stage> = Some(Stage::Symulator);
const INTEGRATION: Option<Stage> = Some(Stage::Integration);
const PRODUCTION: Option<Stage> = Some(Stage::Production);

/// All of them, in their order.
pub(super) const STEPS: [Step; 16] = [
    step(
        1,
        (SYMULATOR, &[]),
        (Turn::Us, About::People),
        None,
        both("application for the symulator", "wniosek o dostęp do symulatora"),
        both("hand in the application form", "złóż wniosek"),
    ),
    step(
        2,
        (SYMULATOR, &[1]),
        (Turn::Operator, About::People),
        Some(Window::Verification),
        both("the operator verifies the application", "operator weryfikuje wniosek"),
        both("wait; ask when the window is over", "czekaj; po terminie zapytaj"),
    ),
    step(
        3,
        (SYMULATOR, &[1]),
        (Turn::Us, About::Contact),
        None,
        both("technical contacts named on both sides", "kontakty techniczne obu stron"),
        both(
            "fill in [contacts] of onboarding.toml and tell the operator",
            "uzupełnij [contacts] w onboarding.toml i przekaż operatorowi",
        ),
    ),
    step(
        4,
        (SYMULATOR, &[2]),
        (Turn::Both, About::Certificates),
        None,
        both("keys and certificates for the symulator", "klucze i certyfikaty do symulatora"),
        both(
            "send symulator/keys/*.csr; then: brama onboarding import symulator FILE...",
            "wyślij symulator/keys/*.csr; potem: brama onboarding import symulator PLIK...",
        ),
    ),
    step(
        5,
        (SYMULATOR, &[3, 4]),
        (Turn::Both, About::Sheet),
        None,
        both("data sheet handed over and registered", "karta danych przekazana i zarejestrowana"),
        both(
            "brama onboarding sheet symulator --html --out sheet.html, and send it",
            "brama onboarding sheet symulator --html --out karta.html; wyślij kartę",
        ),
    ),
    step(
        6,
        (SYMULATOR, &[5]),
        (Turn::Us, About::Configuration),
        None,
        both("tests at the symulator", "testy na symulatorze"),
        both(
            "brama doctor --config symulator/brama.toml; brama run, and sign in",
            "brama doctor --config symulator/brama.toml; brama run i zaloguj się",
        ),
    ),
    step(
        7,
        (INTEGRATION, &[6]),
        (Turn::Us, About::People),
        None,
        both(
            "application for the integration environment",
            "wniosek o dostęp do środowiska integracyjnego",
        ),
        both("hand in the application form", "złóż wniosek"),
    ),
    step(
        8,
        (INTEGRATION, &[7]),
        (Turn::Operator, About::People),
        Some(Window::Verification),
        both("the operator verifies the application", "operator weryfikuje wniosek"),
        both("wait; ask when the window is over", "czekaj; po terminie zapytaj"),
    ),
    step(
        9,
        (INTEGRATION, &[8]),
        (Turn::Both, About::Certificates),
        None,
        both("keys and certificates for integration", "klucze i certyfikaty integracyjne"),
        both(
            "send integration/keys/*.csr; then: brama onboarding import integration FILE...",
            "wyślij integration/keys/*.csr; potem: brama onboarding import integration PLIK...",
        ),
    ),
    step(
        10,
        (INTEGRATION, &[9]),
        (Turn::Both, About::Sheet),
        None,
        both(
            "data sheet for integration handed over and registered",
            "karta danych dla integracji przekazana i zarejestrowana",
        ),
        both(
            "brama onboarding promote symulator integration; brama onboarding sheet integration",
            "brama onboarding promote symulator integration; brama onboarding sheet integration",
        ),
    ),
    step(
        11,
        (INTEGRATION, &[10]),
        (Turn::Us, About::Configuration),
        Some(Window::Tests),
        both("tests at integration", "testy integracyjne"),
        both(
            "brama doctor and brama selftest --config integration/brama.toml; brama run, and sign in by \
             every way",
            "brama doctor i brama selftest --config integration/brama.toml; brama run i zaloguj się \
             każdym środkiem",
        ),
    ),
    step(
        12,
        (INTEGRATION, &[11]),
        (Turn::Us, About::People),
        None,
        both("readiness report", "raport gotowości"),
        both(
            "hand in the report: brama selftest --html report.html, with the acceptance list",
            "przekaż raport: brama selftest --html raport.html, z listą odbioru",
        ),
    ),
    step(
        13,
        (PRODUCTION, &[12]),
        (Turn::Operator, About::People),
        Some(Window::Decision),
        both("decision on production", "decyzja o przyłączeniu"),
        both(
            "the statement on the security policy goes with it; wait",
            "dołącz oświadczenie o polityce bezpieczeństwa; czekaj",
        ),
    ),
    step(
        14,
        (PRODUCTION, &[13]),
        (Turn::Us, About::BoughtCertificates),
        None,
        both("certificates for production purchased", "zakup certyfikatów produkcyjnych"),
        both(
            "order with production/keys/*.csr; then: brama onboarding import production FILE...",
            "zamów z production/keys/*.csr; potem: brama onboarding import production PLIK...",
        ),
    ),
    step(
        15,
        (PRODUCTION, &[14]),
        (Turn::Both, About::Sheet),
        None,
        both(
            "data sheet for production handed over and registered",
            "karta danych dla produkcji przekazana i zarejestrowana",
        ),
        both("brama onboarding sheet production", "brama onboarding sheet production"),
    ),
    step(
        16,
        (PRODUCTION, &[15]),
        (Turn::Us, About::Configuration),
        None,
        both("production switched on", "włączenie produkcji"),
        both(
            "brama onboarding promote integration production; brama doctor --config \
             production/brama.toml; the way back prepared; a first login",
            "brama onboarding promote integration production; brama doctor --config \
             production/brama.toml; przygotowana droga powrotna; pierwsze logowanie",
        ),
    ),
];
