//! The pages that have no reason code, and by what names an office gives words for them.

use std::borrow::Cow;

use super::layout::Branding;
use super::template::{Template, Values};
use super::text::Words;

/// A page without a reason code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainPage {
    /// Its name, which stands where others have a reason code.
    pub name: &'static str,
    /// What can be said in place of ours: some of `title`, `happened` and `advice`.
    pub parts: &'static [&'static str],
}

impl PlainPage {
    /// Every such page.
    pub const ALL: [Self; 11] = [
        Self { name: LANDING, parts: &["title"] },
        Self { name: TO_NODE, parts: &PARTS },
        Self { name: ARRIVING, parts: &["title", "happened"] },
        Self { name: KEPT_FORM, parts: &PARTS },
        Self { name: CONFIRM_LOGOUT, parts: &["title", "happened"] },
        Self { name: "page.signed_out.everywhere", parts: &PARTS },
        Self { name: "page.signed_out.not-confirmed", parts: &PARTS },
        Self { name: "page.signed_out.not-asked", parts: &PARTS },
        Self { name: "page.signed_out.not-written", parts: &PARTS },
        Self { name: "page.signed_out.not-written-nor-confirmed", parts: &PARTS },
        Self { name: "page.signed_out.not-signed-in", parts: &PARTS },
    ];

    /// Returns the page of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name == name)
    }
}

/// What is said on a page.
pub(super) struct Said {
    pub(super) title: Cow<'static, str>,
    pub(super) happened: Cow<'static, str>,
    pub(super) advice: Cow<'static, str>,
}

/// Returns what a page says: the words of the office, and ours where it has none.
pub(super) fn said(look: Branding<'_>, name: &str, ours: Words) -> Said {
    let own = look.appearance.and_then(|appearance| appearance.text(name, look.language));
    let said = |own: Option<&Template>, ours: &'static str| {
        let values = Values { portal: look.portal_name, reason: "", number: "" };
        own.map_or(Cow::Borrowed(ours), |text| text.filled(values).into())
    };
    Said {
        title: said(own.and_then(|own| own.title.as_ref()), ours.title),
        happened: said(own.and_then(|own| own.happened.as_ref()), ours.happened),
        advice: said(own.and_then(|own| own.advice.as_ref()), ours.advice),
    }
}

pub(super) const LANDING: &str = "page.landing";
pub(super) const TO_NODE: &str = "page.to_node";
pub(super) const ARRIVING: &str = "page.arriving";
pub(super) const KEPT_FORM: &str = "page.kept_form";
pub(super) const CONFIRM_LOGOUT: &str = "page.confirm_logout";
/// What can be said of a page.
const PARTS: [&str; 3] = ["title", "happened", "advice"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{
        Appearance, Came, KeptForm, Language, LogoutOutcome, ReasonText, arriving, confirm_logout,
        kept_form, landing, send_to_node, signed_out,
    };

    #[test]
    fn every_page_says_all_that_an_office_can_give_for_it_and_ours_otherwise() {
        for page in PlainPage::ALL {
            let own = |part: &str| {
                let is_said = page.parts.contains(&part);
                is_said.then(|| Template::parse(&format!("{part} of {{portal}} <i>"), 100).unwrap())
            };
            let text = ReasonText {
                language: Language::English,
                reason: page.name,
                title: own("title"),
                happened: own("happened"),
                advice: own("advice"),
            };
            let appearance = Appearance { texts: vec![text], ..Appearance::default() };
            let shown = |language| {
                let plain = Branding::plain(language, "Office", None);
                let look = Branding { appearance: Some(&appearance), ..plain };
                html(page.name, look)
            };
            let (english, polish) = (shown(Language::English), shown(Language::Polish));
            for part in page.parts {
                let said = format!("{part} of Office &lt;i&gt;");
                assert!(english.contains(&said), "{}: {said} in {english}", page.name);
            }
            assert!(!polish.contains(" of Office"), "{}", page.name);
            let ours = html(page.name, Branding::plain(Language::Polish, "Office", None));
            assert_eq!(polish, ours, "{}", page.name);
        }
        for outcome in LogoutOutcome::ALL {
            let name = outcome.page();
            assert!(PlainPage::named(name).is_some() && name.ends_with(outcome.name()), "{name}");
        }
        assert_eq!(PlainPage::named("page.nothing"), None);
    }

    /// Writes the page of a name.
    fn html(name: &str, look: Branding<'_>) -> String {
        let form = KeptForm {
            target: "/tax",
            bytes: 1,
            name: "",
            field: "brama-form",
            handle: "h",
            discard: "/.brama/form",
        };
        let page = match name {
            LANDING => landing(look, "/"),
            TO_NODE => send_to_node(look, "https://node.test/", "", ""),
            ARRIVING => arriving(look, "/", Came::FromThePortal),
            KEPT_FORM => kept_form(look, &form),
            CONFIRM_LOGOUT => confirm_logout(look, "/.brama/logout", "t", ("/", None)),
            other => {
                let outcome = LogoutOutcome::ALL.into_iter().find(|one| one.page() == other);
                signed_out(look, outcome.unwrap(), "/")
            }
        };
        page.html
    }
}
