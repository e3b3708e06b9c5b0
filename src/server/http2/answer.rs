//! What hyper does not ask of an answer over HTTP/2: whether it may have a body at all.

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use hyper::body::Body as _;

use crate::base::body::{self, Body};
use crate::wire::framing;

/// Holds an answer to what its status and the method of its request let it have, as it is held to
/// over HTTP/1.1.
pub(super) fn fit(response: &mut Response<Body>, is_head: bool) {
    let status = response.status();
    if !framing::may_say_length(status) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if framing::has_body(status, is_head) {
        return;
    }
    let body = std::mem::replace(response.body_mut(), body::empty());
    if let Some(length) = framing::counted(status, body.size_hint().exact(), is_head) {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_body_and_a_length_only_where_it_may() {
        for (status, said, is_head, has_body, says) in [
            (200, None, false, true, None),
            (200, None, true, false, Some("4")),
            (200, Some("7"), true, false, Some("7")),
            (404, None, true, false, Some("4")),
            (304, Some("7"), false, false, Some("7")),
            (304, None, true, false, None),
            (204, Some("0"), false, false, None),
            (204, Some("7"), true, false, None),
        ] {
            let mut response = Response::new(body::full("body"));
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            if let Some(said) = said {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(said));
            }
            fit(&mut response, is_head);
            let case = format!("{status} {said:?} {is_head}");
            assert_eq!(!response.body().is_end_stream(), has_body, "{case}");
            let length = response.headers().get(CONTENT_LENGTH).map(|it| it.to_str().unwrap());
            assert_eq!(length, says, "{case}");
        }
    }
}
