//! A citizen with a browser: opens pages, signs in at the node, and says what was seen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::choice::Choice;
use super::world::World;
use crate::base::causes::in_one_line;
use crate::base::clock::{Clock as _, SharedClock};
use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::browser::jar::Asking;
use crate::browser::record::shown;
use crate::browser::{self, Browser, Form, Page};
use crate::report::Text;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Something else was seen than was expected.
    Otherwise(Text),
    /// It could not be tried to its end.
    Error(Text),
    /// It is not for this configuration.
    NotHere(Text),
}

impl From<browser::Error> for Trouble {
    fn from(error: browser::Error) -> Self {
        Self::Otherwise(Text::same(in_one_line(&error)))
    }
}

/// What was done in a case, by all citizens in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A citizen.
pub(super) struct Citizen<'w> {
    world: &'w World,
    pub(super) browser: Browser,
    steps: Steps,
    told: usize,
}

impl<'w> Citizen<'w> {
    pub(super) fn new(world: &'w World, steps: Steps) -> Self {
        let clock: SharedClock = world.clock.clone();
        let browser = Browser::new(Arc::clone(&world.browser), clock);
        Self { world, browser, steps, told: 0 }
    }

    /// The same browser as it is now, for what it may do again later.
    pub(super) fn as_now(&self) -> Self {
        let (browser, steps) = (self.browser.clone(), self.steps.clone());
        Self { world: self.world, browser, steps, told: self.told }
    }

    fn note(&mut self) {
        let steps = &self.browser.steps()[self.told..];
        let mut all = self.steps.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(steps.iter().map(ToString::to_string));
        self.told = self.browser.steps().len();
    }

    /// Types an address.
    pub(super) async fn open(&mut self, url: &Url) -> Result<Page, Trouble> {
        let page = Box::pin(self.browser.open(url)).await;
        self.note();
        Ok(page?)
    }

    /// Asks as a script of the portal.
    pub(super) async fn fetch(
        &mut self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, &str)],
    ) -> Result<Page, Trouble> {
        let headers: Vec<_> = headers
            .iter()
            .filter_map(|(name, value)| {
                let value = HeaderValue::try_from(*value).ok()?;
                Some((HeaderName::from_static(name), value))
            })
            .collect();
        let page = Box::pin(self.browser.fetch(method, url, &headers, "")).await;
        self.note();
        Ok(page?)
    }

    /// Opens an address and is sent to the node: the page that leads there. Logins are counted by the
    /// minute, so each is begun in another one.
    pub(super) async fn begin(&mut self, url: &Url) -> Result<Page, Trouble> {
        if self.world.facts.session.idle > A_MINUTE * 5 {
            self.world.clock.advance(A_MINUTE);
        }
        let page = self.open(url).await?;
        self.leads_to_node(page)
    }

    /// Makes sure that a page leads to the node.
    pub(super) fn leads_to_node(&self, page: Page) -> Result<Page, Trouble> {
        let form = page.sends_itself().filter(|form| form.value("SAMLRequest").is_some());
        if form.is_some() { Ok(page) } else { Err(otherwise(&page)) }
    }

    /// Goes to the node and chooses there: the node's last page, which leads back.
    pub(super) async fn choose(&mut self, page: &Page, choice: &Choice) -> Result<Page, Trouble> {
        let form = page.sends_itself().ok_or(browser::Error::NoForm)?;
        let chooser = Box::pin(self.browser.submit(page, form, &[])).await;
        self.note();
        let chooser = chooser?;
        let found = chooser.document.forms.iter();
        let mut found = found.filter(|form| form.value("transaction").is_some());
        let Some(form) = found.next() else {
            let findings = self.world.control.last_findings().unwrap_or_default().join(", ");
            return Err(Trouble::Otherwise(Text::new(
                format!("węzeł odrzucił żądanie logowania: {findings}"),
                format!("the node refused the request: {findings}"),
            )));
        };
        let mut fields = vec![
            ("person", choice.person),
            ("way", choice.way.key()),
            ("assurance", choice.assurance.name()),
        ];
        fields.extend(choice.faults.iter().map(|fault| ("fault", fault.name())));
        let last = Box::pin(self.browser.submit(&chooser, form, &fields)).await;
        self.note();
        Ok(last?)
    }

    /// Takes the node's last page back to the gateway, and goes on to where it leads.
    pub(super) async fn deliver(&mut self, last: Page) -> Result<Page, Trouble> {
        let page = Box::pin(self.browser.settle(last)).await;
        self.note();
        Ok(page?)
    }

    /// Signs in on the way to an address: the page at the end, whatever it is.
    pub(super) async fn sign_in(&mut self, url: &Url, choice: &Choice) -> Result<Page, Trouble> {
        let to_node = self.begin(url).await?;
        let last = self.choose(&to_node, choice).await?;
        self.deliver(last).await
    }

    /// Signs in and makes sure that the portal was reached.
    pub(super) async fn arrive(&mut self, url: &Url, choice: &Choice) -> Result<Page, Trouble> {
        if self.world.facts.with_portal {
            // What a real portal answers is its own affair.
            return self.arrive_or_login(url, choice).await;
        }
        let page = self.sign_in(url, choice).await?;
        if !page.status.is_success() || &page.url != url {
            return Err(otherwise(&page));
        }
        self.must_be_signed_in(&page.url).await?;
        Ok(page)
    }

    /// Signs in, and makes sure of it; the portal's page may be whatever it is.
    pub(super) async fn arrive_or_login(
        &mut self,
        url: &Url,
        choice: &Choice,
    ) -> Result<Page, Trouble> {
        let page = self.sign_in(url, choice).await?;
        if self.is_signed_in(url).await? { Ok(page) } else { Err(otherwise(&page)) }
    }

    /// Signs out: the page that says so.
    pub(super) async fn sign_out(&mut self, at: &Url) -> Result<Page, Trouble> {
        let asking = self.open(&self.world.facts.own(at, "logout")).await?;
        let form = asking.document.forms.first().ok_or_else(|| otherwise(&asking))?;
        let page = Box::pin(self.browser.submit(&asking, form, &[])).await;
        self.note();
        Ok(page?)
    }

    /// Sends a form as a page does that the portal made.
    pub(super) async fn post(
        &mut self,
        page: &Page,
        target: &Url,
        fields: &[(&str, &str)],
    ) -> Result<Page, Trouble> {
        let form = Form { action: target.to_string(), is_post: true, ..Form::default() };
        let page = Box::pin(self.browser.submit(page, &form, fields)).await;
        self.note();
        Ok(page?)
    }

    /// Presses the button of the first form of a page.
    pub(super) async fn press(&mut self, page: &Page) -> Result<Page, Trouble> {
        let form = page.document.forms.first().ok_or_else(|| otherwise(page))?;
        let page = Box::pin(self.browser.submit(page, form, &[])).await;
        self.note();
        Ok(page?)
    }

    /// The value of the session cookie.
    pub(super) fn session_cookie(&self) -> Option<String> {
        let facts = &self.world.facts;
        let now = self.world.clock.now();
        let value = self.browser.jar.value(&facts.origin, facts.session_cookie, now);
        value.map(str::to_owned)
    }

    /// Has a session cookie that another one was given, or nobody.
    pub(super) fn bring(&mut self, value: &str) -> Result<(), Trouble> {
        let facts = &self.world.facts;
        let secure = if facts.origin.scheme() == "https" { "; Secure" } else { "" };
        let header = format!("{}={value}; Path=/{secure}; SameSite=Lax", facts.session_cookie);
        let asking = Asking { is_same_site: true, is_navigation: true, method: &Method::GET };
        let kept = self.browser.jar.keep(&header, &facts.origin, asking, self.world.clock.now());
        kept.map_err(|why| Trouble::Error(Text::same(why.to_string())))
    }

    /// What the gateway says of the session at a portal.
    pub(super) async fn session(&mut self, at: &Url) -> Result<Value, Trouble> {
        let url = self.world.facts.own(at, "session");
        let answer = self.fetch(Method::GET, &url, &[]).await?;
        serde_json::from_str(&answer.text).map_err(|_| otherwise(&answer))
    }

    pub(super) async fn is_signed_in(&mut self, at: &Url) -> Result<bool, Trouble> {
        Ok(self.session(at).await?["signed_in"] == Value::Bool(true))
    }

    pub(super) async fn must_be_signed_in(&mut self, at: &Url) -> Result<(), Trouble> {
        if self.is_signed_in(at).await? {
            return Ok(());
        }
        Err(Trouble::Otherwise(Text::new("nikt nie jest zalogowany", "nobody is signed in")))
    }

    pub(super) async fn must_not_be_signed_in(&mut self, at: &Url) -> Result<(), Trouble> {
        if !self.is_signed_in(at).await? {
            return Ok(());
        }
        Err(Trouble::Otherwise(Text::new("obywatel jest zalogowany", "the citizen is signed in")))
    }

    /// Makes sure that a page refuses for that reason and that nobody is signed in.
    pub(super) async fn must_be_refused(
        &mut self,
        page: &Page,
        reason: Reason,
    ) -> Result<Text, Trouble> {
        let is_refusal = page.status.is_client_error() || page.status.is_server_error();
        if !is_refusal || reason_in(&page.text) != Some(reason) {
            return Err(otherwise(page));
        }
        let origin = self.world.facts.origin.clone();
        self.must_not_be_signed_in(&origin).await?;
        Ok(seen(page))
    }
}

impl Drop for Citizen<'_> {
    fn drop(&mut self) {
        self.note();
    }
}

/// What a page is, when it is not what was expected: with its address.
pub(super) fn otherwise(page: &Page) -> Trouble {
    let (seen, mut address) = (seen(page), page.url.clone());
    address.set_query(None);
    let address = shown(&address);
    Trouble::Otherwise(Text::new(
        format!("{}, {address}", seen.pl),
        format!("{}, {address}", seen.en),
    ))
}

/// What a page is: status, title, reason code.
pub(super) fn seen(page: &Page) -> Text {
    let status = page.status.as_u16();
    // The name of the site stands behind the title.
    let title = page.document.title.split(" – ").next().unwrap_or_default();
    let title = Foreign::new(title);
    let code = reason_in(&page.text).map(|reason| format!(" ({reason})")).unwrap_or_default();
    if title.as_str().is_empty() {
        return Text::same(format!("{status}{code}"));
    }
    Text::new(
        format!("{status}, strona „{title}”{code}"),
        format!("{status}, the page \"{title}\"{code}"),
    )
}

/// The longest reason code that stands in a text: one may begin with another.
fn reason_in(text: &str) -> Option<Reason> {
    let found = Reason::ALL.iter().filter(|reason| text.contains(reason.as_str()));
    found.max_by_key(|reason| reason.as_str().len()).copied()
}

/// A little more than that, as limits count.
pub(super) const A_MINUTE: Duration = Duration::from_secs(61);

/// Makes sure of a status.
pub(super) fn must_have(page: &Page, status: StatusCode) -> Result<(), Trouble> {
    if page.status == status { Ok(()) } else { Err(otherwise(page)) }
}
