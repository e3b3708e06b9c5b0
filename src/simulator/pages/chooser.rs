//! The choice of a person, and the way back.

use maud::{Markup, html};

use super::{CHOOSE_PATH, Words, words, write};
use crate::identity::assurance::Assurance;
use crate::pages::{Language, Page};
use crate::simulator::choice::Return;
use crate::simulator::faults::{Fault, Kind};
use crate::simulator::people::{CANCEL, Person, Way};
use crate::simulator::roster::People;
use crate::simulator::state::Transaction;

/// Lets the developer choose who signs in, how, and with which fault.
pub(in crate::simulator) fn chooser(
    language: Language,
    handle: &str,
    transaction: &Transaction,
    people: &People,
) -> Page {
    let words = words(language);
    let content = html! {
        @if let Some(trouble) = &people.trouble {
            h2 { (words.persons_wrong) }
            p { (words.persons_wrong_why) }
            pre { (trouble) }
        }
        (request(words, transaction))
        form method="post" action=(CHOOSE_PATH) autocomplete="off" {
            input type="hidden" name="transaction" value=(handle);
            fieldset {
                legend { (words.way) }
                ul.choices {
                    li { label {
                        input type="radio" name="way" value="" checked;
                        (words.way_automatic)
                    } }
                    @for way in Way::ALL {
                        li { label {
                            input type="radio" name="way" value=(way.key());
                            (way.title(language)) " – " (way.assurance())
                        } }
                    }
                }
            }
            label for="assurance" { (words.assurance) }
            select id="assurance" name="assurance" {
                option value="" { (words.automatic) }
                @for level in Assurance::ALL { option value=(level) { (level) } }
            }
            label for="fault" { (words.fault) }
            select id="fault" name="fault" {
                option value="" { (words.none) }
                (group(language, Kind::Quirk, words.quirks))
                (group(language, Kind::Fault, words.faults))
                (group(language, Kind::Logout, words.logout_faults))
            }
            h2 { (words.person) }
            ul.cards {
                @for person in people.list.iter() { li { (card(language, person)) } }
            }
            p.actions {
                button.quiet type="submit" name="person" value=(CANCEL) { (words.cancel) }
            }
        }
    };
    write(language, words.choose, content, None)
}

/// Takes the browser back at once, or when the button is pressed (SAML bindings 3.6.3).
pub(in crate::simulator) fn back(language: Language, back: &Return) -> Page {
    let words = words(language);
    let content = html! {
        form method="post" action=(back.acs) autocomplete="off" {
            input type="hidden" name="SAMLart" value=(back.artifact);
            @if let Some(relay_state) = &back.relay_state {
                input type="hidden" name="RelayState" value=(relay_state);
            }
            p { (words.returning_help) }
            p.actions { button type="submit" { (words.go_back) } }
        }
    };
    write(language, words.returning, content, Some("document.forms[0].submit();"))
}

fn request(words: &Words, transaction: &Transaction) -> Markup {
    let request = &transaction.request;
    let attributes: Vec<&str> =
        request.attributes.iter().map(|attribute| attribute.friendly_name()).collect();
    let service = &request.service.service;
    html! {
        dl {
            dt { (words.service) }
            dd {
                (service.issuer)
                @if let Some(name) = &request.provider_name { " (" (name) ")" }
            }
            dt { (words.asks_for) } dd { (attributes.join(", ")) }
            dt { (words.at_least) } dd { (request.minimum) }
        }
    }
}

fn group(language: Language, kind: Kind, title: &str) -> Markup {
    html! {
        optgroup label=(title) {
            @for fault in Fault::ALL.iter().filter(|fault| fault.kind() == kind) {
                option value=(fault.name()) { (fault.name()) " – " (fault.description(language)) }
            }
        }
    }
}

fn card(language: Language, person: &Person) -> Markup {
    let note = person.note(language);
    html! {
        button type="submit" name="person" value=(person.key) {
            strong { (person.given_name) " " (person.family_name) }
            small { (words(language).born) " " (person.birthdate) }
            small { (person.identifier) }
            @if !note.is_empty() { small { (note) } }
            @for fault in &person.faults { small { (fault.name()) } }
        }
    }
}
