//! What a case is: what is tried, what a service provider should make of it, and where that is said.

use crate::report::Text;
use crate::simulator::faults::Fault;

/// One thing that is tried.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Where it belongs.
    pub group: Group,
    /// What is tried.
    pub trial: Trial,
    /// What a service provider should make of it.
    pub expects: Expects,
    /// How bad it is otherwise.
    pub weight: Weight,
    /// The clause, the published attack, or what the node is known to do.
    pub source: &'static str,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// A login whose answer has this fault or quirk.
    Fault(Fault),
    /// A story of its own.
    Story(Story),
}

/// What is more than one login with one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// The page does not greet anybody who has not signed in.
    Nobody,
    /// A plain login.
    Control,
    /// A plain login after all else.
    ControlAfter,
    /// What is wrong with the `AuthnRequest`.
    AuthnRequest,
    /// What is wrong with the `ArtifactResolve`.
    ArtifactResolve,
    /// Two logins have other identifiers.
    MessageIds,
    /// The same answer twice, to the same browser.
    ArtifactAgain,
    /// Somebody else's answer, to a browser that began nothing.
    LoginCsrf,
    /// Somebody else's answer, to a browser that has begun a login.
    LoginCsrfBegun,
    /// Somebody else's artifact with the browser's own `RelayState`.
    MixedRelayState,
    /// An answer to nothing, which says so.
    Unsolicited,
    /// An answer to a request that was never made.
    UnsolicitedInvented,
    /// A foreign address as `RelayState`.
    RelayStateRedirect,
    /// An artifact with XML in it.
    ArtifactInjection,
    /// The cookie of the session is for TLS alone.
    CookieSecure,
    /// No script reads the cookie of the session.
    CookieHttpOnly,
    /// Other sites cannot have it sent.
    CookieSameSite,
    /// The value of the cookie is new after a login.
    Fixation,
    /// Who signs out is signed out.
    Logout,
    /// A copy of the cookie is worth nothing after the logout.
    LogoutAtServer,
    /// The node is told, rightly.
    LogoutRequest,
}

/// What a service provider should make of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    /// It signs the person in.
    Taken,
    /// It signs nobody in, and says so within the time.
    Refused,
    /// It signs nobody in, or the person whom the node named: never another one.
    NoOtherPerson,
    /// It answers within the time; either is right.
    Answered,
    /// It ends the session, in time, whatever the node says to it.
    SignedOut,
    /// It does nothing of what it was to be brought to.
    NoEffect,
    /// The case says what should be so.
    AsTold,
}

/// How bad it is when it is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Somebody signs in who should not, or citizens cannot sign in.
    Hole,
    /// A rule is broken that is one of several in the way of an attack.
    Weakness,
}

/// Which cases are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Profile {
    /// What the node does, or may do.
    Node,
    /// All of it, and every attack.
    #[default]
    Strict,
}

macro_rules! groups {
    ($($variant:ident $name:literal $profile:ident $polish:literal $english:literal;)*) => {
        /// What cases have in common.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Group {
            $(#[doc = $english] $variant,)*
        }

        impl Group {
            /// All of them, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name for programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the least profile that has it.
            #[must_use]
            pub const fn profile(self) -> Profile {
                match self { $(Self::$variant => Profile::$profile,)* }
            }

            pub(super) fn title(self) -> Text {
                match self { $(Self::$variant => Text::new($polish, $english),)* }
            }
        }
    };
}

groups! {
    Control "control" Node "Zwykłe logowanie" "A plain login";
    Messages "messages" Node "Co wysyła usługa" "What the service sends";
    Quirks "quirks" Node "Niezwykłe, lecz poprawne odpowiedzi" "Unusual answers that are right";
    Line "line" Node "Połączenie z węzłem zawodzi" "The line to the node fails";
    Statuses "statuses" Node "Węzeł odmawia" "The node says no";
    Signatures "signatures" Strict "Podpisy" "Signatures";
    Wrapping "wrapping" Strict "Przenoszenie podpisu (XSW)" "Signature wrapping (XSW)";
    Xml "xml" Strict "Budowa XML" "What XML can hide";
    Addressing "addressing" Strict "Kto, komu i na jakie żądanie" "Who says it, to whom, in answer to what";
    Times "times" Strict "Czas" "Times";
    Person "person" Strict "Osoba" "The person";
    Encryption "encryption" Strict "Szyfrowanie" "Encryption";
    Browser "browser" Strict "Czyje to logowanie" "Whose login it is";
    Session "session" Strict "Sesja" "The session";
    Logout "logout" Node "Wylogowanie" "Signing out";
}

macro_rules! stories {
    ($($variant:ident $name:literal $polish:literal $english:literal;)*) => {
        impl Story {
            const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn words(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$polish, $english],)* }
            }
        }
    };
}

stories! {
    Nobody "nobody-before"
        "bez logowania strona nikogo nie wita" "without a login the page greets nobody";
    Control "plain-login" "zwykłe logowanie" "a plain login";
    ControlAfter "plain-login-after"
        "zwykłe logowanie po wszystkich próbach" "a plain login after all else was tried";
    AuthnRequest "authn-request"
        "AuthnRequest jest taki, jaki przyjmie węzeł" "the AuthnRequest is one that the node takes";
    ArtifactResolve "artifact-resolve"
        "ArtifactResolve jest taki, jaki przyjmie węzeł"
        "the ArtifactResolve is one that the node takes";
    MessageIds "message-ids"
        "każda wiadomość ma własne ID" "each message has an ID of its own";
    ArtifactAgain "artifact-again"
        "ta sama odpowiedź drugi raz" "the same answer a second time";
    LoginCsrf "login-csrf"
        "cudza odpowiedź w przeglądarce, która niczego nie zaczęła"
        "somebody else's answer, in a browser that began nothing";
    LoginCsrfBegun "login-csrf-begun"
        "cudza odpowiedź w przeglądarce, która zaczęła własne logowanie"
        "somebody else's answer, in a browser that has begun a login of its own";
    MixedRelayState "mixed-relay-state"
        "cudzy artefakt z własnym RelayState przeglądarki"
        "somebody else's artifact with the browser's own RelayState";
    Unsolicited "unsolicited"
        "odpowiedź, o którą nikt nie prosił" "an answer that nobody asked for";
    UnsolicitedInvented "unsolicited-invented"
        "odpowiedź na żądanie, którego nie było" "an answer to a request that was never made";
    RelayStateRedirect "relay-state-redirect"
        "obcy adres jako RelayState" "a foreign address as RelayState";
    ArtifactInjection "artifact-injection"
        "XML w artefakcie" "XML in the artifact";
    CookieSecure "cookie-secure"
        "ciasteczko sesji tylko przez TLS" "the cookie of the session is for TLS alone";
    CookieHttpOnly "cookie-http-only"
        "żaden skrypt nie czyta ciasteczka sesji" "no script reads the cookie of the session";
    CookieSameSite "cookie-same-site"
        "inne witryny nie mogą użyć ciasteczka sesji"
        "no other site can have the cookie of the session sent";
    Fixation "session-fixation"
        "ciasteczko sesji jest po logowaniu inne" "the cookie of the session is new after a login";
    Logout "logout" "kto się wyloguje, jest wylogowany" "who signs out is signed out";
    LogoutAtServer "logout-at-server"
        "po wylogowaniu kopia ciasteczka nic nie daje"
        "after a logout a copy of the cookie is worth nothing";
    LogoutRequest "logout-request"
        "węzeł dowiaduje się o wylogowaniu, poprawnie" "the node is told of a logout, rightly";
}

impl Case {
    /// Returns its name: unique, stable, of small letters and hyphens.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.trial {
            Trial::Fault(fault) => fault.name(),
            Trial::Story(story) => story.name(),
        }
    }

    /// Returns what is tried, for people.
    #[must_use]
    pub fn text(&self) -> Text {
        let [polish, english] = match self.trial {
            Trial::Fault(fault) => [
                fault.description(crate::pages::Language::Polish),
                fault.description(crate::pages::Language::English),
            ],
            Trial::Story(story) => story.words(),
        };
        Text::new(polish, english)
    }

    /// Tells whether a profile has it.
    #[must_use]
    pub fn is_in(&self, profile: Profile) -> bool {
        profile == Profile::Strict || self.group.profile() == Profile::Node
    }
}

impl Expects {
    pub(super) fn text(self) -> Text {
        match self {
            Self::Taken => Text::new("loguje tę osobę", "the person is signed in"),
            Self::Refused => Text::new(
                "nikogo nie loguje i w porę odpowiada",
                "nobody is signed in, and an answer comes in time",
            ),
            Self::NoOtherPerson => Text::new(
                "nie loguje innej osoby niż ta, którą nazwał węzeł",
                "nobody is signed in but the person whom the node named",
            ),
            Self::Answered => Text::new(
                "w porę odpowiada, tak lub inaczej",
                "an answer comes in time; either is right",
            ),
            Self::SignedOut => Text::new(
                "w porę wylogowuje, cokolwiek mówi węzeł",
                "the session ends in time, whatever the node says",
            ),
            Self::NoEffect => Text::new("nic z tego nie wynika", "nothing comes of it"),
            Self::AsTold => Text::new("tak jest", "it is so"),
        }
    }
}

impl Weight {
    /// Returns what a report says of it.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::Hole => Text::new("luka", "hole"),
            Self::Weakness => Text::new("słabość", "weakness"),
        }
    }
}
