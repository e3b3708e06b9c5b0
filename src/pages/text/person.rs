//! The words about what login.gov.pl says of a person.

use super::words::Words;

pub(super) const OTHER_PERSON: [Words; 3] = [
    Words {
        title: "W portalu jest zalogowana inna osoba",
        happened: "W login.gov.pl potwierdziła tożsamość inna osoba niż ta, która jest \
                   zalogowana w tym portalu. Nic się nie zmieniło: w portalu nadal trwa sesja \
                   osoby, która zalogowała się wcześniej.",
        advice: "Aby ta osoba mogła pracować dalej, zaloguj się jeszcze raz jako ona. Jeśli \
                 z portalu ma korzystać ktoś inny, najpierw wyloguj ją tutaj. Wyloguj się też \
                 w login.gov.pl, jeśli komputer jest wspólny.",
    },
    Words {
        title: "Another person is signed in to the portal",
        happened: "The person who identified at login.gov.pl is not the one who is signed in \
                   to this portal. Nothing has changed: whoever signed in before still is.",
        advice: "For that person to go on, sign in again as the same person. If somebody \
                 else is to use the portal, sign out here first. Sign out at login.gov.pl \
                 as well if others use this computer.",
    },
    Words {
        title: "На порталі працює інша особа",
        happened: "На login.gov.pl підтвердила свою особу не та людина, яка увійшла на цей \
                   портал. Нічого не змінилося: на порталі й далі триває сеанс особи, яка \
                   увійшла раніше.",
        advice: "Щоб ця особа могла працювати далі, увійдіть ще раз від її імені. Якщо \
                 порталом має користуватися хтось інший, спочатку вийдіть тут. Вийдіть також \
                 на login.gov.pl, якщо комп’ютером користуються й інші.",
    },
];

pub(super) const NO_IDENTIFIER: [Words; 3] = [
    Words {
        title: "login.gov.pl nie podał numeru, po którym portal rozpoznaje osobę",
        happened: "Tożsamość została potwierdzona, ale bez numeru PESEL i bez identyfikatora \
                   z innego kraju. Bez niego portal nie wie, czyją sprawę pokazać, więc \
                   nie zalogowaliśmy Cię. Bywa tak, gdy użyty sposób logowania nie jest \
                   powiązany z numerem PESEL.",
        advice: "Zaloguj się jeszcze raz i wybierz w login.gov.pl inny sposób, na przykład \
                 profil zaufany albo e-dowód. Jeśli nie masz numeru PESEL, zapytaj urząd, \
                 jak załatwić sprawę.",
    },
    Words {
        title: "login.gov.pl gave no number by which the portal knows a person",
        happened: "Your identity was confirmed, but with neither a PESEL number nor an \
                   identifier of another country. Without one the portal cannot tell \
                   whose case to show, so you are not signed in. This happens when the \
                   way to sign in is not linked to a PESEL number.",
        advice: "Sign in again and choose another way at login.gov.pl, such as a trusted \
                 profile or an e-ID card. If you have no PESEL number, ask the office how \
                 to go on.",
    },
    Words {
        title: "login.gov.pl не надав номера, за яким портал розпізнає особу",
        happened: "Особу підтверджено, але без номера PESEL і без ідентифікатора з іншої \
                   країни. Без нього портал не знає, чию справу показати, тому ви не увійшли. \
                   Так буває, коли вибраний спосіб входу не пов’язаний із номером PESEL.",
        advice: "Увійдіть ще раз і виберіть на login.gov.pl інший спосіб, наприклад довірений \
                 профіль (profil zaufany) або посвідчення e-dowód. Якщо ви не маєте номера \
                 PESEL, запитайте в установі, як вирішити справу.",
    },
];

pub(super) const DATA_MISSING: [Words; 3] = [
    Words {
        title: "login.gov.pl nie podał wszystkich danych",
        happened: "Tożsamość została potwierdzona, ale bez imienia, nazwiska albo daty \
                   urodzenia, których potrzebuje ten portal. Nie zalogowaliśmy Cię.",
        advice: "Zaloguj się jeszcze raz i wybierz w login.gov.pl inny sposób. Jeśli to nie \
                 pomoże, skontaktuj się z pomocą portalu.",
    },
    Words {
        title: "login.gov.pl did not give all the data",
        happened: "Your identity was confirmed, but without a name or the date of birth, \
                   which this portal needs. You are not signed in.",
        advice: "Sign in again and choose another way at login.gov.pl. If that does not \
                 help, contact the portal's support.",
    },
    Words {
        title: "login.gov.pl не надав усіх даних",
        happened: "Особу підтверджено, але без імені, прізвища або дати народження, які \
                   потрібні цьому порталу. Ви не увійшли.",
        advice: "Увійдіть ще раз і виберіть на login.gov.pl інший спосіб. Якщо це не допоможе, \
                 зверніться до служби підтримки порталу.",
    },
];
