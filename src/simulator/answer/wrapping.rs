//! Signature wrapping (Somorovsky et al., "On breaking SAML: be whoever you want to be", 2012),
//! fitted to an answer of two signed messages around an assertion without a signature.
//!
//! In each of these a true signature of the node is somewhere in the message, and so is a forged
//! part that names another person. A reader that verifies one thing and reads another signs in the
//! wrong person.

use super::alter::{Alteration, find_response, find_signature};
use super::message::{Part, Seal, artifact_response, response};
use crate::base::random::message_id;
use crate::simulator::faults::Fault;

impl Alteration<'_> {
    /// Wrappings of the inner message that the outer signature will cover: only the check of the
    /// inner one can find them.
    pub(super) fn wrap_between(&self, fault: Fault, text: &str) -> Option<String> {
        let original = Original::find(text)?;
        let Original { whole, signature, bare, .. } = &original;
        let own = self.part(None);
        let inside = match fault {
            Fault::Wrapped3 => format!("{}{whole}", response(&own, Seal::None, &self.forged)),
            Fault::Wrapped4 => response(&own, Seal::None, &format!("{}{whole}", self.forged)),
            Fault::Wrapped5 => {
                let forged = response(&own, Seal::Copied(signature), &self.forged);
                let altered = original.replace(text, &forged);
                let at = altered.find("</saml2p:Status>")?;
                let detail = format!("<saml2p:StatusDetail>{bare}</saml2p:StatusDetail>");
                return Some(format!("{}{detail}{}", &altered[..at], &altered[at..]));
            }
            Fault::Wrapped6 => {
                let end = "</ds:Signature>";
                let around = signature.replace(end, &format!("{bare}{end}"));
                response(&own, Seal::Copied(&around), &self.forged)
            }
            Fault::Wrapped9 => {
                let first = "<saml2:EncryptedAssertion>";
                whole.replacen(first, &format!("{}{first}", self.forged), 1)
            }
            Fault::Wrapped10 => {
                let last = "</saml2:EncryptedAssertion>";
                whole.replacen(last, &format!("{last}{}", self.forged), 1)
            }
            Fault::Wrapped11 => {
                let (start, rest) = whole.split_once("<saml2:EncryptedAssertion>")?;
                let (_, end) = rest.split_once("</saml2:EncryptedAssertion>")?;
                format!("{start}{}{end}", self.forged)
            }
            _ => return None,
        };
        Some(original.replace(text, &inside))
    }

    /// Wrappings of a message that is signed twice.
    pub(super) fn wrap_after(&self, fault: Fault, text: &str) -> Option<String> {
        match fault {
            Fault::Wrapped1 => {
                let signature = find_signature(text, 0)?;
                let bare = format!("{}{}", &text[..signature.start], &text[signature.end..]);
                let around =
                    text[signature].replace("</ds:Signature>", &format!("{bare}</ds:Signature>"));
                Some(self.forged_answer(Seal::Copied(&around)))
            }
            Fault::Wrapped2 => {
                let signature = find_signature(text, 0)?;
                let bare = format!("{}{}", &text[..signature.start], &text[signature.end..]);
                let beside = format!("{bare}{}", &text[signature]);
                Some(self.forged_answer(Seal::Copied(&beside)))
            }
            Fault::Wrapped7 => {
                let forged = response(&self.same_part()?, Seal::None, &self.forged);
                let at = find_signature(text, 0)?.end;
                let extensions = format!("<saml2p:Extensions>{forged}</saml2p:Extensions>");
                Some(format!("{}{extensions}{}", &text[..at], &text[at..]))
            }
            Fault::Wrapped8 => {
                let original = Original::find(text)?;
                let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", original.bare);
                let around = original.signature.replace("</ds:Signature>", &object);
                let forged = response(&self.same_part()?, Seal::Copied(&around), &self.forged);
                Some(original.replace(text, &forged))
            }
            _ => None,
        }
    }

    /// A forged answer as a whole.
    pub(super) fn forged_answer(&self, seal: Seal<'_>) -> String {
        let inside = response(&self.part(None), Seal::None, &self.forged);
        let outer = Part { id: message_id(), ..self.plan.outer.clone() };
        artifact_response(&outer, seal, &inside)
    }

    fn part(&self, id: Option<String>) -> Part {
        let like = self.plan.inner.as_ref().unwrap_or(&self.plan.outer);
        Part { id: id.unwrap_or_else(message_id), status: None, ..like.clone() }
    }

    fn same_part(&self) -> Option<Part> {
        Some(self.part(Some(self.plan.inner.as_ref()?.id.clone())))
    }
}

/// The original inner message, whole, and taken apart.
struct Original {
    range: std::ops::Range<usize>,
    whole: String,
    signature: String,
    /// Without its signature: what the digest was made of.
    bare: String,
}

impl Original {
    fn find(text: &str) -> Option<Self> {
        let range = find_response(text)?;
        let signature = find_signature(text, range.start)?;
        let bare =
            format!("{}{}", &text[range.start..signature.start], &text[signature.end..range.end]);
        Some(Self {
            whole: text[range.clone()].to_owned(),
            signature: text[signature].to_owned(),
            bare,
            range,
        })
    }

    fn replace(&self, text: &str, with: &str) -> String {
        format!("{}{with}{}", &text[..self.range.start], &text[self.range.end..])
    }
}
