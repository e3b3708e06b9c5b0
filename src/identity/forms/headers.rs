//! `headers`: the claims in plain fields, for portals that cannot check a signature yet.
//!
//! 1. Nothing proves them. They are as good as the way between gateway and portal: loopback, a Unix
//!    socket, or TLS with a client certificate. `check` warns of any other.
//! 2. A value is bounded ([`MAXIMUM`]) and free of control characters, in every encoding.
//! 3. What is not known, or not released, is sent empty, never left out: a portal that reads a field
//!    reads ours, and no leftover of somebody else's.

use std::fmt::Write;

use http::{HeaderName, HeaderValue};

use super::tell::{Field, Tell, Telling};
use crate::base::encoding::base64;
use crate::identity::claims::{Claims, PersonalClaim};
use crate::identity::error::Error;

/// The most characters of a value, before it is encoded. No name, number or address that the node
/// tells is nearly as long.
pub const MAXIMUM: usize = 256;

/// The form, with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainHeaders {
    /// How letters outside visible ASCII are written.
    pub encoding: Encoding,
    /// Each field, and what it says.
    pub fields: Vec<(HeaderName, Value)>,
    /// What a portal that knows such fields reads beside them, in lower case.
    pub also_read: &'static [&'static str],
}

/// How a value is written. A field of HTTP carries visible ASCII safely, and nothing else
/// (RFC 9110 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Percent-encoded UTF-8 (RFC 3986 2.1) where a byte is no visible ASCII, or `%`.
    Percent,
    /// The bytes of UTF-8 as they are.
    Utf8,
    /// Encoded words (RFC 2047) where a letter is no ASCII.
    Rfc2047,
    /// Base64 (RFC 4648 4) of the UTF-8, always.
    Base64,
}

/// What a field can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The pseudonym, `sub`.
    Subject,
    /// The public name of the session, `sid`.
    Session,
    /// `given_name`.
    GivenName,
    /// `family_name`.
    FamilyName,
    /// Both names.
    Name,
    /// `birthdate`, as `YYYY-MM-DD`.
    Birthdate,
    /// `pesel`.
    Pesel,
    /// The level of assurance, `acr`.
    Level,
    /// The way in, `amr`.
    Way,
    /// `authenticating_authority`.
    Authority,
    /// When the citizen identified, `auth_time`, in seconds since 1970.
    AuthTime,
    /// The issuer, `iss`: the portal's origin.
    Issuer,
    /// Nothing: a field that other gateways fill and this one cannot.
    Empty,
}

/// Fields under the names that portals know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// `X-Brama-Subject`, `X-Brama-Given-Name` and so on.
    Brama,
    /// `Remote-User` and its kin, as reverse proxies send them.
    RemoteUser,
    /// `X-Forwarded-User` and its kin, as oauth2-proxy sends them.
    Oauth2Proxy,
    /// `Shib-Session-ID`, `givenName` and so on, as a service provider of Shibboleth sends them.
    Shibboleth,
}

impl PlainHeaders {
    /// Makes those of a preset.
    #[must_use]
    pub fn of(preset: Preset, encoding: Encoding) -> Self {
        let fields = preset.fields().iter();
        let fields = fields.map(|(name, value)| (HeaderName::from_static(name), *value)).collect();
        Self { encoding, fields, also_read: preset.also_read() }
    }
}

impl Preset {
    /// Returns its fields.
    #[must_use]
    pub fn fields(self) -> &'static [(&'static str, Value)] {
        match self {
            Self::Brama => &[
                ("x-brama-subject", Value::Subject),
                ("x-brama-session", Value::Session),
                ("x-brama-given-name", Value::GivenName),
                ("x-brama-family-name", Value::FamilyName),
                ("x-brama-birthdate", Value::Birthdate),
                ("x-brama-pesel", Value::Pesel),
                ("x-brama-level", Value::Level),
                ("x-brama-way", Value::Way),
                ("x-brama-auth-time", Value::AuthTime),
            ],
            Self::RemoteUser => &[
                ("remote-user", Value::Subject),
                ("remote-name", Value::Name),
                ("remote-email", Value::Empty),
                ("remote-groups", Value::Empty),
            ],
            Self::Oauth2Proxy => &[
                ("x-forwarded-user", Value::Subject),
                ("x-forwarded-preferred-username", Value::Name),
                ("x-forwarded-email", Value::Empty),
                ("x-forwarded-groups", Value::Empty),
            ],
            Self::Shibboleth => &[
                ("remote-user", Value::Subject),
                ("shib-session-id", Value::Session),
                ("shib-identity-provider", Value::Issuer),
                ("shib-authentication-instant", Value::AuthTime),
                ("shib-authncontext-class", Value::Level),
                ("persistent-id", Value::Subject),
                ("givenname", Value::GivenName),
                ("sn", Value::FamilyName),
                ("displayname", Value::Name),
            ],
        }
    }

    /// Returns the names that portals read beside its fields. A service provider of Shibboleth that
    /// sends fields clears every name of its attribute map, so a portal behind it believes them all.
    #[must_use]
    pub fn also_read(self) -> &'static [&'static str] {
        match self {
            Self::Brama | Self::RemoteUser | Self::Oauth2Proxy => &[],
            Self::Shibboleth => &SHIBBOLETH,
        }
    }
}

/// Names of the attribute map that Shibboleth comes with, and of what it says of a session.
const SHIBBOLETH: [&str; 43] = [
    "affiliation",
    "assurance",
    "auth-type",
    "businesscategory",
    "carlicense",
    "cn",
    "departmentnumber",
    "description",
    "edupersonnickname",
    "edupersonorcid",
    "edupersonprincipalname",
    "employeenumber",
    "employeetype",
    "entitlement",
    "eppn",
    "facsimiletelephonenumber",
    "initials",
    "ismemberof",
    "l",
    "mail",
    "manager",
    "member",
    "memberof",
    "mobile",
    "nickname",
    "o",
    "org-dn",
    "orgunit-dn",
    "ou",
    "pairwise-id",
    "postaladdress",
    "postalcode",
    "postofficebox",
    "preferredlanguage",
    "primary-affiliation",
    "primary-orgunit-dn",
    "schachomeorganization",
    "st",
    "street",
    "subject-id",
    "targeted-id",
    "telephonenumber",
    "uid",
];

impl Value {
    /// All of them, with the words of the configuration.
    pub const ALL: [(&'static str, Self); 13] = [
        ("subject", Self::Subject),
        ("session", Self::Session),
        ("given_name", Self::GivenName),
        ("family_name", Self::FamilyName),
        ("name", Self::Name),
        ("birthdate", Self::Birthdate),
        ("pesel", Self::Pesel),
        ("level", Self::Level),
        ("way", Self::Way),
        ("authority", Self::Authority),
        ("auth_time", Self::AuthTime),
        ("issuer", Self::Issuer),
        ("empty", Self::Empty),
    ];

    /// Finds one by the word of the configuration.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, value)| value)
    }

    /// Returns the claims without which it is always empty.
    #[must_use]
    pub fn needs(self) -> &'static [PersonalClaim] {
        match self {
            Self::GivenName => &[PersonalClaim::GivenName],
            Self::FamilyName => &[PersonalClaim::FamilyName],
            Self::Name => &[PersonalClaim::GivenName, PersonalClaim::FamilyName],
            Self::Birthdate => &[PersonalClaim::Birthdate],
            Self::Pesel => &[PersonalClaim::Pesel],
            _ => &[],
        }
    }

    /// Returns what it says of a citizen; empty when that is not known, or not released.
    fn of(self, claims: &Claims<'_>) -> String {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        match self {
            Self::Subject => claims.sub.clone(),
            Self::Session => claims.sid.to_owned(),
            Self::GivenName => text(claims.given_name),
            Self::FamilyName => text(claims.family_name),
            Self::Name => {
                let names = [claims.given_name, claims.family_name];
                names.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            Self::Birthdate => text(claims.birthdate.as_deref()),
            Self::Pesel => text(claims.pesel),
            Self::Level => claims.acr.to_owned(),
            Self::Way => text(claims.amr.map(|[way]| way)),
            Self::Authority => text(claims.authenticating_authority),
            Self::AuthTime => claims.auth_time.to_string(),
            Self::Issuer => claims.iss.to_owned(),
            Self::Empty => String::new(),
        }
    }
}

impl Encoding {
    /// Writes a value: bounded, without control characters and without space around it.
    fn write(self, value: &str) -> Result<HeaderValue, Error> {
        let plain: String = value.chars().filter(|letter| !letter.is_control()).collect();
        let cut: String = plain.trim().chars().take(MAXIMUM).collect();
        let bounded = cut.trim_end();
        let written = match self {
            Self::Percent => percent(bounded).into_bytes(),
            Self::Utf8 => bounded.as_bytes().to_vec(),
            Self::Rfc2047 if bounded.is_ascii() && !bounded.contains("=?") => {
                bounded.as_bytes().to_vec()
            }
            Self::Rfc2047 => encoded_words(bounded).into_bytes(),
            Self::Base64 => base64(bounded.as_bytes()).into_bytes(),
        };
        let mut value = HeaderValue::from_bytes(&written).map_err(|_| Error::Unwritable)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn percent(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (byte.is_ascii_graphic() || byte == b' ') && byte != b'%' {
            written.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

/// RFC 2047: words of base64, each at most 75 characters and of whole letters (section 5).
fn encoded_words(text: &str) -> String {
    const MOST_BYTES: usize = 45;
    let mut words: Vec<String> = vec![String::new()];
    for letter in text.chars() {
        let is_full = words.last().is_some_and(|word| word.len() + letter.len_utf8() > MOST_BYTES);
        if is_full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    let word = |word: &String| format!("=?UTF-8?B?{}?=", base64(word.as_bytes()));
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

impl Tell for PlainHeaders {
    fn names(&self) -> Vec<HeaderName> {
        self.fields.iter().map(|(name, _)| name.clone()).collect()
    }

    fn also_read(&self) -> &'static [&'static str] {
        self.also_read
    }

    fn tell(&self, telling: &Telling<'_>, fields: &mut Vec<Field>) -> Result<(), Error> {
        for (name, value) in &self.fields {
            fields.push((name.clone(), self.encoding.write(&value.of(telling.claims))?));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::base::encoding::from_base64;
    use crate::identity::foreign_headers::tells_identity;
    use crate::identity::headers::{IdentityHeader, identity_header};

    #[test]
    fn a_name_is_written_in_each_encoding() {
        for (encoding, plain, polish) in [
            (Encoding::Percent, "100%25 a", "%C5%BB%C3%B3%C5%82w"),
            (Encoding::Utf8, "100% a", "Żółw"),
            (Encoding::Rfc2047, "100% a", "=?UTF-8?B?xbvDs8WCdw==?="),
            (Encoding::Base64, "MTAwJSBh", "xbvDs8WCdw=="),
        ] {
            let written = |text| encoding.write(text).unwrap().as_bytes().to_vec();
            assert_eq!(written("100% a"), plain.as_bytes(), "{encoding:?}");
            assert_eq!(written("Żółw"), polish.as_bytes(), "{encoding:?}");
            assert_eq!(written(""), b"", "{encoding:?}");
        }
        // What looks like an encoded word and is none would be decoded.
        // A word is as long as it may be.
        for (letters, words) in [(43, 1), (44, 2)] {
            let text = format!("ż{}", "a".repeat(letters));
            let written = Encoding::Rfc2047.write(&text).unwrap();
            let written: Vec<_> = written.to_str().unwrap().split(' ').collect();
            assert_eq!((written.len(), written[0].len()), (words, 72), "{letters}");
        }
        let word = Encoding::Rfc2047.write("=?UTF-8?B?QQ==?=").unwrap();
        assert_eq!(word, "=?UTF-8?B?PT9VVEYtOD9CP1FRPT0/PQ==?=");
    }

    proptest! {
        /// Whatever the node says of a citizen.
        #[test]
        fn a_value_is_bounded_and_carries_no_control_character(text in "\\PC{0,40}[\\x00-\\x1f\\x7f-\\u{9f}]{0,4}\\PC{0,400}") {
            let kept: String = text.chars().filter(|letter| !letter.is_control()).collect();
            let kept: String = kept.trim().chars().take(MAXIMUM).collect();
            let kept = kept.trim_end().to_owned();
            for encoding in [Encoding::Percent, Encoding::Utf8, Encoding::Rfc2047, Encoding::Base64] {
                let written = encoding.write(&text).unwrap();
                let bytes = written.as_bytes();
                prop_assert!(bytes.len() <= MAXIMUM * 12, "{} bytes", bytes.len());
                prop_assert!(!bytes.iter().any(u8::is_ascii_control));
                if encoding != Encoding::Utf8 {
                    prop_assert!(bytes.is_ascii());
                }
            }
            // What is written can be read again.
            let percent = Encoding::Percent.write(&text).unwrap();
            let percent = percent_decode_str(percent.to_str().unwrap()).decode_utf8().unwrap();
            prop_assert_eq!(&*percent, kept.as_str());
            let words = Encoding::Rfc2047.write(&kept).unwrap();
            let words = words.to_str().unwrap();
            if words.starts_with("=?UTF-8?B?") {
                let mut read = Vec::new();
                for word in words.split(' ') {
                    prop_assert!(word.len() <= 75, "{}", word);
                    let inner = word.trim_start_matches("=?UTF-8?B?").trim_end_matches("?=");
                    read.extend(from_base64(inner).unwrap());
                }
                prop_assert_eq!(String::from_utf8(read).unwrap(), kept);
            }
        }
    }

    /// A preset is safe to switch on: no client sends a field of it on any route, whether or not
    /// some route has the preset. The exceptions are named when they are switched on.
    #[test]
    fn nearly_every_name_of_a_preset_is_taken_from_clients_anyway() {
        for preset in [Preset::Brama, Preset::RemoteUser, Preset::Oauth2Proxy, Preset::Shibboleth] {
            for (name, _) in preset.fields() {
                let is_ours = identity_header(name) == IdentityHeader::Ours;
                let is_known = is_ours || tells_identity(name);
                let is_attribute = matches!(*name, "givenname" | "sn" | "displayname");
                assert_ne!(is_known, is_attribute, "{name}");
                assert!(HeaderName::from_bytes(name.as_bytes()).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn each_word_of_the_configuration_is_one_value() {
        for (word, value) in Value::ALL {
            assert_eq!(Value::find(word), Some(value));
        }
        assert_eq!(Value::find("email"), None);
    }

    #[test]
    fn a_value_needs_the_claims_that_it_says() {
        use PersonalClaim::{Birthdate, FamilyName, GivenName, Pesel};
        for (word, needs) in [
            ("subject", &[][..]),
            ("given_name", &[GivenName]),
            ("family_name", &[FamilyName]),
            ("name", &[GivenName, FamilyName]),
            ("birthdate", &[Birthdate]),
            ("pesel", &[Pesel]),
            ("empty", &[]),
        ] {
            assert_eq!(Value::find(word).unwrap().needs(), needs, "{word}");
        }
    }
}
