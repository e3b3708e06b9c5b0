//! The node's answer to an `ArtifactResolve`: verified first, opened afterwards.
//!
//! 1. The `ArtifactResponse` and the `Response` inside are both signed by a pinned certificate;
//!    the assertion inside has no signature of its own, so nothing is opened before both hold.
//! 2. The one `EncryptedAssertion` is taken from the verified `Response` and from nowhere else.
//! 3. Issuers and `InResponseTo` are checked at both levels, and both statuses.
//! 4. Nothing else is in it, but in places for extensions (`schema`).
//! 5. An error status may come without a signature: it signs no citizen in. What it says is
//!    reported only when no signature is there at all; a broken one is the reason itself.

use zeroize::Zeroizing;

use super::checks::Checks;
use super::conditions::check_issued;
use super::expected::{Expected, Wrapping};
use super::namespaces::{SAML2, SAML2P};
use super::refusal::{Level, Refusal};
use super::schema;
use super::soap;
use super::status::Status;
use crate::base::clock::Time;
use crate::xml::algorithms::DS;
use crate::xml::decryption::{self, Parties};
use crate::xml::keys::DecryptionKey;
use crate::xml::signature::{self, ReferenceStyle, TrustedCertificates, Verified};
use crate::xml::tree::{self, Document, Element};

/// An answer whose signatures hold, which says success at both levels, and which holds exactly
/// one encrypted assertion. Only [`Answer::verify`] makes one.
#[derive(Debug)]
pub struct Answer<'d> {
    response: Verified<'d>,
    encrypted: Element<'d>,
}

/// The decrypted assertion of a verified answer. Only [`Answer::open`] makes one.
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened([personal])")
    }
}

impl<'d> Answer<'d> {
    /// Checks everything about an answer that can be checked before it is opened.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(
        document: &'d Document<'d>,
        trusted: &'d TrustedCertificates,
        expected: &Expected,
        now: Time,
        checks: &mut Checks,
    ) -> Result<Self, Refusal> {
        let outer = checks.note("artifact_response", find(document, expected.wrapping))?;
        let inner =
            checks.note("response", outer.optional_child(SAML2P, "Response").map_err(shape))?;

        // 1. Signatures.
        let verified = verify_signatures(document, outer, inner, trusted, checks)?;

        // 2. The outer message.
        check_message(Level::ArtifactResponse, outer, expected, now, checks)?;
        let Some(inner) = inner else {
            return checks.note("response_present", Err(Refusal::NoResponse));
        };

        // 3. The inner message, by the proof that its own signature holds.
        check_message(Level::Response, inner, expected, now, checks)?;
        let proof = verified.into_iter().find(|verified| verified.element() == inner);
        let Some(response) = proof else {
            let missing = signature::Error::Missing(inner.name().into());
            return checks.note("response_signature", Err(missing.into()));
        };

        // 4. The one assertion.
        let encrypted = checks.note("encrypted_assertion", only_assertion(response))?;

        // 5. Nothing is there that would be passed over.
        let places = schema::check(document.root(), checks).map_err(Refusal::Shape);
        checks.note_places("message_schema", places)?;
        Ok(Self { response, encrypted })
    }

    /// Opens the assertion.
    ///
    /// # Errors
    /// When the encryption is not of the profile, or none of our keys opens it.
    pub fn open(
        &self,
        keys: &[DecryptionKey],
        expected: &Expected,
        checks: &mut Checks,
    ) -> Result<Opened, Refusal> {
        debug_assert!(self.response.element().source().contains(self.encrypted.source()));
        let parties =
            Parties { node: expected.node.as_deref(), service: expected.service.as_deref() };
        let opened = decryption::open_encrypted(self.encrypted, keys, parties);
        let decryption::Opened { plain: opened, content_key_bits, wrap } = match opened {
            Ok(opened) => opened,
            Err(error) => return checks.note("decryption", Err(error.into())),
        };
        let wrap = wrap.rsplit_once('#').map_or(wrap, |(_, name)| name);
        let how = format!("content key of {content_key_bits} bits, wrapped by {wrap}");
        checks.passed("decryption", how);
        for (name, party) in
            [("encryption_party_node", parties.node), ("encryption_party_service", parties.service)]
        {
            match party {
                Some(_) => checks.passed(name, ""),
                None => checks.not_checked(name, ""),
            }
        }
        Ok(Opened(opened))
    }
}

fn shape(error: tree::Error) -> Refusal {
    Refusal::Shape(error.to_string())
}

fn find<'d>(document: &'d Document<'d>, wrapping: Wrapping) -> Result<Element<'d>, Refusal> {
    let root = document.root();
    let bare = wrapping == Wrapping::SoapOrBare && root.is(SAML2P, "ArtifactResponse");
    let message = if bare { root } else { soap::unwrap(root)? };
    if message.is(SAML2P, "ArtifactResponse") {
        Ok(message)
    } else {
        Err(Refusal::Shape(format!("{message:?} is no ArtifactResponse")))
    }
}

/// Verifies the signatures of both messages (rules 1 and 5).
fn verify_signatures<'d>(
    document: &'d Document<'d>,
    outer: Element<'d>,
    inner: Option<Element<'d>>,
    trusted: &'d TrustedCertificates,
    checks: &mut Checks,
) -> Result<Vec<Verified<'d>>, Refusal> {
    let is_signed = |element: Element<'_>| element.children_named(DS, "Signature").next().is_some();
    let failed = |element: Element<'_>| Status::read(element).ok().filter(|s| !s.is_success());
    if inner.is_none()
        && !is_signed(outer)
        && let Some(status) = failed(outer)
    {
        let refusal = Refusal::Status { level: Level::ArtifactResponse, status };
        return checks.note("artifact_response_status", Err(refusal));
    }
    let mut elements = vec![outer];
    // The outer signature covers an inner error, signed or not.
    elements.extend(inner.filter(|&inner| is_signed(inner) || failed(inner).is_none()));
    let verified = signature::verify(document, &elements, trusted, ReferenceStyle::ById);
    match verified {
        Ok(verified) => {
            let names = ["artifact_response_signature", "response_signature"];
            for (name, verified) in names.into_iter().zip(&verified) {
                checks.passed(name, format!("by {}", verified.certificate().subject()));
            }
            Ok(verified)
        }
        Err(error) => {
            let name = if error.concerns("Response") {
                "response_signature"
            } else {
                "artifact_response_signature"
            };
            checks.note(name, Err(error.into()))
        }
    }
}

/// What both messages have in common: version, date, issuer, request, status.
fn check_message(
    level: Level,
    message: Element<'_>,
    expected: &Expected,
    now: Time,
    checks: &mut Checks,
) -> Result<(), Refusal> {
    let [issuer_name, request_name, status_name, issued_name] = match level {
        Level::ArtifactResponse => [
            "artifact_response_issuer",
            "artifact_response_in_response_to",
            "artifact_response_status",
            "artifact_response_issue_instant",
        ],
        _ => [
            "response_issuer",
            "response_in_response_to",
            "response_status",
            "response_issue_instant",
        ],
    };
    if message.required_attribute("Version").map_err(shape)? != "2.0" {
        return checks.note("version", Err(Refusal::Shape(format!("{level} is not SAML 2.0"))));
    }
    let issuer = message.child(SAML2, "Issuer").map_err(shape)?.text().map_err(shape)?;
    checks.compare(issuer_name, &issuer, expected.node.as_deref(), |found, expected| {
        Refusal::Issuer { level, found, expected }
    })?;
    let request = match level {
        Level::ArtifactResponse => expected.resolve_id.as_deref(),
        _ => expected.request_id.as_deref(),
    };
    let answered = message.required_attribute("InResponseTo").map_err(shape)?;
    checks.compare(request_name, answered, request, |found, expected| Refusal::InResponseTo {
        level,
        found,
        expected,
    })?;
    // SAML core 3.2.2: optional, and checked when it is there. The node sends none.
    if level == Level::Response
        && let Some(destination) = message.attribute("Destination")
    {
        let acs = expected.acs.as_deref();
        checks.compare("destination", destination, acs, |found, expected| {
            Refusal::Destination { level, found, expected }
        })?;
    }
    let issued = check_issued(level, message, expected.skew, now);
    if let (Level::ArtifactResponse, Ok(issued) | Err(Refusal::IssuedInFuture { issued, .. })) =
        (level, &issued)
    {
        checks.note_message_issued(*issued);
    }
    checks.note(issued_name, issued)?;
    let status = Status::read(message).map_err(shape)?;
    let result = if status.is_success() { Ok(()) } else { Err(Refusal::Status { level, status }) };
    checks.note(status_name, result)
}

fn only_assertion<'d>(response: Verified<'d>) -> Result<Element<'d>, Refusal> {
    let response = response.element();
    let plain = response.children_named(SAML2, "Assertion").count();
    let encrypted: Vec<_> = response.children_named(SAML2, "EncryptedAssertion").collect();
    match (encrypted.as_slice(), plain) {
        ([only], 0) => Ok(*only),
        ([], 0) => Err(Refusal::NoAssertion),
        ([], 1) => Err(Refusal::PlainAssertion),
        (several, plain) => Err(Refusal::SeveralAssertions(several.len() + plain)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::namespaces::SOAP;
    use crate::xml::scan::Limits;

    fn document(xml: &str) -> Document<'_> {
        Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap()
    }

    /// A message without a signature that says an error.
    fn failed(name: &str, inside: &str) -> String {
        format!(
            "<p:{name} xmlns:p='{SAML2P}' ID='{name}'><p:Status>\
             <p:StatusCode Value='urn:oasis:names:tc:SAML:2.0:status:Responder'/></p:Status>\
             {inside}</p:{name}>"
        )
    }

    #[test]
    fn an_answer_is_an_artifact_response_however_it_is_wrapped() {
        let wrapped = |message: &str| {
            format!("<e:Envelope xmlns:e='{SOAP}'><e:Body>{message}</e:Body></e:Envelope>")
        };
        let (answer, response) = (failed("ArtifactResponse", ""), failed("Response", ""));
        for (xml, wrapping, is_found) in [
            (wrapped(&answer), Wrapping::Soap, true),
            (wrapped(&answer), Wrapping::SoapOrBare, true),
            (answer.clone(), Wrapping::SoapOrBare, true),
            (answer, Wrapping::Soap, false),
            (wrapped(&response), Wrapping::Soap, false),
            (wrapped(&response), Wrapping::SoapOrBare, false),
            (response, Wrapping::SoapOrBare, false),
        ] {
            let document = document(&xml);
            let found = find(&document, wrapping);
            assert_eq!(found.is_ok(), is_found, "{wrapping:?} {xml}");
        }
    }

    #[test]
    fn an_unsigned_error_is_believed_only_where_no_message_is_inside() {
        let trusted = TrustedCertificates::pin(Vec::new()).unwrap();
        for (inside, is_believed) in [(String::new(), true), (failed("Response", ""), false)] {
            let xml = failed("ArtifactResponse", &inside);
            let document = document(&xml);
            let outer = document.root();
            let inner = outer.optional_child(SAML2P, "Response").unwrap();
            let mut checks = Checks::new();
            let refused = verify_signatures(&document, outer, inner, &trusted, &mut checks);
            let is_status = matches!(refused, Err(Refusal::Status { .. }));
            assert_eq!((refused.is_err(), is_status), (true, is_believed), "{inside}");
        }
    }
}
