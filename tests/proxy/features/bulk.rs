//! 64 MiB up and down: every byte arrives, and the gateway holds few of them at a time.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::curl::curl;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Nginx, Plan, node, sha256};

const SIZE: usize = 64 << 20;
/// How much more memory the gateway may have had than before, in KiB. It is a program without
/// optimisation; what matters is that it is less than what goes through.
const GROWTH_KIB: u64 = 32 << 10;

/// The bytes that `/download` of the portal sends: 0, 1, 2, ... in 8 bytes each.
fn bytes() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SIZE);
    for number in 0..SIZE as u64 / 8 {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

fn goes_both_ways(gateway: &Gateway, sum: &str, download: &str, versions: &[&str]) {
    let folder = TempDir::new().unwrap();
    let (sent, got) = (folder.path().join("sent"), folder.path().join("got"));
    let bytes = bytes();
    fs::write(&sent, &bytes).unwrap();
    let expected = sha256(&bytes);
    drop(bytes);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let before = gateway.peak_kib();
    for version in versions {
        let uploaded = curl(gateway, &[version, "--upload-file", &text(&sent), sum]);
        assert_eq!(uploaded.text(), expected, "{version}: {}", uploaded.said);
        let downloaded = curl(gateway, &[version, "--output", &text(&got), download]);
        assert_eq!(downloaded.exit, Some(0), "{version}: {}", downloaded.said);
        assert_eq!(sha256(&fs::read(&got).unwrap()), expected, "{version}");
    }
    let grown = gateway.peak_kib() - before;
    assert!(grown < GROWTH_KIB, "memory grew by {grown} KiB");
}

#[test]
fn large_bodies_reach_node_and_come_back_over_http_1_1() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).start();
    goes_both_ways(&gateway, "/sum", &format!("/download?size={SIZE}"), &["--http1.1"]);
}

#[test]
fn large_bodies_reach_node_and_come_back_over_http_2() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).start();
    let versions = ["--http2-prior-knowledge"];
    goes_both_ways(&gateway, "/sum", &format!("/download?size={SIZE}"), &versions);
}

#[test]
fn large_bodies_reach_nginx_and_come_back() {
    if !tools::has(&[Tool::Node, Tool::Nginx, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let nginx = Nginx::start(&format!(
        "location = /sum {{ proxy_pass {url}; proxy_request_buffering off; \
         proxy_http_version 1.1; }}"
    ));
    fs::write(nginx.root().join("big.bin"), bytes()).unwrap();
    let gateway = Plan::before(&nginx.url).start();
    goes_both_ways(&gateway, "/sum", "/big.bin", &["--http1.1"]);
}
