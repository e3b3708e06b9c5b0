//! The words about login.gov.pl when it cannot sign a citizen in.

use super::words::Words;

pub(super) const NODE_FAULT: [Words; 3] = [
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
    Words {
        title: "login.gov.pl повідомив про помилку",
        happened: "Ми не змогли завершити вхід, бо на login.gov.pl сталася помилка.",
        advice: "Спробуйте ще раз за кілька хвилин.",
    },
];

pub(super) const NODE_UNREACHABLE: [Words; 3] = [
    Words {
        title: "Nie ma połączenia z login.gov.pl",
        happened: "Nie udało się nam połączyć z login.gov.pl, aby odebrać potwierdzenie \
                   logowania. Nie zalogowaliśmy Cię.",
        advice: "Spróbuj jeszcze raz za kilka minut. Nie trzeba nic zmieniać \
                 w przeglądarce.",
    },
    Words {
        title: "There is no connection to login.gov.pl",
        happened: "We could not connect to login.gov.pl to fetch the confirmation of your \
                   sign-in. You are not signed in.",
        advice: "Try again in a few minutes. There is nothing to change in your browser.",
    },
    Words {
        title: "Немає зв’язку з login.gov.pl",
        happened: "Нам не вдалося з’єднатися з login.gov.pl, щоб отримати підтвердження входу. \
                   Ви не увійшли.",
        advice: "Спробуйте ще раз за кілька хвилин. У браузері нічого змінювати не треба.",
    },
];

pub(super) const CONFIRMATION_EXPIRED: [Words; 3] = [
    Words {
        title: "Potwierdzenie z login.gov.pl straciło ważność",
        happened: "login.gov.pl trzyma potwierdzenie logowania tylko przez chwilę. Gdy po \
                   nie przyszliśmy, już go nie było. Nie zalogowaliśmy Cię.",
        advice: "Możesz od razu zalogować się jeszcze raz.",
    },
    Words {
        title: "The confirmation from login.gov.pl has expired",
        happened: "login.gov.pl keeps the confirmation of a sign-in only for a moment. When \
                   we came for it, it was gone. You are not signed in.",
        advice: "You can sign in again right now.",
    },
    Words {
        title: "Підтвердження з login.gov.pl втратило чинність",
        happened: "login.gov.pl зберігає підтвердження входу лише коротку мить. Коли ми по \
                   нього звернулися, його вже не було. Ви не увійшли.",
        advice: "Можете відразу увійти ще раз.",
    },
];

pub(super) const NODE_SLOW: [Words; 3] = [
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
    Words {
        title: "login.gov.pl не відповів вчасно",
        happened: "Ми чекали на підтвердження входу, але воно не надійшло.",
        advice: "Спробуйте ще раз за мить.",
    },
];

pub(super) const NODE_BUSY: [Words; 3] = [
    Words {
        title: "Loguje się teraz bardzo wiele osób",
        happened: "Twoje logowanie czeka na swoją kolej w login.gov.pl. Nic nie przepadło.",
        advice: "Za chwilę ta strona spróbuje sama jeszcze raz. Nie zamykaj jej. Możesz też \
                 nacisnąć przycisk.",
    },
    Words {
        title: "Very many people are signing in",
        happened: "Your sign-in waits for its turn at login.gov.pl. Nothing is lost.",
        advice: "In a moment this page tries again by itself. Keep it open. You can also \
                 press the button.",
    },
    Words {
        title: "Зараз входить дуже багато людей",
        happened: "Ваш вхід чекає своєї черги на login.gov.pl. Нічого не втрачено.",
        advice: "За мить ця сторінка сама спробує ще раз. Не закривайте її. Можете також \
                 натиснути кнопку.",
    },
];

pub(super) const NODE_OUTAGE: [Words; 3] = [
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
    Words {
        title: "Увійти зараз неможливо",
        happened: "login.gov.pl зараз недоступний, тому ніхто не може увійти.",
        advice: "Спробуйте ще раз пізніше. Сторінки, які не потребують входу, працюють як \
                 завжди, а хто вже увійшов, може працювати далі.",
    },
];
