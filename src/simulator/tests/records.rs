//! Logins that are recorded, and played back.

use std::path::Path;

use super::*;

fn recording(folder: &Path) -> Settings {
    Settings { record: Some(folder.to_owned()), ..Settings::default() }
}

fn replaying(folder: &Path) -> Settings {
    Settings { replay: Some(folder.to_owned()), ..Settings::default() }
}

impl World {
    /// Begins a login, which is not asked who it is.
    async fn is_led_back(&self) -> Login {
        let id = message_id();
        let request = base64(self.request(&id).as_bytes());
        let page = self.post_form(&self.sso, &[("SAMLRequest", &request)]).await;
        let text = page.text();
        assert!(!text.contains("name=\"person\""), "{text}");
        let artifact = Artifact::parse(between(&text, "name=\"SAMLart\" value=\"", "\"")).unwrap();
        Login { request_id: id, artifact, relay_state: None }
    }
}

#[tokio::test]
async fn the_next_logins_end_as_the_recorded_ones_did_with_everything_else_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let first = world_from(recording(folder.path()), true);
    let zofia = first.choose(&[("person", "zofia"), ("way", "mobywatel")]).await;
    let was = first.resolve(&zofia).await.unwrap();
    let refused = first.choose(&[("person", "odmowa")]).await;
    first.resolve(&refused).await.unwrap_err();
    let wrong = first.choose(&[("person", "anna"), ("fault", "audience")]).await;
    first.resolve(&wrong).await.unwrap_err();
    let cancelled = first.choose(&[("person", "cancel")]).await;
    first.resolve(&cancelled).await.unwrap_err();
    // A login that was never fetched is none.
    first.choose(&[("person", "lutek")]).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);

    // Another simulator, with other keys.
    let second = world_from(replaying(folder.path()), true);
    assert_eq!(second.get("/control/state").await.json()["recorded_logins_left"], 4);
    let login = second.is_led_back().await;
    let now = second.resolve(&login).await.unwrap();
    assert_eq!(now.person().family_name(), was.person().family_name());
    assert_eq!(now.authority(), Some("mobywatel.symulator"));
    assert_eq!(now.assurance(), was.assurance());
    assert_ne!(now.id(), was.id());
    assert_ne!(now.session_index(), was.session_index());
    for code in ["login.refused_by_node", "login.wrong_audience", "login.cancelled"] {
        let login = second.is_led_back().await;
        assert_eq!(second.resolve(&login).await.unwrap_err(), code);
    }
    // After the last one people are asked.
    assert!(second.resolve(&second.choose(&[("person", "anna")]).await).await.is_ok());
    let logins = second.get("/control/logins").await.json();
    assert_eq!((&logins[0]["replayed"], &logins[4]["replayed"]), (&json!(true), &json!(false)));
}

#[test]
fn a_folder_that_has_no_logins_or_wrong_ones_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bind = |settings| {
        let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
        Simulator::bind(settings, clock).unwrap_err().to_string()
    };
    let said = bind(replaying(folder.path()));
    assert!(said.contains("has 0 recorded logins"), "{said}");
    std::fs::write(folder.path().join("login-000001.json"), "{\"way\": \"bank\"}").unwrap();
    let said = bind(replaying(folder.path()));
    assert!(said.contains("has neither a person nor a status"), "{said}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = bind(recording(&file));
    assert!(said.contains("logins cannot be recorded to"), "{said}");
}
