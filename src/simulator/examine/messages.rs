//! What a service provider sends, by the rules of the node.

use std::collections::HashSet;

use super::judge::Verdict;
use crate::pages::Language;
use crate::report::Text;
use crate::simulator::check::Finding;
use crate::simulator::state::{MessageKind, Received};

/// Judges the messages of one kind: each rule that one of them breaks is named.
pub(super) fn judge(received: &[Received], kind: MessageKind) -> Verdict {
    let all: Vec<_> = received.iter().filter(|message| message.kind == kind).collect();
    let mut findings: Vec<&Finding> = Vec::new();
    for finding in all.iter().flat_map(|message| &message.findings) {
        if !findings.iter().any(|other| other.code() == finding.code()) {
            findings.push(finding);
        }
    }
    if all.is_empty() && kind != MessageKind::LogoutRequest {
        // A plain login has failed then, and says why.
        return Verdict::skipped(Text::new("żaden nie przyszedł", "none came"));
    }
    if all.is_empty() {
        return Verdict::failed(Text::new(
            format!("węzeł nie dostał {}", kind.name()),
            format!("the node got no {}", kind.name()),
        ));
    }
    if findings.is_empty() {
        return Verdict::passed(Text::new(
            format!("{} wiadomości bez uwag", all.len()),
            format!("{} messages, nothing wrong with them", all.len()),
        ));
    }
    let told = |language| {
        let one = |finding: &&Finding| {
            let clause = finding.rule.clause;
            format!("{} ({clause}): {}", finding.code(), finding.what(language))
        };
        findings.iter().map(one).collect::<Vec<_>>().join("; ")
    };
    Verdict::failed(Text::new(told(Language::Polish), told(Language::English)))
}

/// SAML core 1.3.4: no two messages have the same identifier.
pub(super) fn judge_ids(received: &[Received]) -> Verdict {
    if received.is_empty() {
        return Verdict::skipped(Text::new("żadna nie przyszła", "none came"));
    }
    let mut seen = HashSet::new();
    let again = received.iter().find(|message| !seen.insert(&message.id));
    match again {
        Some(message) => Verdict::failed(Text::new(
            format!("dwie wiadomości {} mają to samo ID", message.kind.name()),
            format!("two messages {} have the same ID", message.kind.name()),
        )),
        None => Verdict::passed(Text::new(
            format!("{} wiadomości, każda z własnym ID", received.len()),
            format!("{} messages, each with an ID of its own", received.len()),
        )),
    }
}
