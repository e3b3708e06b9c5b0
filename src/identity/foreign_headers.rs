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
    known_as(name).is_some()
}

/// Returns the name, or the beginning of names, by which it is known that others tell an identity
/// under it.
#[must_use]
pub fn known_as(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).map_or(0, |byte| fold(*byte));
    // Two letters rule out nearly every name that browsers send.
    let begins = match (letter(0), letter(1), letter(2)) {
        (b'x', b'-', third) => beginning_with_x(third),
        (first, _, third) => beginning_with(first, third),
    };
    begins.iter().find(|begin| folds_to_start(name, begin)).copied()
}

/// The names that begin with `x-`, by the letter behind.
fn beginning_with_x(third: u8) -> &'static [&'static str] {
    match third {
        b'a' => &[
            "x-auth-request-",
            "x-auth-subject",
            "x-auth-user",
            "x-auth-email",
            "x-auth-roles",
            "x-auth-groups",
            "x-authentik-",
            "x-authenticated-",
            "x-amzn-oidc-",
            "x-amzn-mtls-",
            "x-apigateway-api-userinfo",
            "x-appengine-user-",
            "x-arr-clientcert",
        ],
        b'c' => &[
            "x-cas-user",
            "x-client-cert",
            "x-client-dn",
            "x-client-s-dn",
            "x-client-verify",
            "x-clientcert",
            "x-consumer-",
            "x-credential-",
        ],
        b'f' => &[
            "x-forwarded-user",
            "x-forwarded-email",
            "x-forwarded-groups",
            "x-forwarded-preferred-username",
            "x-forwarded-access-token",
            "x-forwarded-client-cert",
        ],
        b'e' => &["x-endpoint-api-userinfo"],
        b'g' => &["x-goog-authenticated-user-", "x-goog-iap-"],
        b'i' => &["x-iisnode-"],
        b'j' => &["x-jwt-assertion", "x-jwt-claim-"],
        b'l' => &["x-logon-user"],
        b'm' => &["x-ms-client-principal", "x-ms-token-"],
        b'o' => &["x-oidc-"],
        b'p' => &["x-pomerium-", "x-proxy-remote-user"],
        b'r' => &[
            "x-remote-user",
            "x-remote-name",
            "x-remote-email",
            "x-remote-group",
            "x-remote-extra-",
        ],
        b's' => &["x-shib-", "x-ssl-client-"],
        b't' => &["x-token-subject", "x-tls-client-"],
        b'u' => &["x-userinfo"],
        b'v' => &["x-vouch-"],
        b'w' => &["x-webauth-"],
        _ => &[],
    }
}

/// The other names, by their first and third letter.
fn beginning_with(first: u8, third: u8) -> &'static [&'static str] {
    match (first, third) {
        (b'a', b'p') => &["ajp-remote-user"],
        (b'a', b't') => &["auth-user", "authelia-user"],
        (b'c', b's') => &["cas-user"],
        (b'e', b'p') => &["eppn"],
        (b'h', b't') => &["http-remote-user"],
        (b'i', b'-') => &["iv-user", "iv-groups", "iv-creds", "iv-server-name"],
        (b'i', b'p') => &["impersonate-"],
        (b'k', b'b') => &["kubeflow-userid"],
        (b'p', b'-') => &["pa-user"],
        (b'p', b'o') => &["proxy-remote-user"],
        (b'p', b'r') => &["persistent-id"],
        (b'r', b'm') => &[
            "remote-user",
            "remote-name",
            "remote-email",
            "remote-group",
            "remote-role",
            "remote-uid",
        ],
        (b'l', b'g') => &["logon-user"],
        (b'o', b'm') => &["oam-remote-user"],
        (b'o', b's') => &["osso-"],
        (b's', b'u') => &["smuser"],
        (b't', b'l') => &["teleport-jwt-assertion"],
        (b't', b'r') => &["targeted-id"],
        (b's', b'-') => &["sm-"],
        (b's', b'i') => &["shib-"],
        (b's', b'l') => &["ssl-client-", "ssl-cert", "ssl-server-s-dn"],
        (b'c', b'-') => &["cf-access-"],
        (b'c', b'i') => &["client-cert"],
        (b'm', b'l') => &["mellon-"],
        (b'o', b'd') => &["oidc-"],
        (b't', b'i') => &["tailscale-user-"],
        _ => &[],
    }
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
        // Older gateways: SiteMinder, WebSEAL, Oracle Access Manager; IIS.
        "SM_USER",
        "SM-UNIVERSALID",
        "iv-user",
        "iv-groups",
        "iv-creds",
        "OAM_REMOTE_USER",
        "AUTH_USER",
        "LOGON_USER",
        "X-Proxy-Remote-User",
        // Gatekeepers of OpenID Connect.
        "X-Auth-Subject",
        "X-Auth-Userid",
        "X-Auth-Username",
        "X-Auth-Email",
        "X-Auth-Roles",
        "X-Auth-Groups",
        "X-Endpoint-API-UserInfo",
        "X-Forwarded-Email",
        "X-Forwarded-Groups",
        "X-Forwarded-Access-Token",
        "X-Remote-Name",
        "X-Remote-Email",
        "X-Client-DN",
        "X-Client-Verify",
        "X-TLS-Client-Cert",
        "SMUSER",
        "Osso-User-Dn",
        "PA-User",
        "iv_server_name",
        "Proxy-Remote-User",
        "AJP_REMOTE_USER",
        "HTTP_REMOTE_USER",
        "X-Iisnode-Logon_user",
        "X-Logon-User",
        "Remote-Group",
        "Remote-Roles",
        "Remote-Uid",
        "eppn",
        "persistent-id",
        "targeted-id",
        "X-Shib-User",
        "CAS-User",
        "X-CAS-User",
        "X-OIDC-Sub",
        "Authelia-User",
        "Impersonate-User",
        "kubeflow-userid",
        "Teleport-Jwt-Assertion",
        "SSL_SERVER_S_DN",
        "SSL-Cert",
        "X-ClientCert",
        "X-Client-S-DN",
        // Clouds.
        "X-Apigateway-Api-Userinfo",
        "X-Appengine-User-Email",
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
        "x-remote-addr",
        "x-remote-ip",
        "x-ssl-protocol",
        "x-ssl-cipher",
        "x-auth-token",
        "smell",
        "ivy",
        "author",
        "sm",
        "iv-",
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
