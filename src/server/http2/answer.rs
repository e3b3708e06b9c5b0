//! The head of an answer as HTTP/2 has it: nothing of the connection, a date, and a body and a
//! length only where they may be.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use hyper::body::Body as _;

use crate::base::body::{self, Body};
use crate::base::clock::http_date;
use crate::request::service::ServiceResponse;
use crate::wire::framing;

/// Holds an answer to what HTTP/2, its status and the method of its request let it have, as it is
/// held to over HTTP/1.1.
pub(super) fn fit(mut answer: ServiceResponse, is_head: bool) -> Response<Body> {
    // What an upstream said of its connection is not among the fields any more.
    remove_connection(answer.response.headers_mut());
    let mut response = answer.into_response();
    let status = response.status();
    let exact = response.body().size_hint().exact();
    if !framing::has_body(status, is_head) {
        *response.body_mut() = body::empty();
    }
    let headers = response.headers_mut();
    add_date(headers);
    if !framing::may_say_length(status) {
        headers.remove(CONTENT_LENGTH);
    }
    if let Some(length) = framing::counted(status, exact, is_head) {
        headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    response
}

/// Says when it is answered, unless an upstream did (RFC 9110 6.6.1).
pub(super) fn add_date(headers: &mut HeaderMap) {
    if !headers.contains_key(DATE) {
        headers.extend(HeaderValue::try_from(http_date()).ok().map(|date| (DATE, date)));
    }
}

/// Removes what speaks of a connection (RFC 9113 8.2.2).
pub(super) fn remove_connection(headers: &mut HeaderMap) {
    if headers.is_empty() {
        return;
    }
    for name in &CONNECTION_FIELDS {
        headers.remove(name);
    }
}

static CONNECTION_FIELDS: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(response: Response<Body>, is_head: bool) -> Response<Body> {
        fit(response.into(), is_head)
    }

    #[test]
    fn an_answer_has_a_body_and_a_length_only_where_it_may() {
        for (status, said, is_head, has_body, says) in [
            (200, None, false, true, Some("4")),
            (200, Some("7"), false, true, Some("7")),
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
            let response = fitted(response, is_head);
            let case = format!("{status} {said:?} {is_head}");
            assert_eq!(!response.body().is_end_stream(), has_body, "{case}");
            let length = response.headers().get(CONTENT_LENGTH).map(|it| it.to_str().unwrap());
            assert_eq!(length, says, "{case}");
        }
    }

    #[test]
    fn an_answer_has_one_date_and_nothing_of_the_connection() {
        for said in [None, Some("Thu, 01 Jan 1970 00:00:00 GMT")] {
            let mut response = Response::new(body::full("body"));
            let headers = response.headers_mut();
            headers.extend(said.map(|date| (DATE, HeaderValue::from_static(date))));
            for name in &CONNECTION_FIELDS {
                headers.insert(name, HeaderValue::from_static("close"));
            }
            let response = fitted(response, false);
            let dates: Vec<_> = response.headers().get_all(DATE).iter().collect();
            assert_eq!(dates.len(), 1);
            assert!(said.is_none_or(|said| dates[0] == said));
            assert_eq!(response.headers().len(), 2, "{:?}", response.headers());
        }
    }
}
