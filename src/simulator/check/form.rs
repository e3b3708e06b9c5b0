//! The form that a browser carries (SAML bindings 3.5.4).

use super::rules;
use super::{Finding, Report};
use crate::base::encoding::from_base64;
use crate::simulator::bounds::RELAY_STATE_BYTES;

/// The fields of the form.
#[derive(Debug, Default)]
pub(in crate::simulator) struct SignOnForm {
    /// The `SAMLRequest`, decoded from base64.
    pub(in crate::simulator) message: Vec<u8>,
    /// Given back as it came, when there was one.
    pub(in crate::simulator) relay_state: Option<String>,
}

/// Reads the form. What could be read is returned beside what is wrong with it.
pub(in crate::simulator) fn read_form(
    content_type: Option<&str>,
    body: &[u8],
) -> (SignOnForm, Vec<Finding>) {
    let mut report = Report::default();
    let mut form = SignOnForm::default();
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(FORM) {
        report.add(&rules::FORM_TYPE, essence, FORM);
        return (form, report.into_findings());
    }
    let mut request = None;
    for (name, value) in url::form_urlencoded::parse(body) {
        let field = match &*name {
            "SAMLRequest" => &mut request,
            "RelayState" => &mut form.relay_state,
            // `ForeignAuthentication` and whatever else a page has in its form.
            _ => continue,
        };
        if field.replace(value.into_owned()).is_some() {
            report.add(&rules::FORM_REPEATED, &name, "");
        }
    }
    if let Some(relay_state) = &form.relay_state
        && relay_state.len() > RELAY_STATE_BYTES
    {
        report.add(&rules::RELAY_STATE, &relay_state.len().to_string(), "80");
    }
    match request.as_deref().map(from_base64) {
        None => report.add(&rules::FORM_MISSING, "", "SAMLRequest"),
        Some(None) => report.add(&rules::BASE64, request.as_deref().unwrap_or_default(), ""),
        Some(Some(bytes)) => {
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            if text.trim_ascii_start().first() == Some(&b'<') {
                form.message = bytes;
            } else {
                report.add(&rules::DEFLATED, "", "");
            }
        }
    }
    (form, report.into_findings())
}

const FORM: &str = "application/x-www-form-urlencoded";
