//! What a browser did, step by step, for a report. No values: neither of cookies nor of fields nor of
//! queries, since an artifact or a ticket may be among them.

use std::time::Duration;

use http::{Method, StatusCode};
use url::Url;

use crate::base::foreign::Foreign;

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The method.
    pub method: Method,
    /// The address, of its query the names only.
    pub address: String,
    /// The names of the fields that were sent.
    pub fields: Vec<Foreign>,
    /// The names of the cookies that went along.
    pub cookies: Vec<Foreign>,
    /// The status, if there was an answer.
    pub status: Option<StatusCode>,
    /// Where the answer leads, of the query the names only.
    pub leads_to: Option<String>,
    /// The names of cookies that were set and kept.
    pub kept: Vec<Foreign>,
    /// Those that were not kept, with the reason.
    pub rejected: Vec<(Foreign, super::jar::Rejection)>,
    /// What went wrong when there was no answer.
    pub error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.address)?;
        if let Some(status) = self.status {
            write!(f, " → {}", status.as_u16())?;
        }
        if let Some(to) = &self.leads_to {
            write!(f, " → {to}")?;
        }
        if let Some(error) = &self.error {
            write!(f, " → {error}")?;
        }
        Ok(())
    }
}

/// Returns an address with the names of its query alone, bounded and escaped.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    // Neither fails for an address of HTTP.
    let _ = (bare.set_username(""), bare.set_password(None));
    let names: Vec<_> = url.query_pairs().map(|(name, _)| format!("{name}=…")).collect();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    Foreign::new(&format!("{bare}{query}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_was_said_in_it() {
        let url = Url::parse("https://u:p@a.pl/x?SAMLart=secret&RelayState=secret#secret").unwrap();
        assert_eq!(shown(&url), "https://a.pl/x?SAMLart=…&RelayState=…");
        assert_eq!(shown(&Url::parse("https://a.pl/x").unwrap()), "https://a.pl/x");
        let long = format!("https://a.pl/{}", "a".repeat(10_000));
        assert!(shown(&Url::parse(&long).unwrap()).chars().count() <= 200);
    }
}
