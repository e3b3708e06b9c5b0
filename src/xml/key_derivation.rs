//! ConcatKDF as the node does it (NIST SP 800-56A 5.8.1, with the parameters verbatim).
//!
//! XML encryption 1.1 section 5.4.1 says that the first octet of each parameter counts padding
//! bits and is dropped. The node does not follow this: each of its parameters is the hexadecimal
//! of a 4-byte big-endian length and the data, and the decoded octets go into the digest as they
//! are. A library that follows the specification derives another key and fails.

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use crate::base::encoding::{from_hex, hex_upper};

/// The three parameters of a key derivation, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    /// The key wrap algorithm.
    pub(super) algorithm_id: Vec<u8>,
    /// The node's identifier.
    pub(super) party_u: Vec<u8>,
    /// The service provider's identifier.
    pub(super) party_v: Vec<u8>,
}

impl Parameters {
    /// Makes the parameters that a genuine sender uses.
    pub(super) fn new(algorithm: &str, party_u: &str, party_v: &str) -> Self {
        Self {
            algorithm_id: with_length(algorithm),
            party_u: with_length(party_u),
            party_v: with_length(party_v),
        }
    }

    /// Reads the three attributes; `None` when one is not hexadecimal.
    pub(super) fn parse(algorithm_id: &str, party_u: &str, party_v: &str) -> Option<Self> {
        Some(Self {
            algorithm_id: from_hex(algorithm_id)?,
            party_u: from_hex(party_u)?,
            party_v: from_hex(party_v)?,
        })
    }

    /// Writes the three attributes.
    pub(super) fn to_hex(&self) -> [String; 3] {
        [&self.algorithm_id, &self.party_u, &self.party_v].map(|bytes| hex_upper(bytes))
    }
}

/// Returns the 4-byte big-endian length of the text, and the text.
pub(super) fn with_length(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Derives a key of `length` bytes, at most 64, from the shared secret `z`.
///
/// `z` keeps its leading zeros: it is the coordinate of a point, as long as the field.
pub(super) fn derive(z: &[u8], parameters: &Parameters, length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(64));
    for counter in 1_u32..=2 {
        let mut digest = Context::new(&SHA256);
        digest.update(&counter.to_be_bytes());
        digest.update(z);
        digest.update(&parameters.algorithm_id);
        digest.update(&parameters.party_u);
        digest.update(&parameters.party_v);
        key.extend_from_slice(digest.finish().as_ref());
    }
    key.truncate(length);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_length_in_front_as_the_node_does() {
        let parameters = Parameters::new("ab", "localhost.wk.gov.pl", "");
        let [algorithm, party_u, party_v] = parameters.to_hex();
        assert_eq!(algorithm, "000000026162");
        assert_eq!(party_u, "000000136C6F63616C686F73742E776B2E676F762E706C");
        assert_eq!(party_v, "00000000");
        assert_eq!(Parameters::parse(&algorithm, &party_u, &party_v), Some(parameters));
    }

    #[test]
    fn a_leading_zero_of_the_secret_changes_the_key() {
        let parameters = Parameters::new("a", "u", "v");
        let kept = derive(&[0, 1, 2, 3], &parameters, 32);
        let stripped = derive(&[1, 2, 3], &parameters, 32);
        assert_ne!(kept, stripped);
        assert_eq!(derive(&[0, 1, 2, 3], &parameters, 16)[..], kept[..16]);
    }
}
