//! What follows a body.

use http::{HeaderMap, HeaderName};

/// Leaves in a trailer only what may be there.
pub fn retain_trailer(trailer: &mut HeaderMap, may_stay: impl Fn(&HeaderName) -> bool) {
    let refused: Vec<_> = trailer.keys().filter(|name| !may_stay(name)).cloned().collect();
    for name in refused {
        trailer.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_may_not_stay_goes_with_all_its_values() {
        let mut trailer = HeaderMap::new();
        for (name, value) in [("x-sum", "1"), ("cookie", "a"), ("cookie", "b"), ("x-sum", "2")] {
            trailer.append(name, HeaderValue::from_static(value));
        }
        retain_trailer(&mut trailer, |name| name != "cookie");
        let left: Vec<_> =
            trailer.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        assert_eq!(left, ["x-sum: \"1\"", "x-sum: \"2\""]);
    }
}
