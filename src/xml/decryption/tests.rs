use super::*;
use crate::base::encoding::{base64, hex_upper};
use crate::xml::encryption::{Content, Envelope as Seal, KeyWrap, encrypt};
use crate::xml::keys::PrivateKey;
use crate::xml::scan::Limits;
use crate::xml::tree::Document;
use crate::xml::writer::Writer;

const PARTIES: Parties<'_> = Parties { node: Some("node"), service: Some("https://sp.example") };

fn key() -> (PrivateKey, DecryptionKey) {
    let key = PrivateKey::generate_p256();
    let decryption = DecryptionKey::try_from(&key).unwrap();
    (key, decryption)
}

fn seal(plain: &[u8], seal: &Seal<'_>) -> String {
    let mut writer = Writer::new();
    let prefixes = [
        ("xmlns:saml2", "urn:oasis:names:tc:SAML:2.0:assertion"),
        ("xmlns:ds", DS),
        ("xmlns:xenc", XENC),
        ("xmlns:xenc11", XENC11),
        ("xmlns:dsig11", DSIG11),
    ];
    writer.element("r", &prefixes, |w| encrypt(w, plain, seal).unwrap());
    writer.finish()
}

fn open_text(xml: &str, keys: &[DecryptionKey]) -> Result<Vec<u8>, Error> {
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let encrypted = document.root().children().next().unwrap();
    decrypt(encrypted, keys, PARTIES).map(|plain| plain.to_vec())
}

#[test]
fn opens_every_combination_of_the_profile() {
    let (key, decryption) = key();
    for key_wrap in [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256] {
        for content in [Content::Aes256, Content::Aes128, Content::Aes128DeclaredAs256] {
            let envelope = Seal {
                key_wrap,
                content,
                ..Seal::new(key.public_key(), "node", "https://sp.example")
            };
            let xml = seal("Żółć".as_bytes(), &envelope);
            let opened = open_text(&xml, std::slice::from_ref(&decryption));
            assert_eq!(opened.unwrap(), "Żółć".as_bytes(), "{key_wrap:?} {content:?}");
        }
    }
}

#[test]
fn opens_on_p384_too() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
    let decryption = DecryptionKey::try_from(&key).unwrap();
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://sp.example"));
    assert_eq!(open_text(&xml, &[decryption]).unwrap(), b"x");
}

#[test]
fn opens_when_the_shared_secret_begins_with_a_zero() {
    let (key, decryption) = key();
    let envelope =
        Seal { leading_zero: true, ..Seal::new(key.public_key(), "node", "https://sp.example") };
    assert_eq!(open_text(&seal(b"x", &envelope), &[decryption]).unwrap(), b"x");
}

#[test]
fn tries_every_key_and_gives_one_answer_when_none_fits() {
    let (key_a, decryption_a) = key();
    let (_, decryption_b) = key();
    let xml = seal(b"x", &Seal::new(key_a.public_key(), "node", "https://sp.example"));
    let both = [decryption_b, decryption_a];
    assert!(open_text(&xml, &both).is_ok());
    assert_eq!(open_text(&xml, &both[..1]), Err(Error::Failed));
    assert_eq!(open_text(&xml, &[]), Err(Error::Failed));
}

#[test]
fn refuses_another_party_in_the_key_derivation() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"x", &Seal::new(key.public_key(), "other", "https://sp.example"));
    assert_eq!(open_text(&xml, &keys), Err(Error::Party("node")));
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://other.example"));
    assert_eq!(open_text(&xml, &keys), Err(Error::Party("service provider")));
}

#[test]
fn refuses_algorithms_that_are_not_on_the_list() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://sp.example"));
    for (from, to) in [
        (AES256_GCM, "http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
        (KW_AES256, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
        (ECDH_ES, "http://www.w3.org/2001/04/xmlenc#dh"),
        (CONCAT_KDF, "http://www.w3.org/2009/xmlenc11#pbkdf2"),
        (P256, "urn:oid:1.3.132.0.35"),
    ] {
        let changed = xml.replacen(&format!("\"{from}\""), &format!("\"{to}\""), 1);
        assert_ne!(changed, xml);
        assert_eq!(open_text(&changed, &keys), Err(Error::Algorithm(to.into())));
    }
}

#[test]
fn every_changed_byte_of_the_ciphertexts_gives_the_one_answer() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"secret", &Seal::new(key.public_key(), "node", "https://sp.example"));
    for marker in ["<xenc:CipherValue>", "<dsig11:PublicKey>"] {
        for (start, _) in xml.match_indices(marker) {
            let start = start + marker.len() + 4;
            let end = xml[start..].find('<').unwrap() + start - 4;
            for at in start..end {
                let mut bytes = xml.clone().into_bytes();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).unwrap();
                if changed != xml {
                    assert_eq!(open_text(&changed, &keys), Err(Error::Failed), "byte {at}");
                }
            }
        }
    }
}

#[test]
fn refuses_short_and_odd_ciphertexts_without_a_panic() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"secret", &Seal::new(key.public_key(), "node", "https://sp.example"));
    let last = xml.rfind("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let end = xml[last..].find('<').unwrap() + last;
    for replacement in ["", "AAAA", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA", "====", "ż"] {
        let changed = format!("{}{replacement}{}", &xml[..last], &xml[end..]);
        assert!(open_text(&changed, &keys).is_err());
    }
}

#[test]
fn refuses_what_of_the_derivation_and_the_envelope_is_not_of_the_profile() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://sp.example"));
    assert!(open_text(&xml, &keys).is_ok());
    let between = |start: &str, end: &str| {
        let from = xml.find(start).unwrap();
        &xml[from..from + xml[from..].find(end).unwrap() + end.len()]
    };
    let derivation = between("<xenc11:ConcatKDFParams ", "</xenc11:ConcatKDFParams>");
    let digest = format!("<ds:DigestMethod Algorithm=\"{SHA256}\"/></xenc11:ConcatKDFParams>");
    let refused = |from: &str, to: &str| {
        let changed = xml.replacen(from, to, 1);
        assert_ne!(changed, xml, "{from}");
        open_text(&changed, &keys).unwrap_err()
    };
    // The digest of the derivation.
    for other in
        ["http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmlenc#sha512"]
    {
        let error = refused(&digest, &digest.replace(SHA256, other));
        assert_eq!(error, Error::Algorithm(other.into()));
    }
    let doubled = "<ds:DigestMethod Algorithm=\"x\"/></xenc11:ConcatKDFParams>";
    for (from, to) in [
        // What would be hashed besides.
        ("<xenc11:ConcatKDFParams ", "<xenc11:ConcatKDFParams SuppPubInfo=\"00\" "),
        ("<xenc11:ConcatKDFParams ", "<xenc11:ConcatKDFParams SuppPubInfo=\"\" "),
        ("<xenc11:ConcatKDFParams ", "<xenc11:ConcatKDFParams SuppPrivInfo=\"00\" "),
        ("AlgorithmID=\"0000", "AlgorithmID=\"00x0"),
        ("PartyUInfo=\"0000", "PartyUInfo=\"000"),
        ("PartyVInfo=", "PartyWInfo="),
        ("</xenc11:ConcatKDFParams>", doubled),
        (derivation, &derivation.repeat(2)),
        (&digest, "</xenc11:ConcatKDFParams>"),
        // The envelope, and bytes from elsewhere.
        (TYPE_ELEMENT, "http://www.w3.org/2001/04/xmlenc#Content"),
        (&format!(" Type=\"{TYPE_ELEMENT}\""), ""),
        ("<xenc:EncryptedKey ", "<ds:KeyName>x</ds:KeyName><xenc:EncryptedKey "),
        ("<ds:KeyValue>", "<ds:KeyName>x</ds:KeyName><ds:KeyValue>"),
        ("<dsig11:ECKeyValue>", "<dsig11:DEREncodedKeyValue/><dsig11:ECKeyValue>"),
        ("<xenc:CipherValue>", "<xenc:CipherReference URI=\"file:///x\"/><xenc:CipherValue>"),
    ] {
        assert!(matches!(refused(from, to), Error::Profile(_)), "{to}: {:?}", refused(from, to));
    }
    // Another wrap than the one that was derived for.
    let hex = |text: &str| hex_upper(&key_derivation::with_length(text));
    let error = refused(&hex(KW_AES256), &hex(KW_AES128));
    assert_eq!(error, Error::Party("algorithm"));
}

/// SEC 1, 2.3.3: the first byte says how a point is written.
#[test]
fn takes_a_point_in_its_uncompressed_form_only() {
    let (key, decryption) = key();
    let keys = [decryption];
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://sp.example"));
    let (before, rest) = xml.split_once("<dsig11:PublicKey>").unwrap();
    let (value, after) = rest.split_once('<').unwrap();
    let point = from_base64(value).unwrap();
    let open = |point: &[u8]| {
        open_text(&format!("{before}<dsig11:PublicKey>{}<{after}", base64(point)), &keys)
    };
    assert!(open(&point).is_ok());
    let with_first = |first: u8, rest: &[u8]| [&[first], rest].concat();
    let is_odd = point[64] & 1;
    for wrong in [
        with_first(2 + is_odd, &point[1..33]),
        with_first(6 + is_odd, &point[1..]),
        with_first(2 + is_odd, &point[1..]),
        with_first(4, &point[1..33]),
        with_first(4, &point[..]),
        point[..64].to_vec(),
        point[1..].to_vec(),
        vec![0],
        Vec::new(),
    ] {
        assert!(matches!(open(&wrong), Err(Error::Profile(_))), "{wrong:?}: {:?}", open(&wrong));
    }
    // One that is on no curve is of the right form, and opens nothing.
    let mut elsewhere = point;
    elsewhere[64] ^= 1;
    assert_eq!(open(&elsewhere), Err(Error::Failed));
}

#[test]
fn a_longer_key_than_is_declared_opens_nothing() {
    let (key, decryption) = key();
    let xml = seal(b"x", &Seal::new(key.public_key(), "node", "https://sp.example"));
    let changed = xml.replacen(AES256_GCM, AES128_GCM, 1);
    assert_ne!(changed, xml);
    assert_eq!(open_text(&changed, &[decryption]), Err(Error::Failed));
}
