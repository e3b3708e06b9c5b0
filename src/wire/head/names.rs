//! The names of fields that clients and proxies send with nearly every request, known beforehand: a
//! name that is none of HTTP's own would be copied otherwise, each time that it comes.

use http::HeaderName;
use http::header::InvalidHeaderName;

/// Returns the name of a field, in whatever case it is spelled.
///
/// # Errors
/// When it is none.
pub fn name(text: &[u8]) -> Result<HeaderName, InvalidHeaderName> {
    known(text).map_or_else(|| HeaderName::from_bytes(text), Ok)
}

/// Defines what is known. Each has a key of its own, which a test sees to.
macro_rules! known {
    ($($known:literal)*) => {
        #[cfg(test)]
        const KNOWN: &[&str] = &[$($known),*];

        fn known(text: &[u8]) -> Option<HeaderName> {
            let (name, known) = match key(text) {
                $(key if key == const { self::key($known.as_bytes()) } => {
                    (const { HeaderName::from_static($known) }, $known)
                })*
                _ => return None,
            };
            text.eq_ignore_ascii_case(known.as_bytes()).then_some(name)
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
