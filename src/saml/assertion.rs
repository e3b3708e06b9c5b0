//! The assertion: read only when it was opened from a verified answer, kept only when every
//! condition holds. It needs no signature of its own; one that is there must hold all the same (SAML
//! core 5.4.2, XML signature 3.2).

use jiff::civil::Date;

use super::answer::Opened;
use super::checks::Checks;
use super::conditions::{
    check_authn_statement, check_conditions, check_issued, check_subject, shape,
};
use super::expected::Expected;
use super::message::is_offset;
use super::namespaces::SAML2;
use super::refusal::{Level, Refusal};
use super::schema;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::identity::person::{Identifier, Person};
use crate::xml::algorithms::DS;
use crate::xml::scan::Limits;
use crate::xml::signature::{self, ReferenceStyle, TrustedCertificates};
use crate::xml::tree::{Document, Element};

/// What the node says of a login, after every check. Only [`Assertion::read`] makes one.
#[derive(Clone)]
pub struct Assertion {
    id: String,
    name_id: String,
    session_index: String,
    authn_instant: Time,
    session_end: Option<Time>,
    not_on_or_after: Time,
    assurance: Assurance,
    authority: Option<String>,
    person: Person,
}

/// The longest value of an attribute, in characters.
const MAXIMUM_VALUE: usize = 500;

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assertion({}, {}, [personal])", self.id, self.assurance)
    }
}

impl Assertion {
    /// Reads the decrypted assertion and checks every condition.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn read(
        opened: &Opened,
        trusted: &TrustedCertificates,
        expected: &Expected,
        now: Time,
        checks: &mut Checks,
    ) -> Result<Self, Refusal> {
        let limits = Limits::message(expected.maximum_bytes);
        let document = Document::parse(opened.bytes(), &limits).map_err(shape);
        let document = checks.note("assertion_xml", document)?;
        let assertion = document.root();
        check_signature(&document, trusted, checks)?;
        let mut reading = Reading { assertion, expected, now, checks };
        let result = reading.read();
        if let Err(refusal @ Refusal::AssertionShape(_)) = &result {
            // Shapes are looked at along the way; the others have noted themselves.
            let _ = checks.note::<()>("assertion_shape", Err(refusal.clone()));
        }
        result
    }

    /// Returns the identifier under which the use of the assertion is remembered.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the login name at the identity provider: needed for logout, never shown.
    #[must_use]
    pub fn name_id(&self) -> &str {
        &self.name_id
    }

    /// Returns what the node calls the session.
    #[must_use]
    pub fn session_index(&self) -> &str {
        &self.session_index
    }

    /// Returns when the citizen identified.
    #[must_use]
    pub fn authn_instant(&self) -> Time {
        self.authn_instant
    }

    /// Returns when the node wants the session to end, when it says so.
    #[must_use]
    pub fn session_end(&self) -> Option<Time> {
        self.session_end
    }

    /// Returns until when the assertion could be presented again.
    #[must_use]
    pub fn not_on_or_after(&self) -> Time {
        self.not_on_or_after
    }

    /// Returns how sure the identification was.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// Returns which authority identified the citizen, such as `pz.gov.pl`.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Returns the person that the attributes and the `NameID` name.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.person
    }
}

struct Reading<'r, 'd> {
    assertion: Element<'d>,
    expected: &'r Expected,
    now: Time,
    checks: &'r mut Checks,
}

impl Reading<'_, '_> {
    fn read(&mut self) -> Result<Assertion, Refusal> {
        let Self { assertion, expected, now, .. } = *self;
        // 1. It is an assertion of SAML 2.0, from the node, of today.
        if !assertion.is(SAML2, "Assertion") {
            return Err(Refusal::AssertionShape(format!("{assertion:?} is no assertion")));
        }
        if assertion.required_attribute("Version").map_err(shape)? != "2.0" {
            return Err(Refusal::AssertionShape("it is not SAML 2.0".to_owned()));
        }
        let id = usable(assertion.required_attribute("ID").map_err(shape)?)
            .ok_or_else(|| Refusal::AssertionShape("its ID is empty or too long".to_owned()))?;
        let issuer = assertion.child(SAML2, "Issuer").map_err(shape)?.text().map_err(shape)?;
        self.checks.compare(
            "assertion_issuer",
            &issuer,
            expected.node.as_deref(),
            |found, expected| Refusal::Issuer { level: Level::Assertion, found, expected },
        )?;
        let issued = check_issued(Level::Assertion, assertion, expected.skew, now);
        self.checks.note("assertion_issue_instant", issued)?;

        // 2. It may be presented by its bearer, here and now, for this request.
        let subject = assertion.child(SAML2, "Subject").map_err(shape)?;
        check_subject(subject, expected, now, self.checks)?;
        let conditions = assertion.child(SAML2, "Conditions").map_err(shape)?;
        let not_on_or_after = check_conditions(conditions, expected, now, self.checks)?;

        // 3. How the citizen identified.
        let statement = assertion.child(SAML2, "AuthnStatement").map_err(shape)?;
        let (authn_instant, session_end) =
            check_authn_statement(statement, expected, now, self.checks)?;
        let context = statement.child(SAML2, "AuthnContext").map_err(shape)?;
        let assurance = self.assurance(context)?;
        let authority = match context.children_named(SAML2, "AuthenticatingAuthority").next() {
            Some(authority) => Some(
                usable(&authority.text().map_err(shape)?)
                    .ok_or_else(|| Refusal::AssertionShape("unusable authority".to_owned()))?,
            ),
            None => None,
        };

        // 4. The person that it is about.
        let name_id = text_of(subject.child(SAML2, "NameID").map_err(shape)?, "NameID")?;
        let person = self.person(&name_id)?;

        // 5. Nothing is there that would be passed over.
        let places = schema::check(assertion, self.checks).map_err(Refusal::AssertionShape);
        self.checks.note_places("assertion_schema", places)?;
        let session_index = match statement.attribute("SessionIndex") {
            Some(index) => usable(index)
                .ok_or_else(|| Refusal::AssertionShape("unusable SessionIndex".to_owned()))?,
            None => id.clone(),
        };
        Ok(Assertion {
            id,
            session_index,
            not_on_or_after,
            name_id,
            authn_instant,
            session_end,
            assurance,
            authority,
            person,
        })
    }

    fn assurance(&mut self, context: Element<'_>) -> Result<Assurance, Refusal> {
        let class = context.child(SAML2, "AuthnContextClassRef").map_err(shape)?;
        let uri = class.text().map_err(shape)?;
        let found = Assurance::from_uri(uri.trim())
            .ok_or_else(|| Refusal::AssuranceUnknown(Foreign::new(&uri)));
        let found = match found {
            Ok(found) => found,
            unknown @ Err(_) => return self.checks.note("assurance", unknown),
        };
        match self.expected.assurance {
            None => self.checks.not_checked("assurance", format!("it is {found}")),
            Some(least) if found >= least => self.checks.passed("assurance", found.name()),
            Some(expected) => {
                let refusal = Refusal::AssuranceTooLow { found, expected };
                return self.checks.note("assurance", Err(refusal));
            }
        }
        Ok(found)
    }

    fn person(&mut self, name_id: &str) -> Result<Person, Refusal> {
        let person = read_person(self.assertion, &self.expected.required, name_id);
        let person = self.checks.note("attributes", person)?;
        for note in person.notes() {
            self.checks.passed("pesel_note", note.to_string());
        }
        Ok(person)
    }
}

/// A signature anywhere is that of the assertion, made by a pinned certificate.
fn check_signature(
    document: &Document<'_>,
    trusted: &TrustedCertificates,
    checks: &mut Checks,
) -> Result<(), Refusal> {
    if !document.elements().any(|element| element.is(DS, "Signature")) {
        return Ok(());
    }
    let root = document.root();
    let verified = signature::verify(document, &[root], trusted, ReferenceStyle::ById);
    checks.note("assertion_signature", verified.map(|_| ()).map_err(Refusal::from))
}

/// Every attribute at most once, by its name; the required ones are there.
fn read_person(
    assertion: Element<'_>,
    required: &[Attribute],
    name_id: &str,
) -> Result<Person, Refusal> {
    let mut values: [Option<String>; 4] = Default::default();
    let statements = assertion.children_named(SAML2, "AttributeStatement");
    for element in statements.flat_map(Element::children) {
        if !element.is(SAML2, "Attribute") {
            return Err(Refusal::AssertionShape(format!("attribute statement has {element:?}")));
        }
        let name = element.required_attribute("Name").map_err(shape)?;
        let Some(attribute) = Attribute::from_uri(name) else {
            continue;
        };
        let slot = &mut values[attribute as usize];
        if slot.is_some() {
            return Err(Refusal::AttributeRepeated(attribute));
        }
        *slot = Some(attribute_value(element, attribute)?);
    }
    if let Some(&missing) = required.iter().find(|&&a| values[a as usize].is_none()) {
        return Err(Refusal::AttributeMissing(missing));
    }
    let mut take = |attribute: Attribute| values[attribute as usize].take();
    let birthdate = match take(Attribute::DateOfBirth) {
        Some(text) => {
            Some(parse_date(&text).ok_or(Refusal::AttributeMalformed(Attribute::DateOfBirth))?)
        }
        None => None,
    };
    let identifier = match take(Attribute::PersonIdentifier) {
        Some(text) => Identifier::parse(&text),
        None => Identifier::login_name(name_id),
    };
    Ok(Person::new(take(Attribute::GivenName), take(Attribute::FamilyName), birthdate, identifier))
}

fn attribute_value(element: Element<'_>, attribute: Attribute) -> Result<String, Refusal> {
    let mut values = element.children();
    let value = values.next().ok_or(Refusal::AttributeMalformed(attribute))?;
    if values.next().is_some() {
        return Err(Refusal::AttributeRepeated(attribute));
    }
    let malformed = || Refusal::AttributeMalformed(attribute);
    if !value.is(SAML2, "AttributeValue") {
        return Err(malformed());
    }
    let text = value.text().map_err(|_| malformed())?;
    usable(&text).ok_or_else(malformed)
}

fn text_of(element: Element<'_>, name: &str) -> Result<String, Refusal> {
    usable(&element.text().map_err(shape)?)
        .ok_or_else(|| Refusal::AssertionShape(format!("{name} has no usable text")))
}

/// Trims; refuses what is empty, too long, or has control characters.
fn usable(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= MAXIMUM_VALUE
        && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// `xs:date`: the node writes `1987-02-22Z`. The zone of a day of birth means nothing to us.
fn parse_date(text: &str) -> Option<Date> {
    let (date, zone) = text.split_at_checked(10)?;
    let is_zone = zone.is_empty() || zone == "Z" || is_offset(zone.as_bytes());
    let is_date = date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if is_zone && is_date { date.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::expected::Wrapping;
    use jiff::civil::date;

    fn document(xml: &str) -> Document<'_> {
        Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap()
    }

    fn person(attributes: &str) -> Result<Person, Refusal> {
        let xml = format!(
            "<s:Assertion xmlns:s='{SAML2}'><s:AttributeStatement>{attributes}\
             </s:AttributeStatement></s:Assertion>"
        );
        read_person(document(&xml).root(), &[Attribute::GivenName], "n")
    }

    fn attribute(element: &str, attribute: Attribute, value: &str) -> String {
        format!(
            "<s:{element} Name='{}'><s:AttributeValue>{value}</s:AttributeValue></s:{element}>",
            attribute.uri()
        )
    }

    #[test]
    fn an_attribute_is_one_by_its_element_and_is_there_once() {
        let given = attribute("Attribute", Attribute::GivenName, "Anna");
        let family = attribute("Attribute", Attribute::FamilyName, "Nowak");
        assert_eq!(person(&(given.clone() + &family)).unwrap().given_name(), Some("Anna"));
        let other = attribute("EncryptedAttribute", Attribute::FamilyName, "Nowak");
        assert!(matches!(person(&(given.clone() + &other)), Err(Refusal::AssertionShape(_))));
        assert_eq!(
            person(&given.repeat(2)).unwrap_err(),
            Refusal::AttributeRepeated(Attribute::GivenName)
        );
        assert_eq!(person(&family).unwrap_err(), Refusal::AttributeMissing(Attribute::GivenName));
    }

    #[test]
    fn what_is_no_assertion_is_told_as_such() {
        let expected = Expected {
            node: None,
            service: None,
            acs: None,
            request_id: None,
            resolve_id: None,
            assurance: None,
            fresh_since: None,
            required: Vec::new(),
            skew: std::time::Duration::ZERO,
            maximum_bytes: 10_000,
            wrapping: Wrapping::Soap,
        };
        for (xml, is_assertion) in [
            (format!("<s:Assertion xmlns:s='{SAML2}' Version='2.0'/>"), true),
            (format!("<s:Advice xmlns:s='{SAML2}' Version='2.0'/>"), false),
            ("<Assertion Version='2.0'/>".to_owned(), false),
        ] {
            let document = document(&xml);
            let (assertion, now) = (document.root(), Time::UNIX_EPOCH);
            let mut checks = Checks::new();
            let mut reading = Reading { assertion, expected: &expected, now, checks: &mut checks };
            let Err(Refusal::AssertionShape(said)) = reading.read() else { panic!("{xml}") };
            assert_eq!(said.ends_with("is no assertion"), !is_assertion, "{said}");
        }
    }

    #[test]
    fn reads_a_date_with_or_without_a_zone() {
        for text in [
            "1987-02-22Z",
            "1987-02-22",
            "1987-02-22+01:59",
            "1987-02-22-05:00",
            "1987-02-22+14:00",
        ] {
            assert_eq!(parse_date(text), Some(date(1987, 2, 22)), "{text}");
        }
        for text in [
            "",
            "1987",
            "1987-02-30Z",
            "22.02.1987",
            "1987-02-22T00:00:00Z",
            "ż987-02-22",
            "1987-W07-7",
            "+19870222Z",
            "1987-02-22z",
            "1987-02-22+99:99",
            "1987-02-22+01:60",
            "1987-02-22+14:01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
