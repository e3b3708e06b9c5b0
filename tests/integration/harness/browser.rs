//! A browser: cookies with their SameSite rule, forms, redirects. It checks on every answer what
//! must always hold, so each test does without saying so.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

/// A browser on the portal's side; the simulator is another site to it.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    /// The portal that the citizen looks at.
    origin: String,
    /// All portals, and where hosts with a name of their own are found: something in front has
    /// taken TLS off.
    portals: Vec<String>,
    gateway: Option<SocketAddr>,
    /// By host: browsers do not tell ports apart.
    jars: BTreeMap<String, BTreeMap<String, String>>,
    /// What is not followed when an address has it in it.
    stops_before: Option<&'static str>,
    /// What a proxy in front of the portal adds to every request.
    edge: Vec<(&'static str, String)>,
}

/// The value of a session cookie, to be carried elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionCookie(pub(crate) String);

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// What the node's last page would send to the portal.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) acs: Url,
    pub(crate) method: Method,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(origin: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            client,
            origin: origin.to_owned(),
            portals: vec![origin.to_owned()],
            gateway: None,
            jars: BTreeMap::new(),
            stops_before: None,
            edge: Vec::new(),
        }
    }

    /// Knows several portals behind one gateway, and looks at the first.
    pub(crate) fn of_portals(portals: &[String], gateway: SocketAddr) -> Self {
        let gateway = Some(gateway);
        Self { portals: portals.to_vec(), gateway, ..Self::new(&portals[0]) }
    }

    /// Looks at another portal.
    pub(crate) fn at(&mut self, origin: &str) -> &mut Self {
        assert!(self.portals.iter().any(|portal| portal == origin), "{origin} is a portal");
        origin.clone_into(&mut self.origin);
        self
    }

    /// From now on stops before it would follow to an address that has this in it.
    pub(crate) fn stops_before(&mut self, part: impl Into<Option<&'static str>>) -> &mut Self {
        self.stops_before = part.into();
        self
    }

    /// From now on a proxy in front of the portal says this of every request.
    pub(crate) fn edge_says(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.edge.push((name, value.to_owned()));
        self
    }

    /// Types a whole address.
    pub(crate) async fn visit(&mut self, url: &Url) -> Answer {
        self.follow(Method::GET, url.as_str(), &[], SameSite::Yes).await
    }

    fn jar(&mut self, url: &str) -> &mut BTreeMap<String, String> {
        let url = Url::parse(url).unwrap();
        self.jars.entry(url.host_str().unwrap().to_owned()).or_default()
    }

    fn cookies(&self) -> Option<&BTreeMap<String, String>> {
        self.jars.get(Url::parse(&self.origin).unwrap().host_str().unwrap())
    }

    /// Opens a page of the portal by typing its address.
    pub(crate) async fn open(&mut self, path: &str) -> Answer {
        self.follow(Method::GET, &format!("{}{path}", self.origin), &[], SameSite::Yes).await
    }

    /// Fetches as a script of a page does.
    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        self.fetch_with(Method::GET, path, &[("accept", "application/json")], "").await
    }

    /// Sends any request to the portal, as a program, with the browser's cookies.
    pub(crate) async fn fetch_with(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let url = Url::parse(&format!("{}{path}", self.origin)).unwrap();
        self.send(method, url, headers, body.to_owned(), SameSite::Yes).await
    }

    /// Sends a form of a page of the portal.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<_> =
            fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.follow(Method::POST, &format!("{}{path}", self.origin), &fields, SameSite::Yes).await
    }

    /// Sends a form of whatever type and bytes as a navigation from a page of that site
    /// (`same-origin`, `cross-site`), with the browser's cookies, and follows nothing.
    pub(crate) async fn send_form(
        &mut self,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
        site: &str,
    ) -> Answer {
        let referer = format!("{}/written/here", self.origin);
        let headers = [
            ("accept", "text/html"),
            ("accept-language", "en"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", site),
            ("content-type", content_type),
            ("referer", &referer),
        ];
        let url = Url::parse(&format!("{}{path}", self.origin)).unwrap();
        self.send(Method::POST, url, &headers, body, SameSite::Yes).await
    }

    /// Goes through the whole login as a person, and ends where the portal leads.
    pub(crate) async fn sign_in(&mut self, path: &str, person: &str) -> Answer {
        let delivery = self.reach_node(path, person, &[]).await;
        self.deliver(&delivery).await
    }

    /// Goes to the node, chooses a person, and stops before the node's page is sent on.
    pub(crate) async fn reach_node(
        &mut self,
        path: &str,
        person: &str,
        choices: &[(&str, &str)],
    ) -> Delivery {
        let page = self.open(path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        self.choose(&page, person, choices).await
    }

    /// From the page that leads to the node to the page that leads back.
    pub(crate) async fn choose(
        &mut self,
        page: &Answer,
        person: &str,
        choices: &[(&str, &str)],
    ) -> Delivery {
        let chooser = self.leads_on(page).await;
        assert_eq!(chooser.status, StatusCode::OK, "the node refused: {}", chooser.text);
        let (_, action, mut fields) = chooser.form();
        fields.retain(|(name, _)| name == "transaction");
        fields.push(("person".to_owned(), person.to_owned()));
        fields.extend(choices.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let last = self.submit_to_the_node(&action, &fields).await;
        if let Some(location) = last.headers.get(LOCATION) {
            let acs = last.url.join(location.to_str().unwrap()).unwrap();
            return Delivery { acs, method: Method::GET, fields: Vec::new() };
        }
        let (method, action, fields) = last.form();
        Delivery { acs: Url::parse(&action).unwrap(), method, fields }
    }

    /// Sends what a page of the portal holds on to the node.
    pub(crate) async fn leads_on(&mut self, page: &Answer) -> Answer {
        let (_, action, fields) = page.form();
        self.follow(Method::POST, &action, &fields, SameSite::No).await
    }

    /// One request to the node's site, without following where it leads.
    async fn submit_to_the_node(&mut self, action: &str, fields: &[(String, String)]) -> Answer {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers =
            [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        let url = Url::parse(action).unwrap();
        self.send(Method::POST, url, &headers, form, SameSite::No).await
    }

    /// Sends what the node's last page holds, and returns where the answer leads: `finish` with its
    /// ticket.
    pub(crate) async fn deliver_only(&mut self, delivery: &Delivery) -> Answer {
        self.stops_before("/.brama/finish?");
        let answer = self.deliver(delivery).await;
        self.stops_before(None);
        answer
    }

    /// Sends what the node's last page holds: from another site, so without Lax cookies.
    pub(crate) async fn deliver(&mut self, delivery: &Delivery) -> Answer {
        let method = delivery.method.clone();
        self.follow(method, delivery.acs.as_str(), &delivery.fields, SameSite::No).await
    }

    pub(crate) fn session_cookie(&self) -> Option<SessionCookie> {
        self.cookie(self.session_name()).map(SessionCookie)
    }

    pub(crate) fn set_session_cookie(&mut self, cookie: &SessionCookie) {
        self.set_cookie(self.session_name(), &cookie.0);
    }

    pub(crate) fn forget_session_cookie(&mut self) {
        let (name, origin) = (self.session_name(), self.origin.clone());
        self.jar(&origin).remove(name);
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        let origin = self.origin.clone();
        self.jar(&origin).insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget_cookie(&mut self, name: &str) {
        let origin = self.origin.clone();
        self.jar(&origin).remove(name);
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies()?.get(name).cloned()
    }

    /// The cookies whose names begin like this.
    pub(crate) fn cookies_of(&self, stem: &str) -> Vec<(String, String)> {
        let all = self.cookies().into_iter().flatten();
        let found = all.filter(|(name, _)| name.trim_start_matches("__Host-").starts_with(stem));
        found.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(crate) fn cookie_names(&self) -> Vec<&str> {
        self.cookies().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    fn session_name(&self) -> &'static str {
        if self.origin.starts_with("https:") { "__Host-brama" } else { "brama" }
    }

    async fn follow(
        &mut self,
        method: Method,
        url: &str,
        fields: &[(String, String)],
        same_site: SameSite,
    ) -> Answer {
        let mut url = Url::parse(url).unwrap();
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let navigation = [
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("accept-language", "en"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            (
                "sec-fetch-site",
                if same_site == SameSite::Yes { "same-origin" } else { "cross-site" },
            ),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let mut answer = if method == Method::GET {
            if !fields.is_empty() {
                url.set_query(Some(&form));
            }
            self.send(Method::GET, url, &navigation[..5], String::new(), SameSite::Yes).await
        } else {
            self.send(method, url, &navigation, form, same_site).await
        };
        for _ in 0..10 {
            let refresh = answer.header("refresh").and_then(|value| value.strip_prefix("0; url="));
            let Some(next) = answer.header("location").or(refresh) else { return answer };
            let next = answer.url.join(next).unwrap();
            if self.stops_before.is_some_and(|part| next.as_str().contains(part)) {
                return answer;
            }
            // A redirected GET is a top-level navigation: Lax cookies go with it.
            answer =
                self.send(Method::GET, next, &navigation[..5], String::new(), SameSite::Yes).await;
        }
        panic!("too many redirects, last to {}", answer.url);
    }

    async fn send(
        &mut self,
        method: Method,
        url: Url,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
        same_site: SameSite,
    ) -> Answer {
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap()),
            None => url.host_str().unwrap().to_owned(),
        };
        let origin = url.origin().ascii_serialization();
        let is_portal = self.portals.contains(&origin);
        let target = match self.gateway.filter(|_| is_portal) {
            Some(gateway) => url.as_str().replacen(&origin, &format!("http://{gateway}"), 1),
            None => url.as_str().replacen("//localhost:", "//127.0.0.1:", 1),
        };
        let mut request = Request::new(Full::from(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().unwrap();
        request.headers_mut().insert(HOST, HeaderValue::from_str(&host).unwrap());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        for (name, value) in self.edge.iter().filter(|_| is_portal) {
            request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
        }
        let jar = self.jar(url.as_str());
        // Across sites only those go along that say so.
        let goes = |name: &str| same_site == SameSite::Yes || name.contains("brama-acs-");
        let cookies: Vec<_> =
            jar.iter().filter(|(n, _)| goes(n)).map(|(n, v)| format!("{n}={v}")).collect();
        if is_portal && !cookies.is_empty() {
            let cookies = HeaderValue::from_str(&cookies.join("; ")).unwrap();
            request.headers_mut().insert(COOKIE, cookies);
        }
        let answer = self.client.request(request);
        let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
        let (parts, body) = answer.expect("an answer within 30 s").unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        if is_portal {
            self.keep_cookies(url.as_str(), &parts.headers);
            always(&parts.headers);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { url, status: parts.status, headers: parts.headers, text }
    }

    fn keep_cookies(&mut self, url: &str, headers: &HeaderMap) {
        let jar = self.jar(url);
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SameSite {
    Yes,
    No,
}

/// What holds for every answer of the gateway, whatever the test is about.
fn always(headers: &HeaderMap) {
    for name in headers.keys() {
        assert!(!name.as_str().starts_with("x-brama-"), "{name} reaches the browser");
    }
    for cookie in headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        if cookie.starts_with("__Host-") {
            assert!(cookie.contains("; Secure"), "{cookie}");
        }
        if cookie.trim_start_matches("__Host-").starts_with("brama") {
            let is_twin = cookie.starts_with("__Host-brama-acs-");
            let site = if is_twin { "; SameSite=None" } else { "; SameSite=Lax" };
            for attribute in ["; Path=/", "; HttpOnly", site] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert!(!cookie.to_ascii_lowercase().contains("domain"), "{cookie}");
        }
    }
}

impl Answer {
    /// The first form of a page: method, absolute action, hidden fields.
    pub(crate) fn form(&self) -> (Method, String, Vec<(String, String)>) {
        let start = self.text.find("<form").unwrap_or_else(|| panic!("no form in {}", self.text));
        let form = &self.text[start..];
        let form = &form[..form.find("</form>").unwrap()];
        let opening = &form[..form.find('>').unwrap()];
        let action = attribute(opening, "action").unwrap_or_default();
        let method = attribute(opening, "method").unwrap_or_default();
        let method = if method.eq_ignore_ascii_case("get") { Method::GET } else { Method::POST };
        let fields = form
            .split("<input")
            .skip(1)
            .map(|input| &input[..input.find('>').unwrap()])
            .filter(|input| input.contains("hidden"))
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect();
        (method, self.url.join(&action).unwrap().to_string(), fields)
    }

    /// Where the answer leads by itself.
    pub(crate) fn next(&self) -> Url {
        let refresh = self.header("refresh").and_then(|value| value.strip_prefix("0; url="));
        let next = self.header("location").or(refresh).unwrap_or_else(|| panic!("{}", self.text));
        self.url.join(next).unwrap()
    }

    /// The target of the page's first link that has this in it.
    pub(crate) fn link_with(&self, part: &str) -> String {
        let links = self.text.split("<a ").skip(1);
        let mut targets = links.filter_map(|link| attribute(&link[..link.find('>')?], "href"));
        targets.find(|target| target.contains(part)).unwrap_or_else(|| panic!("no {part}"))
    }

    /// Asserts that the page refuses a login for that reason and signs nobody in.
    pub(crate) fn is_refused_with(&self, code: &str) -> &Self {
        assert!(
            self.status.is_client_error() || self.status.is_server_error(),
            "{} is no refusal: {}",
            self.status,
            self.text
        );
        assert!(self.text.contains(code), "expected {code} in {}", self.without_style());
        let begins = |cookie: &HeaderValue| {
            let cookie = cookie.to_str().unwrap();
            cookie.trim_start_matches("__Host-").starts_with("brama=")
        };
        assert!(!self.headers.get_all(SET_COOKIE).iter().any(begins), "a session was given");
        self
    }

    /// Asserts that a page of ours has every header that protects it.
    pub(crate) fn is_our_page(&self) -> &Self {
        let header = |name: &str| self.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        let policy = header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.headers[CONTENT_TYPE], "application/json", "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    fn without_style(&self) -> String {
        match (self.text.find("<style"), self.text.find("</style>")) {
            (Some(start), Some(end)) => format!("{}{}", &self.text[..start], &self.text[end..]),
            _ => self.text.clone(),
        }
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = &tag[start..];
    let value = &value[..value.find('"')?];
    let value = value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<");
    Some(value.replace("&gt;", ">").replace("&amp;", "&"))
}
