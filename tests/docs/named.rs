//! What pages name by its name is there: tests, keys of the configuration, reason codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use brama::base::reason::Reason;

use crate::pages::{manual, root};

/// Every `tests/….rs` (`a_test`, `another`) of a text: the file, or the folder, and the test.
fn tests_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let parts: Vec<_> = text.split('`').collect();
    let mut place: Option<&str> = None;
    for (number, part) in parts.iter().enumerate() {
        match (number % 2, place) {
            (0, Some(_)) if matches!(*part, " (" | ", ") => {}
            (0, _) => place = None,
            (_, None) => {
                let is_place = part.starts_with("tests/") || part.starts_with("src/");
                place = is_place.then_some(*part);
            }
            (_, Some(place)) if !part.contains('/') => {
                found.push((place.to_owned(), (*part).to_owned()));
            }
            (_, Some(_)) => place = Some(*part),
        }
    }
    found
}

/// The text of a file, or of all files of a folder.
fn text_of(path: &Path) -> String {
    if !path.is_dir() {
        return fs::read_to_string(path).unwrap_or_default();
    }
    let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    inside.map(|path| text_of(&path)).collect::<Vec<_>>().join("\n")
}

fn has_test(text: &str, name: &str) -> bool {
    text.contains(&format!("fn {name}("))
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in manual() {
        for (place, name) in tests_of(&page.text) {
            let path = root().join(&place);
            let text = texts.entry(path.clone()).or_insert_with(|| text_of(&path));
            count += 1;
            if !has_test(text, &name) {
                wrong.push(format!("{}: {place} has no test {name}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "tests are named");
    // It would find one that is not there.
    let told =
        tests_of("| `tests/docs` (`every_block_of_code_says_its_language`, `nothing_of_this`) |");
    let text = text_of(&root().join("tests/docs"));
    let found: Vec<_> = told.iter().map(|(_, name)| has_test(&text, name)).collect();
    assert_eq!(found, [true, false]);
}

/// `[table]` and `key` of the reference, those that are commented out too: `listen.https`.
fn keys() -> BTreeSet<String> {
    let reference = fs::read_to_string(root().join("config/reference.toml")).unwrap();
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in reference.lines().map(|line| line.trim_start_matches("# ")) {
        let head = line.trim_start_matches('[').trim_end_matches(']');
        let is_name = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_lowercase() || "_.0123456789".contains(c))
        };
        if line.starts_with('[') && line.ends_with(']') && is_name(head) {
            head.clone_into(&mut table);
            keys.insert(table.clone());
        } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| is_name(key)) {
            keys.insert(format!("{table}.{key}"));
        }
    }
    keys
}

/// What of the words in backticks is a key of the configuration by its looks.
fn keys_of<'a>(text: &'a str, tables: &BTreeSet<&str>) -> Vec<&'a str> {
    let words = text.split('`').skip(1).step_by(2);
    let words = words.map(|word| word.split([' ', '=']).next().unwrap_or_default());
    let is_key = |word: &&str| {
        let mut parts = word.split('.');
        let is_table = parts.next().is_some_and(|first| tables.contains(first));
        let mut rest = parts.peekable();
        let is_name = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        is_table && rest.peek().is_some() && rest.all(is_name)
    };
    words.filter(is_key).collect()
}

#[test]
fn every_key_that_the_guides_name_is_one_of_the_configuration() {
    let keys = keys();
    let tables =
        ["portal", "listen", "operations", "node", "service", "identity", "session", "store"];
    let tables: BTreeSet<_> =
        tables.into_iter().chain(["limits", "log", "pages", "upstream", "route"]).collect();
    // Reason codes look like keys.
    let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let is_known = |key: &str| keys.contains(key) || codes.contains(key);
    let mut wrong = Vec::new();
    for page in manual().iter().filter(|page| page.path.parent() != Some(&root().join("docs"))) {
        let named = keys_of(&page.text, &tables);
        // A file with such a name is none.
        let named = named.into_iter().filter(|key| !key.ends_with(".md") && !is_known(key));
        wrong.extend(named.map(|key| format!("{}: {key}", page.name())));
    }
    assert!(wrong.is_empty(), "no keys of config/reference.toml:\n{}", wrong.join("\n"));
    assert!(is_known("listen.https") && !is_known("listen.htps"));
    assert_eq!(keys_of("`listen.htps = 1` `brama.toml`", &tables), ["listen.htps"]);
}

/// The codes of the rows of a page, in their order.
fn codes_of(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_polish_page_of_codes_has_every_code_once() {
    let polish = fs::read_to_string(root().join("docs/pl/bledy.md")).unwrap();
    let english = fs::read_to_string(root().join("docs/reasons.md")).unwrap();
    let (mut told, mut known) = (codes_of(&polish), codes_of(&english));
    assert!(
        Reason::ALL.iter().all(|reason| told.contains(&reason.as_str())),
        "every reason is told"
    );
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known, "what docs/pl/bledy.md and docs/reasons.md have");
    for row in polish.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
    }
}

/// What a step of the guide is missing of what each step says.
fn incomplete(guide: &str) -> Vec<String> {
    let parts = ["**Kto**", "**Ile trwa**", "**Co robi Brama**", "**Przygotuj**"];
    let parts =
        parts.into_iter().chain(["**Po czym poznać, że zrobione**", "**Co zwykle idzie źle**"]);
    let sections: Vec<_> = guide.split("\n## ").collect();
    let mut wrong = Vec::new();
    for number in 1..=16 {
        let Some(step) = sections.iter().find(|text| text.starts_with(&format!("{number}. ")))
        else {
            wrong.push(format!("step {number} is missing"));
            continue;
        };
        let lacks = parts.clone().filter(|part| !step.contains(part));
        wrong.extend(lacks.map(|part| format!("step {number} does not say {part}")));
        if !guide.contains(&format!("\n| [{number}](#{number}-")) {
            wrong.push(format!("step {number} is not in the table"));
        }
    }
    wrong
}

#[test]
fn the_guide_has_sixteen_steps_and_each_says_everything() {
    let guide = fs::read_to_string(root().join("docs/pl/droga.md")).unwrap();
    assert_eq!(incomplete(&guide), Vec::<String>::new());
    let english = fs::read_to_string(root().join("docs/en/steps.md")).unwrap();
    let listed = |number: &u8| english.contains(&format!("\n| {number} | "));
    let told = |number: &u8| english.contains(&format!("\n{number}. **"));
    assert_eq!((1..=16).filter(|number| listed(number) && told(number)).count(), 16);
    // It would miss one.
    let less = guide.replacen("**Przygotuj**", "", 1).replacen("\n## 16. ", "\n## ", 1);
    assert_eq!(incomplete(&less), ["step 1 does not say **Przygotuj**", "step 16 is missing"]);
}
