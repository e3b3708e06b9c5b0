//! The status page, as an operator sees it after citizens came and some were refused.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::harness::{Axe, Citizen, TOKEN, visit_gallery, visit_operators};

#[tokio::test]
async fn the_status_page_keeps_no_operator_out() {
    let Some(axe) = Axe::find() else { return };
    visit_operators(async |citizen, operations| {
        // What there is to see: somebody who gives up, what nobody may, and somebody who signs in.
        citizen.opens("/echo").await;
        citizen.is_at_the_node().await;
        citizen.chooses("cancel").await;
        citizen.is_told("Logowanie przerwane").await;
        citizen.opens("/.brama/acs").await;
        citizen.signs_in("/echo", "anna").await;

        // The token is the password; from then on the browser has it.
        citizen.goes_to(&format!("http://anna:{TOKEN}@{operations}/status")).await;
        let mut found = Vec::new();
        for (language, heading, other) in [
            ("pl", "Stan Bramy", "State of the gateway"),
            ("en", "State of the gateway", "Stan Bramy"),
        ] {
            citizen.goes_to(&format!("http://{operations}/status?language={language}")).await;
            assert_eq!(citizen.reads("h1").await, heading);
            let shown = citizen.reads("main").await;
            for text in ["echo", "login.cancelled", "signing", "≤"] {
                assert!(shown.contains(text), "{text} in {shown}");
            }
            for (width, is_dark) in [(320, false), (320, true), (1280, false), (1280, true)] {
                let scheme = if is_dark { "dark" } else { "light" };
                let case = format!("status {language} {width} {scheme}");
                citizen.likes_the_dark(is_dark).await;
                found.extend(judged(&axe, citizen, width, &case).await);
            }
            citizen.presses("nav a[hreflang]").await;
            assert_eq!(citizen.reads("h1").await, other);
        }
        assert_eq!(found, Vec::<String>::new());
        // The twin: what is wrong with this page is found.
        citizen.runs("document.querySelector('main p.muted').style.color = '#999'").await;
        citizen.runs("document.querySelector('.scroll').removeAttribute('tabindex')").await;
        let wrong = judged(&axe, citizen, 320, "wrong").await;
        assert!(wrong.iter().any(|fault| fault.contains("scrollable-region")), "{wrong:?}");
        // What asks for the token is a page too.
        citizen.likes_the_dark(false).await;
        let bare = unauthorized(operations);
        visit_gallery([("/".to_owned(), (HTML.to_owned(), bare))].into(), async |stranger| {
            stranger.opens("/").await;
            assert_eq!(stranger.reads("h1").await, "Potrzebny token");
            assert_eq!(judged(&axe, stranger, 320, "password").await, Vec::<String>::new());
        })
        .await;
    })
    .await;
}

/// Says what is wrong with the page in a window of that width, all of which is seen.
async fn judged(axe: &Axe, citizen: &Citizen, width: u32, case: &str) -> Vec<String> {
    citizen.uses_a_window(width, 640, 1).await;
    let mut found = axe.judges(citizen).await;
    let hidden = "return document.documentElement.scrollWidth - innerWidth";
    if citizen.runs(hidden).await.as_i64() != Some(0) {
        found.push("wider than the window".to_owned());
    }
    let height = citizen.runs("return document.documentElement.scrollHeight").await;
    citizen.uses_a_window(width, height.as_u64().unwrap_or(640) as u32, 1).await;
    citizen.takes_a_picture(case).await;
    found.iter().map(|fault| format!("{case}: {fault}")).collect()
}

/// Returns the page that somebody without a token gets.
fn unauthorized(operations: SocketAddr) -> Vec<u8> {
    let mut stream = TcpStream::connect(operations).unwrap();
    let asked = format!("GET /status HTTP/1.1\r\nHost: {operations}\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer));
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";
