//! The cookies of a request over HTTP/2, which come in crumbs.

use bytes::{BufMut, BytesMut};
use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};

/// Puts cookies that a client sent as several fields into one, before fields are counted or read
/// (RFC 9113 8.2.3). Browsers send a field for each, so that the next request need not repeat
/// those that stayed.
pub(super) fn join(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs = headers.get_all(COOKIE);
    let mut joined = BytesMut::with_capacity(crumbs.iter().map(|crumb| crumb.len() + 2).sum());
    for crumb in crumbs {
        // White space around one is refused later, and must still be seen then.
        if crumb.as_bytes().trim_ascii().len() < crumb.len() {
            return;
        }
        if !joined.is_empty() {
            joined.put_slice(b"; ");
        }
        joined.put_slice(crumb.as_bytes());
    }
    if let (Ok(joined), Entry::Occupied(mut field)) =
        (HeaderValue::from_maybe_shared(joined.freeze()), headers.entry(COOKIE))
    {
        field.insert(joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_become_one_field_in_their_order() {
        for (crumbs, expected) in [
            (&[][..], &[][..]),
            (&["a=1"], &["a=1"]),
            (&["a=1", "b=2; c=3", "a=4"], &["a=1; b=2; c=3; a=4"]),
            // It is not hidden what is to be refused.
            (&["a=1", "b=2 "], &["a=1", "b=2 "]),
        ] {
            let mut headers = HeaderMap::new();
            for crumb in crumbs {
                headers.append(COOKIE, HeaderValue::from_static(crumb));
            }
            join(&mut headers);
            let joined: Vec<_> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(joined, expected);
        }
    }
}
