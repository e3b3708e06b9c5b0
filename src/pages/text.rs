//! The words for people, in Polish and in English, side by side so that they stay one thought.
//!
//! 1. Say what happened, then what to do. Plain words, no blame, no jargon, no exclamation marks.
//! 2. Never claim more than we know: "did not confirm" is not "failed".
//! 3. No personal data and no secrets; the texts are constants, so there is nothing to leak.
//! 4. Polish without the past tense of "you", which would have to guess the reader's gender.

mod logout;
mod policy;
mod session;
mod timer;

use super::{Language, Trouble};

pub(super) use timer::timer_words;

/// The words of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The heading.
    pub title: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// What the citizen can do.
    pub advice: &'static str,
}

impl Trouble {
    /// Returns what to tell the citizen.
    pub const fn words(self, language: Language) -> Words {
        let [polish, english] = self.texts();
        choose(language, polish, english)
    }

    /// Returns the words on the button that leads on.
    pub const fn way_on(self, language: Language) -> &'static str {
        let [polish, english] = match self {
            Self::SignInNeeded => ["Zaloguj się", "Sign in"],
            Self::NotFound
            | Self::Forbidden
            | Self::MethodNotAllowed
            | Self::AdultsOnly
            | Self::BirthdateUnknown => ["Przejdź do portalu", "Go to the portal"],
            Self::PortalDown
            | Self::PortalSlow
            | Self::Maintenance
            | Self::OurFault
            | Self::NodeBusy
            | Self::NodeOutage
            | Self::TooManyTries
            | Self::MalformedRequest => ["Spróbuj jeszcze raz", "Try again"],
            Self::TooLarge | Self::FormGone => ["Wróć do portalu", "Back to the portal"],
            _ => ["Zaloguj się jeszcze raz", "Sign in again"],
        };
        match language {
            Language::Polish => polish,
            Language::English => english,
        }
    }

    const fn texts(self) -> [Words; 2] {
        match self {
            Self::Cancelled => [
                Words {
                    title: "Logowanie przerwane",
                    happened: "Logowanie w login.gov.pl zostało anulowane. Nie zalogowaliśmy Cię.",
                    advice: "Jeśli to pomyłka, zacznij logowanie jeszcze raz.",
                },
                Words {
                    title: "Sign-in cancelled",
                    happened: "Signing in at login.gov.pl was cancelled. You are not signed in.",
                    advice: "If that was a mistake, start again.",
                },
            ],
            Self::RefusedByNode => [
                Words {
                    title: "Logowanie nie powiodło się",
                    happened: "login.gov.pl odpowiedział, że nie może potwierdzić logowania.",
                    advice: "Spróbuj jeszcze raz albo wybierz inny sposób logowania. Jeśli to nie \
                             pomoże, skontaktuj się z pomocą portalu.",
                },
                Words {
                    title: "Sign-in did not succeed",
                    happened: "login.gov.pl answered that it cannot confirm this sign-in.",
                    advice: "Try again or choose another way to sign in. If that does not help, \
                             contact the portal's support.",
                },
            ],
            Self::UnknownPerson => [
                Words {
                    title: "Nie udało się potwierdzić tożsamości",
                    happened: "login.gov.pl nie rozpoznał osoby, która się loguje.",
                    advice: "Wybierz inny sposób logowania, na przykład profil zaufany albo \
                             e-dowód. Jeśli to nie pomoże, skontaktuj się z pomocą portalu.",
                },
                Words {
                    title: "Your identity could not be confirmed",
                    happened: "login.gov.pl did not recognise the person who is signing in.",
                    advice: "Choose another way to sign in, such as a trusted profile or an e-ID \
                             card. If that does not help, contact the portal's support.",
                },
            ],
            Self::AssuranceTooLow => [
                Words {
                    title: "Potrzebny jest pewniejszy sposób logowania",
                    happened: "Ta usługa wymaga sposobu logowania, który pewniej potwierdza \
                               tożsamość niż ten wybrany przed chwilą.",
                    advice: "Zaloguj się jeszcze raz i wybierz inny sposób, na przykład e-dowód.",
                },
                Words {
                    title: "A stronger way to sign in is needed",
                    happened: "This service needs a way to sign in that confirms your identity \
                               more firmly than the one you just used.",
                    advice: "Sign in again and choose another way, such as an e-ID card.",
                },
            ],
            Self::NotIdentifiedAnew => policy::NOT_IDENTIFIED_ANEW,
            Self::WayNotAllowed => policy::WAY_NOT_ALLOWED,
            Self::AdultsOnly => policy::ADULTS_ONLY,
            Self::BirthdateUnknown => policy::BIRTHDATE_UNKNOWN,
            Self::PeselNeeded => policy::PESEL_NEEDED,
            Self::OurFault => [
                Words {
                    title: "Coś nie zadziałało po naszej stronie",
                    happened: "Wystąpił błąd, którego nie dało się przewidzieć. To nie Twoja wina.",
                    advice: "Spróbuj jeszcze raz za kilka minut. Jeśli błąd się powtarza, zgłoś go \
                             pomocy portalu.",
                },
                Words {
                    title: "Something went wrong on our side",
                    happened: "An unexpected error occurred. It is not your fault.",
                    advice: "Try again in a few minutes. If it keeps happening, tell the portal's \
                             support.",
                },
            ],
            Self::NodeFault => [
                Words {
                    title: "login.gov.pl zgłosił błąd",
                    happened: "Nie mogliśmy dokończyć logowania, bo w login.gov.pl wystąpił błąd.",
                    advice: "Spróbuj jeszcze raz za kilka minut.",
                },
                Words {
                    title: "login.gov.pl reported an error",
                    happened: "We could not finish signing you in, because login.gov.pl had an \
                               error.",
                    advice: "Try again in a few minutes.",
                },
            ],
            Self::NodeSlow => [
                Words {
                    title: "login.gov.pl nie odpowiedział na czas",
                    happened: "Czekaliśmy na potwierdzenie logowania, ale nie przyszło.",
                    advice: "Spróbuj jeszcze raz za chwilę.",
                },
                Words {
                    title: "login.gov.pl did not answer in time",
                    happened: "We waited for your sign-in to be confirmed, but no answer came.",
                    advice: "Try again in a moment.",
                },
            ],
            Self::NodeBusy => [
                Words {
                    title: "Loguje się teraz bardzo wiele osób",
                    happened: "Nie możemy w tej chwili przekazać logowania do login.gov.pl.",
                    advice: "Odczekaj kilka minut i spróbuj jeszcze raz.",
                },
                Words {
                    title: "Very many people are signing in",
                    happened: "We cannot pass your sign-in to login.gov.pl right now.",
                    advice: "Wait a few minutes and try again.",
                },
            ],
            Self::NodeOutage => [
                Words {
                    title: "Logowanie jest chwilowo niemożliwe",
                    happened: "login.gov.pl jest teraz niedostępny, więc nikt nie może się \
                               zalogować.",
                    advice: "Spróbuj jeszcze raz później. Strony, które nie wymagają logowania, \
                             działają jak zwykle, a kto jest zalogowany, może pracować dalej.",
                },
                Words {
                    title: "Signing in is not possible at the moment",
                    happened: "login.gov.pl is unavailable now, so nobody can sign in.",
                    advice: "Try again later. Pages that need no sign-in work as usual, and whoever \
                             is signed in can go on.",
                },
            ],
            Self::TooManyTries => [
                Words {
                    title: "Zbyt wiele prób logowania",
                    happened: "Z tej sieci przyszło w krótkim czasie zbyt wiele prób logowania. \
                               Z jednej sieci może korzystać wiele osób, więc to nie musi dotyczyć \
                               Ciebie.",
                    advice: "Odczekaj minutę i odśwież tę stronę.",
                },
                Words {
                    title: "Too many attempts to sign in",
                    happened: "Too many attempts to sign in came from this network in a short \
                               time. Many people can share one network, so it need not be about \
                               you.",
                    advice: "Wait a minute and reload this page.",
                },
            ],
            Self::AnswerRefused => [
                Words {
                    title: "Logowanie zatrzymane dla bezpieczeństwa",
                    happened: "Odpowiedź, która przyszła w sprawie logowania, nie przeszła \
                               kontroli bezpieczeństwa. Nie przyjęliśmy jej i nie zalogowaliśmy \
                               Cię.",
                    advice: "Zacznij logowanie jeszcze raz. Jeśli to się powtarza, zgłoś to pomocy \
                             portalu.",
                },
                Words {
                    title: "Sign-in stopped for your safety",
                    happened: "The answer that came about your sign-in did not pass our security \
                               checks. We did not accept it, and you are not signed in.",
                    advice: "Start again. If it keeps happening, tell the portal's support.",
                },
            ],
            Self::LoginExpired => [
                Words {
                    title: "Czas na zalogowanie minął",
                    happened: "Od rozpoczęcia logowania minęło zbyt wiele czasu albo nie mamy już \
                               o nim informacji.",
                    advice: "Zacznij logowanie jeszcze raz.",
                },
                Words {
                    title: "The time to sign in has passed",
                    happened: "Too much time has passed since you began to sign in, or we no \
                               longer have a record of it.",
                    advice: "Start again.",
                },
            ],
            Self::OtherBrowser => [
                Words {
                    title: "To logowanie nie zaczęło się w tej przeglądarce",
                    happened: "Logowanie trzeba dokończyć tam, gdzie się zaczęło. Tę stronę widać \
                               też wtedy, gdy przeglądarka nie zapisuje plików cookie.",
                    advice: "Zacznij logowanie jeszcze raz w tej przeglądarce. Jeśli prowadził tu \
                             link od innej osoby, zamknij tę stronę.",
                },
                Words {
                    title: "This sign-in did not begin in this browser",
                    happened: "A sign-in has to be finished where it began. You also see this page \
                               when the browser does not keep cookies.",
                    advice: "Start again in this browser. If somebody else's link brought you \
                             here, close this page.",
                },
            ],
            Self::BegunElsewhere => [
                Words {
                    title: "Tego logowania nie zaczęto w tej przeglądarce",
                    happened: "Zaczął je ktoś inny albo inna przeglądarka. Nikt nie dostał przez nie \
                               Twoich danych i nikt już go nie dokończy. Twoja sesja na login.gov.pl może być jednak nadal \
                               otwarta. Tę stronę widać też wtedy, gdy przeglądarka nie zapisuje \
                               plików cookie.",
                    advice: "Wejdź na login.gov.pl i wyloguj się tam. Jeśli prowadził tu link od \
                             innej osoby, nie korzystaj z niego więcej. Potem możesz zacząć \
                             logowanie w tej przeglądarce.",
                },
                Words {
                    title: "This sign-in was not begun in this browser",
                    happened: "Somebody else began it, or another browser did. Nothing of yours was \
                               given to them, and nobody can finish it any more. But your session at login.gov.pl may still be open. You also see this \
                               page when the browser does not keep cookies.",
                    advice: "Go to login.gov.pl and sign out there. If somebody else's link \
                             brought you here, do not use it again. Then you can start to sign in \
                             in this browser.",
                },
            ],
            Self::AlreadyUsed => [
                Words {
                    title: "To logowanie zostało już wykorzystane",
                    happened: "Każdego potwierdzenia z login.gov.pl można użyć tylko raz. Zwykle \
                               widać tę stronę po odświeżeniu strony albo po cofnięciu się \
                               w przeglądarce.",
                    advice: "Zacznij logowanie jeszcze raz.",
                },
                Words {
                    title: "This sign-in has already been used",
                    happened: "Each confirmation from login.gov.pl works only once. You usually \
                               see this page after reloading or going back in the browser.",
                    advice: "Start again.",
                },
            ],
            Self::MalformedRequest => [
                Words {
                    title: "Nie rozumiemy tego żądania",
                    happened: "Przeglądarka przysłała coś, czego nie potrafimy odczytać. Adres \
                               może być niepełny albo zmieniony.",
                    advice: "Sprawdź adres albo wejdź do portalu od strony głównej.",
                },
                Words {
                    title: "We do not understand this request",
                    happened: "Your browser sent something that we cannot read. The address may \
                               be incomplete or changed.",
                    advice: "Check the address, or enter the portal from its home page.",
                },
            ],
            Self::NotFound => [
                Words {
                    title: "Nie ma takiej strony",
                    happened: "Pod tym adresem niczego nie ma. Być może zawiera literówkę.",
                    advice: "Sprawdź adres albo przejdź do strony głównej portalu.",
                },
                Words {
                    title: "There is no such page",
                    happened: "There is nothing at this address. It may contain a typing error.",
                    advice: "Check the address, or go to the portal's home page.",
                },
            ],
            Self::MethodNotAllowed => policy::METHOD_NOT_ALLOWED,
            Self::Forbidden => [
                Words {
                    title: "Brak dostępu do tej strony",
                    happened: "Logowanie działa, ale to konto nie ma dostępu do tej strony.",
                    advice: "Jeśli uważasz, że to pomyłka, skontaktuj się z pomocą portalu.",
                },
                Words {
                    title: "No access to this page",
                    happened: "Your sign-in works, but it does not give access to this page.",
                    advice: "If you think that this is a mistake, contact the portal's support.",
                },
            ],
            Self::PortalDown => [
                Words {
                    title: "Portal jest chwilowo niedostępny",
                    happened: "Nie udało się połączyć z portalem.",
                    advice: "Spróbuj jeszcze raz za kilka minut. Nie trzeba nic zmieniać \
                             w przeglądarce.",
                },
                Words {
                    title: "The portal is unavailable at the moment",
                    happened: "We could not reach the portal.",
                    advice: "Try again in a few minutes. There is nothing to change in your \
                             browser.",
                },
            ],
            Self::PortalSlow => [
                Words {
                    title: "Portal nie odpowiedział na czas",
                    happened: "Przekazaliśmy żądanie do portalu, ale odpowiedź nie przyszła. Nie \
                               wiemy, czy portal zdążył je wykonać.",
                    advice: "Jeśli to był formularz, sprawdź najpierw w portalu, czy został \
                             zapisany, zanim wyślesz go jeszcze raz.",
                },
                Words {
                    title: "The portal did not answer in time",
                    happened: "We passed your request to the portal, but no answer came. We do not \
                               know whether the portal carried it out.",
                    advice: "If it was a form, check in the portal whether it was saved before \
                             you send it again.",
                },
            ],
            Self::Maintenance => [
                Words {
                    title: "Trwają prace techniczne",
                    happened: "Ta część portalu jest teraz niedostępna, bo prowadzimy w niej prace.",
                    advice: "Wróć tu za jakiś czas.",
                },
                Words {
                    title: "Maintenance is under way",
                    happened: "This part of the portal is not available now, because we are \
                               working on it.",
                    advice: "Come back in a while.",
                },
            ],
            Self::TooLarge => [
                Words {
                    title: "Przesyłane dane są zbyt duże",
                    happened: "Plik albo formularz jest większy, niż możemy przyjąć, i nie został \
                               przyjęty.",
                    advice: "Wybierz mniejszy plik albo podziel go na części.",
                },
                Words {
                    title: "What you sent is too large",
                    happened: "The file or form is larger than we can accept, and it was not \
                               accepted.",
                    advice: "Choose a smaller file, or split it into parts.",
                },
            ],
            Self::FormTooLarge => [
                Words {
                    title: "Formularz jest za duży, aby go przechować",
                    happened: "Zanim przekażemy formularz, trzeba się zalogować. Ten jest za duży, \
                               aby go na ten czas przechować, więc nic z niego nie zapisaliśmy i \
                               nic nie trafiło do portalu.",
                    advice: "Cofnij się w przeglądarce do formularza i zostaw go otwartym. Zaloguj \
                             się w drugiej karcie, a potem wyślij go jeszcze raz.",
                },
                Words {
                    title: "The form is too large to be kept",
                    happened: "You must sign in before the form can go on. This one is too large \
                               to be kept meanwhile, so we saved nothing of it and none of it \
                               reached the portal.",
                    advice: "Go back to the form in the browser and leave it open. Sign in in \
                             another tab, then send the form again.",
                },
            ],
            Self::FormGone => [
                Words {
                    title: "Tego formularza już tu nie ma",
                    happened: "Formularz został już wysłany, minął czas jego przechowywania albo \
                               wypełniono go w innej przeglądarce. Teraz niczego nie wysłaliśmy.",
                    advice: "Sprawdź w portalu, czy formularz dotarł. Jeśli nie, wypełnij go jeszcze \
                             raz.",
                },
                Words {
                    title: "The form is not here any more",
                    happened: "The form was sent already, the time for which we keep it is over, or \
                               it was filled in with another browser. We sent nothing now.",
                    advice: "See in the portal whether the form arrived. If not, fill it in again.",
                },
            ],
            Self::SessionEnded => [
                Words {
                    title: "Sesja wygasła, formularz nie został wysłany",
                    happened: "Formularz przyszedł, gdy sesja była już zakończona. Nic z niego nie \
                               przekazaliśmy do portalu i niczego nie zapisaliśmy.",
                    advice: "Aby zachować wpisany tekst, cofnij się w przeglądarce i skopiuj go. \
                             Potem zaloguj się i wyślij formularz jeszcze raz.",
                },
                Words {
                    title: "Your session ended and the form was not sent",
                    happened: "The form arrived when your session was already over. We passed none \
                               of it to the portal and saved nothing.",
                    advice: "To keep what you wrote, go back in the browser and copy it. Then sign \
                             in and send the form again.",
                },
            ],
            Self::SignedOutElsewhere => session::SIGNED_OUT_ELSEWHERE,
            Self::SignedOutByOperator => session::SIGNED_OUT_BY_OPERATOR,
            Self::SessionsAway => session::SESSIONS_AWAY,
            Self::SignInNeeded => [
                Words {
                    title: "Tu trzeba się zalogować",
                    happened: "Ta część strony jest dostępna po zalogowaniu.",
                    advice: "Logowanie otworzy się w całym oknie przeglądarki. Wcześniej zapisz \
                             to, co masz zaczęte na tej stronie.",
                },
                Words {
                    title: "You need to sign in here",
                    happened: "This part of the page is available after signing in.",
                    advice: "Signing in opens in the whole browser window. Save first whatever you \
                             have begun on this page.",
                },
            ],
        }
    }
}

const fn choose(language: Language, polish: Words, english: Words) -> Words {
    match language {
        Language::Polish => polish,
        Language::English => english,
    }
}

#[cfg(test)]
pub(super) fn assert_translated(polish: &str, english: &str) {
    assert!(!polish.trim().is_empty() && !english.trim().is_empty());
    assert_ne!(polish, english);
    assert!(!polish.contains("  ") && !english.contains("  "), "{polish:?} {english:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::LogoutOutcome;

    #[test]
    fn every_message_is_there_in_both_languages_and_is_translated() {
        let troubles = Trouble::ALL.map(|kind| Language::ALL.map(|language| kind.words(language)));
        let outcomes =
            LogoutOutcome::ALL.map(|kind| Language::ALL.map(|language| kind.words(language)));
        for [polish, english] in troubles.into_iter().chain(outcomes) {
            for (polish, english) in parts(polish).into_iter().zip(parts(english)) {
                assert_translated(polish, english);
            }
        }
        for kind in Trouble::ALL {
            assert_translated(kind.way_on(Language::Polish), kind.way_on(Language::English));
        }
    }

    #[test]
    fn no_two_troubles_share_a_title() {
        for language in Language::ALL {
            let mut titles = Trouble::ALL.map(|kind| kind.words(language).title).to_vec();
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), Trouble::ALL.len());
        }
    }

    fn parts(words: Words) -> [&'static str; 3] {
        [words.title, words.happened, words.advice]
    }
}
