//! Citizens who change their minds, and whom the node refuses.

use crate::base::reason::Reason;
use crate::report::Text;
use crate::selftest::choice::Choice;
use crate::selftest::citizen::Trouble;
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{done, home, planned};

const GROUP: &str = "refusal";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    let cases: [(&str, &'static str, [&'static str; 2], Reason); 6] = [
        (
            "refusal.cancel",
            "cancel",
            ["Obywatel rezygnuje z logowania w węźle", "A citizen cancels at the node"],
            Reason::LoginCancelled,
        ),
        (
            "refusal.authn-failed",
            "pomylka",
            [
                "Uwierzytelnienie w węźle nie powiodło się (AuthnFailed)",
                "The citizen could not prove who they are (AuthnFailed)",
            ],
            Reason::LoginCancelled,
        ),
        (
            "refusal.denied",
            "odmowa",
            [
                "Węzeł odmawia logowania (RequestDenied)",
                "The node refuses the login (RequestDenied)",
            ],
            Reason::LoginRefusedByNode,
        ),
        (
            "refusal.unknown",
            "nieznany",
            [
                "Węzeł nie zna osoby (UnknownPrincipal)",
                "The node knows no such person (UnknownPrincipal)",
            ],
            Reason::LoginUnknownPerson,
        ),
        (
            "refusal.requester",
            "zle-zadanie",
            [
                "Węzeł uznaje żądanie za błędne (Requester)",
                "The node says that our request is wrong (Requester)",
            ],
            Reason::LoginOurRequestRefused,
        ),
        (
            "refusal.responder",
            "awaria",
            ["Węzeł zgłasza własny błąd (Responder)", "The node says that it failed (Responder)"],
            Reason::LoginNodeFailed,
        ),
    ];
    for (id, person, name, reason) in cases {
        let plan = planned(
            GROUP,
            id,
            name,
            [
                "nikt nie jest zalogowany; strona mówi obywatelowi, co się stało",
                "nobody is signed in; a page says what happened",
            ],
            "SAML 2.0 Core 3.2.2.2",
        );
        examiner
            .case(plan, async |attempt: &Attempt<'_>| refused(attempt, person, reason).await)
            .await;
    }
    Box::pin(afterwards(examiner)).await;
}

/// What is possible after a login that was refused.
async fn afterwards(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "refusal.again",
                [
                    "Po rezygnacji obywatel może zalogować się od nowa",
                    "After cancelling, a citizen can sign in anew",
                ],
                ["zalogowany", "signed in"],
                "",
            ),
            again,
        )
        .await;
}

async fn refused(
    attempt: &Attempt<'_>,
    person: &'static str,
    reason: Reason,
) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    let page = citizen.sign_in(&url, &choice.person(person)).await?;
    citizen.must_be_refused(&page, reason).await
}

async fn again(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    let cancelled: Choice = choice.clone().person("cancel");
    let page = citizen.sign_in(&url, &cancelled).await?;
    citizen.must_be_refused(&page, Reason::LoginCancelled).await?;
    citizen.arrive_or_login(&url, &choice).await?;
    done("zalogowany", "signed in")
}
