//! What the authority asks to see that we answer at our names: http-01 (RFC 8555, 8.3).
//!
//! The answer is made of what is asked and of the account's key, nothing else. So every replica
//! answers, whichever ordered, and nothing is kept for it. Whoever else asks learns the thumbprint of
//! the account's key, which is public, and can do nothing with it: only the account can order.

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response};

use crate::base::body::{Body, full};

/// What is answered with, as soon as there is an account.
#[derive(Debug, Default)]
pub(in crate::app) struct Challenges(ArcSwapOption<String>);

/// Where the authority asks.
const PLACE: &str = "/.well-known/acme-challenge/";
/// The most letters of a token. It has at least 22 (RFC 8555, 8.3); authorities take 43.
const LONGEST: usize = 128;

impl Challenges {
    /// Answers with the thumbprint of this account's key from now on.
    pub(super) fn answer_with(&self, thumbprint: &str) {
        if self.0.load().as_ref().is_none_or(|known| **known != thumbprint) {
            self.0.store(Some(thumbprint.to_owned().into()));
        }
    }

    /// Answers, when it is the authority's question.
    pub(in crate::app) fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        let token = path.strip_prefix(PLACE).filter(|_| method == Method::GET)?;
        let thumbprint = self.0.load_full()?;
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(is_letter) {
            return None;
        }
        let mut response = Response::new(full(Bytes::from(format!("{token}.{thumbprint}"))));
        let headers = response.headers_mut();
        // No browser shows it: what a stranger put into the path stands in it.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }
}

/// Tells whether a byte is a letter of base64url, of which tokens are made.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn the_authority_is_answered_and_nobody_else() {
        let (challenges, path) =
            (Challenges::default(), format!("{PLACE}evaGxfADs6pSRb2LAv9IZf17Dt3"));
        assert!(challenges.answer(&Method::GET, &path).is_none(), "there is no account yet");
        challenges.answer_with("first");
        challenges.answer_with("9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI");
        let answer = challenges.answer(&Method::GET, &path).unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/octet-stream");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let said = "evaGxfADs6pSRb2LAv9IZf17Dt3.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
        assert_eq!(body, said);
        for other in ["", "a/b", "a.b", "a%41", "<script>", "..", "a b", &"a".repeat(LONGEST + 1)] {
            assert!(
                challenges.answer(&Method::GET, &format!("{PLACE}{other}")).is_none(),
                "{other}"
            );
        }
        for place in ["/", "/.well-known/acme-challenge", "/x/.well-known/acme-challenge/abc"] {
            assert!(challenges.answer(&Method::GET, place).is_none(), "{place}");
        }
        assert!(challenges.answer(&Method::POST, &path).is_none());
    }
}
