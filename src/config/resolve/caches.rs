//! Answers for one citizen that a rule gives to others: by way of a cache.

use super::context::Context;
use crate::config::file::{Access, Headers, Route};

/// Warns of a rule that lets shared caches keep the answers of a route that knows who asks.
pub(super) fn check(context: &mut Context<'_>, route: &Route, key: &str) {
    if route.access == Access::Public {
        return;
    }
    let Headers { set, add, .. } = &route.response_headers;
    for (list, lines) in [("set", set), ("add", add)] {
        for (index, line) in lines.iter().enumerate() {
            if lets_caches_keep(line) {
                context.warn(
                    &format!("{key}.{list}[{index}]"),
                    "lets a cache on the way give one citizen's answer to others",
                    "write \"Cache-Control: private\" or \"no-store\", or set access = \"public\"",
                );
            }
        }
    }
}

/// Tells whether a line lets shared caches keep an answer (RFC 9111 5.2.2.9 and 5.2.2.10; RFC
/// 9213).
fn lets_caches_keep(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let directives: Vec<_> = value
        .split(',')
        .map(|directive| {
            let name = directive.split('=').next().unwrap_or_default();
            name.trim().to_ascii_lowercase()
        })
        .collect();
    let has = |names: &[&str]| directives.iter().any(|directive| names.contains(&&**directive));
    match name.trim().to_ascii_lowercase().as_str() {
        "cache-control" => has(&["public", "s-maxage"]),
        "cdn-cache-control" | "surrogate-control" => !has(&["private", "no-store"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_lets_shared_caches_keep_an_answer_or_not() {
        for (line, lets) in [
            ("Cache-Control: public", true),
            ("cache-control:max-age=60, PUBLIC", true),
            ("Cache-Control: s-maxage=60", true),
            ("CDN-Cache-Control: max-age=60", true),
            ("Surrogate-Control: max-age=60", true),
            ("Cache-Control: private, max-age=60", false),
            ("Cache-Control: no-store", false),
            ("Cache-Control: max-age=60", false),
            ("CDN-Cache-Control: no-store", false),
            ("X-Cache-Control: public", false),
            ("Vary: public", false),
        ] {
            assert_eq!(lets_caches_keep(line), lets, "{line}");
        }
    }
}
