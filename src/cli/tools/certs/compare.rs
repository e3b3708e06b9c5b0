//! `brama certs compare OLD NEW`: can the new certificate take the old one's place?
//!
//! Certificates for production are bought, and must be technically the same as those with which the
//! service was admitted. What the node and we look at must not differ; what is another one with each
//! certificate is listed, so that a person sees it; the rest is told apart as a matter for the
//! operator.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::facts::{self, Facts, days};
use super::material::{self, UNREADABLE, shown_path};
use crate::base::clock::{Clock, SystemClock, Time, later};
use crate::base::foreign::{Foreign, escaped_json};
use crate::cli::output::{complain, print};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// File with the certificate that was admitted.
    old: PathBuf,
    /// File with the one that is to take its place.
    new: PathBuf,
    /// File with the password of the old one, when it is PKCS #12.
    #[arg(long, value_name = "FILE")]
    old_password_file: Option<PathBuf>,
    /// File with the password of the new one, when it is PKCS #12.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    /// One JSON object in place of lines for people.
    #[arg(long)]
    json: bool,
}

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// It is the same.
    Same,
    /// It is another one with each certificate.
    Expected,
    /// Somebody has to look at it: the operator of the node decides.
    Look,
    /// It is not technically the same.
    Differs,
}

/// One thing that was compared.
#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    old: String,
    new: String,
    verdict: Verdict,
    /// Why it matters, when it does.
    why: Option<&'static str>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { old, new, old_password_file, new_password_file, json } = arguments;
    let pair = one(old, old_password_file.as_deref())
        .and_then(|old| Ok((old, one(new, new_password_file.as_deref())?)));
    let (old, new) = match pair {
        Ok(pair) => pair,
        Err(why) => {
            complain(format_args!("brama: {why}"));
            return ExitCode::from(UNREADABLE);
        }
    };
    let rows = compare(&old, &new, SystemClock.now());
    let is_same = rows.iter().all(|row| row.verdict != Verdict::Differs);
    if *json {
        let told = serde_json::json!({ "is_technically_identical": is_same, "differences": rows });
        print(escaped_json(&told.to_string()));
    } else {
        rows.iter().for_each(|row| print(told(row)));
        print(match is_same {
            true => "technically identical: it can take the other's place",
            false => "NOT technically identical: the node may refuse it",
        });
    }
    if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A certificate, and how many others stand beside it.
struct Compared {
    facts: Facts,
    /// Those of authorities in the same file.
    authorities: usize,
}

/// Returns the certificate of a file: the only one that is no authority's, or else an authority's.
fn one(path: &Path, password: Option<&Path>) -> Result<Compared, String> {
    let password = password.map(material::password).transpose()?;
    let material = material::read(path, password.as_slice()).map_err(|error| error.to_string())?;
    let shown = shown_path(path);
    let mut ders = material.certificates;
    // The same one is often there twice, in PKCS #12 above all.
    let mut seen = HashSet::new();
    ders.retain(|der| seen.insert(der.clone()));
    // Of several, the one whose key is there is meant.
    let has_key = |der: &Vec<u8>| {
        let public = facts::public_key(der);
        material.keys.iter().any(|key| Some(key.public_key()) == public.as_deref())
    };
    if ders.iter().any(has_key) {
        ders.retain(|der| has_key(der) || facts::read(der).is_ok_and(|facts| facts.is_authority));
    }
    let all: Result<Vec<Facts>, String> = ders.iter().map(|der| facts::read(der)).collect();
    let all = all.map_err(|error| format!("{shown}: {error}"))?;
    let (authorities, own): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.is_authority);
    let count = authorities.len();
    match <[Facts; 1]>::try_from(own) {
        Ok([facts]) => Ok(Compared { facts, authorities: count }),
        Err(own) if own.is_empty() => match authorities.into_iter().next() {
            Some(facts) => Ok(Compared { facts, authorities: count - 1 }),
            None => Err(format!("{shown}: there is no certificate in it")),
        },
        Err(own) => {
            let name = |one: &Facts| format!("{} ({})", Foreign::new(&one.subject), one.serial);
            let names: Vec<_> = own.iter().map(name).collect();
            Err(format!(
                "{shown}: there are {} certificates in it, give a file with one: {}",
                own.len(),
                names.join("; ")
            ))
        }
    }
}

/// Says in what a certificate is not technically the same as another; nothing when it is.
pub(in crate::cli::tools) fn differences(old: &Facts, new: &Facts, now: Time) -> Vec<String> {
    let one = |facts: &Facts| Compared { facts: facts.clone(), authorities: 0 };
    let rows = compare(&one(old), &one(new), now);
    let differs = rows.into_iter().filter(|row| row.verdict == Verdict::Differs);
    let told = |row: Row| match row.old.is_empty() {
        true => format!("{}: {}", row.what, Foreign::new(&row.new)),
        false => format!("{}: {} -> {}", row.what, Foreign::new(&row.old), Foreign::new(&row.new)),
    };
    differs.map(told).collect()
}

fn compare(old: &Compared, new: &Compared, now: Time) -> Vec<Row> {
    let authorities = (old.authorities, new.authorities);
    let (old, new) = (&old.facts, &new.facts);
    let must = |what, read: fn(&Facts) -> String, why| {
        let (old, new) = (read(old), read(new));
        let verdict = if old == new { Verdict::Same } else { Verdict::Differs };
        Row { what, old, new, verdict, why: (verdict == Verdict::Differs).then_some(why) }
    };
    let may = |what, read: fn(&Facts) -> String, otherwise: Verdict, why| {
        let (old, new) = (read(old), read(new));
        let verdict = if old == new { Verdict::Same } else { otherwise };
        let why = (verdict == Verdict::Look).then_some(why);
        Row { what, old, new, verdict, why }
    };
    let other = |what, read: fn(&Facts) -> String| may(what, read, Verdict::Expected, "");
    let mut rows = vec![
        must("key", |one| one.key.clone(), "the node encrypts to, and verifies, this curve alone"),
        must("key usage", |one| sorted(&one.usages), "a signature or an agreement may be refused"),
        must("extended key usage", |one| sorted(&one.purposes), "who checks it may refuse"),
        must("authority", |one| yes(one.is_authority), "a service's certificate is no authority's"),
        must(
            "common name",
            |one| sorted(&one.common_names),
            "the node knows services by <issuer>_sig_ec and <issuer>_enc_ec",
        ),
        may(
            "subject",
            |one| one.subject.clone(),
            Verdict::Look,
            "another organisation, unit or country: does the operator know of it?",
        ),
        may("names", |one| sorted(&one.names), Verdict::Look, "the node does not look at names"),
        may(
            "issuer",
            |one| one.issuer.clone(),
            Verdict::Look,
            "is this authority one that the operator takes certificates of?",
        ),
        may(
            "signed with",
            |one| one.signed_with.clone(),
            Verdict::Look,
            "an authority of another kind; the service's own key is not touched by it",
        ),
        may(
            "life",
            |one| format!("{} days", days(one.not_before, one.not_after)),
            Verdict::Look,
            "note when it has to be renewed",
        ),
        other("serial", |one| one.serial.clone()),
        other("valid from", |one| one.not_before.to_string()),
        other("valid until", |one| one.not_after.to_string()),
        other("fingerprint", |one| one.fingerprint.clone()),
        other("fingerprint of the key", |one| one.key_fingerprint.clone()),
    ];
    rows.push(chain(authorities));
    rows.push(in_use(new, now));
    rows
}

fn chain((old, new): (usize, usize)) -> Row {
    let shown = |count: usize| match count {
        0 => "no authority beside it".to_owned(),
        1 => "one authority beside it".to_owned(),
        more => format!("{more} authorities beside it"),
    };
    let is_short = new < old;
    Row {
        what: "chain",
        old: shown(old),
        new: shown(new),
        verdict: if is_short { Verdict::Look } else { Verdict::Same },
        why: is_short.then_some("ask the authority for its intermediates"),
    }
}

/// The new one alone: can it be used today?
fn in_use(new: &Facts, now: Time) -> Row {
    let (verdict, said, why) = if new.not_after <= now {
        (Verdict::Differs, "it has ended", Some("nobody takes it any more"))
    } else if new.not_before > now {
        (Verdict::Look, "it is not valid yet", Some("do not put it in place before"))
    } else if new.not_after <= later(now, SOON) {
        (Verdict::Look, "it ends within 30 days", Some("get one that lives longer"))
    } else {
        (Verdict::Same, "it is valid", None)
    };
    Row { what: "today", old: String::new(), new: said.to_owned(), verdict, why }
}

const SOON: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

fn sorted(all: &[String]) -> String {
    let mut all = all.to_vec();
    all.sort();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn told(row: &Row) -> String {
    let Row { what, old, new, verdict, why } = row;
    let (old, new) = (Foreign::new(old), Foreign::new(new));
    let (old, new) = (old.as_str(), new.as_str());
    match verdict {
        Verdict::Same if old.is_empty() => format!("  same      {what}: {new}"),
        Verdict::Same => format!("  same      {what}: {old}"),
        Verdict::Expected => format!("  expected  {what}: {new}"),
        Verdict::Look | Verdict::Differs => {
            let word = if *verdict == Verdict::Look { "look" } else { "DIFFERS" };
            let from = if old.is_empty() { String::new() } else { format!("{old} -> ") };
            let why = why.map(|why| format!("\n            {why}")).unwrap_or_default();
            format!("  {word:<9} {what}: {from}{new}{why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, IsCa, KeyPair, KeyUsagePurpose, SignatureAlgorithm};

    use super::*;

    struct Made {
        name: &'static str,
        usage: KeyUsagePurpose,
        key: &'static SignatureAlgorithm,
        years: i32,
        organisation: &'static str,
    }

    const USUAL: Made = Made {
        name: "portal_sig_ec",
        usage: KeyUsagePurpose::DigitalSignature,
        key: &rcgen::PKCS_ECDSA_P256_SHA256,
        years: 2030,
        organisation: "Urząd",
    };

    fn certificate(made: &Made) -> Compared {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, made.name);
        params.distinguished_name.push(rcgen::DnType::OrganizationName, made.organisation);
        params.key_usages = vec![made.usage];
        params.is_ca = IsCa::NoCa;
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(made.years, 1, 1);
        let key = KeyPair::generate_for(made.key).unwrap();
        let der = params.self_signed(&key).unwrap();
        Compared { facts: facts::read(der.der()).unwrap(), authorities: 0 }
    }

    fn now() -> Time {
        "2027-01-01T00:00:00Z".parse().unwrap()
    }

    fn verdicts(new: &Made, wanted: Verdict) -> Vec<&'static str> {
        let rows = compare(&certificate(&USUAL), &certificate(new), now());
        rows.into_iter().filter(|row| row.verdict == wanted).map(|row| row.what).collect()
    }

    #[test]
    fn another_one_of_the_same_kind_is_technically_identical() {
        assert_eq!(verdicts(&USUAL, Verdict::Differs), [""; 0]);
        assert_eq!(verdicts(&USUAL, Verdict::Look), [""; 0]);
        let expected = ["serial", "fingerprint", "fingerprint of the key"];
        assert_eq!(verdicts(&USUAL, Verdict::Expected), expected);
    }

    #[test]
    fn what_the_node_looks_at_must_be_the_same() {
        let key = Made { key: &rcgen::PKCS_ECDSA_P384_SHA384, ..USUAL };
        assert_eq!(verdicts(&key, Verdict::Differs), ["key"]);
        let usage = Made { usage: KeyUsagePurpose::KeyAgreement, ..USUAL };
        assert_eq!(verdicts(&usage, Verdict::Differs), ["key usage"]);
        let name = Made { name: "portal_enc_ec", ..USUAL };
        assert_eq!(verdicts(&name, Verdict::Differs), ["common name"]);
        let ended = Made { years: 2027, ..USUAL };
        assert_eq!(verdicts(&ended, Verdict::Differs), ["today"]);
        let rsa = Made { key: &rcgen::PKCS_RSA_SHA256, ..USUAL };
        assert_eq!(verdicts(&rsa, Verdict::Differs), ["key"]);
    }

    #[test]
    fn what_a_person_has_to_look_at_is_said() {
        let life = Made { years: 2028, ..USUAL };
        assert_eq!(verdicts(&life, Verdict::Look), ["life"]);
        let organisation = Made { organisation: "Inny urząd", ..USUAL };
        assert_eq!(verdicts(&organisation, Verdict::Look), ["subject", "issuer"]);
        assert_eq!(chain((1, 0)).verdict, Verdict::Look);
        assert_eq!(chain((0, 1)).verdict, Verdict::Same);
    }
}
