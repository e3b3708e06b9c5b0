//! The last logins, and each with its messages.

use maud::{Markup, html};

use super::findings::describe;
use super::pretty::pretty;
use super::{LOGINS_PATH, Words, words, write};
use crate::pages::{Language, Page};
use crate::simulator::logins::{Login, Logins, Message};

/// Lists the last logins, the latest first.
pub(in crate::simulator) fn logins(language: Language, logins: &Logins) -> Page {
    let words = words(language);
    let content = html! {
        p.warning role="note" { strong { (words.logins_warning) } }
        p { (words.logins_why) }
        @if logins.iter().next().is_none() { p { (words.no_logins) } }
        div.scroll { table {
            @for login in logins.iter().rev() { (row(words, login)) }
        } }
    };
    write(language, words.logins, content, None)
}

fn row(words: &Words, login: &Login) -> Markup {
    html! {
        tr {
            td { a href=(format!("{LOGINS_PATH}/{}", login.number)) {
                (words.login) " " (login.number)
            } }
            td { (login.since.strftime("%Y-%m-%d %H:%M:%S")) br; small { (login.service) } }
            td { (choice(words, login)) }
            td {
                @for message in &login.messages {
                    (message.name)
                    @for finding in &message.findings { br; code { (finding.code()) } }
                    br;
                }
            }
        }
    }
}

/// Shows one login: what was chosen, each message for the eye, and what is wrong with it.
pub(in crate::simulator) fn login(language: Language, login: &Login) -> Page {
    let words = words(language);
    let content = html! {
        p.warning role="note" { strong { (words.logins_warning) } }
        dl {
            dt { (words.time) } dd { (format!("{:.0}", login.since)) }
            dt { (words.service) } dd { (login.service) }
            dt { (words.person) } dd { (choice(words, login)) }
        }
        @for (index, message) in login.messages.iter().enumerate() {
            (show(language, login.number, index, message))
        }
        p { a href=(LOGINS_PATH) { (words.logins) } }
    };
    write(language, &format!("{} {}", words.login, login.number), content, None)
}

fn choice(words: &Words, login: &Login) -> Markup {
    html! {
        @match &login.choice {
            None => (words.nobody_yet),
            Some(choice) => {
                (choice.who) br; small { (choice.way.key()) ", " (choice.assurance) }
                @if choice.is_replayed { br; small { (words.replayed) } }
                @for fault in &choice.faults { br; code { (fault.name()) } }
            }
        }
    }
}

fn show(language: Language, number: u64, index: usize, message: &Message) -> Markup {
    let words = words(language);
    let path = format!("{LOGINS_PATH}/{number}/{index}");
    let is_ours = !RECEIVED.contains(&message.name);
    let shown = pretty(&message.bytes);
    let is_empty = message.bytes.is_empty();
    html! {
        h2 { (message.name) }
        p {
            (format!("{:.3}", message.time)) ", " (message.length) " " (words.bytes)
            @if !is_empty { " – " a href=(path) { (words.raw) } }
            @if message.length > message.bytes.len() { br; strong { (words.cut) } }
        }
        p {
            (words.checks) ": "
            @if is_ours { (words.of_node) } @else if message.findings.is_empty() { (words.accepted) }
        }
        @for finding in &message.findings { (describe(language, finding)) }
        @match shown {
            Some(text) => { p { small { (words.indented) } } pre tabindex="0" { (text) } }
            None if is_empty => {},
            None => {
                p { small { (words.as_sent) } }
                pre tabindex="0" { (lossy(&message.bytes)) }
            }
        }
    }
}

/// As text, cut to what a page can show.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned()
}

/// The messages that come in, and are checked.
const RECEIVED: [&str; 3] = ["AuthnRequest", "ArtifactResolve", "LogoutRequest"];
/// How much of a message that is not XML is shown, in bytes.
const SHOWN_BYTES: usize = 16 * 1024;
