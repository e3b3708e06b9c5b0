//! The list of faults: one row each, with its name and what it does in Polish and English.

use super::Kind;

macro_rules! catalogue {
    ($($kind:ident $variant:ident $name:literal $polish:literal $english:literal;)*) => {
        /// Something unusual or wrong about a login.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $english] $variant,)*
        }

        impl Fault {
            /// All of them: quirks first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name by which it is chosen.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Tells whether an answer with it is still right.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            pub(super) fn words(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$polish, $english],)* }
            }
        }
    };
}

catalogue! {
    // Unusual, and right.
    Quirk ShortContentKey "cek-128-declared-256"
        "klucz treści 128-bitowy przy zadeklarowanym aes256-gcm, jak na produkcji"
        "a content key of 128 bits under a declared aes256-gcm, as production does";
    Quirk KeyWrap128 "kw-aes128" "zawijanie klucza kw-aes128" "key wrap kw-aes128";
    Quirk KeyWrap192 "kw-aes192" "zawijanie klucza kw-aes192" "key wrap kw-aes192";
    Quirk Content128 "aes128-gcm" "szyfrowanie treści aes128-gcm" "content encryption aes128-gcm";
    Quirk LeadingZero "leading-zero-z"
        "wspólny sekret zaczyna się od bajtu zerowego (jeden na 256)"
        "the shared secret begins with a zero byte (one in 256 does)";
    Quirk ReturnByGet "return-by-get"
        "powrót do usługi przez GET zamiast POST" "the browser returns by GET instead of POST";
    Quirk AuthnInstantOld "authn-instant-old"
        "tożsamość potwierdzona 20 minut wcześniej, także przy ForceAuthn"
        "the citizen identified 20 minutes earlier, in spite of ForceAuthn";
    Quirk AttributeWhiteSpace "attribute-white-space"
        "tabulator i końce wierszy zamiast spacji w atrybucie objętym podpisem"
        "a tab and line ends instead of spaces in an attribute that is signed";
    Quirk Extensions "extensions"
        "rozszerzenia tam, gdzie schemat ma na nie miejsce, i nieznany atrybut"
        "extensions where the schema has a place for them, and an unknown attribute";
    Quirk SignedAssertion "signed-assertion"
        "asercja podpisana także przez węzeł" "the assertion is signed by the node as well";
    Quirk Slow "slow" "odpowiedź po dwóch sekundach" "the answer takes two seconds";

    // The line between us and the node.
    Fault ArtifactUnknown "artifact-unknown"
        "węzeł nie zna artefaktu" "the node does not know the artifact";
    Fault SoapFault "soap-fault" "błąd SOAP zamiast odpowiedzi" "a SOAP fault instead of an answer";
    Fault Http500 "http-500" "HTTP 500 bez treści SOAP" "HTTP 500 without SOAP";
    Fault Rubbish "rubbish" "odpowiedź nie jest XML-em" "the answer is not XML";
    Fault EmptyBody "empty-body" "pusta odpowiedź" "an empty answer";
    Fault Hangs "hangs" "węzeł nie odpowiada" "the node never answers";
    Fault TooLarge "too-large" "odpowiedź ma 1 MiB" "the answer has 1 MiB";
    Fault Drips "drips"
        "odpowiedź po bajcie na sekundę, przez minutę"
        "the answer comes by a byte each second, for a minute";
    Fault Endless "endless"
        "odpowiedź się nie kończy" "the answer has no end";

    // Statuses.
    Fault StatusAuthnFailed "status-authn-failed"
        "status odpowiedzi AuthnFailed" "the Response says AuthnFailed";
    Fault StatusRequestDenied "status-request-denied"
        "status odpowiedzi RequestDenied" "the Response says RequestDenied";
    Fault StatusUnknownPrincipal "status-unknown-principal"
        "status odpowiedzi UnknownPrincipal" "the Response says UnknownPrincipal";
    Fault StatusNamesPerson "status-names-person"
        "status AuthnFailed z imieniem, loginem i numerem PESEL w komunikacie"
        "the Response says AuthnFailed, with a name, a login and a PESEL in its message";
    Fault SoapFaultNamesPerson "soap-fault-names-person"
        "błąd SOAP z imieniem, loginem i numerem PESEL w komunikacie"
        "a SOAP fault with a name, a login and a PESEL in its message";
    Fault StatusSuccessWithError "status-success-with-error"
        "status Success z kodem niższego poziomu AuthnFailed"
        "the Response says Success, and AuthnFailed below it";
    Fault StatusRequester "status-requester"
        "status odpowiedzi Requester" "the Response says Requester";
    Fault StatusResponder "status-responder"
        "status odpowiedzi Responder" "the Response says Responder";
    Fault OuterStatusRequester "outer-status-requester"
        "ArtifactResponse ze statusem Requester" "the ArtifactResponse says Requester";
    Fault OuterStatusResponder "outer-status-responder"
        "ArtifactResponse ze statusem Responder" "the ArtifactResponse says Responder";

    // Signatures.
    Fault UnsignedResponse "unsigned-response"
        "Response bez podpisu" "the Response is not signed";
    Fault UnsignedArtifactResponse "unsigned-artifact-response"
        "ArtifactResponse bez podpisu" "the ArtifactResponse is not signed";
    Fault UnsignedBoth "unsigned-both" "żadnych podpisów" "nothing is signed";
    Fault ForeignSignature "foreign-signature"
        "oba podpisy złożone obcym kluczem" "both signatures are made with a stranger's key";
    Fault ForeignInnerSignature "foreign-inner-signature"
        "podpis Response złożony obcym kluczem"
        "the Response is signed with a stranger's key";
    Fault MovedSignature "moved-signature"
        "podpis Response przeniesiony w głąb" "the Response's signature is moved further inside";
    Fault TamperedResponse "tampered-response"
        "Response zmieniony po podpisaniu" "the Response is changed after it was signed";
    Fault TamperedArtifactResponse "tampered-artifact-response"
        "ArtifactResponse zmieniony po podpisaniu"
        "the ArtifactResponse is changed after it was signed";
    Fault Reindented "reindented"
        "wcięcia dodane po podpisaniu" "indented after it was signed";
    Fault DuplicateId "duplicate-id"
        "dwa elementy o tym samym ID" "two elements have the same ID";
    Fault TransformXslt "transform-xslt"
        "przekształcenie XSLT w podpisie" "the signature has an XSLT transform";
    Fault Sha1Digest "sha1-digest" "skrót SHA-1" "the digest is SHA-1";
    Fault HmacSignature "hmac-signature"
        "podpis HMAC zamiast ECDSA" "the signature method is HMAC instead of ECDSA";
    Fault TwoReferences "two-references"
        "podpis z dwoma odniesieniami" "the signature has two references";
    Fault ExternalReference "external-reference"
        "podpis odnosi się do obcego adresu" "the signature refers to another address";
    Fault InclusiveC14n "inclusive-c14n"
        "kanonizacja inkluzywna" "canonicalisation is inclusive";

    // Signature wrapping: something forged beside something signed.
    Fault Wrapped1 "wrapped-1"
        "fałszywy ArtifactResponse, oryginał wewnątrz podpisu"
        "a forged ArtifactResponse, the original inside its signature";
    Fault Wrapped2 "wrapped-2"
        "fałszywy ArtifactResponse, oryginał obok podpisu"
        "a forged ArtifactResponse, the original beside its signature";
    Fault Wrapped3 "wrapped-3"
        "fałszywy Response przed oryginałem" "a forged Response before the original";
    Fault Wrapped4 "wrapped-4"
        "fałszywy Response dookoła oryginału" "a forged Response around the original";
    Fault Wrapped5 "wrapped-5"
        "fałszywy Response z podpisem oryginału, oryginał w StatusDetail"
        "a forged Response with the original's signature, the original in StatusDetail";
    Fault Wrapped6 "wrapped-6"
        "fałszywy Response, oryginał w jego podpisie"
        "a forged Response, the original inside its signature";
    Fault Wrapped7 "wrapped-7"
        "fałszywy Response o tym samym ID w Extensions"
        "a forged Response of the same ID in Extensions";
    Fault Wrapped8 "wrapped-8"
        "fałszywy Response o tym samym ID, oryginał w ds:Object"
        "a forged Response of the same ID, the original in ds:Object";
    Fault Wrapped9 "wrapped-9"
        "fałszywy EncryptedAssertion przed oryginałem"
        "a forged EncryptedAssertion before the original";
    Fault Wrapped10 "wrapped-10"
        "fałszywy EncryptedAssertion za oryginałem"
        "a forged EncryptedAssertion after the original";
    Fault Wrapped11 "wrapped-11"
        "fałszywy EncryptedAssertion zamiast oryginału"
        "a forged EncryptedAssertion instead of the original";
    Fault Wrapped12 "wrapped-12"
        "fałszywy ArtifactResponse przed oryginałem w soap:Body"
        "a forged ArtifactResponse before the original in soap:Body";
    Fault Wrapped13 "wrapped-13"
        "oryginał w soap:Header, fałszywy ArtifactResponse w soap:Body"
        "the original in soap:Header, a forged ArtifactResponse in soap:Body";

    // What the node never sends.
    Fault TwoAssertions "two-assertions" "dwie asercje" "two assertions";
    Fault PlainAssertion "plain-assertion"
        "asercja niezaszyfrowana" "the assertion is not encrypted";
    Fault NoAssertion "no-assertion" "brak asercji" "no assertion";
    Fault ForeignAssertionSignature "foreign-assertion-signature"
        "asercja podpisana obcym kluczem" "the assertion is signed with a stranger's key";
    Fault ElementWithoutPlace "element-without-place"
        "obcy element w Response, objęty podpisem"
        "a foreign element in the Response, which is signed";
    Fault TextBetweenElements "text-between-elements"
        "tekst między elementami Response" "text between the elements of the Response";
    Fault AssertionInExtensions "assertion-in-extensions"
        "drugi EncryptedAssertion w Extensions, objęty podpisem"
        "a second EncryptedAssertion in Extensions, which is signed";
    Fault AssertionInAdvice "assertion-in-advice"
        "druga asercja w Advice" "a second assertion in Advice";
    Fault SecondSubject "second-subject"
        "EncryptedID obok NameID" "an EncryptedID beside the NameID";
    Fault OtherStatement "other-statement"
        "AuthzDecisionStatement w asercji" "an AuthzDecisionStatement in the assertion";
    Fault Doctype "doctype" "deklaracja DOCTYPE" "a document type declaration";
    Fault EntityExpansion "entity-expansion"
        "encje w deklaracji DOCTYPE, które rozwijają się do wielu gigabajtów"
        "entities of a document type declaration that expand to gigabytes";
    Fault ExternalEntity "external-entity"
        "encja zewnętrzna w deklaracji DOCTYPE" "an external entity in a document type declaration";
    Fault ProcessingInstruction "processing-instruction"
        "instrukcja przetwarzania" "a processing instruction";
    Fault Comment "comment"
        "komentarz w podpisanym tekście" "a comment in signed text";
    Fault Cdata "cdata" "sekcja CDATA" "a CDATA section";
    Fault LongNamespace "long-namespace"
        "nazwa przestrzeni nazw o 200 KiB, użyta 900 razy"
        "a namespace name of 200 KiB, used 900 times";
    Fault LongCanonicalForm "long-canonical-form"
        "atrybut, który w postaci kanonicznej jest sześć razy dłuższy"
        "an attribute that is six times as long in its canonical form";

    // Issuer, recipient and request.
    Fault NodeIssuerArtifactResponse "node-issuer-artifact-response"
        "obcy wystawca ArtifactResponse" "the ArtifactResponse has another issuer";
    Fault NodeIssuerResponse "node-issuer-response"
        "obcy wystawca Response" "the Response has another issuer";
    Fault NodeIssuerAssertion "node-issuer-assertion"
        "obcy wystawca asercji" "the assertion has another issuer";
    Fault InResponseToArtifactResponse "in-response-to-artifact-response"
        "ArtifactResponse na inne żądanie" "the ArtifactResponse answers another request";
    Fault InResponseToResponse "in-response-to-response"
        "Response na inne żądanie" "the Response answers another request";
    Fault InResponseToAssertion "in-response-to-assertion"
        "asercja na inne żądanie" "the assertion answers another request";
    Fault Audience "audience" "asercja dla innej usługi" "the assertion is for another service";
    Fault Recipient "recipient" "asercja na inny adres" "the assertion is for another address";
    Fault Destination "destination"
        "Destination odpowiedzi to inny adres" "the Destination of the Response is another address";
    Fault ResponseInResponseToMissing "response-in-response-to-missing"
        "Response nie mówi, na jakie żądanie" "the Response does not say what it answers";
    Fault InResponseToMissing "in-response-to-missing"
        "asercja nie mówi, na jakie żądanie" "the assertion does not say what it answers";
    Fault RecipientMissing "recipient-missing"
        "asercja nie mówi, na jaki adres" "the assertion does not say for which address it is";
    Fault AudienceMissing "audience-missing"
        "asercja nie mówi, dla jakiej usługi" "the assertion does not say for which service it is";
    Fault ConfirmationMethod "confirmation-method"
        "potwierdzenie podmiotu inne niż bearer" "the subject confirmation is not by bearer";
    Fault ReplayedAssertion "replayed-assertion"
        "identyfikator asercji z poprzedniego logowania"
        "the assertion has the ID of the login before";

    // When.
    Fault ConditionsExpired "conditions-expired"
        "warunki wygasły" "the conditions have expired";
    Fault ConditionsNotYet "conditions-not-yet"
        "warunki jeszcze nie obowiązują" "the conditions do not hold yet";
    Fault ConfirmationExpired "confirmation-expired"
        "potwierdzenie podmiotu wygasło" "the subject confirmation has expired";
    Fault ConfirmationNotYet "confirmation-not-yet"
        "potwierdzenie podmiotu jeszcze nie obowiązuje"
        "the subject confirmation does not hold yet";
    Fault AuthnInstantFuture "authn-instant-future"
        "uwierzytelnienie w przyszłości" "the authentication lies in the future";
    Fault ConditionsTooLong "conditions-too-long"
        "warunki na sto lat" "the conditions hold for a hundred years";
    Fault ConditionsMissing "conditions-missing"
        "asercja bez Conditions" "the assertion has no Conditions";
    Fault ConfirmationEndMissing "confirmation-end-missing"
        "potwierdzenie podmiotu bez końca ważności" "the subject confirmation has no end";
    Fault TimeOfAnotherForm "time-of-another-form"
        "czas w innej postaci niż xs:dateTime" "a time that is no xs:dateTime";
    Fault EmptyId "empty-id" "asercja z pustym ID" "the ID of the assertion is empty";
    Fault SessionExpired "session-expired"
        "sesja węzła już się skończyła" "the node's session is already over";
    Fault ArtifactResponseFuture "artifact-response-future"
        "ArtifactResponse z przyszłości" "the ArtifactResponse is dated in the future";
    Fault ResponseFuture "response-future"
        "Response z przyszłości" "the Response is dated in the future";
    Fault AssertionFuture "assertion-future"
        "asercja z przyszłości" "the assertion is dated in the future";

    // What is said about the person.
    Fault AssuranceTooLow "assurance-too-low"
        "poziom wiarygodności niski, niezależnie od żądania"
        "the level of assurance is low, whatever was asked for";
    Fault AssuranceUnknown "assurance-unknown"
        "nieznany poziom wiarygodności" "the level of assurance is unknown";
    Fault AttributeMissing "attribute-missing"
        "brak PersonIdentifier" "PersonIdentifier is missing";
    Fault AttributeRepeated "attribute-repeated"
        "PersonIdentifier dwa razy" "PersonIdentifier is there twice";
    Fault AttributeEmpty "attribute-empty"
        "pusty PersonIdentifier" "PersonIdentifier is empty";
    Fault BirthdateMalformed "birthdate-malformed"
        "data urodzenia w innej postaci" "the date of birth has another form";
    Fault CommentInValue "comment-in-value"
        "komentarz w wartości PersonIdentifier" "a comment in the value of PersonIdentifier";
    Fault UnknownCondition "unknown-condition"
        "nieznany warunek" "the assertion has an unknown condition";

    // Encryption.
    Fault PartyU "party-u"
        "PartyUInfo to inny węzeł" "PartyUInfo names another node";
    Fault PartyV "party-v"
        "PartyVInfo to inna usługa" "PartyVInfo names another service";
    Fault OtherRecipientKey "other-recipient-key"
        "zaszyfrowane do innego klucza" "encrypted to another key";
    Fault Cbc "cbc" "zadeklarowany aes256-cbc" "declares aes256-cbc";
    Fault RsaKeyTransport "rsa-key-transport" "zadeklarowany rsa-1_5" "declares rsa-1_5";
    Fault CorruptedCiphertext "corrupted-ciphertext"
        "szyfrogram uszkodzony przed podpisaniem"
        "the ciphertext was corrupted before it was signed";

    // The way back.
    Fault RelayStateLost "relay-state-lost"
        "RelayState zgubiony" "the RelayState is lost";
    Fault RelayStateOther "relay-state-other"
        "inny RelayState" "another RelayState";

    // Logout.
    Logout LogoutHangs "logout-hangs"
        "węzeł nie odpowiada na wylogowanie" "the node never answers the logout";
    Logout LogoutFails "logout-fails"
        "węzeł odmawia wylogowania" "the node refuses the logout";
    Logout LogoutUnsigned "logout-unsigned"
        "odpowiedź na wylogowanie bez podpisu" "the answer to the logout is not signed";
    Logout LogoutOtherIssuer "logout-other-issuer"
        "odpowiedź na wylogowanie ma obcego wystawcę"
        "the answer to the logout has another issuer";
    Logout LogoutRubbish "logout-rubbish"
        "odpowiedź na wylogowanie nie jest XML-em" "the answer to the logout is not XML";
}
