//! Other ways to write a path. Each begins somehow, has a middle and an end; one or two of them are
//! changed, and each change is of a kind that the manual has a word for.

use std::collections::BTreeSet;

/// A way to write a path.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    pub(super) target: String,
    /// The kinds of its changes.
    pub(super) changes: Vec<&'static str>,
}

/// A kind of change, and the text that makes it.
type Change = (&'static str, &'static str);

/// Before the path.
const BEGINNINGS: [Change; 24] = [
    ("slashes", "/"),
    ("slashes", "//"),
    ("encoded slashes", "/%2f"),
    ("encoded slashes", "/open%2f.."),
    ("backslashes", "/\\"),
    ("backslashes", "/%5c"),
    ("dot segments", "/."),
    ("dot segments", "/x/.."),
    ("dot segments", "/open/.."),
    ("dot segments", "/%2e"),
    ("dot segments", "/x/%2e%2e"),
    ("dot segments", "/open/.%2E"),
    ("parameters", "/;"),
    ("parameters", "/..;"),
    ("parameters", "/.;x"),
    ("parameters", "/open;/.."),
    ("parameters", "/open/..;x"),
    ("script before", "/index.php"),
    ("script before", "/index.php/index.php"),
    ("script before", "/index.html"),
    ("script before", "/INDEX.PHP"),
    ("dots after a folder before", "/files.."),
    ("dots after a folder before", "/open.."),
    ("dots after a folder before", "/files%2e."),
];

/// After the path.
const ENDS: [Change; 58] = [
    ("slash after", "/"),
    ("slashes", "//"),
    ("encoded slashes", "%2f"),
    ("backslashes", "\\"),
    ("backslashes", "%5c"),
    ("dot segments", "/."),
    ("dot segments", "/.."),
    ("dot segments", "/x/.."),
    ("dot segments", "/%2e"),
    ("dot segments", "/%2e%2e/"),
    ("dots after", "."),
    ("dots after", ".."),
    ("dots after", "..."),
    ("dots after", "%2e"),
    ("dots after", "./"),
    ("letters after", "x"),
    ("letters after", "1"),
    ("letters after", "-x"),
    ("letters after", "_"),
    ("letters after", "x/y"),
    ("letters after", "%c5%bc"),
    ("extension", ".html"),
    ("extension", ".htm"),
    ("extension", ".HTML"),
    ("extension", ".json"),
    ("extension", ".php"),
    ("extension", ".xml"),
    ("extension", ".html.en"),
    ("extension", ".bak"),
    ("spaces after", "%20"),
    ("spaces after", "%c2%a0"),
    ("spaces after", "%e2%80%8b"),
    ("control characters", "%00"),
    ("control characters", "%09"),
    ("control characters", "%0a"),
    ("control characters", "%7f"),
    ("parameters", ";"),
    ("parameters", ";x=1"),
    ("parameters", ";.html"),
    ("parameters", ";x/y"),
    ("encoded semicolons", "%3b"),
    ("signs after", "%3f"),
    ("signs after", "%23"),
    ("signs after", "~"),
    ("signs after", "*"),
    ("signs after", ":"),
    ("signs after", "::$DATA"),
    ("signs after", "+"),
    ("lookalikes", "%ef%bc%8e"),
    ("lookalikes", "%ef%bc%8f"),
    ("path after", "/x"),
    ("path after", "/index.html"),
    ("path after", "/index.php"),
    ("query", "?/open"),
    ("query", "?x=/../open"),
    ("broken encoding", "%"),
    ("broken encoding", "%zz"),
    ("encoded twice", "%252e"),
];

/// Between two segments, in place of the slash.
const JOINTS: [Change; 16] = [
    ("no slash between", ""),
    ("slashes", "//"),
    ("encoded slashes", "%2f"),
    ("backslashes", "\\"),
    ("backslashes", "%5c"),
    ("dot segments", "/./"),
    ("dot segments", "/x/../"),
    ("dot segments", "/%2e/"),
    ("dots between", "./"),
    ("dots between", "../"),
    ("dots between", "%2e/"),
    ("parameters", ";/"),
    ("parameters", ";x=1/"),
    ("parameters", "/;/"),
    ("spaces between", "%20/"),
    ("letters between", "x/"),
];

/// Makes the spellings of a path: each change alone, and the middle with each beginning and end.
pub(super) fn of(path: &str) -> Vec<Spelling> {
    let middles = middles(path);
    let mut seen = BTreeSet::from([path.to_owned()]);
    let mut spellings = Vec::new();
    let mut add = |target: String, changes: &[&'static str]| {
        // The first that is written this way says what it is.
        if seen.insert(target.clone()) {
            spellings.push(Spelling { target, changes: changes.to_vec() });
        }
    };
    for (change, middle) in &middles {
        add(middle.clone(), &[change]);
    }
    for (change, beginning) in BEGINNINGS {
        add(format!("{beginning}{path}"), &[change]);
    }
    for (change, end) in ENDS {
        add(format!("{path}{end}"), &[change]);
    }
    add(format!("http://localhost{path}"), &["absolute"]);
    for (changed, middle) in &middles {
        for (change, beginning) in BEGINNINGS {
            add(format!("{beginning}{middle}"), &[change, changed]);
        }
        for (change, end) in ENDS {
            add(format!("{middle}{end}"), &[changed, change]);
        }
    }
    spellings
}

/// Changes what a path consists of.
fn middles(path: &str) -> Vec<(&'static str, String)> {
    let mut middles = vec![
        ("case", map_letter(path, 0, |letter| letter.to_ascii_uppercase().to_string())),
        ("case", path.to_ascii_uppercase()),
        ("case", map_letter(path, 2, |letter| letter.to_ascii_uppercase().to_string())),
        ("encoded letters", map_letter(path, 0, |letter| format!("%{:02x}", u32::from(letter)))),
        ("encoded letters", map_letter(path, 1, |letter| format!("%{:02X}", u32::from(letter)))),
        ("encoded twice", map_letter(path, 0, |letter| format!("%25{:02x}", u32::from(letter)))),
        ("lookalikes", map_letter(path, 0, fullwidth)),
    ];
    // Letters that become others by a change of case: dotless i, long s, the sign for kelvin.
    for (letter, other) in [('i', "%c4%b1"), ('i', "%c4%b0"), ('s', "%c5%bf"), ('k', "%e2%84%aa")] {
        if path.contains(letter) {
            middles.push(("lookalikes", path.replacen(letter, other, 1)));
        }
    }
    if let Some((first, rest)) = path[1..].split_once('/') {
        for (change, joint) in JOINTS {
            middles.push((change, format!("/{first}{joint}{rest}")));
        }
    }
    middles
}

/// Changes one letter, counted without the slash.
fn map_letter(path: &str, number: usize, change: impl Fn(char) -> String) -> String {
    let letters = path.chars().enumerate();
    letters
        .map(|(at, letter)| if at == number + 1 { change(letter) } else { letter.to_string() })
        .collect()
}

fn fullwidth(letter: char) -> String {
    let wide = char::from_u32(u32::from(letter) + 0xFEE0).expect("ASCII has a wide form");
    wide.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_spelling_is_told_apart_and_says_its_changes() {
    let spellings = of("/panel/dash");
    assert!((1_000..2_500).contains(&spellings.len()), "{}", spellings.len());
    let targets: BTreeSet<_> = spellings.iter().map(|one| &one.target).collect();
    assert_eq!(targets.len(), spellings.len());
    for (target, changes) in [
        ("/Panel/dash", &["case"][..]),
        ("/%70anel/dash", &["encoded letters"]),
        ("/paneldash", &["no slash between"]),
        ("/panel./dash", &["dots between"]),
        ("/files../panel/dash", &["dots after a folder before"]),
        ("/panel/dash.", &["dots after"]),
        ("/PANEL/DASH/", &["case", "slash after"]),
        ("/index.php/Panel/dash", &["script before", "case"]),
        ("/%ef%bd%90anel/dash", &["lookalikes"]),
    ] {
        let found = spellings.iter().find(|one| one.target == target);
        assert_eq!(found.map(|one| &one.changes[..]), Some(changes), "{target}");
    }
    // Without the letter there is no letter like it.
    assert!(of("/abc").iter().all(|one| !one.target.contains("%c4%b1")));
}
