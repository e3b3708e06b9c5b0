//! Our own places, from the beginning of a login to its end: a node is simulated, and the gateway is
//! asked in place.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::app::testing::{Answer, Browser, HOST, OK, World, get, world_with_node};
use crate::flow::testing::between;

const ROUTES: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/tax\"\nupstream = \"portal\"\n\
    [[route]]\npath = \"/health\"\nupstream = \"portal\"\nassurance = \"high\"\n\
    [[route]]\nhost = \"b.test\"\npath = \"/\"\nupstream = \"portal\"\n";

async fn gateway() -> World {
    world_with_node(ROUTES, OK).await
}

async fn gateway_with(lines: &str) -> World {
    world_with_node(&format!("{ROUTES}{lines}"), OK).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// What the page that leads on leads to.
fn leads_to(answer: &Answer) -> &str {
    header(answer, "refresh").strip_prefix("0; url=").unwrap_or_default()
}

fn finished(world: &World) -> u64 {
    world.worker.shared.events.counts().logins_finished.all().iter().map(|(_, count)| count).sum()
}

fn refusals(world: &World, reason: &str) -> u64 {
    let all = world.worker.shared.events.counts().refusals.all();
    all.iter().find(|(name, _)| *name == reason).map_or(0, |(_, count)| *count)
}

#[tokio::test]
async fn a_citizen_signs_in_and_is_led_to_where_they_wanted_to_go() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let page = browser.visit("/tax?year=2031").await;
    let acs = browser.identify(&page, "anna").await;
    let told = browser.follow(&acs, "cross-site").await;
    assert_eq!(
        (told.status, header(&told, "referrer-policy")),
        (StatusCode::SEE_OTHER, "no-referrer")
    );
    assert_eq!(header(&told, "cross-origin-opener-policy"), "same-origin");
    let finish = told.location();
    assert!(finish.starts_with("/.brama/finish?state=") && finish.contains("&ticket="), "{finish}");
    let arrived = browser.follow(finish, "cross-site").await;
    assert_eq!((arrived.status, leads_to(&arrived)), (StatusCode::OK, "/tax?year=2031"));
    assert_eq!(header(&arrived, "referrer-policy"), "no-referrer");
    assert_eq!(header(&arrived, "cross-origin-opener-policy"), "same-origin");
    assert_eq!(finished(&world), 1);
    assert_eq!(browser.follow("/tax?year=2031", "same-origin").await.text, "ok");
    // A page that is loaded once more is no second login.
    let again = browser.follow(finish, "cross-site").await;
    assert_eq!((leads_to(&again), finished(&world)), ("/tax?year=2031", 1));
    // Nor is one that is loaded when its ticket has long expired.
    world.clock.advance(Duration::from_secs(4 * 60));
    assert_eq!(browser.follow("/tax", "same-origin").await.text, "ok");
    let late = browser.follow(finish, "cross-site").await;
    assert_eq!(
        (late.status, leads_to(&late), finished(&world)),
        (StatusCode::OK, "/tax?year=2031", 1)
    );
    // The twin: to another browser it is nothing.
    let other = Browser::new(&world, HOST);
    let refused = other.follow(finish, "cross-site").await;
    assert_eq!((refused.status, leads_to(&refused)), (StatusCode::FORBIDDEN, ""));
    assert!(other.cookies().is_empty());
}

#[tokio::test]
async fn an_answer_that_comes_to_another_browser_signs_nobody_in_and_ends_the_login() {
    let world = gateway().await;
    let (anna, other) = (Browser::new(&world, HOST), Browser::new(&world, HOST));
    let acs = anna.identify(&anna.visit("/tax").await, "anna").await;
    let told = other.follow(&acs, "cross-site").await;
    let refused = match told.status {
        StatusCode::SEE_OTHER => other.follow(told.location(), "cross-site").await,
        _ => told,
    };
    assert_eq!((refused.status, finished(&world)), (StatusCode::FORBIDDEN, 0));
    assert_eq!(world.worker.shared.events.counts().logins_of_other_browsers.value(), 1);
    assert!(refused.text.contains("/.brama/login?return_to=%2F&"), "{}", refused.text);
    assert_eq!(other.visit("/.brama/session").await.json()["signed_in"], false);
}

#[tokio::test]
async fn an_answer_of_the_node_is_read_in_both_ways_and_what_is_none_leads_nowhere() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let acs = browser.identify(&browser.visit("/tax").await, "anna").await;
    let (path, fields) = acs.split_once('?').unwrap();
    let kind = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let post = async |kind: (&str, &str), body: &str| {
        let length = body.len().to_string();
        let said = [("sec-fetch-site", "cross-site"), kind, ("content-length", length.as_str())];
        let mut request = get(HOST, path, &said);
        *request.method_mut() = Method::POST;
        browser.go(request, body).await
    };
    let state = &fields[fields.find("RelayState").unwrap()..];
    for (kind, body, status, reason) in [
        (("content-type", "text/plain"), fields, 400, "login.not_a_form"),
        (("x-other", "1"), fields, 400, "login.not_a_form"),
        (kind, &*"x".repeat(70_000), 413, "login.form_too_large"),
        (kind, state, 400, "login.malformed_artifact"),
        (kind, &fields.replace("SAMLart", "SAMLother"), 400, "login.malformed_artifact"),
        (kind, &fields.replace("RelayState=", "RelayState=x"), 403, "login.unknown_relay_state"),
        (kind, &fields[..fields.find("&RelayState").unwrap()], 403, "login.unknown_relay_state"),
    ] {
        let refused = post(kind, body).await;
        assert_eq!(
            (refused.status.as_u16(), refusals(&world, reason) > 0),
            (status, true),
            "{body}"
        );
    }
    let told = post(kind, &fields.replace("SAMLart", "SAMLArt")).await;
    let arrived = browser.follow(told.location(), "cross-site").await;
    assert_eq!((leads_to(&arrived), finished(&world)), ("/tax", 1));
}

#[tokio::test]
async fn who_took_too_long_begins_again_or_is_led_on_when_signed_in_meanwhile() {
    let world = gateway().await;
    for is_signed_in in [false, true] {
        let browser = Browser::new(&world, HOST);
        let late = browser.identify(&browser.visit("/tax?a").await, "anna").await;
        world.clock.advance(Duration::from_secs(15 * 60));
        if is_signed_in {
            let page = browser.visit("/tax?b").await;
            assert_eq!(leads_to(&browser.sign_in(&page, "anna").await), "/tax?b");
        }
        let told = browser.follow(&late, "cross-site").await;
        assert!(!told.location().contains("ticket"), "{}", told.location());
        let told = browser.follow(told.location(), "cross-site").await;
        if is_signed_in {
            assert_eq!((told.status, leads_to(&told)), (StatusCode::OK, "/tax?a"));
        } else {
            assert_eq!(told.status, StatusCode::FORBIDDEN);
            assert!(told.text.contains("/.brama/login?return_to=%2Ftax%3Fa&"), "{}", told.text);
        }
    }
}

#[tokio::test]
async fn a_network_of_which_too_many_logins_failed_is_turned_away_before_anything_is_spent() {
    let world = gateway_with("[limits]\nlogin_failures = 2\n").await;
    let browser = Browser::new(&world, HOST);
    let acs = browser.identify(&browser.visit("/tax").await, "anna").await;
    let told = browser.follow(&acs, "cross-site").await;
    // What another site's page has fetched is counted for nobody.
    for _ in 0..5 {
        let mut request = get(HOST, "/.brama/finish?state=x", &[("sec-fetch-mode", "no-cors")]);
        request.headers_mut().insert("sec-fetch-dest", "image".parse().unwrap());
        assert_eq!(browser.go(request, "").await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(refusals(&world, "login.no_navigation"), 5);
    // Nor is what was never begun.
    for _ in 0..5 {
        let answer = Browser::new(&world, HOST).visit("/.brama/finish?state=x").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(world.worker.shared.events.counts().logins_of_other_browsers.value(), 0);
    // One that brings an artifact that was used before is.
    let thief = Browser::new(&world, HOST);
    let used = thief.identify(&thief.visit("/tax").await, "zofia").await;
    let arrived =
        thief.follow(thief.follow(&used, "cross-site").await.location(), "cross-site").await;
    assert_eq!(leads_to(&arrived), "/tax");
    let (artifact, _) = used.split_once("&RelayState").unwrap();
    let mut refused = Vec::new();
    for _ in 0..4 {
        let thief = Browser::new(&world, HOST);
        let page = thief.visit("/tax").await;
        let state = between(&page.text, "name=\"RelayState\" value=\"", "\"");
        let answer = thief.follow(&format!("{artifact}&RelayState={state}"), "cross-site").await;
        let answer = match answer.status {
            StatusCode::SEE_OTHER => thief.follow(answer.location(), "cross-site").await,
            _ => answer,
        };
        refused.push(answer.status.as_u16());
    }
    assert_eq!(refused, [403, 403, 403, 429], "none after a third one");
    for (host, target) in [(HOST, "/.brama/cross?id=x"), ("b.test", "/.brama/arrive?code=x")] {
        let answer = Browser::new(&world, host).visit(target).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{target}");
    }
    // Nothing is sent once more by a link.
    let form = browser.send("/.brama/acs", "cross-site", "SAMLart=x").await;
    assert_eq!(form.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!form.text.contains("href=\"/.brama/acs"), "{}", form.text);
    let turned_away = browser.follow(told.location(), "cross-site").await;
    assert_eq!(turned_away.status, StatusCode::TOO_MANY_REQUESTS);
    world.clock.advance(Duration::from_secs(120));
    let page = browser.visit("/tax").await;
    assert_eq!(leads_to(&browser.sign_in(&page, "anna").await), "/tax");
}

#[tokio::test]
async fn a_login_begins_for_who_needs_it_and_is_told_of_to_who_cannot_go() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let step_ups = || world.worker.shared.events.counts().step_ups.value();
    let page = browser.visit("/.brama/login?return_to=/tax&assurance=substantial").await;
    assert!(page.text.contains("SAMLRequest"), "{}", page.text);
    assert_eq!(step_ups(), 0, "nobody was signed in");
    assert_eq!(leads_to(&browser.sign_in(&page, "anna").await), "/tax");
    for (query, status, is_to_node, counted) in [
        ("return_to=/tax", 303, false, 0),
        ("return_to=/tax&assurance=substantial&max_age=9999999999", 303, false, 0),
        ("assurance=low", 303, false, 0),
        // It brings what its page needs, whatever is asked for.
        ("return_to=/health/x&assurance=low", 200, true, 1),
        ("assurance=high", 200, true, 1),
        ("max_age=0", 200, true, 1),
        ("assurance=higher", 400, false, 0),
        ("max_age=-1", 400, false, 0),
        ("max_age=", 400, false, 0),
        ("max_age=12345678901", 400, false, 0),
        ("max_age=%2B5", 400, false, 0),
    ] {
        let before = step_ups();
        let answer = browser.visit(&format!("/.brama/login?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert_eq!(answer.text.contains("SAMLRequest"), is_to_node, "{query}");
        assert_eq!(step_ups() - before, counted, "{query}");
        if status == 303 {
            let expected = if query.contains("tax") { "/tax" } else { "/" };
            assert_eq!(answer.location(), expected, "{query}");
        }
    }
    for (name, value, status, counted) in [
        ("sec-fetch-mode", "cors", 401, 1),
        ("sec-fetch-dest", "iframe", 401, 1),
        ("sec-purpose", "prefetch", 401, 0),
    ] {
        let before = (step_ups(), world.worker.shared.events.counts().logins_begun.value());
        let request = get(HOST, "/.brama/login?assurance=high", &[(name, value)]);
        let answer = browser.go(request, "").await;
        assert_eq!((answer.status.as_u16(), step_ups() - before.0), (status, counted), "{value}");
        assert_eq!(world.worker.shared.events.counts().logins_begun.value(), before.1, "{value}");
        assert!(answer.text.contains("/.brama/login?"), "{}", answer.text);
        if value != "iframe" {
            assert_eq!(answer.json()["error"], "step_up_required");
        }
    }
}

#[tokio::test]
async fn a_citizen_signs_out_by_a_page_of_ours_and_by_no_other_sites() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let logouts = |outcome: &str| {
        let all = world.worker.shared.events.counts().logouts.all();
        all.iter().find(|(name, _)| *name == outcome).map_or(0, |(_, count)| *count)
    };
    let signed_out = browser.visit("/.brama/logout").await;
    assert!(signed_out.status == StatusCode::OK && !signed_out.text.contains("name=\"token\""));
    let sign_in = async || {
        let page = browser.visit("/tax").await;
        assert_eq!(leads_to(&browser.sign_in(&page, "anna").await), "/tax");
    };
    let is_signed_in = async || browser.visit("/.brama/session").await.json()["signed_in"] == true;
    let out = "/.brama/logout";
    let old_browser = async |form: &str| {
        let length = form.len().to_string();
        let mut request = get(HOST, out, &[("content-length", &length)]);
        *request.method_mut() = Method::POST;
        browser.go(request, form).await
    };
    assert_eq!(old_browser("").await.status, StatusCode::SEE_OTHER, "there is no token to know");
    sign_in().await;
    // 1. Another site's page is led to the page that asks.
    let asked = browser.send(out, "cross-site", "").await;
    assert_eq!((asked.status, asked.location()), (StatusCode::SEE_OTHER, out));
    let page = browser.visit(out).await;
    let token = between(&page.text, "name=\"token\" value=\"", "\"").to_owned();
    assert!(is_signed_in().await);
    // 2. An old browser does not say which page it was; then the token counts, and nothing else.
    for wrong in ["", "token=x", "token=", &format!("other={token}")] {
        assert_eq!(old_browser(wrong).await.status, StatusCode::SEE_OTHER, "{wrong}");
    }
    assert!(is_signed_in().await && logouts("signed_out_everywhere") == 0);
    let done = old_browser(&format!("token={token}")).await;
    assert_eq!((done.status, logouts("signed_out_everywhere")), (StatusCode::OK, 1));
    assert_eq!(header(&done, "clear-site-data"), "\"cache\"");
    assert!(
        !is_signed_in().await && !browser.cookies().contains("brama="),
        "{}",
        browser.cookies()
    );
    // 3. A page of ours need not hold it; a script is told in its way.
    sign_in().await;
    assert_eq!(browser.send(out, "same-origin", "").await.status, StatusCode::OK);
    assert!(!is_signed_in().await && logouts("signed_out_everywhere") == 2);
    let mut script =
        get(HOST, out, &[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
    *script.method_mut() = Method::POST;
    let told = browser.go(script, "").await;
    assert_eq!(told.json()["outcome"], "not_signed_in");
    assert_eq!(logouts("not_signed_in"), 1);
}

#[tokio::test]
async fn all_sessions_of_a_browser_end_when_its_citizen_signs_out() {
    let world = gateway().await;
    let first = world.sign_in(crate::identity::assurance::Assurance::High).await.1;
    let second = world.sign_in(crate::identity::assurance::Assurance::High).await.1;
    let both = format!("{first}; {second}");
    let said = [("cookie", both.as_str()), ("sec-fetch-site", "same-origin")];
    let mut request = get(HOST, "/.brama/logout", &said);
    *request.method_mut() = Method::POST;
    assert_eq!(world.ask(request).await.status, StatusCode::OK);
    for cookie in [first, second] {
        let told = world.get("/.brama/session", &[("cookie", cookie.as_str())]).await;
        assert_eq!(told.json()["signed_in"], false);
    }
}

#[tokio::test]
async fn a_citizen_crosses_to_another_host_and_is_signed_in_there_by_one_browser() {
    let world = gateway().await;
    let (home, there) = (Browser::new(&world, HOST), Browser::new(&world, "b.test"));
    let origin = format!("https://{HOST}");
    let there_to_home = async |there: &Browser<'_>| {
        let left = there.visit("/forms?a").await;
        assert_eq!(
            (left.status, header(&left, "referrer-policy")),
            (StatusCode::SEE_OTHER, "no-referrer")
        );
        let home = left.location().strip_prefix(&origin).unwrap().to_owned();
        assert!(home.starts_with("/.brama/cross?id="), "{home}");
        home
    };
    let cross = there_to_home(&there).await;
    // 1. Nobody is signed in at home yet.
    let page = home.follow(&cross, "cross-site").await;
    let arrived = home.sign_in(&page, "anna").await;
    assert_eq!(leads_to(&arrived), cross);
    let go = home.follow(&cross, "same-origin").await;
    assert_eq!((go.status, header(&go, "referrer-policy")), (StatusCode::SEE_OTHER, "no-referrer"));
    let arrive = go.location().strip_prefix("https://b.test").unwrap();
    assert!(arrive.starts_with("/.brama/arrive?code="), "{arrive}");
    // 2. The code is for the browser that left, and for one time.
    let thief = Browser::new(&world, "b.test");
    assert_eq!(thief.follow(arrive, "cross-site").await.status, StatusCode::FORBIDDEN);
    assert!(thief.cookies().is_empty());
    let cross = there_to_home(&there).await;
    let go = home.follow(&cross, "cross-site").await;
    let arrive = go.location().strip_prefix("https://b.test").unwrap();
    let arrived = there.follow(arrive, "cross-site").await;
    assert_eq!((arrived.status, leads_to(&arrived)), (StatusCode::OK, "/forms?a"));
    assert_eq!(there.visit("/forms?a").await.text, "ok");
    // 3. What is no wish or code leads nowhere.
    for (browser, target) in [
        (&home, "/.brama/cross"),
        (&home, "/.brama/cross?id=x"),
        (&there, "/.brama/arrive"),
        (&there, "/.brama/arrive?code=x"),
    ] {
        assert_eq!(
            browser.follow(target, "cross-site").await.status,
            StatusCode::FORBIDDEN,
            "{target}"
        );
    }
    for (host, target) in [(HOST, "/.brama/cross?id=x"), ("b.test", "/.brama/arrive?code=x")] {
        let fetched = get(host, target, &[("sec-fetch-mode", "no-cors")]);
        assert_eq!(world.ask(fetched).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(refusals(&world, "crossing.no_navigation"), 2);
    // 4. Another browser that is signed in at home does not bring the wish of this one.
    let cross = there_to_home(&Browser::new(&world, "b.test")).await;
    home.follow(&cross, "cross-site").await;
    let other = Browser::new(&world, HOST);
    let page = other.visit("/tax").await;
    other.sign_in(&page, "zofia").await;
    let refused = other.follow(&cross, "cross-site").await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
}

#[tokio::test]
async fn the_portals_own_session_goes_with_ours_and_when_another_person_comes() {
    let world = gateway().await;
    let (home, there) = (Browser::new(&world, HOST), Browser::new(&world, "b.test"));
    let clears = |answer: &Answer| {
        let cookies = answer.headers.get_all("set-cookie").iter();
        cookies.filter(|cookie| cookie.as_bytes().starts_with(b"PORTAL=;")).count() > 0
    };
    let anew = "/.brama/login?max_age=0";
    let signs_in = async || {
        let page = home.visit(anew).await;
        home.sign_in(&page, "anna").await
    };
    let crosses = async || {
        let left = there.visit("/").await;
        let cross = left.location().strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
        let go = home.follow(&cross, "cross-site").await;
        go.location().strip_prefix("https://b.test").unwrap().to_owned()
    };
    // Nobody knows who was there before.
    assert!(clears(&signs_in().await));
    assert!(!clears(&signs_in().await), "it is the same person");
    // Two tabs leave before the first of them is back.
    let (first, second) = (crosses().await, crosses().await);
    assert!(clears(&there.follow(&first, "cross-site").await));
    assert!(!clears(&there.follow(&second, "cross-site").await), "it is the same person");
    assert!(clears(&home.send("/.brama/logout", "same-origin", "").await));
}
