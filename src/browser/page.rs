//! What came back: an answer, read whole.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, REFRESH};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::form::Form;
use super::html::{self, Document};
use super::policy::Policy;

/// An answer as a browser has it in its window.
#[derive(Clone, Debug)]
pub struct Page {
    /// The address that it came from.
    pub url: Url,
    /// The method that it was asked by.
    pub method: Method,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text; what is not UTF-8 is replaced.
    pub text: String,
    /// What is in it, if it is HTML.
    pub document: Document,
    /// What it says it may do.
    pub policy: Policy,
    /// How long it took.
    pub took: Duration,
}

impl Page {
    pub(super) fn new(
        (method, url): (Method, Url),
        (status, headers): (StatusCode, HeaderMap),
        body: &[u8],
        took: Duration,
    ) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_html = kind.is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/html")
                || kind.eq_ignore_ascii_case("application/xhtml+xml")
        });
        let document = if is_html { html::read(&text) } else { Document::default() };
        let policy = Policy::read(&headers);
        Self { url, method, status, headers, text, document, policy, took }
    }

    /// Returns a header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Resolves an address that stands in the page; the fragment is no part of what is asked for.
    #[must_use]
    pub fn resolve(&self, target: &str) -> Option<Url> {
        let base = self.document.base.as_deref().and_then(|base| self.url.join(base).ok());
        base.as_ref().unwrap_or(&self.url).join(target.trim()).ok()
    }

    /// Returns the form that the page sends by itself, if it does: the one with a message of SAML, or
    /// the only one. A script that sends one of several others is not understood.
    #[must_use]
    pub fn sends_itself(&self) -> Option<&Form> {
        let forms = &self.document.forms;
        let has_message = |form: &&Form| MESSAGES.iter().any(|name| form.value(name).is_some());
        let only = forms.first().filter(|_| forms.len() == 1);
        forms.iter().find(has_message).or(only).filter(|_| self.document.sends_itself)
    }

    /// Returns where the answer redirects (RFC 9110 15.4), if it does.
    #[must_use]
    pub fn redirects_to(&self) -> Option<Url> {
        let is_redirect = matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = self.headers.get(LOCATION).filter(|_| is_redirect)?;
        // Browsers read what is not ASCII as UTF-8.
        self.url.join(String::from_utf8_lossy(location.as_bytes()).trim()).ok()
    }

    /// Returns where the page goes on to at once by itself, by `Refresh` as a header or in the page.
    #[must_use]
    pub fn refreshes_to(&self) -> Option<Url> {
        let header = self.headers.get(REFRESH).and_then(|value| value.to_str().ok());
        let by_header = header.and_then(html::read_refresh);
        let (seconds, target) = by_header.as_ref().or(self.document.refresh.as_ref())?;
        if *seconds > SOON {
            return None;
        }
        self.resolve(target)
    }

    /// Returns where the answer leads by itself.
    #[must_use]
    pub fn leads_to(&self) -> Option<Url> {
        self.redirects_to().or_else(|| self.refreshes_to())
    }

    /// Returns the first link whose target has this in it.
    #[must_use]
    pub fn link_with(&self, part: &str) -> Option<Url> {
        let link = self.document.links.iter().find(|link| link.contains(part))?;
        self.resolve(link)
    }
}

/// The fields with messages of SAML (Bindings 3.5.4, 3.6.3).
const MESSAGES: [&str; 3] = ["SAMLRequest", "SAMLResponse", "SAMLart"];
/// Within how many seconds a refresh is followed.
const SOON: u32 = 5;
