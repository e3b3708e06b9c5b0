//! The examples of the standard (RFC 9421 B.2 to B.4): the bases that it prints are those that are
//! written here, and the signatures that it prints verify over them.
//!
//! RSA is none of our algorithms; the examples with it are here for their bases.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::base::Base;
use super::key::Pair;
use super::{RingAlgorithm, RingSigner, SigningKey};
use crate::base::clock::Time;
use crate::base::encoding::from_base64;
use crate::identity::keyring::KeyRing;
use crate::identity::keys::SigningKeys;
use crate::identity::signing_key;

/// A message of the examples.
struct Example {
    method: &'static str,
    authority: &'static str,
    target: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

impl Example {
    /// Writes the base of what `Signature-Input` says, without its label.
    fn base(&self, input: &str) -> (Vec<u8>, String) {
        let (list, parameters) = input.strip_prefix('(').unwrap().split_once(')').unwrap();
        let mut base = Base::new();
        for item in list.split(' ').filter(|item| !item.is_empty()) {
            // What its quotes surround; parameters of a component have quotes of their own.
            let name = item.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            match name {
                "@method" => base.method(self.method),
                "@authority" => base.authority(self.authority),
                "@path" => base.path(self.target),
                "@query" => base.query(self.target),
                // What no request of ours covers: a response, and one parameter of a query.
                "@status" => base.line(name, &[b"200"]),
                "@query-param\";name=\"Pet" => base.line(name, &[b"dog"]),
                field => {
                    let named = self.fields.iter().filter(|(known, _)| *known == field);
                    let values: Vec<_> = named.map(|(_, value)| value.as_bytes()).collect();
                    assert!(!values.is_empty(), "{field}");
                    base.field(field, values);
                }
            }
        }
        base.end(&parameters).unwrap()
    }
}

const REQUEST: Example = Example {
    method: "POST",
    authority: "example.com",
    target: "/foo?param=Value&Pet=dog",
    fields: &[
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwE\
             mTHWXvJwew==:",
        ),
        ("content-length", "18"),
    ],
};

const RESPONSE: Example = Example {
    fields: &[
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuah\
             q4l5aGgfLQ==:",
        ),
        ("content-length", "23"),
    ],
    ..REQUEST
};

/// B.3: behind a proxy that ends TLS.
const FORWARDED: Example = Example {
    authority: "service.internal.example",
    fields: &[(
        "client-cert",
        ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBg\
         NVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBA\
         MMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/\
         3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbE\
         YCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYm\
         RjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAi\
         EAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:",
    )],
    ..REQUEST
};

/// B.4: a field that is there twice.
const TRANSFORMED: Example = Example {
    method: "GET",
    authority: "example.org",
    target: "/demo?name1=Value1&Name2=value2",
    fields: &[("accept", "application/json"), ("accept", "*/*")],
};

/// B.1.2
const RSA_PSS: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Y\
    q40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95An\
    dTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzd\
    piy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdD\
    Op9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";
/// B.1.3
const ECC_P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4F\
    ivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==";
/// B.1.4: the public key and the private one.
const ED25519_KEY: &str = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
const ED25519_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
/// B.1.5
const SECRET: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsa\
    sjlTMtDQ==";

const B26: &str = "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
    ;created=1618884473;keyid=\"test-key-ed25519\"";
const B26_SIGNATURE: &str =
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";

#[test]
fn the_bases_are_those_that_the_standard_prints() {
    for (example, input, lines) in [
        // B.2.1
        (
            &REQUEST,
            "();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
            &[][..],
        ),
        // B.2.2
        (
            &REQUEST,
            "(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");created=1618884473\
             ;keyid=\"test-key-rsa-pss\";tag=\"header-example\"",
            &[
                "\"@authority\": example.com",
                "\"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWn\
                 rIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
                "\"@query-param\";name=\"Pet\": dog",
            ],
        ),
        // B.2.3
        (
            &REQUEST,
            B23,
            &[
                "\"date\": Tue, 20 Apr 2021 02:07:55 GMT",
                "\"@method\": POST",
                "\"@path\": /foo",
                "\"@query\": ?param=Value&Pet=dog",
                "\"@authority\": example.com",
                "\"content-type\": application/json",
                "\"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWn\
                 rIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
                "\"content-length\": 18",
            ],
        ),
        // B.2.6
        (
            &REQUEST,
            B26,
            &[
                "\"date\": Tue, 20 Apr 2021 02:07:55 GMT",
                "\"@method\": POST",
                "\"@path\": /foo",
                "\"@authority\": example.com",
                "\"content-type\": application/json",
                "\"content-length\": 18",
            ],
        ),
        // B.4
        (
            &TRANSFORMED,
            B4,
            &[
                "\"@method\": GET",
                "\"@path\": /demo",
                "\"@authority\": example.org",
                "\"accept\": application/json, */*",
            ],
        ),
    ] {
        let (base, said) = example.base(input);
        let last = format!("\"@signature-params\": {input}");
        let lines = [lines, &[&last]].concat();
        assert_eq!(String::from_utf8(base).unwrap(), lines.join("\n"));
        assert_eq!(said, input);
    }
}

const B23: &str = "(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \
    \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"";
const B4: &str = "(\"@method\" \"@path\" \"@authority\" \"accept\");created=1618884473\
    ;keyid=\"test-key-ed25519\"";

#[test]
fn the_signatures_that_the_standard_prints_verify_over_our_bases_and_over_no_other() {
    let rsa: &dyn VerificationAlgorithm = &RSA_PSS_2048_8192_SHA512;
    let (ecdsa, ed25519): (&dyn VerificationAlgorithm, _) = (&ECDSA_P256_SHA256_FIXED, &ED25519);
    for (what, example, (algorithm, key), input, signature) in [
        (
            "B.2.1",
            &REQUEST,
            (rsa, RSA_PSS),
            "();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
            "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxb\
             tRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rg\
             FWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/\
             QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
        ),
        (
            "B.2.2",
            &REQUEST,
            (rsa, RSA_PSS),
            "(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");created=1618884473\
             ;keyid=\"test-key-rsa-pss\";tag=\"header-example\"",
            "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJ\
             yE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEf\
             Y17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99P\
             ZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
        ),
        (
            "B.2.3",
            &REQUEST,
            (rsa, RSA_PSS),
            B23,
            "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+q\
             RpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvK\
             iLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Ei\
             m5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
        ),
        (
            "B.2.4",
            &RESPONSE,
            (ecdsa, ECC_P256),
            "(\"@status\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473\
             ;keyid=\"test-key-ecc-p256\"",
            "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
        ),
        ("B.2.6", &REQUEST, (ed25519, ED25519_KEY), B26, B26_SIGNATURE),
        (
            "B.3",
            &FORWARDED,
            (ecdsa, ECC_P256),
            "(\"@path\" \"@query\" \"@method\" \"@authority\" \"client-cert\");created=1618884473\
             ;keyid=\"test-key-ecc-p256\"",
            "xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==",
        ),
        (
            "B.4",
            &TRANSFORMED,
            (ed25519, ED25519_KEY),
            B4,
            "ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==",
        ),
    ] {
        let key = UnparsedPublicKey::new(algorithm, from_base64(key).unwrap());
        let signature = from_base64(signature).unwrap();
        let (base, _) = example.base(input);
        assert!(key.verify(&base, &signature).is_ok(), "{what}");
        let (other, _) = example.base(&input.replace("1618884473", "1618884474"));
        assert!(key.verify(&other, &signature).is_err(), "{what}");
        let mut other = base;
        other[1] ^= 1;
        assert!(key.verify(&other, &signature).is_err(), "{what}");
    }
}

/// B.2.5 and B.2.6: whoever signs the same with these has the same signature.
#[test]
fn our_keys_sign_as_in_the_examples() {
    let secret = from_base64(SECRET).unwrap();
    let shared = SigningKey::shared("test-shared-secret", &secret).unwrap();
    let ring = KeyRing::empty(Duration::from_secs(1), &[]);
    let nobody = RingSigner::new(Arc::new(SigningKeys::new(ring)));
    let ready = shared.ready(&nobody, Time::UNIX_EPOCH).unwrap();
    assert_eq!(ready.id(), "test-shared-secret");
    let (base, _) = REQUEST.base(
        "(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"",
    );
    assert_eq!(ready.sign(&base).unwrap(), "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");

    let private = from_base64(ED25519_PRIVATE).unwrap();
    let key = signing_key::SigningKey::read(&private).unwrap();
    let pair = Pair::read(RingAlgorithm::Ed25519, &key).unwrap();
    assert_eq!(pair.sign(&REQUEST.base(B26).0).unwrap(), B26_SIGNATURE);
    assert!(Pair::read(RingAlgorithm::EcdsaP256Sha256, &key).is_err());
}
