//! The namespaces and fixed identifiers of the node's messages.

/// `saml2p`: the SAML protocol.
pub const SAML2P: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// `saml2`: the SAML assertions.
pub const SAML2: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// `eidas`: the eIDAS extensions of a request.
pub const EIDAS: &str = "http://eidas.europa.eu/saml-extensions";
/// `naturalperson`: the types of the eIDAS attributes.
pub const NATURAL_PERSON: &str = "http://eidas.europa.eu/attributes/naturalperson";
/// SOAP 1.1, in which messages to the node travel.
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// XML Schema instance, for `xsi:type`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The only protocol binding by which the node answers.
pub const HTTP_ARTIFACT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact";
/// The name identifier format that the node uses.
pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// Attribute names are URIs.
pub const ATTRIBUTE_NAME_URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
/// SAML profiles 3.3: the bearer of the assertion is its subject.
pub const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// SAML core 3.2.2.2: the prefix of the status codes.
pub const STATUS_PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:status:";
