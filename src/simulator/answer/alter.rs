//! What faults do to a message before, between and after its two signatures.
//!
//! Messages are ours and on one line, so plain searching in the text is enough. An alteration
//! that finds nothing to alter (two faults that exclude each other) leaves the text as it is.

use std::ops::Range;

use super::cut::find;
use super::plan::Plan;
use crate::simulator::Error;
use crate::simulator::faults::Fault;
use crate::xml::algorithms::{ECDSA_SHA256, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, SHA256};
use crate::xml::signer::PREFIX_LIST;

const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
const XSLT: &str = "http://www.w3.org/TR/1999/REC-xslt-19991116";
const INCLUSIVE_C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/// The address of what nobody should fetch because a message says so. Whoever sends the message may
/// put an address of its own in its place.
pub const EXTERNAL: &str = "http://127.0.0.1:9/external";

/// Alters the empty signatures: what is made of them is a true signature of another profile.
/// (But for inclusive canonicalisation, which takes in the prefix of the envelope that is put
/// around it later.)
pub(super) fn before_signing(mut text: String, faults: &[Fault]) -> String {
    let has = |fault| faults.contains(&fault);
    if has(Fault::Sha1Digest) {
        // Only where a digest value follows: the encryption has digest methods too.
        let from = format!("<ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue>");
        text = text.replace(&from, &from.replace(SHA256, SHA1));
    }
    if has(Fault::InclusiveC14n) {
        let parameter = format!(
            "<InclusiveNamespaces xmlns=\"{EXCLUSIVE_C14N}\" PrefixList=\"{PREFIX_LIST}\"/>"
        );
        text = text.replace(&parameter, "").replace(EXCLUSIVE_C14N, INCLUSIVE_C14N);
    }
    if has(Fault::TwoReferences)
        && let Some(reference) = find(&text, "<ds:Reference ", "</ds:Reference>")
    {
        let second = text[reference.clone()].to_owned();
        text.insert_str(reference.end, &second);
    }
    text
}

/// The alterations of a signed message.
pub(super) struct Alteration<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// A sealed assertion that names another person.
    pub(super) forged: String,
    faults: &'a [Fault],
}

impl<'a> Alteration<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, faults: &'a [Fault]) -> Result<Self, Error> {
        Ok(Self { plan, forged: plan.write_forged()?, faults })
    }

    /// Alters what has an inner signature and no outer one yet.
    pub(super) fn between(&self, mut text: String) -> String {
        for &fault in self.faults {
            let altered = match fault {
                Fault::MovedSignature => move_inner_signature(&text),
                Fault::TamperedResponse => tamper(&text, "<saml2p:Response "),
                _ => self.wrap_between(fault, &text),
            };
            text = altered.unwrap_or(text);
        }
        text
    }

    /// Alters what is signed twice.
    pub(super) fn after(&self, mut text: String) -> String {
        for &fault in self.faults {
            let altered = match fault {
                Fault::TamperedArtifactResponse => tamper(&text, "<saml2p:ArtifactResponse "),
                Fault::Reindented => Some(text.replace("><", ">\n  <")),
                Fault::TransformXslt => Some(text.replacen(ENVELOPED_SIGNATURE, XSLT, 1)),
                Fault::HmacSignature => Some(text.replacen(ECDSA_SHA256, HMAC_SHA256, 1)),
                Fault::ExternalReference => {
                    let own = format!("URI=\"#{}\"", self.plan.outer.id);
                    Some(text.replacen(&own, &format!("URI=\"{EXTERNAL}\""), 1))
                }
                Fault::Comment => in_issuer(&text, |issuer| {
                    let (start, end) = issuer.split_at(issuer.len() / 2);
                    format!("{start}<!-- -->{end}")
                }),
                Fault::AttributeWhiteSpace => {
                    let spelled = PREFIX_LIST.replacen(' ', "\t", 1).replacen(' ', "\r\n", 1);
                    Some(text.replace(PREFIX_LIST, &spelled.replacen(' ', "\n", 1)))
                }
                Fault::LongNamespace => in_status_detail(&text, &|| {
                    let (name, uses) = ("\"".repeat(200 << 10), "<a:x/>".repeat(900));
                    format!("<r xmlns:a='urn:{name}'><s>{uses}</s></r>")
                }),
                Fault::LongCanonicalForm => {
                    in_status_detail(&text, &|| format!("<r x='{}'/>", "\"".repeat(200 << 10)))
                }
                Fault::Cdata => in_issuer(&text, |issuer| format!("<![CDATA[{issuer}]]>")),
                _ => self.wrap_after(fault, &text),
            };
            text = altered.unwrap_or(text);
        }
        text
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// Finds the original response: the first there is, to the last end there is.
pub(super) fn find_response(text: &str) -> Option<Range<usize>> {
    let end = "</saml2p:Response>";
    Some(text.find("<saml2p:Response ")?..text.rfind(end)? + end.len())
}

/// Finds the first signature behind `from`.
pub(super) fn find_signature(text: &str, from: usize) -> Option<Range<usize>> {
    let found = find(&text[from..], "<ds:Signature ", "</ds:Signature>")?;
    Some(from + found.start..from + found.end)
}

/// Adds a status message to the first status behind `start`.
fn tamper(text: &str, start: &str) -> Option<String> {
    let from = text.find(start)?;
    let at = from + text[from..].find("</saml2p:Status>")?;
    let mut text = text.to_owned();
    text.insert_str(at, "<saml2p:StatusMessage>zmieniono</saml2p:StatusMessage>");
    Some(text)
}

/// Adds details to the first status.
fn in_status_detail(text: &str, detail: &dyn Fn() -> String) -> Option<String> {
    let at = text.find("</saml2p:Status>")?;
    let detail = format!("<saml2p:StatusDetail>{}</saml2p:StatusDetail>", detail());
    Some(format!("{}{detail}{}", &text[..at], &text[at..]))
}

fn move_inner_signature(text: &str) -> Option<String> {
    let signature = find_signature(text, find_response(text)?.start)?;
    let moved = text[signature.clone()].to_owned();
    let mut text = text.to_owned();
    text.replace_range(signature.clone(), "");
    let at = signature.start + text[signature.start..].find("</saml2p:Status>")?;
    let detail = format!("<saml2p:StatusDetail>{moved}</saml2p:StatusDetail>");
    text.insert_str(at, &detail);
    Some(text)
}

fn in_issuer(text: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let start = text.find("<saml2:Issuer>")? + "<saml2:Issuer>".len();
    let end = start + text[start..].find('<')?;
    let mut altered = text.to_owned();
    altered.replace_range(start..end, &change(&text[start..end]));
    Some(altered)
}
