//! Nobody takes over a login or a session of somebody else.

use http::Method;

use crate::base::random;
use crate::base::reason::Reason;
use crate::report::Text;
use crate::selftest::citizen::{A_MINUTE, Trouble, otherwise, seen};
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{differs, done, home, planned};

const GROUP: &str = "theft";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "theft.other-browser",
                [
                    "Logowanie rozpoczęte w jednej przeglądarce nie loguje nikogo w innej",
                    "A login that one browser began signs nobody in with another",
                ],
                [
                    "odmowa z powodem login.other_browser; nikt nie jest zalogowany",
                    "refused for login.other_browser; nobody is signed in",
                ],
                "SAML 2.0 Security 6.5",
            ),
            other_browser,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "theft.used-answer",
                [
                    "Odpowiedź węzła raz użyta nikogo już nie zaloguje",
                    "An answer of the node that was used once signs nobody in again",
                ],
                [
                    "węzeł nie jest pytany drugi raz, nie ma drugiej sesji, a po minucie nikt nie jest \
                     zalogowany",
                    "the node is not asked twice, there is no second session, and after a minute nobody \
                     is signed in",
                ],
                "SAML 2.0 Core 2.5.1.5, Bindings 3.6.5",
            ),
            used_answer,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "theft.no-artifact",
                [
                    "Adres powrotu bez odpowiedzi węzła nikogo nie loguje",
                    "The address to return to signs nobody in without an answer of the node",
                ],
                ["odmowa", "refused"],
                "",
            ),
            no_artifact,
        )
        .await;
    elsewhere(examiner).await;
}

/// What is no answer of the node, and where a login leads to.
async fn elsewhere(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "theft.invented-session",
                [
                    "Wymyślony identyfikator sesji nikogo nie loguje",
                    "An invented session identifier signs nobody in",
                ],
                ["niezalogowany", "not signed in"],
                "OWASP ASVS 3.2",
            ),
            invented_session,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "theft.open-redirect",
                [
                    "Po zalogowaniu nie można zostać odesłanym do obcej witryny",
                    "After a login nobody is sent on to another site",
                ],
                ["powrót na stronę główną portalu", "back to the portal's front page"],
                "CWE-601",
            ),
            open_redirect,
        )
        .await;
}

async fn other_browser(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let (mut thief, mut citizen) = (attempt.citizen(), attempt.citizen());
    let begun = thief.begin(&url).await?;
    let last = citizen.choose(&begun, &choice).await?;
    let page = citizen.deliver(last).await?;
    let seen = citizen.must_be_refused(&page, Reason::LoginOtherBrowser).await?;
    thief.must_not_be_signed_in(&url).await?;
    Ok(seen)
}

/// The browser is the one that began, as it was before the answer came: another one would be refused for
/// being another. The node would answer once more.
async fn used_answer(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let control = &attempt.world.control;
    let mut citizen = attempt.citizen();
    let begun = citizen.begin(&url).await?;
    let last = citizen.choose(&begun, &choice).await?;
    let (mut at_once, mut later) = (citizen.as_now(), citizen.as_now());
    control.repeat_answers(true);
    citizen.deliver(last.clone()).await?;
    citizen.must_be_signed_in(&url).await?;
    let asked = control.last_artifact_resolve();
    // Within a minute it is told again what came of the login.
    let page = at_once.deliver(last.clone()).await?;
    let seen = seen(&page);
    let own = at_once.session_cookie();
    if own.is_some() && own != citizen.session_cookie() {
        return Err(differs("powstała druga sesja", "there is a second session"));
    }
    attempt.world.clock.advance(A_MINUTE);
    later.deliver(last).await?;
    later.must_not_be_signed_in(&url).await?;
    if control.last_artifact_resolve() != asked {
        return Err(differs("węzeł był pytany drugi raz", "the node was asked a second time"));
    }
    Ok(seen)
}

async fn no_artifact(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let Ok(acs) = url::Url::parse(&facts.acs) else {
        return Err(differs(facts.acs.clone(), facts.acs.clone()));
    };
    let mut citizen = attempt.citizen();
    let page = citizen.open(&acs).await?;
    citizen.must_not_be_signed_in(&facts.origin).await?;
    let posted = citizen.fetch(Method::POST, &acs, &[]).await?;
    citizen.must_not_be_signed_in(&facts.origin).await?;
    if page.status.is_success() || posted.status.is_success() {
        return Err(otherwise(&page));
    }
    Ok(seen(&page))
}

async fn invented_session(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let mut citizen = attempt.citizen();
    citizen.bring(&random::long_handle())?;
    citizen.must_not_be_signed_in(&facts.origin).await?;
    done("niezalogowany", "not signed in")
}

async fn open_redirect(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (_, choice) = home(attempt.world)?;
    for target in
        ["https://obca-witryna.invalid/", "//obca-witryna.invalid/", "/\\obca-witryna.invalid"]
    {
        let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let url = facts.own(&facts.origin, &format!("login?return_to={target}"));
        let mut citizen = attempt.citizen();
        let page = citizen.sign_in(&url, &choice).await?;
        if page.url.host_str() != facts.origin.host_str() {
            return Err(otherwise(&page));
        }
    }
    done("powrót na stronę portalu", "back at the portal")
}
