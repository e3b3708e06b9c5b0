//! Paths without regard to case, for upstreams that have none.
//!
//! 1. Two spellings are the same when they differ in upper and lower case alone ([`narrow`]).
//! 2. They may be the same to an upstream when a wider rule of Unicode has them so ([`wide`]): `ſ`
//!    and `s`, the sign for kelvin and `k`, `ß` and `ss`. What one rule takes for the same and the
//!    other does not is ambiguous, and no place that is protected is gone past by it.

use std::borrow::Cow;

/// Folds a path as nearly every server does: letter by letter, and none of ASCII with one that is
/// not.
#[must_use]
pub fn narrow(path: &str) -> Cow<'_, str> {
    fold(path, |letter, folded| {
        if letter.is_ascii() {
            return folded.push(letter.to_ascii_lowercase());
        }
        if letter.to_lowercase().any(|lower| lower.is_ascii()) {
            return folded.push(letter);
        }
        folded.extend(letter.to_lowercase());
    })
}

/// Folds a path as the most generous server could.
#[must_use]
pub fn wide(path: &str) -> Cow<'_, str> {
    fold(path, |letter, folded| {
        folded.extend(letter.to_uppercase().flat_map(char::to_lowercase));
    })
}

fn fold(path: &str, letter: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(path);
    }
    let mut folded = String::with_capacity(path.len());
    path.chars().for_each(|next| letter(next, &mut folded));
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_the_same_in_upper_and_lower_case_and_perhaps_some_others() {
        for (one, other, is_same, may_be_same) in [
            ("/admin", "/admin", true, true),
            ("/Admin", "/aDMIN", true, true),
            ("/ŻÓŁW", "/żółw", true, true),
            ("/\u{17f}ub", "/sub", false, true),
            ("/\u{212a}", "/k", false, true),
            ("/\u{130}", "/i", false, false),
            ("/\u{131}", "/i", false, true),
            ("/straße", "/STRASSE", false, true),
            ("/admin", "/admim", false, false),
            ("/ż", "/ó", false, false),
            ("/\u{212a}", "/\u{17f}", false, false),
            ("/a_b", "/A-B", false, false),
        ] {
            assert_eq!(narrow(one) == narrow(other), is_same, "{one} {other}");
            assert_eq!(wide(one) == wide(other), may_be_same, "{one} {other}");
        }
    }

    #[test]
    fn a_path_that_is_folded_already_is_not_copied() {
        for (path, is_copied) in [("/admin-2", false), ("/Admin", true), ("/ż", true)] {
            assert_eq!(matches!(narrow(path), Cow::Owned(_)), is_copied, "{path}");
            assert_eq!(matches!(wide(path), Cow::Owned(_)), is_copied, "{path}");
        }
    }
}
