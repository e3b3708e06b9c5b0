//! What a page of another site can make of a login, in a browser that decides by itself which
//! cookies go where.

use std::process::Command;

use crate::harness::{A, Citizen, Scripts, serve, visit_portals, visit_portals_at};

/// A thief with a program: curl, with cookies of its own.
struct Thief {
    port: u16,
    cookies: tempfile::NamedTempFile,
}

impl Thief {
    fn new(port: u16) -> Self {
        Self { port, cookies: tempfile::NamedTempFile::new().unwrap() }
    }

    /// Asks for a page of the portal, as a browser does.
    fn asks_for(&self, target: &str) -> String {
        let output = Command::new("curl")
            .args(["-skD-", "-H", "Accept: text/html", "--connect-to"])
            .arg(format!("portal-a.example:443:127.0.0.1:{}", self.port))
            .arg("-b")
            .arg(self.cookies.path())
            .arg("-c")
            .arg(self.cookies.path())
            .arg(format!("{A}{target}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The part of a page between two texts.
fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let start = page.find(before).unwrap_or_else(|| panic!("{before} in {page}")) + before.len();
    &page[start..start + page[start..].find(after).unwrap()]
}

/// A page that posts a login of somebody else to the node, as soon as it is looked at.
fn lure(page: &str) -> String {
    let (action, request, state) = (
        between(page, "<form method=\"post\" action=\"", "\""),
        between(page, "name=\"SAMLRequest\" value=\"", "\""),
        between(page, "name=\"RelayState\" value=\"", "\""),
    );
    format!(
        "<!doctype html><h1>win</h1><form method=post action=\"{action}\">\
         <input name=SAMLRequest value=\"{request}\"><input name=RelayState value=\"{state}\">\
         </form><script>document.forms[0].submit()</script>"
    )
}

async fn has_session(citizen: &Citizen) -> bool {
    citizen.cookies().await.iter().any(|cookie| cookie.name() == "__Host-brama")
}

const ENDED: &str = "Tego logowania nie zaczęto w tej przeglądarce";

#[tokio::test]
async fn a_lure_page_gets_nothing_of_the_citizen_who_signs_in() {
    // A citizen who was never here, and one with a login of their own under way.
    for was_here in [false, true] {
        visit_portals_at(Scripts::Run, async |citizen, port| {
            if was_here {
                citizen.opens("/account").await;
                citizen.is_at_the_node().await;
            }
            let thief = Thief::new(port);
            let page = thief.asks_for("/account");
            let state = between(&page, "name=\"RelayState\" value=\"", "\"").to_owned();
            let lure_page = lure(&page);
            let lure = serve(move |_| lure_page.clone());
            citizen.goes_to(&lure).await;
            citizen.is_at_the_node().await;
            citizen.chooses("anna").await;
            citizen.is_told(ENDED).await;
            let page = citizen.source().await;
            assert!(page.contains("login.other_browser"), "{page}");
            assert!(page.contains("wyloguj się tam"), "{page}");
            assert!(!has_session(citizen).await);
            // The thief has the cookie and the handle, and gets nothing.
            for _ in 0..10 {
                let answer = thief.asks_for(&format!("/.brama/finish?state={state}"));
                assert!(answer.starts_with("HTTP/2 403"), "{answer}");
                assert!(answer.contains("login.no_ticket"), "{answer}");
            }
            assert!(thief.asks_for("/.brama/session").contains("\"signed_in\":false"));
            // The citizen can sign in all the same.
            citizen.signs_in("/account?own", "anna").await;
            assert!(has_session(citizen).await);
        })
        .await;
    }
}

/// What the portal saw of the request for the page that is shown.
async fn seen(citizen: &Citizen, name: &str) -> Option<String> {
    let head = citizen.reads("#seen").await;
    let wanted = format!("{name}: ");
    head.lines().find_map(|line| {
        let lower = line.to_ascii_lowercase();
        lower.starts_with(&wanted).then(|| line[wanted.len()..].trim().to_owned())
    })
}

#[tokio::test]
async fn a_link_of_another_site_stays_one_over_the_login() {
    visit_portals(Scripts::Run, async |citizen| {
        // 1. A page of the portal: its own link, its own cookies.
        citizen.signs_in("/echo", "anna").await;
        citizen.runs("document.cookie = 'strict=1; Secure; SameSite=Strict; Path=/'").await;
        citizen.runs("document.cookie = 'lax=1; Secure; SameSite=Lax; Path=/'").await;
        citizen.loses_cookie("__Host-brama").await;
        citizen.signs_in("/echo?typed", "anna").await;
        assert_eq!(seen(citizen, "sec-fetch-site").await.as_deref(), Some("same-origin"));
        let cookies = seen(citizen, "cookie").await.unwrap();
        assert!(cookies.contains("strict=1") && cookies.contains("lax=1"), "{cookies}");
        // 2. The twin: a link of another site, with a login on the way.
        citizen.loses_cookie("__Host-brama").await;
        let link = format!("<!doctype html><h1>links</h1><a href=\"{A}/echo?linked\">go</a>");
        let foreign = serve(move |_| link.clone());
        citizen.goes_to(&foreign).await;
        citizen.presses("a").await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/echo?linked").await;
        assert_eq!(seen(citizen, "sec-fetch-site").await.as_deref(), Some("cross-site"));
        let cookies = seen(citizen, "cookie").await.unwrap();
        assert!(!cookies.contains("strict=1") && cookies.contains("lax=1"), "{cookies}");
        assert!(!cookies.contains("brama"), "{cookies}");
        assert_eq!(seen(citizen, "referer").await, None, "no handle, no ticket");
        // 3. Without a login on the way it was as much.
        citizen.goes_to(&foreign).await;
        citizen.presses("a").await;
        citizen.arrives_at("/echo?linked").await;
        assert_eq!(seen(citizen, "sec-fetch-site").await.as_deref(), Some("cross-site"));
    })
    .await;
}
