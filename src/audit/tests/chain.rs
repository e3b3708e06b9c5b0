use proptest::prelude::*;

use super::super::chain::{Chain, Checkpoint};
use super::super::keys::{PersonKey, Rotated, Signer};
use super::super::record::{MOST, VERSION, schema};
use super::*;
use crate::base::secret::Secret;
use crate::identity::person::Identifier;

/// Writes a chain of records whose texts are given, every fifth one signed.
fn chain_of(texts: &[String]) -> (Vec<Vec<u8>>, Signer) {
    let (signer, mut chain) = (Signer::generate(), Chain::begin());
    let mut lines = Vec::new();
    for (number, value) in texts.iter().enumerate() {
        let mut line = Vec::new();
        let is_signed = number % 5 == 0;
        let kind = match (number, is_signed) {
            (0, _) => Kind::Opened,
            (_, true) => Kind::Checkpoint,
            (_, false) => Kind::RequestRefused,
        };
        let mut record = Record::new(kind, Time::UNIX_EPOCH);
        record.host = text(value);
        if is_signed {
            record.public_key = Some(signer.public().to_string().into());
            chain.append_signed(&mut line, &record.to_json(), &signer).unwrap();
        } else {
            chain.append(&mut line, &record.to_json()).unwrap();
        }
        line.pop();
        lines.push(line);
    }
    (lines, signer)
}

fn verified(lines: &[Vec<u8>], signer: &Signer) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let mut all = lines.join(&b'\n');
    all.push(b'\n');
    fs::write(&path, all).unwrap();
    let expected = Expected { keys: vec![signer.public()], ..Expected::default() };
    verify(&[path], &expected).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_chain_of_any_texts_is_whole_and_each_line_is_one_record(
        texts in prop::collection::vec(any::<String>(), 1..20)
    ) {
        let (lines, signer) = chain_of(&texts);
        for line in &lines {
            prop_assert!(!line.contains(&b'\n') && line.len() <= MOST);
            let record = Record::parse(line).unwrap();
            prop_assert_eq!(&record.to_json(), line, "it is written as it is read");
        }
        let report = verified(&lines, &signer);
        prop_assert!(report.is_whole(), "{:?}", report.findings);
        prop_assert_eq!(report.records, lines.len() as u64);
    }

    #[test]
    fn one_bit_that_is_another_shows(
        texts in prop::collection::vec("[a-z]{1,8}", 6..12), place in any::<prop::sample::Index>(),
        bit in 0..8_u8
    ) {
        let (mut lines, signer) = chain_of(&texts);
        // What is behind the last signature is not judged here: the last line is one.
        let count = (lines.len() - 1) / 5 * 5 + 1;
        lines.truncate(count);
        let total: usize = lines.iter().map(Vec::len).sum();
        let mut at = place.index(total);
        for line in &mut lines {
            if at < line.len() {
                line[at] ^= 1 << bit;
                break;
            }
            at -= line.len();
        }
        let report = verified(&lines, &signer);
        prop_assert!(!report.is_whole());
    }

    #[test]
    fn a_chain_without_one_line_or_with_two_changed_about_shows(
        count in 7..20_usize, one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()
    ) {
        let texts = vec!["x".to_owned(); count];
        let (lines, signer) = chain_of(&texts);
        let (one, other) = (one.index(count - 1), other.index(count - 1));
        let mut without = lines.clone();
        without.remove(one);
        if one > 0 {
            let report = verified(&without, &signer);
            prop_assert_eq!(report.findings[0].fault, Fault::Removed);
        }
        if one != other {
            let mut swapped = lines;
            swapped.swap(one, other);
            prop_assert!(!verified(&swapped, &signer).is_whole());
        }
    }

    #[test]
    fn whatever_is_read_is_no_reason_to_fail(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let _ = Record::parse(&bytes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        fs::write(&path, &bytes).unwrap();
        let report = verify(&[path], &Expected::default()).unwrap();
        prop_assert!(bytes.is_empty() || !report.is_whole());
    }
}

#[test]
fn every_kind_of_record_is_in_the_schema_and_members_have_their_form() {
    let schema = serde_json::to_value(schema()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["version"]["const"], VERSION);
    let told = schema["$defs"]["Kind"]["oneOf"].as_array().unwrap();
    let told: Vec<_> = told.iter().map(|kind| kind["const"].clone()).collect();
    let all = Kind::ALL.map(|kind| serde_json::to_value(kind).unwrap());
    assert_eq!(told, all);
    assert!(!schema.to_string().contains("null"), "{schema}");
}

#[test]
fn a_line_that_lacks_a_member_or_has_another_is_no_record() {
    let (lines, _) = chain_of(&["x".to_owned(), "y".to_owned()]);
    let line = String::from_utf8(lines[1].clone()).unwrap();
    assert!(Record::parse(line.as_bytes()).is_some());
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1,", ""),
        ("\"sequence\":2", "\"sequence\":0"),
        ("\"sequence\":2", "\"sequence\":-2"),
        ("\"kind\":\"request_refused\"", "\"kind\":\"other\""),
        ("\"kind\":\"request_refused\"", "\"kind\":\"checkpoint\""),
        ("\"host\":\"y\"", "\"host\":\"y\",\"host\":\"y\""),
        ("\"host\":\"y\"", "\"pesel\":\"y\""),
        ("\"chain\":\"", "\"chain\":\"/"),
    ] {
        assert!(line.contains(from), "{line}");
        assert!(Record::parse(line.replace(from, to).as_bytes()).is_none(), "{to}");
    }
}

#[test]
fn a_pseudonym_needs_the_key_and_tells_kinds_of_identifiers_apart() {
    let key = PersonKey::new(Secret::new(vec![7; 32])).unwrap();
    let other = PersonKey::generate();
    let pesel = Identifier::parse(PESEL);
    let name = key.pseudonym(&pesel);
    assert_eq!(name, key.pseudonym(&pesel));
    assert_ne!(name, other.pseudonym(&pesel));
    assert_ne!(name, key.pseudonym(&Identifier::login_name(PESEL)));
    assert_eq!((name.len(), key.id().len()), (22, 8));
    // HMAC-SHA-256 by another program: the format is one for years.
    assert_eq!(name, "WYthwxib1hCsw5CEzkj96A");
    assert!(PersonKey::new(Secret::new(vec![7; 31])).is_none(), "too short");
}

#[test]
fn keys_are_kept_and_rotated_and_old_ones_stay_for_reading() {
    let mut keys = Keys::generate();
    let (person, public) = (keys.persons[0].id().to_owned(), keys.signer.public());
    keys.rotate(Rotated::Persons);
    keys.rotate(Rotated::Signer);
    let read = Keys::parse(keys.to_text().expose().as_bytes()).unwrap();
    assert_eq!(read.persons[1].id(), person);
    assert_ne!(read.persons[0].id(), person);
    assert_eq!(read.public(), [keys.signer.public(), public]);
    assert!(!format!("{read:?}").contains(&keys.to_text().expose()[30..60]));
    for wrong in ["", "{}", "{\"version\":1,\"persons\":[],\"signer\":\"\",\"signed_before\":[]}"] {
        assert!(Keys::parse(wrong.as_bytes()).is_none(), "{wrong}");
    }
    assert_eq!(PublicKey::parse(&public.to_string()), Some(public));
    assert!(PublicKey::parse("x").is_none());
}

#[test]
fn a_checkpoint_is_read_as_it_is_written() {
    let mut chain = Chain::begin();
    chain.append(&mut Vec::new(), b"{}").unwrap();
    let checkpoint = Checkpoint(chain);
    assert_eq!(Checkpoint::parse(&checkpoint.to_string()).as_ref(), Some(&checkpoint));
    for wrong in ["", "a:1:b", "AAAAAAAAAAAAAAAAAAAAAA:1", "AAAAAAAAAAAAAAAAAAAAAA:x:AAAA"] {
        assert_eq!(Checkpoint::parse(wrong), None, "{wrong}");
    }
}
