//! Tells a history in words.

use std::fmt::Write;

use super::Told;
use super::advice::{self, Advice};
use super::words::{Language, of_check};
use crate::base::clock::{Time, for_operators};
use crate::base::foreign::escaped;
use crate::flow::history::{Check, History, Outcome, Step, Visit, What};
use crate::pages::{ErrorPage, Language as PageLanguage};
use crate::saml::finding::{Finding, Value};

/// What a visit was refused for.
struct Cause<'h> {
    reason: &'h str,
    finding: Option<&'h Finding>,
    detail: &'h str,
}

impl Told {
    /// Tells it all, for people.
    pub(super) fn in_words(&self, language: Language) -> String {
        let mut text = Text { language, lines: String::new() };
        text.history(&self.0);
        // Values of others may hold what a terminal obeys; line ends are ours.
        text.lines.trim_end().lines().map(escaped_line).collect::<Vec<_>>().join("\n")
    }
}

fn escaped_line(line: &str) -> String {
    if line.chars().any(char::is_control) { escaped(line) } else { line.to_owned() }
}

struct Text {
    language: Language,
    lines: String,
}

impl Text {
    fn history(&mut self, history: &History) {
        let pick = |english, polish| self.language.pick(english, polish);
        let cause = cause(history);
        let (is_in, at) = (history.session.is_some(), history.visits.last().map(|visit| visit.at));
        let at = at.map(for_operators).unwrap_or_default();
        let verdict = match (&cause, is_in) {
            (_, true) => pick("the citizen was signed in", "obywatel został zalogowany").to_owned(),
            (Some(cause), false) => {
                format!("{}: {}", pick("not signed in", "nie zalogowano"), cause.reason)
            }
            (None, false) => pick("not known", "nie wiadomo").to_owned(),
        };
        self.line(0, format!("{at}: {verdict}"));
        if let Some(cause) = cause {
            self.cause(&cause);
        }
        self.heading("what happened (UTC)", "co się działo (UTC)");
        self.begun(history);
        for visit in &history.visits {
            self.visit(visit);
        }
        if history.more_visits > 0 {
            let more = history.more_visits;
            self.line(
                1,
                self.language.pick(
                    format!("and {more} more times the citizen came back"),
                    format!("i jeszcze {more} razy obywatel wracał"),
                ),
            );
        }
        self.heading("what it is known by", "po czym je poznać");
        self.facts(history);
    }

    fn cause(&mut self, cause: &Cause<'_>) {
        if cause.finding.is_some() || !cause.detail.is_empty() {
            self.heading("what failed", "co zawiodło");
        }
        if let Some(finding) = cause.finding {
            let words = of_check(&finding.check, self.language).unwrap_or_default();
            self.line(1, format!("{}: {words}", finding.check));
            let (expected, found) =
                self.language.pick(("expected", "found"), ("oczekiwano", "znaleziono"));
            for (name, value) in [(expected, &finding.expected), (found, &finding.found)] {
                if let Some(value) = self.value(value) {
                    self.line(2, format!("{name}: {value}"));
                }
            }
        }
        if !cause.detail.is_empty() {
            self.line(1, cause.detail);
        }
        let Some(Advice { meaning, deeds }) = advice::find(cause.reason, self.language) else {
            return;
        };
        self.heading("what it means", "co to znaczy");
        self.line(1, meaning);
        self.heading("who does what", "kto co robi");
        for deed in deeds {
            self.line(1, deed);
        }
    }

    fn value(&self, value: &Value) -> Option<String> {
        match value {
            Value::Nothing => None,
            Value::Text(text) => Some(text.clone()),
            Value::Time(text) => Some(text.parse().map_or_else(|_| text.clone(), for_operators)),
            Value::Said { code, letters: 0, .. } => Some(code.clone()),
            Value::Said { code, letters, sha256 } => Some(self.language.pick(
                format!("{code}, with a text of {letters} letters (SHA-256 {sha256}…), which is not kept"),
                format!("{code}, z tekstem o długości {letters} (SHA-256 {sha256}…), którego nie zachowano"),
            )),
        }
    }

    fn begun(&mut self, history: &History) {
        let Some(began) = history.began else { return };
        let level = history.assurance.as_deref().unwrap_or("-");
        let mut line = self.language.pick(
            format!("the citizen was sent to the node; asked for: at least {level}"),
            format!("obywatel poszedł do węzła; żądano: co najmniej {level}"),
        );
        if history.anew {
            line.push_str(self.language.pick(", identified anew", ", potwierdzone na nowo"));
        }
        if history.from_elsewhere {
            line.push_str(self.language.pick(
                "; a page of another site led there",
                "; prowadziła tam strona innej witryny",
            ));
        } else if history.from_unknown {
            line.push_str(self.language.pick(
                "; which site's page led there is not known: the browser does not say",
                "; nie wiadomo, czyja strona tam prowadziła: przeglądarka tego nie mówi",
            ));
        }
        self.line(1, format!("{} {line}", time(began)));
    }

    fn visit(&mut self, visit: &Visit) {
        for Step { at, what } in &visit.steps {
            let line = self.step(what);
            self.line(1, format!("{} {line}", time(*at)));
            if let What::Examined { checks } = what {
                self.checks(checks);
            }
        }
        let line = self.outcome(&visit.outcome);
        let number = match visit.number.as_str() {
            "" => String::new(),
            number => format!(" ({} {number})", self.language.pick("number", "numer")),
        };
        let at = visit.told.unwrap_or(visit.at);
        self.line(1, format!("{} {line}{number}", time(at)));
    }

    fn step(&self, what: &What) -> String {
        let pick = |english: String, polish: String| self.language.pick(english, polish);
        let same = |english: &str, polish: &str| self.language.pick(english, polish).to_owned();
        match what {
            What::Delivered => same(
                "the browser brought the node's answer",
                "przeglądarka przyniosła odpowiedź węzła",
            ),
            What::Permitted { waited } => pick(
                format!("there was a place to ask the node after {waited} ms"),
                format!("miejsce na pytanie do węzła było po {waited} ms"),
            ),
            What::Claimed => same("the login was claimed", "zajęto logowanie"),
            What::ClaimedBefore => {
                same("the login had been claimed before", "logowanie było już zajęte")
            }
            What::GivenBack => same(
                "nothing was spent: the citizen may repeat it within a minute",
                "nic nie przepadło: obywatel może powtórzyć w ciągu minuty",
            ),
            What::Asked { took, status, bytes } => {
                let status = status.map_or("-".to_owned(), |status| status.to_string());
                let bytes = bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
                pick(
                    format!("the node was asked: {took} ms, HTTP {status}, {bytes} bytes"),
                    format!("zapytano węzeł: {took} ms, HTTP {status}, bajtów {bytes}"),
                )
            }
            What::Examined { checks } => {
                let held = checks.iter().filter(|check| check.is_held == Some(true)).count();
                pick(
                    format!("the answer was examined: {held} of {} checks held", checks.len()),
                    format!(
                        "zbadano odpowiedź: {held} z {} sprawdzeń wypadło dobrze",
                        checks.len()
                    ),
                )
            }
            What::FirstUse => same(
                "neither artifact nor assertion had been used before",
                "ani artefaktu, ani asercji nie użyto wcześniej",
            ),
            What::SessionBegan => same("a session began", "zaczęła się sesja"),
        }
    }

    fn checks(&mut self, checks: &[Check]) {
        for Check { name, is_held, seen } in checks {
            let mark = match is_held {
                Some(true) => "ok",
                Some(false) => self.language.pick("FAILED", "ŹLE"),
                None => self.language.pick("not made", "nie wykonano"),
            };
            self.line(2, format!("{mark:<8} {name:<34} {seen}"));
        }
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::SignedIn { assurance, again } => {
                let again =
                    if *again { self.language.pick(", once more", ", ponownie") } else { "" };
                let signed_in =
                    self.language.pick("the citizen was signed in", "obywatel został zalogowany");
                format!("{signed_in}: {assurance}{again}")
            }
            Outcome::BeganAgain => self
                .language
                .pick("the citizen began again from the page", "obywatel zaczął od nowa ze strony")
                .to_owned(),
            Outcome::Left { reason, .. } => format!(
                "{}{}",
                self.language.pick(
                    "the browser was gone before the answer",
                    "przeglądarka odeszła przed odpowiedzią"
                ),
                reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
            ),
            Outcome::Refused { reason, status, page, .. } => {
                let title = title(page, self.language).unwrap_or(page);
                let told = self.language.pick("the citizen was told", "obywatel przeczytał");
                format!("{told} \"{title}\" ({reason}, {status})")
            }
        }
    }

    fn facts(&mut self, history: &History) {
        let identified = history.identified.map(for_operators);
        let requests = history.visits.iter().map(|visit| visit.request.clone());
        let requests = requests.filter(|request| !request.is_empty());
        let requests = Some(requests.collect::<Vec<_>>().join(", ")).filter(|all| !all.is_empty());
        let pick = |english, polish| self.language.pick(english, polish);
        let rows = [
            (pick("requests in the log", "żądania w dzienniku"), &requests),
            ("AuthnRequest", &history.login),
            ("ArtifactResolve", &history.resolve),
            (pick("artifact (digest)", "artefakt (skrót)"), &history.artifact),
            (pick("assertion", "asercja"), &history.assertion),
            ("AuthnInstant", &identified),
            (pick("way of identifying", "środek identyfikacji"), &history.authority),
            ("sid", &history.session),
        ];
        let known =
            rows.map(|(name, value)| value.as_ref().map(|value| format!("{name}: {value}")));
        for line in known.into_iter().flatten() {
            self.line(1, line);
        }
    }

    fn heading(&mut self, english: &str, polish: &str) {
        self.line(0, format!("{}:", self.language.pick(english, polish)));
    }

    fn line(&mut self, depth: usize, line: impl AsRef<str>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.lines, "{:1$}{2}", "", 2 * depth, line.as_ref().trim_end());
    }
}

/// Finds what the citizen was refused for first: later visits are told the same, or what follows
/// from it.
fn cause(history: &History) -> Option<Cause<'_>> {
    let mut causes = history.visits.iter().filter_map(|visit| match &visit.outcome {
        Outcome::SignedIn { .. } | Outcome::BeganAgain => None,
        Outcome::Left { reason, finding } => {
            let (finding, detail) = (finding.as_ref(), "");
            Some(Cause { reason: reason.as_deref()?, finding, detail })
        }
        Outcome::Refused { reason, finding, detail, .. } => {
            Some(Cause { reason, finding: finding.as_ref(), detail })
        }
    });
    causes.next()
}

/// Returns the heading of a page, when it is one of those of this program.
fn title(page: &str, language: Language) -> Option<&'static str> {
    let known = ErrorPage::parse(page)?;
    let language = language.pick(PageLanguage::English, PageLanguage::Polish);
    Some(known.words(language).title)
}

/// The time of the day, in UTC, with milliseconds.
fn time(at: Time) -> String {
    at.strftime("%H:%M:%S%.3f").to_string()
}
