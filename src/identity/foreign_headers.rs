//! The names under which other gateways and servers tell a backend whose request it is.
//!
//! A backend that was behind one of them may believe such a header still, or a library in it may.
//! No client speaks in a citizen's name here: these names are taken away from every request, on
//! public routes too, whoever the client is, unless the operator gives single names back
//! (`identity.pass_headers`).
//!
//! 1. Names are compared folded, as ours are ([`super::headers`]): CGI, WSGI and PHP make one
//!    variable of `Remote-User`, `REMOTE_USER` and `remote.user`.
//! 2. Whatever else begins with `X-Forwarded-` goes too, as what an earlier proxy claims
//!    ([`crate::request::headers::scan`]); what of it tells an identity is in the table to be
//!    counted, and to be given back.

use super::headers::{fold, folds_to_start};

/// Tells whether a name is one under which others tell an identity.
#[must_use]
pub fn tells_identity(name: &str) -> bool {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).map_or(0, |byte| fold(*byte));
    // Two letters rule out nearly every name that browsers send.
    let begins: &[&str] = match (letter(0), letter(2)) {
        (b'x', third) if letter(1) == b'-' => match third {
            b'a' => &[
                "x-auth-request-",
                "x-authentik-",
                "x-authenticated-",
                "x-amzn-oidc-",
                "x-amzn-mtls-",
                "x-arr-clientcert",
            ],
            b'c' => {
                &["x-client-cert", "x-client-dn", "x-client-verify", "x-consumer-", "x-credential-"]
            }
            b'f' => &[
                "x-forwarded-user",
                "x-forwarded-email",
                "x-forwarded-groups",
                "x-forwarded-preferred-username",
                "x-forwarded-access-token",
                "x-forwarded-client-cert",
            ],
            b'g' => &["x-goog-authenticated-user-", "x-goog-iap-"],
            b'j' => &["x-jwt-assertion", "x-jwt-claim-"],
            b'm' => &["x-ms-client-principal", "x-ms-token-"],
            b'p' => &["x-pomerium-"],
            b'r' => &["x-remote-"],
            b's' => &["x-ssl-"],
            b't' => &["x-token-subject", "x-tls-client-"],
            b'u' => &["x-userinfo"],
            b'v' => &["x-vouch-"],
            b'w' => &["x-webauth-"],
            _ => &[],
        },
        (b'r', b'm') => &["remote-user", "remote-name", "remote-email", "remote-groups"],
        (b's', b'i') => &["shib-"],
        (b's', b'l') => &["ssl-client-"],
        (b'c', b'-') => &["cf-access-"],
        (b'c', b'i') => &["client-cert"],
        (b'm', b'l') => &["mellon-"],
        (b'o', b'd') => &["oidc-"],
        (b't', b'i') => &["tailscale-user-"],
        _ => &[],
    };
    begins.iter().any(|begin| folds_to_start(name, begin))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    /// Names as their makers write them.
    const NAMES: &[&str] = &[
        // Servers, CGI and the programs that Debian ships for them.
        "Remote-User",
        "Remote-Name",
        "Remote-Email",
        "Remote-Groups",
        "X-Remote-User",
        "X-Remote-Group",
        "X-Remote-Extra-Scopes",
        // Apache: mod_shib, mod_auth_mellon, mod_auth_openidc.
        "Shib-Session-ID",
        "Shib-Identity-Provider",
        "MELLON-NAME_ID",
        "OIDC_CLAIM_sub",
        "OIDC_access_token",
        // Proxies that sign users in.
        "X-Auth-Request-User",
        "X-Auth-Request-Email",
        "X-Auth-Request-Access-Token",
        "X-Forwarded-User",
        "X-Forwarded-Preferred-Username",
        "X-Forwarded-Client-Cert",
        "X-authentik-username",
        "X-authentik-groups",
        "X-Pomerium-Jwt-Assertion",
        "X-Pomerium-Claim-Email",
        "X-Vouch-User",
        "X-Vouch-IdP-Claims-Name",
        "X-WEBAUTH-USER",
        "X-Token-Subject",
        "X-Userinfo",
        "X-Consumer-Username",
        "X-Credential-Identifier",
        "X-Authenticated-User",
        "X-JWT-Assertion",
        "X-Jwt-Claim-Sub",
        "Tailscale-User-Login",
        // Clouds.
        "Cf-Access-Jwt-Assertion",
        "Cf-Access-Authenticated-User-Email",
        "X-Goog-IAP-JWT-Assertion",
        "X-Goog-Authenticated-User-Email",
        "X-Amzn-Oidc-Identity",
        "X-Amzn-Oidc-Data",
        "X-Amzn-Mtls-Clientcert-Subject",
        "X-Ms-Client-Principal-Name",
        "X-Ms-Token-Aad-Id-Token",
        "X-ARR-ClientCert",
        // Certificates of clients.
        "X-SSL-Client-S-DN",
        "ssl-client-subject-dn",
        "X-Client-Cert",
        "Client-Cert-Chain",
    ];
    /// Names that browsers, scripts and proxies send and that name nobody.
    const OTHERS: &[&str] = &[
        "accept",
        "accept-language",
        "authorization",
        "cache-control",
        "cookie",
        "content-type",
        "dnt",
        "host",
        "origin",
        "referer",
        "range",
        "sec-fetch-site",
        "sec-ch-ua",
        "te",
        "user-agent",
        "x-requested-with",
        "x-csrf-token",
        "x-xsrf-token",
        "x-correlation-id",
        "x-client-version",
        "x-forwarded-for",
        "x-remotely",
        "shibboleth",
        "remote-addr",
        "client-id",
    ];

    #[test]
    fn the_names_of_others_are_known_and_those_that_name_nobody_are_not() {
        for name in NAMES {
            assert!(tells_identity(name), "{name}");
        }
        for name in OTHERS {
            assert!(!tells_identity(name), "{name}");
        }
        for short in ["", "x", "x-", "r", "re", "xx", "xxx"] {
            assert!(!tells_identity(short), "{short}");
        }
    }

    proptest! {
        /// RFC 9110 5.6.2: whatever stands between the words, a program sees the same variable.
        #[test]
        fn every_spelling_that_a_program_reads_alike_is_known(
            name in prop::sample::select(NAMES),
            separators in prop::collection::vec("[-!#$%&'*+.^_`|~]", 8),
            upper in any::<u64>(),
        ) {
            let mut separators = separators.iter().flat_map(|text| text.chars()).cycle();
            let spelled: String = name
                .chars()
                .enumerate()
                .map(|(at, letter)| match letter {
                    letter if !letter.is_ascii_alphanumeric() => separators.next().unwrap(),
                    letter if upper >> (at % 64) & 1 == 1 => letter.to_ascii_uppercase(),
                    letter => letter.to_ascii_lowercase(),
                })
                .collect();
            prop_assert!(HeaderName::from_bytes(spelled.as_bytes()).is_ok());
            prop_assert!(tells_identity(&spelled), "{spelled}");
        }
    }
}
