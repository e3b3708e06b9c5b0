//! Each rule of the configuration: who fits it gets through, who does not is told why.

use http::{Method, StatusCode};
use url::Url;

use crate::gate::policy::{Access, Route};
use crate::gate::requirement::{Attribute as Quality, Requirement};
use crate::identity::assurance::Assurance;
use crate::report::Text;
use crate::selftest::choice::{Choice, Possible, level, satisfying};
use crate::selftest::citizen::{Trouble, must_have, otherwise, seen};
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::facts::Facts;
use crate::selftest::plan::{differs, not_here, planned};
use crate::simulator::people::Way;

const GROUP: &str = "routes";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    let routes: Vec<_> = examiner.world.facts.forwarded().cloned().collect();
    for route in &routes {
        let Access::Required(needs) = &route.access else { continue };
        let at = format!("{}{}", route.host, route.path);
        let rule = rule(needs);
        let plan = planned(
            GROUP,
            format!("routes.fits.{at}"),
            ["", ""],
            ["strona portalu", "the portal's page"],
            "",
        );
        let name = Text::new(
            format!("Kto spełnia warunki ({}), dociera do {at}", rule.pl),
            format!("Who satisfies the rule ({}) gets to {at}", rule.en),
        );
        let plan = Planned { name, ..plan };
        examiner.case(plan, async |attempt: &Attempt<'_>| fits(attempt, route, needs).await).await;
    }
    for route in &routes {
        let Access::Required(needs) = &route.access else { continue };
        Box::pin(does_not_fit(examiner, route, needs)).await;
    }
    examiner
        .case(
            planned(
                GROUP,
                "routes.none",
                [
                    "Żądania pod nazwą, której Brama nie obsługuje, są odrzucane",
                    "Requests for a host that is not served are refused",
                ],
                ["404 lub 421, bez przekazania do portalu", "404 or 421, and nothing goes on"],
                "RFC 9110, 7.4",
            ),
            no_host,
        )
        .await;
}

fn rule(needs: &Requirement) -> Text {
    let level = level(needs.assurance);
    let mut pl = vec![format!("poziom {}", level.pl)];
    let mut en = vec![format!("level {}", level.en)];
    if let Some(age) = needs.max_age {
        let minutes = age.as_secs() / 60;
        pl.push(format!("potwierdzenie tożsamości sprzed najwyżej {minutes} min"));
        en.push(format!("identified {minutes} min ago at the most"));
    }
    if !needs.authorities.is_empty() {
        let ways = needs.authorities.join(", ");
        pl.push(format!("sposób: {ways}"));
        en.push(format!("by: {ways}"));
    }
    for quality in &needs.attributes {
        let (one, other) = match quality {
            Quality::Adult => ("pełnoletność", "of age"),
            Quality::Pesel => ("numer PESEL", "a PESEL"),
        };
        pl.push(one.to_owned());
        en.push(other.to_owned());
    }
    Text::new(pl.join(", "), en.join(", "))
}

async fn fits(attempt: &Attempt<'_>, route: &Route, needs: &Requirement) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let Some(origin) = facts.portal_of(route) else {
        return Err(differs(
            format!(
                "host {} nie jest adresem żadnego portalu (public_url, other_urls)",
                route.host
            ),
            format!("the host {} is no portal's (public_url, other_urls)", route.host),
        ));
    };
    let choice = match satisfying(needs, facts.assurance) {
        Possible::Yes(choice) => choice,
        Possible::No(why) => return Err(Trouble::Otherwise(why)),
        Possible::Unknown(why) => return Err(Trouble::NotHere(why)),
    };
    let page = attempt.citizen().arrive(&facts.at(origin, &route.path), &choice).await?;
    Ok(seen(&page))
}

/// Rules that ask for something special are tried with a citizen who lacks it.
async fn does_not_fit(examiner: &mut Examiner<'_>, route: &Route, needs: &Requirement) {
    let at = format!("{}{}", route.host, route.path);
    let plan = |what: &str, pl: &str, en: &str, expected: [&'static str; 2]| {
        let plan = planned(GROUP, format!("routes.{what}.{at}"), ["", ""], expected, "");
        let name = Text::new(format!("{at}: {pl}"), format!("{at}: {en}"));
        Planned { name, ..plan }
    };
    let refused = [
        "odmowa z powodem, bez przekazania do portalu",
        "refused for a reason, and nothing goes on",
    ];
    let facts_level = examiner.world.facts.assurance;
    if needs.assurance > facts_level {
        let expected = [
            "powrót do węzła po wyższy poziom, potem strona",
            "to the node for the higher level, then the page",
        ];
        let plan = plan(
            "step-up",
            "zalogowany na niższym poziomie jest proszony o wyższy",
            "who is signed in at a lower level is asked for the higher one",
            expected,
        );
        examiner
            .case(plan, async |attempt: &Attempt<'_>| step_up(attempt, route, needs).await)
            .await;
    }
    if needs.max_age.is_some() {
        let expected = ["powrót do węzła, potem ta sama strona", "to the node, then the same page"];
        let plan = plan(
            "max-age",
            "kto potwierdził tożsamość zbyt dawno, potwierdza ją ponownie",
            "who identified too long ago does so anew",
            expected,
        );
        examiner
            .case(plan, async |attempt: &Attempt<'_>| too_old(attempt, route, needs).await)
            .await;
    }
    if needs.attributes.contains(&Quality::Pesel) {
        let plan = plan(
            "pesel",
            "osoba bez numeru PESEL nie ma dostępu",
            "a person without a PESEL does not pass",
            refused,
        );
        examiner
            .case(plan, async |attempt: &Attempt<'_>| {
                lacks(attempt, route, needs, "jurgen", "policy.").await
            })
            .await;
    }
    if needs.attributes.contains(&Quality::Adult) {
        let plan =
            plan("adult", "osoba niepełnoletnia nie ma dostępu", "a minor does not pass", refused);
        examiner
            .case(plan, async |attempt: &Attempt<'_>| {
                lacks(attempt, route, needs, "mia", "policy.").await
            })
            .await;
    }
    if !needs.authorities.is_empty() {
        let plan = plan(
            "way",
            "zalogowany niedopuszczonym sposobem nie ma dostępu",
            "who came by a way that is not taken does not pass",
            refused,
        );
        examiner
            .case(plan, async |attempt: &Attempt<'_>| other_way(attempt, route, needs).await)
            .await;
    }
}

async fn step_up(
    attempt: &Attempt<'_>,
    route: &Route,
    needs: &Requirement,
) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (origin, choice) = who_passes(facts, route, needs)?;
    let lower = Way::ALL
        .into_iter()
        .find(|way| way.assurance() >= facts.assurance && way.assurance() < needs.assurance);
    let lower = lower.map_or(
        Choice { assurance: facts.assurance, ..Choice::by(Way::TrustedProfile) },
        Choice::by,
    );
    let mut citizen = attempt.citizen();
    citizen.sign_in(&facts.own(origin, "login?return_to=%2F"), &lower).await?;
    citizen.must_be_signed_in(origin).await?;
    let url = facts.at(origin, &route.path);
    let answer = citizen.fetch(Method::GET, &url, &[]).await?;
    must_have(&answer, StatusCode::UNAUTHORIZED)?;
    let page = citizen.arrive(&url, &choice).await?;
    let acr = citizen.session(origin).await?["acr"].as_str().unwrap_or_default().to_owned();
    let level = Assurance::from_uri(&acr);
    if level.is_some_and(|level| level >= needs.assurance) {
        return Ok(seen(&page));
    }
    Err(differs(format!("poziom {acr}"), format!("the level {acr}")))
}

async fn too_old(
    attempt: &Attempt<'_>,
    route: &Route,
    needs: &Requirement,
) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (origin, choice) = who_passes(facts, route, needs)?;
    let Some(age) = needs.max_age.filter(|age| *age + MARGIN < facts.session.idle) else {
        return Err(not_here("sesja kończy się wcześniej", "the session ends before"));
    };
    let url = facts.at(origin, &route.path);
    let mut citizen = attempt.citizen();
    citizen.arrive(&url, &choice).await?;
    attempt.world.clock.advance(age + MARGIN);
    citizen.must_be_signed_in(origin).await?;
    let page = citizen.arrive(&url, &choice).await?;
    Ok(seen(&page))
}

async fn lacks(
    attempt: &Attempt<'_>,
    route: &Route,
    needs: &Requirement,
    person: &'static str,
    reason: &str,
) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (origin, choice) = who_passes(facts, route, needs)?;
    let mut citizen = attempt.citizen();
    let page = citizen.sign_in(&facts.at(origin, &route.path), &choice.person(person)).await?;
    is_refused(attempt, &page, reason)
}

async fn other_way(
    attempt: &Attempt<'_>,
    route: &Route,
    needs: &Requirement,
) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let Some(origin) = facts.portal_of(route) else { return Err(nowhere()) };
    let level = needs.assurance.max(facts.assurance);
    let is_other = |way: &Way| {
        way.assurance() >= level && !needs.authorities.iter().any(|one| one == way.authority())
    };
    let Some(way) = Way::ALL.into_iter().find(is_other) else {
        return Err(not_here(
            "symulator nie ma innego sposobu",
            "the simulator has no other way in",
        ));
    };
    let mut citizen = attempt.citizen();
    let page = citizen.sign_in(&facts.at(origin, &route.path), &Choice::by(way)).await?;
    is_refused(attempt, &page, crate::base::reason::Reason::PolicyWayNotAllowed.as_str())
}

fn is_refused(
    attempt: &Attempt<'_>,
    page: &crate::browser::Page,
    reason: &str,
) -> Result<Text, Trouble> {
    if page.status != StatusCode::FORBIDDEN || !page.text.contains(reason) {
        return Err(otherwise(page));
    }
    if !attempt.world.notes.take().is_empty() {
        return Err(differs("żądanie dotarło do portalu", "the request reached the portal"));
    }
    Ok(seen(page))
}

async fn no_host(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let other = [("host", NOBODYS), ("x-forwarded-host", NOBODYS)];
    let answer = attempt.citizen().fetch(Method::GET, &facts.origin, &other).await?;
    if !matches!(answer.status.as_u16(), 400 | 404 | 421) {
        return Err(otherwise(&answer));
    }
    if !attempt.world.notes.take().is_empty() {
        return Err(differs("żądanie dotarło do portalu", "the request reached the portal"));
    }
    let status = answer.status.as_u16();
    Ok(Text::same(status.to_string()))
}

/// Returns the host of a route where somebody signs in, and who satisfies its rule.
fn who_passes<'f>(
    facts: &'f Facts,
    route: &Route,
    needs: &Requirement,
) -> Result<(&'f Url, Choice), Trouble> {
    let origin = facts.portal_of(route).ok_or_else(nowhere)?;
    match satisfying(needs, facts.assurance) {
        Possible::Yes(choice) => Ok((origin, choice)),
        _ => Err(not_here(
            "warunku nie da się spełnić w symulatorze",
            "the rule cannot be satisfied",
        )),
    }
}

fn nowhere() -> Trouble {
    not_here("pod tą nazwą nikt się nie loguje", "nobody signs in at this host")
}

/// A host that no portal has.
const NOBODYS: &str = "inny-host.invalid";
/// How much later than the rule allows.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(5);
