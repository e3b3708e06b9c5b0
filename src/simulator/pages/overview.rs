//! What the simulator is, which service providers it knows, and what came in last.

use maud::{Markup, html};

use super::{LOGINS_PATH, words, write};
use crate::pages::{Language, Page};
use crate::simulator::node::Node;
use crate::simulator::state::Received;

/// How many messages are shown.
const SHOWN: usize = 20;

/// Writes the front page of the simulator.
pub(in crate::simulator) fn overview(language: Language, node: &Node) -> Page {
    let words = words(language);
    let state = node.state();
    let addresses = [
        ("Issuer", &node.issuer),
        ("SingleSignOnService", &node.addresses.sso),
        ("idpArtifactResolutionService", &node.addresses.resolve),
        ("singleLogoutService", &node.addresses.logout),
    ];
    let content = html! {
        p { (words.overview_why) }
        p { a href=(LOGINS_PATH) { (words.logins) } }
        h2 { (words.addresses) }
        dl { @for (name, address) in addresses { dt { (name) } dd { code { (address) } } } }
        h2 { (words.services) }
        @if state.services.is_empty() { p { (words.no_services) } }
        ul {
            @for registered in &state.services {
                li {
                    (registered.service.issuer)
                    @for acs in &registered.service.acs { br; code { (acs) } }
                }
            }
        }
        h2 { (words.messages) }
        @if state.received.is_empty() {
            p { (words.no_messages) }
        } @else {
            div.scroll { table {
                @for received in state.received.iter().rev().take(SHOWN) {
                    (row(language, received))
                }
            } }
        }
    };
    write(language, words.overview, content, None)
}

fn row(language: Language, received: &Received) -> Markup {
    html! {
        tr {
            td { (format!("{:.0}", received.time)) }
            td { (received.kind.name()) br; small { (received.issuer) } }
            td {
                @if received.findings.is_empty() { (words(language).accepted) }
                @for finding in &received.findings {
                    p { code { (finding.code()) } br; (finding.what(language)) }
                }
            }
        }
    }
}
