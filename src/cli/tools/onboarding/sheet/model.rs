//! What stands in a data sheet, in whatever form it is written.

use std::path::PathBuf;

use jiff::civil::Date;

use crate::cli::tools::certs::profile::{ENCRYPTION, SIGNING};
use crate::cli::tools::onboarding::import::gather::Found;
use crate::cli::tools::onboarding::record::{Contact, Record};
use crate::cli::tools::onboarding::seen::Seen;
use crate::cli::tools::onboarding::stage::Stage;
use crate::cli::tools::onboarding::words::{Language, Words, both};
use crate::config::Loaded;
use crate::config::file::{Assurance, Attribute, ServiceKind};
use crate::config::presets::{LOGOUT_PATH, RESOLVE_PATH, SSO_PATH, preset};
use crate::identity::attribute;
use crate::xml::keys::pem;

/// A data sheet.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// A part of it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) rows: Vec<(String, Value)>,
}

/// What stands beside a name.
#[derive(Debug)]
pub(super) enum Value {
    /// Words.
    Text(String),
    /// What is compared letter by letter.
    Exact(String),
    /// Several lines that are copied as they are.
    Block(String),
    /// It is still missing.
    Missing,
}

impl Sheet {
    /// Returns the names of what is missing.
    pub(super) fn missing(&self) -> Vec<String> {
        let rows = self.sections.iter().flat_map(|section| {
            section.rows.iter().map(move |(name, value)| (&section.title, name, value))
        });
        let missing = rows.filter(|(_, _, value)| matches!(value, Value::Missing));
        missing.map(|(section, name, _)| format!("{section}: {name}")).collect()
    }
}

/// A sheet in both languages.
pub(super) struct Draft {
    title: (Words, Stage),
    sections: Vec<(Words, Vec<Row>)>,
}

type Row = (Words, Entry);

enum Entry {
    Words(Words),
    Given(Value),
}

impl Draft {
    /// Returns it in one language.
    pub(super) fn in_language(self, language: Language) -> Sheet {
        let value = |entry| match entry {
            Entry::Words(words) => Value::Text(Words::of(words, language).to_owned()),
            Entry::Given(value) => value,
        };
        let rows = |rows: Vec<Row>| {
            let row = |(name, entry): Row| (name.of(language).to_owned(), value(entry));
            rows.into_iter().map(row).collect()
        };
        let section = |(title, all): (Words, Vec<Row>)| Section {
            title: title.of(language).to_owned(),
            rows: rows(all),
        };
        let (title, stage) = self.title;
        let title = format!("{}: {}", title.of(language), name(stage).of(language));
        Sheet { title, sections: self.sections.into_iter().map(section).collect() }
    }
}

fn name(stage: Stage) -> Words {
    match stage {
        Stage::Symulator => both("symulator", "symulator"),
        Stage::Integration => both("integration environment", "środowisko integracyjne"),
        Stage::Production => both("production", "środowisko produkcyjne"),
    }
}

/// Fills in the sheet of an environment.
pub(super) fn sheet(
    stage: Stage,
    record: &Record,
    loaded: &Loaded,
    seen: &Seen,
    today: Date,
) -> Draft {
    let sections = vec![
        (both("Service", "System"), service(record, loaded, today)),
        (both("Addresses of the service", "Adresy systemu"), addresses(record, loaded)),
        (both("Addresses of the node that it uses", "Używane adresy węzła"), node(loaded, seen)),
        (both("Logins", "Logowanie"), logins(loaded)),
        (
            both("Certificate of signatures (_sig_ec)", "Certyfikat podpisu (_sig_ec)"),
            certificate(seen.signing.as_ref(), seen, SIGNING),
        ),
        (
            both("Certificate for encryption (_enc_ec)", "Certyfikat szyfrowania (_enc_ec)"),
            certificate(seen.encryption.as_ref(), seen, ENCRYPTION),
        ),
        (both("TLS with the node", "TLS z węzłem"), tls(seen)),
        (both("Contacts", "Kontakty"), contacts(record)),
    ];
    let title = both(
        "Data sheet of a service at the national node (login.gov.pl)",
        "Karta danych systemu w Węźle Krajowym (login.gov.pl)",
    );
    Draft { title: (title, stage), sections }
}

fn given(text: Option<&str>) -> Entry {
    match text.map(str::trim) {
        Some(text) if !text.is_empty() => Entry::Given(Value::Text(text.to_owned())),
        _ => Entry::Given(Value::Missing),
    }
}

fn exact(text: Option<String>) -> Entry {
    Entry::Given(match text.filter(|text| !text.is_empty()) {
        Some(text) => Value::Exact(text),
        None => Value::Missing,
    })
}

fn service(record: &Record, loaded: &Loaded, today: Date) -> Vec<Row> {
    let service = &loaded.file.service;
    let mut rows =
        vec![(both("organisation", "podmiot"), given(record.organisation.name.as_deref()))];
    if let Some(unit) = record.organisation.unit.as_deref() {
        rows.push((both("unit", "jednostka organizacyjna"), given(Some(unit))));
    }
    let kind = match service.kind {
        ServiceKind::Public => both("public body", "publiczny"),
        ServiceKind::Private => both("private entity", "prywatny"),
    };
    rows.extend([
        (both("kind of organisation", "rodzaj podmiotu"), Entry::Words(kind)),
        (
            both("name of the service (ProviderName)", "nazwa systemu (ProviderName)"),
            exact(service.provider_name.clone()),
        ),
        (
            both("identifier of the service (Issuer)", "identyfikator systemu (Issuer)"),
            exact(service.issuer.clone()),
        ),
        (both("day of this sheet", "data sporządzenia"), given(Some(&today.to_string()))),
    ]);
    rows
}

fn addresses(record: &Record, loaded: &Loaded) -> Vec<Row> {
    let portal = &loaded.file.portal;
    let url = portal.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    let path = portal.acs_path.clone().unwrap_or_else(|| format!("{}acs", portal.prefix));
    let acs = url.as_ref().map(|url| format!("{url}{path}"));
    let outgoing = record.network.outgoing_addresses.join(", ");
    vec![
        (both("address of the portal", "adres portalu"), exact(url)),
        (
            both(
                "address of the ACS (AssertionConsumerService)",
                "adres ACS (AssertionConsumerService)",
            ),
            exact(acs),
        ),
        (
            both("binding of the answer", "wiązanie odpowiedzi"),
            Entry::Words(both(
                "HTTP-Artifact, by POST (GET is taken too)",
                "HTTP-Artifact, metodą POST (GET też jest przyjmowany)",
            )),
        ),
        (
            both(
                "addresses from which the node is asked",
                "adresy IP, z których łączymy się z węzłem",
            ),
            given(Some(&outgoing)),
        ),
    ]
}

fn node(loaded: &Loaded, seen: &Seen) -> Vec<Row> {
    let node = &loaded.file.node;
    let host = preset(node.environment).map(|preset| preset.host);
    let address = |own: &Option<String>, path: &str| {
        exact(own.clone().or_else(|| host.map(|host| format!("https://{host}{path}"))))
    };
    let mut rows = vec![
        (
            both("identifier of the node", "identyfikator węzła"),
            exact(node.issuer.clone().or_else(|| host.map(str::to_owned))),
        ),
        (both("login (POST)", "logowanie (POST)"), address(&node.sso_url, SSO_PATH)),
        (
            both("resolution of artifacts (SOAP)", "wymiana artefaktu na asercję (SOAP)"),
            address(&node.resolve_url, RESOLVE_PATH),
        ),
        (both("logout (SOAP)", "wylogowanie (SOAP)"), address(&node.logout_url, LOGOUT_PATH)),
    ];
    let pinned = both(
        "certificate that the node signs with (SHA-256)",
        "certyfikat podpisu węzła (SHA-256)",
    );
    match seen.node.as_slice() {
        [] => rows.push((pinned, Entry::Given(Value::Missing))),
        all => rows.extend(all.iter().map(|one| (pinned, exact(Some(grouped(&one.fingerprint)))))),
    }
    rows
}

fn logins(loaded: &Loaded) -> Vec<Row> {
    let service = &loaded.file.service;
    let level = match service.assurance {
        Assurance::Low => both("low", "niski (low)"),
        Assurance::Substantial => both("substantial", "średni (substantial)"),
        Assurance::High => both("high", "wysoki (high)"),
    };
    let name = |attribute: &Attribute| {
        let attribute = match attribute {
            Attribute::GivenName => attribute::Attribute::GivenName,
            Attribute::FamilyName => attribute::Attribute::FamilyName,
            Attribute::Birthdate => attribute::Attribute::DateOfBirth,
            Attribute::Identifier => attribute::Attribute::PersonIdentifier,
        };
        attribute.friendly_name()
    };
    let list = |all: &[Attribute]| all.iter().map(name).collect::<Vec<_>>().join(", ");
    let mut rows = vec![
        (both("least level of assurance", "minimalny poziom wiarygodności"), Entry::Words(level)),
        (
            both("required attributes", "wymagane atrybuty"),
            given(Some(&list(&service.required_attributes))),
        ),
    ];
    if !service.optional_attributes.is_empty() {
        let optional = list(&service.optional_attributes);
        rows.push((both("optional attributes", "atrybuty opcjonalne"), given(Some(&optional))));
    }
    rows.push((
        both("messages", "wiadomości"),
        Entry::Words(both(
            "AuthnRequest, ArtifactResolve and LogoutRequest are signed (ECDSA, SHA-256); \
             encrypted assertions \
             are taken (ECDH-ES, AES-256-GCM)",
            "AuthnRequest, ArtifactResolve i LogoutRequest są podpisane (ECDSA, SHA-256); \
             przyjmowane są \
             asercje zaszyfrowane (ECDH-ES, AES-256-GCM)",
        )),
    ));
    rows
}

fn certificate(found: Option<&Found>, seen: &Seen, ending: &str) -> Vec<Row> {
    let Some(Found { der, facts, .. }) = found else {
        let mut rows = vec![(both("certificate", "certyfikat"), Entry::Given(Value::Missing))];
        let is_for = |file: &&PathBuf| {
            file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(ending))
        };
        // What is handed over in its place, until it is issued.
        if let Some(Ok(request)) = seen.requests.iter().find(is_for).map(std::fs::read_to_string) {
            let name = both("request for it (PEM)", "wniosek o certyfikat (PEM)");
            rows.push((name, Entry::Given(Value::Block(request))));
        }
        return rows;
    };
    let day = |time: crate::base::clock::Time| Some(time.to_string());
    vec![
        (both("subject", "podmiot certyfikatu"), exact(Some(facts.subject.clone()))),
        (both("issued by", "wystawca"), given(Some(&facts.issuer))),
        (both("serial number", "numer seryjny"), exact(Some(facts.serial.clone()))),
        (both("valid from", "ważny od"), exact(day(facts.not_before))),
        (both("valid until", "ważny do"), exact(day(facts.not_after))),
        (both("key", "klucz"), given(Some(&facts.key))),
        (both("key usage", "użycie klucza"), usages(&facts.usages)),
        (
            both("SHA-256 of the certificate", "odcisk SHA-256 certyfikatu"),
            exact(Some(grouped(&facts.fingerprint))),
        ),
        (
            both("certificate (PEM)", "certyfikat (PEM)"),
            Entry::Given(Value::Block(pem("CERTIFICATE", der))),
        ),
    ]
}

/// A certificate that says no usage is whole all the same.
fn usages(all: &[String]) -> Entry {
    match all {
        [] => Entry::Words(both("none", "brak")),
        all => given(Some(&all.join(", "))),
    }
}

fn tls(seen: &Seen) -> Vec<Row> {
    let name = both("client certificate", "certyfikat klienta");
    match &seen.client {
        None => vec![(name, Entry::Words(both("none is shown", "nie jest używany")))],
        Some(Found { facts, .. }) => vec![
            (name, exact(Some(facts.subject.clone()))),
            (both("valid until", "ważny do"), exact(Some(facts.not_after.to_string()))),
            (
                both("SHA-256 of the certificate", "odcisk SHA-256 certyfikatu"),
                exact(Some(grouped(&facts.fingerprint))),
            ),
        ],
    }
}

fn contacts(record: &Record) -> Vec<Row> {
    let contact = |contact: &Contact| {
        let Contact { name, email, telephone } = contact;
        let parts = [name, email, telephone].map(|part| part.trim().to_owned());
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    };
    let contacts = &record.contacts;
    let given_or_missing = |one: &Contact| match one.is_given() {
        true => given(Some(&contact(one))),
        false => Entry::Given(Value::Missing),
    };
    let technical = given_or_missing(&contacts.technical);
    let mut rows = vec![(both("technical contact", "kontakt techniczny"), technical)];
    if contacts.deputy.is_given() {
        rows.push((both("deputy", "zastępstwo"), given(Some(&contact(&contacts.deputy)))));
    }
    let security = given_or_missing(&contacts.security);
    rows.push((both("contact for security", "kontakt do spraw bezpieczeństwa"), security));
    rows
}

/// Writes a fingerprint as tools show it: `AB:CD:...`.
fn grouped(hex: &str) -> String {
    let upper = hex.to_uppercase();
    let pairs = upper.as_bytes().chunks(2).map(String::from_utf8_lossy);
    pairs.collect::<Vec<_>>().join(":")
}
