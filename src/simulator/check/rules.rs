//! The rules: code, clause, what is wrong, what to do.

use crate::pages::Language;

/// A rule that a message must keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable code, such as `form-content-type`.
    pub code: &'static str,
    /// Where the rule comes from.
    pub clause: &'static str,
    what: [&'static str; 2],
    advice: [&'static str; 2],
}

impl Rule {
    /// Returns what is wrong when it is broken.
    #[must_use]
    pub fn what(&self, language: Language) -> &'static str {
        pick(self.what, language)
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn advice(&self, language: Language) -> &'static str {
        pick(self.advice, language)
    }
}

fn pick(words: [&'static str; 2], language: Language) -> &'static str {
    match language {
        Language::Polish => words[0],
        Language::English | Language::Ukrainian => words[1],
    }
}

macro_rules! rules {
    ($($name:ident $code:literal $clause:literal
       $what_pl:literal $what_en:literal $do_pl:literal $do_en:literal;)*) => {
        $(
            #[doc = $what_en]
            pub static $name: Rule = Rule {
                code: $code,
                clause: $clause,
                what: [$what_pl, $what_en],
                advice: [$do_pl, $do_en],
            };
        )*

        /// Every rule, in the order of the list below.
        pub static ALL: &[&Rule] = &[$(&$name,)*];
    };
}

rules! {
    // The form.
    FORM_TYPE "form-content-type" "SAML bindings 3.5.4"
        "formularz nie jest typu application/x-www-form-urlencoded"
        "the form is not application/x-www-form-urlencoded"
        "Wyślij zwykły formularz HTML metodą POST."
        "Send an ordinary HTML form by POST.";
    FORM_MISSING "form-field-missing" "SAML bindings 3.5.4"
        "w formularzu brakuje pola SAMLRequest" "the form has no field SAMLRequest"
        "Umieść w formularzu pole SAMLRequest." "Put the field SAMLRequest into the form.";
    FORM_REPEATED "form-field-repeated" "SAML bindings 3.5.4"
        "pole formularza jest powtórzone" "a field of the form is repeated"
        "Wyślij każde pole raz." "Send each field once.";
    RELAY_STATE "relay-state-length" "SAML bindings 3.5.3"
        "RelayState ma więcej niż 80 bajtów" "RelayState has more than 80 bytes"
        "Wyślij krótki uchwyt, a stan zachowaj u siebie."
        "Send a short handle and keep the state on your side.";
    BASE64 "saml-request-base64" "SAML bindings 3.5.4"
        "SAMLRequest nie jest w base64" "SAMLRequest is not base64"
        "Zakoduj podpisany XML w base64 ze znakami + i /; zakoduj je w formularzu."
        "Encode the signed XML as base64 with + and /, and encode those in the form.";
    DEFLATED "saml-request-deflated" "SAML bindings 3.4.4.1, 3.5.4"
        "SAMLRequest nie zaczyna się jak XML; wygląda na skompresowany"
        "SAMLRequest does not begin as XML; it looks deflated"
        "Kompresja należy do HTTP-Redirect. Przy HTTP-POST wyślij sam XML w base64."
        "Deflating belongs to HTTP-Redirect. With HTTP-POST send plain XML as base64.";
    XML "message-xml" "XML 1.0"
        "wiadomość nie jest XML-em, który węzeł przeczyta"
        "the message is not XML that the node would read"
        "Wyślij poprawny XML w UTF-8, bez DOCTYPE, komentarzy, CDATA i instrukcji przetwarzania."
        "Send well-formed UTF-8 without DOCTYPE, comments, CDATA and processing instructions.";

    // What all messages have in common.
    ELEMENT "message-element" "SAML core 3"
        "to nie jest wiadomość, która tu należy" "this is not the message that belongs here"
        "Sprawdź adres i element główny wiadomości."
        "Check the address and the message's document element.";
    ID "message-id" "SAML core 1.3.4"
        "ID nie jest nazwą NCName o co najmniej 16 znakach"
        "ID is not an NCName of at least 16 characters"
        "Użyj na przykład \"ID-\" i losowego UUID." "Use \"ID-\" and a random UUID, for instance.";
    VERSION "message-version" "SAML core 3.2.1"
        "Version nie jest \"2.0\"" "Version is not \"2.0\""
        "Ustaw Version=\"2.0\"." "Set Version=\"2.0\".";
    INSTANT "message-issue-instant" "SAML core 1.3.3"
        "IssueInstant nie jest czasem ze strefą" "IssueInstant is not a time with a zone"
        "Zapisz czas UTC z literą Z, na przykład 2031-03-04T10:20:30.000Z."
        "Write the time in UTC with a Z, such as 2031-03-04T10:20:30.000Z.";
    INSTANT_AGE "message-issue-instant-age" "SAML core 3.2.1"
        "IssueInstant jest zbyt dawno lub w przyszłości"
        "IssueInstant is too long ago or in the future"
        "Ustaw zegar; litera Z oznacza UTC, a nie czas lokalny."
        "Set the clock; the letter Z means UTC, not local time.";
    ISSUER "message-issuer" "SAML core 2.2.5"
        "brakuje Issuer na początku wiadomości" "there is no Issuer at the start of the message"
        "Umieść saml2:Issuer jako pierwszy element." "Put saml2:Issuer first.";
    ISSUER_UNKNOWN "message-issuer-unknown" "Instrukcja integratora: Issuer"
        "Issuer nie jest zarejestrowany" "the Issuer is not registered"
        "Użyj identyfikatora uzgodnionego z operatorem albo zarejestruj go w symulatorze."
        "Use the identifier agreed with the operator, or register it with the simulator.";
    ISSUER_FORM "message-issuer-format" "SAML core 2.2.5"
        "Issuer ma atrybuty lub elementy" "the Issuer has attributes or elements"
        "Zapisz sam tekst, bez Format." "Write plain text without Format.";
    SIGNATURE_MISSING "message-signature-missing" "SAML core 5.4"
        "wiadomość nie jest podpisana" "the message is not signed"
        "Podpisz element wiadomości podpisem XML." "Sign the message's element with XML signature.";
    SIGNATURE_PLACE "message-signature-place" "SAML core 3.2.1"
        "ds:Signature nie stoi zaraz za Issuer" "ds:Signature does not directly follow Issuer"
        "Przenieś podpis zaraz za Issuer." "Move the signature directly behind Issuer.";
    SIGNATURE "message-signature" "SAML core 5.4, XML signature"
        "podpis nie jest ważny" "the signature is not valid"
        "Podpisz kluczem zarejestrowanego certyfikatu i nie zmieniaj XML-a po podpisaniu."
        "Sign with the registered certificate's key, and do not touch the XML afterwards.";
    SIGNATURE_METHOD "message-signature-method" "Instrukcja integratora: podpis"
        "podpis nie jest ecdsa-sha256 ze skrótem SHA-256"
        "the signature is not ecdsa-sha256 with SHA-256 digests"
        "Użyj ecdsa-sha256 i skrótu SHA-256." "Use ecdsa-sha256 and the digest SHA-256.";
    KEY_INFO "message-key-info" "Instrukcja integratora: podpis"
        "KeyInfo nie zawiera dokładnie jednego, zarejestrowanego certyfikatu"
        "KeyInfo does not hold exactly one certificate, a registered one"
        "Dołącz w X509Data jeden certyfikat, bez łańcucha."
        "Put one certificate into X509Data, without its chain.";
    UNKNOWN_ATTRIBUTE "message-unknown-attribute" "SAML core 3.2.1"
        "wiadomość ma nieznany atrybut" "the message has an unknown attribute"
        "Usuń atrybut." "Remove the attribute.";
    UNKNOWN_CHILD "message-unknown-element" "SAML core 3"
        "wiadomość ma nieznany element" "the message has an unknown element"
        "Usuń element." "Remove the element.";
    REPEATED_CHILD "message-repeated-element" "SAML core 3"
        "element jest powtórzony" "an element is repeated"
        "Zapisz element raz." "Write the element once.";
    ORDER "message-order" "SAML core 3.2.1, 3.4.1"
        "elementy są w złej kolejności" "elements are in the wrong order"
        "Zachowaj kolejność: Issuer, Signature, potem reszta według schematu."
        "Keep the order: Issuer, Signature, then the rest as in the schema.";
    STRAY_TEXT "message-stray-text" "SAML core 3"
        "między elementami jest tekst" "there is text between elements"
        "Usuń tekst; same białe znaki są dozwolone." "Remove the text; white space is fine.";

    // AuthnRequest.
    DESTINATION "authn-request-destination" "SAML bindings 3.5.5.2"
        "Destination nie jest adresem logowania węzła"
        "Destination is not the node's sign-on address"
        "Ustaw Destination na adres SingleSignOnService."
        "Set Destination to the address of SingleSignOnService.";
    ACS "authn-request-acs" "SAML core 3.4.1"
        "AssertionConsumerServiceURL nie jest zarejestrowany"
        "AssertionConsumerServiceURL is not registered"
        "Użyj zarejestrowanego adresu, co do znaku."
        "Use a registered address, to the character.";
    BINDING "authn-request-protocol-binding" "SAML core 3.4.1, SAML bindings 3.6"
        "ProtocolBinding nie jest HTTP-Artifact" "ProtocolBinding is not HTTP-Artifact"
        "Ustaw ProtocolBinding na HTTP-Artifact; innego węzeł nie zna."
        "Set ProtocolBinding to HTTP-Artifact; the node knows no other.";
    FORCE_AUTHN "authn-request-force-authn" "SAML core 3.4.1"
        "ForceAuthn nie jest wartością logiczną" "ForceAuthn is not a boolean"
        "Ustaw ForceAuthn=\"true\"." "Set ForceAuthn=\"true\".";
    IS_PASSIVE "authn-request-is-passive" "SAML core 3.4.1"
        "IsPassive nie jest \"false\"" "IsPassive is not \"false\""
        "Usuń IsPassive albo ustaw \"false\"." "Remove IsPassive or set \"false\".";
    PROVIDER_NAME "authn-request-provider-name" "Instrukcja integratora: ProviderName"
        "ProviderName różni się od uzgodnionego" "ProviderName differs from what was agreed"
        "Wyślij tekst uzgodniony z operatorem, co do znaku."
        "Send the text agreed with the operator, to the character.";
    EXTENSIONS "authn-request-extensions" "eIDAS SAML message format 2.3"
        "brakuje saml2p:Extensions" "there is no saml2p:Extensions"
        "Dodaj Extensions z eidas:SPType i eidas:RequestedAttributes."
        "Add Extensions with eidas:SPType and eidas:RequestedAttributes.";
    SP_TYPE "authn-request-sp-type" "eIDAS SAML message format 2.3"
        "pierwszy w Extensions nie jest eidas:SPType o wartości public lub private"
        "the first in Extensions is not eidas:SPType with public or private"
        "Zacznij Extensions od eidas:SPType." "Begin Extensions with eidas:SPType.";
    REQUESTED "authn-request-requested-attributes" "eIDAS SAML message format 2.3"
        "za SPType nie ma eidas:RequestedAttributes z atrybutami"
        "no eidas:RequestedAttributes with attributes follows SPType"
        "Wymień atrybuty, o które prosisz." "List the attributes that you ask for.";
    REQUESTED_NAME "authn-request-requested-attribute" "eIDAS SAML attribute profile 2.2"
        "nieznany lub powtórzony atrybut osoby" "an attribute of a person is unknown or repeated"
        "Użyj nazw http://eidas.europa.eu/attributes/naturalperson/…, każdej raz."
        "Use the names http://eidas.europa.eu/attributes/naturalperson/…, each once.";
    REQUESTED_FORMAT "authn-request-requested-attribute-format" "eIDAS SAML attribute profile 2.2"
        "RequestedAttribute ma złe NameFormat, isRequired lub treść"
        "RequestedAttribute has a wrong NameFormat, isRequired or content"
        "Ustaw NameFormat …attrname-format:uri i isRequired true lub false; zostaw element pusty."
        "Set NameFormat …attrname-format:uri and isRequired true or false; leave it empty.";
    NAME_ID_POLICY "authn-request-name-id-policy" "SAML core 3.4.1.1"
        "NameIDPolicy brakuje lub ma inne wartości" "NameIDPolicy is missing or has other values"
        "Ustaw AllowCreate=\"true\" i Format …nameid-format:unspecified."
        "Set AllowCreate=\"true\" and Format …nameid-format:unspecified.";
    AUTHN_CONTEXT "authn-request-authn-context" "SAML core 3.3.2.2.1"
        "RequestedAuthnContext brakuje lub nie ma Comparison=\"minimum\""
        "RequestedAuthnContext is missing or has no Comparison=\"minimum\""
        "Dodaj RequestedAuthnContext Comparison=\"minimum\"."
        "Add RequestedAuthnContext Comparison=\"minimum\".";
    ASSURANCE "authn-request-assurance" "eIDAS SAML message format 2.3"
        "nie ma dokładnie jednego znanego poziomu wiarygodności"
        "there is not exactly one known level of assurance"
        "Podaj jeden z http://eidas.europa.eu/LoA/low, …/substantial, …/high."
        "Name one of http://eidas.europa.eu/LoA/low, …/substantial, …/high.";

    // SOAP.
    SOAP "soap-envelope" "SOAP 1.1, SAML bindings 3.2"
        "to nie jest koperta SOAP 1.1 z jedną wiadomością"
        "this is not a SOAP 1.1 envelope with one message"
        "Umieść jedną wiadomość w soap:Body." "Put one message into soap:Body.";
    ARTIFACT "artifact-resolve-artifact" "SAML core 3.5.1"
        "brakuje saml2p:Artifact" "there is no saml2p:Artifact"
        "Wyślij artefakt, z którym wróciła przeglądarka."
        "Send the artifact that the browser came back with.";
    ARTIFACT_FOREIGN "artifact-resolve-foreign" "SAML core 3.5.3"
        "artefakt należy do innej usługi" "the artifact belongs to another service"
        "Wyślij artefakt jako usługa, która zaczęła logowanie."
        "Send it as the service that began the login.";
    LOGOUT_DESTINATION "logout-request-destination" "SAML core 3.2.1"
        "Destination nie jest adresem wylogowania węzła"
        "Destination is not the node's logout address"
        "Ustaw Destination na adres singleLogoutService albo go usuń."
        "Set Destination to the address of singleLogoutService, or remove it.";
    LOGOUT_NAME_ID "logout-request-name-id" "SAML core 3.7.1"
        "NameID brakuje lub ma inny Format" "NameID is missing or has another Format"
        "Wyślij NameID z asercji z Format …nameid-format:unspecified."
        "Send the assertion's NameID with Format …nameid-format:unspecified.";
    LOGOUT_SESSION "logout-request-session-index" "SAML core 3.7.1"
        "brakuje SessionIndex" "there is no SessionIndex"
        "Wyślij SessionIndex z asercji." "Send the assertion's SessionIndex.";
    LOGOUT_UNKNOWN "logout-request-unknown-session" "SAML core 3.7.3.2"
        "węzeł nie zna takiej sesji" "the node knows no such session"
        "Wyślij NameID i SessionIndex z tej samej asercji, raz."
        "Send NameID and SessionIndex of the same assertion, once.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_every_rule_speaks_both_languages() {
        let codes: HashSet<_> = ALL.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), ALL.len());
        for rule in ALL {
            assert!(rule.code.bytes().all(|b| b.is_ascii_lowercase() || b"-64".contains(&b)));
            assert_ne!(rule.what[0], rule.what[1]);
            assert_ne!(rule.advice[0], rule.advice[1]);
            assert!(rule.advice.iter().all(|advice| advice.ends_with('.')), "{}", rule.code);
        }
    }
}
