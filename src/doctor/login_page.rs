//! The page that takes a browser to the node, read as far as the request in it.

use crate::base::encoding::from_base64;
use crate::saml::namespaces::SAML2;
use crate::xml::scan::Limits;
use crate::xml::tree::Document;

/// What a login page sends to the node.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoginPage {
    /// Where the form goes.
    pub(super) action: String,
    /// Who asks.
    pub(super) issuer: String,
    /// Where the answer is to be brought.
    pub(super) acs: String,
}

/// The longest request that is read.
const MOST: usize = 64 * 1024;

impl LoginPage {
    /// Reads a page; none when it has no such form.
    pub(super) fn read(html: &str) -> Option<Self> {
        let action = between(html, "<form method=\"post\" action=\"", "\"")?;
        let message = between(html, "name=\"SAMLRequest\" value=\"", "\"")?;
        let message = from_base64(message)?;
        let document = Document::parse(&message, &Limits::message(MOST)).ok()?;
        let request = document.root();
        let issuer = request.children_named(SAML2, "Issuer").next()?.text().ok()?.into_owned();
        let acs = request.attribute("AssertionConsumerServiceURL")?.to_owned();
        Some(Self { action: action.replace("&amp;", "&"), issuer, acs })
    }
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(found, _)| found)
}
