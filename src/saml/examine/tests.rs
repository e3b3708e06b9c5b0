use super::*;
use crate::identity::attribute::Attribute;
use crate::saml::expected::Wrapping;
use crate::xml::keys::{Certificate, PrivateKey};
use std::time::Duration;

#[test]
fn quick() {
    let d = "/work/shared/wk-sample";
    let r = |f: &str| std::fs::read(format!("{d}/{f}")).unwrap();
    let trusted =
        TrustedCertificates::pin(vec![Certificate::parse(&r("node-signing.crt.pem")).unwrap()])
            .unwrap();
    let key =
        DecryptionKey::try_from(&PrivateKey::parse(&r("du_enc_ec.key.pem")).unwrap()).unwrap();
    let keys = [key];
    let expected = Expected {
        node: Some("localhost.wk.gov.pl".into()),
        service: Some("http://localhost.sp.pl".into()),
        acs: None,
        request_id: None,
        resolve_id: None,
        assurance: Some(crate::identity::assurance::Assurance::Substantial),
        required: Attribute::ALL.to_vec(),
        skew: Duration::from_secs(60),
        maximum_bytes: 262144,
        wrapping: Wrapping::SoapOrBare,
    };
    for f in ["artifact-response.xml", "artifact-response-reindented.xml"] {
        let x = examine(&r(f), &trusted, &keys, &expected, "2018-09-13T13:20:00Z".parse().unwrap());
        println!(
            "{x:#?} {:?}",
            x.outcome.as_ref().map(|a| a.person().family_name().map(str::to_owned))
        );
    }
}
