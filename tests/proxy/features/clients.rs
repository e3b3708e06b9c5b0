//! curl, over every version of HTTP, in the clear and over TLS.

use crate::harness::curl::{curl, curl_over_tls};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, Tls, node};

/// How curl is told to begin with HTTP/2, without an upgrade.
const HTTP2: &str = "--http2-prior-knowledge";

/// A gateway before the portal on Node, when everything is installed.
fn start(tls: Tls) -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    Some((portal, Plan::before(&url).tls(tls).start()))
}

#[test]
fn curl_reads_and_posts_over_http_1_1() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    let seen = curl(&gateway, &["/"]).is_fine_over("1.1").json();
    assert_eq!(seen["host"], *gateway.host());
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    let echoed = curl(&gateway, &["--data", "hello", "/echo"]);
    assert_eq!(echoed.is_fine_over("1.1").text(), "hello");
}

#[test]
fn curl_reads_and_posts_over_http_2_with_prior_knowledge() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    let seen = curl(&gateway, &[HTTP2, "/"]).is_fine_over("2").json();
    assert_eq!(seen["host"], *gateway.host());
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    let echoed = curl(&gateway, &[HTTP2, "--data", "hello", "/echo"]);
    assert_eq!(echoed.is_fine_over("2").text(), "hello");
}

#[test]
fn curl_chooses_the_version_over_tls() {
    let Some((_portal, gateway)) = start(Tls::On) else { return };
    curl_over_tls(&gateway, &["--http2", "/"]).is_fine_over("2");
    curl_over_tls(&gateway, &["--http1.1", "/"]).is_fine_over("1.1");
    curl_over_tls(&gateway, &["--no-alpn", "/"]).is_fine_over("1.1");
    curl_over_tls(&gateway, &["--tls-max", "1.2", "--http2", "/"]).is_fine_over("2");
}

#[test]
fn http_2_carries_many_requests_over_one_connection() {
    // Over TLS: with prior knowledge, curl 7.88 breaks off parallel requests itself, before nginx
    // too.
    let Some((_portal, gateway)) = start(Tls::On) else { return };
    let options = ["--http2", "--parallel", "--fail", "/download?size=[8-80:8]"];
    let fetched = curl_over_tls(&gateway, &options);
    assert_eq!(fetched.exit, Some(0), "{}", fetched.said);
    assert_eq!(fetched.said.matches("* Connected to ").count(), 1, "{}", fetched.said);
    assert_eq!(fetched.body.len(), 8 * (1..=10).sum::<usize>());
}

#[test]
fn several_cookie_fields_of_http_2_arrive_as_one() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    let cookies = ["--header", "Cookie: a=1", "--header", "Cookie: brama=secret"];
    let fetched = curl(&gateway, &[&[HTTP2], &cookies[..], &["/"]].concat());
    let seen = fetched.is_fine_over("2").json();
    assert_eq!(seen["cookie"], "a=1");
}

#[test]
fn trailers_of_the_portal_arrive() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    for (version, option) in [("2", HTTP2), ("1.1", "--http1.1")] {
        // curl writes trailers where it writes headers; of HTTP/1.1, "--verbose" tells only these.
        let fetched = curl(&gateway, &[option, "--include", "/trailers"]);
        let text = fetched.is_fine_over(version).text().to_ascii_lowercase();
        let (_, after_head) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(after_head.trim_end(), "hellox-sum: 42", "over {version}");
    }
}

#[test]
fn answers_without_a_body_have_none_over_http_2() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    let fetched = curl(&gateway, &[HTTP2, "--head", "/download?size=8"]);
    fetched.is_fine_over("2");
    assert!(fetched.text().to_ascii_lowercase().contains("content-length: 8"));
}

#[test]
fn curl_waits_for_leave_to_send_its_body() {
    let Some((_portal, gateway)) = start(Tls::Off) else { return };
    // Longer than curl may take at all: without the interim answer it would fail.
    let patient = ["--expect100-timeout", "90", "--header", "Expect: 100-continue"];
    let fetched = curl(&gateway, &[&patient[..], &["--data", "hello", "/echo"]].concat());
    assert_eq!(fetched.is_fine_over("1.1").text(), "hello");
    assert!(fetched.said.contains("< HTTP/1.1 100 Continue"), "{}", fetched.said);
}
