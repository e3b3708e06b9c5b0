use super::*;
use crate::xml::scan::Limits;
use crate::xml::tree::Document;

/// What is said of a text, and what is tolerated in it.
fn said(xml: &str) -> Result<usize, String> {
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let mut checks = Checks::new();
    check(document.root(), &mut checks)?;
    Ok(checks.unread().count())
}

fn response(inside: &str) -> String {
    format!(
        "<p:Response xmlns:p='{SAML2P}' xmlns:s='{SAML2}' xmlns:d='{DS}' xmlns:f='urn:f' ID='i' \
         Version='2.0'>{inside}</p:Response>"
    )
}

fn assertion(inside: &str) -> String {
    format!("<s:Assertion xmlns:s='{SAML2}' xmlns:f='urn:f' ID='i'>{inside}</s:Assertion>")
}

#[test]
fn every_element_that_has_a_place_has_a_row() {
    for Row { holds, .. } in ROWS {
        if let Elements(known) | Anything(known) = holds {
            for (name, _) in *known {
                assert!(row(*name).is_some(), "{name:?}");
            }
        }
    }
}

#[test]
fn what_the_schema_has_is_nothing_unusual() {
    let status = "<p:Status><p:StatusCode Value='u'><p:StatusCode Value='v'/></p:StatusCode>\
                  <p:StatusMessage>m</p:StatusMessage><p:StatusDetail/></p:Status>";
    let usual = format!("\n <s:Issuer Format='f'>n</s:Issuer>\n\t<p:Extensions/>{status}\n");
    assert_eq!(said(&response(&usual)), Ok(0));
    let usual = "<s:Subject><s:NameID>n</s:NameID></s:Subject><s:Advice>\
                 <s:AssertionIDRef>i</s:AssertionIDRef></s:Advice><s:AuthnStatement>\
                 <s:SubjectLocality Address='::1'/></s:AuthnStatement><s:AttributeStatement/>\
                 <s:AttributeStatement/>";
    assert_eq!(said(&assertion(usual)), Ok(0));
    let typed = format!("<s:Subject xmlns:x='{XSI}' x:type='s:SubjectType'/>");
    assert_eq!(said(&assertion(&typed)), Ok(0));
}

#[test]
fn extensions_are_tolerated_and_counted() {
    for (xml, count) in [
        (response("<p:Extensions><f:a><f:b/>x</f:a>y<f:c/></p:Extensions>"), 2),
        (response("<p:Status><p:StatusDetail><a xmlns=''/></p:StatusDetail></p:Status>"), 1),
        // Of SAML, and it names nobody.
        (response("<p:Extensions><p:RequestedThing/></p:Extensions>"), 1),
        (assertion("<s:Advice><f:a f:b='1'/></s:Advice>"), 1),
        (
            assertion(
                "<s:AttributeStatement><s:Attribute Name='n' f:a='1'/></s:AttributeStatement>",
            ),
            2,
        ),
        (
            assertion(
                "<s:Subject><s:SubjectConfirmation><s:SubjectConfirmationData f:a='1'>x<f:b/>\
                 </s:SubjectConfirmationData></s:SubjectConfirmation></s:Subject>",
            ),
            2,
        ),
    ] {
        assert_eq!(said(&xml), Ok(count), "{xml}");
    }
}

#[test]
fn an_attribute_of_a_person_is_counted_unless_it_is_known() {
    let named = |name: &str| {
        assertion(&format!(
            "<s:AttributeStatement><s:Attribute Name='{name}'/></s:AttributeStatement>"
        ))
    };
    for attribute in Attribute::ALL {
        assert_eq!(said(&named(attribute.uri())), Ok(0), "{attribute}");
    }
    assert_eq!(said(&named("urn:other")), Ok(1));
}

#[test]
fn what_has_no_place_is_refused_with_its_name() {
    for (xml, named) in [
        (response("<f:a/>"), "holds <{urn:f}a>"),
        (response("x<s:Issuer>n</s:Issuer>"), "holds text between"),
        (response("<s:Issuer>n<f:a/></s:Issuer>"), "holds <{urn:f}a>"),
        (response("<s:Issuer f:a=''>n</s:Issuer>"), "has the attribute a"),
        (response("<s:Issuer f:Format=''>n</s:Issuer>"), "has the attribute Format"),
        (response("<p:Status/><p:Status/>"), "twice"),
        (response("<p:Response/>"), "protocol}Response>, which has no place"),
        (response("<p:Status><p:StatusCode Value='u'><f:a/></p:StatusCode></p:Status>"), "}a>"),
        (response("<s:Assertion/>"), "Assertion>, which has no place"),
        (assertion("<s:Subject><s:EncryptedID/></s:Subject>"), "EncryptedID>"),
        (assertion("<s:Subject><s:NameID>a</s:NameID><s:NameID>b</s:NameID></s:Subject>"), "twice"),
        (
            assertion(
                "<s:Subject><s:SubjectConfirmation><s:NameID/></s:SubjectConfirmation></s:Subject>",
            ),
            "NameID>",
        ),
        (assertion("<s:AuthzDecisionStatement/>"), "AuthzDecisionStatement>"),
        (assertion("<s:Statement/>"), "Statement>"),
        (assertion("<s:Conditions>x</s:Conditions>"), "holds text"),
        (assertion("<s:Conditions Later=''/>"), "has the attribute Later"),
        ("<f xmlns='urn:f'/>".to_owned(), "is not expected"),
        ("<Response xmlns='urn:f'/>".to_owned(), "is not expected"),
    ] {
        let refused = said(&xml).unwrap_err();
        assert!(refused.contains(named), "{xml}: {refused}");
    }
}

#[test]
fn nobody_is_named_among_extensions() {
    for inside in [
        "<s:Assertion/>",
        "<f:a><f:b><s:EncryptedAssertion/></f:b></f:a>",
        "<f:a><s:Subject/></f:a>",
        "<s:NameID>n</s:NameID>",
        "<Assertion xmlns='urn:oasis:names:tc:SAML:1.0:assertion'/>",
        "<p:Response/>",
        "<f:a><d:Signature/></f:a>",
    ] {
        let refused = said(&response(&format!("<p:Extensions>{inside}</p:Extensions>")));
        assert!(refused.unwrap_err().contains("nobody may say"), "{inside}");
        let detail = format!("<p:Status><p:StatusDetail>{inside}</p:StatusDetail></p:Status>");
        assert!(said(&response(&detail)).is_err(), "{inside}");
    }
    let value = |inside: &str| {
        assertion(&format!(
            "<s:AttributeStatement><s:Attribute Name='n'><s:AttributeValue>{inside}\
             </s:AttributeValue></s:Attribute></s:AttributeStatement>"
        ))
    };
    assert_eq!(said(&value("<f:Assertion/>")), Ok(2));
    // A name says what an attribute of the person is in its own place alone.
    assert_eq!(said(&value("").replacen("Value>", "Value Name='n'>", 1)), Ok(2));
    assert!(said(&value("<s:NameID/>")).is_err());
    assert!(said(&assertion("<s:Advice><s:Assertion/></s:Advice>")).is_err());
}

#[test]
fn a_header_that_must_be_understood_is_refused() {
    let envelope = |header: &str| {
        format!(
            "<e:Envelope xmlns:e='{SOAP}' xmlns:f='urn:f' f:a=''><e:Header>{header}</e:Header>\
             <e:Body/></e:Envelope>"
        )
    };
    assert_eq!(said(&envelope("<f:a/>")), Ok(2));
    assert_eq!(said(&envelope("<f:a e:mustUnderstand='0'/>")), Ok(2));
    // Of another namespace it says nothing, and another attribute of SOAP does not either.
    assert_eq!(said(&envelope("<f:a f:mustUnderstand='1'/>")), Ok(2));
    assert_eq!(said(&envelope("<f:a e:actor='1'/>")), Ok(2));
    assert!(said(&envelope("<f:a e:mustUnderstand='1'/>")).unwrap_err().contains("understood"));
    assert!(said(&envelope("").replace("<e:Body/>", "x<e:Body/>")).is_err());
}
