//! The page for everything that goes wrong, as the citizen sees it.
//!
//! The kinds here are fewer than the reasons in the log: two refusals that call for the same words
//! and the same advice are one kind. The stable reason code is in the small print, so that support
//! can tell them apart.

use std::borrow::Cow;

use maud::html;

use super::labels::labels;
use super::layout::{Branding, Framing, Page, Parts};
use super::template::{Template, Values};

macro_rules! error_pages {
    ($($(#[doc = $what:literal])* $page:ident = $name:literal,)*) => {
        /// What went wrong, in kinds that a citizen can do something about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorPage {
            $($(#[doc = $what])* $page,)*
        }

        impl ErrorPage {
            /// Every kind, for tests and previews.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$page),*];

            /// Returns its name in what is kept of a login, which never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$page => $name,)*
                }
            }
        }
    };
}

error_pages! {
    /// The citizen gave up signing in at the node.
    Cancelled = "Cancelled",
    /// The node answered that it does not sign this person in.
    RefusedByNode = "RefusedByNode",
    /// The node did not recognise the person.
    UnknownPerson = "UnknownPerson",
    /// The person signed in with a means weaker than the service asks for.
    AssuranceTooLow = "AssuranceTooLow",
    /// The person was to confirm who they are anew, and the node answered with an older sign-in.
    NotIdentifiedAnew = "NotIdentifiedAnew",
    /// The person is signed in by a way that is not taken here.
    WayNotAllowed = "WayNotAllowed",
    /// The person is signed in and not an adult yet.
    AdultsOnly = "AdultsOnly",
    /// The person is signed in, and the node did not say when they were born.
    BirthdateUnknown = "BirthdateUnknown",
    /// The person is signed in and has no PESEL.
    PeselNeeded = "PeselNeeded",
    /// Our own work failed.
    OurFault = "OurFault",
    /// The node answered with a failure.
    NodeFault = "NodeFault",
    /// There is no way to the node.
    NodeUnreachable = "NodeUnreachable",
    /// The node did not answer in time.
    NodeSlow = "NodeSlow",
    /// The node has too much work, or we have too many questions waiting for it.
    NodeBusy = "NodeBusy",
    /// Sign-in is closed for now, says the operator.
    NodeOutage = "NodeOutage",
    /// Sign-in waits, because it cannot be written down.
    NotRecorded = "NotRecorded",
    /// The network of the citizen tried too often.
    TooManyTries = "TooManyTries",
    /// The node does not know any more what it had confirmed.
    ConfirmationExpired = "ConfirmationExpired",
    /// Another person identified than the one who is signed in.
    OtherPerson = "OtherPerson",
    /// The node gave no number or identifier of the person.
    NoIdentifier = "NoIdentifier",
    /// The node gave less of the person than the service needs.
    DataMissing = "DataMissing",
    /// The citizen signed in, and we could not note it.
    NotKept = "NotKept",
    /// An answer came in the name of the node, and we could not trust it.
    AnswerRefused = "AnswerRefused",
    /// The citizen came back later than a login may last.
    LoginExpired = "LoginExpired",
    /// What came is bound to another browser, or this one keeps no cookies.
    OtherBrowser = "OtherBrowser",
    /// The citizen identified at the node for a login that another browser began, which has ended.
    BegunElsewhere = "BegunElsewhere",
    /// The answer of the node was presented a second time.
    AlreadyUsed = "AlreadyUsed",
    /// The browser sent something that we cannot read.
    MalformedRequest = "MalformedRequest",
    /// There is no such page.
    NotFound = "NotFound",
    /// There is such a page, but nothing of that kind can be done there.
    MethodNotAllowed = "MethodNotAllowed",
    /// The person is signed in and may not see this.
    Forbidden = "Forbidden",
    /// The portal behind us cannot be reached.
    PortalDown = "PortalDown",
    /// The portal behind us did not answer in time.
    PortalSlow = "PortalSlow",
    /// The portal is being worked on.
    Maintenance = "Maintenance",
    /// The browser sent more than we accept.
    TooLarge = "TooLarge",
    /// A form was sent without a session, and it is too long to be kept.
    FormTooLarge = "FormTooLarge",
    /// A form that was kept is not there any more.
    FormGone = "FormGone",
    /// A form was sent without a session; nothing of it was sent on.
    SessionEnded = "SessionEnded",
    /// A frame or an embedded page asks for a sign-in, which needs the whole window.
    SignInNeeded = "SignInNeeded",
    /// The person signed in elsewhere, and this session had to make room.
    SignedOutElsewhere = "SignedOutElsewhere",
    /// An operator ended the session.
    SignedOutByOperator = "SignedOutByOperator",
    /// It cannot be told at the moment who is signed in.
    SessionsAway = "SessionsAway",
}

impl ErrorPage {
    /// Returns the kind of a name; `None` when none has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }

    /// Tells whether what is wrong may be over when the same is asked for once more.
    #[must_use]
    pub fn may_pass_by_itself(self) -> bool {
        matches!(
            self,
            Self::OurFault
                | Self::NodeBusy
                | Self::NodeOutage
                | Self::NotRecorded
                | Self::TooManyTries
                | Self::PortalDown
                | Self::PortalSlow
                | Self::Maintenance
                | Self::SessionsAway
        )
    }

    /// Only the page that asks for a sign-in is made for a frame, and only of the same portal.
    fn framing(self) -> Framing {
        match self {
            Self::SignInNeeded => Framing::SameOrigin,
            _ => Framing::Nobody,
        }
    }
}

/// One event, beside the words for its kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incident<'a> {
    /// What happened, in the words of the operator in place of ours.
    pub told: Option<&'a str>,
    /// The stable code of the refusal, such as `login.replayed_artifact`.
    pub reason: &'a str,
    /// The number that is read out on the phone, and stands in the log.
    pub number: &'a str,
    /// The number of the request, which is in all logs.
    pub request: &'a str,
    /// When it was, for people.
    pub time: &'a str,
    /// Where the button leads, if there is a way on.
    pub begin_again: Option<&'a str>,
    /// Where to sign out, when that is the other way on.
    pub sign_out: Option<&'a str>,
    /// Where the citizen can go besides; `None` is the front page.
    pub home: Option<&'a str>,
}

/// Writes the page about an error: what happened, what to do, and what to quote to support.
pub fn error_page(look: Branding<'_>, error_page: ErrorPage, incident: &Incident<'_>) -> Page {
    let Incident { told, reason, number, request, time, begin_again, sign_out, home } = *incident;
    let home = home.unwrap_or("/");
    let words = error_page.words(look.language);
    let own = look.appearance.and_then(|appearance| appearance.text(reason, look.language));
    let said = |own: Option<&Template>, ours: &'static str| {
        let values = Values { portal: look.portal_name, reason, number };
        own.map_or(Cow::Borrowed(ours), |text| text.filled(values).into())
    };
    let title = said(own.and_then(|own| own.title.as_ref()), words.title);
    let happened = said(own.and_then(|own| own.happened.as_ref()), words.happened);
    let advice = said(own.and_then(|own| own.advice.as_ref()), words.advice);
    let small_print = labels(look.language);
    let framing = error_page.framing();
    let target = (framing == Framing::SameOrigin).then_some("_top");
    look.page(Parts {
        title: &title,
        content: html! {
            p.lead { (told.unwrap_or(&happened)) }
            p { (advice) }
            @if let Some(link) = begin_again {
                p.actions {
                    a.button href=(link) target=[target] { (error_page.way_on(look.language)) }
                    @if let Some(sign_out) = sign_out {
                        a.button.quiet href=(sign_out) target=[target] { (small_print.log_out) }
                    } @else if link != home {
                        a.button.quiet href=(home) target=[target] { (small_print.home) }
                    }
                }
            }
            div.small {
                p { (small_print.quote_to_support) }
                dl {
                    dt { (small_print.incident) }
                    dd { code { (number) } }
                    dt { (small_print.time) }
                    dd { (time) }
                    dt { (small_print.reason) }
                    dd { code { (reason) } }
                    dt { (small_print.request) }
                    dd { code { (request) } }
                }
            }
        },
        script: None,
        form_action: "'none'",
        framing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Language;

    const LOOK: Branding<'static> = Branding::plain(Language::Polish, "Portal", None);

    #[test]
    fn a_kind_is_found_by_its_name_in_what_is_kept() {
        for page in ErrorPage::ALL {
            assert_eq!(ErrorPage::parse(page.name()), Some(page));
        }
        assert_eq!(ErrorPage::NotIdentifiedAnew.name(), "NotIdentifiedAnew");
        assert_eq!(ErrorPage::parse("not_identified_anew"), None);
    }

    #[test]
    fn shows_the_words_the_reason_the_incident_and_the_way_on() {
        let incident = Incident {
            reason: "login.replayed_artifact",
            number: "K7Q2MXPA",
            request: "7f3a",
            time: "2031-01-15 09:00:00 (UTC+01:00)",
            begin_again: Some("/sprawa"),
            ..Incident::default()
        };
        let page = error_page(LOOK, ErrorPage::AlreadyUsed, &incident);
        let words = ErrorPage::AlreadyUsed.words(Language::Polish);
        for expected in [
            words.title,
            words.happened,
            words.advice,
            "<code>login.replayed_artifact</code>",
            "<code>K7Q2MXPA</code>",
            "<code>7f3a</code>",
            "2031-01-15 09:00:00 (UTC+01:00)",
            r#"<a class="button" href="/sprawa">"#,
        ] {
            assert!(page.html.contains(expected), "{expected} in {}", page.html);
        }
    }

    #[test]
    fn shows_no_button_when_there_is_no_way_on() {
        let page = error_page(LOOK, ErrorPage::OurFault, &Incident::default());
        assert!(!page.html.contains("<a "), "{}", page.html);
    }

    #[test]
    fn only_the_sign_in_of_a_frame_may_be_framed_and_it_takes_the_whole_window() {
        for kind in ErrorPage::ALL {
            let page =
                error_page(LOOK, kind, &Incident { begin_again: Some("/"), ..Incident::default() });
            let in_frame = kind == ErrorPage::SignInNeeded;
            let policy = page.content_security_policy;
            assert_eq!(policy.ends_with("frame-ancestors 'self'"), in_frame, "{kind:?}");
            assert_eq!(policy.ends_with("frame-ancestors 'none'"), !in_frame, "{kind:?}");
            assert_eq!(page.html.contains(r#"target="_top""#), in_frame, "{kind:?}");
        }
    }
}
