//! Certificates that end, have ended, are not valid yet, were replaced, or cannot be read any more.
//!
//! 1. Each is told once within 60, 30, 14, 7 and 1 days of its end; from 7 days on, and after its
//!    end, every day.
//! 2. One that another has followed already is told at the same times, as something to tidy up.
//! 3. One that is taken away, or replaced, is told no more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::app::inventory::{DAY, Dated, Use};
use crate::base::clock::{Time, later};
use crate::observe::alarm::CertificateNews;

/// What is told of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    pub(super) certificate: Dated,
    pub(super) what: CertificateNews,
    /// Whole days to its end.
    pub(super) days_left: u64,
    /// Whether another one has taken its place already.
    pub(super) is_followed: bool,
}

/// How a certificate stands, from well to worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    NotYetValid,
    Well,
    Within60,
    Within30,
    Within14,
    Within7,
    Within1,
    Ended,
}

impl Standing {
    fn of(certificate: &Dated, now: Time) -> Self {
        if now < certificate.not_before {
            return Self::NotYetValid;
        }
        let left = certificate.not_after.as_second().saturating_sub(now.as_second());
        if now >= certificate.not_after {
            return Self::Ended;
        }
        let within = |days: u64| u64::try_from(left).unwrap_or(0) <= days * DAY;
        match () {
            () if within(1) => Self::Within1,
            () if within(7) => Self::Within7,
            () if within(14) => Self::Within14,
            () if within(30) => Self::Within30,
            () if within(60) => Self::Within60,
            () => Self::Well,
        }
    }

    fn what(self) -> Option<CertificateNews> {
        Some(match self {
            Self::NotYetValid => CertificateNews::NotYetValid,
            Self::Well => return None,
            Self::Within60 => CertificateNews::Ends { within: 60 },
            Self::Within30 => CertificateNews::Ends { within: 30 },
            Self::Within14 => CertificateNews::Ends { within: 14 },
            Self::Within7 => CertificateNews::Ends { within: 7 },
            Self::Within1 => CertificateNews::Ends { within: 1 },
            Self::Ended => CertificateNews::Ended,
        })
    }

    /// Tells whether it is said again every day.
    fn is_daily(self) -> bool {
        self == Self::NotYetValid || self >= Self::Within7
    }
}

/// Which certificate: what it is for, the key that names it, and its digest.
type Id = (Use, String, String);

/// What was told of one.
#[derive(Debug, Clone)]
struct Told {
    standing: Standing,
    at: Time,
    is_followed: bool,
}

/// What was told of certificates.
#[derive(Debug, Default)]
pub(super) struct CertificateAlarms {
    told: BTreeMap<Id, Told>,
    /// Files that cannot be used, with when that was told.
    unreadable: BTreeMap<(PathBuf, String), Time>,
}

impl CertificateAlarms {
    /// Looks at all that is in use; returns what is to be told.
    pub(super) fn look(&mut self, all: &[Dated], now: Time) -> Vec<News> {
        let mut news = self.replaced(all, now);
        for one in all {
            let (standing, is_followed) = (Standing::of(one, now), one.is_followed(all, now));
            let before = self.told.get(&id(one)).map(|told| (told.standing, told.at));
            let what = match before {
                None => standing.what(),
                Some((Standing::NotYetValid, _)) if standing > Standing::NotYetValid => {
                    news.push(News::new(one, CertificateNews::ValidNow, is_followed, now));
                    standing.what()
                }
                Some((told, _)) if standing > told => standing.what(),
                Some((told, at)) if standing == told => {
                    // A clock that was set back makes no silence.
                    let is_due = now >= later(at, DAILY) || now < at;
                    if standing.is_daily() && is_due { standing.what() } else { None }
                }
                Some(_) => None,
            };
            let is_same = before.is_some_and(|(told, _)| told == standing);
            let at = match before {
                Some((_, at)) if is_same && what.is_none() => at,
                _ => now,
            };
            self.told.insert(id(one), Told { standing, at, is_followed });
            news.extend(what.map(|what| News::new(one, what, is_followed, now)));
        }
        news
    }

    /// Forgets those that are gone, and tells of what has come in their place.
    fn replaced(&mut self, all: &[Dated], now: Time) -> Vec<News> {
        let present: BTreeSet<Id> = all.iter().map(id).collect();
        let gone: Vec<Id> =
            self.told.keys().filter(|known| !present.contains(known)).cloned().collect();
        let mut news = Vec::new();
        for (used_for, source, before) in gone {
            self.told.remove(&(used_for, source.clone(), before.clone()));
            let is_new = |one: &&Dated| {
                one.used_for == used_for
                    && one.source == source
                    && !self.told.contains_key(&id(one))
            };
            if let Some(new) = all.iter().find(is_new) {
                let what = CertificateNews::Replaced { before };
                news.push(News::new(new, what, new.is_followed(all, now), now));
            }
        }
        news
    }

    /// Takes in which files can be read, and why not; returns what is to be told.
    pub(super) fn read(&mut self, all: Vec<(Dated, Option<String>)>, now: Time) -> Vec<News> {
        let mut news = Vec::new();
        let mut still = BTreeMap::new();
        for (one, why) in all {
            let why = match why {
                None if one.is_outdated => Some(OUTDATED.to_owned()),
                why => why,
            };
            let file = (one.file.clone(), one.source.clone());
            if still.contains_key(&file) {
                continue;
            }
            let before = self.unreadable.remove(&file);
            match (why, before) {
                (None, None) => {}
                (None, Some(_)) => {
                    news.push(News::new(&one, CertificateNews::Readable, false, now));
                }
                (Some(_), Some(at)) if now < later(at, DAILY) && now >= at => {
                    still.insert(file, at);
                }
                (Some(why), _) => {
                    news.push(News::new(&one, CertificateNews::Unreadable { why }, false, now));
                    still.insert(file, now);
                }
            }
        }
        self.unreadable = still;
        news
    }

    /// Tells whether one that matters ends within 14 days, is not valid, or cannot be read.
    pub(super) fn goes_on(&self) -> bool {
        let matters = |told: &Told| {
            !told.is_followed
                && (told.standing == Standing::NotYetValid || told.standing >= Standing::Within14)
        };
        !self.unreadable.is_empty() || self.told.values().any(matters)
    }
}

impl News {
    fn new(certificate: &Dated, what: CertificateNews, is_followed: bool, now: Time) -> Self {
        let days_left = certificate.days_left(now);
        Self { certificate: certificate.clone(), what, days_left, is_followed }
    }
}

fn id(one: &Dated) -> Id {
    (one.used_for, one.source.clone(), one.sha256.clone())
}

/// What is wrong with the files of a listener's pair is told when they change.
const OUTDATED: &str = "what its files hold now cannot be used";
/// How often what goes on is told.
const DAILY: Duration = Duration::from_secs(DAY);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::inventory::tests::dated;
    use crate::base::clock::{Clock as _, ManualClock};

    /// What is told, in a word, and on which day of the simulation.
    type Said = Vec<(i64, String)>;

    fn word(news: &News) -> String {
        match &news.what {
            CertificateNews::NotYetValid => "not_yet".to_owned(),
            CertificateNews::ValidNow => "valid".to_owned(),
            CertificateNews::Ends { within } => format!("{within}:{}", news.days_left),
            CertificateNews::Ended => "ended".to_owned(),
            CertificateNews::Replaced { .. } => "replaced".to_owned(),
            CertificateNews::Unreadable { .. } => "unreadable".to_owned(),
            CertificateNews::Readable => "readable".to_owned(),
        }
    }

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    /// Looks every six hours from one time to another at what there is then.
    fn simulate(from: &str, to: &str, all: impl Fn(Time) -> Vec<Dated>) -> Said {
        let (clock, mut alarms) = (ManualClock::at(at(from)), CertificateAlarms::default());
        let (begin, mut said) = (at(from).as_second(), Vec::new());
        while clock.now() < at(to) {
            let now = clock.now();
            let day = (now.as_second() - begin) / (24 * 3600);
            said.extend(alarms.look(&all(now), now).iter().map(|news| (day, word(news))));
            clock.advance(Duration::from_secs(6 * 3600));
        }
        said
    }

    fn days(said: &Said) -> Vec<(i64, &str)> {
        said.iter().map(|(day, word)| (*day, &**word)).collect()
    }

    const THREE_YEARS: (&str, &str) = ("2030-01-01T00:00:00Z", "2033-01-01T00:00:00Z");

    #[test]
    fn three_years_are_told_at_each_threshold_once_and_daily_at_the_end() {
        let one = dated(Use::Signing, "service.signing_certificate", THREE_YEARS);
        let said = simulate("2030-01-01T00:00:00Z", "2033-01-04T00:00:00Z", |_| vec![one.clone()]);
        let end = 1096;
        let expected = [
            (end - 60, "60:60"),
            (end - 30, "30:30"),
            (end - 14, "14:14"),
            (end - 7, "7:7"),
            (end - 6, "7:6"),
            (end - 5, "7:5"),
            (end - 4, "7:4"),
            (end - 3, "7:3"),
            (end - 2, "7:2"),
            (end - 1, "1:1"),
            (end, "ended"),
            (end + 1, "ended"),
            (end + 2, "ended"),
        ];
        assert_eq!(days(&said), expected);
    }

    #[test]
    fn a_restart_says_once_what_goes_on_then() {
        let one = dated(Use::Signing, "service.signing_certificate", THREE_YEARS);
        for (from, expected) in [
            ("2032-10-01T00:00:00Z", &[][..]),
            ("2032-11-20T00:00:00Z", &[(0, "60:42")]),
            ("2032-12-10T00:00:00Z", &[(0, "30:22")]),
            ("2032-12-20T00:00:00Z", &[(0, "14:12")]),
            ("2032-12-31T12:00:00Z", &[(0, "1:0")]),
            ("2033-02-01T00:00:00Z", &[(0, "ended")]),
        ] {
            let to = later(at(from), Duration::from_secs(23 * 3600));
            // Within the day of the restart the same is not said twice.
            let from_to = (from, to.min(at("2033-01-01T00:00:00Z").max(at(from))).to_string());
            let to = if from == "2033-02-01T00:00:00Z" { to.to_string() } else { from_to.1 };
            let said = simulate(from, &to, |_| vec![one.clone()]);
            assert_eq!(days(&said), expected, "{from}");
        }
    }

    #[test]
    fn a_certificate_that_is_renewed_in_time_is_never_told_late() {
        // As an authority issues them: for 90 days, renewed 30 days before the end, for ten years.
        let begin = at("2030-01-01T00:00:00Z");
        let of = |number: i64| {
            let begins = Time::from_second(begin.as_second() + number * 60 * 86_400).unwrap();
            let ends = later(begins, Duration::from_secs(90 * 86_400));
            let (begins, ends) = (begins.to_string(), ends.to_string());
            dated(Use::Citizens, "listen.acme.directory", (&begins, &ends))
        };
        let said = simulate("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z", |now| {
            vec![of((now.as_second() - begin.as_second()) / (60 * 86_400))]
        });
        assert!(said.iter().all(|(_, word)| word == "replaced" || word == "60:60"), "{said:?}");
        assert_eq!(said.iter().filter(|(_, word)| word == "replaced").count(), 60);
    }

    #[test]
    fn one_that_begins_later_is_told_daily_until_it_has_begun() {
        let one = dated(Use::Client, "node.client_certificate", THREE_YEARS);
        let said = simulate("2029-12-29T00:00:00Z", "2030-01-03T00:00:00Z", |_| vec![one.clone()]);
        let expected = [(0, "not_yet"), (1, "not_yet"), (2, "not_yet"), (3, "valid")];
        assert_eq!(days(&said), expected);
    }

    #[test]
    fn one_that_takes_the_place_of_another_ends_its_alarm() {
        let soon = ("2030-01-01T00:00:00Z", "2030-02-10T00:00:00Z");
        let (old, new) = (
            dated(Use::Signing, "service.signing_certificate", soon),
            dated(Use::Signing, "service.signing_certificate", THREE_YEARS),
        );
        let mut alarms = CertificateAlarms::default();
        let now = at("2030-02-05T00:00:00Z");
        assert_eq!(word(&alarms.look(std::slice::from_ref(&old), now)[0]), "7:5");
        assert!(alarms.goes_on());
        let news = alarms.look(std::slice::from_ref(&new), now);
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].what, CertificateNews::Replaced { before: old.sha256.clone() });
        assert!(!alarms.goes_on());
        // The twin: one that is only taken away, and one beside it.
        assert!(alarms.look(&[], now).is_empty());
        let both = [old.clone(), new];
        assert_eq!(alarms.look(&both, now).len(), 1, "the old one ends");
        assert!(alarms.goes_on());
    }

    #[test]
    fn one_that_is_followed_is_told_and_no_alarm_goes_on_for_it() {
        let soon = ("2030-01-01T00:00:00Z", "2030-02-10T00:00:00Z");
        let old = dated(Use::Node, "node.certificates[0]", soon);
        let new = dated(Use::Node, "node.certificates[1]", THREE_YEARS);
        let mut alarms = CertificateAlarms::default();
        let now = at("2030-02-05T00:00:00Z");
        let news = alarms.look(&[old.clone(), new], now);
        assert!(news.len() == 1 && news[0].is_followed && !alarms.goes_on());
        // The twin: it stands alone.
        let mut alarms = CertificateAlarms::default();
        let news = alarms.look(&[old], now);
        assert!(news.len() == 1 && !news[0].is_followed && alarms.goes_on());
    }

    #[test]
    fn a_clock_that_goes_wrong_and_comes_back_makes_no_silence() {
        let one = dated(Use::Signing, "service.signing_certificate", THREE_YEARS);
        let all = [one];
        let mut alarms = CertificateAlarms::default();
        let mut said = |now: &str| alarms.look(&all, at(now)).first().map(word);
        assert_eq!(said("2031-01-01T00:00:00Z"), None);
        assert_eq!(said("2033-06-01T00:00:00Z").as_deref(), Some("ended"));
        assert_eq!(said("2031-01-02T00:00:00Z"), None);
        assert_eq!(said("2032-12-28T00:00:00Z").as_deref(), Some("7:4"));
        assert_eq!(said("2032-12-28T01:00:00Z"), None);
        assert_eq!(said("2032-12-27T00:00:00Z").as_deref(), Some("7:5"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_daily_and_when_it_is_there_again() {
        let one = dated(Use::Signing, "service.signing_certificate", THREE_YEARS);
        let outdated = Dated { is_outdated: true, ..one.clone() };
        let mut alarms = CertificateAlarms::default();
        let mut said = |one: &Dated, why: Option<&str>, now: &str| {
            let news = alarms.read(vec![(one.clone(), why.map(str::to_owned))], at(now));
            (news.first().map(word), alarms.goes_on())
        };
        let (unreadable, readable) = (Some("unreadable".to_owned()), Some("readable".to_owned()));
        assert_eq!(said(&one, None, "2031-01-01T00:00:00Z"), (None, false));
        assert_eq!(said(&one, Some("gone"), "2031-01-01T00:10:00Z"), (unreadable.clone(), true));
        assert_eq!(said(&one, Some("gone"), "2031-01-01T23:00:00Z"), (None, true));
        assert_eq!(said(&one, Some("gone"), "2031-01-02T00:10:00Z"), (unreadable.clone(), true));
        assert_eq!(said(&one, None, "2031-01-02T00:20:00Z"), (readable, false));
        assert_eq!(said(&outdated, None, "2031-01-02T00:30:00Z"), (unreadable, true));
    }
}
