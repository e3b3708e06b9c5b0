//! Schemes that authenticate a connection (NTLM, Negotiate): citizens share connections to a portal.

use std::collections::HashMap;

use crate::harness::{Answer, Gateway, Plan, Script, Scripted};

fn start() -> (Script, Gateway) {
    let refuses = |fields: &str| {
        let head = format!("HTTP/1.1 401 Unauthorized\r\n{fields}Content-Length: 2\r\n\r\nno");
        Scripted { bytes: head.into_bytes(), closes: false }
    };
    let script = [
        ("/only", refuses("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n")),
        ("/one-line", refuses("WWW-Authenticate: negotiate , ntlm TlRMTVNTUAACAAAA\r\n")),
        ("/or-basic", refuses("WWW-Authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"x\"\r\n")),
        ("/basic", refuses("WWW-Authenticate: Basic realm=\"NTLM, Negotiate\"\r\n")),
        ("/without", refuses("")),
    ];
    let script = script.map(|(path, scripted)| (path.to_owned(), scripted));
    let portal = Script::start(HashMap::from(script));
    let gateway = Plan::before(&portal.url()).start();
    (portal, gateway)
}

fn get(gateway: &Gateway, path: &str, credentials: &str) -> Answer {
    let mut wire = gateway.connect();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{credentials}\r\n");
    wire.send(head.as_bytes());
    wire.answer("GET")
}

#[test]
fn credentials_of_a_connection_never_reach_the_portal_and_others_do() {
    let (portal, gateway) = start();
    for credentials in [
        "Authorization: NTLM TlRMTVNTUAABAAAA\r\n",
        "authorization: negotiate YII=\r\n",
        "Authorization: Basic eDp5\r\nAuthorization: Negotiate YII=\r\n",
    ] {
        let answer = get(&gateway, "/", credentials);
        assert_eq!(
            (answer.status, &*answer.reason()),
            (403, "request.connection_credentials"),
            "{credentials}"
        );
    }
    assert_eq!(portal.heard().len(), 0);
    for credentials in ["Authorization: Basic eDp5\r\n", "Authorization: Bearer NTLM\r\n"] {
        assert_eq!(get(&gateway, "/", credentials).text(), "plain");
        let heard = portal.heard().pop().unwrap().head.to_lowercase();
        assert!(heard.contains(&credentials.to_lowercase()), "{heard}");
    }
}

#[test]
fn a_portal_that_asks_for_nothing_else_is_refused_and_another_scheme_is_offered_alone() {
    let (_portal, gateway) = start();
    for path in ["/only", "/one-line"] {
        let answer = get(&gateway, path, "");
        let refused = (502, "upstream.connection_challenge");
        assert_eq!((answer.status, &*answer.reason()), refused, "{path}");
        assert_eq!(answer.header("www-authenticate"), None, "{path}");
    }
    for (path, offered) in [
        ("/or-basic", Some("Basic realm=\"x\"")),
        ("/basic", Some("Basic realm=\"NTLM, Negotiate\"")),
        ("/without", None),
    ] {
        let answer = get(&gateway, path, "");
        assert_eq!((answer.status, &*answer.text()), (401, "no"), "{path}");
        let all: Vec<_> = answer.headers.iter().filter(|(n, _)| n == "www-authenticate").collect();
        assert_eq!(all.len(), usize::from(offered.is_some()), "{path} {all:?}");
        assert_eq!(answer.header("www-authenticate"), offered, "{path}");
    }
}
