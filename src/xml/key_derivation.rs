//! ConcatKDF as the node does it (NIST SP 800-56A 5.8.1, since then the single-step derivation
//! of SP 800-56C), with the parameters verbatim.
//!
//! XML encryption 1.1 section 5.4.1 says that the first octet of each parameter counts padding
//! bits and is dropped. The node does not follow this: each of its parameters is the hexadecimal
//! of a 4-byte big-endian length and the data, and the decoded octets go into the digest as they
//! are. A library that follows the specification derives another key and fails.

use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use zeroize::Zeroizing;

use crate::base::encoding::{from_hex, hex_upper};

/// The three parameters of a key derivation, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    /// The key wrap algorithm.
    pub(super) algorithm_id: Vec<u8>,
    /// The entity identifier of the node, as `PartyUInfo`.
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

    /// Writes the three attributes of `ConcatKDFParams`, in hexadecimal digits.
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

/// Derives a key of `length` bytes from the shared secret `z`; `None` when the library makes none.
///
/// `z` keeps its leading zeros: it is the coordinate of a point, as long as the field.
pub(super) fn derive(
    z: &[u8],
    parameters: &Parameters,
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let Parameters { algorithm_id, party_u, party_v } = parameters;
    let algorithm = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
    let mut key = Zeroizing::new(vec![0; length]);
    let info = [&algorithm_id[..], party_u, party_v].concat();
    sskdf_digest(algorithm, z, &info, &mut key).ok()?;
    Some(key)
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
        let kept = derive(&[0, 1, 2, 3], &parameters, 32).unwrap();
        let stripped = derive(&[1, 2, 3], &parameters, 32).unwrap();
        assert_ne!(kept, stripped);
        assert_eq!(derive(&[0, 1, 2, 3], &parameters, 16).unwrap()[..], kept[..16]);
    }

    /// The definition: digests of a counter, the secret and the parameters, one behind the other.
    #[test]
    fn the_key_is_what_the_standard_says() {
        use aws_lc_rs::digest::{SHA256, digest};

        let parameters = Parameters::new("algorithm", "the node", "the service");
        let [a, u, v] = ["algorithm", "the node", "the service"].map(with_length);
        for z in [vec![0], vec![7; 32], vec![9; 48]] {
            let block = |counter: u32| {
                let text = [&counter.to_be_bytes()[..], &z, &a, &u, &v].concat();
                digest(&SHA256, &text).as_ref().to_vec()
            };
            let whole = [block(1), block(2)].concat();
            for length in [16, 24, 32, 33, 64] {
                assert_eq!(derive(&z, &parameters, length).unwrap()[..], whole[..length]);
            }
        }
        // No secret at all is no secret.
        assert!(derive(&[], &parameters, 32).is_none());
    }
}
