//! A second reader of heads and chunks, written from RFC 9112 and from nothing of ours: slow, whole
//! messages only, and stricter than anybody must be.

/// A head: the parts of its first line, and its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<'h> {
    /// What single spaces part in the first line.
    pub first: Vec<&'h [u8]>,
    /// Names and values.
    pub fields: Vec<(&'h [u8], &'h [u8])>,
}

/// Reads the whole head of a request, its empty line included.
pub fn head(bytes: &[u8]) -> Option<Head<'_>> {
    head_of(bytes, field)
}

/// Reads the whole head of an answer. Space before the colon of a field is no part of its name, as
/// RFC 9112 5.1 tells proxies.
pub fn head_of_answer(bytes: &[u8]) -> Option<Head<'_>> {
    head_of(bytes, |line| {
        let (mut name, value) = halves(line)?;
        while let [rest @ .., b' ' | b'\t'] = name {
            name = rest;
        }
        name_and_value(name, value)
    })
}

type Field<'h> = (&'h [u8], &'h [u8]);

fn head_of<'h>(bytes: &'h [u8], field: fn(&'h [u8]) -> Option<Field<'h>>) -> Option<Head<'h>> {
    let mut lines = lines(bytes.strip_suffix(b"\r\n")?)?.into_iter();
    let first = lines.next()?.split(|&byte| byte == b' ').collect();
    let fields = lines.map(field).collect::<Option<_>>()?;
    Some(Head { first, fields })
}

/// Reads the parts of a request line: method, target, and whether it is HTTP/1.1.
pub fn request_line<'h>(first: &[&'h [u8]]) -> Option<(&'h [u8], &'h [u8], bool)> {
    let &[method, target, version] = first else { return None };
    let is_visible = |byte: &u8| byte.is_ascii_graphic();
    let fits = is_token(method) && !target.is_empty() && target.iter().all(is_visible);
    Some((method, target, is_11(version)?)).filter(|_| fits)
}

/// Reads the parts of a status line: the status, and whether it is HTTP/1.1.
pub fn status_line(first: &[&[u8]]) -> Option<(u16, bool)> {
    let (version, rest) = first.split_first()?;
    let (status, reason) = rest.split_first()?;
    let is_plain = status.len() == 3 && status.iter().all(u8::is_ascii_digit);
    let status = is_plain.then(|| std::str::from_utf8(status).ok()?.parse().ok())??;
    let reason_fits = reason.iter().all(|part| part.iter().all(is_of_a_value));
    Some((status, is_11(version)?)).filter(|_| reason_fits)
}

/// A body in chunks: its data, its trailer, and what comes behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunked<'b> {
    /// The data of all chunks.
    pub data: Vec<u8>,
    /// Names and values.
    pub trailer: Vec<(&'b [u8], &'b [u8])>,
    /// What is not of it.
    pub rest: &'b [u8],
}

/// Reads a whole body in chunks. Extensions are as the grammar has them.
pub fn chunked(bytes: &[u8]) -> Option<Chunked<'_>> {
    let (mut rest, mut data) = (bytes, Vec::new());
    loop {
        let (line, after) = line(rest)?;
        let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
        if digits == 0 || !are_extensions(&line[digits..]) {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        rest = after;
        if size == 0 {
            break;
        }
        let (here, after) = rest.split_at_checked(size)?;
        data.extend_from_slice(here);
        rest = after.strip_prefix(b"\r\n")?;
    }
    let mut trailer = Vec::new();
    loop {
        let (line, after) = line(rest)?;
        rest = after;
        if line.is_empty() {
            return Some(Chunked { data, trailer, rest });
        }
        trailer.push(field(line)?);
    }
}

/// Tells whether that is nothing, or extensions of a chunk (RFC 9112 7.1.1), letter by letter.
fn are_extensions(text: &[u8]) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        /// Behind the size, a name or a value, where there may be an end.
        End,
        /// Behind white space, where a sign must come.
        Space,
        /// Before a name.
        Begin,
        Name,
        /// Behind white space after a name.
        AfterName,
        /// Before a value.
        Equals,
        Token,
        Quoted,
        Escaped,
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_space = |byte: u8| byte == b' ' || byte == b'\t';
    let mut at = At::End;
    for &byte in text {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::End,
            (At::Quoted, b'\\') => At::Escaped,
            (At::Quoted | At::Escaped, byte) if byte == b'\t' || !byte.is_ascii_control() => {
                At::Quoted
            }
            (At::End | At::Space | At::Name | At::AfterName | At::Token, b';') => At::Begin,
            (At::Name | At::AfterName, b'=') => At::Equals,
            (At::Equals, b'"') => At::Quoted,
            (At::End | At::Space | At::Token, byte) if is_space(byte) => At::Space,
            (At::Name | At::AfterName, byte) if is_space(byte) => At::AfterName,
            (At::Begin | At::Equals, byte) if is_space(byte) => at,
            (At::Begin | At::Name, byte) if is_token(byte) => At::Name,
            (At::Equals | At::Token, byte) if is_token(byte) => At::Token,
            _ => return false,
        };
    }
    matches!(at, At::End | At::Name | At::Token)
}

/// Cuts one line off, which ends with CR LF and has neither in it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| matches!(byte, b'\r' | b'\n'))?;
    Some((&bytes[..end], bytes[end..].strip_prefix(b"\r\n")?))
}

fn lines(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut rest, mut lines) = (bytes, Vec::new());
    while !rest.is_empty() {
        let (line, after) = line(rest)?;
        lines.push(line);
        rest = after;
    }
    Some(lines)
}

fn field(line: &[u8]) -> Option<Field<'_>> {
    let (name, value) = halves(line)?;
    name_and_value(name, value)
}

/// What stands before the first colon, and what behind it.
fn halves(line: &[u8]) -> Option<Field<'_>> {
    let end = line.iter().position(|&byte| byte == b':')?;
    Some((&line[..end], &line[end + 1..]))
}

fn name_and_value<'h>(name: &'h [u8], mut value: &'h [u8]) -> Option<Field<'h>> {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    (is_token(name) && value.iter().all(is_of_a_value)).then_some((name, value))
}

fn is_11(version: &[u8]) -> Option<bool> {
    match version {
        b"HTTP/1.1" => Some(true),
        b"HTTP/1.0" => Some(false),
        _ => None,
    }
}

/// RFC 9110 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_letter)
}

/// RFC 9110 5.5.
fn is_of_a_value(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
