//! Alarms become lines of the log. No person is behind any of them.

use tracing::{error, info, warn};

use super::super::alarm::{CertificateNews, ClockStanding, WatchedCertificate};

/// A line about a certificate: what it is, and where it is named.
macro_rules! line {
    ($level:ident, $one:ident, $($field:tt)*) => {
        $level!(
            used_for = $one.used_for,
            subject = $one.subject,
            sha256 = $one.sha256,
            key = $one.key,
            file = %$one.file.display(),
            not_before = %$one.not_before,
            not_after = %$one.not_after,
            days_left = $one.days_left,
            $($field)*
        )
    };
}

/// Says what there is to say of a certificate.
pub(super) fn certificate(one: &WatchedCertificate<'_>, news: &CertificateNews) {
    match news {
        CertificateNews::Ends { within } if one.is_followed => {
            line!(
                info,
                one,
                within_days = within,
                "certificate ends, and another one has followed it"
            );
        }
        CertificateNews::Ends { within } if *within > 30 => {
            line!(info, one, within_days = within, "certificate ends");
        }
        CertificateNews::Ends { within } => {
            line!(warn, one, within_days = within, "certificate ends soon");
        }
        CertificateNews::Ended if one.is_followed => {
            line!(info, one, "certificate has ended, and another one has followed it");
        }
        CertificateNews::Ended => line!(error, one, "certificate has ended"),
        CertificateNews::NotYetValid => line!(warn, one, "certificate is not valid yet"),
        CertificateNews::ValidNow => line!(info, one, "certificate has become valid"),
        CertificateNews::Replaced { before } => {
            line!(info, one, before, "certificate was replaced");
        }
        CertificateNews::Unreadable { why } => {
            line!(
                warn,
                one,
                error = why,
                "certificate cannot be read again, and a start would fail"
            );
        }
        CertificateNews::Readable => line!(info, one, "certificate can be read again"),
    }
}

/// Says what there is to say of the clock.
pub(super) fn clock(standing: ClockStanding, (seconds, within): (f64, f64), witness: &'static str) {
    match standing {
        ClockStanding::Differs => warn!(
            seconds,
            within,
            witness,
            "clock of this machine differs from the node's: check NTP on this machine"
        ),
        ClockStanding::Agrees => {
            info!(seconds, within, witness, "clock of this machine agrees with the node's");
        }
        ClockStanding::Unknown => info!(
            seconds,
            within,
            witness,
            "nobody has signed in for long: it is not known whether the clock differs from the node's"
        ),
    }
}

/// Says what there is to say of the node.
pub(super) fn node(is_over: bool, failed: u64, of: u64) {
    if is_over {
        info!(failed, of, "exchanges with the node work again");
    } else {
        error!(failed, of, "exchanges with the node fail");
    }
}
