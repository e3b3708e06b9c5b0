//! The path that policy and upstream agree on.
//!
//! What two servers could read in two ways is refused, so the path can be passed on as it came. The
//! policy sees it decoded once and without parameters. A route may take four kinds of spelling that
//! are refused here ([`super::lenient_path`]): `%2f`, `%3b`, `//`, and bytes that are not UTF-8.
//!
//! | what | decision |
//! |---|---|
//! | `..` and `.`, plain or encoded, also with or as a parameter (`..;x`, `x;..`) | refused |
//! | a segment that ends in a dot (`/panel./dash`, `/files../x`, `/a.`), plain or encoded | refused |
//! | `//`, an empty segment anywhere but at the end | refused |
//! | `%2f`, `%5c`, `%3b`: an encoded slash, backslash or semicolon | refused |
//! | `\`, `#`, a space, anything else that is not visible ASCII, raw | refused |
//! | NUL and other control characters, encoded | refused |
//! | `%` without two hexadecimal digits | refused |
//! | bytes that are not UTF-8 when decoded, overlong forms (`%c0%af`) included | refused |
//! | `%25` and two hexadecimal digits: encoded twice, `%252e` as well as `%2541` | refused |
//! | letters that some servers turn into a dot or a slash (fullwidth `／`, `．`, `＼`, `‥`) | refused |
//! | `;x`, parameters | passed on; the policy does not see them |
//! | `%3f`, `%23`: an encoded `?` or `#` | taken as a letter of the name |
//! | upper and lower case, composed and decomposed letters, spaces at the end | different places, see [`crate::manual::threat_model`] |
//! | the length | bounded by the listener, with the whole head |
//!
//! The first `?` begins the query, where further ones are data.
//!
//! A segment that ends in a dot is one thing to us and another to servers that go by the beginnings
//! of paths (nginx with `location /panel { proxy_pass http://app/; }` makes `/.` of `/panel.`, with
//! `alias` `..` of `/files..`) and to those on Windows, which drop the dot. Names such as
//! `Sp. z o.o.` cannot end a segment therefore; a portal that has them gives them another address,
//! such as a number. Dots at the beginning and in the middle of a segment stay (`/.well-known`,
//! `/a..b`), and in parameters.
//!
//! The query is not looked at by any rule of ours and is passed on as it came. It is visible ASCII
//! ([`check_query`]), as every browser sends it: two servers could read raw letters in two
//! encodings. What its percent signs stand for is between the page and the portal.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A path that could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin with a slash.
    #[error("path does not begin with a slash")]
    Relative,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("path has a broken percent encoding")]
    Encoding,
    /// A percent encoding remains after it was decoded once.
    #[error("path is percent-encoded twice")]
    Twice,
    /// It decodes to something that is not UTF-8.
    #[error("path is not UTF-8")]
    NotUtf8,
    /// It has a character that has two meanings.
    #[error("path has an ambiguous character")]
    Ambiguous,
    /// It has a dot segment or an empty one.
    #[error("path has a dot segment or an empty segment")]
    Segment,
    /// A segment ends in a dot.
    #[error("path has a segment that ends in a dot")]
    Dot,
    /// The route would take it, but read in another way it is for another route.
    #[error("path may be read as one for another route")]
    LeadsElsewhere,
    /// The query has something else than visible ASCII.
    #[error("query has a character that must be percent-encoded")]
    Query,
}

/// Decodes a path for the policy.
///
/// # Errors
/// When it could be read in two ways.
pub fn canonical(raw: &str) -> Result<Cow<'_, str>, Error> {
    let rest = raw.strip_prefix('/').ok_or(Error::Relative)?;
    let (mut is_plain, mut is_doubtful, mut previous) = (true, false, 0);
    for byte in raw.bytes() {
        if byte == b'\\' || byte == b'#' || !byte.is_ascii_graphic() {
            return Err(Error::Ambiguous);
        }
        is_plain &= byte != b'%' && byte != b';';
        // Whatever is wrong with a segment shows at the letter before its end.
        is_doubtful |= byte == b'/' && matches!(previous, b'/' | b'.');
        previous = byte;
    }
    if is_plain {
        if is_doubtful || previous == b'.' {
            check_segments(rest)?;
        }
        return Ok(Cow::Borrowed(raw));
    }
    check_encoding(raw)?;
    let mut decoded = String::with_capacity(raw.len());
    for segment in rest.split('/') {
        decoded.push('/');
        // Parameters are looked at like names: a server may decode before it cuts them off.
        for (index, part) in segment.split(';').enumerate() {
            let part = percent_decode_str(part).decode_utf8().map_err(|_| Error::NotUtf8)?;
            if part.contains(is_ambiguous) {
                return Err(Error::Ambiguous);
            }
            if matches!(&*part, "." | "..")
                || (index == 0 && part.is_empty() && !segment.is_empty())
            {
                return Err(Error::Segment);
            }
            if index == 0 {
                decoded.push_str(&part);
            }
        }
    }
    check_segments(&decoded[1..])?;
    Ok(Cow::Owned(decoded))
}

/// Checks a query that is passed on as it came.
///
/// # Errors
/// When it has something else than visible ASCII.
pub fn check_query(query: &str) -> Result<(), Error> {
    if query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        Ok(())
    } else {
        Err(Error::Query)
    }
}

/// An encoded semicolon is data to one server and a parameter to the next. The last five become
/// dots and slashes where a server converts to an older character set or normalises (Unicode
/// UAX 15, NFKC).
pub(super) fn is_ambiguous(letter: char) -> bool {
    matches!(letter, '/' | '\\' | ';')
        || letter.is_control()
        || matches!(letter, '\u{2024}' | '\u{2025}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}')
}

fn check_segments(path: &str) -> Result<(), Error> {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !is_last) {
            return Err(Error::Segment);
        }
        if segment.ends_with('.') {
            return Err(Error::Dot);
        }
    }
    Ok(())
}

pub(super) fn check_encoding(raw: &str) -> Result<(), Error> {
    let bytes = raw.as_bytes();
    let is_pair = |at: usize| {
        bytes.get(at..at + 2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    for (at, _) in raw.match_indices('%') {
        if !is_pair(at + 1) {
            return Err(Error::Encoding);
        }
        // What is left after decoding must not be an encoding again, also not with digits that
        // are themselves encoded (`%25%32e`).
        if &bytes[at + 1..at + 3] == b"25" {
            let mut after = percent_decode_str(&raw[at + 3..]);
            let next = [after.next(), after.next()];
            if next.iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_hexdigit())) {
                return Err(Error::Twice);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Error::{Ambiguous, Dot, Encoding, NotUtf8, Relative, Segment, Twice};
    use super::*;

    #[test]
    fn each_path_has_one_meaning_or_none() {
        for (raw, expected) in [
            // Plain.
            ("/", Ok("/")),
            ("/tax", Ok("/tax")),
            ("/tax/", Ok("/tax/")),
            ("/TAX", Ok("/TAX")),
            ("/a..b/..c/d.e", Ok("/a..b/..c/d.e")),
            ("/.well-known/x", Ok("/.well-known/x")),
            // Dots at the end of a segment.
            ("/...", Err(Dot)),
            ("/file.", Err(Dot)),
            ("/file./", Err(Dot)),
            ("/panel./dash", Err(Dot)),
            ("/files../x", Err(Dot)),
            ("/panel%2e", Err(Dot)),
            ("/panel%2E/dash", Err(Dot)),
            ("/panel.;x/dash", Err(Dot)),
            ("/panel.;", Err(Dot)),
            ("/panel;v=1./dash", Ok("/panel/dash")),
            ("/..a", Ok("/..a")),
            ("/a,b=c&d@e:f!g$h'i(j)k*l+m~n", Ok("/a,b=c&d@e:f!g$h'i(j)k*l+m~n")),
            ("/a?", Ok("/a?")),
            ("", Err(Relative)),
            ("tax", Err(Relative)),
            ("*", Err(Relative)),
            ("?", Err(Relative)),
            // Dot segments and empty segments.
            ("/..", Err(Segment)),
            ("/.", Err(Segment)),
            ("/./", Err(Segment)),
            ("/a/..", Err(Segment)),
            ("/a/../b", Err(Segment)),
            ("/a/./b", Err(Segment)),
            ("//", Err(Segment)),
            ("//b", Err(Segment)),
            ("/a//b", Err(Segment)),
            ("/a//", Err(Segment)),
            ("/%2e", Err(Segment)),
            ("/%2e%2e/b", Err(Segment)),
            ("/%2E%2e/b", Err(Segment)),
            ("/.%2E/b", Err(Segment)),
            ("/a/%2e%2e", Err(Segment)),
            ("/%2e%2ea", Ok("/..a")),
            // Slashes that are none, or are some.
            ("/a%2fb", Err(Ambiguous)),
            ("/a%2Fb", Err(Ambiguous)),
            ("/..%2fb", Err(Ambiguous)),
            ("/a%5cb", Err(Ambiguous)),
            ("/a%5Cb", Err(Ambiguous)),
            ("/a\\b", Err(Ambiguous)),
            ("/..\\b", Err(Ambiguous)),
            ("/a%EF%BC%8Fb", Err(Ambiguous)),
            ("/a%EF%BC%BCb", Err(Ambiguous)),
            ("/%EF%BC%8E%EF%BC%8E/b", Err(Ambiguous)),
            ("/%E2%80%A5/b", Err(Ambiguous)),
            ("/%E2%80%A4%E2%80%A4/b", Err(Ambiguous)),
            // Characters that end or cut something.
            ("/a#b", Err(Ambiguous)),
            ("/a%23b", Ok("/a#b")),
            ("/a%3fb", Ok("/a?b")),
            ("/a b", Err(Ambiguous)),
            ("/a%20b", Ok("/a b")),
            ("/a\tb", Err(Ambiguous)),
            ("/a%09b", Err(Ambiguous)),
            ("/a\u{7f}", Err(Ambiguous)),
            ("/a%7f", Err(Ambiguous)),
            ("/a%00", Err(Ambiguous)),
            ("/a%00.png", Err(Ambiguous)),
            ("/a%0a", Err(Ambiguous)),
            ("/a%0d%0aX:%20y", Err(Ambiguous)),
            ("/a%C2%85", Err(Ambiguous)),
            ("/ż", Err(Ambiguous)),
            // Encodings.
            ("/%74ax", Ok("/tax")),
            ("/%C5%BC%C3%B3%C5%82w", Ok("/żółw")),
            ("/100%25", Ok("/100%")),
            ("/100%25/a", Ok("/100%/a")),
            ("/100%25ml", Ok("/100%ml")),
            ("/a%", Err(Encoding)),
            ("/a%2", Err(Encoding)),
            ("/a%zz", Err(Encoding)),
            ("/a%+1", Err(Encoding)),
            ("/a%u002e", Err(Encoding)),
            ("/%%2e", Err(Encoding)),
            ("/%252e%252e/b", Err(Twice)),
            ("/%252fb", Err(Twice)),
            ("/%2574ax", Err(Twice)),
            ("/%25252e", Err(Twice)),
            ("/%25%32%65", Err(Twice)),
            ("/%252%65", Err(Twice)),
            ("/%255c", Err(Twice)),
            ("/%2500", Err(Twice)),
            ("/%ff", Err(NotUtf8)),
            ("/%c0%af", Err(NotUtf8)),
            ("/%c0%ae%c0%ae/b", Err(NotUtf8)),
            ("/%e0%80%af", Err(NotUtf8)),
            ("/%ed%a0%80", Err(NotUtf8)),
            ("/%f4%90%80%80", Err(NotUtf8)),
            ("/%c5/%bc", Err(NotUtf8)),
            // Parameters.
            ("/tax;jsessionid=1/form", Ok("/tax/form")),
            ("/tax;a;b=2", Ok("/tax")),
            ("/tax;", Ok("/tax")),
            ("/tax/;", Err(Segment)),
            ("/;x", Err(Segment)),
            ("/;x/a", Err(Segment)),
            ("/..;x/b", Err(Segment)),
            ("/%2e;x", Err(Segment)),
            ("/a%3bb", Err(Ambiguous)),
            ("/public;..", Err(Segment)),
            ("/public;x;%2e%2e/account", Err(Segment)),
            ("/public;%2f..%2faccount/", Err(Ambiguous)),
            ("/public;%5c..%5caccount", Err(Ambiguous)),
            ("/public;%3b..", Err(Ambiguous)),
            ("/public;..%00", Err(Ambiguous)),
            ("/public;%252e", Err(Twice)),
            ("/public;%ff", Err(NotUtf8)),
            ("/public;%", Err(Encoding)),
        ] {
            assert_eq!(canonical(raw).as_deref().map_err(|e| *e), expected, "{raw}");
        }
    }

    #[test]
    fn a_long_path_is_as_good_as_a_short_one() {
        let long = "/a".repeat(30_000);
        assert_eq!(canonical(&long).as_deref(), Ok(&*long));
        assert_eq!(canonical(&"/%61".repeat(15_000)).as_deref(), Ok(&*"/a".repeat(15_000)));
        assert_eq!(canonical(&format!("{long}/..")), Err(Segment));
    }

    #[test]
    fn a_query_is_visible_ascii() {
        for query in ["", "a=1&b=%C5%BC", "a=?/..//\\;", "100%", "a=%zz", "[]{}|^\"<>"] {
            assert_eq!(check_query(query), Ok(()), "{query}");
        }
        for query in ["ż", "a b", "a\tb", "a\0", "a\u{7f}", "a#b", "a\r\nb"] {
            assert_eq!(check_query(query), Err(Error::Query), "{query}");
        }
    }

    #[test]
    fn what_is_taken_says_the_same_when_it_is_read_again() {
        // A server that decodes what we decoded finds nothing more to decode.
        for raw in ["/a%20b", "/%C5%BC", "/100%25", "/a%3fb", "/tax;x=1/%74"] {
            let once = canonical(raw).unwrap();
            let twice = percent_decode_str(&once).decode_utf8().unwrap();
            assert_eq!(once, twice, "{raw}");
        }
    }

    proptest! {
        /// Most paths are decided at one look; it says what a look at each segment says.
        #[test]
        fn a_plain_path_is_decided_as_its_segments_are(rest in "[a./]{0,8}") {
            let raw = format!("/{rest}");
            prop_assert_eq!(canonical(&raw).map(drop), check_segments(&rest));
        }
    }
}
