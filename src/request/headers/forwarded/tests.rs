use crate::request::headers::forwarded::*;

const PROXY: &str = "10.0.0.1";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        })
        .collect()
}

fn trusted() -> Networks {
    Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
}

fn from(peer: &str, pairs: &[(&str, &str)]) -> Result<Client, Error> {
    let peer = Peer::new(SocketAddr::new(peer.parse().unwrap(), 1234), false);
    read(&headers(pairs), &peer, &trusted(), Believed::ALL, false)
}

/// What is believed of these headers: scheme, host, address and number of the request.
fn told(believed: Believed, pairs: &[(&str, &str)]) -> String {
    let peer = Peer::new(SocketAddr::new(PROXY.parse().unwrap(), 1234), false);
    match read(&headers(pairs), &peer, &trusted(), believed, false) {
        Ok(client) => {
            let scheme = if client.is_tls { "https" } else { "http" };
            let host = client.host.as_ref().map_or("none", Host::authority);
            let id = client.request_id.as_deref().unwrap_or("none");
            format!("{scheme} {host} {} {id}", client.address)
        }
        Err(Error::Conflict(what)) => format!("conflict {what}"),
        Err(Error::Malformed(what)) => format!("malformed {what}"),
    }
}

#[test]
fn nobody_is_believed_who_is_not_in_the_list() {
    let claims = [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "other.example"),
        ("forwarded", "for=2.2.2.2;proto=nonsense"),
        ("x-request-id", "mine"),
    ];
    for peer in ["9.9.9.9", "2001:db8::1", "11.0.0.1"] {
        let client = from(peer, &claims).unwrap();
        assert_eq!(client.address.to_string(), peer);
        assert_eq!(client.chain, peer);
        assert!(!client.is_tls && client.host.is_none() && client.request_id.is_none());
    }
    let believed = from("::ffff:10.0.0.1", &claims[..1]).unwrap();
    assert_eq!(believed.address.to_string(), "1.1.1.1", "a mapped address is the same address");
}

#[test]
fn the_chain_is_walked_from_its_end_to_the_first_address_that_is_not_trusted() {
    for (lines, address, chain) in [
        (vec![], "10.0.0.1", "10.0.0.1"),
        (vec![""], "10.0.0.1", "10.0.0.1"),
        (vec!["1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["1.1.1.1:8080"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["2001:db8::1"], "2001:db8::1", "2001:db8::1, 10.0.0.1"),
        (vec!["[2001:DB8::1]:443"], "2001:db8::1", "2001:db8::1, 10.0.0.1"),
        (vec!["::ffff:1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        // What the client wrote before its own address is not passed on.
        (vec!["6.6.6.6, 1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["10.9.9.9, 1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["6.6.6.6", "1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["<script>, 1.1.1.1"], "1.1.1.1", "1.1.1.1, 10.0.0.1"),
        (vec!["1.1.1.1, 10.0.0.2, fd00::3"], "1.1.1.1", "1.1.1.1, 10.0.0.2, fd00::3, 10.0.0.1"),
        (vec!["1.1.1.1", "10.0.0.2"], "1.1.1.1", "1.1.1.1, 10.0.0.2, 10.0.0.1"),
        // Proxies alone, and what is no address.
        (vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3", "10.0.0.3, 10.0.0.2, 10.0.0.1"),
        (vec!["1.1.1.1, unknown"], "10.0.0.1", "10.0.0.1"),
        (vec!["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2", "10.0.0.2, 10.0.0.1"),
        (vec!["1.1.1.1,"], "10.0.0.1", "10.0.0.1"),
        (vec!["1.1.1.1", "ż"], "10.0.0.1", "10.0.0.1"),
    ] {
        let pairs: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let client = from(PROXY, &pairs).unwrap();
        assert_eq!(client.address.to_string(), address, "{lines:?}");
        assert_eq!(client.chain, chain, "{lines:?}");
    }
    let long = vec!["10.0.0.2"; MAX_HOPS + 1].join(",");
    let error = from(PROXY, &[("x-forwarded-for", &long)]).unwrap_err();
    assert_eq!(error.code(), "request.forwarded_malformed");
}

#[test]
fn scheme_and_host_are_believed_when_they_are_told_in_one_way() {
    for (pairs, expected) in [
        (vec![], "http none"),
        (vec![("x-forwarded-proto", "https")], "https none"),
        (vec![("x-forwarded-proto", "HTTPS, https")], "conflict"),
        (vec![("x-forwarded-proto", "https, https")], "https none"),
        (vec![("x-forwarded-proto", "wss")], "https none"),
        (vec![("x-forwarded-proto", "http, https")], "conflict"),
        (vec![("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")], "conflict"),
        (vec![("x-forwarded-proto", "ftp")], "malformed"),
        (vec![("x-forwarded-proto", "")], "malformed"),
        (vec![("x-forwarded-host", "A.example:80")], "http a.example"),
        (vec![("x-forwarded-host", "a.example, b.example")], "conflict"),
        (vec![("x-forwarded-host", "a b")], "malformed"),
        (vec![("x-forwarded-proto", "https"), ("x-forwarded-host", "a:443")], "https a"),
        (vec![("forwarded", "for=1.1.1.1;proto=https;host=a.example")], "https a.example"),
        // What a proxy further in saw of another proxy is not what the browser spoke.
        (vec![("forwarded", "for=1.1.1.1;proto=https, for=10.0.0.2;proto=http")], "https none"),
        (vec![("forwarded", "for=6.6.6.6;proto=https, for=1.1.1.1;proto=http")], "http none"),
        (vec![("forwarded", "for=unknown;proto=https")], "http none"),
        (vec![("forwarded", "for=1.1.1.1;proto=ftp")], "malformed"),
        (vec![("forwarded", "for=\"1.1.1.1")], "malformed"),
        (vec![("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")], "http none"),
        (vec![("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.2")], "conflict"),
        (vec![("forwarded", "for=1.1.1.1;proto=http"), ("x-forwarded-proto", "https")], "conflict"),
        (vec![("forwarded", "for=1.1.1.1;host=a"), ("x-forwarded-host", "b")], "conflict"),
        (vec![("forwarded", "for=1.1.1.1;host=\"A:80\""), ("x-forwarded-host", "a")], "conflict"),
    ] {
        let told = match from(PROXY, &pairs) {
            Ok(client) => {
                let scheme = if client.is_tls { "https" } else { "http" };
                let host = client.host.as_ref().map_or("none", Host::authority);
                format!("{scheme} {host}")
            }
            Err(Error::Conflict(_)) => "conflict".to_owned(),
            Err(Error::Malformed(_)) => "malformed".to_owned(),
        };
        assert_eq!(told, expected, "{pairs:?}");
    }
}

#[test]
fn a_listed_proxy_is_believed_for_what_is_named_only() {
    let only = |change: fn(&mut Believed)| {
        let mut believed = Believed::NOTHING;
        change(&mut believed);
        believed
    };
    let usual = Believed::default();
    let customary = [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "closed.example"),
        ("x-request-id", "mine"),
    ];
    let standard =
        [("forwarded", "for=1.1.1.1;proto=https;host=closed.example"), ("x-request-id", "mine")];
    for pairs in [&customary[..], &standard[..]] {
        for (believed, expected) in [
            (Believed::ALL, "https closed.example 1.1.1.1 mine"),
            (usual, "https none 1.1.1.1 none"),
            (Believed { host: true, ..usual }, "https closed.example 1.1.1.1 none"),
            (Believed { request_id: true, ..usual }, "https none 1.1.1.1 mine"),
            (Believed::NOTHING, "http none 10.0.0.1 none"),
            (only(|believed| believed.address = true), "http none 1.1.1.1 none"),
            (only(|believed| believed.scheme = true), "https none 10.0.0.1 none"),
            (only(|believed| believed.host = true), "http closed.example 10.0.0.1 none"),
            (only(|believed| believed.request_id = true), "http none 10.0.0.1 mine"),
        ] {
            assert_eq!(told(believed, pairs), expected, "{pairs:?} {believed:?}");
        }
    }
    // What is not believed can be neither malformed nor contradict.
    for pairs in [
        &[("x-forwarded-host", "a b")][..],
        &[("x-forwarded-host", "a"), ("x-forwarded-host", "b")],
        &[("x-forwarded-host", "a"), ("forwarded", "host=b")],
    ] {
        assert_eq!(told(usual, pairs), "http none 10.0.0.1 none", "{pairs:?}");
    }
    let chain = |believed| {
        let peer = Peer::new(SocketAddr::new(PROXY.parse().unwrap(), 1234), false);
        read(&headers(&customary), &peer, &trusted(), believed, false).unwrap().chain
    };
    assert_eq!(chain(usual), "1.1.1.1, 10.0.0.1");
    assert_eq!(chain(only(|believed| believed.scheme = true)), "10.0.0.1");
}

#[test]
fn neither_family_fills_the_gaps_of_the_other() {
    let (address, scheme) = (("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"));
    let host = ("x-forwarded-host", "a.example");
    for (pairs, expected) in [
        // Both say the same, of whatever `Forwarded` says at all.
        (vec![address, scheme, host, ("forwarded", "for=1.1.1.1")], "https a.example 1.1.1.1"),
        (
            vec![address, scheme, host, ("forwarded", "for=1.1.1.1;proto=https;host=A.example")],
            "https a.example 1.1.1.1",
        ),
        (vec![address, ("forwarded", "for=1.1.1.1;proto=http")], "http none 1.1.1.1"),
        (vec![address, ("forwarded", "for=unknown;proto=https")], "http none 1.1.1.1"),
        // The scheme and the host that a client wrote, behind a proxy that writes its address.
        (vec![address, ("forwarded", "for=1.1.1.1;proto=https")], "conflict scheme"),
        (vec![address, ("forwarded", "for=1.1.1.1;host=a.example")], "conflict host"),
        (vec![address, host, ("forwarded", "for=1.1.1.1;host=b.example")], "conflict host"),
        (vec![scheme, ("forwarded", "for=1.1.1.1;proto=https")], "conflict address"),
        (vec![host, ("forwarded", "for=1.1.1.1;host=a.example")], "conflict address"),
        (vec![("x-forwarded-for", "unknown"), ("forwarded", "for=1.1.1.1")], "conflict address"),
    ] {
        let told = told(Believed { request_id: false, ..Believed::ALL }, &pairs);
        let expected = if expected.starts_with("conflict") {
            expected.to_owned()
        } else {
            format!("{expected} none")
        };
        assert_eq!(told, expected, "{pairs:?}");
    }
}

#[test]
fn a_number_of_a_trusted_proxy_is_kept_when_it_is_harmless() {
    let long = "a".repeat(MAX_REQUEST_ID + 1);
    for (id, taken) in [
        ("0af7651916cd43dd8448eb211c80319c", true),
        ("a-b_c.D", true),
        (&long[1..], true),
        (&long, false),
        ("", false),
        ("a b", false),
        ("<b>", false),
        ("ż", false),
    ] {
        let client = from(PROXY, &[("x-request-id", id)]).unwrap();
        assert_eq!(client.request_id.as_deref(), taken.then_some(id), "{id}");
    }
    let two = from(PROXY, &[("x-request-id", "a"), ("x-request-id", "a")]).unwrap();
    assert_eq!(two.request_id, None);
}

#[test]
fn an_upstream_is_told_of_one_client() {
    let client = from(PROXY, &[("x-forwarded-for", "6.6.6.6, 2001:db8::1")]).unwrap();
    let host = Host::parse(b"A.example:8443", false).unwrap();
    let mut told = HeaderMap::new();
    announce(&mut told, &client, &host, Some(&HeaderValue::from_static("/tax")), true);
    for (name, value) in [
        ("x-forwarded-for", "2001:db8::1, 10.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "a.example:8443"),
        ("x-forwarded-prefix", "/tax"),
        ("forwarded", "for=\"[2001:db8::1]\";host=\"a.example:8443\";proto=http, for=10.0.0.1"),
    ] {
        assert_eq!(told.get(name).unwrap(), value, "{name}");
    }
    let mut told = HeaderMap::new();
    announce(&mut told, &client, &host, None, false);
    assert_eq!(told.len(), 3);
}

#[test]
fn the_scheme_of_a_direct_request_is_that_of_its_connection_or_else_of_the_portal() {
    let says = |scheme| headers(&[("x-forwarded-proto", scheme)]);
    let nothing = HeaderMap::new();
    for (address, headers, is_tls, is_https, expected) in [
        ("9.9.9.9", &nothing, true, false, "https"),
        ("9.9.9.9", &nothing, false, true, "https"),
        ("9.9.9.9", &nothing, true, true, "https"),
        ("9.9.9.9", &nothing, false, false, "http"),
        // Whoever is not believed says what they like.
        ("9.9.9.9", &says("http"), true, false, "https"),
        ("9.9.9.9", &says("https"), false, false, "http"),
        // A proxy knows better than its own connection, when it says anything.
        (PROXY, &nothing, true, false, "https"),
        (PROXY, &says("http"), true, true, "http"),
        (PROXY, &says("https"), false, false, "https"),
    ] {
        let peer = Peer::new(SocketAddr::new(address.parse().unwrap(), 1234), is_tls);
        let client = read(headers, &peer, &trusted(), Believed::ALL, is_https).unwrap();
        let host = Host::parse(b"a.example", true).unwrap();
        let mut told = HeaderMap::new();
        announce(&mut told, &client, &host, None, true);
        let row = (address, is_tls, is_https);
        assert_eq!(client.is_tls, expected == "https", "{row:?}");
        assert_eq!(told.get("x-forwarded-proto").unwrap(), expected, "{row:?}");
        let forwarded = told.get("forwarded").unwrap().to_str().unwrap();
        let proto = forwarded.split(',').next().unwrap().rsplit(';').next().unwrap();
        assert_eq!(proto, format!("proto={expected}"), "{row:?}");
    }
}

#[test]
fn a_proxy_that_asks_says_the_client_last() {
    for (lines, expected) in [
        (&["1.1.1.1"][..], Some("1.1.1.1")),
        (&["9.9.9.9, 1.1.1.1"], Some("1.1.1.1")),
        (&["9.9.9.9", "1.1.1.1"], Some("1.1.1.1")),
        // The last is a proxy that is trusted, so the one before it counts.
        (&["9.9.9.9, 1.1.1.1, 10.0.0.2"], Some("1.1.1.1")),
        (&["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
        (&["unknown, 10.0.0.2"], Some("10.0.0.2")),
        (&["1.1.1.1, unknown"], None),
        (&[""], None),
        (&[], None),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let found = last(&headers(&lines), &trusted()).ok().map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected, "{lines:?}");
    }
    let many = vec!["10.0.0.2"; MAX_HOPS + 1].join(", ");
    assert!(last(&headers(&[("x-forwarded-for", &many)]), &trusted()).is_err());
}

#[test]
fn what_nobody_believes_is_not_read() {
    let broken = headers(&[("forwarded", "for=\"")]);
    assert!(standard(&broken, &trusted(), Believed::NOTHING).is_ok());
    for believed in [
        Believed { address: true, ..Believed::NOTHING },
        Believed { scheme: true, ..Believed::NOTHING },
        Believed { host: true, ..Believed::NOTHING },
    ] {
        assert!(standard(&broken, &trusted(), believed).is_err(), "{believed:?}");
    }
}

#[test]
fn a_scheme_is_one_of_four_words() {
    for (word, is_secure) in [
        ("https", Some(true)),
        ("WSS", Some(true)),
        ("HTTP", Some(false)),
        ("ws", Some(false)),
        ("h2", None),
        ("", None),
    ] {
        assert_eq!(is_tls(word).ok(), is_secure, "{word}");
    }
}
