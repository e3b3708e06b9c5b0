//! The words about what login.gov.pl says of a person.

use super::words::Words;

pub(super) const OTHER_PERSON: [Words; 2] = [
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
];

pub(super) const NO_IDENTIFIER: [Words; 2] = [
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
];

pub(super) const DATA_MISSING: [Words; 2] = [
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
];
