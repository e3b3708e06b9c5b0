//! The words about signing out.

use super::words::{Words, choose};
use crate::pages::{Language, LogoutOutcome};

impl LogoutOutcome {
    /// Returns what to tell the citizen.
    pub const fn words(self, language: Language) -> Words {
        let words = match self {
            Self::SignedOutEverywhere => SIGNED_OUT_EVERYWHERE,
            Self::NodeDidNotConfirm => NODE_DID_NOT_CONFIRM,
            Self::NodeNotAsked => NODE_NOT_ASKED,
            Self::NotWritten => NOT_WRITTEN,
            Self::NotWrittenNorConfirmed => NOT_WRITTEN_NOR_CONFIRMED,
            Self::NotSignedIn => NOT_SIGNED_IN,
        };
        choose(language, words)
    }
}

const SIGNED_OUT_EVERYWHERE: [Words; 3] = [
    Words {
        title: "Wylogowano",
        happened: "Twoja sesja w tym portalu jest zakończona. login.gov.pl potwierdził \
                   wylogowanie także u siebie.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij na koniec \
                 przeglądarkę.",
    },
    Words {
        title: "You are signed out",
        happened: "Your session in this portal is over. login.gov.pl confirmed that \
                   you are signed out there too.",
        advice: "If you use a shared computer, close the browser when you finish.",
    },
    Words {
        title: "Ви вийшли",
        happened: "Ваш сеанс на цьому порталі завершено. login.gov.pl підтвердив \
                   вихід і в себе.",
        advice: "Якщо комп’ютером користуються й інші, наприкінці закрийте \
                 браузер.",
    },
];

const NODE_DID_NOT_CONFIRM: [Words; 3] = [
    Words {
        title: "Wylogowano z tego portalu",
        happened: "Twoja sesja w tym portalu jest zakończona, ale login.gov.pl nie \
                   potwierdził wylogowania u siebie.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij teraz wszystkie okna \
                 przeglądarki.",
    },
    Words {
        title: "You are signed out of this portal",
        happened: "Your session in this portal is over, but login.gov.pl did not \
                   confirm that you are signed out there.",
        advice: "If you use a shared computer, close all browser windows now.",
    },
    Words {
        title: "Ви вийшли з цього порталу",
        happened: "Ваш сеанс на цьому порталі завершено, але login.gov.pl не \
                   підтвердив виходу в себе.",
        advice: "Якщо комп’ютером користуються й інші, закрийте зараз усі вікна \
                 браузера.",
    },
];

const NODE_NOT_ASKED: [Words; 3] = [
    Words {
        title: "Wylogowano z tego portalu",
        happened: "Twoja sesja w tym portalu jest zakończona. Sesja w login.gov.pl \
                   może nadal trwać, bo nie prosiliśmy o jej zakończenie.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij teraz wszystkie okna \
                 przeglądarki.",
    },
    Words {
        title: "You are signed out of this portal",
        happened: "Your session in this portal is over. Your session at login.gov.pl \
                   may go on, because we did not ask to end it.",
        advice: "If you use a shared computer, close all browser windows now.",
    },
    Words {
        title: "Ви вийшли з цього порталу",
        happened: "Ваш сеанс на цьому порталі завершено. Сеанс на login.gov.pl \
                   може тривати далі, бо ми не просили його завершити.",
        advice: "Якщо комп’ютером користуються й інші, закрийте зараз усі вікна \
                 браузера.",
    },
];

const NOT_WRITTEN: [Words; 3] = [
    Words {
        title: "Wylogowano z tego portalu",
        happened: "Twoja sesja w tym portalu jest zakończona, ale z powodu awarii \
                   jeszcze tego nie zapisaliśmy. Zapiszemy to, gdy tylko będzie to \
                   możliwe.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij teraz wszystkie okna \
                 przeglądarki.",
    },
    Words {
        title: "You are signed out of this portal",
        happened: "Your session in this portal is over, but because of a failure that \
                   is not written down yet. It will be as soon as it can.",
        advice: "If you use a shared computer, close all browser windows now.",
    },
    Words {
        title: "Ви вийшли з цього порталу",
        happened: "Ваш сеанс на цьому порталі завершено, але через збій ми цього \
                   ще не записали. Запишемо, щойно це буде можливо.",
        advice: "Якщо комп’ютером користуються й інші, закрийте зараз усі вікна \
                 браузера.",
    },
];

const NOT_SIGNED_IN: [Words; 3] = [
    Words {
        title: "Nie ma z czego się wylogować",
        happened: "W tej przeglądarce nie ma trwającej sesji w tym portalu.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij na koniec \
                 przeglądarkę.",
    },
    Words {
        title: "There is nothing to sign out of",
        happened: "This browser has no session in this portal.",
        advice: "If you use a shared computer, close the browser when you finish.",
    },
    Words {
        title: "Немає з чого виходити",
        happened: "У цьому браузері немає відкритого сеансу на цьому порталі.",
        advice: "Якщо комп’ютером користуються й інші, наприкінці закрийте \
                 браузер.",
    },
];

const NOT_WRITTEN_NOR_CONFIRMED: [Words; 3] = [
    Words {
        title: "Wylogowano z tego portalu",
        happened: "Twoja sesja w tym portalu jest zakończona, ale z powodu awarii \
                   jeszcze tego nie zapisaliśmy. Zapiszemy to, gdy tylko będzie to \
                   możliwe. Poza tym nie wiemy, czy zakończyła się też sesja w \
                   login.gov.pl.",
        advice: "Jeśli korzystasz ze wspólnego komputera, zamknij teraz wszystkie okna \
                 przeglądarki.",
    },
    Words {
        title: "You are signed out of this portal",
        happened: "Your session in this portal is over, but because of a failure that \
                   is not written down yet. It will be as soon as it can. Besides, we \
                   do not know whether your session at login.gov.pl has ended.",
        advice: "If you use a shared computer, close all browser windows now.",
    },
    Words {
        title: "Ви вийшли з цього порталу",
        happened: "Ваш сеанс на цьому порталі завершено, але через збій ми цього ще не \
                   записали. Запишемо, щойно це буде можливо. Крім того, ми не знаємо, чи \
                   завершився також сеанс на login.gov.pl.",
        advice: "Якщо комп’ютером користуються й інші, закрийте зараз усі вікна браузера.",
    },
];
