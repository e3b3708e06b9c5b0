//! The twin of the check after every visit: a violation of a policy would not go unnoticed.

use crate::harness::{Scripts, visit};

#[tokio::test]
async fn the_console_tells_of_a_violated_policy() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/public").await;
        citizen.arrives_at("/public").await;
        citizen
            .runs("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
            .await;
        let told = citizen.policy_violations().await;
        assert!(!told.is_empty());
    })
    .await;
}
