//! XML with line ends and indentation, for the eye.
//!
//! What comes out is no XML to work with: white space was added that a signature does not cover.

/// Indents XML; nothing when the bytes are no XML that this understands, or far too much of it.
pub(super) fn pretty(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let mut pieces = Pieces { rest: text };
    let mut shown = String::new();
    let mut depth = 0_usize;
    // Whether text or a start tag came last: then an end tag stays on the line.
    let mut is_leaf = false;
    while let Some(piece) = pieces.next_piece()? {
        if shown.len() > LONGEST {
            shown.push_str("\n…");
            return Some(shown);
        }
        match piece {
            Piece::Start(tag) => {
                line(&mut shown, depth);
                shown.push_str(tag);
                depth += 1;
                is_leaf = true;
                if depth > DEEPEST {
                    return None;
                }
            }
            Piece::End(tag) => {
                depth = depth.checked_sub(1)?;
                if !is_leaf {
                    line(&mut shown, depth);
                }
                shown.push_str(tag);
                is_leaf = false;
            }
            Piece::Alone(tag) => {
                line(&mut shown, depth);
                shown.push_str(tag);
                is_leaf = false;
            }
            Piece::Text(text) if is_leaf => shown.push_str(text.trim()),
            Piece::Text(text) => {
                line(&mut shown, depth);
                shown.push_str(text.trim());
            }
        }
    }
    (depth == 0 && shown.starts_with('<')).then_some(shown)
}

fn line(shown: &mut String, depth: usize) {
    if !shown.is_empty() {
        shown.push('\n');
        shown.extend(std::iter::repeat_n("  ", depth));
    }
}

enum Piece<'t> {
    Start(&'t str),
    End(&'t str),
    /// An empty element, a comment, a declaration.
    Alone(&'t str),
    Text(&'t str),
}

struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Pieces<'t> {
    /// Returns the next piece, if there is one; `None` when it has no end.
    fn next_piece(&mut self) -> Option<Option<Piece<'t>>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        if !self.rest.starts_with('<') {
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            let text = self.take(end);
            // White space between elements is ours to write.
            return if text.trim().is_empty() {
                self.next_piece()
            } else {
                Some(Some(Piece::Text(text)))
            };
        }
        for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
            if self.rest.starts_with(start) {
                let length = self.rest.find(end)? + end.len();
                return Some(Some(Piece::Alone(self.take(length))));
            }
        }
        let length = self.tag_length()?;
        let tag = self.take(length);
        Some(Some(match () {
            () if tag.starts_with("</") => Piece::End(tag),
            () if tag.ends_with("/>") || tag.starts_with("<!") => Piece::Alone(tag),
            () => Piece::Start(tag),
        }))
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        piece
    }

    /// How long the tag is; a quoted value may have `>` in it.
    fn tag_length(&self) -> Option<usize> {
        let mut quote = None;
        for (index, byte) in self.rest.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some(index + 1),
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                _ => {}
            }
        }
        None
    }
}

/// How much is shown, in bytes.
const LONGEST: usize = 128 * 1024;
/// How deep elements may lie in each other.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Nothing is lost but white space between elements, and nothing panics.
        #[test]
        fn whatever_comes_is_shown_or_refused(text in "[<>/!\\-\\[\\]?a\"' é&]{0,60}") {
            if let Some(shown) = pretty(text.as_bytes()) {
                let bare = |text: &str| text.split_whitespace().collect::<String>();
                prop_assert_eq!(bare(&shown), bare(&text));
            }
        }
    }

    #[test]
    fn elements_have_lines_and_text_stays_with_its_element() {
        let xml = b"<?xml version='1.0'?><a x=\"1>2\"><b>text</b><c/>\n <d><e></e></d>mixed</a>";
        let expected = "<?xml version='1.0'?>\n<a x=\"1>2\">\n  <b>text</b>\n  <c/>\n  <d>\n    \
                        <e></e>\n  </d>\n  mixed\n</a>";
        assert_eq!(pretty(xml).as_deref(), Some(expected));
        assert_eq!(pretty(b"<a><!-- <b> --><![CDATA[</a>]]></a>").unwrap().lines().count(), 4);
    }

    #[test]
    fn what_is_no_xml_is_not_indented_and_nothing_is_without_bound() {
        for wrong in ["", "text", "<a", "<a>", "</a>", "<a></a></b>", "<a x='1></a>", "<!-- <a/>"] {
            assert_eq!(pretty(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(pretty(b"\xff<a/>"), None);
        assert_eq!(pretty("<a>".repeat(100_000).as_bytes()), None);
        let wide = format!("<a>{}</a>", "<b/>".repeat(200_000));
        assert!(pretty(wide.as_bytes()).unwrap().len() < LONGEST + 100);
    }
}
