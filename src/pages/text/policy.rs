//! The words for citizens whom the policy stops although they are signed in, or their method.

use super::words::Words;

pub(super) const NOT_IDENTIFIED_ANEW: [Words; 3] = [
    Words {
        title: "Trzeba jeszcze raz potwierdzić tożsamość",
        happened: "Ta strona wymaga, aby tożsamość została potwierdzona przed chwilą. \
                   login.gov.pl potwierdził nam tylko wcześniejsze logowanie.",
        advice: "Zacznij jeszcze raz i zaloguj się w login.gov.pl od początku. Jeśli \
                 ta strona się powtarza, wyloguj się tam wcześniej.",
    },
    Words {
        title: "You need to confirm who you are once more",
        happened: "This page needs your identity to be confirmed just now. \
                   login.gov.pl only confirmed an earlier sign-in.",
        advice: "Start again and sign in at login.gov.pl from the beginning. If you \
                 see this page again, sign out there first.",
    },
    Words {
        title: "Треба ще раз підтвердити особу",
        happened: "Для цієї сторінки особу треба підтвердити щойно. login.gov.pl підтвердив \
                   нам лише попередній вхід.",
        advice: "Почніть ще раз і увійдіть на login.gov.pl від початку. Якщо ця сторінка \
                 з’явиться знову, спочатку вийдіть там.",
    },
];

pub(super) const WAY_NOT_ALLOWED: [Words; 3] = [
    Words {
        title: "Tu trzeba zalogować się w inny sposób",
        happened: "Ta strona nie przyjmuje sposobu logowania, który został wybrany \
                   w login.gov.pl. W portalu nadal trwa Twoja sesja.",
        advice: "Zaloguj się jeszcze raz i wybierz w login.gov.pl inny sposób, na \
                 przykład profil zaufany albo e-dowód.",
    },
    Words {
        title: "You need another way to sign in here",
        happened: "This page does not take the way to sign in that was chosen at \
                   login.gov.pl. You are still signed in to the portal.",
        advice: "Sign in again and choose another way at login.gov.pl, such as a \
                 trusted profile or an e-ID card.",
    },
    Words {
        title: "Тут треба увійти в інший спосіб",
        happened: "Ця сторінка не приймає способу входу, вибраного на login.gov.pl. Ваш сеанс \
                   на порталі триває.",
        advice: "Увійдіть ще раз і виберіть на login.gov.pl інший спосіб, наприклад довірений \
                 профіль (profil zaufany) або посвідчення e-dowód.",
    },
];

pub(super) const ADULTS_ONLY: [Words; 3] = [
    Words {
        title: "Strona tylko dla osób pełnoletnich",
        happened: "Z tej strony można korzystać od dnia 18. urodzin. Z daty urodzenia, \
                   którą potwierdził login.gov.pl, wynika, że ten dzień jeszcze nie \
                   nadszedł.",
        advice: "Poproś o pomoc rodzica albo opiekuna. Jeśli uważasz, że to pomyłka, \
                 skontaktuj się z pomocą portalu.",
    },
    Words {
        title: "This page is for adults only",
        happened: "This page can be used from the day of the 18th birthday. By the \
                   date of birth that login.gov.pl confirmed, that day has not come \
                   yet.",
        advice: "Ask a parent or guardian for help. If you think that this is a \
                 mistake, contact the portal's support.",
    },
    Words {
        title: "Сторінка лише для повнолітніх",
        happened: "Цією сторінкою можна користуватися від дня 18-річчя. За датою народження, \
                   яку підтвердив login.gov.pl, цей день ще не настав.",
        advice: "Попросіть про допомогу когось із батьків або опікуна. Якщо ви вважаєте, що це \
                 помилка, зверніться до служби підтримки порталу.",
    },
];

pub(super) const BIRTHDATE_UNKNOWN: [Words; 3] = [
    Words {
        title: "Nie znamy daty urodzenia",
        happened: "Z tej strony mogą korzystać osoby pełnoletnie, a login.gov.pl nie \
                   podał nam daty urodzenia.",
        advice: "Skontaktuj się z pomocą portalu.",
    },
    Words {
        title: "We do not know the date of birth",
        happened: "This page is for adults, and login.gov.pl did not tell us the date \
                   of birth.",
        advice: "Contact the portal's support.",
    },
    Words {
        title: "Ми не знаємо дати народження",
        happened: "Цією сторінкою можуть користуватися повнолітні особи, а login.gov.pl не \
                   надав нам дати народження.",
        advice: "Зверніться до служби підтримки порталу.",
    },
];

pub(super) const PESEL_NEEDED: [Words; 3] = [
    Words {
        title: "Tu potrzebny jest numer PESEL",
        happened: "Z tej strony mogą korzystać osoby, które mają numer PESEL, \
                   a login.gov.pl nie podał nam takiego numeru.",
        advice: "Jeśli masz numer PESEL, zaloguj się jeszcze raz w inny sposób, na \
                 przykład profilem zaufanym. W innym razie skontaktuj się z pomocą \
                 portalu.",
    },
    Words {
        title: "A PESEL number is needed here",
        happened: "This page is for persons who have a PESEL number, and login.gov.pl \
                   did not tell us one.",
        advice: "If you have a PESEL number, sign in again another way, such as \
                 with a trusted profile. Otherwise contact the portal's support.",
    },
    Words {
        title: "Тут потрібен номер PESEL",
        happened: "Цією сторінкою можуть користуватися особи, які мають номер PESEL, а \
                   login.gov.pl не надав нам такого номера.",
        advice: "Якщо ви маєте номер PESEL, увійдіть ще раз в інший спосіб, наприклад через \
                 довірений профіль (profil zaufany). Інакше зверніться до служби підтримки \
                 порталу.",
    },
];

pub(super) const METHOD_NOT_ALLOWED: [Words; 3] = [
    Words {
        title: "Tego nie można tu zrobić",
        happened: "Pod tym adresem jest strona, ale nie przyjmuje tego, co przysłała \
                   przeglądarka. Niczego nie przekazaliśmy do portalu.",
        advice: "Wejdź na tę stronę jeszcze raz od strony głównej portalu.",
    },
    Words {
        title: "That cannot be done here",
        happened: "There is a page at this address, but it does not take what your \
                   browser sent. We passed none of it to the portal.",
        advice: "Go to the page again from the portal's home page.",
    },
    Words {
        title: "Тут цього зробити не можна",
        happened: "За цією адресою є сторінка, але вона не приймає того, що надіслав браузер. \
                   Ми нічого не передали порталу.",
        advice: "Зайдіть на цю сторінку ще раз із головної сторінки порталу.",
    },
];
