//! The words about a form that was sent without a session.

use super::words::Words;

pub(super) const FORM_TOO_LARGE: [Words; 3] = [
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
    Words {
        title: "Форма завелика, щоб її зберегти",
        happened: "Перш ніж ми передамо форму, треба увійти. Ця форма завелика, щоб зберегти \
                   її на цей час, тому ми нічого з неї не записали, і до порталу нічого не \
                   потрапило.",
        advice: "Поверніться в браузері до форми й залиште її відкритою. Увійдіть в іншій \
                 вкладці, а потім надішліть форму ще раз.",
    },
];

pub(super) const FORM_GONE: [Words; 3] = [
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
    Words {
        title: "Цієї форми тут уже немає",
        happened: "Форму вже надіслано, минув час її зберігання або її заповнили в іншому \
                   браузері. Зараз ми нічого не надіслали.",
        advice: "Перевірте на порталі, чи форма надійшла. Якщо ні, заповніть її ще раз.",
    },
];

pub(super) const SESSION_ENDED: [Words; 3] = [
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
    Words {
        title: "Сеанс завершився, форму не надіслано",
        happened: "Форма надійшла, коли сеанс уже завершився. Ми нічого з неї не передали \
                   порталу й нічого не записали.",
        advice: "Щоб зберегти введений текст, поверніться назад у браузері та скопіюйте його. \
                 Потім увійдіть і надішліть форму ще раз.",
    },
];
