use super::*;
use crate::base::encoding::base64;
use crate::xml::algorithms::{ENVELOPED_SIGNATURE, EXCLUSIVE_C14N};
use crate::xml::keys::PrivateKey;
use crate::xml::scan::Limits;
use crate::xml::signer::Signer;
use crate::xml::writer::Writer;

struct World {
    signer: Signer,
    trusted: TrustedCertificates,
}

/// A self-signed certificate of a fresh key.
fn key_and_certificate(kind: &'static rcgen::SignatureAlgorithm) -> (PrivateKey, Certificate) {
    let pair = rcgen::KeyPair::generate_for(kind).unwrap();
    let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
    (key, Certificate::from_der(certificate.der()).unwrap())
}

fn world_with(kind: &'static rcgen::SignatureAlgorithm) -> World {
    let (key, certificate) = key_and_certificate(kind);
    let trusted = TrustedCertificates::pin(vec![certificate.clone()]).unwrap();
    World { signer: Signer::new(&key, certificate).unwrap(), trusted }
}

fn world() -> World {
    world_with(&rcgen::PKCS_ECDSA_P256_SHA256)
}

/// An outer signed element that holds an inner signed one, as the node's answer does.
fn signed(signer: &Signer) -> String {
    let mut writer = Writer::new();
    writer.element(
        "p:Outer",
        &[("xmlns:p", "urn:p"), ("xmlns:xenc", "urn:x"), ("ID", "o1")],
        |w| {
            w.text_element("p:Issuer", &[], "node");
            signer.write_template(w, "o1");
            w.element("p:Inner", &[("ID", "i1")], |w| {
                signer.write_template(w, "i1");
                w.text_element("p:Value", &[], "Żółć & co");
            });
        },
    );
    signer.sign(&writer.finish(), &["i1", "o1"]).unwrap()
}

fn check(xml: &str, trusted: &TrustedCertificates) -> Result<String, Error> {
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let outer = document.root();
    let inner = outer.optional_child("urn:p", "Inner").ok().flatten();
    let mut elements = vec![outer];
    elements.extend(inner);
    let verified = verify(&document, &elements, trusted, ReferenceStyle::ById)?;
    let inner = verified.last().unwrap().element();
    Ok(inner.child("urn:p", "Value").unwrap().text().unwrap().into_owned())
}

#[test]
fn accepts_what_we_sign_with_each_kind_of_key() {
    for kind in
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_RSA_SHA256]
    {
        let world = world_with(kind);
        assert_eq!(check(&signed(&world.signer), &world.trusted).unwrap(), "Żółć & co");
    }
}

#[test]
fn refuses_a_signature_of_another_key_even_with_its_certificate_inside() {
    let (theirs, ours) = (world(), world());
    let refused = check(&signed(&theirs.signer), &ours.trusted).unwrap_err();
    assert!(matches!(refused, Error::Value { .. }), "{refused}");
    // Both are told, so that the operator can compare them.
    let said = refused.to_string();
    let (named, pinned) = said.split_once("; pinned ").unwrap();
    for (part, world) in [(named, &theirs), (pinned, &ours)] {
        let certificate = world.signer.certificate();
        assert!(part.contains(&format!("SHA-256 {}", certificate.fingerprint())), "{said}");
        assert!(part.contains(certificate.subject()), "{said}");
    }
}

#[test]
fn accepts_either_of_two_pinned_certificates() {
    let (old, new) = (world(), world());
    let both = [&old, &new].map(|w| w.signer.certificate().clone()).to_vec();
    let trusted = TrustedCertificates::pin(both).unwrap();
    assert!(check(&signed(&old.signer), &trusted).is_ok());
    assert!(check(&signed(&new.signer), &trusted).is_ok());
}

/// Returns a message whose outer element is signed.
fn signed_once(signer: &Signer) -> String {
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        signer.write_template(w, "o1");
        w.text_element("p:Value", &[], "x");
    });
    signer.sign(&writer.finish(), &["o1"]).unwrap()
}

/// Spells a signature value anew.
fn with_value(xml: &str, spell: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let (start, rest) = xml.rsplit_once("<ds:SignatureValue>").unwrap();
    let (value, end) = rest.split_once('<').unwrap();
    let value = from_base64(value).unwrap();
    format!("{start}<ds:SignatureValue>{}<{end}", base64(&spell(&value)))
}

/// A positive INTEGER of ASN.1.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut content = bytes[zeros..].to_vec();
    if content.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    [vec![2, u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn an_ecdsa_value_is_r_and_s_of_the_length_of_the_curve_and_nothing_else() {
    for kind in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        let world = world_with(kind);
        let xml = signed_once(&world.signer);
        assert!(check(&with_value(&xml, <[u8]>::to_vec), &world.trusted).is_ok());
        let halves = |value: &[u8]| {
            let (r, s) = value.split_at(value.len() / 2);
            (r.to_vec(), s.to_vec())
        };
        type Spell<'s> = &'s dyn Fn(&[u8]) -> Vec<u8>;
        let spellings: [(&str, Spell<'_>); 5] = [
            ("DER", &|value| {
                let (r, s) = halves(value);
                let inside = [integer(&r), integer(&s)].concat();
                [vec![0x30, u8::try_from(inside.len()).unwrap()], inside].concat()
            }),
            ("both padded", &|value| {
                let (r, s) = halves(value);
                [vec![0], r, vec![0], s].concat()
            }),
            ("a byte behind", &|value| [value, &[0]].concat()),
            ("a byte before", &|value| [&[0], value].concat()),
            ("nothing", &|_| Vec::new()),
        ];
        for (name, spell) in spellings {
            let refused = check(&with_value(&xml, spell), &world.trusted);
            assert!(refused.is_err(), "{name}");
        }
    }
}

#[test]
fn a_high_s_is_valid() {
    // FIPS 186-5: s is in [1, n-1], and with s so is n - s.
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];
    let world = world();
    let xml = signed_once(&world.signer);
    let other = with_value(&xml, |value| {
        let mut value = value.to_vec();
        let mut borrow = 0;
        for at in (0..32).rev() {
            let difference = i16::from(ORDER[at]) - i16::from(value[32 + at]) - borrow;
            borrow = i16::from(difference < 0);
            value[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        value
    });
    assert_ne!(other, xml);
    assert_eq!(check(&other, &world.trusted).as_deref(), Ok("x"));
}

#[test]
fn refuses_a_change_to_what_is_signed() {
    let world = world();
    let xml = signed(&world.signer);
    for (from, to) in [("Żółć", "Żółw"), (">node<", ">nodE<"), ("<p:Value>", "<p:Value> ")] {
        let changed = xml.replace(from, to);
        assert_ne!(changed, xml);
        assert!(matches!(check(&changed, &world.trusted), Err(Error::Digest(_))), "{from}");
    }
}

#[test]
fn refuses_every_single_flipped_byte() {
    let world = world();
    let xml = signed(&world.signer);
    let mut accepted = Vec::new();
    for at in 0..xml.len() {
        let mut bytes = xml.clone().into_bytes();
        bytes[at] ^= 1;
        let limits = Limits::message(100_000);
        let Ok(document) = Document::parse(&bytes, &limits) else {
            continue;
        };
        let root = document.root();
        let Some(inner) = root.optional_child("urn:p", "Inner").ok().flatten() else {
            continue;
        };
        let trusted = &world.trusted;
        if verify(&document, &[root, inner], trusted, ReferenceStyle::ById).is_ok() {
            accepted.push(at);
        }
    }
    // Only what is not signed may differ: the outer KeyInfo and the outer signature's own markup.
    let outer_signature = xml.find("<ds:Signature ").unwrap()..xml.find("</ds:Signature>").unwrap();
    assert!(accepted.iter().all(|at| outer_signature.contains(at)), "{accepted:?}");
}

#[test]
fn refuses_what_the_profile_does_not_have() {
    let world = world();
    let xml = signed(&world.signer);
    let hmac = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    let xslt = "http://www.w3.org/TR/1999/REC-xslt-19991116";
    let inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let signature_method = super::super::algorithms::ECDSA_SHA256;
    let digest_method = super::super::algorithms::SHA256;
    for (from, to) in [
        (signature_method, hmac),
        (digest_method, sha1),
        (ENVELOPED_SIGNATURE, xslt),
        (EXCLUSIVE_C14N, inclusive),
        ("URI=\"#o1\"", "URI=\"\""),
        ("URI=\"#o1\"", "URI=\"#i1\""),
        ("URI=\"#o1\"", "URI=\"http://127.0.0.1:9/\""),
        ("URI=\"#o1\"", "URI=\"#xpointer(/)\""),
        ("<ds:KeyInfo>", "<ds:KeyInfo><ds:RetrievalMethod URI=\"file:///etc/passwd\"/>"),
        ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
        ("<ds:DigestValue>", "<ds:DigestValue xmlns:e=\"urn:e\" e:URI=\"\">"),
        ("ID=\"i1\"", "ID=\"o1\""),
        ("<p:Value>", "<p:Value xml:id=\"o1\">"),
    ] {
        let changed = xml.replacen(from, to, 1);
        assert_ne!(changed, xml, "{from}");
        assert!(check(&changed, &world.trusted).is_err(), "{to}");
    }
    let two = xml.replacen("</ds:Reference>", "</ds:Reference><ds:Reference URI=\"#i1\"/>", 1);
    assert!(matches!(check(&two, &world.trusted), Err(Error::Profile { .. })));
}

#[test]
fn refuses_a_signature_that_is_missing_moved_or_one_too_many() {
    let world = world();
    let xml = signed(&world.signer);
    let start = xml.rfind("<ds:Signature ").unwrap();
    let end = xml.rfind("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let inner = &xml[start..end];
    let missing = xml.replace(inner, "");
    assert!(matches!(check(&missing, &world.trusted), Err(Error::Missing(_))));
    let moved = missing.replace("<p:Value>", &format!("<p:Value>{inner}"));
    assert!(matches!(check(&moved, &world.trusted), Err(Error::Missing(_))));
    let more = xml.replace("</p:Inner>", &format!("<p:X>{inner}</p:X></p:Inner>"));
    assert!(matches!(check(&more, &world.trusted), Err(Error::Count { .. })));
}

#[test]
fn a_list_of_prefixes_is_as_long_as_it_may_be_and_no_longer() {
    let world = world();
    let xml = signed(&world.signer);
    let list = |prefixes: usize| {
        let listed: Vec<String> = (0..prefixes).map(|n| format!("p{n}")).collect();
        let from = format!("PrefixList=\"{}\"", super::super::signer::PREFIX_LIST);
        let changed = xml.replacen(&from, &format!("PrefixList=\"{}\"", listed.join(" ")), 1);
        assert_ne!(changed, xml);
        check(&changed, &world.trusted)
    };
    // The signature does not hold any more, and that is found by its digest.
    assert!(matches!(list(32), Err(Error::Digest(_))), "{:?}", list(32));
    assert!(matches!(list(33), Err(Error::Profile { .. })), "{:?}", list(33));
}

#[test]
fn the_first_bad_signature_is_the_one_that_is_told() {
    let world = world();
    let xml = signed(&world.signer);
    let inner = xml.replace("Żółć", "Żółw");
    // Both digests are wrong; the second one is not looked at.
    let refused = check(&inner, &world.trusted);
    assert!(
        matches!(refused, Err(Error::Digest(ref name)) if name.as_str() == "Outer"),
        "{refused:?}"
    );
    // The outer signature holds, the inner one does not.
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        world.signer.write_template(w, "o1");
        w.element("p:Inner", &[("ID", "i1")], |w| {
            world.signer.write_template(w, "i1");
            w.text_element("p:Value", &[], "x");
        });
    });
    let inner = world.signer.sign(&writer.finish(), &["i1"]).unwrap().replace(">x<", ">y<");
    let refused = check(&world.signer.sign(&inner, &["o1"]).unwrap(), &world.trusted);
    assert!(
        matches!(refused, Err(Error::Digest(ref name)) if name.as_str() == "Inner"),
        "{refused:?}"
    );
}

#[test]
fn white_space_in_an_attribute_is_signed_as_the_space_that_it_is() {
    let world = world();
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1"), ("a", "1  2 3")], |w| {
        world.signer.write_template(w, "o1");
        w.text_element("p:Value", &[], "x");
    });
    let xml = world.signer.sign(&writer.finish(), &["o1"]).unwrap();
    for (value, holds) in [
        ("1  2 3", true),
        ("1\n\t2\r\n3", true),
        ("1\r\r2\r3", true),
        // Said, it is no space.
        ("1&#10; 2 3", false),
        ("1 2 3", false),
        ("1\r\n2 3", false),
    ] {
        let spelled = xml.replace("a=\"1  2 3\"", &format!("a=\"{value}\""));
        assert_eq!(check(&spelled, &world.trusted).is_ok(), holds, "{value:?}");
    }
}

#[test]
fn signs_the_whole_document_only_where_that_is_allowed() {
    let world = world();
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        world.signer.write_template(w, "o1");
        w.text_element("p:Value", &[], "x");
    });
    let template = writer.finish().replace("URI=\"#o1\"", "URI=\"\"");
    let xml = world.signer.sign(&template, &["o1"]).unwrap();
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let root = [document.root()];
    assert!(verify(&document, &root, &world.trusted, ReferenceStyle::ByIdOrWhole).is_ok());
    assert!(verify(&document, &root, &world.trusted, ReferenceStyle::ById).is_err());
}

/// The library may find another element than the one whose signature it is, or look at none: then
/// what it says proves nothing.
#[test]
fn a_signature_proves_the_very_element_that_its_one_reference_resolves_to() {
    type Change = fn(&mut VerifyResult, [uppsala::NodeId; 4]);
    fn reference(result: &mut VerifyResult) -> &mut bergshamra_dsig::verify::VerifiedReference {
        let VerifyResult::Valid { references, .. } = result else { panic!("it holds") };
        &mut references[0]
    }
    let world = world();
    let xml = signed(&world.signer);
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let outer = document.root();
    let inner = outer.child("urn:p", "Inner").unwrap();
    let signature = |element: Element<'_>| element.child(DS, "Signature").unwrap().id();
    let ids = [outer.id(), inner.id(), document.inner().root(), signature(inner)];
    let all = results(&document, &world.trusted, 2).unwrap();
    let [of_outer, of_inner] = all.as_slice() else { panic!("there are two") };
    let proves = |result: &VerifyResult, element: Element<'_>, change: Change| {
        let mut result = result.clone();
        change(&mut result, ids);
        let signature = element.child(DS, "Signature").unwrap();
        proof(&result, signature, element, &world.trusted).map(|_| ())
    };
    assert_eq!(proves(of_outer, outer, |_, _| {}), Ok(()));
    assert_eq!(proves(of_inner, inner, |_, _| {}), Ok(()));
    let wrong: [(&str, Change); 8] = [
        ("of another element", |r, [_, inner, ..]| reference(r).resolved_node = Some(inner)),
        ("of nothing", |r, _| reference(r).resolved_node = None),
        ("without its digest", |r, _| reference(r).digest_verified = false),
        ("of another signature", |r, [.., other]| {
            let VerifyResult::Valid { signature_node, .. } = r else { panic!("it holds") };
            *signature_node = other;
        }),
        ("without a reference", |r, _| {
            let VerifyResult::Valid { references, .. } = r else { panic!("it holds") };
            references.clear();
        }),
        ("of two", |r, _| {
            let VerifyResult::Valid { references, .. } = r else { panic!("it holds") };
            references.push(references[0].clone());
        }),
        ("with the key of nobody", |r, _| {
            let VerifyResult::Valid { key_info, .. } = r else { panic!("it holds") };
            key_info.x509_chain.clear();
        }),
        ("with the key of another", |r, _| {
            let VerifyResult::Valid { key_info, .. } = r else { panic!("it holds") };
            key_info.x509_chain[0].reverse();
        }),
    ];
    for (what, change) in wrong {
        let refused = proves(of_outer, outer, change).unwrap_err();
        let is_of_key = what.contains("key");
        assert_eq!(matches!(refused, Error::Value { .. }), is_of_key, "{what}: {refused}");
        assert_eq!(matches!(refused, Error::Reference { .. }), !is_of_key, "{what}: {refused}");
    }
    // The results of each are not those of the other.
    assert!(matches!(proves(of_inner, outer, |_, _| {}), Err(Error::Reference { .. })));
    assert!(matches!(proves(of_outer, inner, |_, _| {}), Err(Error::Reference { .. })));
    // The whole document is its root, and nothing below it.
    let whole: [Change; 2] = [
        |r, [_, _, document, _]| reference(r).resolved_node = Some(document),
        |r, _| {
            reference(r).resolved_node = None;
            reference(r).uri.clear();
        },
    ];
    for change in whole {
        assert_eq!(proves(of_outer, outer, change), Ok(()));
        assert!(matches!(proves(of_inner, inner, change), Err(Error::Reference { .. })));
    }
    let says = |reason: &str| {
        let invalid = VerifyResult::Invalid { reason: reason.to_owned() };
        let signature = outer.child(DS, "Signature").unwrap();
        proof(&invalid, signature, outer, &world.trusted).unwrap_err()
    };
    assert!(matches!(says("Reference digest failed for x"), Error::Digest(_)));
    assert!(matches!(says("anything else"), Error::Value { .. }));
}

#[test]
fn a_long_message_is_verified_whole_and_its_first_bad_signature_is_told() {
    let world = world();
    let long = |inner: &[&str]| {
        let mut writer = Writer::new();
        writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
            world.signer.write_template(w, "o1");
            w.text_element("p:Filler", &[], &"x".repeat(SHORT));
            w.element("p:Inner", &[("ID", "i1")], |w| {
                if inner.contains(&"i1") {
                    world.signer.write_template(w, "i1");
                }
                w.text_element("p:Value", &[], "value");
            });
        });
        world.signer.sign(&writer.finish(), &[inner, &["o1"][..]].concat()).unwrap()
    };
    let both = long(&["i1"]);
    assert_eq!(check(&both, &world.trusted).as_deref(), Ok("value"));
    let refused = |xml: &str| check(xml, &world.trusted).unwrap_err();
    assert!(
        matches!(refused(&both.replace("xxxx<", "xxxy<")), Error::Digest(e) if e.as_str() == "Outer")
    );
    // The inner one alone is of another key.
    let other = world_with(&rcgen::PKCS_ECDSA_P256_SHA256);
    assert!(matches!(check(&both, &other.trusted), Err(Error::Value { .. })));

    // One signature, over all of it.
    let once = long(&[]);
    let document = Document::parse(once.as_bytes(), &Limits::message(100_000)).unwrap();
    let root = [document.root()];
    let verified = verify(&document, &root, &world.trusted, ReferenceStyle::ById).unwrap();
    assert_eq!(verified.len(), 1);
    let changed = once.replace(">value<", ">other<");
    let document = Document::parse(changed.as_bytes(), &Limits::message(100_000)).unwrap();
    let root = [document.root()];
    assert!(verify(&document, &root, &world.trusted, ReferenceStyle::ById).is_err());
}

#[test]
fn in_a_long_message_the_inner_signature_must_hold_too() {
    let world = world();
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        world.signer.write_template(w, "o1");
        w.text_element("p:Filler", &[], &"x".repeat(SHORT));
        w.element("p:Inner", &[("ID", "i1")], |w| {
            world.signer.write_template(w, "i1");
            w.text_element("p:Value", &[], "value");
        });
    });
    let inner = world.signer.sign(&writer.finish(), &["i1"]).unwrap();
    let inner = inner.replace(">value<", ">other<");
    let refused = check(&world.signer.sign(&inner, &["o1"]).unwrap(), &world.trusted);
    assert!(matches!(refused, Err(Error::Digest(ref e)) if e.as_str() == "Inner"), "{refused:?}");
}

#[test]
fn a_signature_of_the_whole_document_is_that_of_its_root_alone() {
    let world = world();
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        w.element("p:Inner", &[("ID", "i1")], |w| world.signer.write_template(w, "i1"));
    });
    let xml = writer.finish().replace("URI=\"#i1\"", "URI=\"\"");
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let inner = [document.root().child("urn:p", "Inner").unwrap()];
    let refused = verify(&document, &inner, &world.trusted, ReferenceStyle::ByIdOrWhole);
    assert!(matches!(refused, Err(Error::Reference { .. })), "{refused:?}");
}

#[test]
fn where_the_whole_document_may_be_signed_another_reference_is_refused_all_the_same() {
    let world = world();
    let mut writer = Writer::new();
    writer.element("p:Outer", &[("xmlns:p", "urn:p"), ("ID", "o1")], |w| {
        world.signer.write_template(w, "o1");
    });
    let xml = writer.finish().replace("URI=\"#o1\"", "URI=\"#o2\"");
    let document = Document::parse(xml.as_bytes(), &Limits::message(100_000)).unwrap();
    let root = [document.root()];
    let refused = verify(&document, &root, &world.trusted, ReferenceStyle::ByIdOrWhole);
    assert!(matches!(refused, Err(Error::Reference { .. })), "{refused:?}");
}

#[test]
fn no_id_is_there_twice_however_it_is_spelled() {
    let ids =
        |xml: &str| check_ids(&Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap());
    for name in ["ID", "Id", "id", "iD", "xml:id", "AssertionID"] {
        let xml = format!("<r ID='a'><c {name}='a'/></r>");
        assert!(matches!(ids(&xml), Err(Error::DuplicateId(_))), "{name}");
        assert_eq!(ids(&format!("<r ID='a'><c {name}='b'/></r>")), Ok(()), "{name}");
    }
    // It refers to one.
    assert_eq!(ids("<r ID='a'><c InResponseTo='a' AssertionIDRef='a'/></r>"), Ok(()));
}
