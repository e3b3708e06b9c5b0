//! As much of WebSocket (RFC 6455) as it takes to say goodbye politely.
//!
//! A close frame may stand between any two frames, but not inside one. So the frames that pass are
//! counted, not read.

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub struct Frames {
    header: [u8; 14],
    have: usize,
    payload: u64,
}

/// Why we end a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// The program stops (1001, "going away").
    Stopping,
    /// The session ended (1008, "policy violation").
    SessionEnded,
    /// The policy allows it no more (1008).
    NotAllowed,
}

impl Frames {
    /// Follows bytes that pass, to know where the next frame begins.
    pub fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let here = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= here as u64;
                bytes = &bytes[here..];
                continue;
            }
            self.header[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if self.have == self.header_length() {
                self.payload = self.payload_length();
                self.have = 0;
            }
        }
    }

    /// Tells whether another frame may stand here.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.have == 0 && self.payload == 0
    }

    /// RFC 6455 5.2: two bytes, a longer length, a mask.
    fn header_length(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let length = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    fn payload_length(&self) -> u64 {
        match self.header[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.header[2], self.header[3]])),
            127 => self.header[2..10].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            short => u64::from(short),
        }
    }
}

impl Goodbye {
    /// Returns the close frame of a server.
    #[must_use]
    pub fn frame(self) -> &'static [u8] {
        match self {
            Self::Stopping => b"\x88\x0c\x03\xe9going away",
            Self::SessionEnded => b"\x88\x0f\x03\xf0session ended",
            Self::NotAllowed => b"\x88\x16\x03\xf0not allowed any more",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(mask | length as u8),
            126..0x1_0000 => {
                frame.push(mask | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(mask | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(vec![0xff; length + if masked { 4 } else { 0 }]);
        frame
    }

    #[test]
    fn knows_where_a_frame_ends_however_it_is_cut() {
        for (length, masked) in [
            (0, false),
            (5, true),
            (125, false),
            (126, true),
            (300, true),
            (70_000, false),
            (70_000, true),
        ] {
            let bytes = [frame(length, masked), frame(1, false)].concat();
            let first = frame(length, masked).len();
            for step in [1, 3, 1000, bytes.len()] {
                let mut frames = Frames::default();
                assert!(frames.is_between());
                let mut at = 0;
                for part in bytes.chunks(step) {
                    frames.follow(part);
                    at += part.len();
                    let is_end = at == first || at == bytes.len();
                    assert_eq!(frames.is_between(), is_end, "{length} {masked} {step} {at}");
                }
            }
        }
    }

    #[test]
    fn goodbye_is_one_whole_frame() {
        for goodbye in [Goodbye::Stopping, Goodbye::SessionEnded, Goodbye::NotAllowed] {
            let mut frames = Frames::default();
            frames.follow(&goodbye.frame()[..goodbye.frame().len() - 1]);
            assert!(!frames.is_between());
            frames.follow(&goodbye.frame()[goodbye.frame().len() - 1..]);
            assert!(frames.is_between());
        }
    }
}
