//! The house stands as `src/lib.rs` says: imports point down only, and proofs have one maker.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod faults;
mod house;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use brama::base::reason::Reason;

use crate::house::House;

/// Floors from the ground up. A module may import its own floor and those below.
const FLOORS: [&[&str]; 10] = [
    &["base", "observe", "wire"],
    &["xml", "identity", "store"],
    &["saml"],
    &["gate", "session", "audit"],
    &["flow", "pages"],
    &["request"],
    &["proxy", "server"],
    &["gateway", "companion"],
    &["app", "config", "operations"],
    &["cli", "doctor", "simulator", "selftest", "browser", "report", "manual"],
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    collect(&root, &root, &mut found);
    assert!(found.len() > 80, "sources were found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            found.push((module, inside.to_owned(), text));
        }
    }
}

/// The part of a file that is not tests.
fn product(path: &Path, text: &str) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    let is_below_tests = path.components().any(|part| part.as_os_str() == "tests");
    if is_below_tests || name == "tests.rs" || name == "testing.rs" {
        return String::new();
    }
    without_tests(text)
}

fn house() -> House {
    let files = sources();
    House::read(files.iter().map(|(_, path, text)| (path.to_str().unwrap(), &**text)))
}

/// Takes out what is compiled for tests only; what stands behind it stays. The text is as `rustfmt`
/// writes it: an item ends where its indentation has a closing brace, or with its semicolon.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let is_end = |line: &str| {
            line == end || (line.ends_with(';') && !line[indent.len()..].starts_with(' '))
        };
        for line in lines.by_ref() {
            if is_end(line) {
                break;
            }
        }
    }
    kept
}

#[test]
fn what_stands_behind_tests_is_looked_at() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {\n    #[cfg(test)]\n    {\n        c();\n    }\n\
                d();\n}\n#[cfg(test)]\nmod more {\n    use std::fs;\n    fn e() {}\n}\nfn f() {}\n";
    assert_eq!(without_tests(text), "fn a() {}\nfn b() {\nd();\n}\nfn f() {}\n");
}

/// Functions with the number of their lines, as `rustfmt` writes them.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let begins = |line: &str| {
        let words: Vec<_> = line.split([' ', '(']).take_while(|word| *word != "=").collect();
        let at = words.iter().position(|word| *word == "fn")?;
        let before =
            ["pub", "pub(super)", "pub(crate)", "const", "async", "extern", "super)", "crate)", ""];
        let is_item = words[..at].iter().all(|word| before.contains(word));
        is_item.then(|| words.get(at + 1).copied()).flatten().map(str::len)
    };
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if begins(line).is_none() || line.ends_with(';') {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let length = lines[number..].iter().position(|line| *line == end).unwrap_or(0);
        found.push((line.trim_start(), length + 1));
    }
    found
}

#[test]
fn a_function_is_read_at_once() {
    let mut long = Vec::new();
    for (_, path, text) in sources() {
        let text = product(&path, &text);
        for (name, lines) in functions(&text).into_iter().filter(|(_, lines)| *lines > 80) {
            long.push(format!("{}: {name} has {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
    // It would find one.
    let long = format!("pub(super) async fn a() {{\n{}}}\n", "    b();\n".repeat(79));
    assert_eq!(functions(&long), [("pub(super) async fn a() {", 81)]);
}

/// A page of the manual.
fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

#[test]
fn imports_point_down_only() {
    let wrong = house().upward(&FLOORS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = house();
    let circles = house.circles();
    let told = circles.iter().map(|circle| {
        let imports = circle.iter().map(|path| {
            let others = house.imports[path].iter().filter(|other| circle.contains(other));
            format!("  {path} imports {}", others.cloned().collect::<Vec<_>>().join(", "))
        });
        imports.collect::<Vec<_>>().join("\n")
    });
    let told: Vec<_> = told.collect();
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), told.join("\n\n"));
}

#[test]
fn the_pure_floors_do_no_io_and_know_no_clock() {
    let banned = [
        "std::fs",
        "std::net",
        "tokio::",
        "hyper",
        "SystemClock",
        "Clock::now",
        "std::env",
        "std::io",
    ];
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if matches!(module.as_str(), "xml" | "identity" | "saml" | "gate" | "pages") {
            let text = product(&path, &text);
            for word in banned.iter().filter(|word| text.contains(**word)) {
                wrong.push(format!("{} uses {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn proofs_are_made_in_one_place() {
    // What makes a proof, and the only files that may do it.
    let makers: [(&str, &[&str]); 10] = [
        ("Verified {", &["xml/signature/mod.rs"]),
        ("Opened(opened)", &["saml/answer.rs"]),
        ("Ok(Assertion {", &["saml/assertion.rs"]),
        // The first is for test tokens, with keys of development only; the last reads what the program
        // itself sealed.
        ("Person::new(", &["cli/tools/token/mint.rs", "saml/assertion.rs", "session/stored.rs"]),
        ("Ok(Session {", &["session/stored.rs"]),
        ("Session::begin(", &["flow/finish.rs"]),
        // The session at another host comes from the first one, here.
        ("linked_sessions.begin(", &["flow/handoff/steps.rs"]),
        ("Decision::Pass(Pass {", &["gate/mod.rs"]),
        // A handle of any text: only where a mark or a derivation says that it is one.
        ("Handle::of(", &["flow/history/keeper.rs", "flow/outcome.rs"]),
        ("LinkedSessionId::of(", &["session/linked.rs"]),
    ];
    for (maker, places) in makers {
        let mut users: Vec<String> = sources()
            .into_iter()
            .filter(|(_, path, text)| product(path, text).contains(maker))
            .map(|(_, path, _)| path.display().to_string())
            .collect();
        users.sort_unstable();
        assert_eq!(users, places, "{maker}");
    }
}

#[test]
fn no_file_became_a_drawer() {
    for (_, path, text) in sources() {
        let lines = product(&path, &text).lines().count();
        assert!(lines <= 450, "{} has {lines} lines: is it two?", path.display());
    }
}

/// What stands in a text between backticks and looks like a code: a family of reasons, a dot, a
/// name.
fn codes(text: &str) -> BTreeSet<&str> {
    let families: BTreeSet<_> = Reason::ALL
        .iter()
        .filter_map(|reason| reason.as_str().split_once('.'))
        .map(first)
        .collect();
    let is_code = |part: &&str| {
        part.split_once('.').is_some_and(|(family, name)| {
            families.contains(family)
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    text.split('`').filter(is_code).collect()
}

fn first<'t>((first, _): (&'t str, &'t str)) -> &'t str {
    first
}

#[test]
fn the_manual_explains_every_reason_code_and_no_other() {
    let manual = page("reasons.md");
    let explained = codes(&manual);
    let known: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let missing: Vec<_> = known.difference(&explained).collect();
    assert!(missing.is_empty(), "not in docs/reasons.md: {missing:?}");
    // Keys of the configuration look the same.
    let keys = brama::config::schema();
    let is_key = |name: &&&str| {
        let way: String = name.split('.').map(|part| format!("/properties/{part}")).collect();
        keys.pointer(&way).is_some()
    };
    let surplus: Vec<_> = explained.difference(&known).filter(|name| !is_key(name)).collect();
    assert!(surplus.is_empty(), "no such code any more: {surplus:?}");
}

#[test]
fn every_reason_is_somebodys_and_none_is_written_by_hand() {
    let texts: Vec<_> = sources()
        .into_iter()
        .filter(|(module, path, _)| {
            !["simulator", "manual"].contains(&&**module) && !path.ends_with("base/reason.rs")
        })
        .map(|(_, path, text)| (product(&path, &text), path))
        .collect();
    let all: String = texts.iter().map(|(text, _)| text.as_str()).collect();
    for reason in Reason::ALL {
        let name = format!("Reason::{reason:?}");
        let is_whole = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        let is_used = all.match_indices(&name).any(|(at, _)| is_whole(&all[at + name.len()..]));
        assert!(is_used, "{reason} is in base/reason.rs, and nobody gives it");
        let by_hand = format!("\"{reason}\"");
        let found = texts.iter().find(|(text, _)| text.contains(&by_hand));
        assert!(found.is_none(), "{}: {by_hand} is {name}", found.unwrap().1.display());
    }
}

/// Rows of the manual's table: name, kind, labels.
fn told_metrics(text: &str) -> BTreeSet<[String; 3]> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = |row: &str| {
        let mut cells = row.split(" | ").map(|cell| cell.replace('`', "").trim().to_owned());
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    };
    rows.map(cells).collect()
}

#[test]
fn the_manual_has_every_metric_and_no_other() {
    let told = told_metrics(&page("metrics.md"));
    let known: BTreeSet<_> = brama::observe::metrics::catalogue::ALL
        .iter()
        .map(|metric| [metric.full_name(), metric.kind.name().to_owned(), metric.labels.join(", ")])
        .collect();
    assert_eq!(known, told);
}

#[test]
fn metrics_are_named_as_others_name_theirs() {
    use brama::observe::metrics::catalogue::{ALL, Kind};
    let mut names = BTreeSet::new();
    for metric in ALL {
        let name = metric.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(name.starts_with("brama_") || name.starts_with("process_"), "{name}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(is_plain), "{name}");
        // The kind puts its own mark behind the name, and base units only.
        for mark in ["_total", "_info", "_count", "_sum", "_bucket", "_created", "_milliseconds"] {
            assert!(!name.ends_with(mark), "{name}");
        }
        if metric.kind == Kind::Histogram {
            assert!(name.ends_with("_seconds"), "{name}");
        }
        assert!(!metric.help.ends_with('.'), "{name}: help has no full stop");
    }
}

#[test]
fn every_test_that_the_manual_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root.join(folder), &root.join(folder), &mut texts);
    }
    let known: String = texts.iter().map(|(_, _, text)| text.as_str()).collect();
    let mut missing = BTreeSet::new();
    let pages = ["attacks.md", "attacks-browser.md", "attacks-gateway.md", "what-we-own.md"];
    for text in pages.map(page) {
        // Names in backticks that are sentences.
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_sentence(name)) {
            if !known.contains(&format!("fn {name}(")) {
                missing.insert(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "named, and nowhere: {missing:#?}");
}

fn is_sentence(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    !name.starts_with("brama_") && name.split('_').count() >= 4 && name.split('_').all(is_word)
}
