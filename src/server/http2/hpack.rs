//! Heads of HTTP/2 as they came (RFC 7541), of which little is wanted: whether a path has a `#`,
//! and whether there is a pseudo-field.
//!
//! What h2 makes of a head does not show either: it cuts off what stands behind a `#`, and
//! leaves pseudo-fields out of a trailer. HTTP/1.1 refuses both. So the fields are looked at before
//! h2 has them. The table of fields that both sides keep (RFC 7541 2.3.2) holds here only what is
//! asked; values are not decoded but to learn how long they are.

use std::collections::VecDeque;

use super::huffman;

/// What is in a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// A path with a `#`.
    pub(super) fragment: bool,
    /// A pseudo-field.
    pub(super) pseudo: bool,
}

/// The fields that the client may refer to.
#[derive(Debug)]
pub(super) struct Table {
    /// The newest first.
    fields: VecDeque<Field>,
    size: usize,
    limit: usize,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name: Name,
    has_fragment: bool,
    size: usize,
}

/// What is wanted of a name.
#[derive(Debug, Clone, Copy)]
struct Name {
    kind: Kind,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path,
    Pseudo,
    Plain,
}

/// A text of a head.
struct Text<'b> {
    bytes: &'b [u8],
    is_huffman: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self { fields: VecDeque::new(), size: 0, limit: TABLE }
    }
}

impl Table {
    /// Looks at a head; `None` when it is malformed.
    pub(super) fn look(&mut self, mut block: &[u8]) -> Option<Found> {
        let mut found = Found::default();
        while let Some(&first) = block.first() {
            let field = if first & 0x80 != 0 {
                let number = number(&mut block, 7)?;
                self.field(number)?
            } else if first & 0xe0 == 0x20 {
                self.limit = number(&mut block, 5).filter(|limit| *limit <= TABLE)?;
                self.shrink(0);
                continue;
            } else {
                self.literal(&mut block, first & 0x40 != 0)?
            };
            found.pseudo |= field.name.kind != Kind::Plain;
            found.fragment |= field.has_fragment;
        }
        Some(found)
    }

    /// Takes a field that is written out (RFC 7541 6.2).
    fn literal(&mut self, block: &mut &[u8], is_kept: bool) -> Option<Field> {
        let name = match number(block, if is_kept { 6 } else { 4 })? {
            0 => Text::take(block)?.name()?,
            number => self.field(number)?.name,
        };
        let value = Text::take(block)?;
        let mut field = Field { name, has_fragment: false, size: 0 };
        if name.kind == Kind::Path {
            value.each(|letter| field.has_fragment |= letter == b'#')?;
        }
        if is_kept {
            field.size = name.length + value.length()? + AROUND_FIELD;
            self.shrink(field.size);
            if field.size <= self.limit {
                self.size += field.size;
                self.fields.push_front(field);
            }
        }
        Some(field)
    }

    /// Makes room (RFC 7541 4.3 and 4.4).
    fn shrink(&mut self, room: usize) {
        while self.size + room > self.limit {
            let Some(oldest) = self.fields.pop_back() else { return };
            self.size -= oldest.size;
        }
    }

    /// Returns a field by its number (RFC 7541 2.3.3).
    fn field(&self, number: usize) -> Option<Field> {
        if number > STATIC.len() {
            return self.fields.get(number - STATIC.len() - 1).copied();
        }
        let kind = match number {
            0 => return None,
            4 | 5 => Kind::Path,
            1..=14 => Kind::Pseudo,
            _ => Kind::Plain,
        };
        let name = Name { kind, length: usize::from(STATIC[number - 1]) };
        Some(Field { name, has_fragment: false, size: 0 })
    }
}

impl<'b> Text<'b> {
    /// RFC 7541 5.2.
    fn take(block: &mut &'b [u8]) -> Option<Self> {
        let is_huffman = block.first()? & 0x80 != 0;
        let length = number(block, 7)?;
        let (bytes, rest) = block.split_at_checked(length)?;
        *block = rest;
        Some(Self { bytes, is_huffman })
    }

    fn each(&self, mut letter: impl FnMut(u8)) -> Option<()> {
        if self.is_huffman {
            return huffman::decode(self.bytes, letter);
        }
        self.bytes.iter().for_each(|byte| letter(*byte));
        Some(())
    }

    fn length(&self) -> Option<usize> {
        let mut length = 0;
        self.each(|_| length += 1)?;
        Some(length)
    }

    fn name(&self) -> Option<Name> {
        let (mut length, mut begins_like_path, mut is_pseudo) = (0, true, false);
        self.each(|letter| {
            begins_like_path &= PATH.get(length) == Some(&letter);
            is_pseudo |= length == 0 && letter == b':';
            length += 1;
        })?;
        let kind = match is_pseudo {
            true if begins_like_path && length == PATH.len() => Kind::Path,
            true => Kind::Pseudo,
            false => Kind::Plain,
        };
        Some(Name { kind, length })
    }
}

/// Takes a number (RFC 7541 5.1) that begins with so many bits.
fn number(block: &mut &[u8], bits: u32) -> Option<usize> {
    let (first, mut rest) = block.split_first()?;
    let most = (1_usize << bits) - 1;
    let mut number = usize::from(*first) & most;
    if number == most {
        for shift in (0..=LONGEST_SHIFT).step_by(7) {
            let (byte, after) = rest.split_first()?;
            rest = after;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *block = rest;
                return Some(number);
            }
        }
        return None;
    }
    *block = rest;
    Some(number)
}

const PATH: &[u8] = b":path";
/// The last shift of a number of at most four continuation bytes (2^28).
const LONGEST_SHIFT: usize = 21;
/// How large the table is unless somebody says otherwise (RFC 9113 6.5.2); we do not.
const TABLE: usize = 4096;
/// RFC 7541 4.1.
const AROUND_FIELD: usize = 32;
/// How long the names of the static table are (RFC 7541 appendix A).
const STATIC: [u8; 61] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14,
    16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10,
    25, 17, 10, 4, 3, 16,
];

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Found = Found { fragment: false, pseudo: false };
    const PSEUDO: Found = Found { fragment: false, pseudo: true };
    const FRAGMENT: Found = Found { fragment: true, pseudo: true };

    fn bytes(hex: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn a_path_with_a_fragment_is_found_however_it_is_written() {
        let mut table = Table::default();
        // Kept and in Huffman's code; then by its number; then another.
        assert_eq!(table.look(&bytes("824484607ff51f4181f3")), Some(FRAGMENT));
        assert_eq!(table.look(&bytes("82bfbe")), Some(FRAGMENT));
        assert_eq!(table.look(&bytes("8244836071ffbf")), Some(PSEUDO));
        // Written out, with its name too; never kept.
        assert_eq!(table.look(b"\x04\x04/a#b"), Some(FRAGMENT));
        assert_eq!(table.look(b"\x10\x05:path\x02/#"), Some(FRAGMENT));
        assert_eq!(table.look(b"\x10\x05:path\x01/"), Some(PSEUDO));
        assert_eq!(table.look(b"\x10\x06:paths\x02/#"), Some(PSEUDO));
        assert_eq!(table.look(b"\x10\x04path\x02/#"), Some(NOTHING));
        assert_eq!(table.look(b"\x10\x01a\x01#\x84"), Some(PSEUDO));
        assert_eq!(table.look(b""), Some(NOTHING));
        // Names that are like it.
        assert_eq!(table.look(b"\x10\x05:pbth\x02/#"), Some(PSEUDO));
        assert_eq!(table.look(b"\x10\x04:pat\x02/#"), Some(PSEUDO));
        assert_eq!(table.look(b"\x10\x03a:b\x01#"), Some(NOTHING));
        // The last of the static table is one of it.
        assert_eq!(table.look(b"\xbd"), Some(NOTHING));
    }

    #[test]
    fn what_fills_the_table_to_the_very_byte_is_kept() {
        let field = |name: u8, length: usize| {
            let rest = length - 127;
            let digits = [0x80 | (rest & 0x7f) as u8, (rest >> 7) as u8];
            [&[0x40, 1, name, 0x7f][..], &digits, &vec![b'x'; length]].concat()
        };
        let around = 1 + AROUND_FIELD;
        let mut table = Table::default();
        assert_eq!(table.look(&field(b'a', TABLE - around)), Some(NOTHING));
        assert_eq!((table.fields.len(), table.size), (1, TABLE));
        // Two that fill it together push it out, and one byte more one of them.
        for name in [b'b', b'c'] {
            assert_eq!(table.look(&field(name, TABLE / 2 - around)), Some(NOTHING));
        }
        assert_eq!((table.fields.len(), table.size), (2, TABLE));
        assert_eq!(table.look(&field(b'd', TABLE / 2 - around + 1)), Some(NOTHING));
        assert_eq!((table.fields.len(), table.size), (1, TABLE / 2 + 1));
        // What is not to be kept takes no room.
        assert_eq!(table.look(b"\x00\x01e\x01f"), Some(NOTHING));
        assert_eq!(table.fields.len(), 1);
    }

    #[test]
    fn fields_are_kept_as_long_as_the_table_has_room() {
        let mut table = Table::default();
        assert_eq!(table.look(b"\x44\x02/#"), Some(FRAGMENT));
        let long = [&b"\x40\x01a\x7f"[..], &[0x80 | 73, 30], &[b'x'; 4040]].concat();
        let number = 127 + 73 + (30 << 7);
        assert_eq!(number, 4040);
        // It takes all the room but 23 bytes, so the path goes.
        assert_eq!(table.look(&long), Some(NOTHING));
        assert_eq!(table.fields.len(), 1);
        assert_eq!(table.look(b"\xbe"), Some(NOTHING));
        assert_eq!(table.look(b"\xbf"), None);
        // What is larger than the table empties it (RFC 7541 4.4).
        assert_eq!(table.look(b"\x44\x02/#\x3f\x07"), Some(FRAGMENT));
        assert_eq!((table.limit, table.fields.len()), (38, 0));
        assert_eq!(table.look(b"\x40\x01a\x06123456"), Some(NOTHING));
        assert_eq!(table.fields.len(), 0);
        assert_eq!(table.look(b"\x3f\xe1\x1f\x44\x02/#\xbe"), Some(FRAGMENT));
        assert_eq!(table.limit, TABLE);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for block in [
            &b"\x80"[..],
            b"\xbe",
            b"\x44",
            b"\x44\x05/",
            b"\x40\x01",
            b"\x3f\xe2\x1f",
            b"\xff",
            b"\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x04\x81\x00",
        ] {
            assert_eq!(Table::default().look(block), None, "{block:?}");
        }
    }

    /// RFC 7541 C.4: three requests on one connection, in Huffman's code.
    #[test]
    fn reads_the_examples_of_the_standard() {
        let mut table = Table::default();
        for (hex, fields, size) in [
            ("828684418cf1e3c2e5f23a6ba0ab90f4ff", 1, 57),
            ("828684be5886a8eb10649cbf", 2, 110),
            ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", 3, 164),
        ] {
            assert_eq!(table.look(&bytes(hex)), Some(PSEUDO), "{hex}");
            assert_eq!((table.fields.len(), table.size), (fields, size), "{hex}");
        }
    }
}
