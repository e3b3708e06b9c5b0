//! How a record lies in the file.
//!
//! A head of a fixed size, then the label, then what is sealed:
//!
//! | bytes | what |
//! |---|---|
//! | 12 | when it expires: seconds, nanoseconds |
//! | 8 | the last sign of life, milliseconds |
//! | 8 | under which time it stands in the index of what is due |
//! | 8 | under which number it stands in the index of the order |
//! | 33 | whether it has an owner, and which |
//! | 4 | the length of the label |

use bytes::Bytes;

use super::super::{Digest, Record};
use crate::base::clock::Time;

/// A record with its places in the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) record: Record,
    /// Milliseconds; never later than the record expires, but touches leave it behind.
    pub(super) due: i64,
    pub(super) order: u64,
}

impl Row {
    /// Returns the row as bytes.
    pub(super) fn build(&self) -> Vec<u8> {
        let Record { sealed, label, owner, alive, expires } = &self.record;
        let label_length = u32::try_from(label.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEAD + label.len() + sealed.len());
        bytes.extend_from_slice(&expires.as_second().to_be_bytes());
        bytes.extend_from_slice(&expires.subsec_nanosecond().to_be_bytes());
        bytes.extend_from_slice(&alive.to_be_bytes());
        bytes.extend_from_slice(&self.due.to_be_bytes());
        bytes.extend_from_slice(&self.order.to_be_bytes());
        bytes.push(u8::from(owner.is_some()));
        bytes.extend_from_slice(&owner.unwrap_or_default());
        bytes.extend_from_slice(&label_length.to_be_bytes());
        bytes.extend_from_slice(label);
        bytes.extend_from_slice(sealed);
        bytes
    }

    /// Reads a row; nothing if the bytes are none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (seconds, rest) = bytes.split_first_chunk()?;
        let (nanoseconds, rest) = rest.split_first_chunk()?;
        let (alive, rest) = rest.split_first_chunk()?;
        let (due, rest) = rest.split_first_chunk()?;
        let (order, rest) = rest.split_first_chunk()?;
        let ([has_owner], rest) = rest.split_first_chunk()?;
        let (owner, rest): (&Digest, _) = rest.split_first_chunk()?;
        let (label_length, rest) = rest.split_first_chunk()?;
        let label_length = usize::try_from(u32::from_be_bytes(*label_length)).ok()?;
        let (label, sealed) = rest.split_at_checked(label_length)?;
        let seconds = i64::from_be_bytes(*seconds);
        let record = Record {
            sealed: Bytes::copy_from_slice(sealed),
            label: Bytes::copy_from_slice(label),
            owner: match has_owner {
                0 => None,
                1 => Some(*owner),
                _ => return None,
            },
            alive: i64::from_be_bytes(*alive),
            expires: Time::new(seconds, i32::from_be_bytes(*nanoseconds)).ok()?,
        };
        let (due, order) = (i64::from_be_bytes(*due), u64::from_be_bytes(*order));
        Some(Self { record, due, order })
    }
}

/// Bytes of a row before its label.
pub(super) const HEAD: usize = 12 + 8 + 8 + 8 + 33 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(owner: Option<Digest>) -> Row {
        let record = Record {
            sealed: Bytes::from_static(b"sealed"),
            label: Bytes::from_static(b"{}"),
            owner,
            alive: -7,
            expires: Time::new(1_800_000_000, 123_456_789).unwrap(),
        };
        Row { record, due: 5, order: u64::MAX }
    }

    #[test]
    fn what_is_built_is_read_back() {
        for row in [row(None), row(Some([9; 32]))] {
            assert_eq!(Row::parse(&row.build()), Some(row));
        }
    }

    #[test]
    fn what_is_cut_short_or_odd_is_no_row() {
        let bytes = row(None).build();
        for length in 0..HEAD + 2 {
            assert_eq!(Row::parse(&bytes[..length]), None, "{length}");
        }
        let mut odd = bytes;
        odd[36] = 2;
        assert_eq!(Row::parse(&odd), None);
    }
}
