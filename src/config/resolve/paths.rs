//! Paths of routes. A path is a beginning, and nothing in it stands for anything else.
//!
//! What looks like a pattern would match nothing, and the place that it was written for would be as
//! open as the next shorter path. So it is an error, and the message says what to write.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::context::Context;
use crate::request::path::canonical;

/// Reads a path; `None` with a problem.
pub(super) fn read(context: &mut Context<'_>, key: &str, text: &str) -> Option<String> {
    if let Some((what, advice)) = misread(text) {
        context.error(key, what, advice);
        return None;
    }
    match canonical(text) {
        Ok(path) => Some(path.into_owned()),
        Err(error) => {
            let advice = "write a plain path that begins with a slash, such as \"/tax\"";
            context.error(key, error.to_string(), advice);
            None
        }
    }
}

/// Tells what is meant by more than a path, and what to write.
fn misread(text: &str) -> Option<(String, String)> {
    if let Some((at, sign)) = pattern(text) {
        let what = format!(
            "has {sign:?} as in a pattern, and there are none: a path covers itself and everything \
             below it"
        );
        let before = text[..at].trim_start_matches(['^', '~', ' ', '=']);
        let before = before.trim_end_matches(['/', '.', ':', '(', '[']);
        let meant = if before.starts_with('/') {
            format!("write \"{before}\"")
        } else {
            "write one route for each place, such as \"/tax\"".to_owned()
        };
        return Some((what, format!("{meant}{}", literally(sign))));
    }
    if let Some((path, _)) = text.split_once('?') {
        let what = "has a query, and this is a path alone";
        return Some((what.to_owned(), format!("write \"{path}\"{}", literally('?'))));
    }
    if let Some((path, _)) = text.split_once(';') {
        let what = "has a parameter, which no rule sees";
        return Some((what.to_owned(), format!("write \"{path}\"")));
    }
    let is_plain = |letter: char| letter.is_ascii_graphic();
    if text.starts_with('/') && !text.chars().all(|letter| is_plain(letter) || letter.is_control())
    {
        let what = "has letters that stand percent-encoded in the address of a request";
        let encoded = utf8_percent_encode(text, UNSEEN);
        return Some((what.to_owned(), format!("write \"{encoded}\"")));
    }
    None
}

/// How a sign is written that is one of a name.
fn literally(sign: char) -> String {
    if sign == '\\' {
        return String::new();
    }
    format!("; in a name, {sign:?} is written %{:02X}", u32::from(sign))
}

/// Finds the first sign of a pattern: of globs, of regular expressions, of placeholders.
fn pattern(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|&(at, letter)| match letter {
        '*' | '{' | '}' | '(' | ')' | '[' | ']' | '<' | '>' | '|' | '^' | '$' | '\\' => true,
        // `/:id`, and `.+`; elsewhere both are letters of names.
        ':' => text[..at].ends_with('/'),
        '+' => text[..at].ends_with('.'),
        '~' => at == 0,
        _ => false,
    })
}

/// What stands encoded in a path: all but the visible letters of ASCII.
const UNSEEN: &AsciiSet = &CONTROLS.add(b' ');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    /// Reads a path, and tells what was said.
    fn told(text: &str) -> (Option<String>, String) {
        let loaded = load_text("brama.toml", "", std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let path = read(&mut context, "route[0].path", text);
        (path, context.problems.to_string())
    }

    #[test]
    fn a_plain_path_is_read_whatever_letters_its_names_have() {
        for (text, expected) in [
            ("/", "/"),
            ("/admin", "/admin"),
            ("/admin/", "/admin/"),
            ("/v1/things:batch", "/v1/things:batch"),
            ("/c++/~user/@me/a,b=c!d'e", "/c++/~user/@me/a,b=c!d'e"),
            ("/.well-known/a..b", "/.well-known/a..b"),
            // What would be a pattern, as a letter of a name.
            ("/%24metadata", "/$metadata"),
            ("/Foo_%28bar%29", "/Foo_(bar)"),
            ("/a%2A", "/a*"),
            ("/a%3Fb", "/a?b"),
            ("/%C5%BC%C3%B3%C5%82w", "/żółw"),
            ("/a%20b", "/a b"),
        ] {
            let (path, said) = told(text);
            assert_eq!(path.as_deref(), Some(expected), "{said}");
            assert!(said.contains("0 errors, 0 warnings"), "{text}: {said}");
        }
    }

    #[test]
    fn what_looks_like_a_pattern_is_an_error_that_says_what_to_write() {
        let pattern = "a path covers itself and everything below it";
        for (text, parts) in [
            ("/admin/*", [pattern, "write \"/admin\"; in a name, '*' is written %2A"]),
            ("/admin/**", [pattern, "write \"/admin\""]),
            ("/admin*", [pattern, "write \"/admin\""]),
            ("/admin.*", [pattern, "write \"/admin\""]),
            ("/admin/.+", [pattern, "write \"/admin\""]),
            ("/admin$", [pattern, "write \"/admin\"; in a name, '$' is written %24"]),
            ("^/admin", [pattern, "write one route for each place"]),
            ("~ ^/admin", [pattern, "write one route for each place"]),
            ("/users/{id}/edit", [pattern, "write \"/users\""]),
            ("/users/:id", [pattern, "write \"/users\""]),
            ("/users/<int:id>", [pattern, "write \"/users\""]),
            ("/users/[0-9]", [pattern, "write \"/users\""]),
            ("/users/\\d+", [pattern, "write \"/users\""]),
            ("/(a|b)", [pattern, "write one route for each place"]),
            ("/a|/b", [pattern, "write \"/a\""]),
            ("/x?y=z", ["this is a path alone", "write \"/x\"; in a name, '?' is written %3F"]),
            ("/colou?r", ["this is a path alone", "write \"/colou\""]),
            ("/tax;v=1", ["which no rule sees", "write \"/tax\""]),
            ("/żółw", ["percent-encoded", "write \"/%C5%BC%C3%B3%C5%82w\""]),
            ("/a b", ["percent-encoded", "write \"/a%20b\""]),
            ("tax", ["does not begin with a slash", "such as \"/tax\""]),
            ("", ["does not begin with a slash", "such as \"/tax\""]),
            ("/a//b", ["empty segment", "a plain path"]),
            ("/a/../b", ["dot segment", "a plain path"]),
            ("/a#b", ["ambiguous", "a plain path"]),
        ] {
            let (path, said) = told(text);
            assert_eq!(path, None, "{text}");
            for part in parts {
                assert!(said.contains(part), "{text}: {part} is not in\n{said}");
            }
            assert!(said.contains("1 error, 0 warnings"), "{text}: {said}");
        }
    }
}
