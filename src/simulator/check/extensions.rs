//! The eIDAS extensions of a request: what sort of organisation asks, and for what.

use super::Report;
use super::header::{check_attributes, text};
use super::rules;
use crate::identity::attribute::Attribute;
use crate::saml::namespaces::{ATTRIBUTE_NAME_URI, EIDAS};
use crate::xml::tree::Element;

/// What the names of all eIDAS attributes of a natural person begin with.
const NATURAL_PERSON: &str = "http://eidas.europa.eu/attributes/naturalperson/";
/// Attributes that exist and that no person here has.
const OTHERS: [&str; 4] = ["BirthName", "PlaceOfBirth", "CurrentAddress", "Gender"];

/// Checks the extensions and returns the attributes asked for that people here have.
pub(super) fn check_extensions(
    extensions: Option<Element<'_>>,
    report: &mut Report,
) -> Vec<Attribute> {
    let Some(extensions) = extensions else {
        report.add(&rules::EXTENSIONS, "", "saml2p:Extensions");
        return Vec::new();
    };
    check_attributes(extensions, &[], report);
    if extensions.has_stray_text() {
        report.add(&rules::STRAY_TEXT, extensions.name(), "");
    }
    let mut children = extensions.children();
    let first = children.next();
    let kind = first.filter(|first| first.is(EIDAS, "SPType")).and_then(text);
    if !matches!(kind.as_deref(), Some("public" | "private")) {
        report.add(&rules::SP_TYPE, &kind.unwrap_or_default(), "public, private");
    }
    // Looked for wherever it is, so that a wrong order does not hide what is inside.
    let requested = extensions.children_named(EIDAS, "RequestedAttributes").next();
    if requested.is_none() || children.next() != requested {
        report.add(&rules::REQUESTED, "", "eidas:RequestedAttributes");
    }
    for child in children {
        report.add(&rules::UNKNOWN_CHILD, &format!("{child:?}"), "");
    }
    let mut attributes = Vec::new();
    if let Some(requested) = requested {
        check_requested(requested, &mut attributes, report);
    }
    attributes
}

fn check_requested(requested: Element<'_>, found: &mut Vec<Attribute>, report: &mut Report) {
    let mut names: Vec<&str> = Vec::new();
    for child in requested.children() {
        if !child.is(EIDAS, "RequestedAttribute") {
            report.add(&rules::UNKNOWN_CHILD, &format!("{child:?}"), "");
            continue;
        }
        check_attributes(child, &["FriendlyName", "Name", "NameFormat", "isRequired"], report);
        let name = child.attribute("Name").unwrap_or_default();
        let known = Attribute::from_uri(name);
        let other = name.strip_prefix(NATURAL_PERSON).is_some_and(|name| OTHERS.contains(&name));
        if (known.is_none() && !other) || names.contains(&name) {
            report.add(&rules::REQUESTED_NAME, name, "");
        }
        names.push(name);
        found.extend(known);
        let rule = &rules::REQUESTED_FORMAT;
        report.compare(rule, child.attribute("NameFormat"), ATTRIBUTE_NAME_URI);
        let is_required = child.attribute("isRequired").unwrap_or_default();
        if !["true", "false", "1", "0"].contains(&is_required) {
            report.add(rule, is_required, "true");
        }
        if child.children().next().is_some() || child.has_stray_text() {
            report.add(rule, child.source(), "");
        }
    }
    if names.is_empty() {
        report.add(&rules::REQUESTED, "", "eidas:RequestedAttribute");
    }
}
