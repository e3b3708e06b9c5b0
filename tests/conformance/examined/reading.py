"""What provider.py makes of an answer of the node: every rule, unless its hole is open."""

import datetime
import re
import urllib.error
import urllib.request

import xmlsec
from lxml import etree

import encryption

SAML2 = "urn:oasis:names:tc:SAML:2.0:assertion"
SAML2P = "urn:oasis:names:tc:SAML:2.0:protocol"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
PERSON = "http://eidas.europa.eu/attributes/naturalperson/"
LOA = "http://eidas.europa.eu/LoA/"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
LEVELS = ["low", "substantial", "high"]
ATTRIBUTES = ["CurrentGivenName", "CurrentFamilyName", "DateOfBirth", "PersonIdentifier"]

EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ALGORITHMS = {
    "CanonicalizationMethod": [EXC_C14N],
    "SignatureMethod": ["http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"],
    "DigestMethod": ["http://www.w3.org/2001/04/xmlenc#sha256"],
    "Transform": [DS + "enveloped-signature", EXC_C14N],
}

SIGNATURE = ["SignedInfo", "SignatureValue", "KeyInfo"]

# SAML core and the binding, for the messages; SAML core 2 for the assertion.
NO_EXTENSIONS = (SAML2, SAML2P)
MESSAGE = ["Issuer", "Signature", "Extensions", "Status"]
HOLDS = {
    "Envelope": ["Header", "Body"],
    "Body": ["ArtifactResponse"],
    "ArtifactResponse": [*MESSAGE, "Response"],
    "Response": [*MESSAGE, "EncryptedAssertion"],
    "Assertion": ["Issuer", "Signature", "Subject", "Conditions", "Advice", "AuthnStatement",
                  "AttributeStatement"],
    "Subject": ["NameID", "SubjectConfirmation"],
    "AuthnStatement": ["AuthnContext", "SubjectLocality"],
}

TIMEOUT_SECONDS = 3.0
SKEW = datetime.timedelta(seconds=60)
MAXIMUM_VALIDITY = datetime.timedelta(hours=24)
FORM_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Refused(Exception):
    """The login ends here; the text says why."""


def must(holds, why):
    """Refuses unless something holds."""
    if not holds:
        raise Refused(why)


def local(element):
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Reader:
    """Reads answers, with the rules that are not left out."""

    def __init__(self, options, keys):
        self.options = options
        self.keys = keys
        self.hole = options.hole
        self.used = set()

    def has(self, *holes):
        """Tells whether one of these holes is open."""
        return self.hole in holes

    def parse(self, text):
        """Returns the root of what has nothing in it that readers disagree about."""
        if not self.has("doctype", "external-entities"):
            must(b"<!DOCTYPE" not in text, "a document type")
        if not self.has("comments"):
            must(b"<!--" not in text, "a comment")
            must(b"<![CDATA[" not in text, "a CDATA section")
        if not self.has("processing-instructions"):
            rest = re.sub(rb"^\s*<\?xml [^>]*\?>", b"", text)
            must(b"<?" not in rest, "a processing instruction")
        # The parser itself stops what expands without end.
        parser = etree.XMLParser(
            resolve_entities=self.has("doctype", "external-entities"),
            no_network=not self.has("external-entities"),
            load_dtd=self.has("external-entities"),
            remove_comments=False,
        )
        if self.has("external-entities"):
            fetch_entities(text)
        try:
            root = etree.fromstring(text, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise Refused(f"no XML: {error}") from error
        must(all(len(uri) <= 256 for uri in root.nsmap.values()), "a long namespace")
        if not self.has("duplicate-ids"):
            ids = [value for element in root.iter(etree.Element)
                   for key, value in element.items() if key.lower() == "id"]
            must(len(ids) == len(set(ids)), "an ID is there twice")
        return root

    def child(self, element, namespace, name):
        """Returns the one child of that name."""
        found = element.findall(f"{{{namespace}}}{name}")
        must(found, f"there is no {name}")
        if not self.has("last-of-many", "signed-somewhere"):
            must(len(found) == 1, f"{name} is there more than once")
        return found[-1] if self.has("last-of-many") else found[0]

    def check_schema(self, element):
        """Refuses what has no place."""
        if self.has("schema", "signed-somewhere"):
            return
        if local(element) in ("Extensions", "Advice"):
            must(not self.has("no-extensions"), "extensions")
            for inside in element.iterdescendants(etree.Element):
                must(etree.QName(inside).namespace not in NO_EXTENSIONS, "SAML in extensions")
            return
        known = HOLDS.get(local(element))
        if known and self.has("plain-assertions"):
            known = [*known, "Assertion"]
        if known is None:
            if local(element) == "Status":
                for inside in element.iterdescendants(etree.Element):
                    must(etree.QName(inside).namespace != SAML2, "an assertion in the status")
            return
        names = [local(child) for child in element if isinstance(child.tag, str)]
        for name in names:
            must(name in known, f"{name} has no place in {local(element)}")
            once = not self.has("last-of-many")
            must(not once or names.count(name) == 1, f"{name} is there twice")
        texts = [element.text, *(child.tail for child in element)]
        must(not any((text or "").strip() for text in texts), "text between elements")
        for child in element.iterchildren(etree.Element):
            self.check_schema(child)

    # Signatures.

    def verify(self, element, required=True):
        """Verifies the signature of an element, which is a child of it."""
        found = element.findall(f"{{{DS}}}Signature")
        if not found and (not required or self.has("signature-only-if-there")):
            return
        must(len(found) == 1, f"{local(element)} is not signed")
        (signature,) = found
        self.check_profile(signature, element)
        self.check_value(signature, element.getroottree())

    def check_profile(self, signature, element):
        """Nothing but what the node's signatures have."""
        if self.has("algorithms"):
            return
        for name, known in ALGORITHMS.items():
            found = signature.findall(f"{{{DS}}}SignedInfo//{{{DS}}}{name}")
            must([one.get("Algorithm") for one in found] == known, f"another {name}")
        beside = [local(child) for child in signature if isinstance(child.tag, str)]
        wrapping = self.has("signed-somewhere")
        must(wrapping or beside == SIGNATURE, "something else in the signature")
        references = signature.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
        must(len(references) == 1, "several references")
        must(references[0].get("URI") == f"#{element.get('ID')}", "a reference to something else")

    def check_value(self, signature, tree):
        """Has the library verify a signature by the node's key."""
        xmlsec.tree.add_ids(tree.getroot(), ["ID"])
        context = xmlsec.SignatureContext()
        context.key = self.key_for(signature)
        try:
            context.verify(signature)
        except xmlsec.Error as error:
            raise Refused(f"a signature does not hold: {error}") from error

    def key_for(self, signature):
        """The node's key; with a hole, that of the certificate that the message brings along."""
        text = signature.findtext(f".//{{{DS}}}X509Certificate")
        if not self.has("key-info") or not text:
            return self.keys.node
        pem = f"-----BEGIN CERTIFICATE-----\n{text.strip()}\n-----END CERTIFICATE-----\n"
        return xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)

    # The messages.

    def read(self, text, request):
        """Reads the whole answer; returns who signed in."""
        envelope = self.parse(text)
        must(envelope.tag == f"{{{SOAP}}}Envelope", "no envelope")
        body = self.child(envelope, SOAP, "Body")
        outer = self.child(body, SAML2P, "ArtifactResponse")
        inner = self.child(outer, SAML2P, "Response")
        self.check_signatures(outer, inner)
        self.check_message(outer, request.resolve_id, "outer-in-response-to")
        self.check_message(inner, request.id, "no-in-response-to")
        destination = inner.get("Destination")
        if destination is not None and not self.has("destination"):
            must(destination == self.options.acs, "for another address")
        self.check_schema(envelope)
        return self.read_assertion(self.open(inner), request)

    def check_signatures(self, outer, inner):
        if self.has("no-signatures"):
            return
        if self.has("signed-somewhere"):
            self.check_any_signatures(outer)
            return
        if not self.has("outer-signature"):
            self.verify(outer)
        if not self.has("inner-signature"):
            self.verify(inner)
        if not self.has("signature-only-if-there", "inner-signature", "outer-signature"):
            found = list(outer.getroottree().getroot().iter(f"{{{DS}}}Signature"))
            must(len(found) == 2, "a signature too many")

    def check_any_signatures(self, outer):
        """The hole of signature wrapping: some signature holds, whatever it is of."""
        root = outer.getroottree().getroot()
        found = list(root.iter(f"{{{DS}}}Signature"))
        must(found, "nothing is signed")
        for signature in found:
            uri = signature.find(f"{{{DS}}}SignedInfo/{{{DS}}}Reference").get("URI")
            signed = [one for one in root.iter(etree.Element) if f"#{one.get('ID')}" == uri]
            must(signed, "a reference to nothing")
            self.check_profile(signature, signed[0])
            self.check_value(signature, outer.getroottree())

    def check_message(self, message, answers, hole):
        must(message.get("Version") == "2.0", "another version")
        if not self.has("message-issuers"):
            must(self.text(message, SAML2, "Issuer") == self.options.node_issuer, "another issuer")
        absent = message.get("InResponseTo") is None and self.has("only-what-is-there")
        if not (self.has(hole) or absent):
            must(message.get("InResponseTo") == answers, "an answer to another request")
        if not self.has("dates-of-messages"):
            must(self.time(message, "IssueInstant") <= now() + SKEW, "from the future")
        status = self.child(message, SAML2P, "Status")
        codes = [code.get("Value") for code in status.iter(f"{{{SAML2P}}}StatusCode")]
        codes = codes[:1] if self.has("status-below") else codes
        must(codes == [STATUS + "Success"], f"the node says {codes}")

    def text(self, element, namespace, name):
        """The text of a child. With a hole, only that before the first comment."""
        found = self.child(element, namespace, name)
        if self.has("comments"):
            return found.text or ""
        return "".join(found.itertext())

    def time(self, element, name):
        text = element.get(name)
        must(text is not None, f"there is no {name}")
        if not self.has("form-of-times"):
            must(FORM_TIME.fullmatch(text), f"{name} is no time")
        return datetime.datetime.fromisoformat(text.upper().replace("Z", "+00:00"))

    # The assertion.

    def open(self, inner):
        """Decrypts the assertion."""
        plain = inner.find(f"{{{SAML2}}}Assertion")
        if plain is not None and self.has("plain-assertions"):
            return plain
        sealed = self.child(inner, SAML2, "EncryptedAssertion")
        text = etree.tostring(sealed, with_tail=False).decode()
        if not self.has("parties"):
            for name, party in (("U", self.options.node_issuer), ("V", self.options.issuer)):
                value = encryption.prefixed(party).hex().upper()
                must(f'Party{name}Info="{value}"' in text, "encrypted by or for another party")
        if self.has("declared-encryption"):
            text = text.replace("http://www.w3.org/2001/04/xmlenc#aes256-cbc",
                                "http://www.w3.org/2009/xmlenc11#aes256-gcm")
            text = text.replace("http://www.w3.org/2001/04/xmlenc#rsa-1_5",
                                "http://www.w3.org/2001/04/xmlenc#kw-aes256")
        try:
            opened = encryption.decrypt(text, self.keys.decryption)
        except (encryption.Refused, ValueError) as error:
            raise Refused(f"it does not open: {error}") from error
        return self.parse(opened)

    def read_assertion(self, assertion, request):
        must(assertion.tag == f"{{{SAML2}}}Assertion", "no assertion")
        if not self.has("no-signatures", "assertion-signature"):
            self.verify(assertion, required=False)
        signed = assertion.find(f"{{{DS}}}Signature") is not None
        must(not (signed and self.has("unsigned-assertions-only")), "the assertion is signed")
        identifier = assertion.get("ID")
        if not self.has("replay"):
            must(identifier, "an empty ID")
            must(identifier not in self.used, "an assertion that was used")
        if not self.has("assertion-issuer"):
            must(self.text(assertion, SAML2, "Issuer") == self.options.node_issuer, "issuer")
        if not self.has("dates-of-messages"):
            must(self.time(assertion, "IssueInstant") <= now() + SKEW, "from the future")
        self.check_subject(self.child(assertion, SAML2, "Subject"), request)
        self.check_conditions(assertion)
        session = self.check_statement(self.child(assertion, SAML2, "AuthnStatement"))
        self.check_schema(assertion)
        person = self.read_person(assertion)
        self.used.add(identifier)
        subject = self.child(assertion, SAML2, "Subject")
        return {**person, "name_id": self.text(subject, SAML2, "NameID"), "session": session}

    def check_subject(self, subject, request):
        confirmation = self.child(subject, SAML2, "SubjectConfirmation")
        if not self.has("confirmation-method"):
            must(confirmation.get("Method") == BEARER, "not for its bearer")
        data = self.child(confirmation, SAML2, "SubjectConfirmationData")
        lenient = self.has("only-what-is-there")
        for name, expected, hole in (
            ("InResponseTo", request.id, "no-in-response-to"),
            ("Recipient", self.options.acs, "recipient"),
        ):
            found = data.get(name)
            if not (self.has(hole) or (lenient and found is None)):
                must(found == expected, f"another {name}")
        if not self.has("confirmation-times") and not (lenient and not data.get("NotOnOrAfter")):
            self.check_window(data)

    def check_window(self, element):
        if element.get("NotBefore") is not None:
            must(self.time(element, "NotBefore") <= now() + SKEW, "not yet")
        must(now() - SKEW < self.time(element, "NotOnOrAfter"), "no longer")

    def check_conditions(self, assertion):
        lenient = self.has("only-what-is-there")
        conditions = assertion.find(f"{{{SAML2}}}Conditions")
        if conditions is None and lenient:
            return
        conditions = self.child(assertion, SAML2, "Conditions")
        if not self.has("condition-times"):
            self.check_window(conditions)
            longest = now() + SKEW + MAXIMUM_VALIDITY
            must(self.time(conditions, "NotOnOrAfter") <= longest, "for too long")
        restrictions = 0
        for condition in conditions:
            if condition.tag == f"{{{SAML2}}}AudienceRestriction":
                restrictions += 1
                found = self.text(condition, SAML2, "Audience")
                must(self.has("audience") or found == self.options.issuer, "another audience")
            else:
                must(self.has("unknown-conditions"), "an unknown condition")
        must(restrictions or lenient or self.has("audience"), "for no audience")

    def check_statement(self, statement):
        if not self.has("statement-times"):
            must(self.time(statement, "AuthnInstant") <= now() + SKEW, "identified later")
            if statement.get("SessionNotOnOrAfter") is not None:
                end = self.time(statement, "SessionNotOnOrAfter")
                must(now() - SKEW < end, "the session has ended")
        if self.has("fresh-only"):
            must(self.time(statement, "AuthnInstant") > now() - SKEW, "identified too long ago")
        self.time(statement, "AuthnInstant")
        context = self.child(statement, SAML2, "AuthnContext")
        if not self.has("assurance"):
            level = self.text(context, SAML2, "AuthnContextClassRef").removeprefix(LOA)
            must(level in LEVELS, "an unknown level of assurance")
            must(LEVELS.index(level) >= LEVELS.index("substantial"), "too low a level")
        return statement.get("SessionIndex")

    def read_person(self, assertion):
        statement = self.child(assertion, SAML2, "AttributeStatement")
        values = {}
        for attribute in statement.findall(f"{{{SAML2}}}Attribute"):
            name = attribute.get("Name").removeprefix(PERSON)
            again = name in values and name in ATTRIBUTES
            must(not again or self.has("attributes"), f"{name} is there twice")
            values[name] = self.text(attribute, SAML2, "AttributeValue")
        if not self.has("attributes"):
            for name in ATTRIBUTES:
                must(values.get(name), f"there is no {name}")
            birth = re.fullmatch(r"\d{4}-\d\d-\d\dZ?", values["DateOfBirth"])
            must(birth, "the date of birth has another form")
        return {name: values.get(name, "") for name in ATTRIBUTES}


def fetch_entities(text):
    """What a parser does that loads external entities."""
    for address in re.findall(rb'<!ENTITY \w+ SYSTEM "(http://[^"]+)"', text):
        try:
            urllib.request.urlopen(address.decode(), timeout=TIMEOUT_SECONDS).read()
        except (urllib.error.URLError, OSError):
            pass
