//! Our keys and certificates, and what the operator registers of us.

use crate::base::clock::{Clock as _, SystemClock, later};
use crate::report::Text;
use crate::selftest::citizen::{Trouble, seen};
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{differs, done, home, not_here, planned};

const GROUP: &str = "keys";

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "keys.request",
                [
                    "Żądanie logowania jest podpisane kluczem usługi i przyjęte przez węzeł bez uwag",
                    "The request for a login is signed with the service's key, and the node has nothing against it",
                ],
                [
                    "żądanie zgodne z profilem węzła: podpis, wystawca, nazwa usługi, adres powrotu",
                    "a request of the node's profile: signature, issuer, name of the service, address to return to",
                ],
                "SAML 2.0 Bindings 3.5, Core 3.4.1",
            ),
            request,
        )
        .await;
    examiner
        .case(
            planned(
                GROUP,
                "keys.decryption",
                [
                    "Asercję zaszyfrowaną certyfikatem przekazanym operatorowi otwiera klucz usługi",
                    "The service's key opens an assertion that is encrypted to the certificate that the operator has",
                ],
                ["obywatel jest zalogowany", "the citizen is signed in"],
                "XML Encryption 1.1, 5.6",
            ),
            decryption,
        )
        .await;
    Box::pin(ways(examiner)).await;
}

/// The ways to the node and to the portals.
async fn ways(examiner: &mut Examiner<'_>) {
    examiner
        .case(
            planned(
                GROUP,
                "keys.exchange",
                [
                    "Artefakt jest wymieniany na asercję kanałem TLS, podpisanym żądaniem ArtifactResolve",
                    "The artifact is exchanged for the assertion over TLS, by a signed ArtifactResolve",
                ],
                ["węzeł przyjmuje żądanie bez uwag", "the node has nothing against the request"],
                "SAML 2.0 Bindings 3.6, Core 3.5.1",
            ),
            exchange,
        )
        .await;
    let origins: Vec<_> = examiner.world.facts.origins().cloned().collect();
    for origin in origins {
        let host = origin.host_str().unwrap_or_default().to_owned();
        let plan = planned(
            GROUP,
            format!("keys.tls.{host}"),
            ["", ""],
            [
                "certyfikat wystawiony dla tej nazwy, ważny jeszcze co najmniej 7 dni",
                "a certificate for that name, valid for 7 days more at least",
            ],
            "RFC 9110, 4.3.4",
        );
        let name = Text::new(
            format!("Portal {host} przedstawia się własnym certyfikatem TLS"),
            format!("The portal {host} shows its own certificate"),
        );
        let plan = crate::selftest::examiner::Planned { name, ..plan };
        examiner
            .case(plan, async |attempt: &Attempt<'_>| {
                let Some(certificates) = &attempt.world.facts.certificates else {
                    return Err(not_here(
                        "TLS kończy się przed Bramą lub pliku certyfikatu nie można odczytać",
                        "TLS ends in front of the gateway, or the certificate cannot be read",
                    ));
                };
                if !certificates.covers(&host) {
                    let names: Vec<_> =
                        certificates.status().into_iter().flat_map(|one| one.names).collect();
                    let names = names.join(", ");
                    return Err(differs(
                        format!("żaden certyfikat nie obejmuje tej nazwy; obejmują: {names}"),
                        format!("no certificate is for that name; they are for: {names}"),
                    ));
                }
                let soon = later(SystemClock.now(), A_WEEK);
                let ending = certificates.status().into_iter().find(|one| one.not_after < soon);
                if let Some(ending) = ending {
                    let end = ending.not_after;
                    return Err(differs(
                        format!("certyfikat traci ważność {end}"),
                        format!("the certificate ends on {end}"),
                    ));
                }
                let page =
                    attempt.citizen().open(&attempt.world.facts.own(&origin, "session")).await?;
                Ok(seen(&page))
            })
            .await;
    }
}

async fn request(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let world = attempt.world;
    let (url, choice) = home(world)?;
    let mut citizen = attempt.citizen();
    let page = citizen.begin(&url).await?;
    citizen.choose(&page, &choice).await?;
    let findings = world.control.last_findings().unwrap_or_default();
    if !findings.is_empty() {
        let findings = findings.join(", ");
        return Err(differs(findings.clone(), findings));
    }
    if world.keys.is_real_signature {
        return done(
            "przyjęte bez uwag; podpis sprawdzono certyfikatem z konfiguracji",
            "taken without objection; the signature was verified with the configured certificate",
        );
    }
    done(
        "przyjęte bez uwag; klucz na czas próby",
        "taken without objection; a key for the examination",
    )
}

async fn exchange(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    attempt.citizen().arrive_or_login(&url, &choice).await?;
    match attempt.world.control.last_findings() {
        Some(findings) if findings.is_empty() => {
            done("przyjęte bez uwag", "taken without objection")
        }
        findings => {
            let findings = findings.unwrap_or_default().join(", ");
            Err(differs(findings.clone(), findings))
        }
    }
}

async fn decryption(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let world = attempt.world;
    let Some(encryption) = &world.encryption else {
        return Err(not_here(
            "klucza deszyfrującego nie można odczytać",
            "the decryption key cannot be read",
        ));
    };
    let (url, choice) = home(world)?;
    if let Some((found, file)) = &encryption.found {
        world.encrypt_to(Some(found));
        let ended = attempt.citizen().arrive_or_login(&url, &choice).await;
        world.encrypt_to(None);
        if ended.is_err() && encryption.fits() == Some(false) {
            return Err(differs(
                format!("klucz nie pasuje do certyfikatu {file}: asercja nie daje się otworzyć"),
                format!(
                    "the key does not fit the certificate {file}: the assertion cannot be opened"
                ),
            ));
        }
        ended?;
        return Ok(Text::new(
            format!("zalogowany; asercję zaszyfrowano certyfikatem {file}"),
            format!("signed in; the assertion was encrypted to the certificate {file}"),
        ));
    }
    attempt.citizen().arrive_or_login(&url, &choice).await?;
    done(
        "zalogowany; certyfikatu nie wskazano, więc asercję zaszyfrowano kluczem publicznym z pliku \
         klucza",
        "signed in; no certificate was named, so the assertion was encrypted to the public half of the \
         key file",
    )
}

/// How long a certificate must go on.
const A_WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);
