//! The chain: each record names the digest of the one before it, and some are signed.
//!
//! 1. The digest is SHA-256 over the bytes of a line as they are in the file, without its end. There
//!    is no other form of a record that would have to be made first.
//! 2. A chain has a name and goes on over files and restarts. Its records are numbered from 1 on.
//! 3. A signature stands over the line that it ends, and so, by the digests, over all that is before
//!    it in the chain.

use std::io;

use super::keys::Signer;
use super::record::{Kind, Record, VERSION};
use crate::base::encoding::{base64url, sha256};
use crate::base::random;

/// Where a chain has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name: 22 letters of base64url.
    pub id: String,
    /// The number of its last record; 0 when it has none.
    pub sequence: u64,
    /// The digest of its last line.
    pub digest: [u8; 32],
}

impl Chain {
    /// Begins a chain.
    #[must_use]
    pub fn begin() -> Self {
        Self { id: random::handle(), sequence: 0, digest: [0; 32] }
    }

    /// Returns where a chain has come to with that line, if it is a record.
    #[must_use]
    pub fn after(line: &[u8]) -> Option<(Self, Kind)> {
        let record = Record::parse(line)?;
        let (id, sequence) = (record.chain?.into_owned(), record.sequence?);
        Some((Self { id, sequence, digest: sha256(line) }, record.kind))
    }

    /// Makes the line of a record from the JSON of what happened ([`Record::to_json`]), with its
    /// end, and goes on behind it.
    ///
    /// # Errors
    /// When there is no further number.
    pub(super) fn append(&mut self, lines: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
        let start = lines.len();
        self.begin_line(lines, body)?;
        lines.push(b'}');
        self.end_line(lines, start);
        Ok(())
    }

    /// The same of a record that is signed.
    ///
    /// # Errors
    /// When there is no further number.
    pub(super) fn append_signed(
        &mut self,
        lines: &mut Vec<u8>,
        body: &[u8],
        signer: &Signer,
    ) -> io::Result<()> {
        let start = lines.len();
        self.begin_line(lines, body)?;
        let signature = signer.sign(&lines[start..]);
        lines.extend_from_slice(SIGNATURE);
        lines.extend_from_slice(signature.as_bytes());
        lines.extend_from_slice(b"\"}");
        self.end_line(lines, start);
        Ok(())
    }

    /// All but the brace at the end.
    fn begin_line(&mut self, lines: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
        let end = || io::Error::other("the numbers of the chain have come to their end");
        self.sequence = self.sequence.checked_add(1).ok_or_else(end)?;
        let Self { id, sequence, digest } = &*self;
        let previous = base64url(digest);
        let head = format!(
            "{{\"version\":{VERSION},\"chain\":\"{id}\",\"sequence\":{sequence},\"previous\":\
             \"{previous}\","
        );
        lines.extend_from_slice(head.as_bytes());
        let inside = body.strip_prefix(b"{").unwrap_or(body);
        lines.extend_from_slice(inside.strip_suffix(b"}").unwrap_or(inside));
        Ok(())
    }

    fn end_line(&mut self, lines: &mut Vec<u8>, start: usize) {
        self.digest = sha256(&lines[start..]);
        lines.push(b'\n');
    }
}

/// Returns what is signed of a line, and nothing when its signature is not its last member.
#[must_use]
pub(super) fn signed_part(line: &[u8]) -> Option<&[u8]> {
    // 86 letters, a quotation mark and a brace.
    let at = line.len().checked_sub(SIGNATURE.len() + 88)?;
    line[at..].starts_with(SIGNATURE).then(|| &line[..at])
}

const SIGNATURE: &[u8] = b",\"signature\":\"";

/// A place in a chain that was noted somewhere else: `CHAIN:SEQUENCE:DIGEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint(pub Chain);

impl Checkpoint {
    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, ':');
        let (id, sequence, digest) = (parts.next()?, parts.next()?, parts.next()?);
        if !random::is_handle(id) {
            return None;
        }
        let digest = crate::base::encoding::from_base64url(digest)?.try_into().ok()?;
        Some(Self(Chain { id: id.to_owned(), sequence: sequence.parse().ok()?, digest }))
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Chain { id, sequence, digest } = &self.0;
        write!(f, "{id}:{sequence}:{}", base64url(digest))
    }
}
