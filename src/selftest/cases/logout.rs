//! Signing out: here at once, at the node as far as it answers.

use http::Method;

use crate::pages::Language::{English, Polish};
use crate::report::Text;
use crate::selftest::citizen::{Trouble, seen};
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::plan::{differs, done, home, not_here, planned};
use crate::simulator::faults::{Fault, Kind};

const GROUP: &str = "logout";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "logout.everywhere",
                [
                    "Wylogowanie kończy sesję w portalu i w Węźle Krajowym",
                    "Signing out ends the session here and at the national node",
                ],
                [
                    "niezalogowany; węzeł przyjmuje LogoutRequest bez uwag; dawne ciasteczko jest bezwartościowe",
                    "not signed in; the node has nothing against the LogoutRequest; the old cookie is worth nothing",
                ],
                "SAML 2.0 Core 3.7",
            ),
            everywhere,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "logout.again",
                [
                    "Po wylogowaniu można zalogować się ponownie, także jako inna osoba",
                    "After signing out one can sign in again, as another person too",
                ],
                ["zalogowany", "signed in"],
                "",
            ),
            again,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "logout.foreign",
                [
                    "Obca witryna nie może wylogować obywatela",
                    "Another site cannot sign a citizen out",
                ],
                ["nadal zalogowany", "still signed in"],
                "RFC 6265bis 8.8",
            ),
            foreign,
        )
        .await;
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Logout) {
        let plan = planned(
            GROUP,
            format!("logout.fault.{}", fault.name()),
            ["", ""],
            [
                "sesja w portalu i tak się kończy; strona mówi, że węzeł nie potwierdził",
                "the session here ends all the same; the page says that the node did not confirm",
            ],
            "SAML 2.0 Core 3.7.3",
        );
        let (pl, en) = (fault.description(Polish), fault.description(English));
        let name = Text::new(format!("Wylogowanie, gdy {pl}"), format!("Signing out when {en}"));
        let plan = Planned { name, ..plan };
        examiner.case(plan, async |attempt: &Attempt<'_>| fails(attempt, fault).await).await;
    }
}

async fn everywhere(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let cookie = citizen.session_cookie().unwrap_or_default();
    let page = citizen.sign_out(&facts.origin).await?;
    citizen.must_not_be_signed_in(&facts.origin).await?;
    if facts.has_logout {
        let findings = attempt.world.control.last_findings().unwrap_or_default();
        if !findings.is_empty() {
            let findings = findings.join(", ");
            return Err(differs(findings.clone(), findings));
        }
    }
    let mut thief = attempt.citizen();
    thief.bring(&cookie)?;
    thief.must_not_be_signed_in(&facts.origin).await?;
    Ok(seen(&page))
}

async fn again(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    citizen.sign_out(&facts.origin).await?;
    citizen.arrive_or_login(&url, &choice.person("lukasz")).await?;
    done("zalogowany", "signed in")
}

async fn foreign(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let headers = [("origin", "https://obca-witryna.invalid"), ("sec-fetch-site", "cross-site")];
    let target = facts.own(&facts.origin, "logout");
    citizen.fetch(Method::POST, &target, &headers).await?;
    citizen.must_be_signed_in(&facts.origin).await?;
    done("nadal zalogowany", "still signed in")
}

async fn fails(attempt: &Attempt<'_>, fault: Fault) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    if !facts.has_logout {
        return Err(not_here("węzeł nie ma adresu wylogowania", "the node has no address for it"));
    }
    let (url, choice) = home(attempt.world)?;
    attempt.world.control.always(&[fault]);
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let origin = facts.origin.as_str().trim_end_matches('/').to_owned();
    let target = facts.own(&facts.origin, "logout");
    let answer = citizen.fetch(Method::POST, &target, &[("origin", &origin)]).await?;
    citizen.must_not_be_signed_in(&facts.origin).await?;
    if answer.text.contains("node_did_not_confirm") {
        return done(
            "wylogowany w portalu; węzeł nie potwierdził",
            "signed out here; the node did not confirm",
        );
    }
    Err(crate::selftest::citizen::otherwise(&answer))
}
