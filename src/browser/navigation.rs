//! How the page in a window changes: what is asked for, who causes it, and the headers that browsers
//! send with it (Fetch 3 and 4; Fetch Metadata).

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, ORIGIN, REFERER, UPGRADE_INSECURE_REQUESTS, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::form::encode;
use super::page::Page;
use super::policy::Policy;
use super::settings::Settings;
use super::site::{is_same_site, is_trustworthy};
use crate::base::foreign::Foreign;

/// Who causes a navigation.
#[derive(Clone, Debug)]
pub(super) enum Initiator {
    /// A person, by typing an address.
    Person,
    /// A page, by a link, a form or a refresh.
    Page { url: Box<Url>, policy: Policy, by_person: bool },
}

impl Initiator {
    pub(super) fn page(page: &Page, by_person: bool) -> Self {
        Self::Page { url: Box::new(page.url.clone()), policy: page.policy.clone(), by_person }
    }
}

/// How far a request comes from (`Sec-Fetch-Site`); over redirects the farthest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    None,
    SameOrigin,
    SameSite,
    CrossSite,
}

/// A page that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Navigation {
    pub(super) method: Method,
    pub(super) url: Url,
    fields: Option<Vec<(String, String)>>,
    initiator: Initiator,
    relation: Relation,
    /// A redirect led from one origin to another, so that the `Origin` says no more.
    is_tainted: bool,
}

impl Navigation {
    pub(super) fn get(url: Url, initiator: Initiator) -> Self {
        Self::new(Method::GET, url, None, initiator)
    }

    pub(super) fn form(
        mut url: Url,
        is_post: bool,
        fields: &[(String, String)],
        initiator: Initiator,
    ) -> Self {
        if is_post {
            return Self::new(Method::POST, url, Some(fields.to_vec()), initiator);
        }
        // HTML, "mutate action URL": the fields take the place of the query.
        url.set_query(Some(&encode(fields)));
        Self::get(url, initiator)
    }

    fn new(
        method: Method,
        url: Url,
        fields: Option<Vec<(String, String)>>,
        initiator: Initiator,
    ) -> Self {
        let relation = match &initiator {
            Initiator::Person => Relation::None,
            Initiator::Page { policy, .. } if policy.is_sandboxed => Relation::CrossSite,
            Initiator::Page { url: page, .. } => relation(page, &url),
        };
        Self { method, url, fields, initiator, relation, is_tainted: false }
    }

    /// Fetch 4.4, "HTTP-redirect fetch".
    pub(super) fn redirected(mut self, page: &Page, mut to: Url) -> Self {
        let status = page.status.as_u16();
        let is_post = self.method == Method::POST;
        if matches!(status, 301 | 302) && is_post
            || status == 303 && !matches!(self.method, Method::GET | Method::HEAD)
        {
            (self.method, self.fields) = (Method::GET, None);
        }
        if to.fragment().is_none() {
            to.set_fragment(self.url.fragment());
        }
        if let Initiator::Page { url, policy, .. } = &mut self.initiator {
            let is_left = self.url.origin() != to.origin();
            self.is_tainted |= is_left && self.url.origin() != url.origin();
            if page.headers.contains_key(http::header::REFERRER_POLICY) {
                policy.take_referrer(&page.policy);
            }
            self.relation = self.relation.max(relation(url, &to));
        } else {
            self.relation = Relation::None;
        }
        self.url = to;
        self
    }

    /// Tells whether cookies of the own site go along whatever their `SameSite` says.
    pub(super) fn is_same_site(&self) -> bool {
        self.relation != Relation::CrossSite
    }

    pub(super) fn body(&self) -> Bytes {
        self.fields.as_ref().map(|fields| encode(fields).into()).unwrap_or_default()
    }

    pub(super) fn field_names(&self) -> Vec<Foreign> {
        self.fields.iter().flatten().map(|(name, _)| Foreign::new(name)).collect()
    }

    pub(super) fn headers(&self, settings: &Settings) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, settings.user_agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(NAVIGATION_ACCEPT));
        headers.insert(ACCEPT_LANGUAGE, settings.accept_language.clone());
        headers.insert(UPGRADE_INSECURE_REQUESTS, HeaderValue::from_static("1"));
        if self.fields.is_some() {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, form);
        }
        let mut by_person = true;
        if let Initiator::Page { url, policy, by_person: person } = &self.initiator {
            by_person = *person;
            let referrer = policy.referrer(url, &self.url).filter(|_| !policy.is_sandboxed);
            headers.extend(referrer.and_then(|value| Some((REFERER, value.try_into().ok()?))));
            if self.method != Method::GET {
                let origin =
                    if self.is_tainted { "null".to_owned() } else { policy.origin(url, &self.url) };
                headers.extend(HeaderValue::try_from(origin).ok().map(|value| (ORIGIN, value)));
            }
        }
        if is_trustworthy(&self.url) {
            let site = match self.relation {
                Relation::None => "none",
                Relation::SameOrigin => "same-origin",
                Relation::SameSite => "same-site",
                Relation::CrossSite => "cross-site",
            };
            add_metadata(&mut headers, [site, "navigate", "document"]);
            if by_person {
                let user = HeaderName::from_static("sec-fetch-user");
                headers.insert(user, HeaderValue::from_static("?1"));
            }
        }
        headers
    }
}

/// The headers of a request that a script of the same origin makes.
pub(super) fn fetch_headers(url: &Url, method: &Method) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if !method.is_safe()
        && let Ok(origin) = HeaderValue::try_from(url.origin().ascii_serialization())
    {
        headers.insert(ORIGIN, origin);
    }
    if is_trustworthy(url) {
        add_metadata(&mut headers, ["same-origin", "cors", "empty"]);
    }
    headers
}

fn add_metadata(headers: &mut HeaderMap, [site, mode, destination]: [&'static str; 3]) {
    for (name, value) in
        [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

fn relation(one: &Url, other: &Url) -> Relation {
    if one.origin() == other.origin() {
        Relation::SameOrigin
    } else if is_same_site(one, other) {
        Relation::SameSite
    } else {
        Relation::CrossSite
    }
}

const NAVIGATION_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
