use std::time::Duration;

use super::*;
use crate::base::clock::{earlier, later};
use crate::base::encoding::base64;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::artifact::{self, Artifact};
use crate::saml::authn_request::{ServiceKind, Template};
use crate::saml::logout::{self, NodeSession};
use crate::saml::soap as saml_soap;
use crate::simulator::kit::{Kit, Names, Role};
use crate::xml::signer::Signer;

const SSO: &str = "http://127.0.0.1:1/login/SingleSignOnService";
const LOGOUT: &str = "https://127.0.0.1:2/login-services/singleLogoutService";
const ISSUER: &str = "https://portal.example";
const ACS: &str = "https://portal.example/.brama/acs";
const ID: &str = "ID-00000000-0000-4000-8000-000000000001";

struct World {
    kit: Kit,
    signer: Signer,
    services: Vec<Arc<Registered>>,
    now: Time,
}

impl World {
    fn new() -> Self {
        let now = "2031-03-04T10:20:30Z".parse().unwrap();
        let kit = Kit::make(Names { node: "node.localhost", service: ISSUER, hosts: &[] }, now);
        let kit = kit.unwrap();
        let service =
            kit.service(ISSUER, vec![ACS.to_owned()], Some("Przykładowy Urząd".to_owned()));
        let signer = kit.pair(Role::ServiceSignature).signer().unwrap();
        Self { kit, signer, services: vec![Arc::new(Registered::new(service).unwrap())], now }
    }

    fn context(&self) -> Context<'_> {
        Context { services: &self.services, sso_url: SSO, logout_url: LOGOUT, now: self.now }
    }

    fn request_of(&self, issued: Time, assurance: Assurance) -> String {
        let template = Template {
            issuer: ISSUER.to_owned(),
            provider_name: "Przykładowy Urząd".to_owned(),
            kind: ServiceKind::Public,
            destination: SSO.to_owned(),
            acs: ACS.to_owned(),
            required: Attribute::ALL.to_vec(),
            optional: Vec::new(),
            force_authn: true,
        };
        template.sign(ID, issued, assurance, &self.signer).unwrap()
    }

    fn request(&self) -> String {
        self.request_of(self.now, Assurance::Substantial)
    }

    fn check(&self, xml: &str) -> Checked<AuthnRequest> {
        check_authn_request(xml.as_bytes(), &self.context())
    }

    fn codes(&self, xml: &str) -> Vec<&'static str> {
        let checked = self.check(xml);
        assert_eq!(checked.message.is_some(), checked.findings.is_empty());
        checked.findings.iter().map(Finding::code).collect()
    }
}

/// Signs again what was changed: the empty form of the signature first.
fn sign_again(signer: &Signer, xml: &str) -> String {
    let mut xml = xml.to_owned();
    for name in ["DigestValue", "SignatureValue"] {
        let start = xml.find(&format!("<ds:{name}>")).unwrap() + name.len() + 5;
        let end = start + xml[start..].find('<').unwrap();
        xml.replace_range(start..end, "");
    }
    signer.sign(&xml, &[ID]).unwrap()
}

/// What is changed in a right request that is signed afterwards, and all that is then wrong.
const WRONG: &[(&str, &str, &[&str])] = &[
    (" Version=\"2.0\"", "", &["message-version"]),
    ("Version=\"2.0\"", "Version=\"1.1\"", &["message-version"]),
    ("T10:20:30.000Z", "T10:20:30", &["message-issue-instant"]),
    ("T10:20:30.000Z", "T09:20:30Z", &["message-issue-instant-age"]),
    ("T10:20:30.000Z", "T10:22:00Z", &["message-issue-instant-age"]),
    ("T10:20:30.000Z", "T12:20:30Z", &["message-issue-instant-age"]),
    ("SingleSignOnService\"", "SingleSignOnService/\"", &["authn-request-destination"]),
    (
        " Destination=\"http://127.0.0.1:1/login/SingleSignOnService\"",
        "",
        &["authn-request-destination"],
    ),
    ("portal.example/.brama/acs", "portal.example/.brama/acs2", &["authn-request-acs"]),
    ("HTTP-Artifact", "HTTP-POST", &["authn-request-protocol-binding"]),
    (" ForceAuthn=\"true\"", "", &["authn-request-force-authn"]),
    ("ForceAuthn=\"true\"", "ForceAuthn=\"yes\"", &["authn-request-force-authn"]),
    (
        "ForceAuthn=\"true\"",
        "ForceAuthn=\"true\" IsPassive=\"true\"",
        &["authn-request-is-passive"],
    ),
    ("Przykładowy Urząd", "Przykładowy urząd", &["authn-request-provider-name"]),
    (" ProviderName=\"Przykładowy Urząd\"", "", &["authn-request-provider-name"]),
    (" ForceAuthn=", " Consent=\"urn:x\" ForceAuthn=", &["message-unknown-attribute"]),
    ("<saml2:Issuer>https://portal", "<saml2:Issuer>https://other", &["message-issuer-unknown"]),
    ("<saml2:Issuer>", "<saml2:Issuer Format=\"urn:x\">", &["message-issuer-format"]),
    ("<saml2p:Extensions>", "text<saml2p:Extensions>", &["message-stray-text"]),
    (
        "</saml2p:AuthnRequest>",
        "<saml2p:Scoping/></saml2p:AuthnRequest>",
        &["message-unknown-element"],
    ),
    (
        "</saml2p:AuthnRequest>",
        "<saml2p:Extensions/></saml2p:AuthnRequest>",
        &["message-repeated-element", "message-order"],
    ),
    (
        "<eidas:SPType xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\">public</eidas:SPType>",
        "",
        &["authn-request-sp-type", "authn-request-requested-attributes"],
    ),
    (">public</eidas:SPType>", ">Public</eidas:SPType>", &["authn-request-sp-type"]),
    (
        "</saml2p:Extensions>",
        "<eidas:Other xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\"/></saml2p:Extensions>",
        &["message-unknown-element"],
    ),
    ("naturalperson/DateOfBirth", "naturalperson/BirthDay", &["authn-request-requested-attribute"]),
    (
        "naturalperson/DateOfBirth",
        "naturalperson/PersonIdentifier",
        &["authn-request-requested-attribute"],
    ),
    ("attrname-format:uri", "attrname-format:basic", &["authn-request-requested-attribute-format"]),
    ("isRequired=\"true\"", "isRequired=\"tak\"", &["authn-request-requested-attribute-format"]),
    (
        "isRequired=\"true\"",
        "required=\"true\"",
        &["message-unknown-attribute", "authn-request-requested-attribute-format"],
    ),
    ("AllowCreate=\"true\"", "AllowCreate=\"false\"", &["authn-request-name-id-policy"]),
    ("nameid-format:unspecified", "nameid-format:emailAddress", &["authn-request-name-id-policy"]),
    ("Comparison=\"minimum\"", "Comparison=\"exact\"", &["authn-request-authn-context"]),
    ("LoA/substantial", "LoA/Substantial", &["authn-request-assurance"]),
    (
        "</saml2p:RequestedAuthnContext>",
        "<saml2:AuthnContextClassRef>http://eidas.europa.eu/LoA/low</saml2:AuthnContextClassRef>\
      </saml2p:RequestedAuthnContext>",
        &["authn-request-assurance"],
    ),
    (
        "xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>",
        "xmlenc#sha512\"></ds:DigestMethod><ds:DigestValue>",
        &["message-signature-method"],
    ),
    ("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>k</ds:KeyName>", &[]),
];

#[test]
fn a_request_of_the_gateway_is_accepted_at_every_level() {
    let world = World::new();
    for assurance in Assurance::ALL {
        let xml = world.request_of(world.now, assurance);
        let checked = world.check(&xml);
        let findings = checked.findings;
        let request = checked.message.unwrap_or_else(|| panic!("{findings:?}"));
        assert_eq!((request.minimum, &*request.acs, &*request.id), (assurance, ACS, ID));
        assert_eq!(request.attributes.len(), 4);
        assert_eq!(checked.seen, Seen { id: ID.to_owned(), issuer: ISSUER.to_owned() });
    }
}

#[test]
fn whatever_is_wrong_is_named_and_nothing_else() {
    let world = World::new();
    let right = world.request();
    let mut mismatches = Vec::new();
    for (from, to, expected) in WRONG {
        let changed = right.replacen(from, to, 1);
        assert_ne!(changed, right, "{from}");
        let found = world.codes(&sign_again(&world.signer, &changed));
        if found != *expected {
            mismatches.push(format!("{to}: {found:?}, expected {expected:?}"));
        }
    }
    assert!(mismatches.is_empty(), "\n{}", mismatches.join("\n"));
}

#[test]
fn a_missing_part_is_named() {
    let world = World::new();
    let right = world.request();
    for (start, end, expected) in [
        ("<saml2p:Extensions>", "</saml2p:Extensions>", "authn-request-extensions"),
        ("<saml2p:NameIDPolicy ", "</saml2p:NameIDPolicy>", "authn-request-name-id-policy"),
        (
            "<saml2p:RequestedAuthnContext ",
            "</saml2p:RequestedAuthnContext>",
            "authn-request-authn-context",
        ),
        (
            "<eidas:RequestedAttributes ",
            "</eidas:RequestedAttributes>",
            "authn-request-requested-attributes",
        ),
        ("<saml2:Issuer>", "</saml2:Issuer>", "message-issuer"),
    ] {
        let at = right.find(start).unwrap();
        let length = right[at..].find(end).unwrap() + end.len();
        let changed = format!("{}{}", &right[..at], &right[at + length..]);
        let signed = sign_again(&world.signer, &changed);
        assert_eq!(world.codes(&signed), [expected]);
    }
    let at = right.find("<ds:Signature ").unwrap();
    let end = right.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let unsigned = format!("{}{}", &right[..at], &right[end..]);
    assert_eq!(world.codes(&unsigned), ["message-signature-missing"]);
    let last = unsigned
        .replace("</saml2p:AuthnRequest>", &format!("{}</saml2p:AuthnRequest>", &right[at..end]));
    assert_eq!(world.codes(&last), ["message-signature-place", "message-order"]);
}

#[test]
fn several_faults_are_all_listed() {
    let world = World::new();
    let changed = world
        .request()
        .replace("LoA/substantial", "LoA/best")
        .replace("HTTP-Artifact", "HTTP-POST")
        .replace(">public<", ">urząd<");
    let expected = [
        "message-signature",
        "authn-request-protocol-binding",
        "authn-request-sp-type",
        "authn-request-assurance",
    ];
    assert_eq!(world.codes(&changed), expected);
}

#[test]
fn identifiers_are_names_of_some_length() {
    let world = World::new();
    for wrong in
        ["", "1234567890123456789", "ID-short", "ID:0000000000000000000", "-D0000000000000000"]
    {
        let xml = world.request().replace(ID, wrong);
        assert!(world.codes(&xml).contains(&"message-id"), "{wrong}");
    }
    let xml = world.request().replace(ID, "ID-3b0c5c1e-7a54-4f0a-9a53-2a2f5f2f9d10-MAIN-LOGIN");
    assert_eq!(world.codes(&xml), ["message-signature"]);
}

#[test]
fn a_message_may_be_five_minutes_old_and_a_minute_early() {
    let world = World::new();
    let seconds = Duration::from_secs;
    for (issued, accepted) in [
        (earlier(world.now, seconds(359)), true),
        (earlier(world.now, seconds(361)), false),
        (later(world.now, seconds(59)), true),
        (later(world.now, seconds(61)), false),
    ] {
        let xml = world.request_of(issued, Assurance::Low);
        assert_eq!(world.check(&xml).message.is_some(), accepted, "{issued}");
    }
    // Clients write the time with seven digits or an offset, too.
    for form in ["T10:20:30.0000000Z", "T12:20:30+02:00", "T10:20:30Z"] {
        let xml = world.request().replace("T10:20:30.000Z", form);
        let signed = sign_again(&world.signer, &xml);
        assert!(world.codes(&signed).is_empty(), "{form}");
    }
}

#[test]
fn indented_xml_without_a_prefix_list_is_accepted_and_so_is_a_reference_to_the_whole() {
    let world = World::new();
    let right = world.request();
    let list = "<InclusiveNamespaces xmlns=\"http://www.w3.org/2001/10/xml-exc-c14n#\" \
                PrefixList=\"ds saml2 saml2p xenc\"></InclusiveNamespaces>";
    assert!(right.contains(list));
    let indented = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n{}\n",
        right.replace(list, "").replace("><", ">\n  <")
    );
    let signed = sign_again(&world.signer, &indented);
    // The values may be broken over lines, as some libraries do it.
    let wrapped = signed
        .replace("</ds:SignatureValue>", "\n</ds:SignatureValue>")
        .replace("<ds:X509Certificate>", "<ds:X509Certificate>\n");
    assert_eq!(world.codes(&wrapped), Vec::<&str>::new());
    let whole = right.replace(&format!("URI=\"#{ID}\""), "URI=\"\"");
    let signed = sign_again(&world.signer, &whole);
    assert_eq!(world.codes(&signed), Vec::<&str>::new());
}

#[test]
fn only_a_registered_key_signs_and_only_its_certificate_comes_along() {
    let world = World::new();
    let right = world.request();
    let stranger = world.kit.pair(Role::ServiceEncryption).signer().unwrap();
    let signed = sign_again(&stranger, &right);
    assert_eq!(world.codes(&signed), ["message-signature"]);
    let own = base64(world.signer.certificate().der());
    let other = base64(stranger.certificate().der());
    let relabelled = sign_again(&world.signer, &right.replace(&own, &other));
    assert_eq!(world.codes(&relabelled), ["message-key-info"]);
    let chain = format!("</ds:X509Certificate><ds:X509Certificate>{other}</ds:X509Certificate>");
    let chain = right.replace("</ds:X509Certificate>", &chain);
    let signed = sign_again(&world.signer, &chain);
    assert_eq!(world.codes(&signed), ["message-key-info"]);
}

#[test]
fn what_is_not_a_request_is_named_without_looking_further() {
    let world = World::new();
    assert_eq!(world.codes("<a/>"), ["message-element"]);
    for xml in ["", "rubbish", "<a>", "<!DOCTYPE a><a/>", "<a><!-- --></a>"] {
        assert_eq!(world.codes(xml), ["message-xml"], "{xml}");
    }
}

#[test]
fn the_form_is_checked_before_the_message() {
    let form = "application/x-www-form-urlencoded";
    let xml = base64(b"<a/>").replace('=', "%3D");
    let codes = |content_type: &str, body: &str| {
        let (read, findings) = read_form(Some(content_type), body.as_bytes());
        let codes: Vec<_> = findings.iter().map(Finding::code).collect();
        (codes, String::from_utf8(read.message).unwrap(), read.relay_state)
    };
    let (found, message, relay_state) =
        codes(form, &format!("SAMLRequest={xml}&RelayState=%C5%BC&ForeignAuthentication=true"));
    assert!(found.is_empty() && message == "<a/>" && relay_state.as_deref() == Some("ż"));
    let deflated = base64(&[0xb3, 0x49, 0xd4, 0xb7, 0x03]).replace('=', "%3D").replace('+', "%2B");
    for (body, code) in [
        (String::new(), "form-field-missing"),
        ("RelayState=x".to_owned(), "form-field-missing"),
        (format!("SAMLRequest={xml}&SAMLRequest={xml}"), "form-field-repeated"),
        (format!("SAMLRequest={xml}&RelayState=&RelayState=x"), "form-field-repeated"),
        (format!("SAMLRequest={xml}&RelayState={}", "x".repeat(81)), "relay-state-length"),
        ("SAMLRequest=%3Ca%2F%3E".to_owned(), "saml-request-base64"),
        (format!("SAMLRequest={deflated}"), "saml-request-deflated"),
    ] {
        assert_eq!(codes(form, &body).0, [code], "{body}");
    }
    assert_eq!(codes("text/xml", &xml).0, ["form-content-type"]);
    let longest = format!("SAMLRequest={xml}&RelayState={}", "x".repeat(80));
    assert!(codes("Application/X-WWW-Form-Urlencoded; charset=UTF-8", &longest).0.is_empty());
}

#[test]
fn messages_in_soap_are_accepted_with_either_key_and_refused_with_their_faults() {
    let world = World::new();
    let artifact = Artifact::parse(&base64(&[4; 44])).unwrap();
    let resolve = |signer: &Signer| {
        saml_soap::wrap(&artifact::resolve(&artifact, ID, world.now, ISSUER, signer).unwrap())
    };
    let check = |xml: &str| {
        let checked = check_resolve(xml.as_bytes(), &world.context());
        let codes: Vec<_> = checked.findings.iter().map(Finding::code).collect();
        (codes, checked.message)
    };
    let right = resolve(&world.signer);
    let (codes, message) = check(&right);
    assert_eq!(codes, Vec::<&str>::new());
    assert_eq!(message.unwrap().artifact, artifact.as_str());
    let decryption_key = world.kit.pair(Role::ServiceEncryption).signer().unwrap();
    assert!(check(&resolve(&decryption_key)).1.is_some());
    assert_eq!(
        check(&resolve(world.kit.node_signer())).0,
        ["message-key-info", "message-signature",]
    );
    let tampered = right.replace("BAQE", "BAQF");
    assert_eq!(check(&tampered).0, ["message-signature"]);
    let (start, end) = right.split_at(right.find("<saml2p:Artifact>").unwrap());
    let without = format!("{start}{}", &end[end.find("</saml2p:ArtifactResolve>").unwrap()..]);
    assert_eq!(check(&without).0, ["message-signature", "artifact-resolve-artifact"]);
    for (xml, code) in [
        ("", "message-xml"),
        ("<a/>", "soap-envelope"),
        (&*saml_soap::wrap(""), "soap-envelope"),
        (&*saml_soap::wrap("<a/>"), "message-element"),
    ] {
        assert_eq!(check(xml).0, [code], "{xml}");
    }
}

#[test]
fn a_logout_names_its_session_and_its_destination() {
    let world = World::new();
    let session = NodeSession { name_id: "anna.zolkiewska", session_index: "_ID-1" };
    let logout = |destination: &str| {
        let request =
            logout::request(&session, ID, world.now, ISSUER, destination, &world.signer).unwrap();
        let body = saml_soap::wrap(&request);
        let checked = check_logout(body.as_bytes(), &world.context());
        let codes: Vec<_> = checked.findings.iter().map(Finding::code).collect();
        (codes, checked.message.map(|m| (m.name_id, m.session_index)))
    };
    let expected = Some(("anna.zolkiewska".to_owned(), "_ID-1".to_owned()));
    assert_eq!(logout(LOGOUT), (Vec::new(), expected));
    assert_eq!(logout(SSO).0, ["logout-request-destination"]);
}
