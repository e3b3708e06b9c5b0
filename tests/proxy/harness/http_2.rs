//! Frames of HTTP/2, as they are, for what no library would send.

use super::wire::{NoAnswer, Wire};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// Begins a connection with prior knowledge (RFC 9113 3.3, 3.4).
pub(crate) fn begin(mut wire: Wire) -> Wire {
    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    wire.send(&frame(SETTINGS, 0, 0, b""));
    let first = read(&mut wire).map(|frame| frame.kind);
    assert_eq!(first, Ok(SETTINGS), "the server does not speak HTTP/2");
    wire
}

/// Returns a frame (RFC 9113 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads a frame.
pub(crate) fn read(wire: &mut Wire) -> Result<Frame, NoAnswer> {
    let head = wire.try_exactly(9)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let payload = wire.try_exactly(number(&head[..3]) as usize)?;
    let stream = number(&head[5..]) & 0x7fff_ffff;
    Ok(Frame { kind: head[3], flags: head[4], stream, payload })
}

/// Returns fields as one block.
pub(crate) fn block<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Vec<u8> {
    fields.into_iter().flat_map(|(name, value)| field(name.as_bytes(), value.as_bytes())).collect()
}

/// Returns a field as a literal that is never indexed (RFC 7541 6.2.3), whatever its bytes.
pub(crate) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut field = vec![0x10];
    for text in [name, value] {
        // RFC 7541 5.1: a length of 7 bits, or the rest in groups of 7.
        if text.len() < 127 {
            field.push(u8::try_from(text.len()).unwrap());
        } else {
            field.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                field.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            field.push(u8::try_from(rest).unwrap());
        }
        field.extend(text);
    }
    field
}
