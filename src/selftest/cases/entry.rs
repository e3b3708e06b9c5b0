//! What happens to those who are not signed in.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::base::reason::Reason;
use crate::gate::policy::Access;
use crate::report::Text;
use crate::selftest::citizen::{Trouble, must_have, otherwise, seen};
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{differs, done, not_here, planned};

const GROUP: &str = "entry";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "entry.page",
                [
                    "Niezalogowany obywatel, który otwiera chronioną stronę, trafia do Węzła Krajowego",
                    "A citizen who is not signed in and opens a protected page is taken to the national node",
                ],
                [
                    "strona z podpisanym żądaniem, wysyłanym metodą POST; portal nie otrzymuje żądania",
                    "a page with a signed request, sent by POST; the portal gets no request",
                ],
                "SAML 2.0 Bindings 3.5",
            ),
            page,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "entry.program",
                [
                    "Program bez sesji otrzymuje odpowiedź 401, a nie stronę logowania",
                    "A program without a session gets 401 and not a page",
                ],
                ["401 i JSON z adresem logowania", "401 and JSON that names where to sign in"],
                "RFC 9110, 15.5.2",
            ),
            program,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "entry.public",
                [
                    "Strony publiczne są dostępne bez logowania, a portal nie otrzymuje żadnej tożsamości",
                    "Public pages need no login, and the portal is told no identity",
                ],
                ["strona portalu, bez nagłówka tożsamości", "the portal's page, without an identity"],
                "",
            ),
            public,
        )
        .await;
    Box::pin(protection(examiner)).await;
}

/// What keeps strangers from being believed.
async fn protection(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "entry.forged",
                [
                    "Tożsamość podrobiona przez przeglądarkę nie dociera do portalu",
                    "An identity that the browser forges does not reach the portal",
                ],
                [
                    "nagłówki tożsamości usunięte, odmiany ich nazw odrzucone",
                    "headers of identity removed, aliases of their names refused",
                ],
                "RFC 9110, 16.3",
            ),
            forged,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "entry.own-pages",
                [
                    "Strony Bramy są chronione: nie są zapamiętywane ani osadzane, nie ładują niczego z zewnątrz",
                    "The gateway's own pages are protected: not stored, not framed, nothing from elsewhere",
                ],
                [
                    "Cache-Control: no-store, nosniff, Content-Security-Policy z default-src 'none'",
                    "Cache-Control: no-store, nosniff, Content-Security-Policy with default-src 'none'",
                ],
                "OWASP ASVS 3.4",
            ),
            own_pages,
        )
        .await;
}

async fn page(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let Some(route) = facts.protected(&facts.origin) else {
        return Err(not_here(
            "żadna strona głównego portalu nie wymaga logowania",
            "no page of the registered portal asks for a login",
        ));
    };
    let page = attempt.citizen().begin(&facts.at(&facts.origin, &route.path)).await?;
    if page.sends_itself().is_none_or(|form| !form.is_post) {
        return Err(otherwise(&page));
    }
    if !attempt.world.notes.take().is_empty() {
        return Err(differs("żądanie dotarło do portalu", "the request reached the portal"));
    }
    Ok(seen(&page))
}

async fn program(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let Some(route) = facts.protected(&facts.origin) else {
        return Err(not_here(
            "żadna strona głównego portalu nie wymaga logowania",
            "no page of the registered portal asks for a login",
        ));
    };
    let url = facts.at(&facts.origin, &route.path);
    let answer = attempt.citizen().fetch(Method::GET, &url, &[]).await?;
    must_have(&answer, StatusCode::UNAUTHORIZED)?;
    serde_json::from_str::<Value>(&answer.text).map_err(|_| otherwise(&answer))?;
    if answer.headers.contains_key("set-cookie") {
        return Err(differs("401, lecz z ciasteczkiem", "401, but with a cookie"));
    }
    Ok(Text::same("401, JSON"))
}

async fn public(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let route = facts.forwarded().find(|route| {
        matches!(route.access, Access::Public | Access::Optional)
            && facts.portal_of(route).is_some()
    });
    let Some((route, origin)) = route.and_then(|route| Some((route, facts.portal_of(route)?)))
    else {
        return Err(not_here("nie ma stron publicznych", "there are no public pages"));
    };
    let page = attempt.citizen().open(&facts.at(origin, &route.path)).await?;
    if facts.with_portal {
        return Ok(seen(&page));
    }
    let told = attempt.world.notes.take();
    let [told] = told.as_slice() else { return Err(otherwise(&page)) };
    if told.headers.keys().any(|name| name.as_str().starts_with("x-brama-assertion")) {
        return Err(differs("portal otrzymał tożsamość", "the portal was told an identity"));
    }
    done("strona portalu, bez tożsamości", "the portal's page, without an identity")
}

async fn forged(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let route = facts.forwarded().find(|route| facts.portal_of(route).is_some());
    let Some((route, origin)) = route.and_then(|route| Some((route, facts.portal_of(route)?)))
    else {
        return Err(not_here("żadne żądanie nie trafia do portalu", "no request goes to a portal"));
    };
    let url = facts.at(origin, &route.path);
    let mut citizen = attempt.citizen();
    let forged = [("x-brama-assertion", "forged"), ("remote-user", "forged")];
    let answer = citizen.fetch(Method::GET, &url, &forged).await?;
    let names = attempt.world.notes.take();
    let values = names.iter().flat_map(|told| told.headers.values());
    if values.into_iter().any(|value| value.as_bytes() == b"forged") {
        return Err(differs(
            "portal otrzymał podrobiony nagłówek",
            "the portal got the forged header",
        ));
    }
    let alias = citizen.fetch(Method::GET, &url, &[("x_brama_assertion", "forged")]).await?;
    if !alias.text.contains(Reason::RequestIdentityHeaderAlias.as_str()) {
        return Err(otherwise(&alias));
    }
    let (status, alias) = (answer.status.as_u16(), alias.status.as_u16());
    Ok(Text::new(
        format!("usunięte ({status}); odmiana nazwy odrzucona ({alias})"),
        format!("removed ({status}); the alias was refused ({alias})"),
    ))
}

async fn own_pages(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let facts = &attempt.world.facts;
    let page = attempt.citizen().open(&facts.own(&facts.origin, "logout")).await?;
    let has = |name: &str, part: &str| page.header(name).is_some_and(|value| value.contains(part));
    for (name, part) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
    ] {
        if !has(name, part) {
            let found = page.header(name).unwrap_or("-").to_owned();
            return Err(differs(format!("{name}: {found}"), format!("{name}: {found}")));
        }
    }
    done("nagłówki ochronne obecne", "the protecting headers are there")
}
