//! The words about the portal, the way to it, and us in between.

use super::words::Words;

pub(super) const OUR_FAULT: [Words; 3] = [
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
    Words {
        title: "Щось не спрацювало з нашого боку",
        happened: "Сталася помилка, якої не можна було передбачити. Це не ваша вина.",
        advice: "Спробуйте ще раз за кілька хвилин. Якщо помилка повторюється, повідомте \
                 службу підтримки порталу.",
    },
];

pub(super) const MALFORMED_REQUEST: [Words; 3] = [
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
    Words {
        title: "Ми не розуміємо цього запиту",
        happened: "Браузер надіслав те, чого ми не можемо прочитати. Адреса може бути неповною \
                   або зміненою.",
        advice: "Перевірте адресу або зайдіть на портал із головної сторінки.",
    },
];

pub(super) const NOT_FOUND: [Words; 3] = [
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
    Words {
        title: "Такої сторінки немає",
        happened: "За цією адресою нічого немає. Можливо, у ній є помилка.",
        advice: "Перевірте адресу або перейдіть на головну сторінку порталу.",
    },
];

pub(super) const FORBIDDEN: [Words; 3] = [
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
    Words {
        title: "Немає доступу до цієї сторінки",
        happened: "Вхід працює, але не дає доступу до цієї сторінки.",
        advice: "Якщо ви вважаєте, що це помилка, зверніться до служби підтримки порталу.",
    },
];

pub(super) const PORTAL_DOWN: [Words; 3] = [
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
    Words {
        title: "Портал тимчасово недоступний",
        happened: "Не вдалося з’єднатися з порталом.",
        advice: "Спробуйте ще раз за кілька хвилин. У браузері нічого змінювати не треба.",
    },
];

pub(super) const PORTAL_SLOW: [Words; 3] = [
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
    Words {
        title: "Портал не відповів вчасно",
        happened: "Ми передали запит порталу, але відповідь не надійшла. Ми не знаємо, чи \
                   портал його виконав.",
        advice: "Якщо це була форма, спочатку перевірте на порталі, чи її збережено, перш ніж \
                 надсилати її ще раз.",
    },
];

pub(super) const MAINTENANCE: [Words; 3] = [
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
    Words {
        title: "Тривають технічні роботи",
        happened: "Ця частина порталу зараз недоступна, бо ми над нею працюємо.",
        advice: "Поверніться сюди трохи пізніше.",
    },
];

pub(super) const TOO_LARGE: [Words; 3] = [
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
    Words {
        title: "Надіслані дані завеликі",
        happened: "Файл або форма більші, ніж ми можемо прийняти, тому їх не прийнято.",
        advice: "Виберіть менший файл або поділіть його на частини.",
    },
];
