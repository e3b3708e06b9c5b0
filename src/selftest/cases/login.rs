//! Signing in: every way, every level, persons with difficult names.

use serde_json::Value;

use crate::base::reason::Reason;
use crate::gate::policy::Access;
use crate::report::Text;
use crate::selftest::choice::{ANNA, Choice, level};
use crate::selftest::citizen::{Trouble, must_have, otherwise};
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::plan::{differs, done, home, not_here, planned};
use crate::selftest::token;
use crate::selftest::world::World;
use crate::simulator::people::{Person, Way};

const GROUP: &str = "login";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    for way in Way::ALL {
        let plan = by(examiner.world, way);
        examiner.case(plan, async |attempt: &Attempt<'_>| signs_in_by(attempt, way).await).await;
    }
    examiner
        .case(
            planned(
                GROUP,
                "login.return",
                [
                    "Po zalogowaniu obywatel wraca na stronę, którą chciał otworzyć, z jej parametrami",
                    "After signing in the citizen is back at the very page, with its parameters",
                ],
                ["ten sam adres, te same parametry", "the same address and parameters"],
                "",
            ),
            returns,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "login.cookie",
                [
                    "Ciasteczko sesji jest chronione: tylko ta witryna, tylko TLS, niedostępne dla skryptów",
                    "The session cookie is protected: this site, TLS, no scripts",
                ],
                ["przedrostek __Host-, Secure, HttpOnly, SameSite=Lax (na localhost bez Secure)",
                 "the prefix __Host-, Secure, HttpOnly, SameSite=Lax (on localhost without Secure)"],
                "RFC 6265bis 4.1",
            ),
            cookie,
        )
        .await;
    for key in ["zofia", "malgorzata", "lukasz", "jurgen"] {
        let Some(person) = Person::find(key) else { continue };
        let plan = person_plan(person);
        examiner.case(plan, async |attempt: &Attempt<'_>| knows(attempt, key, person).await).await;
    }
    examiner
        .case(
            planned(
                GROUP,
                "login.again",
                [
                    "Zalogowany obywatel nie jest ponownie odsyłany do węzła",
                    "A citizen who is signed in is not sent to the node again",
                ],
                ["strona od razu, bez węzła", "the page at once, without the node"],
                "",
            ),
            again,
        )
        .await;
}

fn by(world: &World, way: Way) -> Planned {
    use crate::pages::Language::{English, Polish};
    let is_enough = way.assurance() >= world.facts.assurance;
    let level = level(way.assurance());
    let plan =
        planned(GROUP, format!("login.way.{}", way.key()), ["", ""], ["", ""], "eIDAS, art. 8");
    let (pl, en) = (way.title(Polish), way.title(English));
    if is_enough {
        let name = Text::new(
            format!("Obywatel loguje się: {pl} (poziom {})", level.pl),
            format!("A citizen signs in by: {en} (level {})", level.en),
        );
        let expected = Text::new(
            format!("zalogowany, poziom {}", level.pl),
            format!("signed in, at the level {}", level.en),
        );
        return Planned { name, expected, ..plan };
    }
    let needed = crate::selftest::choice::level(world.facts.assurance);
    let name = Text::new(
        format!(
            "Sposób {pl} (poziom {}) nie wystarcza usłudze, która wymaga poziomu {}",
            level.pl, needed.pl
        ),
        format!(
            "{en} (level {}) is not enough for a service that asks for {}",
            level.en, needed.en
        ),
    );
    let expected = Text::new(
        format!("odmowa: {}", Reason::LoginAssuranceTooLow),
        format!("refused: {}", Reason::LoginAssuranceTooLow),
    );
    Planned { name, expected, ..plan }
}

async fn signs_in_by(attempt: &Attempt<'_>, way: Way) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let mut citizen = attempt.citizen();
    let url = facts.own(&facts.origin, "login?return_to=%2F");
    let page = citizen.sign_in(&url, &Choice::by(way)).await?;
    if way.assurance() < facts.assurance {
        return citizen.must_be_refused(&page, Reason::LoginAssuranceTooLow).await;
    }
    let session = citizen.session(&facts.origin).await?;
    let acr = session["acr"].as_str().unwrap_or_default();
    if session["signed_in"] != Value::Bool(true) {
        return Err(otherwise(&page));
    }
    if acr != way.assurance().uri() {
        return Err(differs(format!("poziom {acr}"), format!("the level {acr}")));
    }
    Ok(Text::new(format!("zalogowany; {acr}"), format!("signed in; {acr}")))
}

async fn returns(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (mut url, choice) = home(attempt.world)?;
    if facts.protected(&facts.origin).is_none() {
        return Err(not_here(
            "żadna strona głównego portalu nie wymaga logowania",
            "no page of the registered portal asks for a login",
        ));
    }
    url.set_query(Some("rok=2031&x=%C5%BB+1"));
    let mut citizen = attempt.citizen();
    let page = citizen.arrive(&url, &choice).await?;
    if facts.with_portal {
        return Ok(crate::selftest::citizen::seen(&page));
    }
    let told = attempt.world.notes.take();
    match told.last() {
        Some(told) if told.target.ends_with("?rok=2031&x=%C5%BB+1") => {
            done("ten sam adres, te same parametry", "the same address and parameters")
        }
        Some(told) => Err(differs(told.target.clone(), told.target.clone())),
        None => Err(otherwise(&page)),
    }
}

async fn cookie(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    let is_wanted = |name: &str| name == facts.session_cookie;
    let kept = citizen.browser.steps().iter().flat_map(|step| &step.kept);
    if !kept.into_iter().any(|name| is_wanted(name.as_str())) {
        return Err(differs("brak ciasteczka sesji", "there is no session cookie"));
    }
    let rejected = citizen.browser.steps().iter().flat_map(|step| &step.rejected).next();
    if let Some((name, why)) = rejected {
        return Err(differs(
            format!("przeglądarka odrzuciła ciasteczko {name}: {why}"),
            format!("the browser did not keep {name}: {why}"),
        ));
    }
    let attributes = citizen.browser.jar.describe(&facts.origin, facts.session_cookie);
    let attributes = attributes.unwrap_or_default();
    let is_secure = facts.origin.scheme() == "https";
    let wanted =
        if is_secure { "HttpOnly; Secure; SameSite=Lax" } else { "HttpOnly; SameSite=Lax" };
    let seen = format!("{}; {attributes}", facts.session_cookie);
    if attributes == wanted { Ok(Text::same(seen)) } else { Err(differs(seen.clone(), seen)) }
}

fn person_plan(person: &Person) -> Planned {
    use crate::pages::Language::{English, Polish};
    let plan = planned(
        GROUP,
        format!("login.person.{}", person.key),
        ["", ""],
        ["zalogowany; imię i nazwisko bez zmian", "signed in; the names as they are"],
        "",
    );
    let full = format!("{} {}", person.given_name, person.family_name);
    let (pl, en) = (person.note(Polish), person.note(English));
    let name = Text::new(format!("Loguje się {full} ({pl})"), format!("{full} signs in ({en})"));
    Planned { name, ..plan }
}

async fn knows(
    attempt: &Attempt<'_>,
    key: &'static str,
    person: &'static Person,
) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let (url, choice) = home(attempt.world)?;
    // A rule may ask for what this person has not; signing in is another thing.
    let is_for_all = facts.protected(&facts.origin).is_some_and(
        |route| matches!(&route.access, Access::Required(needs) if needs.attributes.is_empty()),
    );
    let anywhere = facts.own(&facts.origin, "login?return_to=%2F");
    let url = if is_for_all { url } else { anywhere };
    let mut citizen = attempt.citizen();
    let page = citizen.sign_in(&url, &choice.person(key)).await?;
    let session = citizen.session(&facts.origin).await?;
    if session["signed_in"] != Value::Bool(true) {
        return Err(otherwise(&page));
    }
    // Scripts and the portal are told what routes release, and perhaps nothing.
    let told = attempt.world.notes.take().last().and_then(token::peek).unwrap_or_default();
    let names = [("given_name", &person.given_name), ("family_name", &person.family_name)];
    for (name, expected) in names {
        let found = [session[name].as_str(), told.get(name).and_then(Value::as_str)];
        if let Some(found) = found.into_iter().flatten().find(|found| found != expected) {
            return Err(differs(found.to_owned(), found.to_owned()));
        }
    }
    if told.contains_key("given_name") || told.contains_key("family_name") {
        return done(
            "zalogowany; portal otrzymał imię lub nazwisko bez zmian",
            "signed in; the portal was told the name as it is",
        );
    }
    done("zalogowany", "signed in")
}

async fn again(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice.person(ANNA)).await?;
    let before = attempt.world.control.last_authn_request();
    let page = citizen.open(&url).await?;
    if page.sends_itself().is_some() || attempt.world.control.last_authn_request() != before {
        return Err(otherwise(&page));
    }
    let facts = &attempt.world.facts;
    if facts.protected(&facts.origin).is_some() && !facts.with_portal {
        must_have(&page, http::StatusCode::OK)?;
    }
    done("strona od razu", "the page at once")
}
