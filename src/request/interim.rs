//! Interim responses of an upstream on their way to a client (RFC 9110 15.2).
//!
//! They wait here from the moment that the task which serves a request has read them until the same
//! task writes them, before the response itself. How many there may be is bounded where they are
//! read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode};

use crate::wire::outgoing;

/// Interim responses that are to be written on a connection of HTTP/1.1.
#[derive(Debug, Default)]
pub struct Interim {
    /// Whether there are any: asked far more often than there are.
    is_there: AtomicBool,
    heads: Mutex<BytesMut>,
}

impl Interim {
    /// Adds one, with fields that were cleaned.
    pub fn put(&self, status: StatusCode, fields: &HeaderMap) {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        // RFC 9110 8.6, RFC 9112 6.1: it has no body of which it could speak.
        let fields =
            fields.iter().filter(|(name, _)| ![CONTENT_LENGTH, TRANSFER_ENCODING].contains(name));
        outgoing::head_alone(&mut heads, status, fields);
        self.is_there.store(true, Ordering::Release);
    }

    /// Takes those that are there, as they are to be written.
    pub fn take(&self) -> Option<BytesMut> {
        if !self.is_there.load(Ordering::Acquire) {
            return None;
        }
        self.is_there.store(false, Ordering::Release);
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut *heads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::LINK;

    #[test]
    fn they_are_taken_once_in_their_order_and_say_nothing_of_a_body() {
        let interim = Interim::default();
        assert!(interim.take().is_none());
        let mut fields = HeaderMap::new();
        interim.put(StatusCode::PROCESSING, &fields);
        fields.insert(LINK, HeaderValue::from_static("</a>; rel=preload"));
        fields.insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
        interim.put(StatusCode::EARLY_HINTS, &fields);
        let expected = "HTTP/1.1 102 Processing\r\n\r\n\
                        HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n";
        assert_eq!(interim.take().unwrap(), expected);
        assert!(interim.take().is_none());
    }
}
