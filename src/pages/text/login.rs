//! The words about a sign-in that did not come to its end.

use super::words::Words;

pub(super) const CANCELLED: [Words; 3] = [
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
    Words {
        title: "Вхід перервано",
        happened: "Вхід на login.gov.pl було скасовано. Ви не увійшли.",
        advice: "Якщо це помилка, почніть вхід ще раз.",
    },
];

pub(super) const REFUSED_BY_NODE: [Words; 3] = [
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
    Words {
        title: "Увійти не вдалося",
        happened: "login.gov.pl відповів, що не може підтвердити цей вхід.",
        advice: "Спробуйте ще раз або виберіть інший спосіб входу. Якщо це не допоможе, \
                 зверніться до служби підтримки порталу.",
    },
];

pub(super) const UNKNOWN_PERSON: [Words; 3] = [
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
    Words {
        title: "Не вдалося підтвердити особу",
        happened: "login.gov.pl не розпізнав особу, яка входить.",
        advice: "Виберіть інший спосіб входу, наприклад довірений профіль (profil zaufany) або \
                 посвідчення e-dowód. Якщо це не допоможе, зверніться до служби підтримки \
                 порталу.",
    },
];

pub(super) const ASSURANCE_TOO_LOW: [Words; 3] = [
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
    Words {
        title: "Потрібен надійніший спосіб входу",
        happened: "Для цієї послуги потрібен спосіб входу, який надійніше підтверджує особу, \
                   ніж щойно вибраний.",
        advice: "Увійдіть ще раз і виберіть інший спосіб, наприклад посвідчення e-dowód.",
    },
];

pub(super) const TOO_MANY_TRIES: [Words; 3] = [
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
    Words {
        title: "Забагато спроб входу",
        happened: "З цієї мережі за короткий час надійшло забагато спроб входу. Однією мережею \
                   може користуватися багато людей, тож це може вас не стосуватися.",
        advice: "Зачекайте хвилину й оновіть цю сторінку.",
    },
];

pub(super) const ANSWER_REFUSED: [Words; 3] = [
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
    Words {
        title: "Вхід зупинено з міркувань безпеки",
        happened: "Відповідь щодо входу не пройшла перевірку безпеки. Ми її не прийняли, і ви \
                   не увійшли.",
        advice: "Почніть вхід ще раз. Якщо це повторюється, повідомте службу підтримки \
                 порталу.",
    },
];

pub(super) const LOGIN_EXPIRED: [Words; 3] = [
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
    Words {
        title: "Час на вхід минув",
        happened: "Від початку входу минуло забагато часу, або ми вже не маємо про нього \
                   відомостей.",
        advice: "Почніть вхід ще раз.",
    },
];

pub(super) const OTHER_BROWSER: [Words; 3] = [
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
    Words {
        title: "Цей вхід почався не в цьому браузері",
        happened: "Вхід треба завершити там, де він почався. Цю сторінку видно також тоді, \
                   коли браузер не зберігає файли cookie.",
        advice: "Почніть вхід ще раз у цьому браузері. Якщо сюди вас привело посилання від \
                 іншої особи, закрийте цю сторінку.",
    },
];

pub(super) const BEGUN_ELSEWHERE: [Words; 3] = [
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
    Words {
        title: "Цей вхід розпочато не в цьому браузері",
        happened: "Його розпочала інша особа або інший браузер. Ніхто не отримав через нього \
                   ваших даних, і ніхто вже його не завершить. Проте ваш сеанс на login.gov.pl \
                   може бути ще відкритий. Цю сторінку видно також тоді, коли браузер не \
                   зберігає файли cookie.",
        advice: "Відкрийте login.gov.pl і вийдіть там. Якщо сюди вас привело посилання від \
                 іншої особи, більше ним не користуйтеся. Потім можете почати вхід у цьому \
                 браузері.",
    },
];

pub(super) const ALREADY_USED: [Words; 3] = [
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
    Words {
        title: "Цей вхід уже використано",
        happened: "Кожне підтвердження з login.gov.pl можна використати лише один раз. \
                   Зазвичай цю сторінку видно після оновлення сторінки або після повернення \
                   назад у браузері.",
        advice: "Почніть вхід ще раз.",
    },
];
