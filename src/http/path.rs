//! The path that policy and upstream agree on.
//!
//! What two servers could read in two ways is refused, so the path can be passed on as it came:
//! 1. Dot segments, plain or encoded, also with or as a parameter (`..;x`, `x;..`), and empty
//!    segments.
//! 2. An encoded slash, backslash or semicolon, a plain backslash, a `#`, a NUL or other control
//!    character, in names and in parameters.
//! 3. A percent sign without two hexadecimal digits; bytes that are not UTF-8 when decoded.
//!
//! The policy sees the path decoded once and without parameters (`;jsessionid=...`).

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
    /// It decodes to something that is not UTF-8.
    #[error("path is not UTF-8")]
    NotUtf8,
    /// It has a character that has two meanings.
    #[error("path has an ambiguous character")]
    Ambiguous,
    /// It has a dot segment or an empty one.
    #[error("path has a dot segment or an empty segment")]
    Segment,
}

/// Decodes a path for the policy.
///
/// # Errors
/// When it could be read in two ways.
pub fn canonical(raw: &str) -> Result<Cow<'_, str>, Error> {
    let rest = raw.strip_prefix('/').ok_or(Error::Relative)?;
    if raw.bytes().any(|byte| byte == b'\\' || byte == b'#' || !byte.is_ascii_graphic()) {
        return Err(Error::Ambiguous);
    }
    if !raw.contains('%') && !raw.contains(';') {
        check_segments(rest)?;
        return Ok(Cow::Borrowed(raw));
    }
    check_encoding(raw)?;
    let mut decoded = String::with_capacity(raw.len());
    for segment in rest.split('/') {
        decoded.push('/');
        // Parameters are looked at like names: a server may decode before it cuts them off.
        for (index, part) in segment.split(';').enumerate() {
            let part = percent_decode_str(part).decode_utf8().map_err(|_| Error::NotUtf8)?;
            // An encoded semicolon is data to one server and a parameter to the next.
            let ambiguous = |c: char| matches!(c, '/' | '\\' | ';') || c.is_control();
            if part.contains(ambiguous) {
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

fn check_segments(path: &str) -> Result<(), Error> {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !is_last) {
            return Err(Error::Segment);
        }
    }
    Ok(())
}

fn check_encoding(raw: &str) -> Result<(), Error> {
    let bytes = raw.as_bytes();
    for (at, _) in raw.match_indices('%') {
        let digits = bytes.get(at + 1..at + 3).ok_or(Error::Encoding)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Error::Encoding);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_drops_parameters() {
        for (raw, expected) in [
            ("/", "/"),
            ("/tax/", "/tax/"),
            ("/tax;jsessionid=1/form", "/tax/form"),
            ("/%74ax", "/tax"),
            ("/%C5%BC%C3%B3%C5%82w", "/żółw"),
            ("/%2574ax", "/%74ax"),
            ("/a..b/...", "/a..b/..."),
        ] {
            assert_eq!(canonical(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn refuses_what_two_servers_could_read_in_two_ways() {
        for raw in [
            "",
            "tax",
            "*",
            "/..",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/b",
            "/.%2E/b",
            "/..;x/b",
            "/%2e;x",
            "//",
            "//b",
            "/a//b",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a#b",
            "/a%00",
            "/a%0a",
            "/a%zz",
            "/a%2",
            "/%ff",
            "/;x/a",
            "/a%3bb",
            "/a b",
            "/public;%2f..%2faccount/",
            "/public;%5c..%5caccount",
            "/public;..%00",
            "/public;..",
            "/public;x;%2e%2e/account",
            "/public;%3b..",
            "/public;%ff",
        ] {
            assert!(canonical(raw).is_err(), "{raw}");
        }
    }
}
