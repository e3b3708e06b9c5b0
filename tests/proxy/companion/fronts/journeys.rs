//! Longer ways of citizens, behind every proxy.

use std::process::Command;

use url::Url;

use super::shape::{A, B};
use super::stories::{FETCH, NAVIGATION};
use super::{Site, claims, values};
use crate::harness::{Citizen, Page, Person};

/// Where the gateway hands on everything but one place, the proxy asks about that place alone.
pub(super) fn a_part_is_asked_about_and_the_gateway_has_the_rest(site: &Site) {
    let (_, anna) = site.sign_in("anna");
    for (path, is_asked) in
        [("/", false), ("/taxes", false), ("/tax", true), ("/tax/x", true), ("/tax/forms", false)]
    {
        assert_eq!(site.send("GET", path, FETCH).status, 401, "{path}");
        let before = site.heard();
        let forged = "X-Brama-Given-Name: forged\r\n";
        assert_eq!(site.send("GET", path, &format!("{anna}{forged}")).status, 200, "{path}");
        let heard = site.heard_since(before);
        // The route of that place alone releases a name.
        let told = claims(&heard[0]).get("given_name").is_some();
        assert_eq!((heard.len(), told), (1, is_asked), "{path}");
        assert!(!format!("{heard:?}").contains("forged"), "{path}");
    }
}

/// Who signed in a while ago does so again for what wants it, and for nothing else.
pub(super) fn a_place_that_wants_a_recent_login_gets_one(site: &Site) {
    let (_, fresh) = site.sign_in("anna");
    assert_eq!(site.send("GET", "/recent", &format!("{fresh}{NAVIGATION}")).status, 200);
    site.simulator.always("authn-instant-old");
    let (_, old) = site.sign_in("anna");
    assert_eq!(site.send("GET", "/tax", &format!("{old}{NAVIGATION}")).status, 200);

    let before = site.heard();
    let page = site.send("GET", "/recent", &format!("{old}{NAVIGATION}"));
    let is_login = page.header("location").is_some_and(|at| at.contains("max_age=600"))
        || page.text().contains("SAMLRequest");
    assert!(is_login, "{} {}", page.status, page.text());
    let fetched = site.send("GET", "/recent", &format!("{old}{FETCH}"));
    let challenge = fetched.header("www-authenticate").unwrap_or_default();
    assert_eq!(fetched.status, 401);
    assert!(challenge.contains("max_age=\"600\""), "{challenge}");
    assert_eq!(site.heard(), before);
}

/// A browser that goes to many pages and never signs in keeps as many cookies as when the gateway
/// itself hands requests on.
pub(super) fn many_pages_leave_no_more_cookies_than_they_do_in_the_gateway(site: &Site) {
    const PAGES: usize = 300;
    // The cookies after the first page, and after all.
    let cookies_of = |path: &str, pages: usize| {
        let mut citizen = Citizen::at(&site.origin());
        let mut first = 0;
        for page in 0..pages {
            let url = citizen.url(&format!("{path}?page={page}"));
            let mut answer = citizen.open(&url);
            for _ in 0..3 {
                if answer.status == 302 {
                    answer = citizen.follow(&answer);
                }
            }
            assert!(answer.text().contains("SAMLRequest"), "{}", answer.text());
            if page == 0 {
                first = citizen.cookies().split("; ").count();
            }
        }
        (first, citizen.cookies().split("; ").count())
    };
    let (first_proxied, proxied) = cookies_of("/app", PAGES);
    let (first_asked, asked) = cookies_of("/tax", PAGES);
    assert_eq!(first_asked, first_proxied);
    assert!((1..=proxied).contains(&asked), "{asked}, and {proxied} in the gateway");
    assert_eq!(site.heard(), 0);
}

/// A citizen signs in at one host and is known at the other, over HTTP/2, until they sign out.
pub(super) fn one_login_is_enough_for_two_hosts_over_http_2(site: &Site) {
    let origins = [A, B].map(|host| format!("https://{host}:{}", site.front.port()));
    let at = |host: usize, path: &str| Url::parse(&format!("{}{path}", origins[host])).unwrap();
    let anna = person(site);
    let fetched = anna.say(&at(0, "/tax"), &["Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]);
    assert_eq!((fetched.status, &*fetched.version), (401, "HTTP/2"), "{}", fetched.text);
    assert_eq!(site.heard(), 0);

    is_plain(&anna.sign_in(at(1, "/tax?x=1").as_str(), &origins[0]), &at(1, "/tax?x=1"));
    is_plain(&anna.open(at(0, "/tax").as_str()), &at(0, "/tax"));
    let heard = site.heard_since(0);
    assert_eq!(heard.len(), 2);
    for (fields, host) in heard.iter().zip([B, A]) {
        assert_eq!(claims(fields)["given_name"], "Anna");
        let [heard] = values(fields, "host")[..] else { panic!("{fields:?}") };
        assert_eq!(heard.split(':').next(), Some(host));
        assert_eq!(values(fields, "x-forwarded-proto"), ["https"]);
    }

    // What a client says of itself, as above.
    for line in [
        "x-brama-assertion: forged",
        "x_brama_assertion: forged",
        "x.brama.assertion: forged",
        "x~brama~assertion: forged",
        "remote-user: forged",
        "x-forwarded-uri: /forged",
        "x-original-url: /forged",
        "x-forwarded-host: forged",
        "forwarded: host=forged",
    ] {
        for (path, is_anna) in [("/public", false), ("/tax", true)] {
            let before = site.heard();
            let page = anna.say(&at(0, path), &[line]);
            let heard = site.heard_since(before);
            assert_eq!(heard.is_empty(), page.status != 200, "{path} {line}");
            for fields in heard {
                assert!(!format!("{fields:?}").contains("forged"), "{path} {line}: {fields:?}");
                let told = claims(&fields);
                assert_eq!(told.get("given_name").is_some(), is_anna, "{path} {line}");
            }
        }
    }
    let nobody = person(site);
    for path in ["/tax", "/public/..%2ftax", "/public/..;/tax", "/public/%2e%2e/tax", "//tax"] {
        let before = site.heard();
        nobody.say(&at(0, path), &["Sec-Fetch-Mode: cors"]);
        assert_eq!(site.heard(), before, "{path}");
    }

    let out = anna.post(&at(0, "/.brama/logout"), &["Sec-Fetch-Site: same-origin"]);
    assert!(out.status < 400, "{} {}", out.status, out.text);
    let before = site.heard();
    for host in [0, 1] {
        let page = anna.say(&at(host, "/tax"), &["Sec-Fetch-Mode: cors"]);
        assert_eq!(page.status, 401, "{}", page.text);
    }
    assert_eq!(site.heard(), before);
}

fn person(site: &Site) -> Person {
    let hosts = [A, B].map(|host| (format!("{host}:{}", site.front.port()), site.front));
    Person::new(hosts.to_vec(), &site.keys.trusted())
}

fn is_plain(page: &Page, url: &Url) {
    let found = (page.url.as_str(), page.status, &*page.version, &*page.text);
    assert_eq!(found, (url.as_str(), 200, "HTTP/2", "plain"));
}

/// Where a proxy asks with a certificate, nobody else does without.
pub(super) fn nobody_asks_without_a_certificate(site: &Site, door: &str) {
    let (path, fields) = match door {
        "nginx" | "haproxy" => ("/authz/auth-request", &ORIGINAL[..]),
        "traefik" | "caddy" => ("/authz/forward-auth", &FORWARDED[..]),
        "envoy" => ("/authz/ext-authz/public", &["Host: localhost"][..]),
        other => panic!("{other}"),
    };
    let ask = |certificate: &[String]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20"]);
        command.args(["--output", "/dev/null", "--write-out", "%{http_code}"]);
        command.arg("--cacert").arg(site.keys.authority());
        for line in fields.iter().chain(&["X-Forwarded-Proto: http", "X-Forwarded-For: 192.0.2.7"])
        {
            command.args(["--header", line]);
        }
        let url = format!("https://{}{path}", site.asked);
        let output = command.args(certificate).arg(url).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let with = |authority: &crate::harness::Authority| {
        let files = [authority.path("proxy.pem"), authority.path("proxy.key")];
        ask(&["--cert", &files[0], "--key", &files[1]].map(str::to_owned))
    };
    assert_eq!(with(&site.keys.theirs), (true, "200".to_owned()));
    assert_eq!(with(&site.keys.stranger), (false, "000".to_owned()));
    assert_eq!(ask(&[]), (false, "000".to_owned()));
}

/// What says which request is meant.
const ORIGINAL: [&str; 3] =
    ["X-Original-Method: GET", "X-Original-URI: /public", "X-Original-Host: localhost"];
const FORWARDED: [&str; 3] =
    ["X-Forwarded-Method: GET", "X-Forwarded-Uri: /public", "X-Forwarded-Host: localhost"];

/// A proxy whose questions are not heard lets nobody pass.
pub(super) fn nobody_passes(site: &Site) {
    for path in ["/public", "/tax"] {
        let status = site.send("GET", path, NAVIGATION).status;
        assert!(status >= 400, "{path}: {status}");
    }
    assert_eq!(site.heard(), 0);
}
