//! A form that met an ended session, in a browser that says by itself where it comes from.

use crate::harness::{Scripts, visit};

#[tokio::test]
async fn a_form_without_a_session_waits_for_the_login_and_for_the_button() {
    visit(Scripts::Run, async |citizen| {
        citizen.signs_in("/account", "anna").await;
        citizen.loses_cookie("brama").await;
        // A form of the portal's page, sent to another place of the portal.
        citizen
            .runs(
                "const form = document.querySelector('form');\
                 form.action = '/account?from=form'; form.submit();",
            )
            .await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.is_told("Wysłać formularz?").await;
        assert!(citizen.source().await.contains("Anna Żółkiewska"));
        citizen.presses("form[action='/account?from=form'] button").await;
        citizen.arrives_at("/account?from=form").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");

        // It is gone: a second time the page says so.
        citizen.goes_back().await;
        citizen.is_told("Tego formularza już tu nie ma").await;
    })
    .await;
}
