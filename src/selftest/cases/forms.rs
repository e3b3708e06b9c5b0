//! What becomes of a form that is sent when its session has ended.

use http::Method;

use crate::base::reason::Reason;
use crate::gate::policy::Access;
use crate::report::Text;
use crate::selftest::choice::{Choice, Possible, satisfying};
use crate::selftest::citizen::{Citizen, Trouble, otherwise};
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{differs, done, not_here, planned};

const GROUP: &str = "forms";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "forms.kept",
                [
                    "Formularz wysłany po zakończeniu sesji nie ginie: po zalogowaniu można go wysłać",
                    "A form that is sent after the session has ended is not lost: it can be sent after the login",
                ],
                [
                    "przed zalogowaniem nic nie trafia do portalu, potem dokładnie to, co wpisano",
                    "nothing reaches the portal before the login, and then exactly what was typed",
                ],
                "WCAG 2.1, 2.2.5",
            ),
            kept,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "forms.expired",
                [
                    "Formularz, który czekał zbyt długo, nie jest wysyłany, a obywatel się o tym dowiaduje",
                    "A form that waited too long is not sent, and the citizen is told",
                ],
                ["strona z powodem form.unknown; nic nie trafia do portalu",
                 "a page with the reason form.unknown; nothing reaches the portal"],
                "",
            ),
            expired,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "forms.foreign",
                [
                    "Formularz wysłany przez obcą witrynę nie jest wykonywany w imieniu obywatela",
                    "A form that another site sends is not carried out in the citizen's name",
                ],
                [
                    "portal nie otrzymuje żądania z tożsamością obywatela",
                    "the portal gets no request with the citizen's identity",
                ],
                "RFC 6265bis 8.8",
            ),
            foreign,
        )
        .await;
}

/// A signed-in citizen at a page to which forms can be sent, with the page.
async fn at_a_form<'w>(
    attempt: &Attempt<'w>,
) -> Result<(Citizen<'w>, crate::browser::Page, Choice), Trouble> {
    let facts = &attempt.world.facts;
    if facts.with_portal {
        return Err(not_here(
            "do rzeczywistych portali nie wysyła się formularzy",
            "no forms are sent to real portals",
        ));
    }
    let mut routes = facts.forwarded().filter(|route| {
        route.host.as_str() == facts.origin.host_str().unwrap_or_default()
            && route.methods.has(&Method::POST)
    });
    let found = routes.find_map(|route| match &route.access {
        Access::Required(needs) => match satisfying(needs, facts.assurance) {
            Possible::Yes(choice) => Some((route, choice)),
            _ => None,
        },
        _ => None,
    });
    let Some((route, choice)) = found else {
        return Err(not_here(
            "żadna strona za logowaniem nie przyjmuje formularzy",
            "no page behind a login takes forms",
        ));
    };
    let mut citizen = attempt.citizen();
    let page = citizen.arrive(&facts.at(&facts.origin, &route.path), &choice).await?;
    attempt.world.notes.take();
    Ok((citizen, page, choice))
}

/// Sends the form when the session has ended, signs in, and comes to the page that asks.
async fn asked<'w>(attempt: &Attempt<'w>) -> Result<(Citizen<'w>, crate::browser::Page), Trouble> {
    if !attempt.world.facts.keeps_forms {
        return Err(not_here(
            "formularze nie są przechowywane (session.keep_forms)",
            "forms are not kept (session.keep_forms)",
        ));
    }
    let (mut citizen, page, choice) = at_a_form(attempt).await?;
    attempt.world.clock.advance(attempt.world.facts.session.idle + MARGIN);
    let target = page.url.clone();
    let to_node = citizen.post(&page, &target, &FIELDS).await?;
    let to_node = citizen.leads_to_node(to_node)?;
    let last = citizen.choose(&to_node, &choice).await?;
    let asking = citizen.deliver(last).await?;
    if !attempt.world.notes.take().is_empty() {
        return Err(differs("formularz wysłano bez pytania", "the form was sent unasked"));
    }
    Ok((citizen, asking))
}

async fn kept(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (mut citizen, asking) = asked(attempt).await?;
    let page = citizen.press(&asking).await?;
    let told = attempt.world.notes.take();
    let is_it = |told: &crate::selftest::stand_in::Told| {
        told.method == Method::POST && told.body.as_ref() == BODY.as_bytes()
    };
    if told.iter().any(is_it) {
        return done(
            "portal otrzymał dokładnie to, co wpisano",
            "the portal got exactly what was typed",
        );
    }
    Err(otherwise(&page))
}

async fn expired(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (mut citizen, asking) = asked(attempt).await?;
    attempt.world.clock.advance(attempt.world.facts.login_timeout * 2 + MARGIN);
    let page = citizen.press(&asking).await?;
    if !attempt.world.notes.take().is_empty() {
        return Err(differs("formularz dotarł do portalu", "the form reached the portal"));
    }
    if !page.text.contains(Reason::FormUnknown.as_str()) {
        return Err(otherwise(&page));
    }
    Ok(crate::selftest::citizen::seen(&page))
}

async fn foreign(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (mut citizen, page, _) = at_a_form(attempt).await?;
    let target = page.url.clone();
    let mut evil = page;
    if evil.url.set_host(Some("obca-witryna.invalid")).is_err() {
        return Err(not_here("adres portalu to numer IP", "the portal's address is a number"));
    }
    let page = citizen.post(&evil, &target, &FIELDS).await?;
    let told = attempt.world.notes.take();
    if told.iter().any(|told| told.method == Method::POST) {
        return Err(differs(
            "portal otrzymał formularz obcej witryny",
            "the portal got another site's form",
        ));
    }
    Ok(crate::selftest::citizen::seen(&page))
}

/// What is typed.
const FIELDS: [(&str, &str); 2] = [("temat", "Próba"), ("tresc", "Zażółć gęślą jaźń & 1+1")];
/// The same, encoded.
const BODY: &str = "temat=Pr%C3%B3ba&tresc=Za%C5%BC%C3%B3%C5%82%C4%87+g%C4%99%C5%9Bl%C4%85+ja%C5%BA%C5%84+%26+1%2B1";
/// How much later than is allowed.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(2);
