//! The number of an event that a citizen reads out on the phone.
//!
//! It is made of the number of the request, which is long and may be a proxy's: so it stands on the
//! page and in the log, and nothing is kept for it. It names no person: to know it is to know only
//! that something was refused.

use crate::base::encoding::sha256;

/// Returns the number: eight letters and digits, of which none is taken for another by ear or eye.
#[must_use]
pub fn number(request: &str) -> String {
    let digest = sha256(request.as_bytes());
    let mut bits =
        u64::from_be_bytes([0, 0, 0, digest[0], digest[1], digest[2], digest[3], digest[4]]);
    let mut letters = [0; LENGTH];
    for letter in letters.iter_mut().rev() {
        *letter = LETTERS[usize::try_from(bits & 31).unwrap_or_default()];
        bits >>= 5;
    }
    letters.into_iter().map(char::from).collect()
}

/// Reads a number as people write it down: in letters of either size, with spaces or hyphens. None
/// when it is none.
#[must_use]
pub fn parse(text: &str) -> Option<String> {
    if text.len() > 4 * LENGTH {
        return None;
    }
    let is_apart = |letter: &char| !matches!(letter, ' ' | '-');
    let number: String =
        text.chars().filter(is_apart).map(|letter| letter.to_ascii_uppercase()).collect();
    let is_number =
        number.len() == LENGTH && number.bytes().all(|letter| LETTERS.contains(&letter));
    is_number.then_some(number)
}

/// 40 bits: among a million events of a day, two share a number once in two days.
const LENGTH: usize = 8;
/// Neither 0 and O, nor 1 and I.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_read_out_and_tells_requests_apart() {
        let mut seen = std::collections::BTreeSet::new();
        for request in 0..2000 {
            let number = number(&format!("request {request}"));
            assert_eq!(number.len(), 8);
            assert!(number.bytes().all(|letter| LETTERS.contains(&letter)), "{number}");
            assert!(!number.contains(['0', 'O', '1', 'I']), "{number}");
            assert_eq!(number, number.to_ascii_uppercase());
            assert!(seen.insert(number));
        }
    }

    #[test]
    fn it_is_read_as_people_write_it_down() {
        for text in ["RBW3FHWH", "rbw3fhwh", " rbw3-fhwh ", "RB W3 FH WH"] {
            assert_eq!(parse(text).as_deref(), Some("RBW3FHWH"), "{text}");
        }
        for text in ["", "RBW3FHW", "RBW3FHWHX", "RBW3FHW0", "RBW3FHW\u{130}", "R B W 3 F H W H  x"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_request_has_the_same_number_everywhere() {
        // SHA-256 of "abc" begins with ba7816bf8f (FIPS 180-4).
        assert_eq!(number("abc"), number("abc"));
        assert_eq!(number("abc"), "RBW3FHWH");
    }
}
