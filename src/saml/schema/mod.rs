//! What may stand where in an answer, by the schemas of SAML 2.0 and SOAP 1.1.
//!
//! 1. Nothing that is there is passed over in silence. An element or attribute has its place in the
//!    schema, or the message is refused with its name; so is text between elements.
//! 2. Where the schema has a place for extensions, whatever stands there is tolerated, and noted
//!    with its name ([`Checks::tolerate`]): the node may send more than was seen of it.
//! 3. What could name the person a second time has its one place, and none among extensions.
//! 4. Signatures and encryption have rules of their own (`xml::signature`, `xml::decryption`).
//!
//! The order of elements is not looked at: each is found by its name, and what may be there once is
//! refused when it is there twice.

use super::checks::Checks;
use super::namespaces::{SAML2, SAML2P, SOAP, XSI};
use crate::base::foreign::Foreign;
use crate::identity::attribute::Attribute;
use crate::xml::algorithms::DS;
use crate::xml::tree::Element;

/// An element of the schema, and what it may hold.
struct Row {
    name: Name,
    attributes: &'static [&'static str],
    others: Others,
    holds: Holds,
}

/// Namespace and local name.
type Name = (&'static str, &'static str);

/// What other attributes there may be (`xs:anyAttribute`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// No other attribute.
    None,
    /// Those of a namespace.
    Foreign,
    /// Any other attribute, with a namespace or without.
    Any,
}

/// What stands between the tags.
enum Holds {
    /// Text alone, without elements.
    Text,
    /// These elements, each as often as it says.
    Elements(&'static [(Name, Times)]),
    /// These, and whatever else (`xs:any`).
    Anything(&'static [(Name, Times)]),
    /// What other rules are about.
    Apart,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Often,
}

use Holds::{Anything, Apart, Elements, Text};
use Times::{Often, Once};

const ISSUER: Name = (SAML2, "Issuer");
const SIGNATURE: Name = (DS, "Signature");
const EXTENSIONS: Name = (SAML2P, "Extensions");
const STATUS: Name = (SAML2P, "Status");
const STATUS_CODE: Name = (SAML2P, "StatusCode");

/// The attributes of a `StatusResponseType` (SAML core 3.2.2).
const MESSAGE: &[&str] =
    &["ID", "InResponseTo", "Version", "IssueInstant", "Destination", "Consent"];
/// The attributes of a `NameIDType` (SAML core 2.2.2).
const NAME: &[&str] = &["NameQualifier", "SPNameQualifier", "Format", "SPProvidedID"];

const ROWS: &[Row] = &[
    // SOAP 1.1, section 4. What the header holds is for others, unless it says otherwise.
    open((SOAP, "Envelope"), &[], &[((SOAP, "Header"), Once), ((SOAP, "Body"), Once)]),
    Row { holds: Anything(&[]), ..open((SOAP, "Header"), &[], &[]) },
    open(
        (SOAP, "Body"),
        &[],
        &[((SAML2P, "ArtifactResponse"), Once), ((SAML2P, "LogoutResponse"), Once)],
    ),
    // saml-schema-protocol-2.0.xsd
    elements(
        (SAML2P, "ArtifactResponse"),
        MESSAGE,
        &[
            (ISSUER, Once),
            (SIGNATURE, Once),
            (EXTENSIONS, Once),
            (STATUS, Once),
            // The schema has any element here; the binding, the answer to our request.
            ((SAML2P, "Response"), Once),
        ],
    ),
    elements(
        (SAML2P, "Response"),
        MESSAGE,
        &[
            (ISSUER, Once),
            (SIGNATURE, Once),
            (EXTENSIONS, Once),
            (STATUS, Once),
            ((SAML2, "EncryptedAssertion"), Once),
        ],
    ),
    elements(
        (SAML2P, "LogoutResponse"),
        MESSAGE,
        &[(ISSUER, Once), (SIGNATURE, Once), (EXTENSIONS, Once), (STATUS, Once)],
    ),
    Row { holds: Anything(&[]), ..text(EXTENSIONS, &[]) },
    elements(
        STATUS,
        &[],
        &[(STATUS_CODE, Once), ((SAML2P, "StatusMessage"), Once), ((SAML2P, "StatusDetail"), Once)],
    ),
    elements(STATUS_CODE, &["Value"], &[(STATUS_CODE, Once)]),
    text((SAML2P, "StatusMessage"), &[]),
    Row { holds: Anything(&[]), ..text((SAML2P, "StatusDetail"), &[]) },
    // saml-schema-assertion-2.0.xsd
    text(ISSUER, NAME),
    Row { holds: Apart, ..text((SAML2, "EncryptedAssertion"), &[]) },
    elements(
        (SAML2, "Assertion"),
        &["ID", "Version", "IssueInstant"],
        &[
            (ISSUER, Once),
            (SIGNATURE, Once),
            ((SAML2, "Subject"), Once),
            ((SAML2, "Conditions"), Once),
            ((SAML2, "Advice"), Once),
            ((SAML2, "AuthnStatement"), Once),
            ((SAML2, "AttributeStatement"), Often),
        ],
    ),
    elements(
        (SAML2, "Subject"),
        &[],
        &[((SAML2, "NameID"), Once), ((SAML2, "SubjectConfirmation"), Once)],
    ),
    text((SAML2, "NameID"), NAME),
    elements(
        (SAML2, "SubjectConfirmation"),
        &["Method"],
        &[((SAML2, "SubjectConfirmationData"), Once)],
    ),
    Row {
        holds: Anything(&[]),
        ..open(
            (SAML2, "SubjectConfirmationData"),
            &["NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address"],
            &[],
        )
    },
    elements(
        (SAML2, "Conditions"),
        &["NotBefore", "NotOnOrAfter"],
        &[((SAML2, "AudienceRestriction"), Often), ((SAML2, "OneTimeUse"), Often)],
    ),
    elements((SAML2, "AudienceRestriction"), &[], &[((SAML2, "Audience"), Often)]),
    text((SAML2, "Audience"), &[]),
    elements((SAML2, "OneTimeUse"), &[], &[]),
    Row {
        holds: Anything(&[((SAML2, "AssertionIDRef"), Often), ((SAML2, "AssertionURIRef"), Often)]),
        ..text((SAML2, "Advice"), &[])
    },
    text((SAML2, "AssertionIDRef"), &[]),
    text((SAML2, "AssertionURIRef"), &[]),
    elements(
        (SAML2, "AuthnStatement"),
        &["AuthnInstant", "SessionIndex", "SessionNotOnOrAfter"],
        &[((SAML2, "SubjectLocality"), Once), ((SAML2, "AuthnContext"), Once)],
    ),
    elements((SAML2, "SubjectLocality"), &["Address", "DNSName"], &[]),
    elements(
        (SAML2, "AuthnContext"),
        &[],
        &[
            ((SAML2, "AuthnContextClassRef"), Once),
            ((SAML2, "AuthnContextDecl"), Once),
            ((SAML2, "AuthnContextDeclRef"), Once),
            ((SAML2, "AuthenticatingAuthority"), Often),
        ],
    ),
    text((SAML2, "AuthnContextClassRef"), &[]),
    text((SAML2, "AuthnContextDeclRef"), &[]),
    text((SAML2, "AuthenticatingAuthority"), &[]),
    anything((SAML2, "AuthnContextDecl")),
    elements((SAML2, "AttributeStatement"), &[], &[((SAML2, "Attribute"), Often)]),
    open(
        (SAML2, "Attribute"),
        &["Name", "NameFormat", "FriendlyName"],
        &[((SAML2, "AttributeValue"), Often)],
    ),
    anything((SAML2, "AttributeValue")),
    // Elsewhere there are rules for it, and it must hold.
    Row { holds: Apart, others: Others::Any, ..text(SIGNATURE, &[]) },
];

/// What names a person, or carries what does, in whatever version of SAML; and what only means
/// something where it is looked for.
const NEVER_AN_EXTENSION: [&str; 22] = [
    "Advice",
    "ArtifactResponse",
    "Assertion",
    "Attribute",
    "AttributeStatement",
    "AttributeValue",
    "AuthenticationStatement",
    "AuthnStatement",
    "AuthzDecisionStatement",
    "BaseID",
    "EncryptedAssertion",
    "EncryptedAttribute",
    "EncryptedID",
    "LogoutRequest",
    "LogoutResponse",
    "NameID",
    "NameIdentifier",
    "NewEncryptedID",
    "NewID",
    "Response",
    "Statement",
    "Subject",
];
/// What the namespaces of all versions of SAML begin with.
const SAML_FAMILY: &str = "urn:oasis:names:tc:SAML:";

const fn text(name: Name, attributes: &'static [&'static str]) -> Row {
    Row { name, attributes, others: Others::None, holds: Text }
}

const fn elements(
    name: Name,
    attributes: &'static [&'static str],
    holds: &'static [(Name, Times)],
) -> Row {
    Row { name, attributes, others: Others::None, holds: Elements(holds) }
}

const fn open(
    name: Name,
    attributes: &'static [&'static str],
    holds: &'static [(Name, Times)],
) -> Row {
    Row { name, attributes, others: Others::Foreign, holds: Elements(holds) }
}

/// An element of `xs:anyType`: any attributes, and whatever elements.
const fn anything(name: Name) -> Row {
    Row { name, attributes: &[], others: Others::Any, holds: Anything(&[]) }
}

/// Looks at a message, or at an assertion, with everything that it holds.
///
/// # Errors
/// What has no place where it stands, by name.
pub(super) fn check(element: Element<'_>, checks: &mut Checks) -> Result<(), String> {
    let row = row((element.namespace(), element.name()))
        .ok_or_else(|| format!("{element:?} is not expected"))?;
    look(element, row, checks)
}

fn row((namespace, name): (&str, &str)) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name.1 == name && row.name.0 == namespace)
}

fn look(element: Element<'_>, row: &Row, checks: &mut Checks) -> Result<(), String> {
    attributes(element, row, checks)?;
    match row.holds {
        Text => match element.children().next() {
            Some(child) => Err(misplaced(element, child)),
            None => Ok(()),
        },
        Elements(_) if element.has_stray_text() => {
            Err(format!("{element:?} holds text between its elements"))
        }
        Elements(known) | Anything(known) => children(element, row, known, checks),
        Apart => element.children().try_for_each(no_identity),
    }
}

fn children(
    element: Element<'_>,
    row: &Row,
    known: &[(Name, Times)],
    checks: &mut Checks,
) -> Result<(), String> {
    let mut seen: Vec<&Name> = Vec::new();
    for child in element.children() {
        let found = known.iter().find(|((namespace, name), _)| child.is(namespace, name));
        let Some((name, times)) = found else {
            if matches!(row.holds, Elements(_)) {
                return Err(misplaced(element, child));
            }
            no_identity(child)?;
            must_not_be_understood(child)?;
            checks.tolerate(format!("{child:?} in {element:?}"));
            continue;
        };
        if *times == Once && seen.contains(&name) {
            return Err(format!("{element:?} holds {child:?} twice"));
        }
        seen.push(name);
        check(child, checks)?;
    }
    Ok(())
}

fn attributes(element: Element<'_>, row: &Row, checks: &mut Checks) -> Result<(), String> {
    for (namespace, name, _) in element.attributes() {
        // XML Schema part 1, 2.6: these may be anywhere.
        if (namespace.is_empty() && row.attributes.contains(&name)) || namespace == XSI {
            continue;
        }
        let is_tolerated = match row.others {
            Others::None => false,
            Others::Foreign => !namespace.is_empty(),
            Others::Any => true,
        };
        let shown = Foreign::new(name);
        if !is_tolerated {
            return Err(format!("{element:?} has the attribute {shown}"));
        }
        checks.tolerate(format!("attribute {shown} of {element:?}"));
    }
    if row.name == (SAML2, "Attribute")
        && let Some(name) = element.attribute("Name")
        && Attribute::from_uri(name).is_none()
    {
        checks.tolerate(format!("attribute named {}", Foreign::new(name)));
    }
    Ok(())
}

/// SOAP 1.1, 4.2.3: a recipient that does not understand such a block must not go on.
fn must_not_be_understood(block: Element<'_>) -> Result<(), String> {
    let must = |(namespace, name, value): (&str, &str, &str)| {
        namespace == SOAP && name == "mustUnderstand" && value != "0"
    };
    if block.attributes().any(must) {
        return Err(format!("{block:?} must be understood"));
    }
    Ok(())
}

/// Rule 3, for an element and everything in it. A signature here would never be verified.
fn no_identity(element: Element<'_>) -> Result<(), String> {
    let is_saml = element.namespace().starts_with(SAML_FAMILY);
    if (is_saml && NEVER_AN_EXTENSION.contains(&element.name())) || element.is(DS, "Signature") {
        return Err(format!("{element:?} stands where nobody may say who somebody is"));
    }
    element.children().try_for_each(no_identity)
}

fn misplaced(parent: Element<'_>, child: Element<'_>) -> String {
    format!("{parent:?} holds {child:?}, which has no place there")
}

#[cfg(test)]
mod tests;
