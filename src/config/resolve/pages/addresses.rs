//! Where pages lead: links below, and the way back after signing out or giving up.

use url::Url;

use crate::config::file::{LocalAddress, LocalNumber};
use crate::config::resolve::context::{Context, is_loopback};
use crate::flow::return_to::ReturnTo;
use crate::gateway::settings::Returns;
use crate::pages::{FooterLink, LinkKind, Local};

/// Resolves where the pages after signing out and giving up lead.
pub(super) fn returns(context: &mut Context<'_>) -> Returns {
    let file = &context.file().pages;
    let (logout, cancel) = (file.after_logout.as_deref(), file.after_cancel.as_deref());
    let after_logout = logout.and_then(|to| page(context, key!(pages.after_logout), to));
    let after_cancel = cancel.and_then(|to| page(context, key!(pages.after_cancel), to));
    let key = key!(pages.return_urls);
    if file.return_urls.len() > MOST_URLS {
        let what = format!("has more than {MOST_URLS} addresses");
        context.error(key, what, "name those that the portal sends citizens to");
        return Returns::default();
    }
    let mut urls = Vec::new();
    for (index, text) in file.return_urls.iter().enumerate() {
        let key = format!("{key}[{index}]");
        if text.starts_with('/') {
            context.error(&key, "is a path, and those need not be named", "leave it out");
        } else if let Some(url) = page(context, &key, text) {
            urls.push(url);
        }
    }
    Returns { after_logout, after_cancel, urls }
}

/// Resolves the links below.
pub(super) fn footer(context: &mut Context<'_>) -> Vec<FooterLink> {
    let file = &context.file().pages.footer;
    let mut links = Vec::new();
    for (kind, key, to) in [
        (LinkKind::Accessibility, key!(pages.footer.accessibility), &file.accessibility),
        (LinkKind::Privacy, key!(pages.footer.privacy), &file.privacy),
        (LinkKind::Contact, key!(pages.footer.contact), &file.contact),
    ] {
        let LocalAddress { pl, en, uk } = to;
        let to = local(context, key, [pl, en, uk], link);
        links.extend(to.map(|to| FooterLink { kind, to }));
    }
    let LocalNumber { pl, en, uk } = &file.helpline;
    let to = local(context, key!(pages.footer.helpline), [pl, en, uk], number);
    links.extend(to.map(|to| FooterLink { kind: LinkKind::Helpline, to }));
    links
}

fn local(
    context: &mut Context<'_>,
    key: &str,
    texts: [&Option<String>; 3],
    read: fn(&mut Context<'_>, &str, &str) -> Option<String>,
) -> Option<Local> {
    if texts.iter().all(|text| text.is_none()) {
        return None;
    }
    if texts[0].is_none() {
        context.error(key, "has no pl, which is shown where a language is left out", "add it");
    }
    let mut to = Local::default();
    for ((text, code), to) in texts.iter().zip(["pl", "en", "uk"]).zip(&mut to) {
        *to = text.as_ref().and_then(|text| read(context, &format!("{key}.{code}"), text));
    }
    Some(to)
}

/// A page that a citizen is led to.
fn page(context: &mut Context<'_>, key: &str, text: &str) -> Option<String> {
    let found = is_path(text).then(|| text.to_owned()).or_else(|| web(text));
    if found.is_none() {
        let advice = "give a path such as \"/\", or an address that begins with https://";
        context.error(key, "is no path of the portal and no address of a page", advice);
    }
    found
}

fn link(context: &mut Context<'_>, key: &str, text: &str) -> Option<String> {
    let other = |text: &str| {
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "mailto" | "tel").then(|| url.to_string())
    };
    let found = is_path(text).then(|| text.to_owned()).or_else(|| web(text));
    let found = found.or_else(|| other(text)).filter(|to| to.len() <= LONGEST);
    if found.is_none() {
        let advice = "begin it with https://, mailto:, tel: or, for a page of the portal, with /";
        context.error(key, "is no address that a page may lead to", advice);
    }
    found
}

fn number(context: &mut Context<'_>, key: &str, text: &str) -> Option<String> {
    let is_written = |letter: char| letter.is_ascii_digit() || " +-()".contains(letter);
    let fits = (3..=40).contains(&text.len())
        && text.chars().all(is_written)
        && text.chars().filter(char::is_ascii_digit).count() >= 3
        && !text.chars().skip(1).any(|letter| letter == '+');
    if !fits {
        context.error(key, "is no telephone number", "write it like \"+48 22 000 00 00\"");
    }
    fits.then(|| text.to_owned())
}

/// Tells whether a text is a path that leads nowhere else.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && ReturnTo::parse(text).as_str() == text
}

/// Reads the address of a page; plain http is for this machine only.
fn web(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_plain = url.host().is_some() && url.username().is_empty() && url.password().is_none();
    let fits = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_safe && is_plain && fits).then(|| url.to_string())
}

/// The longest address, in bytes.
const LONGEST: usize = 1_000;
/// How many addresses outside of the portal may be named.
const MOST_URLS: usize = 20;
