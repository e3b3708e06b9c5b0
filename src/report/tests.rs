use std::time::Duration;

use super::*;

/// What a stranger could say to break a file or a terminal.
const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m\n\u{0}\u{202e}\"'&]]>\u{ffff}";

fn case(id: &'static str, group: &'static str, outcome: Outcome) -> Case {
    Case {
        id: id.into(),
        group,
        name: Text::new("Obywatel loguje się", "A citizen signs in"),
        outcome,
        expected: Text::same("200"),
        seen: Text::same(format!("500 {HOSTILE}")),
        took: Duration::from_millis(1500),
        source: Some("SAML core 2.5.1".into()),
        steps: vec![format!("GET https://a.pl/ {HOSTILE}")],
    }
}

fn report(cases: Vec<Case>) -> Report {
    Report {
        title: Text::new("Protokół", "Report"),
        lead: Text::default(),
        subject: vec![(Text::same("issuer"), Text::same(HOSTILE))],
        program: "brama 1".to_owned(),
        began: "2031-05-05T10:00:00.5Z".parse().unwrap(),
        took: Duration::from_secs(2),
        remarks: vec![Text::same(HOSTILE)],
        groups: vec![("first", Text::new("Pierwszy", "First"))],
        cases,
    }
}

fn all_outcomes() -> Report {
    report(vec![
        case("a.one", "first", Outcome::Passed),
        case("a.two", "first", Outcome::Failed),
        case("a.three", "other", Outcome::Skipped(Text::same(HOSTILE))),
        case("a.four", "first", Outcome::Error(Text::same(HOSTILE))),
    ])
}

#[test]
fn json_says_everything_under_the_same_names() {
    let text = json::write(&all_outcomes(), Language::English);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], "brama.report.v1");
    let summary = &value["summary"];
    assert_eq!((&summary["total"], &summary["failed"]), (&4.into(), &1.into()));
    assert_eq!(value["passed"], false);
    let second = &value["cases"][1];
    assert_eq!(second["id"], "a.two");
    assert_eq!(second["outcome"], "failed");
    assert_eq!(second["name"], "A citizen signs in");
    assert_eq!(second["took_ms"], 1500);
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'));
    let polish = json::write(&all_outcomes(), Language::Polish);
    assert!(polish.contains("Obywatel loguje się"));
}

#[test]
fn junit_is_xml_whatever_strangers_say() {
    let text = junit::write(&all_outcomes(), Language::Polish);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
                cases += usize::from(tag.name().as_ref() == "testcase");
                failures += usize::from(tag.name().as_ref() == "failure");
            }
            _ => {}
        }
    }
    assert_eq!((cases, failures), (4, 1));
    assert!(text.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""), "{text}");
    assert!(!text.contains("<script") && !text.contains('\u{1b}') && !text.contains('\u{0}'));
    assert!(text.contains("timestamp=\"2031-05-05T10:00:00Z\""), "{text}");
}

#[test]
fn html_has_nothing_from_elsewhere_and_nothing_that_runs() {
    for language in Language::OF_TOOLS {
        let page = html::write(&all_outcomes(), language);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{0}', '\u{202e}']));
        for outside in ["src=", "url(", "@import", "<link", "<img", "onload", "javascript:"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("id=\"a.two\"") && page.contains("href=\"#a.two\""));
    }
}

#[test]
fn the_summary_names_what_did_not_pass() {
    let told = text::write(&all_outcomes(), Language::English);
    assert!(told.contains("failed a.two: A citizen signs in"), "{told}");
    assert!(told.contains("Not passed: 1/4"), "{told}");
    assert!(told.chars().all(|c| !c.is_control() || c == '\n'));
    let good = report(vec![case("a.one", "first", Outcome::Passed)]);
    let told = text::write(&good, Language::Polish);
    assert!(told.ends_with("Wynik pozytywny: 1/1, 2.0 s"), "{told}");
    assert!(!told.contains("a.one"), "{told}");
}

#[test]
fn nothing_tried_is_nothing_proved() {
    let skipped = Outcome::Skipped(Text::default());
    for (cases, expected) in [
        (vec![], false),
        (vec![case("a", "first", skipped.clone())], false),
        (vec![case("a", "first", Outcome::Passed)], true),
        (vec![case("a", "first", Outcome::Passed), case("b", "first", skipped)], true),
        (vec![case("a", "first", Outcome::Passed), case("b", "first", Outcome::Failed)], false),
        (
            vec![
                case("a", "first", Outcome::Passed),
                case("b", "first", Outcome::Error(Text::default())),
            ],
            false,
        ),
    ] {
        assert_eq!(report(cases).tally().is_good(), expected);
    }
}

#[test]
fn many_cases_are_a_table_and_what_is_wrong_in_them_is_told_in_full() {
    let mut cases: Vec<_> = (0..30).map(|_| case("a.one", "first", Outcome::Passed)).collect();
    cases.push(case("a.wrong", "first", Outcome::Failed));
    let page = html::write(&report(cases), Language::English);
    assert_eq!(page.matches("<article").count(), 1);
    assert_eq!(page.matches("<td class=\"number\">").count(), 30);
    let few = html::write(&all_outcomes(), Language::English);
    assert_eq!(
        (few.matches("<article").count(), few.matches("<td class=\"number\">").count()),
        (4, 0)
    );
}

#[test]
fn long_texts_and_many_steps_are_cut() {
    let mut long = case("a", "first", Outcome::Failed);
    long.seen = Text::same("x".repeat(100_000));
    long.steps = vec!["y".repeat(100_000); 1000];
    let report = report(vec![long]);
    for written in [
        html::write(&report, Language::Polish),
        json::write(&report, Language::Polish),
        junit::write(&report, Language::Polish),
        text::write(&report, Language::Polish),
    ] {
        assert!(written.len() < 60_000, "{}", written.len());
    }
}
