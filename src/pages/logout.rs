//! The pages around signing out: the question before and the truth after.
//!
//! Signing out here always works. Whether the node ended its session too is another matter, and
//! the page never claims more than we know: on a shared computer that is what counts.

use maud::html;

use super::labels::labels;
use super::layout::{Branding, Framing, Page, Parts};
use super::plain::{CONFIRM_LOGOUT, said};
use super::policy;
use super::text::Words;

/// How a sign-out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogoutOutcome {
    /// Our session ended and the node confirmed that its session ended.
    SignedOutEverywhere,
    /// Our session ended; the node was asked and did not confirm.
    NodeDidNotConfirm,
    /// Our session ended; the node was not asked.
    NodeNotAsked,
    /// Our session ended, and that is not written down yet; the node confirmed that its own did.
    NotWritten,
    /// Our session ended, and that is not written down yet; of the node's nothing is known.
    NotWrittenNorConfirmed,
    /// There was no session to end.
    NotSignedIn,
}

impl LogoutOutcome {
    /// Every outcome, for tests and previews.
    pub const ALL: [Self; 6] = [
        Self::SignedOutEverywhere,
        Self::NodeDidNotConfirm,
        Self::NodeNotAsked,
        Self::NotWritten,
        Self::NotWrittenNorConfirmed,
        Self::NotSignedIn,
    ];

    /// Returns the name of the outcome in the address of the page that says it once more.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOutEverywhere => "everywhere",
            Self::NodeDidNotConfirm => "not-confirmed",
            Self::NodeNotAsked => "not-asked",
            Self::NotWritten => "not-written",
            Self::NotWrittenNorConfirmed => "not-written-nor-confirmed",
            Self::NotSignedIn => "not-signed-in",
        }
    }

    /// Returns the name under which an office gives words for that page.
    #[must_use]
    pub const fn page(self) -> &'static str {
        match self {
            Self::SignedOutEverywhere => "page.signed_out.everywhere",
            Self::NodeDidNotConfirm => "page.signed_out.not-confirmed",
            Self::NodeNotAsked => "page.signed_out.not-asked",
            Self::NotWritten => "page.signed_out.not-written",
            Self::NotWrittenNorConfirmed => "page.signed_out.not-written-nor-confirmed",
            Self::NotSignedIn => "page.signed_out.not-signed-in",
        }
    }

    /// Reads the name in an address.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Returns the class of the box around the advice: a warning while a session may live on.
    fn notice(self) -> &'static str {
        match self {
            Self::SignedOutEverywhere | Self::NotSignedIn => "note",
            Self::NodeDidNotConfirm
            | Self::NodeNotAsked
            | Self::NotWritten
            | Self::NotWrittenNorConfirmed => "warning",
        }
    }
}

/// Writes the page that says how a sign-out ended; `home` is the way back to the portal.
pub fn signed_out(look: Branding<'_>, outcome: LogoutOutcome, home: &str) -> Page {
    let words = said(look, outcome.page(), outcome.words(look.language));
    look.page(Parts {
        title: &words.title,
        content: html! {
            p.lead { (words.happened) }
            p class=(outcome.notice()) { (words.advice) }
            p.actions { a.button.quiet href=(home) { (labels(look.language).home) } }
        },
        script: None,
        form_action: "'none'",
        framing: Framing::Nobody,
    })
}

/// Writes the page that asks whether to sign out. The form posts `token` to `action`, so that no
/// other site can sign a citizen out with a link. `return_to` is where the portal has the citizen
/// go afterwards, when that was found to be right.
pub fn confirm_logout(
    look: Branding<'_>,
    action: &str,
    token: &str,
    (home, return_to): (&str, Option<&str>),
) -> Page {
    let words = labels(look.language);
    let (title, happened) = (words.confirm_logout, words.confirm_logout_why);
    let own = said(look, CONFIRM_LOGOUT, Words { title, happened, advice: "" });
    let mut form_action = policy::form_source(action);
    // Chromium applies it to the redirect after the submission too.
    if let Some(outside) = return_to.filter(|to| !to.starts_with('/')) {
        form_action = format!("{form_action} {}", policy::form_source(outside));
    }
    look.page(Parts {
        title: &own.title,
        content: html! {
            p { (own.happened) }
            form method="post" action=(action) autocomplete="off" {
                input type="hidden" name="token" value=(token);
                @if let Some(return_to) = return_to {
                    input type="hidden" name="return_to" value=(return_to);
                }
                p.actions {
                    button type="submit" { (words.log_out) }
                    a.button.quiet href=(home) { (words.cancel) }
                }
            }
        },
        script: None,
        form_action: &form_action,
        framing: Framing::Nobody,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Language;

    const LOOK: Branding<'static> = Branding::plain(Language::Polish, "Portal", None);

    #[test]
    fn warns_about_a_shared_computer_unless_the_node_confirmed() {
        for outcome in LogoutOutcome::ALL {
            let html = signed_out(LOOK, outcome, "/").html;
            let calm =
                matches!(outcome, LogoutOutcome::SignedOutEverywhere | LogoutOutcome::NotSignedIn);
            assert_eq!(html.contains(r#"<p class="warning">"#), !calm, "{outcome:?}");
        }
        let words = LogoutOutcome::NodeDidNotConfirm.words(Language::English);
        assert!(words.happened.contains("did not confirm"));
        assert!(words.advice.contains("shared"));
    }

    #[test]
    fn an_end_that_is_not_written_hides_nothing_of_the_node() {
        for (language, unknown) in [
            (Language::Polish, "nie wiemy, czy zakończyła się też sesja w login.gov.pl"),
            (Language::English, "we do not know whether your session at login.gov.pl has ended"),
        ] {
            let told = |outcome: LogoutOutcome| outcome.words(language).happened.contains(unknown);
            assert!(told(LogoutOutcome::NotWrittenNorConfirmed), "{language:?}");
            assert!(!told(LogoutOutcome::NotWritten), "{language:?}");
        }
    }

    #[test]
    fn asks_with_a_form_that_carries_the_token_and_a_way_back() {
        let page = confirm_logout(LOOK, "/.brama/logout", "t0ken", ("/start", None));
        for expected in [
            r#"<form method="post" action="/.brama/logout""#,
            r#"<input type="hidden" name="token" value="t0ken">"#,
            r#"<button type="submit">Wyloguj</button>"#,
            r#"href="/start">Anuluj</a>"#,
        ] {
            assert!(page.html.contains(expected), "{expected} in {}", page.html);
        }
        assert!(page.content_security_policy.contains("; form-action 'self';"));
        assert!(!page.html.contains("return_to"));
        let outside = Some("https://www.example.gov.pl/");
        let page = confirm_logout(LOOK, "/.brama/logout", "t0ken", ("/", outside));
        let field = r#"<input type="hidden" name="return_to" value="https://www.example.gov.pl/">"#;
        assert!(page.html.contains(field), "{}", page.html);
        let policy = page.content_security_policy;
        assert!(policy.contains("; form-action 'self' https://www.example.gov.pl;"), "{policy}");
    }

    #[test]
    fn an_outcome_is_known_by_its_name_alone() {
        for outcome in LogoutOutcome::ALL {
            assert_eq!(LogoutOutcome::parse(outcome.name()), Some(outcome));
        }
        assert_eq!(LogoutOutcome::parse("Everywhere"), None);
        assert_eq!(LogoutOutcome::parse(""), None);
    }
}
