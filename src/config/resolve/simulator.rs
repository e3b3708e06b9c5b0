//! The simulator of the node signs in any person that is clicked on. So nothing of it is believed
//! where citizens come: not with an environment of production, and not at an address that the
//! internet could know.

use super::context::Context;
use crate::base::files;
use crate::config::file::Environment;
use crate::config::presets::{SIMULATOR_ISSUER, SIMULATOR_ORGANIZATION};
use crate::xml::keys::Certificate;

/// Reports what is the simulator's and would be believed in the wrong place.
pub(super) fn keep_out(context: &mut Context<'_>) {
    let Some(place) = where_citizens_come(context) else { return };
    let node = &context.file().node;
    let what = |what: &str| format!("{what} of the simulator, which signs in anybody, {place}");
    let advice = "give what the operator handed over; for tests, a public_url on localhost or with a \
                  label such as \"test\"";
    if node.issuer.as_deref() == Some(SIMULATOR_ISSUER) {
        context.error(key!(node.issuer), what("is that"), advice);
    }
    let pinned = node.certificates.iter().enumerate();
    let pinned = pinned.map(|(index, path)| (format!("node.certificates[{index}]"), path));
    let authority =
        node.extra_ca_file.iter().map(|path| (key!(node.extra_ca_file).to_owned(), path));
    let named: Vec<_> = pinned.chain(authority).collect();
    for (key, path) in named {
        // What cannot be read is reported elsewhere.
        let bytes = files::read(&context.resolve(path), files::MOST).unwrap_or_default();
        let found = Certificate::parse_all(&bytes).unwrap_or_default();
        if found.iter().any(is_of_simulator) {
            context.error(&key, what(&format!("{} is", path.display())), advice);
        }
    }
}

fn is_of_simulator(certificate: &Certificate) -> bool {
    certificate.subject().contains(&format!("O={SIMULATOR_ORGANIZATION}"))
}

/// Says why citizens could come, if they could.
fn where_citizens_come(context: &Context<'_>) -> Option<String> {
    let file = context.file();
    if matches!(file.node.environment, Environment::Production | Environment::ProductionPrivate) {
        return Some("with an environment of production".to_owned());
    }
    let portal = &file.portal;
    let public = portal.public_url.iter().chain(&portal.other_urls).find(|url| is_public(url))?;
    Some(format!("at the public address {public}"))
}

/// Tells whether the internet could know an address: it is no private one, and no label of its host
/// says that it is for tests.
fn is_public(url: &str) -> bool {
    match url::Url::parse(url).ok().as_ref().and_then(url::Url::host) {
        // Not an address at all, which is reported elsewhere.
        None => false,
        Some(url::Host::Ipv4(address)) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local())
        }
        Some(url::Host::Ipv6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Some(url::Host::Domain(host)) => {
            let mut labels = host.trim_end_matches('.').split('.');
            host.contains('.') && !labels.any(|label| NOT_PUBLIC.contains(&label))
        }
    }
}

/// Labels of names that are reserved (RFC 2606, RFC 6761, RFC 6762, RFC 8375), and of names that
/// tests have.
const NOT_PUBLIC: [&str; 15] = [
    "localhost",
    "local",
    "internal",
    "lan",
    "arpa",
    "invalid",
    "test",
    "tests",
    "example",
    "dev",
    "tst",
    "staging",
    "demo",
    "sandbox",
    "preprod",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load;

    /// Says what is wrong with a node whose certificate has this organization.
    fn told(organization: &str, url: &str, node: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, organization);
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("node.pem"), certificate.pem()).unwrap();
        let path = folder.path().join("brama.toml");
        let text = format!(
            "[portal]\npublic_url = \"{url}\"\n[node]\ncertificates = [\"node.pem\"]\n{node}\n"
        );
        std::fs::write(&path, text).unwrap();
        let loaded = load(&path, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        keep_out(&mut context);
        context.problems.to_string()
    }

    const FINE: &str = "0 errors, 0 warnings";

    #[test]
    fn the_simulator_is_believed_on_a_laptop_and_in_tests_only() {
        for url in [
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "https://10.1.2.3",
            "https://[fd00::1]",
            "https://portal.localhost",
            "https://gateway",
            "https://portal.test.urzad.gov.pl",
            "https://portal.example.gov.pl",
        ] {
            assert_eq!(
                told(SIMULATOR_ORGANIZATION, url, "environment = \"custom\""),
                FINE,
                "{url}"
            );
        }
        for url in [
            "https://portal.urzad.gov.pl",
            "https://testowy.urzad.gov.pl",
            "https://203.0.113.7",
            "https://[2001:db8::1]",
        ] {
            let told = told(SIMULATOR_ORGANIZATION, url, "environment = \"custom\"");
            assert!(told.contains("node.certificates[0]: node.pem is of the simulator"), "{told}");
            assert!(told.contains(&format!("at the public address {url}")), "{told}");
        }
    }

    #[test]
    fn nothing_of_the_simulator_is_believed_in_production() {
        let url = "http://localhost:8080";
        for environment in ["production", "production-private"] {
            let node = format!("environment = \"{environment}\"\nextra_ca_file = \"node.pem\"");
            let told = told(SIMULATOR_ORGANIZATION, url, &node);
            assert!(told.contains("node.certificates[0]: node.pem is of the simulator"), "{told}");
            assert!(told.contains("node.extra_ca_file: node.pem is of the simulator"), "{told}");
            assert!(told.ends_with("2 errors, 0 warnings"), "{told}");
        }
        let public = "https://portal.urzad.gov.pl";
        let node = format!("environment = \"custom\"\nissuer = \"{SIMULATOR_ISSUER}\"");
        assert!(told("COI", public, &node).contains("node.issuer: is that of the simulator"));
        assert_eq!(told("COI", url, &node), FINE);
    }

    #[test]
    fn what_is_the_operators_is_believed_everywhere() {
        for environment in ["production", "symulator", "custom"] {
            let node = format!("environment = \"{environment}\"\nissuer = \"login.gov.pl\"");
            assert_eq!(told("COI", "https://portal.urzad.gov.pl", &node), FINE);
        }
    }
}
