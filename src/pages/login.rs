//! The page that carries the signed request to the national node.
//!
//! SAML bindings 3.5.4: with HTTP POST the message travels as a form that the browser submits. The
//! script only saves the citizen a click; the button does the same.

use maud::{Markup, PreEscaped, html};

use super::labels::labels;
use super::layout::{Branding, Framing, Page, Parts};
use super::plain::{ARRIVING, TO_NODE, said};
use super::policy;
use super::text::Words;

/// Writes the page that posts a request to the node at once, or when the button is pressed.
pub fn send_to_node(
    look: Branding<'_>,
    form_action: &str,
    saml_request_base64: &str,
    relay_state: &str,
) -> Page {
    let words = labels(look.language);
    let own = said(
        look,
        TO_NODE,
        Words {
            title: words.going_to_node,
            happened: words.going_to_node_why,
            advice: words.going_to_node_help,
        },
    );
    // Chromium applies form-action to the redirects after a submission too, and the node may send
    // the citizen on to an identity provider on another host, or straight back to us. The origin of
    // the form is listed even so: a node for tests may speak plain http.
    let sources = match policy::form_source(form_action).as_str() {
        "'none'" => "'none'".to_owned(),
        "'self'" => "'self' https:".to_owned(),
        origin => format!("{origin} 'self' https:"),
    };
    look.page(Parts {
        title: &own.title,
        content: html! {
            p { (own.happened) }
            // Without autocomplete="off" a browser may restore the fields of an earlier visit.
            form method="post" action=(form_action) autocomplete="off" {
                input type="hidden" name="SAMLRequest" value=(base64(saml_request_base64));
                input type="hidden" name="RelayState" value=(relay_state);
                p { (own.advice) }
                // The button has no name: a field named "submit" would hide the method below.
                p.actions { button type="submit" { (words.go_to_node) } }
            }
        },
        script: Some(SUBMIT),
        form_action: &sources,
        framing: Framing::Nobody,
    })
}

/// Writes the page that leads a citizen who has just signed in to where they wanted to go. The
/// caller sends `Refresh` with it (HTML, 7.3.1); the link is for browsers that do not follow.
///
/// A page, because the last redirect of a cross-site POST must not lead to the portal itself:
/// Chromium then keeps the portal's page in its back/forward cache past the end of the session.
///
/// The step that a page leads on to counts as the page's own. Where another site's page led to the
/// login, that would make its link to the portal one of the portal's own: cookies with
/// `SameSite=Strict` would go along, and `Sec-Fetch-Site` would say `same-origin`. So the page has
/// no origin then (CSP 3, sandbox), and the portal sees what the step was.
#[must_use]
pub fn arriving(look: Branding<'_>, target: &str, came: Came) -> Page {
    let words = labels(look.language);
    let (title, happened) = (words.signed_in, words.signed_in_why);
    let own = said(look, ARRIVING, Words { title, happened, advice: "" });
    let mut page = look.page(Parts {
        title: &own.title,
        content: html! {
            p { (own.happened) }
            p.actions { a.button href=(target) { (words.go_on) } }
        },
        script: Some(GO_ON),
        form_action: "'none'",
        framing: Framing::Nobody,
    });
    if came == Came::FromElsewhere {
        page = page.without_origin();
    }
    page
}

/// Writes base64, which has nothing to escape, without a look at each letter; anything else is escaped.
fn base64(text: &str) -> Markup {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    // All are looked at, whatever the first was: that is many at a time.
    if text.bytes().fold(true, |all, byte| all & is_letter(byte)) {
        PreEscaped(text.to_owned())
    } else {
        html! { (text) }
    }
}

/// Which site's page led to a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// None, or one of the portal.
    FromThePortal,
    /// Another site's, or the browser did not say.
    FromElsewhere,
}

/// Submits while the page still loads: browsers then replace it in the history, and "back" leads
/// to where the citizen came from, not into another submission.
///
/// The fragment of the address, which no server sees, stays in the tab meanwhile, with the address
/// that it belongs to.
const SUBMIT: &str = "\
try{if(location.hash)sessionStorage.setItem('brama-fragment',\
JSON.stringify([location.pathname+location.search,location.hash]))}catch{}\
document.forms[0].submit();";

/// Goes on to the same address with its fragment: the one that was kept for it, or the one that
/// came along from another host. Without any, or without a script, the browser goes on by itself.
const GO_ON: &str = "\
const to=document.querySelector('a.button').getAttribute('href');let hash=location.hash;\
try{const kept=JSON.parse(sessionStorage.getItem('brama-fragment'));\
sessionStorage.removeItem('brama-fragment');\
if(!hash&&kept&&kept[0]===to)hash=kept[1]}catch{}\
if(hash)location.replace(to+hash);";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Language;

    const LOOK: Branding<'static> = Branding::plain(Language::English, "Portal", None);

    #[test]
    fn posts_both_fields_to_the_node_with_a_button_for_browsers_without_script() {
        let html = send_to_node(LOOK, "https://node.test/sso", "PHNhbWw+", "handle").html;
        for expected in [
            r#"<form method="post" action="https://node.test/sso""#,
            r#"<input type="hidden" name="SAMLRequest" value="PHNhbWw+">"#,
            r#"<input type="hidden" name="RelayState" value="handle">"#,
            r#"<button type="submit">"#,
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
    }

    #[test]
    fn what_is_no_base64_is_escaped_in_its_field() {
        let html = send_to_node(LOOK, "https://node.test/sso", "PHN\"><b>", "handle").html;
        assert!(html.contains(r#"name="SAMLRequest" value="PHN&quot;&gt;&lt;b&gt;">"#), "{html}");
    }

    #[test]
    fn a_page_that_another_site_led_to_has_no_origin() {
        for (came, expected) in [(Came::FromElsewhere, true), (Came::FromThePortal, false)] {
            let policy = arriving(LOOK, "/tax", came).content_security_policy;
            assert_eq!(policy.contains("; sandbox allow-scripts"), expected, "{policy}");
            assert!(!policy.contains("allow-same-origin"), "{policy}");
        }
    }

    #[test]
    fn lets_the_form_go_to_the_node_and_on_to_an_identity_provider() {
        let table = [
            ("https://node.test/sso", "; form-action https://node.test 'self' https:;"),
            ("http://127.0.0.1:9000/sso", "; form-action http://127.0.0.1:9000 'self' https:;"),
            ("/sso", "; form-action 'self' https:;"),
            ("javascript:alert(1)", "; form-action 'none';"),
        ];
        for (action, expected) in table {
            let policy = send_to_node(LOOK, action, "", "").content_security_policy;
            assert!(policy.contains(expected), "{policy}");
        }
    }
}
