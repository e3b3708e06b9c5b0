//! A citizen in front of the browser, who sees what is on the page and presses buttons.
//!
//! Nothing here sleeps for luck: each step waits, up to a deadline, for what must come.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::cookies::Cookie;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, Locator};
use url::Url;

use super::browser::{Browser, Scripts};
use super::program::Program;
use super::tools;

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often we look.
const GLANCE: Duration = Duration::from_millis(50);

/// A button of the simulator that chooses a person.
const ANY_PERSON: &str = "button[name=person]";
/// What only the page that leads to the node has.
const REQUEST: &str = "form[method=post] input[name=SAMLRequest]";
/// What only the page that leads back from the node has.
const ARTIFACT: &str = "form[method=post] input[name=SAMLart]";

pub(crate) struct Citizen {
    browser: Browser,
    /// Of the portal that the citizen looks at.
    origin: RefCell<String>,
    _programs: Vec<Program>,
    pictures: Option<PathBuf>,
    pictures_taken: Cell<u32>,
}

/// A visit to a new demo with a new browser. Afterwards the console must be free of complaints
/// about a content security policy.
pub(crate) async fn visit(scripts: Scripts, story: impl AsyncFnOnce(&Citizen)) {
    visit_demo(&[], scripts, story).await;
}

/// A visit to a demo that is started with these arguments.
pub(crate) async fn visit_demo(
    arguments: &[&str],
    scripts: Scripts,
    story: impl AsyncFnOnce(&Citizen),
) {
    let Some(tools) = tools::find() else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    let command = command.args(["demo", "--port", "0"]).args(arguments);
    let (demo, address) = Program::start(command, "Open in a browser");
    let browser = Browser::start(&tools, scripts, &[]).await;
    let origin = address.trim_end_matches('/').to_owned();
    Citizen::sits_at(browser, origin, vec![demo], story).await;
}

/// Who is there.
impl Citizen {
    /// A visit with that browser to a portal that these programs serve.
    pub(super) async fn sits_at(
        browser: Browser,
        origin: String,
        programs: Vec<Program>,
        story: impl AsyncFnOnce(&Self),
    ) {
        let citizen = Self {
            browser,
            origin: RefCell::new(origin),
            _programs: programs,
            pictures: env::var_os("BRAMA_SCREENSHOTS").map(PathBuf::from),
            pictures_taken: Cell::new(0),
        };
        story(&citizen).await;
        citizen.leaves().await;
    }

    /// The same person, or another one, at another computer.
    pub(crate) async fn another(&self) -> Self {
        let tools = tools::find().expect("they were found before");
        Self {
            browser: Browser::start(&tools, Scripts::Run, &[]).await,
            origin: self.origin.clone(),
            _programs: Vec::new(),
            pictures: self.pictures.clone(),
            pictures_taken: Cell::new(50),
        }
    }

    /// Goes away, if the console has no complaint about a policy.
    pub(crate) async fn leaves(&self) {
        assert_eq!(self.policy_violations().await, Vec::<String>::new());
        self.client().clone().close().await.unwrap();
    }
}

/// What the citizen does.
impl Citizen {
    /// Presses a key, wherever the focus is.
    pub(crate) async fn strikes(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client().perform_actions(keys).await.unwrap();
    }

    /// Likes dark pages, or not.
    pub(crate) async fn likes_the_dark(&self, likes: bool) {
        self.browser.prefers_colours(if likes { "dark" } else { "light" }).await;
    }

    /// Types into a field.
    pub(crate) async fn types(&self, selector: &str, text: &str) {
        self.finds(selector).await.send_keys(text).await.unwrap();
    }

    /// Uses a window of that width and height in CSS pixels, enlarged.
    pub(crate) async fn uses_a_window(&self, width: u32, height: u32, zoom: u32) {
        self.browser.emulates(width, height, zoom).await;
    }

    /// Types an address of the portal.
    pub(crate) async fn opens(&self, path: &str) {
        self.client().goto(&format!("{}{path}", self.origin())).await.unwrap();
    }

    /// Types an address of whatever site.
    pub(crate) async fn goes_to(&self, address: &str) {
        self.client().goto(address).await.unwrap();
    }

    /// Looks at another portal from now on.
    pub(crate) fn looks_at(&self, origin: &str) {
        self.origin.replace(origin.to_owned());
    }

    /// Presses a button or a link, as soon as it is there.
    pub(crate) async fn presses(&self, selector: &str) {
        self.finds(selector).await.click().await.unwrap();
    }

    /// Chooses an option of a list by its value.
    pub(crate) async fn selects(&self, selector: &str, value: &str) {
        self.finds(selector).await.select_by_value(value).await.unwrap();
    }

    /// Chooses who signs in, at the simulator.
    pub(crate) async fn chooses(&self, person: &str) {
        self.presses(&format!("{ANY_PERSON}[value={person}]")).await;
    }

    /// Opens a page, goes through the login without a look left or right, and arrives there.
    pub(crate) async fn signs_in(&self, path: &str, person: &str) {
        self.opens(path).await;
        self.is_at_the_node().await;
        self.chooses(person).await;
        self.arrives_at(path).await;
    }

    pub(crate) async fn goes_back(&self) {
        self.client().back().await.unwrap();
    }

    pub(crate) async fn reloads(&self) {
        self.client().refresh().await.unwrap();
    }

    /// Opens another tab and looks at it.
    pub(crate) async fn opens_a_tab(&self) {
        let tab = self.client().new_window(true).await.unwrap();
        self.client().switch_to_window(tab.handle).await.unwrap();
    }

    /// Looks at a tab, counted from 0 in the order of opening.
    pub(crate) async fn looks_at_tab(&self, number: usize) {
        let handle = self.client().windows().await.unwrap().swap_remove(number);
        self.client().switch_to_window(handle).await.unwrap();
    }

    /// Looks at a tab that is going to open by itself.
    pub(crate) async fn looks_at_tab_when_open(&self, number: usize) {
        self.until("another tab", async |client| {
            Ok((client.windows().await?.len() > number).then_some(()))
        })
        .await;
        self.looks_at_tab(number).await;
    }

    /// Loses a cookie, as when its session ended.
    pub(crate) async fn loses_cookie(&self, name: &str) {
        self.client().delete_cookie(name).await.unwrap();
    }

    /// Changes each further page while it is read, before its deferred scripts run.
    pub(crate) async fn changes_new_pages(&self, change: &str) {
        let script = format!(
            "new MutationObserver(() => {{ if (document.documentElement) {{ {change} }} }})\
             .observe(document, {{ childList: true, subtree: true }})"
        );
        self.browser.runs_on_new_pages(&script).await;
    }

    /// Runs an expression in the page again and again until it is true.
    pub(crate) async fn waits_until(&self, expression: &str) {
        let script = format!("return {expression}");
        self.until(expression, async |client| {
            let seen = client.execute(&script, Vec::new()).await?;
            Ok((seen == serde_json::Value::Bool(true)).then_some(()))
        })
        .await;
    }

    /// Runs a script in the page, as only a test can.
    pub(crate) async fn runs(&self, script: &str) -> serde_json::Value {
        self.client().execute(script, Vec::new()).await.unwrap()
    }
}

/// What only a test can have done.
impl Citizen {
    /// Runs a script that calls its last argument with what it has found.
    pub(crate) async fn runs_to_its_end(&self, script: &str) -> serde_json::Value {
        self.client().execute_async(script, Vec::new()).await.unwrap()
    }

    /// Sees pages as on paper, or on the screen again.
    pub(crate) async fn looks_at_paper(&self, looks: bool) {
        self.browser.shows_media(if looks { "print" } else { "" }).await;
    }
}

/// Where the citizen is.
impl Citizen {
    /// Waits for a page of the portal, by its path and query.
    pub(crate) async fn arrives_at(&self, path: &str) {
        let address = format!("{}{path}", self.origin());
        self.until(&address, async |client| {
            let there = client.current_url().await?.as_str() == address;
            Ok((there && has(client, "h1").await?).then_some(()))
        })
        .await;
        self.takes_a_picture(if path == "/" { "front page" } else { path }).await;
    }

    /// Waits for the choice of a person, which is on another site.
    pub(crate) async fn is_at_the_node(&self) {
        self.until("the choice of a person", async |client| {
            let there = client.current_url().await?.host_str() == Some("127.0.0.1");
            Ok((there && has(client, ANY_PERSON).await?).then_some(()))
        })
        .await;
        self.takes_a_picture("at the node").await;
    }

    /// Waits for the page of the portal that leads to the node. With scripts nobody gets to see it.
    pub(crate) async fn is_led_to_the_node(&self) {
        self.until("the way to the node", async |client| {
            let there = self.is_portal(&client.current_url().await?);
            Ok((there && has(client, REQUEST).await?).then_some(()))
        })
        .await;
        self.takes_a_picture("led to the node").await;
    }

    /// Waits for the page of the node that leads back. With scripts nobody gets to see it.
    pub(crate) async fn is_led_back(&self) {
        self.until("the way back from the node", async |client| {
            let there = client.current_url().await?.host_str() == Some("127.0.0.1");
            Ok((there && has(client, ARTIFACT).await?).then_some(()))
        })
        .await;
        self.takes_a_picture("led back").await;
    }

    /// Waits for a page of the portal with this heading.
    pub(crate) async fn is_told(&self, heading: &str) {
        self.until(heading, async |client| {
            let there = self.is_portal(&client.current_url().await?);
            let told = client.find(Locator::Css("h1")).await?.text().await?;
            Ok((there && told == heading).then_some(()))
        })
        .await;
        self.takes_a_picture(heading).await;
    }

    fn is_portal(&self, url: &Url) -> bool {
        url.as_str().starts_with(&format!("{}/", self.origin()))
    }

    fn origin(&self) -> String {
        self.origin.borrow().clone()
    }
}

/// What the citizen, or somebody who looks closer, sees.
impl Citizen {
    /// Returns the text of an element, as soon as it is there.
    pub(crate) async fn reads(&self, selector: &str) -> String {
        self.finds(selector).await.text().await.unwrap()
    }

    /// Returns the source of the page.
    pub(crate) async fn source(&self) -> String {
        self.client().source().await.unwrap()
    }

    /// Returns the cookies that the browser would send to this page.
    pub(crate) async fn cookies(&self) -> Vec<Cookie<'static>> {
        self.client().get_all_cookies().await.unwrap()
    }

    /// Returns what the console says about content security policies, since it was last asked.
    pub(crate) async fn policy_violations(&self) -> Vec<String> {
        let mut lines = self.browser.console().await;
        // The second is what Chromium says of Trusted Types.
        let complaints = ["Content Security Policy", "This document requires 'Trusted"];
        lines.retain(|line| complaints.iter().any(|complaint| line.contains(complaint)));
        lines
    }

    /// Saves a picture of the page, when somebody wants pictures.
    pub(crate) async fn takes_a_picture(&self, of: &str) {
        let Some(folder) = &self.pictures else { return };
        // Threads of tests bear the names of the tests.
        let test = thread::current().name().unwrap_or("test").replace("::", "-");
        let number = self.pictures_taken.get() + 1;
        self.pictures_taken.set(number);
        let of: Vec<_> =
            of.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let folder = folder.join(test);
        fs::create_dir_all(&folder).unwrap();
        let picture = self.browser.picture().await.unwrap();
        fs::write(folder.join(format!("{number:02}-{}.png", of.join("-"))), picture).unwrap();
    }

    async fn finds(&self, selector: &str) -> Element {
        self.until(selector, async |client| client.find(Locator::Css(selector)).await.map(Some))
            .await
    }

    /// Looks again and again until something is there. An error counts as "not yet": while one page
    /// gives way to another, the driver has many of them.
    async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn(&Client) -> Result<Option<T>, CmdError>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = look(self.client()).await;
            if let Ok(Some(found)) = seen {
                return found;
            }
            if Instant::now() > deadline {
                self.takes_a_picture("in vain").await;
                let url = self.client().current_url().await;
                let text = self.client().find(Locator::Css("body")).await;
                let text = match text {
                    Ok(body) => body.text().await,
                    Err(error) => Err(error),
                };
                let error = seen.err();
                panic!(
                    "waited in vain for {what} at {url:?}, where one reads {text:?} ({error:?})"
                );
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    fn client(&self) -> &Client {
        &self.browser.client
    }
}

async fn has(client: &Client, selector: &str) -> Result<bool, CmdError> {
    Ok(!client.find_all(Locator::Css(selector)).await?.is_empty())
}
