//! The language of a page, chosen from what the browser says it prefers.

use std::cmp::Reverse;

/// A language that the pages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Polish, which is used whenever the browser does not clearly prefer another one.
    #[default]
    Polish,
    /// For browsers that prefer English to Polish.
    English,
    /// For browsers that prefer Ukrainian to both.
    Ukrainian,
}

impl Language {
    /// Every language, Polish first.
    pub const ALL: [Self; 3] = [Self::Polish, Self::English, Self::Ukrainian];

    /// Those that the tools for developers and operators speak: the simulator, the demonstration
    /// portal, reports.
    pub const OF_TOOLS: [Self; 2] = [Self::Polish, Self::English];

    /// Returns the language that suits an `Accept-Language` header best, or Polish.
    ///
    /// RFC 9110 12.5.4: ranges carry a quality from 0 to 1. Among equal qualities the range listed
    /// first wins, as browsers mean it. A malformed range is skipped, and so is everything after
    /// the first 32 ranges.
    pub fn negotiate(accept_language: Option<&str>) -> Self {
        Self::negotiate_among(&Self::ALL, accept_language)
    }

    /// The same among some languages, of which Polish is one.
    pub fn negotiate_among(languages: &[Self], accept_language: Option<&str>) -> Self {
        let header = accept_language.unwrap_or_default();
        let mut best = (Self::Polish, Preference::of(header, Self::Polish));
        for &language in languages {
            let preference = Preference::of(header, language);
            if preference > best.1 && preference.is_some_and(|wanted| wanted.quality > 0) {
                best = (language, preference);
            }
        }
        best.0
    }

    /// Reads a language tag as [`Self::code`] writes it, and nothing else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// Returns the name of the language in the language itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polish => "Polski",
            Self::English => "English",
            Self::Ukrainian => "Українська",
        }
    }

    /// Returns the language tag (BCP 47): `pl`, `en` or `uk`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Polish => "pl",
            Self::English => "en",
            Self::Ukrainian => "uk",
        }
    }
}

/// How much the browser wants a language: by quality first, then by the place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    quality: u16,
    place: Reverse<usize>,
}

impl Preference {
    /// Returns the preference for a language; `*` counts only where no range names the language.
    fn of(header: &str, language: Language) -> Option<Self> {
        let matching = |wanted: fn(&str, Language) -> bool| {
            header
                .split(',')
                .take(MAX_RANGES)
                .enumerate()
                .filter_map(|(place, item)| {
                    let (range, quality) = parse_range(item)?;
                    let place = Reverse(place);
                    wanted(range, language).then_some(Self { quality, place })
                })
                .max()
        };
        matching(names).or_else(|| matching(|range, _| range == "*"))
    }
}

/// Tells whether a range such as `pl` or `pl-PL` names the language.
fn names(range: &str, language: Language) -> bool {
    let primary = range.split('-').next().unwrap_or_default();
    primary.eq_ignore_ascii_case(language.code())
}

/// Splits `en-GB;q=0.8` into the range and its quality in thousandths.
fn parse_range(item: &str) -> Option<(&str, u16)> {
    match item.split_once(';') {
        None => Some((trim(item), 1000)),
        Some((range, weight)) => Some((trim(range), parse_weight(trim(weight))?)),
    }
}

/// RFC 9110 12.4.2: `q=` and 0 or 1 with at most three decimals; no more than 1.
fn parse_weight(weight: &str) -> Option<u16> {
    let value = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = decimals
        .bytes()
        .zip([100, 10, 1])
        .map(|(digit, scale)| u16::from(digit - b'0') * scale)
        .sum();
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// RFC 9110 5.6.3: optional whitespace is spaces and tabs.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// How many ranges of a header are read; browsers send fewer than ten.
const MAX_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_what_the_browser_prefers_and_polish_otherwise() {
        use Language::{English, Polish, Ukrainian};
        let table = [
            ("", Polish),
            ("pl", Polish),
            ("en", English),
            ("EN-us", English),
            ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", Polish),
            ("en-US,en;q=0.9,pl;q=0.8", English),
            ("pl;q=0.8, en;q=0.9", English),
            ("pl;q=0.801, en;q=0.8", Polish),
            ("en;q=0.3, pl-PL;q=0.8, pl;q=0.1", Polish),
            ("en,pl", English),
            ("pl,en", Polish),
            ("*", Polish),
            ("en,*", English),
            ("*,en", Polish),
            ("en;q=0.5,*;q=0.8", Polish),
            ("pl;q=0,*", English),
            ("pl;q=0", Polish),
            ("en;q=0", Polish),
            ("pl;q=0,en;q=0", Polish),
            ("de,uk;q=0.9", Ukrainian),
            ("uk,en;q=0.1", Ukrainian),
            ("uk-UA,uk;q=0.9,pl;q=0.8,en;q=0.7", Ukrainian),
            ("pl,uk;q=0.9", Polish),
            ("en,uk;q=0.9", English),
            ("uk;q=0", Polish),
            ("*,uk", Polish),
            ("ua,ru", Polish),
            ("\ten ; q=0.9 ,\tpl\t;\tQ=0.8", English),
            (",,en,,", English),
            // Not weights, so these ranges are skipped.
            ("en;q=2", Polish),
            ("en;q=1.001", Polish),
            ("en;q=0.1234", Polish),
            ("en;q=-1", Polish),
            ("en;q=0.ż", Polish),
            ("en;q=", Polish),
            ("en;quality=1", Polish),
            ("en;", Polish),
            // Not our languages.
            ("english", Polish),
            ("x-en", Polish),
            (";;;===,,,\u{0}\u{ffff}", Polish),
        ];
        for (header, expected) in table {
            assert_eq!(Language::negotiate(Some(header)), expected, "{header:?}");
        }
        assert_eq!(Language::negotiate(None), Polish);
    }

    #[test]
    fn tools_speak_no_more_than_they_know() {
        let among = |header| Language::negotiate_among(&Language::OF_TOOLS, Some(header));
        assert_eq!(among("uk,en;q=0.1"), Language::English);
        assert_eq!(among("uk"), Language::Polish);
    }

    #[test]
    fn a_tag_is_read_as_it_is_written_or_not_at_all() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.code()), Some(language));
        }
        for hostile in ["", "PL", "pl-PL", "pl ", "de", "<script>", "en\r\n", "ук"] {
            assert_eq!(Language::parse(hostile), None, "{hostile:?}");
        }
    }

    #[test]
    fn reads_no_more_ranges_than_the_bound() {
        let padding = "de,".repeat(MAX_RANGES - 1);
        assert_eq!(Language::negotiate(Some(&format!("{padding}en"))), Language::English);
        assert_eq!(Language::negotiate(Some(&format!("{padding}de,en"))), Language::Polish);
    }
}
