//! Portals on other hosts, where citizens sign in too.

use url::Url;

use crate::report::Text;
use crate::selftest::citizen::{Trouble, seen};
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::plan::{differs, done, goal, home, not_here, planned};
use crate::selftest::world::World;

const GROUP: &str = "hosts";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    let others = examiner.world.facts.others.clone();
    if others.is_empty() {
        let plan = planned(
            GROUP,
            "hosts.none",
            [
                "Portale pod dalszymi adresami (portal.other_urls)",
                "Portals on further hosts (portal.other_urls)",
            ],
            ["logowanie wspólne dla wszystkich adresów", "one login for all of them"],
            "",
        );
        examiner
            .case(plan, async |_: &Attempt<'_>| {
                Err(not_here("portal ma jeden adres", "the portal has one address"))
            })
            .await;
    }
    for other in &others {
        let host = other.host_str().unwrap_or_default();
        let plan = |what: &str, pl: String, en: String, expected: [&'static str; 2]| {
            let plan = planned(GROUP, format!("hosts.{what}.{host}"), ["", ""], expected, "");
            Planned { name: Text::new(pl, en), ..plan }
        };
        examiner
            .case(
                plan(
                    "served",
                    format!(
                        "Adres {host} jest obsługiwany: prowadzi do niego co najmniej jedna trasa"
                    ),
                    format!("The host {host} is served: at least one route is for it"),
                    ["trasa dla tego adresu", "a route for that host"],
                ),
                async |attempt: &Attempt<'_>| {
                    is_served(attempt.world, other).map_err(|why| match why {
                        Trouble::NotHere(why) => Trouble::Otherwise(why),
                        other => other,
                    })?;
                    done("obsługiwany", "served")
                },
            )
            .await;
        examiner
            .case(
                plan(
                    "sign-in",
                    format!("Obywatel loguje się, zaczynając od {host}, i tam wraca"),
                    format!("A citizen signs in on the way to {host} and comes back there"),
                    ["zalogowany pod tym adresem", "signed in at that host"],
                ),
                async |attempt: &Attempt<'_>| sign_in(attempt, other).await,
            )
            .await;
        examiner
            .case(
                plan(
                    "shared",
                    format!("Zalogowany w głównym portalu jest zalogowany także pod {host}, bez ponownej wizyty w węźle"),
                    format!("Who is signed in at the registered portal is at {host} too, without the node"),
                    ["zalogowany bez węzła", "signed in without the node"],
                ),
                async |attempt: &Attempt<'_>| shared(attempt, other).await,
            )
            .await;
        examiner
            .case(
                plan(
                    "logout",
                    format!("Wylogowanie pod {host} wylogowuje wszędzie"),
                    format!("Signing out at {host} signs out everywhere"),
                    ["nigdzie niezalogowany", "signed in nowhere"],
                ),
                async |attempt: &Attempt<'_>| logout(attempt, other).await,
            )
            .await;
    }
}

/// What is not served has a case of its own; the others leave it out.
fn is_served(world: &World, origin: &Url) -> Result<(), Trouble> {
    let host = origin.host_str().unwrap_or_default();
    if !world.facts.routes.iter().any(|route| route.host == host) {
        return Err(not_here(
            "żadna trasa ([[route]]) nie dotyczy tego adresu",
            "no [[route]] is for that host",
        ));
    }
    if world.facts.certificates.as_ref().is_some_and(|all| !all.covers(host)) {
        return Err(not_here(
            "żaden certyfikat TLS nie obejmuje tego adresu",
            "no TLS certificate is for that host",
        ));
    }
    Ok(())
}

async fn sign_in(attempt: &Attempt<'_>, other: &Url) -> Result<Text, Trouble> {
    is_served(attempt.world, other)?;
    let (url, choice) = goal(attempt.world, other)?;
    let page = attempt.citizen().arrive_or_login(&url, &choice).await?;
    if page.url.host_str() != other.host_str() {
        return Err(crate::selftest::citizen::otherwise(&page));
    }
    Ok(seen(&page))
}

async fn shared(attempt: &Attempt<'_>, other: &Url) -> Result<Text, Trouble> {
    is_served(attempt.world, other)?;
    let (url, choice) = goal(attempt.world, other)?;
    let (at_home, _) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&at_home, &choice).await?;
    let before = attempt.world.control.last_authn_request();
    let page = citizen.open(&url).await?;
    if attempt.world.control.last_authn_request() != before || page.sends_itself().is_some() {
        return Err(differs("obywatela odesłano do węzła", "the citizen was sent to the node"));
    }
    citizen.must_be_signed_in(other).await?;
    Ok(seen(&page))
}

async fn logout(attempt: &Attempt<'_>, other: &Url) -> Result<Text, Trouble> {
    is_served(attempt.world, other)?;
    let (url, choice) = goal(attempt.world, other)?;
    let mut citizen = attempt.citizen();
    citizen.arrive_or_login(&url, &choice).await?;
    citizen.sign_out(other).await?;
    citizen.must_not_be_signed_in(other).await?;
    citizen.must_not_be_signed_in(&attempt.world.facts.origin).await?;
    done("nigdzie niezalogowany", "signed in nowhere")
}
