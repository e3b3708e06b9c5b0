//! Which certificate a failed handshake with the node is about: ours, which the node refuses by an
//! alert (RFC 8446 6.2), or the node's, which we refuse.

use std::error::Error;
use std::io;

use rustls::AlertDescription as Alert;

use crate::base::causes::in_one_line;
use crate::xml::keys::Certificate;

/// Says why there is no connection. `ours` is the certificate that we show, if we show one.
pub(super) fn explain(error: &(dyn Error + 'static), ours: Option<&Certificate>) -> String {
    let said = in_one_line(error);
    match (cause(error), ours) {
        (Some(rustls::Error::AlertReceived(alert)), Some(ours)) if is_of_certificate(*alert) => {
            let (subject, end) = (ours.subject(), ours.not_after());
            let why = match alert {
                Alert::CertificateExpired => format!("expired on {end}"),
                Alert::CertificateRevoked => "it is revoked".to_owned(),
                Alert::UnknownCA => "it does not know the authority".to_owned(),
                _ => format!("{alert:?}, it ends on {end}"),
            };
            format!("the node refused our client certificate {subject}: {why} ({said})")
        }
        (Some(rustls::Error::AlertReceived(alert)), None) if is_of_certificate(*alert) => {
            format!("the node wants a client certificate, give node.client_certificate ({said})")
        }
        (Some(rustls::Error::InvalidCertificate(_)), _) => {
            format!("we refused the certificate of the node's server, not ours ({said})")
        }
        _ => said,
    }
}

/// Tells whether an alert is about the certificate of the side that receives it.
#[must_use]
pub fn is_of_certificate(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
    )
}

/// Finds what TLS says among the causes. An error of I/O hides what is in it from its `source`.
#[must_use]
pub fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => {
                let inner: &'e (dyn Error + 'static) = inner;
                Some(inner)
            }
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Outer(#[source] io::Error);

    #[test]
    fn an_alert_is_about_ours_and_a_refusal_of_ours_about_theirs() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "portal_tls");
        params.not_after = rcgen::date_time_ymd(2031, 3, 4);
        let made = params.self_signed(&key).unwrap();
        let ours = Certificate::from_der(made.der()).unwrap();
        let expired = rustls::Error::AlertReceived(Alert::CertificateExpired);
        let unknown = rustls::Error::AlertReceived(Alert::UnknownCA);
        let required = rustls::Error::AlertReceived(Alert::CertificateRequired);
        let revoked = rustls::Error::AlertReceived(Alert::CertificateRevoked);
        let bad = rustls::Error::AlertReceived(Alert::BadCertificate);
        let protocol = rustls::Error::AlertReceived(Alert::ProtocolVersion);
        let theirs = rustls::Error::InvalidCertificate(CertificateError::Expired);
        for (error, shown, expected) in [
            (expired, true, "refused our client certificate CN=portal_tls: expired on 2031-03-04T"),
            (unknown, true, "certificate CN=portal_tls: it does not know the authority"),
            (revoked, true, "certificate CN=portal_tls: it is revoked"),
            (bad, true, "certificate CN=portal_tls: BadCertificate, it ends on 2031-03-04T"),
            (required, false, "the node wants a client certificate, give node.client_certificate"),
            (protocol, true, "client error (Connect): received fatal alert"),
            (theirs, true, "we refused the certificate of the node's server, not ours"),
        ] {
            let error = Outer(io::Error::other(error));
            let said = explain(&error, shown.then_some(&ours));
            assert!(said.contains(expected), "{said}");
            assert!(said.contains("client error (Connect)"), "{said}");
        }
        // Another alert says nothing of certificates, whether we show one or not.
        for shown in [true, false] {
            let protocol = rustls::Error::AlertReceived(Alert::ProtocolVersion);
            let said = explain(&Outer(io::Error::other(protocol)), shown.then_some(&ours));
            assert!(!said.contains("client certificate"), "{said}");
        }
    }
}
