//! The algorithm identifiers that the node's profile knows, and no others.

/// Exclusive canonical XML 1.0, without comments.
pub const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// XML signature syntax 6.6.4: the signature removes itself from what it signs.
pub const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// SHA-256, as digest method.
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// SHA-384, as digest method.
pub const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
/// SHA-512, as digest method.
pub const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";
/// ECDSA with SHA-256 (RFC 6931 2.3.6).
pub const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
/// ECDSA with SHA-384 (RFC 6931 2.3.6).
pub const ECDSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
/// ECDSA with SHA-512 (RFC 6931 2.3.6).
pub const ECDSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512";
/// RSA PKCS #1 v1.5 with SHA-256.
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// RSA PKCS #1 v1.5 with SHA-384.
pub const RSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
/// RSA PKCS #1 v1.5 with SHA-512.
pub const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";

/// AES-128 in Galois/Counter Mode (XML encryption 1.1, 5.2.4).
pub const AES128_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
/// AES-256 in Galois/Counter Mode.
pub const AES256_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
/// AES key wrap (RFC 3394) with a 128-bit key.
pub const KW_AES128: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes128";
/// AES key wrap with a 192-bit key.
pub const KW_AES192: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes192";
/// AES key wrap with a 256-bit key.
pub const KW_AES256: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes256";
/// Elliptic curve Diffie-Hellman, ephemeral-static (XML encryption 1.1, 5.6.4).
pub const ECDH_ES: &str = "http://www.w3.org/2009/xmlenc11#ECDH-ES";
/// Concatenation key derivation (XML encryption 1.1, 5.4.1).
pub const CONCAT_KDF: &str = "http://www.w3.org/2009/xmlenc11#ConcatKDF";
/// The curve P-256 as a named curve.
pub const P256: &str = "urn:oid:1.2.840.10045.3.1.7";
/// The curve P-384 as a named curve.
pub const P384: &str = "urn:oid:1.3.132.0.34";

/// What `EncryptedData/@Type` says when an element was encrypted.
pub const TYPE_ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// The namespace of XML signatures.
pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The namespace of XML signatures 1.1.
pub const DSIG11: &str = "http://www.w3.org/2009/xmldsig11#";
/// The namespace of XML encryption.
pub const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// The namespace of XML encryption 1.1.
pub const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";

/// Signature methods that we accept.
pub const SIGNATURE_METHODS: [&str; 6] =
    [ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512, RSA_SHA256, RSA_SHA384, RSA_SHA512];
/// Digest methods that we accept.
pub const DIGEST_METHODS: [&str; 3] = [SHA256, SHA384, SHA512];
