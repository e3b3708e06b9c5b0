//! Persons of a file, over the page and the control API.

use super::*;

const FILE: &str = "[[person]]\nkey = \"jan\"\ngiven_name = \"Jan\"\nfamily_name = \"Ćma\"\n\
                    birthdate = \"1885-02-03\"\nidentifier = \"CZ/PL/abc\"\nway = \"mobywatel\"\n\
                    [[person]]\nkey = \"zla\"\ngiven_name = \"Zła\"\nfamily_name = \"Osoba\"\n\
                    birthdate = \"1885-02-03\"\nidentifier = \"85820300000\"\n\
                    assurance = \"high\"\nfaults = [\"audience\"]\n";

#[tokio::test]
async fn a_person_of_a_file_signs_in_as_the_entry_says_and_a_change_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("persons.toml");
    std::fs::write(&path, FILE).unwrap();
    let world = world_from(Settings { persons: Some(path.clone()), ..Settings::default() }, true);
    let jan = [("person", "jan"), ("way", "")];
    let assertion = world.resolve(&world.choose(&jan).await).await.unwrap();
    assert_eq!(assertion.authority(), Some("mobywatel.symulator"));
    assert_eq!(assertion.person().given_name(), Some("Jan"));
    // What is chosen on the page wins over the entry.
    let bank = [("person", "jan"), ("way", "bank"), ("assurance", "high")];
    let assertion = world.resolve(&world.choose(&bank).await).await.unwrap();
    assert_eq!(assertion.authority(), Some("bank.symulator"));
    assert_eq!(assertion.assurance(), Assurance::High);
    // Faults of a person are those of each of their logins, and of nobody else's.
    for _ in 0..2 {
        let login = world.choose(&[("person", "zla")]).await;
        assert_eq!(world.resolve(&login).await.unwrap_err(), "login.wrong_audience");
    }
    assert!(world.resolve(&world.choose(&[("person", "anna")]).await).await.is_ok());

    std::fs::write(&path, FILE.replace("Jan", "Janusz")).unwrap();
    let assertion = world.resolve(&world.choose(&jan).await).await.unwrap();
    assert_eq!(assertion.person().given_name(), Some("Janusz"));
    // A file that became wrong changes nobody, and the page says what to do.
    std::fs::write(&path, FILE.replace("1885", "885")).unwrap();
    let id = message_id();
    let request = base64(world.request(&id).as_bytes());
    let page = world.post_form(&world.sso, &[("SAMLRequest", &request)]).await.text();
    assert!(page.contains("The file of persons is wrong") && page.contains("Janusz"), "{page}");
    assert!(page.contains("persons.toml:5: person[0].birthdate: is no date"), "{page}");
    let state = world.get("/control/state").await.json();
    assert!(state["persons_problem"].as_str().unwrap().contains("2 errors"), "{state}");
    assert_eq!(state["people"][0]["way"], "mobywatel");
}

#[test]
fn a_file_that_is_wrong_from_the_start_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("persons.json");
    std::fs::write(&path, "{\"person\": [\n{\"key\": \"jan\"}]}").unwrap();
    let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
    let settings = Settings { persons: Some(path), ..Settings::default() };
    let said = Simulator::bind(settings, clock).unwrap_err().to_string();
    assert!(said.contains("persons.json:2: person[0].given_name: is missing; add"), "{said}");
    assert!(said.contains("4 errors"), "{said}");
}

/// What is shipped as an example works.
#[test]
fn the_example_file_is_right_and_shows_everything() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/persons.toml");
    let roster = roster::Roster::open(Some(path)).unwrap_or_else(|problems| panic!("{problems}"));
    let people = roster.people();
    assert!(people.trouble.is_none() && people.find("anna").is_some());
    let of_file = &people.list[..people.list.len() - people::PEOPLE.len()];
    assert!(of_file.iter().any(|person| person.way.is_some()));
    assert!(of_file.iter().any(|person| person.assurance.is_some()));
    assert!(of_file.iter().any(|person| person.status.is_some()));
    assert!(of_file.iter().any(|person| !person.faults.is_empty()));
    assert!(of_file.iter().any(|person| person.identifier.starts_with("DE/PL/")));
}
