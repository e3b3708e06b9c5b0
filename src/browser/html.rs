//! What a sign-in needs of a page of HTML: forms, links, and where it leads by itself.
//!
//! The tokens are cut as the standard says; there is no tree. So a form ends with its end tag, and
//! controls that belong to a form elsewhere (`form="..."`) are found by its id. At most
//! [`MAX_FORMS`] forms with [`MAX_CONTROLS`] controls are kept.

use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};

use super::form::{Control, Form};

/// What was found in a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The text of `title`.
    pub title: String,
    /// The language that the page says it is in.
    pub language: Option<String>,
    /// The forms, from the top.
    pub forms: Vec<Form>,
    /// The targets of links, as they stand there.
    pub links: Vec<String>,
    /// Where `meta http-equiv=refresh` leads: seconds, and the target as it stands there.
    pub refresh: Option<(u32, String)>,
    /// What `base href` says.
    pub base: Option<String>,
    /// A script of the page sends a form by itself.
    pub sends_itself: bool,
    /// The text for people, white space folded, of at most [`MAX_TEXT`] bytes.
    pub text: String,
}

/// Reads a page.
#[must_use]
pub fn read(html: &str) -> Document {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut reader = Reader::default();
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.start(&tag),
            Token::EndTag(tag) => reader.end(&tag.name),
            Token::String(text) => reader.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    document: Document,
    /// Where the form that is open stands.
    open: Option<usize>,
    /// The forms that are there but were too many, so that their controls go nowhere.
    is_beyond: bool,
    /// Controls of a form elsewhere, by its id.
    strays: Vec<(String, Control)>,
    inside: Inside,
    select: Option<Select>,
    /// The name and the text of the `textarea` that is open.
    area: Option<(Control, Option<String>)>,
}

/// Whose text comes next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Body,
    Title,
    Script,
    Unread,
}

struct Select {
    control: Control,
    owner: Option<String>,
    has_chosen: bool,
    has_any: bool,
}

impl Reader {
    fn start(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name);
        if get("onload").is_some_and(|script| is_sending(&script)) {
            self.document.sends_itself = true;
        }
        match tag.name.as_slice() {
            b"html" => self.document.language = get("lang"),
            b"base" => self.document.base = self.document.base.take().or_else(|| get("href")),
            b"title" => self.inside = Inside::Title,
            b"script" => self.inside = Inside::Script,
            b"style" | b"template" | b"noscript" => self.inside = Inside::Unread,
            b"a" if self.document.links.len() < MAX_LINKS => {
                self.document.links.extend(get("href"));
            }
            b"meta" if get("http-equiv").is_some_and(|it| it.eq_ignore_ascii_case("refresh")) => {
                let found = get("content").and_then(|content| read_refresh(&content));
                self.document.refresh = self.document.refresh.take().or(found);
            }
            b"form" => self.begin_form(tag),
            b"input" => self.input(tag),
            b"button" => {
                let kind = get("type").unwrap_or_else(|| "submit".to_owned());
                self.control(tag, &kind, get("value").unwrap_or_default());
            }
            b"textarea" => {
                let control = control(tag, "textarea", String::new());
                self.area = control.map(|control| (control, get("form")));
            }
            b"select" => {
                self.select = control(tag, "select", String::new()).map(|control| Select {
                    control,
                    owner: get("form"),
                    has_chosen: false,
                    has_any: false,
                });
            }
            b"option" => self.option(tag),
            _ => {}
        }
        if matches!(tag.name.as_slice(), b"p" | b"br" | b"div" | b"li" | b"h1" | b"h2" | b"td") {
            self.space();
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"title" | b"script" | b"style" | b"template" | b"noscript" => {
                self.inside = Inside::Body;
            }
            b"form" => (self.open, self.is_beyond) = (None, false),
            b"textarea" => {
                if let Some((control, owner)) = self.area.take() {
                    self.add(owner, control);
                }
            }
            b"select" => {
                if let Some(select) = self.select.take().filter(|select| select.has_any) {
                    self.add(select.owner, select.control);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((control, _)) = &mut self.area {
            // The first line end is not part of it.
            let text = if control.value.is_empty() {
                text.strip_prefix('\n').unwrap_or(text)
            } else {
                text
            };
            control.value.push_str(text);
            return;
        }
        match self.inside {
            Inside::Title => self.document.title.push_str(text),
            Inside::Script => self.document.sends_itself |= is_sending(text),
            Inside::Unread => {}
            Inside::Body => {
                let text = text.replace(|letter: char| letter.is_whitespace(), " ");
                if self.document.text.len() + text.len() <= MAX_TEXT {
                    self.document.text.push_str(&text);
                }
            }
        }
    }

    fn space(&mut self) {
        self.document.text.push(' ');
    }

    fn begin_form(&mut self, tag: &StartTag<()>) {
        // A form in a form is no form.
        if self.open.is_some() {
            return;
        }
        if self.document.forms.len() >= MAX_FORMS {
            self.is_beyond = true;
            return;
        }
        let get = |name: &str| attribute(tag, name);
        let is = |value: Option<String>, word: &str| {
            value.is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        self.open = Some(self.document.forms.len());
        self.document.forms.push(Form {
            id: get("id"),
            name: get("name"),
            action: get("action").unwrap_or_default(),
            is_post: is(get("method"), "post"),
            is_multipart: is(get("enctype"), "multipart/form-data"),
            target: get("target"),
            controls: Vec::new(),
        });
    }

    fn input(&mut self, tag: &StartTag<()>) {
        let kind = attribute(tag, "type").unwrap_or_else(|| "text".to_owned());
        let value = attribute(tag, "value");
        let is_box = kind.eq_ignore_ascii_case("checkbox") || kind.eq_ignore_ascii_case("radio");
        let value = value.unwrap_or_else(|| if is_box { "on" } else { "" }.to_owned());
        self.control(tag, &kind, value);
    }

    fn control(&mut self, tag: &StartTag<()>, kind: &str, value: String) {
        if let Some(control) = control(tag, kind, value) {
            self.add(attribute(tag, "form"), control);
        }
    }

    fn option(&mut self, tag: &StartTag<()>) {
        let Some(select) = &mut self.select else { return };
        let (value, is_chosen) = (attribute(tag, "value"), attribute(tag, "selected").is_some());
        if is_chosen && !select.has_chosen || !select.has_any {
            select.control.value = value.unwrap_or_default();
            select.has_chosen |= is_chosen;
        }
        select.has_any = true;
    }

    fn add(&mut self, owner: Option<String>, control: Control) {
        if let Some(owner) = owner {
            if self.strays.len() < MAX_CONTROLS {
                self.strays.push((owner, control));
            }
            return;
        }
        let form = self.open.filter(|_| !self.is_beyond);
        if let Some(form) = form.and_then(|at| self.document.forms.get_mut(at))
            && form.controls.len() < MAX_CONTROLS
        {
            form.controls.push(control);
        }
    }

    fn finish(mut self) -> Document {
        for (owner, control) in self.strays {
            let mut forms = self.document.forms.iter_mut();
            if let Some(form) = forms.find(|form| form.id.as_deref() == Some(owner.as_str()))
                && form.controls.len() < MAX_CONTROLS
            {
                form.controls.push(control);
            }
        }
        let folded: Vec<_> = self.document.text.split_whitespace().collect();
        self.document.text = folded.join(" ");
        self.document.title = self.document.title.trim().to_owned();
        self.document
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(&value.value).into_owned())
}

/// A control with a name; without one nothing is sent of it but that its button was pressed.
fn control(tag: &StartTag<()>, kind: &str, value: String) -> Option<Control> {
    if attribute(tag, "disabled").is_some() {
        return None;
    }
    let name = attribute(tag, "name").unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let is_box = kind == "checkbox" || kind == "radio";
    let is_on = !is_box || attribute(tag, "checked").is_some();
    Some(Control { name, kind, value, is_on })
}

/// A script that sends a form: what such pages say is always this call.
fn is_sending(script: &str) -> bool {
    script.contains("submit(") || script.contains(".click(")
}

/// Reads `0; url=/there` (HTML, shared declarative refresh steps); `None` without a target, which is
/// the page itself.
pub(super) fn read_refresh(content: &str) -> Option<(u32, String)> {
    let content = content.trim_start();
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    let seconds = content[..digits].parse().ok()?;
    let rest = content[digits..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let target = match rest.get(..3) {
        Some(word) if word.eq_ignore_ascii_case("url") => {
            rest[3..].trim_start().strip_prefix('=').map_or(rest, str::trim_start)
        }
        _ => rest,
    };
    let target = match target.chars().next() {
        Some(mark @ ('"' | '\'')) => target[1..].split(mark).next().unwrap_or_default(),
        _ => target,
    };
    let target = target.trim_end();
    (!target.is_empty()).then(|| (seconds, target.to_owned()))
}

/// The most forms of a page that are kept.
pub const MAX_FORMS: usize = 50;
/// The most controls of a form that are kept.
pub const MAX_CONTROLS: usize = 200;
/// The most links of a page that are kept.
const MAX_LINKS: usize = 500;
/// The most bytes of text for people that are kept.
pub const MAX_TEXT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_form_of_a_page_that_sends_itself() {
        let page = read(
            "<!DOCTYPE html><html lang=pl><title> Przekazanie &amp; powrót </title>\
             <form method='POST' action=\"https://wezel.example/idp?a=1&amp;b=2\">\
             <input type=hidden name=SAMLRequest value='PD94&#x4d;&quot;'>\
             <INPUT TYPE=\"hidden\" NAME=\"RelayState\" VALUE=\"x\">\
             <noscript><button>Dalej</button></noscript></form>\
             <script>document.forms[0].submit()</script>",
        );
        assert!(page.sends_itself);
        assert_eq!(
            (page.title.as_str(), page.language.as_deref()),
            ("Przekazanie & powrót", Some("pl"))
        );
        let form = &page.forms[0];
        assert!(form.is_post);
        assert_eq!(form.action, "https://wezel.example/idp?a=1&b=2");
        let sent: Vec<_> = form.successful(None).collect();
        assert_eq!(sent, [("SAMLRequest", "PD94M\""), ("RelayState", "x")]);
    }

    #[test]
    fn what_only_looks_like_a_form_is_none() {
        let page = read(
            "<!-- <form action=/a><input name=x></form> --><script>\"<form action=/b>\"</script>\
             <style><form></style><textarea><form action=/c></textarea><p title='<form>'>submit()</p>",
        );
        assert_eq!(page.forms, []);
        assert!(!page.sends_itself);
        assert_eq!(page.text, "submit()");
    }

    #[test]
    fn controls_are_sent_as_browsers_send_them() {
        let page = read(
            "<form id=f><input name=text value=1><input name=off disabled value=2>\
             <input type=checkbox name=no><input type=checkbox name=yes checked>\
             <input type=radio name=r value=a><input type=radio name=r value=b checked>\
             <select name=s><option value=1><option value=2 selected></select>\
             <select name=first><option value=1><option value=2></select><select name=none></select>\
             <textarea name=t>\na &lt; b</textarea><input value=nameless>\
             <button name=go value=1>a</button><button name=go value=2>b</button></form>\
             <input form=f name=stray value=3><input name=lost value=4>",
        );
        let form = &page.forms[0];
        assert!(!form.is_post);
        let all = [
            ("text", "1"),
            ("yes", "on"),
            ("r", "b"),
            ("s", "2"),
            ("first", "1"),
            ("t", "a < b"),
            ("stray", "3"),
        ];
        assert_eq!(form.successful(None).collect::<Vec<_>>(), all);
        let pressed: Vec<_> = form.successful(Some(("go", "2"))).collect();
        assert!(pressed.contains(&("go", "2")) && !pressed.contains(&("go", "1")));
    }

    #[test]
    fn a_form_in_a_form_is_part_of_it() {
        let page = read("<form action=/a><form action=/b><input name=x></form><input name=y>");
        assert_eq!(page.forms.len(), 1);
        assert_eq!(page.forms[0].action, "/a");
        assert_eq!(page.forms[0].controls.len(), 1);
    }

    #[test]
    fn refreshes_are_read_in_every_form() {
        for (content, expected) in [
            ("0; url=/x", Some((0, "/x"))),
            ("0;URL='/x y'", Some((0, "/x y"))),
            ("3,/x", Some((3, "/x"))),
            (" 1.5 ; url = \"/x\"z", Some((1, "/x"))),
            ("5", None),
            ("0; url=", None),
            ("x; url=/x", None),
            ("", None),
        ] {
            let found = read_refresh(content);
            assert_eq!(found, expected.map(|(n, to)| (n, to.to_owned())), "{content}");
        }
        let page = read("<meta http-equiv=Refresh content='0;url=/x'>");
        assert_eq!(page.refresh, Some((0, "/x".to_owned())));
    }

    #[test]
    fn hostile_pages_stay_within_bounds() {
        for html in [
            "<form>".repeat(10_000),
            "<form></form>".repeat(10_000),
            format!("<form>{}", "<input name=a>".repeat(10_000)),
            format!("<form id=f></form>{}", "<input form=f name=a>".repeat(10_000)),
            "<a href=x>".repeat(10_000),
            "x ".repeat(100_000),
            "<".repeat(100_000),
            format!("<a {}>", "b=c ".repeat(50_000)),
            "&".repeat(100_000),
            "<div>".repeat(100_000),
        ] {
            let page = read(&html);
            assert!(page.forms.len() <= MAX_FORMS && page.links.len() <= MAX_LINKS);
            assert!(page.forms.iter().all(|form| form.controls.len() <= MAX_CONTROLS));
            assert!(page.text.len() <= MAX_TEXT);
        }
    }
}
