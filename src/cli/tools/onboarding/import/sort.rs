//! Which certificate is for what, and which key fits it.

use std::collections::HashSet;

use super::gather::{Found, FoundKey, Given, Ours};
use super::role::Role;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
use crate::cli::tools::certs::profile::{ENCRYPTION, Purpose, SIGNING};

/// A certificate of ours with its key, and the authorities behind it.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) certificate: Found,
    pub(super) key: FoundKey,
    pub(super) chain: Vec<Vec<u8>>,
}

/// What has a place.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) signing: Option<Pair>,
    pub(super) encryption: Option<Pair>,
    pub(super) client_tls: Option<Pair>,
    pub(super) node: Vec<Found>,
    pub(super) node_authorities: Vec<Found>,
    /// What a person should know, although nothing is wrong.
    pub(super) notes: Vec<String>,
}

/// Sorts what was given. Our name at the node is `issuer`.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn sort(
    given: &Given,
    ours: &Ours,
    issuer: &str,
    now: Time,
) -> Result<Sorted, Vec<String>> {
    let mut sorting = Sorting { given, ours, issuer, now, problems: given.problems.clone() };
    let mut sorted = Sorted { notes: given.notes.clone(), ..Sorted::default() };
    let mut roles: Vec<(Role, &Found)> = Vec::new();
    let mut unused = Vec::new();
    for one in &given.certificates {
        match sorting.role(one) {
            Ok(Some(role)) => roles.push((role, one)),
            Ok(None) => unused.push(one),
            Err(why) => sorting.problems.push(why),
        }
    }
    // Authorities behind our own certificates have nothing to do with TLS to the node.
    let ours = roles.iter().filter(|(role, _)| *role != Role::Node && *role != Role::NodeAuthority);
    let behind: HashSet<&str> = ours.flat_map(|(_, one)| sorting.issuers(one)).collect();
    unused.retain(|one| !(one.facts.is_authority && behind.contains(&*one.facts.subject)));
    sorted.notes.extend(unused.into_iter().map(|one| sorting.unused(one)));
    let mut of = |role: Role| {
        let all = roles.iter().filter(|(of, _)| *of == role).map(|(_, found)| *found);
        sorting.pair(role, all.collect(), &mut sorted.notes)
    };
    sorted.signing = of(Role::Signing);
    sorted.encryption = of(Role::Encryption);
    sorted.client_tls = of(Role::ClientTls);
    let of =
        |role: Role| roles.iter().filter(move |(of, _)| *of == role).map(|(_, f)| (*f).clone());
    sorted.node = of(Role::Node).collect();
    sorted.node_authorities = of(Role::NodeAuthority).collect();
    sorting.check_others(&sorted);
    for one in &sorted.node {
        let Found { file, facts, .. } = one;
        if facts.not_after <= now {
            let name = Foreign::new(&facts.subject);
            let end = facts.not_after;
            sorted.notes.push(format!(
                "{file}: {name} of the node ended on {end}; it is pinned all the same"
            ));
        }
    }
    match sorting.problems.is_empty() {
        true => Ok(sorted),
        false => Err(sorting.problems),
    }
}

struct Sorting<'s> {
    given: &'s Given,
    ours: &'s Ours,
    issuer: &'s str,
    now: Time,
    problems: Vec<String>,
}

impl Sorting<'_> {
    /// Says what a certificate is for; nothing when it has no place of its own.
    fn role(&self, one: &Found) -> Result<Option<Role>, String> {
        let Found { file, facts, .. } = one;
        if let Some(said) = one.said {
            // With what was meant there may be the chain behind it.
            let has_other = |other: &Found| other.file == *file && !other.facts.is_authority;
            let is_behind = facts.is_authority && self.given.certificates.iter().any(has_other);
            return Ok((said == Role::NodeAuthority || !is_behind).then_some(said));
        }
        let name = facts.common_names.first().map_or("", String::as_str);
        let shown = Foreign::new(&facts.subject);
        let issuer = self.issuer;
        for (purpose, role) in
            [(Purpose::Signing, Role::Signing), (Purpose::Encryption, Role::Encryption)]
        {
            if name == purpose.common_name(issuer) {
                return Ok(Some(role));
            }
        }
        if facts.is_authority {
            return Ok(None);
        }
        if let Some(other) = name.strip_suffix(SIGNING).or_else(|| name.strip_suffix(ENCRYPTION)) {
            let other = Foreign::new(other);
            return Err(format!(
                "{file}: {shown} is of the service \"{other}\", and this one is \"{issuer}\" \
                 (service.issuer); is it that of another environment?"
            ));
        }
        if name.starts_with(NODE) {
            return Ok(Some(Role::Node));
        }
        let is_for = |purpose: &str| facts.purposes.iter().any(|one| one == purpose);
        match self.key_of(one) {
            Some(_) if is_for("clientAuth") => Ok(Some(Role::ClientTls)),
            Some(_) if is_for("serverAuth") => Err(format!(
                "{file}: {shown} is a certificate of a server, with its key: name both in \
                 [listen], or \
                 say --client-tls {file} if it is for TLS with the node"
            )),
            Some(key) => Err(format!(
                "{file}: {shown} has its key in {}, but it is called neither {issuer}{SIGNING} nor \
                 {issuer}{ENCRYPTION}; if the operator wants it so, say --signing {file}, \
                 --encryption \
                 {file} or --client-tls {file}",
                key.file
            )),
            None if is_for("serverAuth") => Ok(None),
            None => Err(format!(
                "{file}: whose is {shown}? Its private key is neither in these files nor in our \
                 folder \
                 of keys; if the node signs with it, say --node {file}"
            )),
        }
    }

    fn unused(&self, one: &Found) -> String {
        let Found { file, facts, .. } = one;
        let name = Foreign::new(&facts.subject);
        match facts.is_authority {
            true => format!(
                "{file}: {name} is an authority, and TLS to the node does not trust it because \
                 of this; \
                 if it must, say --node-ca {file}"
            ),
            false => {
                format!("{file}: {name} is a certificate of a server, which needs no place here")
            }
        }
    }

    fn key_of(&self, one: &Found) -> Option<&FoundKey> {
        let fits = |key: &&FoundKey| key.key.public_key() == one.public;
        // One of ours first: it need not be written again.
        self.ours.keys.iter().find(fits).or_else(|| self.given.keys.iter().find(fits))
    }

    /// Finds the one certificate for a role, and its key.
    fn pair(&mut self, role: Role, mut all: Vec<&Found>, notes: &mut Vec<String>) -> Option<Pair> {
        let now = self.now;
        let (ended, current): (Vec<_>, Vec<_>) =
            all.iter().copied().partition(|one| one.facts.not_after <= now);
        if !current.is_empty() {
            let passed_over = |one: &&Found| {
                format!("{}: passed over, it ended on {}", one.file, one.facts.not_after)
            };
            notes.extend(ended.iter().map(passed_over));
            all = current;
        }
        let certificate = match all.as_slice() {
            [] => return None,
            [one] => (*one).clone(),
            [first, second, ..] => {
                let what = format!(
                    "{} and {}: two certificates for {role}; give the one that is to be used",
                    first.file, second.file
                );
                self.problems.push(what);
                return None;
            }
        };
        let wrong = self.wrong(role, &certificate);
        let is_right = wrong.is_empty();
        self.problems.extend(wrong);
        let key = self.key_of(&certificate).cloned();
        if key.is_none() {
            let why = self.no_key(&certificate);
            self.problems.push(why);
        }
        if certificate.facts.not_before > now {
            let Found { file, facts, .. } = &certificate;
            let from = facts.not_before;
            notes.push(format!(
                "{file}: it is valid only from {from}; the node takes it from then on"
            ));
        }
        if certificate.facts.usages.is_empty() && matches!(role, Role::Signing | Role::Encryption) {
            let Found { file, facts, .. } = &certificate;
            let name = Foreign::new(&facts.subject);
            notes.push(format!(
                "warning: {file}: {name} does not say what it is for (keyUsage), as the profile of \
                 the node has it; ask the operator whether they take it"
            ));
        }
        let chain = self.chain(&certificate);
        key.filter(|_| is_right).map(|key| Pair { certificate, key, chain })
    }

    /// Says what keeps a certificate from its role.
    fn wrong(&self, role: Role, one: &Found) -> Vec<String> {
        let Found { file, facts, .. } = one;
        let name = Foreign::new(&facts.subject);
        let mut wrong = Vec::new();
        if facts.not_after <= self.now {
            wrong.push(format!("{file}: {name} ended on {}", facts.not_after));
        }
        let usages = match role {
            Role::Signing => &["digitalSignature", "nonRepudiation"][..],
            Role::Encryption => &["keyAgreement"],
            _ => return wrong,
        };
        // The key first: one that signed itself says that it is an authority, and that is not its fault.
        if facts.key == "EC P-256" && facts.is_authority {
            wrong.push(format!("{file}: {name} is an authority, not a certificate for {role}"));
        }
        if facts.key != "EC P-256" {
            wrong.push(format!(
                "{file}: {name} has a key of {}, and the node takes EC P-256 alone",
                facts.key
            ));
        }
        // RFC 5280 4.2.1.3: without the extension, a key is for anything.
        let is_for = facts.usages.is_empty()
            || usages.iter().any(|one| facts.usages.iter().any(|u| u == one));
        if !is_for {
            wrong.push(format!(
                "{file}: {name} is for {}, and {role} needs {}",
                facts.usages.join(", "),
                usages[0]
            ));
        }
        wrong
    }

    fn no_key(&self, one: &Found) -> String {
        let Found { file, facts, .. } = one;
        let name = Foreign::new(&facts.subject);
        format!(
            "{file}: the private key of {name} is nowhere: neither in these files nor in our \
             folder of \
             keys; was the request made on another machine, or is it of another environment?"
        )
    }

    /// Returns the names of all authorities behind a certificate.
    fn issuers<'f>(&'f self, one: &'f Found) -> Vec<&'f str> {
        let mut names = vec![&*one.facts.issuer];
        let last = |names: &Vec<&'f str>| names.last().copied().unwrap_or_default();
        while let Some(next) = self.given.certificates.iter().find(|next| {
            let facts = &next.facts;
            facts.is_authority && facts.subject == last(&names)
        }) {
            if names.contains(&&*next.facts.issuer) {
                break;
            }
            names.push(&next.facts.issuer);
        }
        names
    }

    /// Returns the authorities behind a certificate, without one that signed itself.
    fn chain(&self, one: &Found) -> Vec<Vec<u8>> {
        let mut chain = Vec::new();
        let mut issuer = one.facts.issuer.clone();
        while let Some(next) = self.given.certificates.iter().find(|next| {
            let facts = &next.facts;
            facts.is_authority && facts.subject == issuer && facts.subject != facts.issuer
        }) {
            if chain.contains(&next.der) {
                break;
            }
            chain.push(next.der.clone());
            issuer.clone_from(&next.facts.issuer);
        }
        chain
    }

    /// Keys that fit nothing.
    fn check_others(&mut self, sorted: &Sorted) {
        let is_ours = |key: &FoundKey| {
            let same = |one: &FoundKey| one.key.public_key() == key.key.public_key();
            self.ours.keys.iter().any(same)
        };
        let fits = |key: &FoundKey| {
            self.given.certificates.iter().any(|one| one.public == key.key.public_key())
        };
        let lost = self.given.keys.iter().filter(|key| !fits(key) && !is_ours(key));
        let lost = lost
            .map(|key| format!("{}: its private key fits no certificate that is here", key.file));
        let lost: Vec<_> = lost.collect();
        self.problems.extend(lost);
        for one in &sorted.node {
            if one.facts.is_authority {
                let name = Foreign::new(&one.facts.subject);
                self.problems.push(format!(
                    "{}: {name} is an authority, which signs certificates and no messages",
                    one.file
                ));
            }
        }
    }
}

/// What the name of the certificate begins with that the node signs with.
const NODE: &str = "WK_SIG";
