//! The names of fields that clients and proxies send with nearly every request, known beforehand: a
//! name that is none of HTTP's own would be copied otherwise, each time that it comes.

use http::HeaderName;
use http::header::InvalidHeaderName;

/// Returns the name of a field, in whatever case it is spelled.
///
/// # Errors
/// When it is none.
#[inline]
pub fn name(text: &[u8]) -> Result<HeaderName, InvalidHeaderName> {
    match text.first() {
        // All that is known begins so; most of HTTP's own names do not.
        Some(b'p' | b'P' | b's' | b'S' | b'x' | b'X') => known_or_new(text),
        _ => HeaderName::from_bytes(text),
    }
}

fn known_or_new(text: &[u8]) -> Result<HeaderName, InvalidHeaderName> {
    known(text).map_or_else(|| HeaderName::from_bytes(text), Ok)
}

/// Defines what is known. Each has a key of its own, which a test sees to.
macro_rules! known {
    ($($known:literal)*) => {
        #[cfg(test)]
        const KNOWN: &[&str] = &[$($known),*];

        fn known(text: &[u8]) -> Option<HeaderName> {
            match key(text) {
                $(key if key == const { self::key($known.as_bytes()) } => {
                    let is_it = is_same(text, const { letters::<{ $known.len() }>($known) });
                    is_it.then_some(const { HeaderName::from_static($known) })
                })*
                _ => None,
            }
        }
    };
}

known! {
    "priority"
    "sec-ch-ua"
    "sec-ch-ua-mobile"
    "sec-ch-ua-platform"
    "sec-fetch-dest"
    "sec-fetch-mode"
    "sec-fetch-site"
    "sec-fetch-user"
    "x-brama-background"
    "x-forwarded-for"
    "x-forwarded-host"
    "x-forwarded-method"
    "x-forwarded-port"
    "x-forwarded-proto"
    "x-forwarded-uri"
    "x-original-host"
    "x-original-method"
    "x-original-uri"
    "x-original-url"
    "x-real-ip"
    "x-request-id"
    "x-requested-with"
}

/// Tells nearly all names apart by their length and two of their letters.
const fn key(text: &[u8]) -> usize {
    let length = text.len();
    if length < 4 {
        return 0;
    }
    length << 16
        | (text[length - 4].to_ascii_lowercase() as usize) << 8
        | text[length - 1].to_ascii_lowercase() as usize
}

/// Tells whether a text has these letters, in whatever case. Without a branch for each of them: a
/// capital letter differs from the small one in one bit.
fn is_same<const N: usize>(text: &[u8], letters: [u8; N]) -> bool {
    const CASE: u8 = 0x20;
    let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
    let mut odd = 0;
    for (byte, letter) in text.iter().zip(letters) {
        let matters = if letter.is_ascii_lowercase() { !CASE } else { u8::MAX };
        odd |= (byte ^ letter) & matters;
    }
    odd == 0
}

const fn letters<const N: usize>(text: &str) -> [u8; N] {
    let (mut letters, mut at) = ([0; N], 0);
    while at < N {
        letters[at] = text.as_bytes()[at];
        at += 1;
    }
    letters
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_known_is_found_in_every_case_and_is_the_same_name() {
        for text in KNOWN {
            for spelled in [(*text).to_owned(), text.to_ascii_uppercase()] {
                let found = known(spelled.as_bytes());
                assert_eq!(found, HeaderName::from_bytes(text.as_bytes()).ok(), "{spelled}");
            }
        }
    }

    #[test]
    fn what_is_like_a_known_name_is_another() {
        for text in KNOWN {
            for other in [format!("{text}s"), text.replacen('-', "_", 1), text[1..].to_owned()] {
                if other != **text {
                    assert_eq!(known(other.as_bytes()), None, "{other}");
                }
            }
        }
        // A line end differs from a hyphen as a capital letter does from a small one.
        assert_eq!(known(b"x\rreal\rip"), None);
        for none in ["", "a", "x-a", "x y", "x-request-i\u{e9}"] {
            assert_eq!(known(none.as_bytes()), None, "{none}");
        }
        assert!(name(b"").is_err() && name(b"x y").is_err());
    }

    proptest! {
        #[test]
        fn every_name_is_read_as_the_library_reads_it(text in "[-_a-zA-Z :]{0,20}") {
            prop_assert_eq!(name(text.as_bytes()).ok(), HeaderName::from_bytes(text.as_bytes()).ok());
        }
    }
}
