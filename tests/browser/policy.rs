//! Pages that ask for more than a login: a new one, another way in, an adult.

use crate::harness::{Citizen, Scripts, visit};

#[tokio::test]
async fn who_came_by_another_way_is_told_so_and_comes_back_by_the_right_one() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
        citizen.presses("input[name=way][value=bank]").await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account").await;

        citizen.opens("/inbox").await;
        citizen.is_told("Tu trzeba zalogować się w inny sposób").await;
        assert!(citizen.source().await.contains("policy.way_not_allowed"));
        citizen.presses("a.button").await;
        citizen.is_at_the_node().await;
        citizen.presses("input[name=way][value=profil-zaufany]").await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/inbox").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
    })
    .await;
}

#[tokio::test]
async fn a_minor_is_told_so_stays_signed_in_and_is_not_sent_around() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/declaration").await;
        citizen.is_at_the_node().await;
        citizen.chooses("mia").await;
        citizen.is_told("Strona tylko dla osób pełnoletnich").await;
        citizen.reloads().await;
        citizen.is_told("Strona tylko dla osób pełnoletnich").await;
        citizen.opens("/account").await;
        citizen.arrives_at("/account").await;
        assert_eq!(citizen.reads("#name").await, "Mia Müller-Weiß");

        // The twin: an adult arrives, and one without a PESEL is told about that.
        signs_out(citizen).await;
        citizen.opens("/.brama/login?return_to=/declaration&max_age=0").await;
        citizen.is_at_the_node().await;
        citizen.chooses("jurgen").await;
        citizen.is_told("Tu potrzebny jest numer PESEL").await;
        signs_out(citizen).await;
        citizen.opens("/.brama/login?return_to=/declaration&max_age=0").await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/declaration").await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_only_remembers_the_citizen_is_not_enough_for_a_new_login() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/payment").await;
        citizen.is_at_the_node().await;
        citizen.selects("#fault", "authn-instant-old").await;
        citizen.chooses("anna").await;
        citizen.is_told("Trzeba jeszcze raz potwierdzić tożsamość").await;
        assert!(citizen.source().await.contains("login.not_fresh"));
        citizen.presses("a.button").await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/payment").await;
    })
    .await;
}

/// Signs out, so that another person may sign in.
async fn signs_out(citizen: &Citizen) {
    citizen.opens("/.brama/logout").await;
    citizen.presses("form[action='/.brama/logout'] button").await;
    citizen.is_told("Wylogowano").await;
}
