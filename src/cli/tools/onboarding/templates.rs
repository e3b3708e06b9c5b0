//! The files that `brama onboarding init` writes, with what an integrator wants to know beside each
//! key.

use super::record::Windows;
use super::stage::Stage;
use crate::cli::tools::certs::profile::{Holder, Purpose, file_name};
use crate::config::file::ServiceKind;

/// What the files are made of.
#[derive(Debug, Clone)]
pub(super) struct Facts<'f> {
    pub(super) issuer: &'f str,
    /// The name of the service, as the node shows it.
    pub(super) name: &'f str,
    pub(super) public_url: &'f str,
    pub(super) upstream: &'f str,
    pub(super) kind: ServiceKind,
    /// The file with the password of keys that are encrypted.
    pub(super) password_file: Option<&'f str>,
}

/// Returns the configuration of an environment. The certificates that it names are still to come.
pub(super) fn configuration(stage: Stage, facts: &Facts<'_>) -> String {
    let Facts { issuer, name, public_url, upstream, kind, .. } = facts;
    let (name, public_url, upstream) = (quoted(name), quoted(public_url), quoted(upstream));
    let (issuer_text, environment) = (quoted(issuer), stage.environment(*kind));
    let kind = match kind {
        ServiceKind::Public => "public",
        ServiceKind::Private => "private",
    };
    let keys = keys(facts);
    format!(
        r##"# Brama at the environment "{stage}" of the node. Yours to edit; every key with its meaning
# and its default: brama reference. Relative paths count from the folder of this file.
#
# brama check --config {stage}/brama.toml

[portal]
# The name that citizens read on the gateway's pages.
name = {name}
# What citizens open. With "/.brama/acs" behind it, this is the ACS address that is registered.
public_url = {public_url}
# Keys that must outlive a restart. Only the program's own user should be able to read it; with the
# unit for systemd write "/var/lib/brama".
state_directory = "state"

[listen]
# Behind a proxy on this machine that ends TLS. Without one, take these two lines out and write:
#   https = "0.0.0.0:443"
#   certificate = "tls/portal.pem"
#   key = "tls/portal.key"
http = "127.0.0.1:8080"
trusted_proxies = ["127.0.0.1"]

[operations]
# Health and metrics, for you and not for citizens.
listen = "127.0.0.1:9480"

[node]
environment = "{environment}"
# What the node signs its messages with. The operator hands it over, for each environment another
# one; `brama onboarding import {stage} FILE...` puts it here.
certificates = ["{NODE_FILE}"]

[service]
# Your name at the node, and that of your service: letter by letter as they are registered.
issuer = {issuer_text}
provider_name = {name}
kind = "{kind}"
{keys}
# The level of assurance that each login must have: "low", "substantial" or "high".
assurance = "substantial"

{decryption}[[upstream]]
# The portal behind the gateway. Nobody else should be able to reach it.
name = "portal"
url = {upstream}

[[route]]
# Everything needs a citizen who is signed in. Nothing personal is told unless it stands in `claims`.
path = "/"
upstream = "portal"
claims = ["given_name", "family_name"]
"##,
        decryption = decryption(facts),
    )
}

/// The lines of `[service]` that name our keys.
fn keys(facts: &Facts<'_>) -> String {
    let (signing, encryption) = stems(facts.issuer);
    match facts.password_file {
        None => format!(
            "# The certificate of our signatures comes from the operator; its key is here already.\n\
             signing_certificate = {}\nsigning_key = {}\n\
             # The key of the certificate that the node encrypts to.\ndecryption_keys = [{}]",
            quoted(&format!("keys/{signing}.pem")),
            quoted(&format!("keys/{signing}.key")),
            quoted(&format!("keys/{encryption}.key")),
        ),
        Some(password) => format!(
            "# Key and certificate of our signatures: `import` puts both into this file.\n\
             signing_p12 = {}\nsigning_p12_password_file = {}",
            quoted(&format!("keys/{signing}.p12")),
            quoted(password),
        ),
    }
}

/// The table that names an encrypted key.
fn decryption(facts: &Facts<'_>) -> String {
    let Some(password) = facts.password_file else { return String::new() };
    let (_, encryption) = stems(facts.issuer);
    format!(
        "[[service.decryption_p12]]\n# The key of the certificate that the node encrypts to.\n\
         file = {}\npassword_file = {}\n\n",
        quoted(&format!("keys/{encryption}.p12")),
        quoted(password),
    )
}

/// Returns what the names of the files of both pairs begin with: signing, encryption.
pub(super) fn stems(issuer: &str) -> (String, String) {
    let stem = |purpose: Purpose| file_name(&purpose.common_name(issuer));
    (stem(Purpose::Signing), stem(Purpose::Encryption))
}

/// The file of the node's certificates, as the configuration names it.
pub(super) const NODE_FILE: &str = "keys/node-signing.pem";

/// Returns the record as it is in the beginning.
pub(super) fn record(holder: &Holder, password_file: Option<&str>) -> String {
    let Windows { verification_days, tests_days, decision_days } = Windows::default();
    let given = |name: &str, value: &Option<String>| match value {
        Some(value) => format!("{name} = {}", quoted(value)),
        None => format!("# {name} = \"\""),
    };
    let keys = match password_file {
        None => "# The private keys are not encrypted; their files are for their owner alone.\n\
                 # password_file = \"/path/to/file\""
            .to_owned(),
        Some(file) => format!(
            "# The file with the password by which the private keys are encrypted.\n\
             password_file = {}",
            quoted(file)
        ),
    };
    format!(
        r##"# The record of the way to production: `brama onboarding status` reads it. Edit it by hand, or:
#   brama onboarding status --done 1 --on 2026-11-30
# No secrets belong here.

[organisation]
# As in the requests for certificates.
{name}
{unit}
{locality}
country = {country}

[contacts.technical]
# Whom the operator calls when a login fails, and who hears of certificates that end.
name = ""
email = ""
telephone = ""

[contacts.deputy]
name = ""
email = ""
telephone = ""

[contacts.security]
# Whom the operator tells of what touches security.
name = ""
email = ""
telephone = ""

[contacts.operator]
# Whom you call.
name = ""
email = ""
telephone = ""

[network]
# From which addresses the node is asked, as the operator sees them: ["192.0.2.10"].
outgoing_addresses = []

[windows]
# Days that the operator's documents give. Compare them with the papers that you have.
verification_days = {verification_days}
tests_days = {tests_days}
decision_days = {decision_days}

[keys]
{keys}

# Step = day on which it was done.
[done]
"##,
        name = given("name", &holder.organisation),
        unit = given("unit", &holder.unit),
        locality = given("locality", &holder.locality),
        country = quoted(&holder.country),
    )
}

/// What git does not take: keys, what has them in it, and the state of a gateway.
pub(super) const GIT_IGNORE: &str = "*.key\n*.p12\n*.pfx\n*.password\n*/state/\n";

/// Returns a text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn what_is_written_is_read_whatever_the_names_are() {
        for (name, password_file) in
            [("Urząd \"Miasta\" \\ # 1", None), ("Urząd", Some("/run/a b/\"password\""))]
        {
            for (stage, kind) in Stage::ALL
                .into_iter()
                .flat_map(|s| [(s, ServiceKind::Public), (s, ServiceKind::Private)])
            {
                let facts = Facts {
                    issuer: "https://portal.example",
                    name,
                    public_url: "https://portal.example",
                    upstream: "http://127.0.0.1:3000",
                    kind,
                    password_file,
                };
                let text = configuration(stage, &facts);
                let loaded = config::load_text("brama.toml", &text, [].into_iter()).unwrap();
                assert!(loaded.problems.is_empty(), "{text}\n{}", loaded.problems);
                assert_eq!(loaded.file.service.provider_name.as_deref(), Some(name));
                assert_eq!(loaded.file.service.kind, kind);
                assert_eq!(loaded.file.service.signing_p12.is_some(), password_file.is_some());
            }
        }
        let holder = Holder {
            organisation: Some("\"A\"".into()),
            country: "PL".into(),
            ..Holder::default()
        };
        for password in [None, Some("/a \"b\"")] {
            let text = record(&holder, password);
            let read: super::super::record::Record = toml::from_str(&text).unwrap();
            assert_eq!(read.organisation.name.as_deref(), Some("\"A\""));
            assert_eq!(read.windows.verification_days, 21);
        }
    }
}
