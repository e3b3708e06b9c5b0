//! `[listen.acme]`: certificates for citizens from an authority that speaks ACME.

use std::net::IpAddr;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::context::Context;
use super::portal::hosts;
use crate::app::acme::Settings;
use crate::app::inventory::Use;
use crate::app::state::ISSUED;
use crate::base::secret::Secret;
use crate::gateway;
use crate::request::host;

/// Returns what is ordered, and the file that it will be in; nothing when nothing is.
pub(super) fn resolve(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
) -> Option<(Settings, PathBuf)> {
    let file = context.file();
    let acme = &file.listen.acme;
    let Some(directory) = &acme.directory else {
        not_used(context);
        return None;
    };
    let directory = directory_url(context, directory);
    if !acme.agree_to_terms {
        context.error(
            key!(listen.acme.agree_to_terms),
            "is not true, and the authority issues nothing to those who do not agree to its terms",
            "read the terms that its directory names (termsOfService), then say true",
        );
    }
    for (number, contact) in acme.contacts.iter().enumerate() {
        if !is_mail(contact) {
            let key = format!("listen.acme.contacts[{number}]");
            context.error(&key, "is no address of e-mail", "write it like \"it@example.gov.pl\"");
        }
    }
    if file.listen.redirect.is_none() {
        context.error(
            key!(listen.redirect),
            "is missing, and the authority asks at port 80 whether the names are ours",
            "add redirect = \"0.0.0.0:80\", or another port to which port 80 of the names leads",
        );
    }
    let advice = "name a folder that outlives a restart: account and certificate are kept there";
    let state = file.portal.state_directory.as_deref();
    let state = context.required(key!(portal.state_directory), state, advice);
    let names = names(context, portal);
    let external = external_account(context);
    let key = key!(listen.acme.extra_ca_file);
    let extra = acme.extra_ca_file.as_deref().map(|path| (key, path, Use::AcmeCa));
    let tls = context.client_tls(key, true, extra, None);
    let settings = Settings {
        directory: directory?,
        contacts: acme.contacts.clone(),
        names: names?,
        profile: acme.profile.clone(),
        external_account: external?,
        tls: tls?,
    };
    Some((settings, context.resolve(state?).join(ISSUED)))
}

/// Warns of keys that nothing comes of.
fn not_used(context: &mut Context<'_>) {
    let acme = &context.file().listen.acme;
    let rest = [
        (key!(listen.acme.agree_to_terms), acme.agree_to_terms),
        (key!(listen.acme.contacts), !acme.contacts.is_empty()),
        (key!(listen.acme.names), !acme.names.is_empty()),
        (key!(listen.acme.profile), acme.profile.is_some()),
        (key!(listen.acme.external_account), acme.external_account.is_some()),
        (key!(listen.acme.external_account_key_file), acme.external_account_key_file.is_some()),
        (key!(listen.acme.extra_ca_file), acme.extra_ca_file.is_some()),
    ];
    for (key, is_given) in rest {
        if is_given {
            context.warn(key, "is not used without listen.acme.directory", "name the directory");
        }
    }
}

fn directory_url(context: &mut Context<'_>, text: &str) -> Option<String> {
    let key = key!(listen.acme.directory);
    let url = context.url(key, text)?;
    // RFC 8555, 6.1: the account's key and its orders go nowhere else.
    if url.scheme() != "https" {
        context.error(key, "is not https://", "authorities are asked over https:// alone");
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        context.error(
            key,
            "has more than a host, a path and a query",
            "copy it from the authority",
        );
        return None;
    }
    Some(url.to_string())
}

/// Returns the names that are given, or those of the portal.
fn names(context: &mut Context<'_>, portal: Option<&gateway::Settings>) -> Option<Vec<String>> {
    let (key, given) = (key!(listen.acme.names), &context.file().listen.acme.names);
    let mut names = Vec::new();
    let all = match (given.is_empty(), portal) {
        (false, _) => given.clone(),
        (true, None) => return None,
        (true, portal) => hosts(portal).map(|(host, _)| host.to_string()).collect(),
    };
    for name in all {
        match host::from_configuration(&name) {
            Some(name) if is_public(&name) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => {
                let what =
                    format!("\"{name}\" is no name that an authority issues a certificate for");
                let advice = "give whole names of DNS here, without a star; for others a certificate of \
                              your own (listen.certificates)";
                context.error(key, what, advice);
                return None;
            }
        }
    }
    if names.len() > MOST_NAMES {
        let what = format!("{} names are more than a certificate has", names.len());
        context.error(key, what, "give at most 100");
        return None;
    }
    Some(names)
}

/// A name of DNS with two labels or more: an address, and a name of this machine, are seen by no
/// authority over http-01.
fn is_public(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.contains('.') && !name.contains('*') && bare.parse::<IpAddr>().is_err()
}

fn is_mail(contact: &str) -> bool {
    let Some((person, host)) = contact.rsplit_once('@') else { return false };
    let is_letter = |letter: char| letter.is_ascii_graphic() && !matches!(letter, ',' | '?' | '@');
    !person.is_empty() && host.contains('.') && person.chars().chain(host.chars()).all(is_letter)
}

/// `None` when something is wrong with it; inside, what is given.
#[expect(clippy::option_option, reason = "an error was told, nothing is given, something is")]
fn external_account(context: &mut Context<'_>) -> Option<Option<(String, Secret<Vec<u8>>)>> {
    let acme = &context.file().listen.acme;
    let key = key!(listen.acme.external_account_key_file);
    match (&acme.external_account, acme.external_account_key_file.as_deref()) {
        (None, None) => Some(None),
        (Some(id), Some(path)) => {
            let bytes = context.read_secret(key, path)?;
            let text = String::from_utf8_lossy(&bytes);
            let secret = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='));
            let Some(secret) = secret.ok().filter(|secret| !secret.is_empty()) else {
                let what = format!("{} holds no base64url", context.resolve(path).display());
                context.error(key, what, "put the key there as the authority gave it");
                return None;
            };
            Some(Some((id.clone(), Secret::new(secret))))
        }
        (Some(_), None) => {
            context.error(key, "is missing", "name the file with the key of the account");
            None
        }
        (None, Some(_)) => {
            let key = key!(listen.acme.external_account);
            context.error(key, "is missing", "give the number of the account, too");
            None
        }
    }
}

/// Authorities take no more (Let's Encrypt: 100).
const MOST_NAMES: usize = 100;
