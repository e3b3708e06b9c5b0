use proptest::prelude::*;

use super::*;

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[a\\\\\"{}\\[\\],: \nż]{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[ab\"{:ż]{1,3}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    /// JSON of any shape is read, and a key that cannot be used is told with the line it is on.
    #[test]
    fn a_key_of_json_has_the_line_on_which_it_stands(value in json(), before in 0..4_usize) {
        let lines = "\n".repeat(before);
        let text = format!("{{\"other\": {value:#},{lines}\n\"all\": 7}}");
        let said = read("a.json", &text).unwrap_err();
        let line = text.lines().count();
        let expected = format!("a.json:{line}: all: is no switch");
        prop_assert!(said.contains(&expected), "{text}\n{said}\n{expected}");
    }
}

/// Reads `name` and `list` of each entry, and says what is wrong.
fn read(file: &str, text: &str) -> Result<Vec<(String, usize)>, String> {
    let mut sheet =
        Sheet::parse(Path::new(file), text.as_bytes()).map_err(|problems| problems.to_string())?;
    let entries = sheet.each("entry", |reader| {
        let name = reader.text("name", "Anna");
        let list = reader.texts("list");
        Some((name?, list.len()))
    });
    let mut root = sheet.root();
    root.pass_over("entry");
    root.switch("all");
    root.end();
    let (entries, _) = sheet.finish(entries).map_err(|problems| problems.to_string())?;
    Ok(entries)
}

#[test]
fn toml_and_json_say_the_same_and_what_is_wrong_has_its_line() {
    let toml =
        "all = true\n[[entry]]\nname = \"Ćma\"\n[[entry]]\nname = \"b\"\nlist = [\"x\", \"y\"]\n";
    let json = "{\"all\": true, \"entry\": [\n {\"name\": \"\\u0106ma\", \"list\": null},\n \
                {\"name\": \"b\", \"list\": [\"x\", \"y\"]}]}";
    let expected = Ok(vec![("Ćma".to_owned(), 0), ("b".to_owned(), 2)]);
    assert_eq!(read("a.toml", toml), expected);
    assert_eq!(read("a.json", json), expected);
    for (file, text, expected) in [
        ("a.toml", "[[entry]]\nname = 7", "a.toml:2: entry[0].name: is no text; write it as"),
        ("a.toml", "[[entry]]\nlist = 'x'", "a.toml:1: entry[0].name: is missing; add name = "),
        ("a.toml", "[[entry]]\nname = ' '", "a.toml:2: entry[0].name: is empty; "),
        ("a.toml", "\n[[entry]]\nnames = 'x'", "a.toml:3: entry[0].names: is not known; there are"),
        ("a.toml", "\nother = 1", "a.toml:2: other: is not known; there are: entry, all"),
        ("a.toml", "entry = 1", "a.toml:1: entry: is no list of tables; write [[entry]]"),
        ("a.toml", "all = 'yes'", "a.toml:1: all: is no switch"),
        ("a.toml", "[[entry]\n", "a.toml:1:"),
        ("a.json", "{\"entry\": [\n{\"name\":\n7}]}", "a.json:2: entry[0].name: is no text"),
        (
            "a.json",
            "{\"entry\": [\n{\"name\": \"\\\"{[\", \"list\": [\"a\",\n 1]}]}",
            "a.json:3: entry[0].list[1]: is no text",
        ),
        (
            "a.json",
            "{\"entry\": [\n{\"name\": \"a\",\n \"name\": \"b\"}]}",
            "a.json:3: entry[0].name: stands there twice",
        ),
        ("a.json", "{\"entry\": [\n7]}", "a.json:2: entry[0]: is no table"),
        ("a.json", "[]", "a.json:1: is no object"),
        ("a.json", "{\n\"entry\": }", "a.json:2: "),
    ] {
        let said = read(file, text).unwrap_err();
        assert!(said.contains(expected), "{text}\n{said}\n{expected}");
    }
}

#[test]
fn a_file_that_is_too_large_or_away_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let said = |path: &Path| Sheet::open(path).err().unwrap().to_string();
    assert!(said(&path).contains("a.toml: cannot be read: "));
    let pipe = folder.path().join("pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(said(&pipe).contains("pipe.toml: cannot be read: it is a pipe"));
    std::fs::write(&path, " ".repeat(SHEET_BYTES as usize + 1)).unwrap();
    assert!(said(&path).contains("a.toml: has more than "));
    std::fs::write(&path, b"name = \"\xff\"").unwrap();
    assert!(said(&path).contains("a.toml: is not UTF-8 text"));
    let many = "[[entry]]\nname = 'x'\n".repeat(SHEET_ENTRIES + 1);
    assert!(read("a.toml", &many).unwrap_err().contains("has more than"));
}

#[test]
fn a_hostile_key_is_not_written_to_a_terminal() {
    let said = read("a.toml", "\"a\\u001b[31m\" = 1\n").unwrap_err();
    assert!(!said.contains('\u{1b}') && said.contains("is not known"), "{said}");
}
