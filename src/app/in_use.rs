//! Tells which certificates are in use, at the start and when they change.

use crate::base::encoding::{hex_lower, sha256};
use crate::flow::Flows;
use crate::observe::event::Event;
use crate::xml::keys::Certificate;

/// Says which certificates are in use that were not before.
pub(super) fn tell(before: Option<&Flows>, now: &Flows) {
    for (used_for, find) in USES {
        let old = before.map(find).unwrap_or_default();
        for certificate in find(now) {
            if !old.iter().any(|old| old.der() == certificate.der()) {
                now.tell(Event::CertificateLoaded {
                    used_for,
                    file: None,
                    subject: certificate.subject(),
                    sha256: &hex_lower(&sha256(certificate.der())),
                    not_after: certificate.not_after(),
                });
            }
        }
    }
}

type Find = fn(&Flows) -> Vec<&Certificate>;

/// What each is for, and where it is.
const USES: [(&str, Find); 3] = [
    ("signing", |flows| vec![flows.settings.signer.certificate()]),
    ("node", |flows| flows.settings.trusted.certificates().iter().collect()),
    ("client", |flows| flows.node.settings().client_certificate.iter().collect()),
];
