//! What to tell the citizen about each error. The messages stand beside, by what they are about.

use super::words::{Words, choose};
use super::{form, login, node, person, policy, portal, session};
use crate::pages::{ErrorPage, Language};

impl ErrorPage {
    /// Returns what to tell the citizen.
    pub const fn words(self, language: Language) -> Words {
        choose(language, self.texts())
    }

    /// Returns the words on the button that leads on.
    pub const fn way_on(self, language: Language) -> &'static str {
        let words = match self {
            Self::SignInNeeded => ["Zaloguj się", "Sign in", "Увійти"],
            Self::NotFound
            | Self::Forbidden
            | Self::MethodNotAllowed
            | Self::AdultsOnly
            | Self::BirthdateUnknown => {
                ["Przejdź do portalu", "Go to the portal", "Перейти на портал"]
            }
            Self::PortalDown
            | Self::PortalSlow
            | Self::Maintenance
            | Self::OurFault
            | Self::NodeBusy
            | Self::NodeOutage
            | Self::NotRecorded
            | Self::TooManyTries
            | Self::SessionsAway
            | Self::MalformedRequest => ["Spróbuj jeszcze raz", "Try again", "Спробувати ще раз"],
            Self::TooLarge | Self::FormGone => {
                ["Wróć do portalu", "Back to the portal", "Повернутися на портал"]
            }
            _ => ["Zaloguj się jeszcze raz", "Sign in again", "Увійти ще раз"],
        };
        words[language as usize]
    }

    const fn texts(self) -> [Words; 3] {
        match self {
            Self::Cancelled => login::CANCELLED,
            Self::RefusedByNode => login::REFUSED_BY_NODE,
            Self::UnknownPerson => login::UNKNOWN_PERSON,
            Self::AssuranceTooLow => login::ASSURANCE_TOO_LOW,
            Self::NotIdentifiedAnew => policy::NOT_IDENTIFIED_ANEW,
            Self::WayNotAllowed => policy::WAY_NOT_ALLOWED,
            Self::AdultsOnly => policy::ADULTS_ONLY,
            Self::BirthdateUnknown => policy::BIRTHDATE_UNKNOWN,
            Self::PeselNeeded => policy::PESEL_NEEDED,
            Self::OurFault => portal::OUR_FAULT,
            Self::NodeFault => node::NODE_FAULT,
            Self::NodeUnreachable => node::NODE_UNREACHABLE,
            Self::NodeSlow => node::NODE_SLOW,
            Self::NodeBusy => node::NODE_BUSY,
            Self::NodeOutage => node::NODE_OUTAGE,
            Self::NotRecorded => session::NOT_RECORDED,
            Self::TooManyTries => login::TOO_MANY_TRIES,
            Self::ConfirmationExpired => node::CONFIRMATION_EXPIRED,
            Self::OtherPerson => person::OTHER_PERSON,
            Self::NoIdentifier => person::NO_IDENTIFIER,
            Self::DataMissing => person::DATA_MISSING,
            Self::NotKept => session::NOT_KEPT,
            Self::AnswerRefused => login::ANSWER_REFUSED,
            Self::LoginExpired => login::LOGIN_EXPIRED,
            Self::OtherBrowser => login::OTHER_BROWSER,
            Self::BegunElsewhere => login::BEGUN_ELSEWHERE,
            Self::AlreadyUsed => login::ALREADY_USED,
            Self::MalformedRequest => portal::MALFORMED_REQUEST,
            Self::NotFound => portal::NOT_FOUND,
            Self::MethodNotAllowed => policy::METHOD_NOT_ALLOWED,
            Self::Forbidden => portal::FORBIDDEN,
            Self::PortalDown => portal::PORTAL_DOWN,
            Self::PortalSlow => portal::PORTAL_SLOW,
            Self::Maintenance => portal::MAINTENANCE,
            Self::TooLarge => portal::TOO_LARGE,
            Self::FormTooLarge => form::FORM_TOO_LARGE,
            Self::FormGone => form::FORM_GONE,
            Self::SessionEnded => form::SESSION_ENDED,
            Self::SignedOutElsewhere => session::SIGNED_OUT_ELSEWHERE,
            Self::SignedOutByOperator => session::SIGNED_OUT_BY_OPERATOR,
            Self::SessionsAway => session::SESSIONS_AWAY,
            Self::SignInNeeded => session::SIGN_IN_NEEDED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::LogoutOutcome;
    use crate::pages::text::assert_translated;

    #[test]
    fn every_message_is_there_in_every_language_and_is_translated() {
        let errors = ErrorPage::ALL.map(|kind| Language::ALL.map(|language| kind.words(language)));
        let outcomes =
            LogoutOutcome::ALL.map(|kind| Language::ALL.map(|language| kind.words(language)));
        for words in errors.into_iter().chain(outcomes) {
            assert_translated(words.map(|words| words.title));
            assert_translated(words.map(|words| words.happened));
            assert_translated(words.map(|words| words.advice));
        }
        for kind in ErrorPage::ALL {
            assert_translated(Language::ALL.map(|language| kind.way_on(language)));
        }
    }

    #[test]
    fn no_two_troubles_share_a_title() {
        for language in Language::ALL {
            let mut titles = ErrorPage::ALL.map(|kind| kind.words(language).title).to_vec();
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), ErrorPage::ALL.len());
        }
    }
}
