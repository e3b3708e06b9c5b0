//! The demo in a real browser: Chromium, driven over WebDriver, used as a citizen uses it.
//!
//! Chromium is the judge of what our own browser in the integration tests can only imitate: cookies
//! between two sites, the content security policy, the history, tabs, and pages without scripts.
//! After each visit its console must hold no complaint about a content security policy.
//!
//! | file | behaviour |
//! |---|---|
//! | `login` | signing in, giving up, signing in for a higher level |
//! | `policy` | pages that ask for more than a login: a new one, another way in, an adult |
//! | `forms` | a form that met an ended session |
//! | `hosts` | two portals on unrelated domains: one sign-in, one sign-out |
//! | `theft` | what a page of another site can make of a login |
//! | `logout` | signing out, and what is left of it in the browser |
//! | `timer` | the session timer on a page of the portal |
//! | `accessibility` | every page, judged by axe-core: languages, schemes of colours, widths, keyboard, paper |
//! | `operators` | the status page, judged by axe-core: languages, schemes of colours, widths |
//! | `judge` | that the browser would notice what it is here to notice |
//!
//! Needs `chromium` and `chromedriver` (Debian: chromium-driver), and `accessibility` axe-core, which
//! `setup.sh` fetches. Without them the tests are skipped and say so; with `BRAMA_JUDGES=required`
//! they fail. `BRAMA_SCREENSHOTS=folder` keeps a picture of every step.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod accessibility;
mod forms;
mod harness;
mod hosts;
mod judge;
mod login;
mod logout;
mod operators;
mod policy;
mod theft;
mod timer;
