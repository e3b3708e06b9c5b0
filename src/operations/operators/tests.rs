use http::HeaderValue;
use rcgen::{CertificateParams, KeyPair, SanType};

use super::*;
use crate::base::clock::{ManualClock, SystemClock};
use crate::base::encoding::base64;

fn operators() -> Arc<Operators> {
    let clock = Arc::new(SystemClock);
    Operators::new(&[one("admin", Role::Write, "first"), one("anna", Role::Read, "second")], clock)
}

fn one(name: &str, role: Role, token: &str) -> Operator {
    let token = Some(Secret::new(token.as_bytes().to_vec()));
    let certificate_name = CertificateName::parse(&format!("{name}@office.test"));
    Operator { name: name.to_owned(), role, token, token_file: None, certificate_name }
}

fn with(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
}

fn shown(headers: &HeaderMap) -> Shown<'_> {
    Shown { headers, certificate: None, may_be_password: false }
}

fn admitted(operators: &Arc<Operators>, shown: &Shown<'_>, needed: Role) -> Result<String, u16> {
    let found = operators.admit(shown, needed);
    found.map(|admin| admin.name().to_owned()).map_err(|problem| problem.status().as_u16())
}

#[test]
fn a_token_admits_its_operator_by_name_and_role_and_no_other() {
    let operators = operators();
    for (value, needed, expected) in [
        ("Bearer first", Role::Write, Ok("admin")),
        ("Bearer first", Role::Read, Ok("admin")),
        ("Bearer second", Role::Read, Ok("anna")),
        ("Bearer second", Role::Write, Err(403)),
        ("Bearer firs", Role::Read, Err(401)),
        ("Bearer firstt", Role::Read, Err(401)),
        ("Bearer ", Role::Read, Err(401)),
        ("bearer first", Role::Read, Err(401)),
        ("first", Role::Read, Err(401)),
        ("Basic OmZpcnN0", Role::Read, Err(401)),
    ] {
        let found = admitted(&operators, &shown(&with(value)), needed);
        assert_eq!(found, expected.map(str::to_owned), "{value}");
    }
    assert_eq!(admitted(&operators, &shown(&HeaderMap::new()), Role::Read), Err(401));
    let mut two = with("Bearer first");
    two.append(AUTHORIZATION, HeaderValue::from_static("Bearer first"));
    assert_eq!(admitted(&operators, &shown(&two), Role::Read), Err(401), "one is enough");
}

#[test]
fn a_browser_shows_it_as_a_password_where_it_may() {
    let operators = operators();
    for (pair, expected) in [
        ("anyone:second", Ok("anna")),
        (":second", Ok("anna")),
        // Of who may change something, a browser is given nothing to keep.
        (":first", Err(403)),
        ("first:", Err(401)),
        ("first", Err(401)),
        ("a:b:second", Err(401)),
    ] {
        let headers = with(&format!("Basic {}", base64(pair.as_bytes())));
        let browser = Shown { may_be_password: true, ..shown(&headers) };
        let found = admitted(&operators, &browser, Role::Read);
        assert_eq!(found, expected.map(str::to_owned), "{pair}");
        assert_eq!(admitted(&operators, &shown(&headers), Role::Read), Err(401), "{pair}");
    }
    // By a program it is good there as well.
    let headers = with("Bearer first");
    let program = Shown { may_be_password: true, ..shown(&headers) };
    assert_eq!(admitted(&operators, &program, Role::Read), Ok("admin".to_owned()));
    let headers = with("Basic !");
    let browser = Shown { may_be_password: true, ..shown(&headers) };
    assert!(operators.admit(&browser, Role::Read).is_err());
}

#[test]
fn a_certificate_admits_the_one_operator_whose_name_it_has() {
    let operators = operators();
    let none = HeaderMap::new();
    for (names, expected) in [
        (&["admin@office.test"][..], Ok("admin")),
        (&["other@office.test", "anna@office.test"], Ok("anna")),
        (&["admin@office.test", "anna@office.test"], Err(401)),
        (&["ADMIN@office.test"], Err(401)),
        (&["other@office.test"], Err(401)),
        (&[], Err(401)),
    ] {
        let mut params = CertificateParams::default();
        let name = |name: &&str| SanType::Rfc822Name((*name).try_into().unwrap());
        params.subject_alt_names = names.iter().map(name).collect();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let certificate = Some(certificate.der().as_ref());
        let mut by = Shown { certificate, ..shown(&none) };
        let found = admitted(&operators, &by, Role::Read);
        assert_eq!(found, expected.map(str::to_owned), "{names:?}");
        // A token that is wrong is not made good by it, and one that is right says who it is.
        let (wrong, right) = (with("Bearer wrong"), with("Bearer second"));
        by.headers = &wrong;
        assert_eq!(admitted(&operators, &by, Role::Read), Err(401));
        by.headers = &right;
        assert_eq!(admitted(&operators, &by, Role::Read), Ok("anna".to_owned()));
    }
    let nonsense = Shown { certificate: Some(b"nonsense"), ..shown(&none) };
    assert_eq!(admitted(&operators, &nonsense, Role::Read), Err(401));
}

#[test]
fn who_is_taken_out_is_admitted_no_more() {
    let operators = operators();
    operators.replace(&[one("anna", Role::Write, "third")]);
    let (second, third) = (with("Bearer second"), with("Bearer third"));
    assert_eq!(admitted(&operators, &shown(&second), Role::Read), Err(401));
    assert_eq!(admitted(&operators, &shown(&third), Role::Write), Ok("anna".to_owned()));
    operators.replace(&[]);
    assert_eq!(admitted(&operators, &shown(&third), Role::Read), Err(404));
}

#[test]
fn a_name_of_a_certificate_is_of_one_kind() {
    use SanType::{DnsName, Rfc822Name, URI};
    let none = HeaderMap::new();
    for (named, is_name) in [
        ("maria@office.test", true),
        ("spiffe://office.test/maria", true),
        ("urn:maria@office.test", true),
        ("maria.office.test", true),
        ("", false),
        ("@", false),
        ("@office.test", false),
        ("maria@", false),
        (":", false),
        ("a b", false),
        ("maria@office.test\n", false),
    ] {
        let Some(known) = CertificateName::parse(named) else {
            assert!(!is_name, "{named}");
            continue;
        };
        assert!(is_name, "{named}");
        let operator = Operator { certificate_name: Some(known), ..one("maria", Role::Read, "x") };
        let operators = Operators::new(&[operator], Arc::new(SystemClock));
        let text = || named.try_into().unwrap();
        for (kind, name) in
            [("e-mail", Rfc822Name(text())), ("URI", URI(text())), ("DNS", DnsName(text()))]
        {
            let mut params = CertificateParams::default();
            params.subject_alt_names = vec![name];
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let by = Shown { certificate: Some(certificate.der()), ..shown(&none) };
            let is_kind = match kind {
                "URI" => named.contains(':'),
                "e-mail" => named.contains('@') && !named.contains(':'),
                _ => !named.contains(['@', ':']),
            };
            let found = admitted(&operators, &by, Role::Read);
            assert_eq!(found.is_ok(), is_kind, "{named} as {kind}");
        }
    }
}

#[test]
fn a_certificate_counts_between_its_dates() {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::Rfc822Name("anna@office.test".try_into().unwrap())];
    params.not_before = rcgen::date_time_ymd(2026, 3, 1);
    params.not_after = rcgen::date_time_ymd(2026, 3, 2);
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let none = HeaderMap::new();
    let by = Shown { certificate: Some(certificate.der()), ..shown(&none) };
    for (now, expected) in [
        ("2026-02-28T23:59:59Z", Err(401)),
        ("2026-03-01T00:00:00Z", Ok("anna".to_owned())),
        ("2026-03-02T00:00:00Z", Ok("anna".to_owned())),
        ("2026-03-02T00:00:01Z", Err(401)),
    ] {
        let clock = Arc::new(ManualClock::at(now.parse().unwrap()));
        let operators = Operators::new(&[one("anna", Role::Read, "second")], clock);
        assert_eq!(admitted(&operators, &by, Role::Read), expected, "{now}");
    }
}

#[test]
fn who_was_admitted_is_known_as_long_as_the_token_and_the_role_stay() {
    let operators = operators();
    let first = with("Bearer first");
    let admin = || operators.admit(&shown(&first), Role::Write).unwrap();
    let before = admin();
    assert!(before.is_known());
    // Another reading of the same is the same.
    operators.replace(&[one("admin", Role::Write, "first"), one("maria", Role::Read, "third")]);
    assert!(before.is_known());
    for changed in [
        vec![one("admin", Role::Write, "another")],
        vec![one("admin", Role::Read, "first")],
        vec![one("other", Role::Write, "first")],
        vec![],
    ] {
        operators.replace(&[one("admin", Role::Write, "first")]);
        let before = admin();
        operators.replace(&changed);
        assert!(!before.is_known(), "{changed:?}");
    }
}

#[test]
fn a_token_that_is_not_in_its_file_any_more_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let in_file = |name: &str, token: &str| {
        std::fs::write(path(name), format!("{token}\n")).unwrap();
        Operator { token_file: Some(path(name)), ..one(name, Role::Read, token) }
    };
    let names = ["stays", "removed", "emptied", "replaced"];
    let all: Vec<_> = names.iter().map(|name| in_file(name, name)).collect();
    let by_certificate = Operator { token: None, ..one("maria", Role::Read, "") };
    let all = [all, vec![by_certificate]].concat();
    let operators = Operators::new(&all, Arc::new(SystemClock));
    assert!(operators.forget_those_without_token().is_empty());
    std::fs::remove_file(path("removed")).unwrap();
    std::fs::write(path("emptied"), "").unwrap();
    std::fs::write(path("replaced"), "another").unwrap();
    let gone = operators.forget_those_without_token();
    assert_eq!(gone.iter().map(|name| &**name).collect::<Vec<_>>(), names[1..]);
    for name in names {
        let headers = with(&format!("Bearer {name}"));
        let expected = if name == "stays" { Ok(name.to_owned()) } else { Err(401) };
        assert_eq!(admitted(&operators, &shown(&headers), Role::Read), expected);
    }
    assert_eq!(operators.known.load().len(), 2, "who shows a certificate has no file");
}
