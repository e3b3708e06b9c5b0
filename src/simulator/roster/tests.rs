use super::*;
use crate::identity::assurance::Assurance;
use crate::simulator::faults::Fault;
use crate::simulator::people::{NodeStatus, Way};

const ONE: &str = "[[person]]\nkey = \"jan\"\ngiven_name = \"Jan\"\nfamily_name = \"Ćma\"\n\
                   birthdate = \"1885-02-03\"\nidentifier = \"85820300002\"\n";

fn people(text: &str) -> Result<Vec<Arc<Person>>, String> {
    let read = read(Path::new("p.toml"), text.as_bytes());
    read.map(|list| list.to_vec()).map_err(|problems| problems.to_string())
}

#[test]
fn a_person_needs_five_keys_and_may_have_more() {
    let found = people(ONE).unwrap();
    assert_eq!((&*found[0].key, &*found[0].login, found[0].way), ("jan", "jan", None));
    assert_eq!(found.len(), PEOPLE.len() + 1, "those of ours are there too");

    let more = "built_in = false\n[[person]]\nkey = \"anna\"\ngiven_name = \"A\"\n\
                family_name = \"B\"\nbirthdate = \"1990-12-31\"\nidentifier = \"DE/PL/x/y\"\n\
                login = \"a.b\"\nnote = \"why\"\nstatus = \"RequestDenied\"\nway = \"mobywatel\"\n\
                assurance = \"high\"\nfaults = [\"audience\", \"slow\"]\n";
    let found = people(more).unwrap();
    let [person] = &*found else { panic!("{found:?}") };
    assert_eq!(person.status, Some(NodeStatus::RequestDenied));
    assert_eq!((person.way, person.assurance), (Some(Way::MObywatel), Some(Assurance::High)));
    assert_eq!(person.faults, [Fault::Audience, Fault::Slow]);
    assert_eq!((&*person.login, person.note(crate::pages::Language::Polish)), ("a.b", "why"));

    // With ours, the one of the file comes first and there is no other of that key.
    let found = people(&more.replace("built_in = false\n", "")).unwrap();
    assert_eq!(found.len(), PEOPLE.len());
    assert_eq!((&*found[0].key, &*found[0].given_name), ("anna", "A"));
}

#[test]
fn what_is_wrong_is_told_all_at_once_with_line_key_and_advice() {
    for (from, to, expected) in [
        (
            "key = \"jan\"",
            "key = \"Jan K\"",
            "p.toml:2: person[0].key: cannot be one: \"Jan K\"; w",
        ),
        ("key = \"jan\"", "key = \"cancel\"", "p.toml:2: person[0].key: stands for a login that"),
        ("given_name = \"Jan\"", "", "p.toml:1: person[0].given_name: is missing; add given_name"),
        (
            "1885-02-03",
            "03.02.1885",
            "p.toml:5: person[0].birthdate: is no date: \"03.02.1885\"; w",
        ),
        ("1885-02-03", "1885-02-30", "p.toml:5: person[0].birthdate: is no date"),
        (
            "key = \"jan\"",
            "key = \"jan\"\nway = \"pz\"",
            "p.toml:3: person[0].way: is not known: \"pz\"; write one of: profil-zaufany, e-dowod",
        ),
        (
            "key = \"jan\"",
            "key = \"jan\"\nassurance = \"max\"",
            "person[0].assurance: is not known",
        ),
        ("key = \"jan\"", "key = \"jan\"\nstatus = \"No\"", "one of: AuthnFailed, RequestDenied"),
        (
            "key = \"jan\"",
            "key = \"jan\"\nfaults = [\"slow\", \"x\"]",
            "p.toml:3: person[0].faults[1]: is no fault: \"x\"; write one of those",
        ),
        (
            "key = \"jan\"",
            "key = \"jan\"\npesel = \"1\"",
            "p.toml:3: person[0].pesel: is not known",
        ),
    ] {
        let said = people(&ONE.replace(from, to)).unwrap_err();
        assert!(said.contains(expected), "{said}\n{expected}");
    }
    let twice = people(&ONE.repeat(2)).unwrap_err();
    assert!(twice.contains("p.toml:8: person[1].key: is there twice: \"jan\""), "{twice}");
    let both = people(&ONE.replace("given_name", "name").replace("1885-", "")).unwrap_err();
    assert!(both.contains("3 errors"), "{both}");
    assert!(people("built_in = false").unwrap_err().contains("p.toml:1: built_in: has nobody"));
}

#[test]
fn a_number_that_does_not_fit_is_only_odd() {
    let warnings = |identifier: &str| {
        let text = ONE.replace("85820300002", identifier);
        let mut sheet = Sheet::parse(Path::new("p.toml"), text.as_bytes()).unwrap();
        let found = sheet.each("person", entry::read);
        let (found, warnings) = sheet.finish(found).unwrap();
        assert_eq!(found[0].identifier, identifier);
        warnings.iter().map(|warning| warning.what.clone()).collect::<Vec<_>>()
    };
    // 1885-02-03, and the checksum of 8582030000: see `Pesel`.
    let fits: Vec<_> = (0..10).filter(|d| warnings(&format!("8582030000{d}")).is_empty()).collect();
    assert_eq!(fits.len(), 1, "one digit of ten fits");
    let other = (fits[0] + 1) % 10;
    let checksum = "the checksum of this PESEL does not fit";
    assert_eq!(warnings(&format!("8582030000{other}")), [checksum]);
    assert!(warnings("86820300006").iter().any(|what| what.contains("another date of birth")));
    assert_eq!(warnings("CZ/PL/123"), Vec::<String>::new());
    for odd in ["1234", "de/PL/1", "DE/PL/", "DE-PL-1"] {
        assert!(warnings(odd)[0].contains("neither a PESEL"), "{odd}");
    }
}

#[test]
fn a_changed_file_is_read_at_the_next_look_and_a_broken_one_changes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    assert!(Roster::open(Some(path.clone())).is_err(), "there is no file");
    write(ONE);
    let roster = Roster::open(Some(path.clone())).unwrap();
    let name = |roster: &Roster| roster.people().find("jan").map(|p| p.given_name.to_string());
    assert_eq!(name(&roster).as_deref(), Some("Jan"));
    write(&ONE.replace("Jan", "Jas"));
    assert_eq!(name(&roster).as_deref(), Some("Jas"));
    write("[[person]]\nkey = 1");
    assert_eq!(name(&roster).as_deref(), Some("Jas"));
    assert!(roster.people().trouble.unwrap().contains("p.toml:2: person[0].key: is no text"));
    std::fs::remove_file(&path).unwrap();
    assert!(roster.people().trouble.unwrap().contains("cannot be read"));
    assert_eq!(name(&roster).as_deref(), Some("Jas"));
    // What was there before is good again.
    write(&ONE.replace("Jan", "Jas"));
    assert!(roster.people().trouble.is_none());
    write(ONE);
    assert_eq!(name(&roster).as_deref(), Some("Jan"));
    assert!(roster.people().trouble.is_none() && roster.people().find("anna").is_some());
}
