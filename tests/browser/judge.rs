//! The twin of the check after every visit: a violation of a policy would not go unnoticed.

use crate::harness::{Citizen, Scripts, visit};

#[tokio::test]
async fn the_console_tells_of_a_violated_policy() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/public").await;
        citizen.arrives_at("/public").await;
        for violation in [
            "document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))",
            "document.body.setAttribute('style', 'color: red')",
            "try { document.body.innerHTML = '' } catch {}",
            "fetch('http://127.0.0.1:9/').catch(() => {})",
        ] {
            citizen.runs(violation).await;
            is_told_of(citizen, violation).await;
        }
    })
    .await;
}

async fn is_told_of(citizen: &Citizen, violation: &str) {
    let told = citizen.policy_violations().await;
    assert!(!told.is_empty(), "{violation}");
}
