//! What a gateway tells at `/metrics`, read strictly: whatever is not as the standard has it,
//! fails.

use std::collections::{BTreeMap, BTreeSet};

use super::gateway::Gateway;
use super::wire::Answer;

/// The numbers of a moment.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// The kind of each family.
    pub(crate) kinds: BTreeMap<String, String>,
    rows: BTreeMap<(String, Labels), f64>,
}

type Labels = Vec<(String, String)>;

impl Gateway {
    /// Asks for its numbers, in the form that Prometheus prefers.
    pub(crate) fn numbers(&self) -> Numbers {
        let answer = self.metrics("application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1");
        let content_type = answer.header("content-type").unwrap();
        assert!(content_type.starts_with("application/openmetrics-text"), "{content_type}");
        Numbers::read(&answer.text())
    }

    /// Asks for `/metrics`.
    pub(crate) fn metrics(&self, accept: &str) -> Answer {
        let mut wire = self.operations();
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
        wire.send(request.as_bytes());
        let answer = wire.answer("GET");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }
}

impl Numbers {
    /// Reads OpenMetrics 1.0.
    pub(crate) fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end is marked");
        let (mut kinds, mut rows) = (BTreeMap::new(), BTreeMap::new());
        let (mut family, mut helped) = (String::new(), BTreeSet::new());
        let mut united = BTreeSet::new();
        for line in body.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').expect("help has words");
                assert!(helped.insert(name.to_owned()) && !words.is_empty(), "{line}");
                name.clone_into(&mut family);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type");
                assert_eq!(name, family, "help and type stand together");
                assert!(["counter", "gauge", "histogram", "info"].contains(&kind), "{line}");
                let is_first = kinds.insert(name.to_owned(), kind.to_owned()).is_none();
                assert!(is_first, "{name} is there twice");
            } else if let Some(unit) = line.strip_prefix("# UNIT ") {
                let (name, unit) = unit.split_once(' ').expect("a unit");
                assert!(name == family && family.ends_with(&format!("_{unit}")), "{line}");
                assert!(united.insert(name.to_owned()), "{line}");
            } else {
                let (name, labels, value) = row(line);
                let behind = name.strip_prefix(&*family).unwrap_or_else(|| panic!("{line}"));
                let allowed: &[&str] = match &*kinds[&family] {
                    "counter" => &["_total"],
                    "info" => &["_info"],
                    "histogram" => &["_bucket", "_count", "_sum"],
                    _ => &[""],
                };
                assert!(allowed.contains(&behind), "{line}");
                assert!(!value.is_nan() && (behind.is_empty() || value >= 0.0), "{line}");
                let is_first = rows.insert((name, labels), value).is_none();
                assert!(is_first, "a row that is there twice: {line}");
            }
        }
        let numbers = Self { kinds, rows };
        numbers.check_histograms();
        numbers
    }

    /// Buckets grow, and the last one holds all.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(&str, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), count) in &self.rows {
            let Some(family) = name.strip_suffix("_bucket") else { continue };
            let (bound, others): (Vec<_>, Vec<_>) =
                labels.iter().cloned().partition(|(name, _)| name == "le");
            let bound = bound[0].1.parse().unwrap();
            buckets.entry((family, others)).or_default().push((bound, *count));
        }
        for ((family, labels), mut buckets) in buckets {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.is_sorted_by_key(|bucket| bucket.1), "{family}");
            let all = self.rows[&(format!("{family}_count"), labels)];
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, all)), "{family}");
        }
    }

    /// Returns a row, when it is there.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let labels = labels.iter().map(owned).collect();
        self.rows.get(&(name.to_owned(), labels)).copied()
    }

    /// Returns a row that must be there.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?}"))
    }

    /// Returns the rows of a family: the names of the labels of each, without the bounds of
    /// buckets.
    pub(crate) fn labels(&self, family: &str, kind: &str) -> Vec<Vec<&str>> {
        let behind = match kind {
            "counter" => "_total",
            "info" => "_info",
            "histogram" => "_count",
            _ => "",
        };
        let wanted = format!("{family}{behind}");
        let rows = self.rows.keys().filter(|(name, _)| *name == wanted);
        rows.map(|(_, labels)| labels.iter().map(|(name, _)| &**name).collect()).collect()
    }

    /// Returns the values of a label in the rows of a name.
    pub(crate) fn values_of(&self, wanted: &str, label: &str) -> BTreeSet<&str> {
        let rows = self.rows.keys().filter(|(name, _)| name == wanted);
        let labels = rows.flat_map(|(_, labels)| labels);
        labels.filter(|(name, _)| name == label).map(|(_, value)| &**value).collect()
    }
}

/// Reads `name{label="value",...} number`.
fn row(line: &str) -> (String, Labels, f64) {
    let (head, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
    let value: f64 = number.parse().unwrap_or_else(|_| panic!("{line}"));
    let Some((name, rest)) = head.split_once('{') else {
        return (named(head), Vec::new(), value);
    };
    let mut rest = rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        let (mut text, mut end) = (String::new(), None);
        let mut characters = after.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = Some(at + 1);
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => panic!("{line}"),
                },
                other => text.push(other),
            }
        }
        labels.push((named(label), text));
        rest = &after[end.unwrap_or_else(|| panic!("{line}"))..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').unwrap_or_else(|| panic!("{line}"));
            assert!(!rest.is_empty(), "{line}");
        }
    }
    (named(name), labels, value)
}

fn named(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(!name.is_empty() && name.chars().all(is_plain), "{name}");
    name.to_owned()
}
