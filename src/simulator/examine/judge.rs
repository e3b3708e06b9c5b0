//! What came of a case, and whether that is right.

use super::case::Expects;
use super::drive::{Look, Stop};
use crate::report::{Outcome, Text};
use crate::simulator::people::Person;

/// How a login ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// Somebody is signed in.
    SignedIn(Who),
    /// Nobody is; this was the status of the last page.
    Nobody(u16),
}

/// Who is signed in, as far as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The person whom the node named.
    Named,
    /// Another one.
    Other,
    /// The page does not show it.
    NotShown,
}

/// What came of a case.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) seen: Text,
}

/// What the page shows of a person: found out by a plain login.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Vec<Mark>);

type Mark = fn(&Person) -> &str;

/// What a page may show of a person. Names of the crowd are plain letters.
const MARKS: [Mark; 4] = [
    |person| &person.given_name,
    |person| &person.family_name,
    |person| &person.identifier,
    |person| &person.login,
];

impl Marks {
    /// Finds what a page shows of a person.
    pub(super) fn find(text: &str, person: &Person) -> Self {
        Self(MARKS.into_iter().filter(|mark| text.contains(mark(person))).collect())
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Says whom a page shows.
    pub(super) fn who(&self, text: &str, person: &Person) -> Who {
        if self.0.is_empty() {
            Who::NotShown
        } else if self.0.iter().all(|mark| text.contains(mark(person))) {
            Who::Named
        } else {
            Who::Other
        }
    }
}

impl Ending {
    /// Says how it ended, by the last page and a look at who is signed in.
    pub(super) fn of(look: &Look, last_status: u16, marks: &Marks, person: &Person) -> Self {
        if look.is_signed_in {
            Self::SignedIn(marks.who(&look.page.text, person))
        } else {
            Self::Nobody(last_status)
        }
    }
}

impl Verdict {
    pub(super) fn passed(seen: Text) -> Self {
        Self { outcome: Outcome::Passed, seen }
    }

    pub(super) fn failed(seen: Text) -> Self {
        Self { outcome: Outcome::Failed, seen }
    }

    pub(super) fn skipped(why: Text) -> Self {
        Self { outcome: Outcome::Skipped(why), seen: Text::default() }
    }

    /// The verdict on a story that could not be told to its end.
    pub(super) fn stopped(stop: Stop) -> Self {
        match stop {
            Stop::NoAnswer(what) => Self::failed(Text::new(
                format!("brak odpowiedzi: {}", what.pl),
                format!("no answer: {}", what.en),
            )),
            Stop::Astray(why) => Self { outcome: Outcome::Error(why), seen: Text::default() },
        }
    }

    /// The verdict on one login.
    pub(super) fn on(expects: Expects, ending: Ending) -> Self {
        let seen = match &ending {
            Ending::SignedIn(who) => who.text(),
            Ending::Nobody(status) => Text::new(
                format!("nikt nie jest zalogowany (status {status})"),
                format!("nobody is signed in (status {status})"),
            ),
        };
        let is_right = matches!(
            (expects, &ending),
            (Expects::Answered, _)
                | (Expects::Taken, Ending::SignedIn(Who::Named | Who::NotShown))
                | (Expects::NoOtherPerson, Ending::SignedIn(Who::Named))
                | (Expects::NoOtherPerson | Expects::Refused, Ending::Nobody(_))
        );
        if is_right { Self::passed(seen) } else { Self::failed(seen) }
    }
}

impl Who {
    fn text(self) -> Text {
        match self {
            Self::Named => Text::new(
                "zalogowano osobę, którą nazwał węzeł",
                "the person whom the node named is signed in",
            ),
            Self::Other => Text::new("zalogowano inną osobę", "another person is signed in"),
            Self::NotShown => Text::new(
                "ktoś jest zalogowany; strona nie mówi, kto",
                "somebody is signed in; the page does not say who",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::crowd;

    #[test]
    fn a_page_shows_the_named_person_another_one_or_nobody() {
        let (one, other) = (&crowd::person(1), &crowd::person(2));
        let page = |person: &Person| format!("<p>{} {}</p>", person.given_name, person.identifier);
        let marks = Marks::find(&page(one), one);
        assert_eq!(marks.count(), 2);
        assert_eq!(marks.who(&page(one), one), Who::Named);
        assert_eq!(marks.who(&page(other), one), Who::Other);
        let half = page(one).replace(&*one.identifier, &one.identifier[..5]);
        assert_eq!(marks.who(&half, one), Who::Other, "a value that was cut off");
        assert_eq!(Marks::find("welcome", one).who("welcome", one), Who::NotShown);
    }

    #[test]
    fn what_is_right_depends_on_what_is_expected() {
        let signed = |who| Ending::SignedIn(who);
        for (expects, ending, is_right) in [
            (Expects::Taken, signed(Who::Named), true),
            (Expects::Taken, signed(Who::NotShown), true),
            (Expects::Taken, signed(Who::Other), false),
            (Expects::Taken, Ending::Nobody(403), false),
            (Expects::Refused, Ending::Nobody(500), true),
            (Expects::Refused, signed(Who::Named), false),
            (Expects::NoOtherPerson, Ending::Nobody(403), true),
            (Expects::NoOtherPerson, signed(Who::Named), true),
            (Expects::NoOtherPerson, signed(Who::NotShown), false),
            (Expects::NoOtherPerson, signed(Who::Other), false),
            (Expects::Answered, signed(Who::Named), true),
            (Expects::Answered, Ending::Nobody(403), true),
        ] {
            let verdict = Verdict::on(expects, ending);
            assert_eq!(verdict.outcome == Outcome::Passed, is_right, "{expects:?} {ending:?}");
        }
        // No answer is never right; what leads astray says nothing of the service.
        let silent = Verdict::stopped(Stop::NoAnswer(Text::same("30 s")));
        assert_eq!(silent.outcome, Outcome::Failed);
        let astray = Verdict::stopped(Stop::Astray(Text::same("429")));
        assert!(matches!(astray.outcome, Outcome::Error(_)));
    }
}
