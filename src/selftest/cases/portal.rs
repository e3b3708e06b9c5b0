//! What portals are told of a citizen: as much as their routes release, and no more.

use crate::gate::policy::{Access, Route};
use crate::gate::requirement::Attribute as Quality;
use crate::identity::attribute::Attribute;
use crate::identity::claims::PersonalClaim;
use crate::report::Text;
use crate::selftest::choice::{Choice, Possible, satisfying};
use crate::selftest::citizen::Trouble;
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::plan::{differs, done, home, not_here, planned};
use crate::selftest::token;

const GROUP: &str = "portal";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    let routes: Vec<_> = examiner.world.facts.forwarded().cloned().collect();
    for route in routes.iter().filter(|route| route.access != Access::Public) {
        let at = format!("{}{}", route.host, route.path);
        let plan = planned(
            GROUP,
            format!("portal.told.{at}"),
            ["", ""],
            ["", ""],
            "RFC 7519; RODO, art. 5 ust. 1 lit. c",
        );
        let name = Text::new(
            format!(
                "Portal pod {at} otrzymuje podpisaną tożsamość z dokładnie tymi danymi, które przewidziano"
            ),
            format!(
                "The portal at {at} is told a signed identity with exactly the data that are meant for it"
            ),
        );
        let claims: Vec<_> = route.release.claims.iter().map(|claim| claim.name()).collect();
        let claims = claims.join(", ");
        let expected = Text::new(
            format!("pseudonim; dane: {}", if claims.is_empty() { "żadne" } else { &claims }),
            format!("the pseudonym; data: {}", if claims.is_empty() { "none" } else { &claims }),
        );
        let plan = Planned { name, expected, ..plan };
        examiner.case(plan, async |attempt: &Attempt<'_>| told(attempt, route).await).await;
    }
    examiner
        .case(
            planned(
                GROUP,
                "portal.minimal",
                [
                    "Dane, o które usługa prosi węzeł, są do czegoś potrzebne",
                    "The data that the service asks the node for are of use to somebody",
                ],
                [
                    "co najmniej jedna z nich trafia do portalu (claims) albo rozstrzyga o dostępie (require)",
                    "one of them at least goes to a portal (claims) or decides who may pass (require)",
                ],
                "RODO, art. 5 ust. 1 lit. c",
            ),
            minimal,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "portal.pseudonym",
                [
                    "Ten sam obywatel ma w portalu zawsze ten sam pseudonim, a inny obywatel inny",
                    "A citizen has the same pseudonym at a portal each time, and another citizen has another",
                ],
                ["sub stały dla osoby, różny dla różnych osób", "sub is one for a person and differs between persons"],
                "OpenID Connect Core 8",
            ),
            pseudonym,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "portal.cookies",
                [
                    "Ciasteczka Bramy nie docierają do portalu",
                    "The gateway's own cookies do not reach the portal",
                ],
                ["żadnego ciasteczka Bramy", "none of the gateway's cookies"],
                "",
            ),
            cookies,
        )
        .await;
}

async fn told(attempt: &Attempt<'_>, route: &Route) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let no_notes = || not_here("pytano rzeczywiste portale", "the real portals were asked");
    let Some(origin) = facts.portal_of(route) else {
        return Err(not_here("pod tą nazwą nikt się nie loguje", "nobody signs in at this host"));
    };
    let choice = choice_for(route, facts.assurance)?;
    let url = facts.at(origin, &route.path);
    let mut citizen = attempt.citizen();
    if matches!(route.access, Access::Optional) {
        let login = facts.own(origin, &format!("login?return_to={}", encoded(&route.path)));
        citizen.sign_in(&login, &choice).await?;
        attempt.world.notes.take();
        citizen.open(&url).await?;
    } else {
        citizen.arrive(&url, &choice).await?;
    }
    if facts.with_portal {
        return Err(no_notes());
    }
    let notes = attempt.world.notes.take();
    let wanted = facts.upstream_of(route);
    let found = notes.iter().rev().find(|told| Some(told.upstream.as_str()) == wanted);
    let Some(found) = found else {
        return Err(differs("żądanie nie dotarło do portalu", "no request reached the portal"));
    };
    if !route.release.forms.iter().any(|form| form.has_token()) {
        let names: Vec<_> = route.release.forms.iter().flat_map(|form| form.names()).collect();
        let is_told = names.iter().any(|name| found.headers.contains_key(name));
        if is_told || names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
            let names = names.join(", ");
            return Ok(Text::new(format!("nagłówki: {names}"), format!("headers: {names}")));
        }
        return Err(differs(
            "portal nie otrzymał nagłówków tożsamości",
            "the portal was told nothing",
        ));
    }
    let is_readable = route.release.forms.iter().any(|form| {
        form.names().iter().any(|name| name == "x-brama-assertion" || name == "authorization")
    });
    if !is_readable {
        return done(
            "tożsamość zaszyfrowana kluczem portalu",
            "an identity that only the portal can read",
        );
    }
    let claims = token::check(attempt.world, &mut citizen, found, route).await?;
    token::is_as_released(&claims, route)
}

fn choice_for(
    route: &Route,
    least: crate::identity::assurance::Assurance,
) -> Result<Choice, Trouble> {
    let Access::Required(needs) = &route.access else { return Ok(Choice::at(least)) };
    match satisfying(needs, least) {
        Possible::Yes(choice) => Ok(choice),
        Possible::No(why) => Err(Trouble::NotHere(why)),
        Possible::Unknown(why) => Err(Trouble::NotHere(why)),
    }
}

fn encoded(path: &str) -> String {
    url::form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

/// Data that nobody is told and no rule looks at should not be asked for; a route without claims
/// where its portal needs them is the usual mistake.
async fn minimal(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let asked: Vec<_> = facts
        .attributes
        .iter()
        .filter(|attribute| **attribute != Attribute::PersonIdentifier)
        .map(|attribute| attribute.friendly_name())
        .collect();
    if asked.is_empty() {
        return Err(not_here(
            "usługa prosi tylko o identyfikator",
            "the service asks for the identifier alone",
        ));
    }
    let tells = |route: &Route| {
        route.access != Access::Public && !route.release.claims.is_empty()
            || matches!(&route.access, Access::Required(needs) if needs.attributes.contains(&Quality::Adult))
    };
    let told: Vec<_> = facts
        .routes
        .iter()
        .flat_map(|route| route.release.claims.iter().copied().map(PersonalClaim::name))
        .collect();
    if facts.routes.iter().any(|route| tells(route)) {
        let mut told = told;
        told.sort_unstable();
        told.dedup();
        let told = told.join(", ");
        return Ok(Text::new(
            format!("portale otrzymują: {told}"),
            format!("portals are told: {told}"),
        ));
    }
    let asked = asked.join(", ");
    Err(differs(
        format!("węzeł podaje {asked}, lecz żadna trasa nie wymienia danych (claims)"),
        format!("the node tells {asked}, and no route names any of it (claims)"),
    ))
}

async fn pseudonym(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    if facts.with_portal || facts.protected(&facts.origin).is_none() {
        return Err(not_here("nie zapisano, co otrzymał portal", "nothing was written down"));
    }
    let (url, choice) = home(attempt.world)?;
    let mut subjects = Vec::new();
    for person in ["anna", "anna", "lukasz"] {
        attempt.citizen().arrive(&url, &choice.clone().person(person)).await?;
        let told = attempt.world.notes.take();
        let claims = told.last().and_then(token::peek);
        let subject = claims.and_then(|claims| Some(claims.get("sub")?.as_str()?.to_owned()));
        let Some(subject) = subject else {
            return Err(not_here("portal nie otrzymuje tokenu", "the portal is told no token"));
        };
        subjects.push(subject);
    }
    match subjects.as_slice() {
        [one, again, other] if one == again && one != other => done(
            "stały dla osoby, różny dla różnych osób",
            "one for a person, different between persons",
        ),
        _ => Err(differs("pseudonimy się nie zgadzają", "the pseudonyms are wrong")),
    }
}

async fn cookies(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    if facts.with_portal || facts.protected(&facts.origin).is_none() {
        return Err(not_here("nie zapisano, co otrzymał portal", "nothing was written down"));
    }
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive(&url, &choice).await?;
    citizen.open(&url).await?;
    let told = attempt.world.notes.take();
    let cookies = told.iter().filter_map(|told| told.headers.get("cookie"));
    if cookies.into_iter().any(|value| String::from_utf8_lossy(value.as_bytes()).contains("brama"))
    {
        return Err(differs(
            "portal otrzymał ciasteczko Bramy",
            "the portal got a cookie of the gateway",
        ));
    }
    done("żadne", "none")
}
