//! Two portals on unrelated domains, in a browser that decides by itself which cookies go where.

use crate::harness::{A, B, Citizen, Scripts, visit_portals};

#[tokio::test]
async fn who_signs_in_at_one_portal_is_signed_in_at_the_other_and_signs_out_of_both() {
    visit_portals(Scripts::Run, async |citizen| {
        // 1. Through the other portal, and back there.
        citizen.looks_at(B);
        citizen.signs_in("/account?year=2031", "anna").await;
        assert_eq!(citizen.reads("h1").await, "portal-b.test");
        let at_b = session(citizen).await.expect("a session cookie");
        // 2. At the registered one without another login.
        citizen.looks_at(A);
        citizen.opens("/account").await;
        citizen.arrives_at("/account").await;
        let at_a = session(citizen).await.expect("a session cookie");
        assert_ne!(at_a, at_b, "each host has a cookie of its own");
        // 3. A host that lost its cookie has it again, without a look at the node.
        citizen.looks_at(B);
        citizen.opens("/account").await;
        citizen.loses_cookie("__Host-brama").await;
        citizen.opens("/account?again").await;
        citizen.arrives_at("/account?again").await;
        assert_ne!(session(citizen).await.expect("a session cookie"), at_b);
        // 4. Out of one is out of both.
        citizen.presses("form[action='/.brama/logout'] button").await;
        citizen.is_told("Wylogowano").await;
        assert_eq!(session(citizen).await, None);
        citizen.looks_at(A);
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
    })
    .await;
}

#[tokio::test]
async fn the_fragment_of_the_address_crosses_too() {
    visit_portals(Scripts::Run, async |citizen| {
        citizen.looks_at(B);
        citizen.signs_in("/account?year=2031#attachments", "anna").await;
        citizen.loses_cookie("__Host-brama").await;
        // Without a login, the browser carries it along by itself.
        citizen.opens("/account?again#top").await;
        citizen.arrives_at("/account?again#top").await;
    })
    .await;
}

#[tokio::test]
async fn the_page_after_a_crossing_does_not_learn_the_code() {
    visit_portals(Scripts::Run, async |citizen| {
        citizen.signs_in("/account", "anna").await;
        citizen.looks_at(B);
        citizen.opens("/account").await;
        citizen.arrives_at("/account").await;
        // Nothing private, and no code, is left in what the page may know.
        assert_eq!(citizen.runs("return document.referrer").await, "");
        assert_eq!(citizen.runs("return document.cookie").await, "");
    })
    .await;
}

async fn session(citizen: &Citizen) -> Option<String> {
    let cookies = citizen.cookies().await;
    let found = cookies.iter().find(|cookie| cookie.name() == "__Host-brama")?;
    assert_eq!((found.secure(), found.http_only()), (Some(true), Some(true)));
    Some(found.value().to_owned())
}
