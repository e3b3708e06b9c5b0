//! What follows a body.

use http::{HeaderMap, HeaderName};

/// Leaves in a trailer only what may be there.
pub fn retain_trailer(trailer: &mut HeaderMap, may_stay: impl Fn(&HeaderName) -> bool) {
    let refused: Vec<_> = trailer.keys().filter(|name| !may_stay(name)).cloned().collect();
    for name in refused {
        trailer.remove(name);
    }
}
