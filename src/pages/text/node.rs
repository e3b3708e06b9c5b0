//! The words about login.gov.pl when it cannot sign anybody in.

use super::words::Words;

pub(super) const NODE_FAULT: [Words; 2] = [
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
];

pub(super) const NODE_SLOW: [Words; 2] = [
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
];

pub(super) const NODE_BUSY: [Words; 2] = [
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
];

pub(super) const NODE_OUTAGE: [Words; 2] = [
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
];
