//! The Huffman code of HTTP/2 (RFC 7541 5.2 and appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their letters. So
//! the lengths say all.

use std::sync::LazyLock;

/// Calls for each letter of a text. `None` when it is no text in this code.
pub(super) fn decode(bytes: &[u8], mut letter: impl FnMut(u8)) -> Option<()> {
    let (groups, sorted, short) = (&*GROUPS, &*SORTED, &*SHORT);
    let mut rest = bytes.iter();
    // The next bits, the first of them the highest, and how many there are.
    let (mut window, mut held) = (0_u64, 0_usize);
    loop {
        while held <= 56
            && let Some(byte) = rest.next()
        {
            window |= u64::from(*byte) << (56 - held);
            held += 8;
        }
        let (length, usual) = short[usize::from(window.to_be_bytes()[0])];
        if length > 0 && usize::from(length) <= held {
            letter(usual);
            window <<= length;
            held -= usize::from(length);
            continue;
        }
        // Shorter codes are less than all longer ones that begin like them.
        let known = (SHORTEST..=LONGEST.min(held)).find_map(|length| {
            let Group { first, count, before } = groups[length];
            let place = (window >> (64 - length)).checked_sub(first)?;
            (place < count).then_some((length, before + place))
        });
        let Some((length, place)) = known else {
            // RFC 7541 5.2: less than a byte is left over, of ones.
            let is_padding = held < 8 && window == !(u64::MAX >> held);
            return is_padding.then_some(());
        };
        // The end of a text is not written out (RFC 7541 5.2).
        letter(u8::try_from(sorted[usize::try_from(place).ok()?]).ok()?);
        window <<= length;
        held -= length;
    }
}

/// The codes of one length.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    first: u64,
    count: u64,
    /// How many codes are shorter.
    before: u64,
}

static GROUPS: LazyLock<[Group; LONGEST + 1]> = LazyLock::new(|| {
    let mut groups = [Group::default(); LONGEST + 1];
    for length in LENGTHS {
        groups[usize::from(length)].count += 1;
    }
    for length in 1..=LONGEST {
        let Group { first, count, before } = groups[length - 1];
        groups[length].first = (first + count) << 1;
        groups[length].before = before + count;
    }
    groups
});

/// The letters by the length of their codes.
static SORTED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut letters: Vec<u16> = (0..=256).collect();
    letters.sort_by_key(|letter| LENGTHS[usize::from(*letter)]);
    letters
});

/// How long the code is that fits into the first byte of what comes, and its letter: almost all that
/// paths and fields are made of. None has no bits.
static SHORT: LazyLock<[(u8, u8); 256]> = LazyLock::new(|| {
    let mut short = [(0, 0); 256];
    let mut begin = 0;
    // Codes of one length follow each other, and behind them those that are longer.
    for (letter, length) in SORTED.iter().map(|&letter| (letter, LENGTHS[usize::from(letter)])) {
        let Some(rest) = 8_u8.checked_sub(length) else { break };
        let end = begin + (1 << rest);
        short[begin..end].fill((length, u8::try_from(letter).unwrap_or_default()));
        begin = end;
    }
    short
});

/// How many bits the codes of the most usual letters have.
const SHORTEST: usize = 5;
const LONGEST: usize = 30;
/// How many bits each letter has, and the end.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(hex: &str) -> Option<String> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let mut text = Vec::new();
        decode(&bytes, |letter| text.push(letter))?;
        String::from_utf8(text).ok()
    }

    /// RFC 7541, appendix C.4 and C.6.
    #[test]
    fn reads_the_examples_of_the_standard() {
        for (hex, text) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("25a849e95bb8e8b4bf", "custom-value"),
            ("6402", "302"),
            ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
            ("", ""),
        ] {
            assert_eq!(decoded(hex).as_deref(), Some(text), "{hex}");
        }
    }

    #[test]
    fn refuses_what_is_not_in_the_code() {
        // Padding of zeros, a byte of padding, the end written out, also in the middle.
        for hex in [
            "f0",
            "ff",
            "a8eb10649cbfff",
            "ffffffff",
            "fffffffc",
            "1fffffffff",
            "ffffffffffffffffff",
        ] {
            assert_eq!(decoded(hex), None, "{hex}");
        }
    }

    /// Each letter and each pair of letters, written by the table and read back.
    #[test]
    fn every_letter_is_read_back_wherever_it_begins() {
        let code = |symbol: usize| {
            let length = usize::from(LENGTHS[symbol]);
            let at = SORTED.iter().position(|one| usize::from(*one) == symbol).unwrap() as u64;
            let code = GROUPS[length].first + at - GROUPS[length].before;
            (0..length).rev().map(move |bit| code >> bit & 1 == 1).collect::<Vec<_>>()
        };
        let codes: Vec<_> = (0..256).map(code).collect();
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                let mut bits = codes[usize::from(first)].clone();
                bits.extend(&codes[usize::from(second)]);
                bits.resize(bits.len().next_multiple_of(8), true);
                let byte =
                    |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
                let bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
                let mut text = Vec::new();
                assert_eq!(decode(&bytes, |letter| text.push(letter)), Some(()));
                assert_eq!(text, [first, second]);
            }
        }
    }
}
