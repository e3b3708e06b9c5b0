//! What requests carry from program to program so that they can be told as one: `traceparent` and
//! `tracestate` (W3C Trace Context, levels 1 and 2).
//!
//! 1. What is not written exactly as the standard says is not read: a new trace begins then.
//! 2. It is read of a proxy only that is believed for it. A client that could choose the trace of its
//!    request could have it told as part of another's, have every request of its own recorded, or
//!    send words to whoever reads `tracestate`.

use std::cell::RefCell;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::random;

/// The name of the header with the trace and the span.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The name of the header with what each program on the way adds.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The most bytes of `tracestate` that go on. Level 2, 3.3.1.5: at least so many.
pub const MAX_STATE: usize = 512;
/// The most members of `tracestate`. Level 2, 3.3.1.1.
pub const MAX_MEMBERS: usize = 32;

/// What names a trace: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// What names a span of a trace: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// Returns its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns it in hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> [u8; 32] {
        let mut text = [0; 32];
        write_hex(&self.0, &mut text);
        text
    }

    /// Returns the part that is random whoever made it: seven bytes (level 2, 3.2.2.3.1).
    #[must_use]
    pub fn random_part(&self) -> u64 {
        self.0[9..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

impl SpanId {
    /// Makes one that nothing else has.
    #[must_use]
    pub fn make() -> Self {
        Self(POOL.with_borrow_mut(Pool::take))
    }

    /// Returns its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 16];
        write_hex(&self.0, &mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The flags of a trace. Of what a sender says, those go on that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// Of a trace that begins here: the identifier is random.
    pub const RANDOM: Self = Self(0b10);
    const SAMPLED: u8 = 0b01;
    const KNOWN: u8 = 0b11;

    /// Returns them with the mark that the trace is recorded.
    #[must_use]
    pub fn sampled(self) -> Self {
        Self(self.0 | Self::SAMPLED)
    }

    /// Tells whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED != 0
    }

    /// Returns them as they stand in the header.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

/// The trace that a request belongs to, as the program before says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: TraceId,
    /// The span that led to the request.
    pub span: SpanId,
    /// Whether it is recorded.
    pub flags: Flags,
    /// What programs on the way add, as it goes on.
    pub state: Option<HeaderValue>,
}

impl Parent {
    /// Reads both headers. None when there is no trace, two of them, or one that is not written as
    /// the standard says. A `tracestate` that is not is left out.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let (trace, span, flags) = parse(value.as_bytes())?;
        Some(Self { trace, span, flags, state: state(headers) })
    }
}

/// Reads the value of `traceparent`. Of a version that is not known it reads the beginning, which is
/// the same in all (level 2, 4.3).
fn parse(value: &[u8]) -> Option<(TraceId, SpanId, Flags)> {
    let known = value.get(..LENGTH)?;
    let [version] = hex::<1>(&known[..2])?;
    let ends = match (version, value.get(LENGTH)) {
        (0xff, _) => false,
        (_, None) => true,
        (0, Some(_)) => false,
        (_, Some(next)) => *next == b'-',
    };
    if !ends || [2, 35, 52].iter().any(|dash| known[*dash] != b'-') {
        return None;
    }
    let (trace, span) = (hex::<16>(&known[3..35])?, hex::<8>(&known[36..52])?);
    let [flags] = hex::<1>(&known[53..])?;
    let is_valid = trace != [0; 16] && span != [0; 8];
    is_valid.then_some((TraceId(trace), SpanId(span), Flags(flags & Flags::KNOWN)))
}

/// Reads `tracestate`, of which there may be several lines that are one list. None when anything in
/// it is not written as the standard says. Members at the end that do not fit are left out.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes);
    let members = lines.flat_map(|line| line.split(|byte| *byte == b','));
    let members = members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    let (mut keys, mut whole, mut is_full) = (Vec::<&[u8]>::new(), Vec::new(), false);
    for member in members {
        let equals = member.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        if keys.len() == MAX_MEMBERS || !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
        is_full |= whole.len() + member.len() + 1 > MAX_STATE;
        if !is_full {
            if !whole.is_empty() {
                whole.push(b',');
            }
            whole.extend_from_slice(member);
        }
    }
    if whole.is_empty() { None } else { HeaderValue::from_bytes(&whole).ok() }
}

/// Level 2, 3.3.1.3.1.
fn is_key(key: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let goes_on = |byte: &u8| begins(byte) || b"_-*/@".contains(byte);
    key.len() <= LONGEST_MEMBER && key.first().is_some_and(begins) && key.iter().all(goes_on)
}

/// Level 2, 3.3.1.3.2. Spaces around it are gone already.
fn is_value(value: &[u8]) -> bool {
    let may_stand = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
    (1..=LONGEST_MEMBER).contains(&value.len()) && value.iter().all(may_stand)
}

/// The value of `traceparent`, as it is written: version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; LENGTH]);

impl Traceparent {
    /// Says that the span of that trace led to a request.
    #[must_use]
    pub fn new(trace: TraceId, span: SpanId, flags: Flags) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&trace.0, &mut text[3..35]);
        write_hex(&span.0, &mut text[36..52]);
        write_hex(&[flags.0], &mut text[53..]);
        Self(text)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn write_hex<const N: usize>(bytes: &[u8; N], text: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(text.as_chunks_mut().0) {
        *pair = PAIRS[usize::from(*byte)];
    }
}

/// Makes the names of a trace and of its first span.
#[must_use]
pub fn make_both() -> (TraceId, SpanId) {
    POOL.with_borrow_mut(|pool| (TraceId(pool.take()), SpanId(pool.take())))
}

/// Random bytes that guard nothing; each thread gets many at once, because asking for few costs as much.
struct Pool {
    bytes: [u8; POOLED],
    next: usize,
}

impl Pool {
    /// Returns bytes that are not all zero.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        loop {
            if let Some(bytes) = self.bytes[self.next..].first_chunk::<N>() {
                self.next += N;
                if *bytes != [0; N] {
                    return *bytes;
                }
            } else {
                random::fill(&mut self.bytes);
                self.next = 0;
            }
        }
    }
}

const POOLED: usize = 1024;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOLED], next: POOLED }) };
}

/// Of `traceparent`, in version 00.
const LENGTH: usize = 55;
/// Of a key, and of a value, of `tracestate`.
const LONGEST_MEMBER: usize = 256;
/// Each byte in hexadecimal digits: a request with a trace writes twenty-five of them.
static PAIRS: [[u8; 2]; 256] = pairs();

const fn pairs() -> [[u8; 2]; 256] {
    let (digits, mut pairs, mut byte) = (b"0123456789abcdef", [[0; 2]; 256], 0);
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
}

#[cfg(test)]
mod tests;
