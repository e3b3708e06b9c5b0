//! What can go wrong with TLS at the SOAP endpoint, by name.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::time::time;
use crate::config::file::HumanDuration;

/// Something wrong with TLS at the SOAP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate has expired.
    Expired,
    /// The certificate is for another host.
    WrongName,
    /// The certificate was issued by an authority that nobody knows.
    WrongAuthority,
    /// The certificate was issued by nobody.
    SelfSigned,
    /// A client certificate is demanded of an authority that issued none.
    ClientCertificate,
    /// No version of TLS that the client speaks is spoken.
    Version,
    /// The connection ends in the middle of the handshake.
    Cut,
    /// The handshake begins after a time.
    Slow(Duration),
}

impl TlsFault {
    /// All of them; the slow one with an example of a time.
    pub const ALL: [Self; 8] = [
        Self::Expired,
        Self::WrongName,
        Self::WrongAuthority,
        Self::SelfSigned,
        Self::ClientCertificate,
        Self::Version,
        Self::Cut,
        Self::Slow(Duration::from_secs(5)),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::WrongName => "wrong-name",
            Self::WrongAuthority => "wrong-authority",
            Self::SelfSigned => "self-signed",
            Self::ClientCertificate => "client-certificate",
            Self::Version => "version",
            Self::Cut => "cut",
            Self::Slow(_) => "slow",
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Slow(time) => write!(f, "={}", HumanDuration::from(*time)),
            _ => Ok(()),
        }
    }
}

impl FromStr for TlsFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(wait) = text.strip_prefix("slow=") {
            return Ok(Self::Slow(time(wait)?));
        }
        let plain = Self::ALL.into_iter().filter(|fault| !matches!(fault, Self::Slow(_)));
        plain.into_iter().find(|fault| fault.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(|fault| fault.to_string()).join(", ");
            format!("unknown TLS fault {text:?}; there are {known}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_what_it_is_called_and_nothing_else_is() {
        for fault in TlsFault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        for wrong in ["", "slow", "slow=", "slow=soon", "slow=2d", "slow=0s", "Expired"] {
            assert!(wrong.parse::<TlsFault>().is_err(), "{wrong}");
        }
        assert!("x".parse::<TlsFault>().unwrap_err().contains("there are expired, wrong-name"));
    }
}
