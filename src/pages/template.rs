//! A text of the operator with places for what only a request knows, such as
//! `Zadzwoń i podaj {number}.`
//!
//! Plain text: no HTML, no conditions. `{{` and `}}` stand for the braces themselves.

use thiserror::Error;

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Portal,
    Reason,
    Number,
}

/// What is put in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'v> {
    pub(super) portal: &'v str,
    pub(super) reason: &'v str,
    pub(super) number: &'v str,
}

/// Why a text is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// A place that there is not.
    #[error("has {{{0}}}, and there are {{portal}}, {{reason}} and {{number}}")]
    Unknown(String),
    /// A brace without its other half.
    #[error("has a brace without its other half; a brace itself is written twice")]
    Brace,
    /// Nothing, or too much of it.
    #[error("is empty or longer than {0} characters")]
    Length(usize),
    /// Something that is no text.
    #[error("has a control character")]
    Control,
}

impl Template {
    /// Reads a text of at most so many characters.
    ///
    /// # Errors
    /// When it is empty, too long or not plain, or has places that there are not.
    pub fn parse(text: &str, most: usize) -> Result<Self, TemplateError> {
        // Lines may be broken in the file; a paragraph has none.
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.chars().count() > most {
            return Err(TemplateError::Length(most));
        }
        if text.chars().any(is_control) {
            return Err(TemplateError::Control);
        }
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text.as_str());
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (name, after) = inside.ok_or(TemplateError::Brace)?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(match name {
                "portal" => Piece::Portal,
                "reason" => Piece::Reason,
                "number" => Piece::Number,
                _ => return Err(TemplateError::Unknown(name.chars().take(40).collect())),
            });
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// Tells whether it names what only an incident has: a reason, or a number.
    #[must_use]
    pub fn is_of_an_incident(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Reason | Piece::Number))
    }

    pub(super) fn filled(&self, values: Values<'_>) -> String {
        let piece = |piece| match piece {
            &Piece::Portal => values.portal,
            &Piece::Reason => values.reason,
            &Piece::Number => values.number,
            Piece::Text(text) => text,
        };
        self.0.iter().map(piece).collect()
    }
}

/// Tells whether a character is none that is read: controls, and those that turn the direction of
/// the text around them (Unicode UAX 9).
#[must_use]
pub fn is_control(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> =
        Values { portal: "Urząd", reason: "login.cancelled", number: "K7Q2MXPA" };

    #[test]
    fn puts_in_what_is_known() {
        for (text, expected) in [
            ("Zadzwoń.", "Zadzwoń."),
            ("{portal}: podaj {number} ({reason}).", "Urząd: podaj K7Q2MXPA (login.cancelled)."),
            ("{{portal}} {number}{number}", "{portal} K7Q2MXPAK7Q2MXPA"),
            ("  two\n   lines ", "two lines"),
        ] {
            assert_eq!(Template::parse(text, 200).unwrap().filled(VALUES), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_put_in_is_not_read_again() {
        let portal = Values { portal: "{number}", ..VALUES };
        assert_eq!(Template::parse("{portal}", 20).unwrap().filled(portal), "{number}");
    }

    #[test]
    fn refuses_what_cannot_be_filled_in_or_read() {
        use TemplateError::{Brace, Control, Length, Unknown};
        for (text, expected) in [
            ("", Length(9)),
            (" \n ", Length(9)),
            ("żżżżżżżżżż", Length(9)),
            ("{name}", Unknown("name".to_owned())),
            ("{}", Unknown(String::new())),
            ("{ portal}", Unknown(" portal".to_owned())),
            ("{portal", Brace),
            ("a } b", Brace),
            ("{", Brace),
            ("a\u{0}b", Control),
            ("a\u{202e}b", Control),
        ] {
            assert_eq!(Template::parse(text, 9), Err(expected), "{text:?}");
        }
    }
}
