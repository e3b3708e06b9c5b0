//! Where a citizen comes back to: the very page, whoever asked for the login and however it ended.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::harness::{World, world};

const FORM: &str = "application/x-www-form-urlencoded";

/// What a script of the page at `referer` is told.
async fn offered(world: &World, method: Method, referer: Option<&str>) -> String {
    let mut headers = vec![
        ("accept", "*/*"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
    ];
    headers.extend(referer.map(|referer| ("referer", referer)));
    let answer = world.browser().fetch_with(method, "/tax/api/next?page=2", &headers, "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let login = answer.json()["login"].as_str().unwrap().to_owned();
    let header = answer.header("www-authenticate").unwrap();
    assert!(header.contains(&format!("login=\"{login}\"")), "{header} {login}");
    login
}

#[tokio::test]
async fn a_script_is_offered_the_page_that_it_runs_in() {
    let world = world().start().await;
    for page in ["/tax/2031?form=PIT-37&x=%C5%BB", "/public/news", "/"] {
        let referer = format!("{}{page}", world.origin);
        for method in [Method::GET, Method::POST, Method::PUT] {
            let login = offered(&world, method, Some(&referer)).await;
            let mut browser = world.browser();
            assert_eq!(browser.sign_in(&login, "anna").await.text, "portal", "{login}");
            assert_eq!(world.last_seen().target, page);
        }
    }
}

#[tokio::test]
async fn nothing_but_a_page_of_the_same_origin_is_offered() {
    let world = world().start().await;
    let origin = &world.origin;
    let front = "/.brama/login?return_to=%2F&assurance=substantial";
    for referer in [
        "https://evil.example/tax".to_owned(),
        format!("{origin}.evil.example/tax"),
        format!("{origin}0/tax"),
        format!("{origin}@evil.example/tax"),
        origin.replace("http:", "https:") + "/tax",
        format!("{origin}//evil.example/"),
        format!("{origin}/tax/../admin"),
        format!("{origin}/tax%2fadmin"),
        format!("{origin}/.brama/finish?state=a&ticket=b"),
        "about:client".to_owned(),
        "/tax".to_owned(),
        String::new(),
    ] {
        assert_eq!(offered(&world, Method::GET, Some(&referer)).await, front, "{referer}");
    }
    assert_eq!(offered(&world, Method::GET, None).await, front);
}

#[tokio::test]
async fn a_form_that_is_not_kept_leads_back_to_where_it_was_typed() {
    let world = world().with("[session]\nkeep_forms = \"0 B\"\n").start().await;
    let page = world.browser().send_form("/tax/form", FORM, "field=typed", "same-origin").await;
    page.is_our_page().is_refused_with("request.form_without_session");
    assert!(page.link_with("/.brama/login").contains("return_to=%2Fwritten%2Fhere&"));
}

#[tokio::test]
async fn a_frame_leads_back_to_the_page_around_it() {
    let world = world().start().await;
    let around = format!("{}/public/around?x=1", world.origin);
    let mut headers =
        vec![("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let page = world.browser().fetch_with(Method::GET, "/tax/inside", &headers, "").await;
    assert!(page.link_with("/.brama/login").contains("return_to=%2Ftax%2Finside&"));
    headers.push(("referer", &around));
    let page = world.browser().fetch_with(Method::GET, "/tax/inside", &headers, "").await;
    page.is_refused_with("request.frame_without_session");
    assert!(page.link_with("/.brama/login").contains("return_to=%2Fpublic%2Faround%3Fx%3D1&"));
}

#[tokio::test]
async fn who_took_too_long_at_the_node_begins_again_where_they_wanted_to_go() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/health/2031?a=b", "anna", &[]).await;
    world.advance(Duration::from_secs(601));
    // Another browser, which knows nothing of it, is told nothing of it.
    let other = world.browser().deliver(&delivery).await;
    other.is_our_page().is_refused_with("login.expired");
    assert!(other.link_with("/.brama/login").contains("return_to=%2F&"));

    let late = browser.deliver(&delivery).await;
    late.is_our_page().is_refused_with("login.expired");
    let again = late.link_with("/.brama/login");
    let expected = "/.brama/login?return_to=%2Fhealth%2F2031%3Fa%3Db&assurance=high&after=";
    assert!(again.starts_with(expected), "{again}");
    assert_eq!(world.exchanges_with_the_node(), 0, "too late is too late");
    assert_eq!(browser.sign_in(&again, "anna").await.text, "portal");
    assert_eq!(world.last_seen().target, "/health/2031?a=b");
    // From then on the old page of the node leads there as well.
    world.forget_seen();
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_eq!(world.last_seen().target, "/health/2031?a=b");
}

#[tokio::test]
async fn what_passes_by_itself_is_asked_for_again_at_the_same_address() {
    let world = world()
        .with_routes(
            "[[upstream]]\nname = \"away\"\nurl = \"http://127.0.0.1:1\"\n\
             [[route]]\npath = \"/\"\nupstream = \"away\"\naccess = \"public\"\n",
        )
        .start()
        .await;
    let mut browser = world.browser();
    let page = browser.open("/news/1?a=b&c=d").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert_eq!(page.is_our_page().link_with("/news"), "/news/1?a=b&c=d");
    // A form is not sent again by a link.
    let page = browser.send_form("/news/1", FORM, "a=b", "same-origin").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(!page.is_our_page().text.contains("/news/1"), "{}", page.text);
}
