//! What the program writes into its log: every event with its reason, nothing about people.

use std::io::Write;
use std::sync::{Arc, Mutex};

use brama::simulator::faults::Fault;
use brama::simulator::people::PEOPLE;
use http::Method;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::world;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Kept {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

// The workers have threads of their own, so it is set for all of them.
#[tokio::test]
async fn the_log_tells_what_happened_and_nothing_about_people() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(kept.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax?pesel=44051401359&name=typed", "anna", &[]).await;
    browser.deliver(&delivery).await;
    let cookie = browser.session_cookie().unwrap().0;
    let token = world.last_seen().assertion().unwrap().to_owned();
    browser.fetch_with(Method::GET, "/tax", &[("x_brama_assertion", "forged-by-me")], "").await;
    let mut numbers = Vec::new();
    for fault in [
        Fault::Audience,
        Fault::TamperedResponse,
        Fault::AttributeMissing,
        Fault::StatusNamesPerson,
        Fault::SoapFaultNamesPerson,
    ] {
        world.next_fault(fault);
        let page = world.browser().sign_in("/tax", "zofia").await;
        let (_, number) = page.text.split_once("<dt>Incident number</dt><dd><code>").unwrap();
        numbers.push(number[..8].to_owned());
    }
    browser.submit("/.brama/logout", &[]).await;

    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    for event in [
        "login begun",
        "citizen signed in",
        "citizen signed out",
        "request.identity_header_alias",
        "login.wrong_audience",
        "login.signature_digest_mismatch",
        "login.attribute_missing",
        "login.cancelled",
        "login.soap_fault",
        // What is left of what the node said.
        "odrzucony",
    ] {
        assert!(log.contains(event), "{event} is not in the log");
    }
    for number in numbers {
        let field = format!("\"incident\":\"{number}\"");
        assert!(log.contains(&field), "a number that is read out is not in the log: {number}");
    }
    let mut secrets = vec![cookie, token, "typed".to_owned(), "forged-by-me".to_owned()];
    secrets.extend(["44051401359", "Wydumana", "ewydumana"].map(str::to_owned));
    secrets.extend(delivery.fields.iter().map(|(_, value)| value.clone()).filter(|v| v.len() > 40));
    for person in PEOPLE.iter().filter(|person| ["anna", "zofia"].contains(&&*person.key)) {
        for personal in [&person.given_name, &person.family_name, &person.identifier, &person.login]
        {
            secrets.push(personal.to_string());
        }
    }
    // What other crates write at this level is theirs; ours and theirs must be clean all the same.
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        // The simulator is another program in reality; it knows its people.
        let line = line.filter(|line| !line.contains("brama::simulator"));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
