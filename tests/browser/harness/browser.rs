//! Chromium without a window, in an empty profile, and its driver.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

use super::program::Program;
use super::tools::Tools;

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Run,
    Blocked,
}

/// A browser. What can be done in it is done through `client`.
pub(super) struct Browser {
    pub(super) client: Client,
    // Dropped in this order: the browser ends with its driver, then its profile can go.
    _driver: Program,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, with more words on its command line.
    pub(super) async fn start(tools: &Tools, scripts: Scripts, words: &[String]) -> Self {
        let mut command = Command::new(&tools.chromedriver);
        let (driver, port) = Program::start_again_if_taken(
            command.arg("--port=0"),
            "started successfully on port ",
            "port not available",
        );
        let profile = tempfile::tempdir().unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(tools, &profile, scripts, words))
            .connect(&format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
            .await
            .unwrap();
        Self { client, _driver: driver, _profile: profile }
    }

    /// Returns a picture of the whole page, also of what does not fit into the window.
    pub(super) async fn picture(&self) -> Result<Vec<u8>, CmdError> {
        let body = json!({
            "cmd": "Page.captureScreenshot",
            "params": { "captureBeyondViewport": true },
        });
        let answer = self.client.issue_cmd(Chromium { path: "goog/cdp/execute", body }).await?;
        Ok(STANDARD.decode(answer["data"].as_str().unwrap()).unwrap())
    }

    /// Shows pages as in a window of that size in CSS pixels, each of them enlarged.
    pub(super) async fn emulates(&self, width: u32, height: u32, zoom: u32) {
        let params = json!({
            "width": width, "height": height, "deviceScaleFactor": zoom, "mobile": false,
        });
        self.tells("Emulation.setDeviceMetricsOverride", params).await;
    }

    /// Shows pages in a scheme of colours, `dark` or `light`.
    pub(super) async fn prefers_colours(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.tells("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Shows pages as in another medium, `print`, to somebody who prefers the dark.
    pub(super) async fn shows_media(&self, media: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
        let params = json!({ "media": media, "features": features });
        self.tells("Emulation.setEmulatedMedia", params).await;
    }

    /// Runs a script in each further page, before its own.
    pub(super) async fn runs_on_new_pages(&self, script: &str) {
        self.tells("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    async fn tells(&self, command: &str, params: Value) {
        let body = json!({ "cmd": command, "params": params });
        self.client.issue_cmd(Chromium { path: "goog/cdp/execute", body }).await.unwrap();
    }

    /// Returns what was written to the console since it was last asked, in all tabs.
    pub(super) async fn console(&self) -> Vec<String> {
        let body = json!({ "type": "browser" });
        let answer = self.client.issue_cmd(Chromium { path: "se/log", body }).await.unwrap();
        let entries = answer.as_array().expect("entries");
        entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

fn capabilities(
    tools: &Tools,
    profile: &TempDir,
    scripts: Scripts,
    words: &[String],
) -> Map<String, Value> {
    // 2 blocks, 1 allows.
    let javascript = if scripts == Scripts::Blocked { 2 } else { 1 };
    let mut capabilities = json!({
        "browserName": "chrome",
        // For certificates that a test has made.
        "acceptInsecureCerts": true,
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": tools.chromium,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                // Without a driver at the other end of the pipe the browser ends.
                "--remote-debugging-pipe",
                "--window-size=1100,900",
                // They would hide the right edge of pictures.
                "--hide-scrollbars",
                "--accept-lang=pl",
                format!("--user-data-dir={}", profile.path().display()),
            ],
            "prefs": { "profile.managed_default_content_settings.javascript": javascript },
        },
    });
    let arguments = capabilities["goog:chromeOptions"]["args"].as_array_mut().expect("a list");
    arguments.extend(words.iter().cloned().map(Value::from));
    match capabilities {
        Value::Object(capabilities) => capabilities,
        _ => unreachable!("written as an object above"),
    }
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Chromium {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
