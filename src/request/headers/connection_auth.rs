//! Authentication of a connection instead of a request: NTLM, and Negotiate (RFC 4559).
//!
//! A server takes every further request on such a connection for one of the same person. Our
//! connections to upstreams serve one citizen after another, so these schemes are refused:
//!
//! 1. A request with such credentials does not go on. So no connection to an upstream ever becomes
//!    one citizen's.
//! 2. Such a challenge is taken out of an answer with status 401 (RFC 9110 11.6.1 lets a server
//!    name several). Where nothing else is offered, no client could pass, and the answer is
//!    refused: a 401 must have a challenge (RFC 9110 15.5.2).
//!
//! An operator who writes a request's headers by a rule of the route answers for them, but for
//! these.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};

use crate::wire::head::is_token_byte;

/// The upstream offers nothing but schemes that authenticate a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NothingElse;

/// Tells whether a request has credentials of a connection.
#[must_use]
pub fn has_credentials(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    values.any(|value| is_of_a_connection(scheme(value.as_bytes())))
}

/// Takes the challenges of such schemes out of an answer.
///
/// # Errors
/// When nothing else is offered.
pub fn remove_challenges(headers: &mut HeaderMap) -> Result<(), NothingElse> {
    let mut kept = Vec::new();
    let mut is_changed = false;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let all = challenges(value.as_bytes());
        let others: Vec<&[u8]> =
            all.iter().copied().filter(|one| !is_of_a_connection(scheme(one))).collect();
        if others.len() == all.len() {
            kept.push(value.clone());
            continue;
        }
        is_changed = true;
        if !others.is_empty() {
            kept.extend(HeaderValue::from_bytes(&others.join(&b", "[..])));
        }
    }
    if !is_changed {
        return Ok(());
    }
    headers.remove(WWW_AUTHENTICATE);
    if kept.is_empty() {
        return Err(NothingElse);
    }
    for value in kept {
        headers.append(WWW_AUTHENTICATE, value);
    }
    Ok(())
}

/// The schemes. `Nego2` and `Kerberos` are what some clients and servers call the same.
const SCHEMES: [&str; 4] = ["Negotiate", "NTLM", "Nego2", "Kerberos"];

fn is_of_a_connection(scheme: &[u8]) -> bool {
    SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()))
}

/// The scheme of credentials or of a challenge (RFC 9110 11.1).
fn scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(value.len());
    &value[..end]
}

/// Takes a list of challenges apart. A challenge begins with a scheme; what has `=` behind its first
/// word is a parameter of the one before (RFC 9110 11.6.1).
fn challenges(value: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let (mut in_quotes, mut is_escaped, mut at_start) = (false, false, true);
    for (at, &byte) in value.iter().enumerate() {
        if in_quotes {
            in_quotes = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
        } else if byte == b',' {
            at_start = true;
        } else if at_start && !matches!(byte, b' ' | b'\t') {
            at_start = false;
            if starts.is_empty() || is_challenge(&value[at..]) {
                starts.push(at);
            }
            in_quotes = byte == b'"';
        } else {
            in_quotes = byte == b'"';
        }
    }
    let ends = starts.iter().skip(1).copied().chain([value.len()]);
    let whole = |(start, end): (&usize, usize)| value[*start..end].trim_ascii();
    let without_comma = |one: &'_ [u8]| one.len() - one.iter().rev().take_while(is_between).count();
    starts.iter().zip(ends).map(whole).map(|one| &one[..without_comma(one)]).collect()
}

fn is_between(byte: &&u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t')
}

fn is_challenge(rest: &[u8]) -> bool {
    let name = scheme(rest).len();
    let after = rest[name..].trim_ascii_start();
    name > 0 && after.first() != Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_connection_are_known_in_any_spelling() {
        for (value, expected) in [
            ("NTLM TlRMTVNTUAAB", true),
            ("ntlm TlRMTVNTUAAB", true),
            ("Negotiate YII=", true),
            ("NEGOTIATE", true),
            ("negotiate\tYII=", true),
            ("Negotiate,x", true),
            ("Kerberos x", true),
            ("Basic TlRMTQ==", false),
            ("Bearer NTLM", false),
            ("NTLMv2 x", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(has_credentials(&headers), expected, "{value}");
        }
        let mut two = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Basic x"))]);
        two.append(AUTHORIZATION, HeaderValue::from_static("NTLM x"));
        assert!(has_credentials(&two));
        assert!(!has_credentials(&HeaderMap::new()));
    }

    #[test]
    fn challenges_of_a_connection_go_and_others_stay() {
        for (offered, expected) in [
            (&["Basic realm=\"x\""][..], Some(&["Basic realm=\"x\""][..])),
            (&["Negotiate", "NTLM", "Basic realm=\"x\""], Some(&["Basic realm=\"x\""])),
            (
                &["Negotiate, Basic realm=\"a, NTLM b\", charset=\"UTF-8\" , ntlm"],
                Some(&["Basic realm=\"a, NTLM b\", charset=\"UTF-8\""]),
            ),
            (
                &["Digest realm=\"a\\\", NTLM\", nonce = \"x\",NTLM abc=, Bearer"],
                Some(&["Digest realm=\"a\\\", NTLM\", nonce = \"x\", Bearer"]),
            ),
            (&[", NTLM ,, Basic realm=\"x\""], Some(&["Basic realm=\"x\""])),
            // A backslash that is escaped escapes nothing.
            (&["Digest realm=\"a\\\\\", NTLM"], Some(&["Digest realm=\"a\\\\\""])),
            (&["Basic realm=\"x\" ,Bearer"], Some(&["Basic realm=\"x\" ,Bearer"])),
            (&["realm=\"x\", NTLM"], Some(&["realm=\"x\""])),
            (&["Bearer realm=\"NTLM\""], Some(&["Bearer realm=\"NTLM\""])),
            (&["Negotiate"], None),
            (&["NTLM", "negotiate oRQ="], None),
            (&["Negotiate,NTLM"], None),
            (&[], Some(&[])),
        ] {
            let mut headers = values_of(offered);
            let removed = remove_challenges(&mut headers);
            let left = headers.get_all(WWW_AUTHENTICATE).iter();
            let left: Vec<_> = left.map(|value| value.to_str().unwrap()).collect();
            match expected {
                Some(expected) => assert_eq!((removed, &*left), (Ok(()), expected)),
                None => assert_eq!(removed, Err(NothingElse), "{offered:?}"),
            }
        }
    }

    #[test]
    fn a_list_is_taken_apart_into_challenges_with_their_parameters() {
        for (value, expected) in [
            ("", &[][..]),
            ("Basic", &["Basic"]),
            ("Basic, Bearer", &["Basic", "Bearer"]),
            ("Basic realm=\"x\", charset=\"UTF-8\"", &["Basic realm=\"x\", charset=\"UTF-8\""]),
            ("Digest a=b,c = d,\te=f, Bearer", &["Digest a=b,c = d,\te=f", "Bearer"]),
            // No scheme begins so, and what is first belongs to nothing before it.
            ("Basic, \"a\"", &["Basic, \"a\""]),
            ("Basic, =", &["Basic, ="]),
            ("a=b, c=d, Basic", &["a=b, c=d", "Basic"]),
            ("\"a, Basic\", Bearer", &["\"a, Basic\"", "Bearer"]),
        ] {
            let found = challenges(value.as_bytes());
            let found: Vec<_> = found.iter().map(|one| std::str::from_utf8(one).unwrap()).collect();
            assert_eq!(found, expected, "{value}");
        }
    }

    fn values_of(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        headers
    }
}
