//! A headless browser, as far as a sign-in needs one: for examinations of our own gateway and of
//! service providers, never for anything that decides who somebody is.
//!
//! 1. Cookies are kept and sent by RFC 6265bis ([`jar`]): host, path, Secure, SameSite, prefixes.
//! 2. Redirects change methods as Fetch says; `Refresh` and pages that send themselves are followed,
//!    each step at most [`settings::Bounds`] often.
//! 3. A page's own policy holds ([`policy`]): where its forms may go, and what `Referer` and `Origin`
//!    say. No script runs; a page whose script sends its form is known by that.
//! 4. Everything is recorded ([`record`]), without any value that could be a secret.
//!
//! What could break it: pages that need script for more than to send a form, and forms that are sent
//! as `multipart/form-data`. Both are said.

pub mod error;
pub mod form;
pub mod html;
pub mod jar;
pub mod page;
pub mod policy;
pub mod record;
pub mod settings;
pub mod site;

mod cookie_date;
mod navigation;
mod send;
mod set_cookie;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use url::Url;

pub use self::error::Error;
pub use self::form::Form;
use self::jar::{Asking, Jar};
use self::navigation::{Initiator, Navigation};
pub use self::page::Page;
use self::record::{Step, shown};
pub use self::set_cookie::SameSite;
pub use self::settings::Settings;
use crate::base::causes::in_one_line;
use crate::base::clock::SharedClock;
use crate::base::foreign::Foreign;

/// A browser with one window.
#[derive(Clone)]
pub struct Browser {
    settings: Arc<Settings>,
    clock: SharedClock,
    /// Its cookies.
    pub jar: Jar,
    steps: Vec<Step>,
    stops_before: Option<Place>,
}

/// Where a browser stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This page, whatever its query is.
    Page(Url),
    /// Whatever a host serves.
    Host(String),
}

impl Place {
    fn has(&self, url: &Url) -> bool {
        match self {
            Self::Page(page) => page.origin() == url.origin() && page.path() == url.path(),
            Self::Host(host) => url.host_str() == Some(host),
        }
    }
}

impl Browser {
    /// Makes a browser without cookies. Cookies end by `clock`.
    #[must_use]
    pub fn new(settings: Arc<Settings>, clock: SharedClock) -> Self {
        Self { settings, clock, jar: Jar::default(), steps: Vec::new(), stops_before: None }
    }

    /// From now on it stops before it would follow to that place: what it returns then is what leads
    /// there.
    pub fn stop_before(&mut self, place: Option<Place>) {
        self.stops_before = place;
    }

    /// What was done so far.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Types an address.
    ///
    /// # Errors
    /// When there is no answer, or it leads on without end.
    pub async fn open(&mut self, url: &Url) -> Result<Page, Error> {
        self.navigate(Navigation::get(url.clone(), Initiator::Person)).await
    }

    /// Goes to an address as a link of a page does.
    ///
    /// # Errors
    /// When there is no answer, or it leads on without end.
    pub async fn follow(&mut self, page: &Page, url: &Url) -> Result<Page, Error> {
        self.navigate(Navigation::get(url.clone(), Initiator::page(page, true))).await
    }

    /// Sends a form of a page as a person does who filled in values: those take the place of what
    /// stands there.
    ///
    /// # Errors
    /// When the page's policy forbids it, there is no answer, or it leads on without end.
    pub async fn submit(
        &mut self,
        page: &Page,
        form: &Form,
        values: &[(&str, &str)],
    ) -> Result<Page, Error> {
        self.send_form(page, form, &form.filled(values), true).await
    }

    /// Goes on as long as pages send themselves.
    ///
    /// # Errors
    /// As [`Browser::submit`].
    pub async fn settle(&mut self, mut page: Page) -> Result<Page, Error> {
        for _ in 0..=self.settings.bounds.redirects {
            let Some(form) = page.sends_itself() else { return Ok(page) };
            let target = page.resolve(&form.action);
            if target.is_some_and(|target| self.is_stop(&target)) {
                return Ok(page);
            }
            page = self.send_form(&page, form, &form.filled(&[]), false).await?;
        }
        Err(Error::TooManyRedirects(self.settings.bounds.redirects))
    }

    /// Asks for an address as a script of that address's own pages does: with cookies, and following
    /// nothing. Headers of the caller come in place of those of the browser.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn fetch(
        &mut self,
        method: Method,
        url: &Url,
        headers: &[(HeaderName, HeaderValue)],
        body: impl Into<Bytes>,
    ) -> Result<Page, Error> {
        let mut own = navigation::fetch_headers(url, &method);
        for (name, _) in headers {
            own.remove(name);
        }
        for (name, value) in headers {
            own.append(name, value.clone());
        }
        let asking = Asking { is_same_site: true, is_navigation: false, method: &method };
        self.step(&method, url, own, (body.into(), Vec::new()), asking).await
    }

    async fn send_form(
        &mut self,
        page: &Page,
        form: &Form,
        fields: &[(String, String)],
        by_person: bool,
    ) -> Result<Page, Error> {
        let target = if form.action.trim().is_empty() {
            Some(page.url.clone())
        } else {
            page.resolve(&form.action)
        };
        let target = target.ok_or_else(|| Error::Address(Foreign::new(&form.action)))?;
        if form.is_multipart && form.is_post {
            return Err(Error::Multipart);
        }
        if !page.policy.allows_form(&page.url, &target) {
            return Err(Error::Blocked(Foreign::new(&shown(&target))));
        }
        let initiator = Initiator::page(page, by_person);
        self.navigate(Navigation::form(target, form.is_post, fields, initiator)).await
    }

    /// Fetch 4.4 and HTML "navigate", as far as a window with one page needs them.
    async fn navigate(&mut self, mut navigation: Navigation) -> Result<Page, Error> {
        for _ in 0..=self.settings.bounds.redirects {
            let url = navigation.url.clone();
            if !matches!(url.scheme(), "http" | "https") {
                return Err(Error::Address(Foreign::new(url.as_str())));
            }
            let headers = navigation.headers(&self.settings);
            let method = navigation.method.clone();
            let asking = Asking {
                is_same_site: navigation.is_same_site(),
                is_navigation: true,
                method: &method,
            };
            let body = (navigation.body(), navigation.field_names());
            let page = self.step(&method, &url, headers, body, asking).await?;
            let next = match (page.redirects_to(), page.refreshes_to()) {
                (Some(to), _) => navigation.redirected(&page, to),
                (None, Some(to)) => Navigation::get(to, Initiator::page(&page, false)),
                (None, None) => return Ok(page),
            };
            if self.is_stop(&next.url) {
                return Ok(page);
            }
            navigation = next;
        }
        Err(Error::TooManyRedirects(self.settings.bounds.redirects))
    }

    fn is_stop(&self, url: &Url) -> bool {
        self.stops_before.as_ref().is_some_and(|place| place.has(url))
    }

    /// One request with its cookies, and the record of it.
    async fn step(
        &mut self,
        method: &Method,
        url: &Url,
        mut headers: HeaderMap,
        (body, fields): (Bytes, Vec<Foreign>),
        asking: Asking<'_>,
    ) -> Result<Page, Error> {
        if self.steps.len() >= self.settings.bounds.steps {
            return Err(Error::TooManySteps(self.settings.bounds.steps));
        }
        let cookies = self.jar.header(url, asking, self.clock.now());
        let mut step = Step {
            method: method.clone(),
            address: shown(url),
            fields,
            cookies: cookies.as_deref().map(cookie_names).unwrap_or_default(),
            status: None,
            leads_to: None,
            kept: Vec::new(),
            rejected: Vec::new(),
            error: None,
            took: std::time::Duration::ZERO,
        };
        if let Some(value) = cookies.and_then(|cookies| HeaderValue::try_from(cookies).ok()) {
            headers.insert(COOKIE, value);
        }
        let began = Instant::now();
        let request = request(method, url, headers, body);
        let answer = match request {
            Ok(request) => Box::pin(send::send(&self.settings, url, request)).await,
            Err(error) => Err(error),
        };
        step.took = began.elapsed();
        match answer {
            Ok((status, headers, body)) => {
                step.status = Some(status);
                self.keep_cookies(url, &headers, asking, &mut step);
                let asked = (method.clone(), url.clone());
                let page = Page::new(asked, (status, headers), &body, step.took);
                step.leads_to = page.leads_to().as_ref().map(shown);
                self.steps.push(step);
                Ok(page)
            }
            Err(error) => {
                step.error = Some(Foreign::new(&in_one_line(&error)).to_string());
                self.steps.push(step);
                Err(error)
            }
        }
    }

    fn keep_cookies(
        &mut self,
        url: &Url,
        headers: &HeaderMap,
        asking: Asking<'_>,
        step: &mut Step,
    ) {
        let now = self.clock.now();
        for value in headers.get_all(SET_COOKIE) {
            let header = String::from_utf8_lossy(value.as_bytes());
            let name = Foreign::new(header.split(['=', ';']).next().unwrap_or_default());
            match self.jar.keep(&header, url, asking, now) {
                Ok(()) => step.kept.push(name),
                Err(rejection) => step.rejected.push((name, rejection)),
            }
        }
    }
}

fn request(
    method: &Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Error> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::builder().method(method).uri(target);
    if !headers.contains_key(HOST) {
        request = request.header(HOST, send::authority(url));
    }
    if body.is_empty() && !matches!(*method, Method::POST | Method::PUT) {
        headers.remove(CONTENT_TYPE);
    }
    let mut request = request.body(Full::new(body)).map_err(Error::Request)?;
    request.headers_mut().extend(headers);
    Ok(request)
}

fn cookie_names(header: &str) -> Vec<Foreign> {
    let names = header.split("; ").map(|pair| pair.split('=').next().unwrap_or_default());
    names.map(Foreign::new).collect()
}
