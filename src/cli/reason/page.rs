//! The page of reason codes, read as data.
//!
//! 1. Its tables are the data. The first column has the codes of a row in backticks; the heads of
//!    the other columns say what they are.
//! 2. The last column says who does what: `citizen: begin again; operator: raise the time`, in the
//!    words of [`WHO`].
//! 3. Links become the names of the files that they lead to. Backticks stay: they mark what is to
//!    be typed or looked for.

/// What the page says of one code.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) code: &'static str,
    /// The HTTP status, where the table has a column for it.
    pub(super) status: Option<String>,
    pub(super) meaning: String,
    deeds: String,
    /// The heading above the table.
    section: &'static str,
}

impl Reason {
    /// Returns who does what: `("operator", "raise the time")`.
    pub(super) fn deeds(&self) -> Vec<(&str, String)> {
        let mut deeds: Vec<(&str, Vec<&str>)> = Vec::new();
        for word in self.deeds.split(' ') {
            match (word.strip_suffix(':').filter(|who| WHO.contains(who)), deeds.last_mut()) {
                (Some(who), _) => deeds.push((who, Vec::new())),
                (None, Some((_, what))) => what.push(word),
                (None, None) => {}
            }
        }
        let text = |what: Vec<&str>| what.join(" ").trim_end_matches(';').to_owned();
        deeds.into_iter().map(|(who, what)| (who, text(what))).collect()
    }

    /// Returns where it stands in the manual.
    pub(super) fn place(&self) -> String {
        format!("docs/reasons.md, \"{}\"", self.section)
    }
}

/// Returns every reason code that the manual has, in its order.
pub(super) fn reasons() -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut section = "";
    let mut heads: Vec<&str> = Vec::new();
    for line in PAGE.lines() {
        let row = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
        match (row, line.strip_prefix("## ")) {
            (Some(row), _) if heads.is_empty() => heads = row.split(" | ").collect(),
            (Some(row), _) => {
                let cells: Vec<_> = row.split(" | ").collect();
                let cell = |head: &str| {
                    let place = heads.iter().position(|known| *known == head)?;
                    cells.get(place).map(|cell| without_links(cell))
                };
                for code in cells[0].split('`').skip(1).step_by(2) {
                    reasons.push(Reason {
                        code,
                        status: cell(STATUS),
                        meaning: cell(MEANING).unwrap_or_default(),
                        deeds: cell(DEEDS).unwrap_or_default(),
                        section,
                    });
                }
            }
            (None, Some(heading)) => section = heading,
            // The line below the heads belongs to the table; any other ends it.
            (None, None) if line.starts_with("|-") => {}
            (None, None) => heads.clear(),
        }
    }
    reasons
}

/// Replaces `[logins]` by the file that it leads to.
fn without_links(cell: &str) -> String {
    definitions().fold(cell.to_owned(), |cell, (link, target)| {
        let file = match target.strip_prefix("../") {
            Some(source) => source.to_owned(),
            None => format!("docs/{target}"),
        };
        cell.replace(link, &file)
    })
}

/// The references of the page, and what they refer to.
fn definitions() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once(": "))
}

const PAGE: &str = include_str!("../../../docs/reasons.md");

/// Heads of the columns.
const STATUS: &str = "status";
const MEANING: &str = "what it means";
const DEEDS: &str = "who does what";

/// The parties that may have something to do, as the page names them.
const WHO: [&str; 5] = ["citizen", "operator", "portal", "node", "nobody"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::reason;

    #[test]
    fn every_code_that_is_counted_has_one_row_and_somebody_who_does_something() {
        let reasons = reasons();
        let codes: BTreeSet<_> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(codes.len(), reasons.len(), "a code has two rows");
        let all = reason::Reason::ALL.iter().map(|reason| reason.as_str());
        let missing: Vec<_> = all.filter(|code| !codes.contains(code)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for reason in &reasons {
            let code = reason.code;
            assert!(!reason.meaning.is_empty(), "{code}");
            assert!(!reason.section.is_empty(), "{code}");
            let deeds = reason.deeds();
            assert!(!deeds.is_empty(), "{code}: who does what?");
            assert!(deeds.iter().all(|(_, what)| !what.is_empty()), "{code}: {deeds:?}");
            let first = format!("{}:", deeds[0].0);
            assert!(reason.deeds.starts_with(&first), "{code} begins with nobody's name");
            let whole = format!("{:?} {} {}", reason.status, reason.meaning, reason.deeds);
            assert!(!whole.contains('|'), "{code}: {whole}");
            assert!(definitions().all(|(link, _)| !whole.contains(link)), "{code}: {whole}");
        }
    }

    #[test]
    fn every_table_has_the_columns_that_are_read_and_no_other() {
        let heads = PAGE.lines().filter(|line| line.starts_with("| code |"));
        let mut tables = 0;
        for line in heads {
            tables += 1;
            assert!(
                line == "| code | what it means | who does what |"
                    || line == "| code | status | what it means | who does what |",
                "{line}"
            );
        }
        assert!(tables >= 10);
        for line in PAGE.lines().filter(|line| line.starts_with("| ")) {
            assert!(line.ends_with(" |"), "{line}");
        }
    }

    #[test]
    fn deeds_are_told_apart_by_who_does_them() {
        let reasons = reasons();
        let expired = reasons.iter().find(|reason| reason.code == "login.expired").unwrap();
        let deeds = [
            ("citizen", String::from("begin again")),
            ("operator", String::from("raise the time if it happens much")),
        ];
        assert_eq!(expired.deeds(), deeds);
        assert!(expired.place().contains("The way back from the node"));
    }
}
