//! What upstreams may make of a path that [`super::path`] refuses, where a route takes its spelling
//! all the same ([`crate::gate::readings`]).
//!
//! | spelling | readings |
//! |---|---|
//! | `%2F` | a letter of the segment; a slash |
//! | `//` | a segment without a name; one slash |
//! | `%3B` | a letter of the segment; the beginning of parameters, which are cut off |
//! | encoded bytes that are not UTF-8 | any letters (some code page), or none; so are then all letters outside ASCII |
//!
//! 1. All that are there are read one way or the other, in every combination. (Where some `%2F` are
//!    read as slashes and others are not, what covers the path is between the two.)
//! 2. In no reading is there a dot segment, a segment that ends in a dot, or a second encoding.
//!    Nothing of it may stand in parameters, and none begins with two slashes, which names a host.
//!    A `%2F` beside a slash (`/queues/%2F/mine` of RabbitMQ) makes two or three of them, which may
//!    be merged.
//! 3. A slash behind a semicolon in one segment, whichever of them is encoded, is refused: what
//!    is cut off there depends on what is done first.
//! 4. Overlong forms of UTF-8 (`%c0%af`) are refused: a kind decoder reads letters of ASCII in
//!    them.

use percent_encoding::{percent_decode, percent_encode_byte};

use super::path::{check_encoding, is_ambiguous};
use crate::gate::leniency::{Kind, Leniency};
use crate::gate::readings::{Readings, UNKNOWN};

/// A piece of a segment.
#[derive(Debug)]
enum Piece {
    Text(String),
    /// Bytes that are not UTF-8.
    Bytes(Vec<u8>),
    /// `%2F`, as it came.
    Slash(String),
    /// `%3B`, as it came.
    Semicolon(String),
}

/// How a path is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    decodes_slashes: bool,
    cuts_parameters: bool,
    merges_slashes: bool,
    guesses_letters: bool,
}

impl Reading {
    const AS_WRITTEN: Self = Self {
        decodes_slashes: false,
        cuts_parameters: false,
        merges_slashes: false,
        guesses_letters: false,
    };
}

/// Returns what may be made of a path; `None` when nothing makes it good.
#[must_use]
pub fn read(raw: &str) -> Option<Readings> {
    let rest = raw.strip_prefix('/')?;
    let is_visible = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
    if !raw.bytes().all(is_visible) || check_encoding(raw).is_err() {
        return None;
    }
    let mut segments = Vec::new();
    for segment in rest.split('/') {
        segments.push(pieces(segment)?);
    }
    let path = written(&segments, Reading::AS_WRITTEN);
    let mut needed = needed(&segments);
    if has_empty_segment(&path) {
        needed = needed.with(Kind::EmptySegment);
    }
    let most = Reading { decodes_slashes: true, ..Reading::AS_WRITTEN };
    let longest = written(&segments, most);
    let merges = has_empty_segment(&longest);
    let guesses_letters = needed.has(Kind::NotUtf8);
    // What is dropped from between could leave an encoding.
    if guesses_letters && raw.contains("%25") {
        return None;
    }
    let mut others = Vec::new();
    for number in 0..8_u8 {
        let reading = Reading {
            decodes_slashes: number & 1 != 0,
            cuts_parameters: number & 2 != 0,
            merges_slashes: number & 4 != 0,
            guesses_letters,
        };
        if reading != Reading::AS_WRITTEN && reading.differs(needed, merges) {
            let other = written(&segments, reading);
            is_good(&other).then(|| others.push(other))?;
        }
    }
    is_good(&path).then_some(Readings { needed, path, others, longest })
}

impl Reading {
    /// Tells whether all that it does makes a difference, where these kinds are there, and slashes
    /// that may be merged.
    fn differs(self, needed: Leniency, merges: bool) -> bool {
        (!self.decodes_slashes || needed.has(Kind::EncodedSlash))
            && (!self.cuts_parameters || needed.has(Kind::EncodedSemicolon))
            && (!self.merges_slashes || merges)
    }
}

/// Takes a segment to pieces, without its parameters.
fn pieces(segment: &str) -> Option<Vec<Piece>> {
    let mut parts = segment.split(';');
    let name = parts.next()?;
    let has_parameters = name.len() < segment.len();
    if (has_parameters && name.is_empty()) || !parts.all(is_plain_parameter) {
        return None;
    }
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some((at, sign)) = first_sign(rest) {
        add_letters(&rest[..at], &mut pieces)?;
        let text = rest[at..at + 3].to_owned();
        rest = &rest[at + 3..];
        let is_behind_semicolon = pieces.iter().any(|piece| matches!(piece, Piece::Semicolon(_)));
        match (sign, pieces.last()) {
            // Nothing stands before the parameters.
            (Sign::Semicolon, None | Some(Piece::Slash(_))) => return None,
            (Sign::Semicolon, _) => pieces.push(Piece::Semicolon(text)),
            (Sign::Slash, _) if is_behind_semicolon => return None,
            (Sign::Slash, _) => pieces.push(Piece::Slash(text)),
        }
    }
    add_letters(rest, &mut pieces)?;
    let mut parameters = pieces.split(|piece| matches!(piece, Piece::Semicolon(_))).skip(1);
    (!parameters.any(|parameter| are_dots(&letters_of(parameter)))).then_some(pieces)
}

/// What is encoded.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Slash,
    Semicolon,
}

/// Finds the first encoded slash or semicolon.
fn first_sign(text: &str) -> Option<(usize, Sign)> {
    text.match_indices('%').find_map(|(at, _)| match text.get(at + 1..at + 3)? {
        "2f" | "2F" => Some((at, Sign::Slash)),
        "3b" | "3B" => Some((at, Sign::Semicolon)),
        _ => None,
    })
}

/// Decodes what has neither of them, and adds it.
fn add_letters(text: &str, pieces: &mut Vec<Piece>) -> Option<()> {
    let bytes: Vec<u8> = percent_decode(text.as_bytes()).collect();
    if has_overlong_form(&bytes) {
        return None;
    }
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().contains(is_ambiguous) {
            return None;
        }
        if !chunk.valid().is_empty() {
            pieces.push(Piece::Text(chunk.valid().to_owned()));
        }
        if !chunk.invalid().is_empty() {
            pieces.push(Piece::Bytes(chunk.invalid().to_owned()));
        }
    }
    Some(())
}

/// Tells whether a kind decoder would read a letter in more bytes than it needs.
fn has_overlong_form(bytes: &[u8]) -> bool {
    let is_overlong = |pair: &[u8]| {
        matches!(pair, [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f] | [0xf8..=0xfd, 0x80..=0xbf])
    };
    bytes.iter().any(|byte| matches!(byte, 0xc0 | 0xc1)) || bytes.windows(2).any(is_overlong)
}

fn is_plain_parameter(text: &str) -> bool {
    let decoded = percent_decode(text.as_bytes()).decode_utf8();
    decoded.is_ok_and(|text| !text.contains(is_ambiguous) && !are_dots(&text))
}

/// Tells whether letters are dots that lead up, once what may be dropped is dropped.
fn are_dots(letters: &str) -> bool {
    let known: String = letters.chars().filter(char::is_ascii).collect();
    matches!(&*known, "." | "..")
}

/// Returns the letters that are no signs.
fn letters_of(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Bytes(_) | Piece::Slash(_) | Piece::Semicolon(_) => String::new(),
    };
    pieces.iter().map(text).collect()
}

fn needed(segments: &[Vec<Piece>]) -> Leniency {
    segments.iter().flatten().fold(Leniency::default(), |needed, piece| match piece {
        Piece::Text(_) => needed,
        Piece::Bytes(_) => needed.with(Kind::NotUtf8),
        Piece::Slash(_) => needed.with(Kind::EncodedSlash),
        Piece::Semicolon(_) => needed.with(Kind::EncodedSemicolon),
    })
}

/// Writes a path as it is read.
fn written(segments: &[Vec<Piece>], reading: Reading) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        for piece in segment {
            match piece {
                Piece::Text(text) if reading.guesses_letters => {
                    path.extend(text.chars().map(|it| if it.is_ascii() { it } else { UNKNOWN }));
                }
                Piece::Text(text) => path.push_str(text),
                Piece::Bytes(_) if reading.guesses_letters => path.push(UNKNOWN),
                Piece::Bytes(bytes) => {
                    path.extend(bytes.iter().copied().map(percent_encode_byte));
                }
                Piece::Slash(_) if reading.decodes_slashes => path.push('/'),
                Piece::Semicolon(_) if reading.cuts_parameters => break,
                Piece::Slash(text) | Piece::Semicolon(text) => path.push_str(text),
            }
        }
    }
    if reading.merges_slashes {
        while path.contains("//") {
            path = path.replace("//", "/");
        }
    }
    path
}

fn has_empty_segment(path: &str) -> bool {
    path[1..].rsplit('/').skip(1).any(str::is_empty)
}

/// Tells whether a reading leads nowhere else by what stands in it: up, to the same place, or to
/// another host; nor by what may be dropped from it.
fn is_good(path: &str) -> bool {
    let is_named = |(segment, is_last): (&str, bool)| {
        let known = segment.replace(UNKNOWN, "");
        !known.ends_with('.') && (!known.is_empty() || segment.is_empty() || is_last)
    };
    let last = path.matches('/').count();
    let mut segments = path[1..].split('/').zip(1..).map(|(it, number)| (it, number == last));
    !path.starts_with("//") && segments.all(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kinds: &str) -> Leniency {
        kinds.chars().fold(Leniency::default(), |set, kind| {
            set.with(match kind {
                '/' => Kind::EncodedSlash,
                '2' => Kind::EmptySegment,
                ';' => Kind::EncodedSemicolon,
                _ => Kind::NotUtf8,
            })
        })
    }

    #[test]
    fn a_path_has_all_readings_that_an_upstream_could_make() {
        for (raw, needed, path, others) in [
            ("/a%2Fb", "/", "/a%2Fb", &["/a/b"][..]),
            ("/p/a%2fb%2Fc/d", "/", "/p/a%2fb%2Fc/d", &["/p/a/b/c/d"]),
            ("/a%2F", "/", "/a%2F", &["/a/"]),
            ("/a//b", "2", "/a//b", &["/a/b"]),
            ("/a///b//", "2", "/a///b//", &["/a/b/"]),
            ("/a%3Bb", ";", "/a%3Bb", &["/a"]),
            ("/a%3bb;c/d", ";", "/a%3bb/d", &["/a/d"]),
            ("/%B3%F3d%BC/x", "u", "/%B3%F3d%BC/x", &["/\0\0d\0/x"]),
            ("/%C5%BCa/%B3", "u", "/ża/%B3", &["/\0a/\0"]),
            ("/a%2F/b", "/", "/a%2F/b", &["/a//b", "/a%2F/b", "/a/b"]),
            ("/q/%2F/b", "/", "/q/%2F/b", &["/q///b", "/q/%2F/b", "/q/b"]),
            ("/a%2F//b", "/2", "/a%2F//b", &["/a///b", "/a%2F/b", "/a/b"]),
            ("/a%2Fb%3Bc", "/;", "/a%2Fb%3Bc", &["/a/b%3Bc", "/a%2Fb", "/a/b"]),
            ("/a%20b%2F%C5%BC", "/", "/a b%2Fż", &["/a b/ż"]),
        ] {
            let readings = read(raw).unwrap_or_else(|| panic!("{raw}"));
            assert_eq!(readings.needed, set(needed), "{raw}");
            assert_eq!((&*readings.path, &*readings.others.concat()), (path, &*others.concat()));
        }
        assert_eq!(read("/a%2F/b%3Bc").unwrap().longest, "/a//b%3Bc");
    }

    #[test]
    fn a_sign_for_percent_leaves_the_letters_as_they_are() {
        let readings = read("/100%25/a%2Fb").unwrap();
        assert_eq!((&*readings.path, &*readings.others.concat()), ("/100%/a%2Fb", "/100%/a/b"));
        assert!(read("/100%25/%B3").is_none(), "a letter that is dropped could leave an encoding");
    }

    #[test]
    fn nothing_leads_up_or_names_a_host_in_any_reading() {
        for raw in [
            "",
            "a%2Fb",
            "//",
            "//a",
            "/%2Fa",
            "/%2F%2Fa",
            "/a%2F..",
            "/a%2F..%2Fb",
            "/..%2Fb",
            "/.%2Fb",
            "/a%2F.%2Fb",
            "/a%2F%2E%2E%2Fb",
            "/a.%2Fb",
            "/a%2F..%3Bx",
            "/a//../b",
            "/a//./b",
            "/a/..//b",
            "/a%5Cb%2F",
            "/a\\b//",
            "/a b//",
            "/ż//",
            "/a#b//",
            "/a%00//",
            "/a%252Fb//",
            "/a%2//",
            "/a%EF%BC%8Fb//",
            // Parameters.
            "/a;x%2Fy",
            "/a;x%3By",
            "/a;%B1",
            "/a;..//b",
            "/;x//b",
            "/a/;x//b",
            "/%3Bx",
            "/a%2F%3Bx",
            "/..%3Bx",
            "/.%3Bx",
            "/a.%3Bx",
            "/a%3B..",
            "/a%3B.",
            "/a%3B..%3Bx",
            "/a%3B..;x",
            "/a%3Bx%2Fy",
            // Letters that are not known, or are none.
            "/%B1/a",
            "/.%B1",
            "/.%B1./a",
            "/a.%B1",
            "/a%B1.",
            "/a%3B.%B1.",
            "/a%3B.%C5%BC%3Bb/%B1",
            "/a;.%C5%BC/%B1",
            "/%c0%af",
            "/a%c0%6fb",
            "/%c1%9c",
            "/%e0%80%af",
            "/%f0%80%80%af",
            "/%fc%80%80%80%80%af",
            "/%25%B12f",
            "/%252f%B1",
            "/%B1%5C",
            "/%B1%00",
        ] {
            assert_eq!(read(raw), None, "{raw}");
        }
    }
}
