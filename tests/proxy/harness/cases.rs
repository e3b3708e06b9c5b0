//! Tables of cases: one paragraph each, in a file of its own kind.
//!
//! ```text
//! # a name that says what is special about it
//! > POST /x HTTP/1.1            a line that the client sends, with CRLF at its end
//! >> 5\r\nhello                 exactly these bytes
//! = 400 request.framing         what must come of it
//! ```
//!
//! `<` and `<<` are the same for a server. Bytes that cannot be seen are written `\r`, `\n`, `\t`,
//! `\0`, `\xFF`, and a backslash `\\`. `{a*9000}` is nine thousand times `a`. A line that begins
//! with `//` is a remark.

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What must come of it, each line in its words.
    pub(crate) expected: Vec<String>,
}

/// Reads a table.
pub(crate) fn read(table: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in table.lines().enumerate() {
        let wrong = || -> ! { panic!("line {}: {line:?} is none of a table", number + 1) };
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        if mark == "#" {
            let (bytes, expected) = (Vec::new(), Vec::new());
            cases.push(Case { name: rest.to_owned(), bytes, expected });
            continue;
        }
        let Some(case) = cases.last_mut() else { wrong() };
        match mark {
            ">" | "<" => {
                case.bytes.extend(unescape(rest));
                case.bytes.extend(b"\r\n");
            }
            ">>" | "<<" => case.bytes.extend(unescape(rest)),
            "=" => case.expected.push(rest.to_owned()),
            _ => wrong(),
        }
    }
    for case in &cases {
        assert!(!case.expected.is_empty(), "case {:?} expects nothing", case.name);
        let same = cases.iter().filter(|other| other.name == case.name).count();
        assert_eq!(same, 1, "two cases are called {:?}", case.name);
    }
    cases
}

/// Returns the bytes that a text of a table stands for.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((repeated, after)) = repetition(rest) {
            bytes.extend(repeated);
            rest = after;
            continue;
        }
        let mut taken = first.len_utf8();
        if first == '\\' {
            let (byte, length) = escape(&rest[1..]);
            bytes.push(byte);
            taken += length;
        } else {
            bytes.extend(rest[..taken].bytes());
        }
        rest = &rest[taken..];
    }
    bytes
}

/// Reads `{text*count}` at the beginning.
fn repetition(text: &str) -> Option<(Vec<u8>, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    let (repeated, count) = inside.rsplit_once('*')?;
    Some((unescape(repeated).repeat(count.parse().ok()?), after))
}

/// Reads what follows a backslash: the byte, and how many letters it took.
fn escape(text: &str) -> (u8, usize) {
    match text.as_bytes() {
        [b'r', ..] => (b'\r', 1),
        [b'n', ..] => (b'\n', 1),
        [b't', ..] => (b'\t', 1),
        [b'0', ..] => (0, 1),
        [b'\\', ..] => (b'\\', 1),
        [b'x', ..] => {
            let digits = text.get(1..3).unwrap_or_default();
            (u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("escape {text:?}")), 3)
        }
        _ => panic!("escape {text:?}"),
    }
}

#[test]
fn a_table_says_which_bytes_and_what_comes_of_them() {
    let cases =
        read("// remark\n# one\n> GET / HTTP/1.1\n>> a\\x00{b\\r*2}\\\\\n= 200\n= body x\n");
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].bytes, b"GET / HTTP/1.1\r\na\x00b\rb\r\\");
    assert_eq!(cases[0].expected, ["200", "body x"]);
}
