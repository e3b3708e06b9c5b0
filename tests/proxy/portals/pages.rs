//! What a portal shows of its user.

use serde_json::Value;

use super::recipes::Recipe;

/// A user of a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) user: String,
    pub(super) name: String,
    /// What the portal counted in its own session; `None` when it has none.
    pub(super) visits: Option<u64>,
}

impl Recipe {
    /// Returns the page that shows the user; DokuWiki counts pages, not visits.
    pub(super) fn path(self, time: u64) -> String {
        match self {
            Self::DokuWiki => format!("/doku.php?id=open:page{time}"),
            Self::Nginx => "/api/whoami".to_owned(),
            _ => "/whoami".to_owned(),
        }
    }

    /// Reads a page; `None` when nobody is signed in.
    pub(super) fn read(self, page: &str) -> Option<Seen> {
        match self {
            Self::Apache => variables(page),
            Self::DokuWiki => wiki(page),
            _ => json(page),
        }
    }
}

fn json(page: &str) -> Option<Seen> {
    let value: Value = serde_json::from_str(page).unwrap_or_else(|e| panic!("{e}: {page}"));
    let user = value.get("user").unwrap_or_else(|| panic!("says nothing of a user: {page}"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let user = text(user)?;
    Some(Seen {
        user,
        name: text(&value["name"]).unwrap_or_default(),
        visits: value["visits"].as_u64(),
    })
}

/// The environment of a program of CGI, which has `_` for each `-` in the name of a variable.
fn variables(page: &str) -> Option<Seen> {
    assert!(page.contains("GATEWAY_INTERFACE="), "no environment: {page}");
    let value =
        |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let told =
        ["REMOTE_USER", "persistent_id", "givenName", "sn", "displayName", "Shib_Session_ID"];
    let Some(user) = value(told[0]) else {
        assert!(told.iter().all(|name| value(name).is_none()), "of nobody: {page}");
        return None;
    };
    let of = |name: &str| value(name).unwrap_or_default();
    // Shibboleth's names for the same person.
    if user != "mallory" {
        assert_eq!(of("persistent_id"), user, "{page}");
        assert_eq!(format!("{} {}", of("givenName"), of("sn")), of("displayName"), "{page}");
        assert!(of("Shib_Session_ID").len() > 8, "{page}");
    }
    Some(Seen { user: user.to_owned(), name: of("displayName").to_owned(), visits: None })
}

/// A page of DokuWiki: `Logged in as: <bdi>NAME</bdi> (<bdi>USER</bdi>)`, and the trace of pages.
fn wiki(page: &str) -> Option<Seen> {
    assert!(page.contains("dokuwiki__content"), "no page of DokuWiki: {page}");
    let rest = page.split("<li class=\"user\">").nth(1)?;
    let mut names = rest.split("<bdi>").skip(1).filter_map(|rest| rest.split("</bdi>").next());
    let (name, user) = (names.next()?.to_owned(), names.next()?.to_owned());
    let trace = page.split("<span class=\"bchead\">").nth(1)?.split("</div>").next()?;
    let visits = trace.matches("class=\"breadcrumbs\"").count() as u64;
    Some(Seen { user, name, visits: Some(visits) })
}
