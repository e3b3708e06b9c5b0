//! The chunked coding, both ways.
//!
//! Data comes out the same however it was cut; a strict second reader agrees; what is taken from a
//! client is taken from an upstream too; what is written is read as it was.

use bytes::{BufMut, BytesMut};
use http::HeaderMap;

use crate::product::{Bounds, Decoder, Extensions, FORBIDDEN, Piece, outgoing};
use crate::script::pieces;
use crate::{strict, within};

const BOUNDS: Bounds = Bounds { bytes: 1024, fields: 8, target: 0 };

/// Looks at one input: how it is cut, then the coding.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    for extensions in [Extensions::Checked, Extensions::PassedOver] {
        // 1. However it comes, it is the same.
        let whole = within(64 * 1024 + 64 * bytes.len(), || decode(bytes, 0, extensions));
        assert_eq!(whole, decode(bytes, cut, extensions), "{extensions:?}");
        let Read::Whole(read) = whole else { continue };
        assert!(read.trailer.len() <= BOUNDS.fields);
        assert!(!FORBIDDEN.iter().any(|name| read.trailer.contains_key(name)));
        if extensions == Extensions::PassedOver {
            continue;
        }
        // 2. The strict reader sees the same, and so does whoever passes extensions over.
        let strict = strict::chunked(bytes).expect("a strict reader takes it");
        assert_eq!((&read.data[..], &read.rest[..]), (&strict.data[..], strict.rest));
        assert_eq!(read.trailer.len(), strict.trailer.len());
        assert_eq!(decode(bytes, 0, Extensions::PassedOver), Read::Whole(read));
    }
    write_and_read(cut, bytes);
}

/// What is written is read as it was, with what comes behind it.
fn write_and_read(cut: u8, bytes: &[u8]) {
    let data = &bytes[..bytes.len().min(4096)];
    let mut out = BytesMut::new();
    for piece in pieces(data, cut).into_iter().filter(|piece| !piece.is_empty()) {
        outgoing::chunk_size(&mut out, piece.len());
        out.put_slice(piece);
        out.put_slice(b"\r\n");
    }
    let mut trailer = HeaderMap::new();
    if let Some(value) = data.get(..16).and_then(|value| http::HeaderValue::from_bytes(value).ok())
        && value.as_bytes().trim_ascii().len() == value.len()
    {
        trailer.insert("x-checksum", value);
    }
    outgoing::last_chunk(&mut out, Some(&trailer));
    out.put_slice(b"GET");
    let expected = Decoded { data: data.to_vec(), trailer, rest: b"GET".to_vec() };
    for extensions in [Extensions::Checked, Extensions::PassedOver] {
        assert_eq!(decode(&out, cut.rotate_left(3), extensions), Read::Whole(expected.clone()));
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Read {
    Whole(Decoded),
    Unfinished(Vec<u8>),
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Decoded {
    data: Vec<u8>,
    trailer: HeaderMap,
    rest: Vec<u8>,
}

fn decode(bytes: &[u8], cut: u8, extensions: Extensions) -> Read {
    let mut decoder = Decoder::new(extensions);
    let (mut buffer, mut data, mut trailer) = (BytesMut::new(), Vec::new(), HeaderMap::new());
    let mut pieces = pieces(bytes, cut).into_iter();
    loop {
        match decoder.take(&mut buffer, &BOUNDS) {
            Err(_) => return Read::Refused,
            Ok(Some(Piece::Data(piece))) => {
                assert!(!piece.is_empty(), "a piece without anything");
                data.extend_from_slice(&piece);
            }
            Ok(Some(Piece::Trailer(fields))) => trailer = fields,
            Ok(Some(Piece::End)) => break,
            Ok(None) => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => return Read::Unfinished(data),
            },
        }
    }
    assert!(decoder.is_over());
    let rest = buffer.into_iter().chain(pieces.flatten().copied()).collect();
    Read::Whole(Decoded { data, trailer, rest })
}
