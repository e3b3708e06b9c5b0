//! What an upstream says behind the body of its response.

use bytes::Bytes;
use hyper::body::Frame;

use crate::request::headers::may_be_in_trailer;
use crate::wire::incoming::retain_trailer;

/// Nothing in a trailer speaks in our name.
pub(super) fn clean(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailer) = frame.trailers_mut() {
        retain_trailer(trailer, may_be_in_trailer);
    }
    frame
}
