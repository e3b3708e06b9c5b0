//! The words about sessions that end, or cannot be found.

use super::words::Words;

/// The person signed in elsewhere.
pub(super) const SIGNED_OUT_ELSEWHERE: [Words; 3] = [
    Words {
        title: "Wylogowano: zalogowano się w innym miejscu",
        happened: "Na to konto zalogowano się w innej przeglądarce albo na innym \
                   urządzeniu, więc ta sesja została zakończona.",
        advice: "Jeśli to Ty, możesz zalogować się tu ponownie. Jeśli nie, zmień hasło \
                 u dostawcy tożsamości i zawiadom urząd.",
    },
    Words {
        title: "Signed out: you signed in elsewhere",
        happened: "This person signed in with another browser or device, so this \
                   session was ended.",
        advice: "If that was you, you can sign in here again. If not, change your \
                 password at your identity provider and tell the office.",
    },
    Words {
        title: "Сеанс завершено: ви увійшли в іншому місці",
        happened: "Ця особа увійшла в іншому браузері або на іншому пристрої, тому цей сеанс \
                   завершено.",
        advice: "Якщо це були ви, можете увійти тут знову. Якщо ні, змініть пароль у свого \
                 постачальника ідентифікації та повідомте установу.",
    },
];

/// An operator ended the session.
pub(super) const SIGNED_OUT_BY_OPERATOR: [Words; 3] = [
    Words {
        title: "Sesja została zakończona przez urząd",
        happened: "Administrator portalu zakończył tę sesję.",
        advice: "Możesz zalogować się ponownie. Jeśli to się powtarza, zwróć się do \
                 urzędu.",
    },
    Words {
        title: "Your session was ended by the office",
        happened: "An administrator of the portal ended this session.",
        advice: "You can sign in again. If it happens repeatedly, contact the office.",
    },
    Words {
        title: "Сеанс завершено установою",
        happened: "Адміністратор порталу завершив цей сеанс.",
        advice: "Можете увійти знову. Якщо це повторюється, зверніться до установи.",
    },
];

/// A login came to its end, and it could not be noted.
pub(super) const NOT_KEPT: [Words; 3] = [
    Words {
        title: "Nie udało się zapisać logowania",
        happened: "Tożsamość została potwierdzona, ale przez chwilę nie możemy zapisać, kto \
                   jest zalogowany. To błąd po naszej stronie. Nie zalogowaliśmy Cię.",
        advice: "Za chwilę zaloguj się jeszcze raz.",
    },
    Words {
        title: "Your sign-in could not be noted",
        happened: "Your identity was confirmed, but for a moment we cannot note who is \
                   signed in. The fault is ours. You are not signed in.",
        advice: "Sign in again in a moment.",
    },
    Words {
        title: "Не вдалося записати вхід",
        happened: "Особу підтверджено, але зараз ми не можемо записати, хто увійшов. Це \
                   помилка з нашого боку. Ви не увійшли.",
        advice: "За мить увійдіть ще раз.",
    },
];

/// It cannot be told who is signed in.
pub(super) const NOT_RECORDED: [Words; 3] = [
    Words {
        title: "Logowanie wstrzymane: nie da się go zapisać",
        happened: "Każde logowanie musi zostać zapisane w dzienniku, a teraz nie da się tego \
                   zrobić. Nic nie przepadło.",
        advice: "Spróbuj jeszcze raz za chwilę. Strony, które nie wymagają logowania, działają \
                 jak zwykle, a kto jest zalogowany, może pracować dalej.",
    },
    Words {
        title: "Sign-ins cannot be recorded at the moment",
        happened: "Every sign-in must be recorded, and that cannot be done now. Nothing is lost.",
        advice: "Try again in a moment. Pages that need no sign-in work as usual, and whoever is \
                 signed in can go on.",
    },
    Words {
        title: "Вхід призупинено: його не можна записати",
        happened: "Кожен вхід має бути записаний у журналі, а зараз цього не можна зробити. \
                   Нічого не втрачено.",
        advice: "Спробуйте ще раз за хвилину. Сторінки, які не потребують входу, працюють як \
                 завжди, а хто вже увійшов, може працювати далі.",
    },
];

pub(super) const SESSIONS_AWAY: [Words; 3] = [
    Words {
        title: "Chwilowa przerwa w logowaniu",
        happened: "Przez chwilę nie możemy sprawdzić, kto jest zalogowany. Nikt nie \
                   został wylogowany.",
        advice: "Odśwież stronę za kilkanaście sekund. Nie zamykaj okna z niezapisanym \
                 formularzem.",
    },
    Words {
        title: "Sign-in is interrupted for a moment",
        happened: "For a moment we cannot tell who is signed in. Nobody was signed out.",
        advice: "Reload the page in some seconds. Keep a window with an unsaved form \
                 open.",
    },
    Words {
        title: "Коротка перерва у вході",
        happened: "Зараз ми не можемо перевірити, хто увійшов. Нікого не виведено із системи.",
        advice: "Оновіть сторінку за кільканадцять секунд. Не закривайте вікна з незбереженою \
                 формою.",
    },
];

/// A frame asks for a sign-in.
pub(super) const SIGN_IN_NEEDED: [Words; 3] = [
    Words {
        title: "Tu trzeba się zalogować",
        happened: "Ta część strony jest dostępna po zalogowaniu.",
        advice: "Logowanie otworzy się w całym oknie przeglądarki. Wcześniej zapisz \
                 to, co masz zaczęte na tej stronie.",
    },
    Words {
        title: "You need to sign in here",
        happened: "This part of the page is available after signing in.",
        advice: "Signing in opens in the whole browser window. Save first whatever you \
                 have begun on this page.",
    },
    Words {
        title: "Тут треба увійти",
        happened: "Ця частина сторінки доступна після входу.",
        advice: "Вхід відкриється на все вікно браузера. Спочатку збережіть те, що ви почали \
                 на цій сторінці.",
    },
];
