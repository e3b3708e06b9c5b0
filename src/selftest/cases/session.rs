//! How long a citizen stays signed in, and what ends it.

use std::time::Duration;

use http::Method;
use url::Url;

use crate::base::reason::Reason;
use crate::flow::OtherPerson;
use crate::identity::assurance::Assurance;
use crate::report::Text;
use crate::selftest::choice::Choice;
use crate::selftest::citizen::{Citizen, Trouble, otherwise};
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{differs, done, home, not_here, planned};
use crate::simulator::people::Way;

const GROUP: &str = "session";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    let ended = [
        "niezalogowany; chroniona strona znów prowadzi do węzła",
        "not signed in; a protected page leads to the node again",
    ];
    examiner
        .case(
            planned(
                GROUP,
                "session.idle",
                [
                    "Sesja kończy się po czasie bezczynności (session.idle)",
                    "A session ends after a time without activity (session.idle)",
                ],
                ended,
                "OWASP ASVS 3.3",
            ),
            idle,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.alive",
                ["Aktywność przedłuża sesję", "Activity keeps a session alive"],
                [
                    "nadal zalogowany po czasie dłuższym niż dozwolona bezczynność",
                    "still signed in after more than that time",
                ],
                "",
            ),
            alive,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.absolute",
                [
                    "Sesja kończy się po najdłuższym dozwolonym czasie mimo aktywności (session.absolute)",
                    "A session ends at the latest after session.absolute, whatever happens in it",
                ],
                ended,
                "OWASP ASVS 3.3",
            ),
            absolute,
        )
        .await;
    Box::pin(logins(examiner)).await;
    Box::pin(levels(examiner)).await;
}

/// What a login does to a session.
async fn logins(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "session.login-expired",
                [
                    "Powrót z węzła po upływie czasu na logowanie nikogo nie loguje (session.login_timeout)",
                    "Coming back from the node too late signs nobody in (session.login_timeout)",
                ],
                ["nikt nie jest zalogowany; powód login.expired", "nobody is signed in; the reason is login.expired"],
                "",
            ),
            login_expired,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.new-id",
                [
                    "Ponowne potwierdzenie tożsamości zmienia identyfikator sesji, a poprzedni traci ważność",
                    "Identifying anew changes the session's identifier, and the old one is worth nothing",
                ],
                ["nowy identyfikator; stary nikogo nie loguje", "a new one; the old one signs nobody in"],
                "OWASP ASVS 3.2.1",
            ),
            new_id,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.other-person",
                [
                    "Zalogowanie innej osoby w tej samej przeglądarce przebiega zgodnie z konfiguracją (session.other_person)",
                    "Another person in the same browser is treated as configured (session.other_person)",
                ],
                ["odmowa albo zastąpienie sesji", "refused, or the session is replaced"],
                "",
            ),
            other_person,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.per-person",
                [
                    "Liczba sesji jednej osoby jest ograniczona (session.maximum_per_person)",
                    "One person has no more sessions than allowed (session.maximum_per_person)",
                ],
                [
                    "najdawniej używana sesja się kończy",
                    "the session that was used longest ago ends",
                ],
                "",
            ),
            per_person,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.polling",
                [
                    "Odpytywanie o stan sesji przez skrypt jej nie przedłuża",
                    "A script that asks how the session is does not keep it alive",
                ],
                ["sesja kończy się mimo odpytywania", "the session ends in spite of it"],
                "",
            ),
            polling,
        )
        .await;
}

/// A session whose level is raised, or is not.
async fn levels(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "session.step-up",
                [
                    "Zalogowany obywatel może podnieść poziom wiarygodności do wysokiego",
                    "A citizen who is signed in can raise the level of assurance to high",
                ],
                [
                    "powrót do węzła, potem sesja na poziomie wysokim",
                    "to the node, and then a session at the level high",
                ],
                "eIDAS, art. 8",
            ),
            step_up,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "session.step-up-refused",
                [
                    "Gdy węzeł potwierdza niższy poziom niż żądany, poziom sesji się nie podnosi",
                    "When the node confirms less than was asked for, the session stays at its level",
                ],
                [
                    "odmowa z powodem login.assurance_too_low; sesja na dotychczasowym poziomie",
                    "refused for login.assurance_too_low; the session is at its former level",
                ],
                "eIDAS, art. 8",
            ),
            step_up_refused,
        )
        .await;
}

/// Signs in below the level high: with that browser, and the address at which high is asked for.
async fn below_high<'w>(attempt: &Attempt<'w>) -> Result<(Citizen<'w>, Url, Choice), Trouble> {
    let facts = &attempt.world.facts;
    if facts.assurance > Assurance::Substantial {
        return Err(not_here(
            "każde logowanie jest na poziomie wysokim",
            "every login is at the level high",
        ));
    }
    let choice = Choice::by(Way::TrustedProfile);
    let mut citizen = attempt.citizen();
    let url = facts.own(&facts.origin, "login?return_to=%2F");
    citizen.arrive_or_login(&url, &choice).await?;
    let higher = facts.own(&facts.origin, "login?assurance=high&return_to=%2F");
    Ok((citizen, higher, choice))
}

async fn step_up(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (mut citizen, higher, _) = below_high(attempt).await?;
    let page = citizen.sign_in(&higher, &Choice::by(Way::IdentityCard)).await?;
    let acr = citizen.session(&attempt.world.facts.origin).await?["acr"].clone();
    if acr.as_str() == Some(Assurance::High.uri()) {
        return Ok(Text::same(Assurance::High.uri()));
    }
    Err(otherwise(&page))
}

async fn step_up_refused(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (mut citizen, higher, choice) = below_high(attempt).await?;
    let page = citizen.sign_in(&higher, &choice).await?;
    if !page.text.contains(Reason::LoginAssuranceTooLow.as_str()) {
        return Err(otherwise(&page));
    }
    let acr = citizen.session(&attempt.world.facts.origin).await?["acr"].clone();
    if acr.as_str() == Some(choice.assurance.uri()) {
        return done(
            "odmowa; sesja na dotychczasowym poziomie",
            "refused; the session is as it was",
        );
    }
    Err(differs(acr.to_string(), acr.to_string()))
}

async fn idle(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    attempt.world.clock.advance(attempt.world.facts.session.idle + MARGIN);
    has_ended(&mut citizen, &url).await
}

async fn has_ended(citizen: &mut Citizen<'_>, url: &Url) -> Result<Text, Trouble> {
    citizen.must_not_be_signed_in(url).await?;
    citizen.begin(url).await?;
    done("niezalogowany; strona prowadzi do węzła", "not signed in; the page leads to the node")
}

/// A sign of life, as the button of the session timer gives it.
async fn keep_alive(attempt: &Attempt<'_>, citizen: &mut Citizen<'_>) -> Result<bool, Trouble> {
    let facts = &attempt.world.facts;
    let url = facts.own(&facts.origin, "keepalive");
    let answer = citizen.fetch(Method::POST, &url, &[]).await?;
    Ok(answer.text.contains("\"signed_in\":true"))
}

async fn alive(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let session = &attempt.world.facts.session;
    let part = session.idle * 2 / 3;
    if session.absolute < part * 2 + MARGIN {
        return Err(not_here("sesja kończy się wcześniej", "the session ends before"));
    }
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    for _ in 0..2 {
        attempt.world.clock.advance(part);
        if !keep_alive(attempt, &mut citizen).await? {
            return Err(differs(
                "sesja skończyła się mimo aktywności",
                "the session ended all the same",
            ));
        }
    }
    done("nadal zalogowany", "still signed in")
}

async fn absolute(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let session = &attempt.world.facts.session;
    let step = session.idle / 2;
    if step.is_zero() || session.absolute.as_secs() / step.as_secs().max(1) > MOST_STEPS {
        return Err(not_here("czas zbyt długi do odtworzenia", "too long to go through"));
    }
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let mut passed = Duration::ZERO;
    while passed + step < session.absolute {
        attempt.world.clock.advance(step);
        passed += step;
        if !keep_alive(attempt, &mut citizen).await? {
            let minutes = passed.as_secs() / 60;
            return Err(differs(
                format!("sesja skończyła się już po {minutes} min"),
                format!("the session ended after {minutes} min"),
            ));
        }
    }
    attempt.world.clock.advance(step + MARGIN);
    has_ended(&mut citizen, &url).await
}

async fn login_expired(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    let page = citizen.begin(&url).await?;
    let last = citizen.choose(&page, &choice).await?;
    attempt.world.clock.advance(attempt.world.facts.login_timeout + MARGIN);
    let page = citizen.deliver(last).await?;
    citizen.must_be_refused(&page, Reason::LoginExpired).await
}

async fn new_id(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let old = citizen.session_cookie();
    let anew = facts.own(&facts.origin, "login?max_age=0&return_to=%2F");
    citizen.arrive_or_login(&anew, &choice).await?;
    let new = citizen.session_cookie();
    let (Some(old), Some(new)) = (old, new) else {
        return Err(differs("brak ciasteczka sesji", "there is no session cookie"));
    };
    if old == new {
        return Err(differs("identyfikator się nie zmienił", "the identifier is the same"));
    }
    let mut thief = attempt.citizen();
    thief.bring(&old)?;
    thief.must_not_be_signed_in(&facts.origin).await?;
    done("nowy identyfikator; stary nikogo nie loguje", "a new one; the old one signs nobody in")
}

async fn other_person(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let before = citizen.session_cookie();
    let anew = facts.own(&facts.origin, "login?max_age=0&return_to=%2F");
    let page = citizen.sign_in(&anew, &choice.person("lukasz")).await?;
    citizen.must_be_signed_in(&facts.origin).await?;
    let is_same = citizen.session_cookie() == before;
    let is_refused = page.text.contains(Reason::LoginOtherPerson.as_str());
    match facts.other_person {
        OtherPerson::Refuse if is_refused && is_same => done(
            "odmowa; zalogowana pozostała pierwsza osoba",
            "refused; the first person stays signed in",
        ),
        OtherPerson::Replace if !is_refused && !is_same => {
            done("sesja zastąpiona", "the session was replaced")
        }
        _ => Err(otherwise(&page)),
    }
}

async fn per_person(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let most = attempt.world.facts.session.maximum_per_person;
    if most == 0 {
        return Err(not_here("liczba sesji nie jest ograniczona", "there is no such bound"));
    }
    if most > MOST_SESSIONS {
        return Err(not_here("zbyt wiele sesji do odtworzenia", "too many to go through"));
    }
    let (url, choice) = home(attempt.world)?;
    let mut citizens = Vec::new();
    for _ in 0..=most {
        let mut citizen = attempt.citizen();
        citizen.arrive_or_login(&url, &choice).await?;
        citizens.push(citizen);
        attempt.world.clock.advance(MARGIN);
    }
    let mut signed_in = Vec::new();
    for citizen in &mut citizens {
        signed_in.push(citizen.is_signed_in(&url).await?);
    }
    let expected: Vec<_> = (0..=most).map(|number| number > 0).collect();
    if signed_in == expected {
        return done(
            "najdawniej używana sesja się zakończyła",
            "the one that was used longest ago ended",
        );
    }
    Err(differs(format!("{signed_in:?}"), format!("{signed_in:?}")))
}

async fn polling(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let idle = attempt.world.facts.session.idle;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    for _ in 0..3 {
        attempt.world.clock.advance(idle / 3);
        citizen.session(&url).await?;
    }
    attempt.world.clock.advance(MARGIN);
    has_ended(&mut citizen, &url).await
}

/// How much later than is allowed.
const MARGIN: Duration = Duration::from_secs(2);
/// How many signs of life are given at the most.
const MOST_STEPS: u64 = 400;
/// How many browsers of one person are tried at the most.
const MOST_SESSIONS: usize = 20;
