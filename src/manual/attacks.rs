//! Past attacks on SAML and on gateways, and our answer to each.
//!
//! Each entry says what the attack is, how it is answered, in which module, and which test fails
//! when the answer goes away. Many of the answers can be seen: the simulator gives each wrong
//! answer by name ([`crate::simulator::faults`]), and the test
//! `every_fault_is_refused_with_its_reason_and_every_quirk_is_accepted`
//! (`src/simulator/answer/tests.rs`) has one row for each, with the reason code.
//!
//! Here are those on the node's answer; those [on the browser](browser) and [on the gateway](gateway) have
//! pages of their own.
//!
//! # On the node's answer
//!
//! ## Signature wrapping (XSW 1 to 8)
//!
//! The signed element stays in the message, somewhere else, so its signature holds. A forged one
//! stands where the reader looks. *Somorovsky and others, "On Breaking SAML", 2012*, list eight
//! places for the two.
//!
//! Answer: what is verified and what is read are one value. [`crate::xml::signature::verify`] is
//! given the very element that will be read. The signature must be its direct child, the one
//! `Reference` must be `#` and the element's own `ID`, no signature may be left over anywhere in
//! the document, no `ID` may occur twice, and at the end the library must name that same element as
//! the one it digested. Everything below is read from it by walking down, and each child that must
//! be there once is an error when it is there twice ([`crate::xml::tree`]).
//!
//! | faults | where the forged element stands | reason |
//! |---|---|---|
//! | `wrapped-1`, `wrapped-2` | `ArtifactResponse`; the original in or beside its signature | `login.signature_profile`, `login.signature_reference` |
//! | `wrapped-3` | `Response` before the original | `login.unexpected_answer` |
//! | `wrapped-4` | `Response` around the original | `login.signature_missing` |
//! | `wrapped-5` | `Response` with the original's signature, the original in `StatusDetail` | `login.signature_reference` |
//! | `wrapped-6` | `Response`, the original inside its signature | `login.signature_profile` |
//! | `wrapped-7`, `wrapped-8` | `Response` of the same `ID`; the original in `Extensions` or `ds:Object` | `login.signature_duplicate_id` |
//! | `wrapped-9` to `wrapped-11` | `EncryptedAssertion` before, after, in place of the original | `login.signature_digest_mismatch` |
//! | `wrapped-12`, `wrapped-13` | `ArtifactResponse` beside the original in the SOAP body, or the original in the header | `login.unexpected_answer`, `login.signature_missing` |
//!
//! Tests: the row of each fault; `refuses_a_signature_that_is_missing_moved_or_one_too_many` in
//! `src/xml/signature/tests.rs`.
//!
//! ## Comment truncation
//!
//! `<NameID>admin<!-- -->.evil</NameID>`: canonicalisation drops the comment, so the signature
//! holds, and a reader that takes only the first text node reads `admin` (2018, many libraries).
//!
//! Answer: [`crate::xml::scan`] refuses a message with a comment, a processing instruction, a CDATA
//! section or a document type, before a tree is built. The node sends none. The same holds for the
//! decrypted assertion. Tests: `refuses_what_the_node_never_sends`; the faults `comment`,
//! `comment-in-value`, `cdata`, `doctype`, `processing-instruction`.
//!
//! ## Two parsers
//!
//! One parser verifies the signature, another one reads the identity, and they disagree about the
//! same bytes (2024 and 2025, ruby-saml: REXML and Nokogiri).
//!
//! Answer: one tree ([`crate::xml::tree::Document`]) serves verification and reading. Nothing is
//! written out and parsed again. The bounded look before it ([`crate::xml::scan`]) uses another
//! reader, but it decides only whether the message is looked at at all; nothing is taken from it.
//!
//! ## Duplicate identifiers
//!
//! Two elements have one `ID`; the signature is resolved to one, the reader takes the other.
//!
//! Answer: before any digest, an identifier that occurs twice refuses the message, in whatever
//! spelling or namespace the attribute is (`ID`, `Id`, `id`, `AssertionID`). Fault `duplicate-id`,
//! reason `login.signature_duplicate_id`.
//!
//! ## Trust in `KeyInfo`
//!
//! The message carries its own certificate, and the verifier believes it. Several clients of this
//! very node do.
//!
//! Answer: keys come only from `node.certificates`
//! ([`crate::xml::signature::TrustedCertificates`]). The library runs with pinned keys only, and
//! the key that it used must be one of the pinned certificates. Tests:
//! `refuses_a_signature_of_another_key_even_with_its_certificate_inside`; the faults
//! `foreign-signature` and `foreign-inner-signature`, reason `login.signature_not_trusted`.
//!
//! ## Algorithm confusion
//!
//! The message says HMAC, and the verifier takes the public key for the HMAC secret. Or it says
//! SHA-1. Or an XSLT transform runs a program. Or a `Reference` fetches a foreign address.
//!
//! Answer: an allow-list ([`crate::xml::algorithms`]) of signature and digest methods; exactly two
//! transforms in one order; one reference to the element itself. All of it is checked before
//! anything is computed. Tests: `refuses_what_the_profile_does_not_have`; the faults
//! `hmac-signature`, `sha1-digest`, `transform-xslt`, `inclusive-c14n`, `two-references`,
//! `external-reference`.
//!
//! ## The unsigned encrypted assertion
//!
//! Everybody can encrypt to our public key. An assertion that opens proves nothing about who wrote
//! it, and the node's assertions have no signature inside.
//!
//! Answer: `Response` and `ArtifactResponse` must both be signed by the node before anything is
//! decrypted ([`crate::saml::answer::Answer::verify`]), and only the verified answer can be opened
//! ([`crate::saml::answer::Answer::open`]). Exactly one `EncryptedAssertion` and no plain one.
//! Faults `unsigned-response`, `unsigned-artifact-response`, `unsigned-both`, `two-assertions`,
//! `plain-assertion`.
//!
//! ## Decryption oracles
//!
//! A service that answers differently for different failures of decryption is a tool for decrypting
//! (*Jager and Somorovsky, 2011*, on CBC).
//!
//! Answer: only authenticated encryption (AES-GCM); no CBC, no RSA. After the shape and the
//! algorithms are checked, every failure is one error
//! ([`crate::xml::decryption::Error::Failed`]). It is reached only behind two valid signatures.
//! Tests: `tries_every_key_and_gives_one_answer_when_none_fits`,
//! `every_changed_byte_of_the_ciphertexts_gives_the_one_answer`.
//!
//! ## TLS in place of a signature
//!
//! HTTP-Artifact is often read as "the answer came from the node over TLS, so it is genuine". Then
//! whoever has any certificate that the system trusts can be the node.
//!
//! Answer: the server's certificate is always verified ([`crate::flow::node`]), and it counts for
//! nothing: the signatures are checked all the same.
//!
//! ## Replay
//!
//! An artifact or an assertion is used a second time.
//!
//! Answer: a login is claimed once ([`crate::flow::outcome::Outcomes::claim`]); artifact
//! and assertion are remembered for as long as they could be used
//! ([`crate::flow::replay::ReplayGuard`]); and the assertion must answer this login's own request.
//! When the guard is full, logins are refused rather than entries forgotten. With `kind = "memory"`
//! nothing is remembered after a restart; a ticket of before is good for what is left of its minute
//! then, and the node refuses the artifact. Tests:
//! `refuses_a_second_use_until_it_expires`, `refuses_rather_than_forget_when_it_is_full`,
//! `of_two_that_claim_at_once_one_is_the_first`, `a_ticket_is_good_once`.
//!
//! ## An answer for somebody else
//!
//! A genuine assertion, made for another provider, another address or another request.
//!
//! Answer: audience, recipient, `InResponseTo` at three levels, issuer at three levels, and both
//! parties of the key derivation must be ours ([`crate::saml::answer`],
//! [`crate::saml::assertion::Assertion::read`]). Faults `audience`, `recipient`,
//! `in-response-to-assertion`, `party-u`, `party-v` and their neighbours.
//!
//! ## A weaker login than asked for
//!
//! The request asks for *high*; the answer says *low*.
//!
//! Answer: the level of the answer is compared with the level of this login's request, and each
//! route compares the session's level with its own. Faults `assurance-too-low`,
//! `assurance-unknown`.
//!
//! # On the key derivation
//!
//! ## Leading zeros
//!
//! One shared secret in 256 begins with a zero byte. Who drops it cannot open those answers; the
//! login fails for no visible reason.
//!
//! Answer: the secret keeps its length ([`crate::xml::decryption`]). Test:
//! `opens_when_the_shared_secret_begins_with_a_zero`; quirk `leading-zero-z`.
//!
//! ## Points that are not on the curve
//!
//! A public key off the curve leaks bits of the private key.
//!
//! Answer: uncompressed points on P-256 or P-384 only, and the agreement of AWS-LC checks that the
//! point is on the curve. It too is reached only behind two valid signatures.

pub mod browser;
pub mod gateway;
