"""The rules that provider.py can leave out, one at a time: the name of the hole, and what is left out."""

HOLES = {
    # Signatures.
    "no-signatures": "nothing is verified",
    "outer-signature": "the signature of the ArtifactResponse is not verified",
    "inner-signature": "the signature of the Response is not verified",
    "assertion-signature": "a signature of the assertion is not verified",
    "signature-only-if-there": "a signature is verified only where there is one",
    "signed-somewhere": "some signature holds, of whatever it is, and the first message is read",
    "key-info": "the key is that of the certificate in the message",
    "algorithms": "whatever the library knows is taken",
    "duplicate-ids": "an ID may be there twice",
    # XML.
    "doctype": "a document type is taken, and entities are put in",
    "external-entities": "external entities are fetched",
    "comments": "text ends at the first comment",
    "processing-instructions": "processing instructions are taken",
    "schema": "what has no place is passed over",
    "last-of-many": "the last is taken where one is expected",
    # Who says what, to whom.
    "status-below": "only the first code of a status is read",
    "message-issuers": "the issuers of the messages are not compared",
    "assertion-issuer": "the issuer of the assertion is not compared",
    "no-in-response-to": "nobody asks which request is answered",
    "outer-in-response-to": "nobody asks which ArtifactResolve is answered",
    "destination": "Destination is not compared",
    "recipient": "Recipient is not compared",
    "audience": "audiences are not compared",
    "unknown-conditions": "unknown conditions are passed over",
    "confirmation-method": "any confirmation of the subject will do",
    "only-what-is-there": "what is absent is not missed",
    # When.
    "condition-times": "the times of Conditions are not compared",
    "confirmation-times": "the times of the confirmation are not compared",
    "statement-times": "the times of the AuthnStatement are not compared",
    "dates-of-messages": "IssueInstant is not compared",
    "form-of-times": "times may have another form",
    # The person.
    "assurance": "the level of assurance is not compared",
    "attributes": "attributes may be missing, empty, or there twice",
    # Encryption.
    "plain-assertions": "an assertion may come unencrypted",
    "parties": "the parties of the key agreement are not compared",
    "declared-encryption": "the declared algorithm is not looked at",
    # Whose login it is.
    "replay": "what was used is taken again",
    "any-browser": "whichever browser brings the answer is signed in",
    "unsolicited": "an answer that nobody asked for is taken",
    "open-redirect": "RelayState is where the browser is sent",
    "artifact-injection": "the artifact is written into the message as it came",
    # The line.
    "no-timeout": "the node is waited for without end",
    "slow-bytes": "each byte may take its time",
    "unbounded-answers": "the answer is read to its end, however long that takes",
    # What it sends, and its session.
    "destination-of-request": "the request is for another address",
    "repeated-ids": "each ArtifactResolve has the same ID",
    "cookie-flags": "the cookie of the session has neither HttpOnly nor SameSite",
    "fixation": "the session keeps the value that the cookie had before",
    "logout-does-nothing": "nothing is signed out",
    "logout-cookie-only": "only the browser forgets the session",
    "logout-waits-for-node": "the session ends only when the node says so",
    # Quirks that it does not take.
    "declared-key-length": "a content key must be as long as declared",
    "only-kw-aes256": "no other key wrap than kw-aes256 is known",
    "only-aes256": "no other content encryption than aes256-gcm is known",
    "stripped-secret": "the zero byte in front of the shared secret is lost",
    "post-only": "the artifact comes by POST alone",
    "fresh-only": "the citizen must have identified just now",
    "no-extensions": "extensions are refused",
    "unsigned-assertions-only": "a signature of the assertion is refused",
    "impatient": "the node has one second",
}
