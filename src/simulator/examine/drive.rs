//! Drives a service provider from outside: as a browser, and as the node that the browser meets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::subject::Subject;
use crate::base::clock::SharedClock;
use crate::browser::form::Form;
use crate::browser::record::shown;
use crate::browser::settings::Bounds;
use crate::browser::{self, Browser, Page, Place};
use crate::report::Text;
use crate::simulator::check::AuthnRequest;
use crate::simulator::faults::Fault;
use crate::simulator::node::Node;
use crate::simulator::people::Person;
use crate::simulator::state::{MessageKind, Received};

/// Drives one service provider.
pub(super) struct Driver<'s> {
    pub(super) subject: &'s Subject,
    pub(super) node: Arc<Node>,
    settings: Arc<browser::Settings>,
    pub(super) clock: SharedClock,
    /// The node's sign-on address, as browsers write it.
    sso: String,
    /// What browsers did since it was last asked.
    steps: Mutex<Vec<String>>,
}

/// Why a story does not go on.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// The service gave no answer, or none in time.
    NoAnswer(Text),
    /// Something else happened than a login needs.
    Astray(Text),
}

/// A page of the service that is about to send a request to the node.
pub(super) struct Begun {
    pub(super) page: Page,
    pub(super) form: Form,
}

/// The page of the node that asks who it is.
pub(super) struct AtNode {
    page: Page,
    form: Form,
    pub(super) request: AuthnRequest,
}

/// The page of the node that sends the browser back.
#[derive(Clone)]
pub(super) struct Back {
    page: Page,
    /// None when it goes back by GET.
    pub(super) form: Option<Form>,
}

/// A browser that has been at the node, and is about to be sent back.
pub(super) struct Reached {
    pub(super) browser: Browser,
    pub(super) back: Back,
    pub(super) request: AuthnRequest,
    pub(super) relay_state: Option<String>,
}

/// What the page of the service tells.
pub(super) struct Look {
    pub(super) page: Page,
    pub(super) is_signed_in: bool,
}

impl<'s> Driver<'s> {
    pub(super) fn new(subject: &'s Subject, node: Arc<Node>, clock: SharedClock) -> Self {
        let bounds = Bounds { patience: subject.patience, ..Bounds::default() };
        let settings = browser::Settings { tls: subject.tls.clone(), bounds, ..Default::default() };
        let sso = &node.addresses.sso;
        let sso = url::Url::parse(sso).map_or_else(|_| sso.clone(), String::from);
        Self { subject, node, sso, settings: Arc::new(settings), clock, steps: Mutex::default() }
    }

    /// Returns what browsers did since it was last asked.
    pub(super) fn take_steps(&self) -> Vec<String> {
        std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, browser: &Browser, from: usize) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.extend(browser.steps().iter().skip(from).map(ToString::to_string));
    }

    /// Forgets what the node received.
    pub(super) fn forget_messages(&self) {
        self.node.state().received.clear();
    }

    /// Tells whether the node was asked for an answer since then.
    pub(super) fn was_asked(&self) -> bool {
        let is_question = |received: &Received| received.kind == MessageKind::ArtifactResolve;
        self.node.state().received.iter().any(is_question)
    }

    /// Returns a browser that knows nothing, and does not go to the node by itself.
    pub(super) fn browser(&self) -> Browser {
        let mut browser = Browser::new(Arc::clone(&self.settings), Arc::clone(&self.clock));
        browser.stop_before(page_at(&self.sso));
        browser
    }

    /// Begins a login: the page that would send the request.
    pub(super) async fn begin(&self, browser: &mut Browser) -> Result<Begun, Stop> {
        let page = self.open(browser, &self.subject.login).await?;
        let page = browser.settle(page).await.map_err(stop)?;
        let is_it = |form: &&Form| form.value("SAMLRequest").is_some();
        let form = page.document.forms.iter().find(is_it).cloned();
        let sso = &self.sso;
        let leads = form.as_ref().and_then(|form| page.resolve(&form.action));
        match form {
            Some(form) if leads.as_ref().is_some_and(|url| url.as_str() == sso) => {
                Ok(Begun { page, form })
            }
            Some(_) => Err(Stop::Astray(Text::new(
                format!("formularz z SAMLRequest prowadzi gdzie indziej niż {sso}"),
                format!("the form with SAMLRequest leads elsewhere than {sso}"),
            ))),
            None => Err(Stop::Astray(Text::new(
                format!(
                    "{}: status {}, bez formularza z SAMLRequest",
                    shown(&page.url),
                    page.status.as_u16()
                ),
                format!(
                    "{}: status {}, no form with SAMLRequest",
                    shown(&page.url),
                    page.status.as_u16()
                ),
            ))),
        }
    }

    /// Sends the request to the node.
    pub(super) async fn send(&self, browser: &mut Browser, begun: &Begun) -> Result<AtNode, Stop> {
        let page = browser.submit(&begun.page, &begun.form, &[]).await.map_err(stop)?;
        let form = page.document.forms.first().cloned();
        let transaction = form.as_ref().and_then(|form| form.value("transaction"));
        let request = transaction.and_then(|transaction| {
            let state = self.node.state();
            state.transactions.find(transaction).map(|found| found.request.clone())
        });
        match (form, request) {
            (Some(form), Some(request)) => Ok(AtNode { page, form, request }),
            _ => Err(Stop::Astray(Text::new(
                "węzeł odrzuca żądanie: zob. authn-request",
                "the node refuses the request: see authn-request",
            ))),
        }
    }

    /// Chooses a person at the node, which then sends the browser back: not done yet.
    pub(super) async fn choose(
        &self,
        browser: &mut Browser,
        at_node: &AtNode,
        person: &Person,
        faults: &[Fault],
    ) -> Result<Back, Stop> {
        let mut values = vec![("person", &*person.key)];
        values.extend(faults.iter().map(|fault| ("fault", fault.name())));
        browser.stop_before(page_at(&at_node.request.acs));
        let page = browser.submit(&at_node.page, &at_node.form, &values).await.map_err(stop)?;
        browser.stop_before(page_at(&self.sso));
        let form = page.document.forms.first().cloned();
        Ok(Back { form: form.filter(|form| form.value("SAMLart").is_some()), page })
    }

    /// Begins a login and brings it to where the node sends the browser back.
    pub(super) async fn reach(&self, person: &Person, faults: &[Fault]) -> Result<Reached, Stop> {
        let mut browser = self.browser();
        let reached = self.reach_with(&mut browser, person, faults).await;
        self.note(&browser, 0);
        let (back, request, relay_state) = reached?;
        Ok(Reached { browser, back, request, relay_state })
    }

    async fn reach_with(
        &self,
        browser: &mut Browser,
        person: &Person,
        faults: &[Fault],
    ) -> Result<(Back, AuthnRequest, Option<String>), Stop> {
        let begun = self.begin(browser).await?;
        let at_node = self.send(browser, &begun).await?;
        let back = self.choose(browser, &at_node, person, faults).await?;
        let relay_state = begun.form.value("RelayState").map(str::to_owned);
        Ok((back, at_node.request, relay_state))
    }

    /// Sends a browser back to the service, with some fields changed, and follows to the end.
    pub(super) async fn deliver(
        &self,
        browser: &mut Browser,
        back: &Back,
        changed: &[(&str, &str)],
    ) -> Result<Page, Stop> {
        let from = browser.steps().len();
        let page = match (&back.form, back.page.redirects_to()) {
            (Some(form), _) => browser.submit(&back.page, form, changed).await,
            (None, Some(to)) => browser.follow(&back.page, &to).await,
            (None, None) => return Err(no_way_back()),
        };
        let page = match page {
            Ok(page) => browser.settle(page).await,
            error => error,
        };
        self.note(browser, from);
        let page = page.map_err(stop)?;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Stop::Astray(Text::new(
                "usługa ogranicza liczbę logowań (429): zob. --pause",
                "the service limits how often one signs in (429): see --pause",
            )));
        }
        Ok(page)
    }

    /// Looks at the page that tells who is signed in.
    pub(super) async fn look(&self, browser: &mut Browser) -> Result<Look, Stop> {
        let from = browser.steps().len();
        let page = self.open(browser, &self.subject.page).await;
        self.note(browser, from);
        let page = page?;
        let signed_in = &self.subject.signed_in;
        let now = self.clock.now();
        let has_cookie = |name: &String| {
            let value = browser.jar.value(&self.subject.page, name, now);
            value.is_some_and(|value| !value.is_empty())
        };
        let is_signed_in = signed_in.text.as_ref().is_none_or(|text| page.text.contains(text))
            && signed_in.status.is_none_or(|status| page.status.as_u16() == status)
            && signed_in.cookie.as_ref().is_none_or(has_cookie);
        Ok(Look { page, is_signed_in })
    }

    /// Signs out, as the page of a look has it.
    pub(super) async fn sign_out(&self, browser: &mut Browser, at: &Page) -> Result<(), Stop> {
        let Some(logout) = &self.subject.logout else { return Ok(()) };
        let from = browser.steps().len();
        let page = if logout.by_post {
            let leads = |form: &&Form| at.resolve(&form.action).as_ref() == Some(&logout.url);
            let own = at.document.forms.iter().find(leads).cloned();
            let plain = Form { action: logout.url.to_string(), is_post: true, ..Form::default() };
            browser.submit(at, &own.unwrap_or(plain), &[]).await
        } else {
            browser.open(&logout.url).await
        };
        let page = match page {
            Ok(page) => browser.settle(page).await,
            error => error,
        };
        self.note(browser, from);
        page.map(drop).map_err(stop)
    }

    /// Opens an address; who is told to come later does.
    async fn open(&self, browser: &mut Browser, url: &url::Url) -> Result<Page, Stop> {
        for _ in 0..MOST_WAITS {
            let page = browser.open(url).await.map_err(stop)?;
            if page.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(page);
            }
            let after = page.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let seconds = after.and_then(|value| value.parse().ok()).unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(seconds).min(LONGEST_WAIT)).await;
        }
        browser.open(url).await.map_err(stop)
    }
}

impl Back {
    /// Returns the same way back without a field.
    pub(super) fn without(&self, name: &str) -> Self {
        let mut back = self.clone();
        if let Some(form) = &mut back.form {
            form.controls.retain(|control| control.name != name);
        }
        back
    }
}

/// Says why there is no answer; what is not the service's fault leads astray.
pub(super) fn stop(error: browser::Error) -> Stop {
    let told = Text::same(crate::base::causes::in_one_line(&error));
    match error {
        browser::Error::TimedOut(_)
        | browser::Error::Http(_)
        | browser::Error::Body(_)
        | browser::Error::Unreachable { .. }
        | browser::Error::TooManyRedirects(_) => Stop::NoAnswer(told),
        _ => Stop::Astray(told),
    }
}

fn page_at(address: &str) -> Option<Place> {
    url::Url::parse(address).ok().map(Place::Page)
}

fn no_way_back() -> Stop {
    Stop::Astray(Text::new(
        "węzeł nie odsyła przeglądarki",
        "the node does not send the browser back",
    ))
}

/// How often it comes again when it is told to come later.
const MOST_WAITS: usize = 5;
/// How long it waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
