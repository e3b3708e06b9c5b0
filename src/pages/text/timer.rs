//! The words of the session timer. Its script picks them by their names, so these are in its hands.

use serde::Serialize;

use crate::pages::Language;

/// What the dialog says in one language. `{time}` stands for what is left, as in "2 minutes".
#[derive(Serialize)]
pub(in crate::pages) struct TimerWords {
    idle_title: &'static str,
    idle: &'static str,
    final_title: &'static str,
    #[serde(rename = "final")]
    last: &'static str,
    ended_title: &'static str,
    expired: &'static str,
    signed_out: &'static str,
    elsewhere_title: &'static str,
    elsewhere: &'static str,
    operator_title: &'static str,
    operator: &'static str,
    kept: &'static str,
    changed_title: &'static str,
    changed: &'static str,
    checking: &'static str,
    trouble: &'static str,
    extended: &'static str,
    resumed: &'static str,
    stay: &'static str,
    leave: &'static str,
    again: &'static str,
    back: &'static str,
    reload: &'static str,
    /// For one, for few and for many, after "in".
    minutes: [&'static str; 3],
    seconds: [&'static str; 3],
}

/// Returns the words in a language.
pub(in crate::pages) const fn timer_words(language: Language) -> &'static TimerWords {
    match language {
        Language::Polish => &POLISH,
        Language::English => &ENGLISH,
        Language::Ukrainian => &UKRAINIAN,
    }
}

const POLISH: TimerWords = TimerWords {
    idle_title: "Wkrótce nastąpi wylogowanie",
    idle: "Dla bezpieczeństwa wylogujemy Cię za {time}, bo od dłuższego czasu nic się tu nie działo. \
           Jeśli zostajesz, to, co wpisano na tej stronie, nie przepadnie.",
    final_title: "Sesja wkrótce się skończy",
    last: "Sesja skończy się za {time} i nie można jej przedłużyć. Zapisz lub wyślij teraz to, co masz \
           zaczęte, albo zaloguj się ponownie. Logowanie otworzy się w nowej karcie, a ta strona \
           zostanie taka, jaka jest.",
    ended_title: "Sesja się skończyła",
    expired: "Minął czas sesji, więc dla bezpieczeństwa została zakończona.",
    signed_out: "W tej przeglądarce nie ma już zalogowanej osoby. Być może wylogowano się w innej \
                 karcie.",
    elsewhere_title: "Wylogowano: zalogowano się w innym miejscu",
    elsewhere: "Na to konto zalogowano się w innej przeglądarce albo na innym urządzeniu, więc ta \
                sesja została zakończona. Jeśli to nie Ty, zmień hasło u dostawcy tożsamości i \
                zawiadom urząd.",
    operator_title: "Sesja została zakończona przez urząd",
    operator: "Administrator portalu zakończył tę sesję.",
    kept: "To, co wpisano na tej stronie, nadal tu jest. Aby pracować dalej, zaloguj się ponownie w \
           nowej karcie, a potem wróć do tej.",
    changed_title: "Zalogowana jest inna osoba",
    changed: "W tej przeglądarce zalogowała się inna osoba niż ta, dla której otwarto tę stronę. \
              Wczytaj stronę od nowa, zanim cokolwiek tu zrobisz.",
    checking: "Sprawdzamy, czy sesja jeszcze trwa…",
    trouble: "Nie możemy teraz połączyć się z portalem. Próbujemy dalej. Nie zamykaj tej strony.",
    extended: "Sesja została przedłużona.",
    resumed: "Zalogowano ponownie. Możesz pracować dalej.",
    stay: "Zostaję",
    leave: "Wyloguj",
    again: "Zaloguj się ponownie (nowa karta)",
    back: "Wróć do strony",
    reload: "Wczytaj stronę od nowa",
    minutes: ["minutę", "minuty", "minut"],
    seconds: ["sekundę", "sekundy", "sekund"],
};

const ENGLISH: TimerWords = TimerWords {
    idle_title: "You will soon be signed out",
    idle: "For your security we will sign you out in {time}, because nothing has happened here for a \
           while. If you stay, what you typed on this page will not be lost.",
    final_title: "Your session is about to end",
    last: "Your session ends in {time} and cannot be extended. Save or send now what you have begun, or \
           sign in again. That opens in a new tab, and this page stays as it is.",
    ended_title: "Your session has ended",
    expired: "The time of your session is over, so for your security it was ended.",
    signed_out: "Nobody is signed in with this browser any more. Perhaps you signed out in another tab.",
    elsewhere_title: "Signed out: you signed in elsewhere",
    elsewhere: "This person signed in with another browser or device, so this session was ended. If \
                that was not you, change your password at your identity provider and tell the office.",
    operator_title: "Your session was ended by the office",
    operator: "An administrator of the portal ended this session.",
    kept: "What you typed on this page is still here. To go on, sign in again in a new tab, then come \
           back to this one.",
    changed_title: "Somebody else is signed in",
    changed: "Another person signed in with this browser than the one for whom this page was opened. \
              Reload the page before you do anything here.",
    checking: "We are checking whether your session still goes on…",
    trouble: "We cannot reach the portal at the moment. We keep trying. Do not close this page.",
    extended: "Your session was extended.",
    resumed: "You are signed in again and can go on.",
    stay: "Stay signed in",
    leave: "Sign out",
    again: "Sign in again (new tab)",
    back: "Back to the page",
    reload: "Reload the page",
    minutes: ["minute", "minutes", "minutes"],
    seconds: ["second", "seconds", "seconds"],
};

const UKRAINIAN: TimerWords = TimerWords {
    idle_title: "Незабаром сеанс буде завершено",
    idle: "З міркувань безпеки ми завершимо ваш сеанс за {time}, бо тут давно нічого не відбувалося. Якщо \
           ви залишаєтеся, введене на цій сторінці не зникне.",
    final_title: "Сеанс невдовзі закінчиться",
    last: "Сеанс закінчиться за {time}, і продовжити його не можна. Збережіть або надішліть зараз те, що \
           почали, або увійдіть знову. Вхід відкриється в новій вкладці, а ця сторінка залишиться такою, \
           як є.",
    ended_title: "Сеанс закінчився",
    expired: "Час сеансу минув, тому з міркувань безпеки його завершено.",
    signed_out: "У цьому браузері вже ніхто не увійшов. Можливо, ви вийшли в іншій вкладці.",
    elsewhere_title: "Сеанс завершено: ви увійшли в іншому місці",
    elsewhere: "Ця особа увійшла в іншому браузері або на іншому пристрої, тому цей сеанс завершено. Якщо \
                це були не ви, змініть пароль у свого постачальника ідентифікації та повідомте установу.",
    operator_title: "Сеанс завершено установою",
    operator: "Адміністратор порталу завершив цей сеанс.",
    kept: "Введене на цій сторінці й далі тут. Щоб працювати далі, увійдіть знову в новій вкладці, а потім \
           поверніться до цієї.",
    changed_title: "Увійшла інша особа",
    changed: "У цьому браузері увійшла інша особа, ніж та, для якої відкрито цю сторінку. Завантажте \
              сторінку знову, перш ніж щось тут робити.",
    checking: "Перевіряємо, чи сеанс іще триває…",
    trouble: "Зараз ми не можемо з’єднатися з порталом. Пробуємо далі. Не закривайте цієї сторінки.",
    extended: "Сеанс продовжено.",
    resumed: "Ви увійшли знову й можете працювати далі.",
    stay: "Залишаюся",
    leave: "Вийти",
    again: "Увійти знову (нова вкладка)",
    back: "Повернутися до сторінки",
    reload: "Завантажити сторінку знову",
    minutes: ["хвилину", "хвилини", "хвилин"],
    seconds: ["секунду", "секунди", "секунд"],
};
