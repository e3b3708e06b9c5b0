//! A portal of the developer's own behind the demo, in place of the small one.

use url::{Host, Url};

use crate::gate::policy::Access;
use crate::identity::assurance::Assurance;
use crate::identity::forms::Form;
use crate::identity::forms::headers::{Encoding, PlainHeaders, Preset};
use crate::identity::forms::signature::{SIGNATURE, SIGNATURE_INPUT};
use crate::proxy::upstream::ServerAddress;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct OwnPortal {
    /// A portal of your own in place of the small one, such as `http://localhost:3000`. It is told
    /// everything of the people of the simulator.
    #[arg(long, value_name = "URL", value_parser = address)]
    upstream: Option<ServerAddress>,
    /// In which forms it is told who a citizen is; several are parted by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "assertion")]
    #[arg(requires = "upstream")]
    identity: Vec<IdentityForm>,
    /// The names of plain headers.
    #[arg(long, value_enum, default_value = "brama", requires = "upstream")]
    preset: HeaderPreset,
    /// Who may see it: only who is signed in, or anybody.
    #[arg(long, value_enum, default_value = "required", requires = "upstream")]
    access: Who,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum IdentityForm {
    /// A signed token in X-Brama-Assertion.
    Assertion,
    /// The same token as Authorization: Bearer.
    Bearer,
    /// Plain headers.
    Headers,
    /// A signature of each request (RFC 9421), by the key of the tokens.
    Signature,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum HeaderPreset {
    /// X-Brama-Subject, X-Brama-Given-Name and so on.
    Brama,
    /// Remote-User and Remote-Name.
    RemoteUser,
    /// X-Forwarded-User and its kin.
    #[value(name = "oauth2-proxy")]
    Oauth2Proxy,
    /// Shib-Session-ID, givenName and so on.
    Shibboleth,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Who {
    /// Only who is signed in; others are sent to the simulator.
    Required,
    /// Anybody; the portal is told who is signed in.
    Optional,
}

/// How a portal of the developer's own is reached, and what it is told.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) address: ServerAddress,
    pub(super) access: Access,
    pub(super) forms: Vec<Form>,
    pub(super) is_signed: bool,
    /// The names of the headers in which it is told.
    pub(super) names: String,
}

impl OwnPortal {
    /// Returns it, when there is one.
    pub(super) fn wanted(&self) -> Option<Own> {
        let form = |form: &IdentityForm| match form {
            IdentityForm::Assertion => Some(Form::Assertion),
            IdentityForm::Bearer => Some(Form::Bearer),
            IdentityForm::Headers => {
                let preset = match self.preset {
                    HeaderPreset::Brama => Preset::Brama,
                    HeaderPreset::RemoteUser => Preset::RemoteUser,
                    HeaderPreset::Oauth2Proxy => Preset::Oauth2Proxy,
                    HeaderPreset::Shibboleth => Preset::Shibboleth,
                };
                Some(Form::Headers(PlainHeaders::of(preset, Encoding::Percent)))
            }
            IdentityForm::Signature => None,
        };
        let access = match self.access {
            Who::Required => Access::level(Assurance::Substantial),
            Who::Optional => Access::Optional,
        };
        let mut forms: Vec<Form> = Vec::new();
        for form in self.identity.iter().filter_map(form) {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        let is_signed = self.identity.contains(&IdentityForm::Signature);
        let names = names(&forms, is_signed);
        self.upstream.clone().map(|address| Own { address, access, forms, is_signed, names })
    }
}

fn names(forms: &[Form], is_signed: bool) -> String {
    let told = forms.iter().flat_map(Form::names);
    let signed = [SIGNATURE_INPUT, SIGNATURE].into_iter().filter(|_| is_signed);
    told.chain(signed).map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// Reads the address of a portal on this machine.
fn address(text: &str) -> Result<ServerAddress, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if url.scheme() != "http" || url.path() != "/" || url.query().is_some() {
        return Err("write it like http://localhost:3000".to_owned());
    }
    let port = url.port_or_known_default().unwrap_or(80);
    match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_loopback() => Ok(ServerAddress::Socket((ip, port).into())),
        Some(Host::Ipv6(ip)) if ip.is_loopback() => Ok(ServerAddress::Socket((ip, port).into())),
        Some(Host::Domain("localhost")) => {
            Ok(ServerAddress::Name { host: "localhost".to_owned(), port })
        }
        _ => Err("the demo is for this machine alone: give localhost or 127.0.0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_is_one_on_this_machine() {
        for text in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80/"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "localhost:3000",
            "https://localhost",
            "http://portal.example",
            "http://10.0.0.1",
            "http://localhost/app",
            "",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
