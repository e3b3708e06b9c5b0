//! What is believed of a request and of who brings it, and what comes before it is answered.

use super::*;
use crate::gate::Decision;
use crate::identity::keyring::KeyRing;
use crate::request::headers::forwarded::Client;
use crate::request::service::WantsUpgrade;
use crate::wire::incoming::Incoming;

#[tokio::test]
async fn a_proxy_that_is_trusted_is_believed_for_what_it_is_said_to_be() {
    let lines = "trusted_proxies = [\"192.0.2.0/24\"]\n\
                 trusted_for = [\"address\", \"scheme\", \"host\", \"request_id\"]";
    let routes = format!("{ROUTES}[identity]\npass_headers = [\"remote-user\"]\n");
    let said = [
        SCRIPT,
        ("x-forwarded-host", "portal.test:7443"),
        ("x-request-id", "of-the-proxy"),
        ("remote-user", "told"),
    ];
    for (is_trusted, lines) in [(true, lines), (false, "trusted_proxies = [\"198.51.100.0/24\"]")] {
        let mut world = world_with((lines, &routes), OK).await;
        assert_eq!(world.get("/public", &said).await.status, StatusCode::OK);
        let head = world.head().unwrap();
        for field in
            ["\r\nhost: portal.test:7443", "x-request-id: of-the-proxy", "remote-user: told"]
        {
            assert_eq!(head.contains(field), is_trusted, "{field}: {head}");
        }
    }
}

#[tokio::test]
async fn a_request_of_which_another_proxy_tells_is_taken_in_as_strictly() {
    let world = usual().await;
    let taken = |request: Request<()>| {
        let (parts, ()) = request.into_parts();
        let mut unanswered = Unanswered::begin(&world.worker, Box::new(parts), &peer());
        let told = Peer::new("198.51.100.7:1".parse().unwrap(), true);
        let client = Client::direct(&told, true);
        let received = world.worker.receive_told(unanswered.context(), client);
        received.map(|_| unanswered.answered().client.address.to_string()).map_err(|e| e.status)
    };
    assert_eq!(taken(get(HOST, "/tax", &[])).unwrap(), "198.51.100.7");
    let mut trace = get(HOST, "/tax", &[]);
    *trace.method_mut() = Method::TRACE;
    assert_eq!(taken(trace).unwrap_err(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn what_needs_the_store_is_left_to_a_successor_that_has_it() {
    let world = usual().await;
    assert_eq!(world.get("/.brama/session", &[SCRIPT]).await.status, StatusCode::OK);
    assert!(world.worker.shared.flows.tenure.end(Duration::ZERO).await);
    for (target, status) in [
        ("/.brama/login?return_to=/tax", StatusCode::TEMPORARY_REDIRECT),
        ("/.brama/session", StatusCode::TEMPORARY_REDIRECT),
        // These are the same there.
        ("/.brama/session.js", StatusCode::OK),
        ("/.brama/jwks.json", StatusCode::OK),
        ("/.brama/nothing", StatusCode::NOT_FOUND),
        ("/public", StatusCode::OK),
    ] {
        let answer = world.get(target, &[SCRIPT]).await;
        assert_eq!(answer.status, status, "{target}");
        let is_asked_again = status == StatusCode::TEMPORARY_REDIRECT;
        assert_eq!(answer.header("location"), if is_asked_again { target } else { "" });
    }
}

#[tokio::test]
async fn a_preflight_passes_without_a_session_and_what_has_a_body_is_none() {
    let routes = ROUTES.replace("path = \"/tax\"", "path = \"/tax\"\ncors_preflight = true");
    let world = world(&routes, OK).await;
    let said = [("origin", "https://app.test"), ("access-control-request-method", "GET")];
    for (body, status) in [("", StatusCode::OK), ("x", StatusCode::UNAUTHORIZED)] {
        let mut request = get(HOST, "/tax", &said);
        *request.method_mut() = Method::OPTIONS;
        let body = Incoming::whole(body.into());
        assert_eq!(world.ask_with(request, body).await.status, status);
    }
}

#[tokio::test]
async fn before_a_login_is_offered_it_is_told_what_comes_first() {
    let lines = "node: outage = true";
    let (usual, away) = (usual().await, world_with((lines, ROUTES), OK).await);
    let told = async |world: &World, target: &str, cookie: &str| {
        let said = [PAGE, ("cookie", cookie)];
        let (parts, ()) = get(HOST, target, &said).into_parts();
        let mut unanswered = Unanswered::begin(&world.worker, Box::new(parts), &peer());
        let context = unanswered.context();
        let received = world.worker.receive(context, &peer()).unwrap();
        let found = world.worker.find(&received, context, false).route().unwrap();
        let Decision::Deny(denial) = world.worker.decide(context, found).await.unwrap() else {
            panic!("it may pass");
        };
        world.worker.before_login(&denial, context).await.map_err(|failure| failure.status)
    };
    assert_eq!(told(&usual, "/tax", "").await, Ok(()));
    assert_eq!(told(&away, "/tax", "").await, Err(StatusCode::SERVICE_UNAVAILABLE));
    let (id, ended) = usual.sign_in(Assurance::High).await;
    let (sessions, now) = (&usual.worker.shared.flows.sessions, usual.clock.now());
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    assert_eq!(told(&usual, "/tax", &ended).await, Err(StatusCode::UNAUTHORIZED));
    // One who is signed in, but not surely enough, is counted.
    let (_, low) = usual.sign_in(Assurance::Low).await;
    assert_eq!((told(&usual, "/health", &low).await, usual.step_ups()), (Ok(()), 1));
}

#[tokio::test]
async fn a_library_that_is_told_the_issuer_finds_the_keys_where_that_is_wanted() {
    let place = "/.well-known/openid-configuration";
    let known = world(&format!("{ROUTES}[identity]\nwell_known = true\n"), OK).await;
    let told = known.get(place, &[SCRIPT]).await;
    assert_eq!((told.status, told.header("content-type")), (StatusCode::OK, "application/json"));
    let text = told.json();
    assert_eq!(text["issuer"], "https://portal.test");
    assert_eq!(text["jwks_uri"], "https://portal.test/.well-known/jwks.json");
    assert_eq!(known.get("/.well-known/jwks.json", &[SCRIPT]).await.status, StatusCode::OK);
    let empty = KeyRing::empty(Duration::MAX, &[]);
    known.worker.shared.keys.replace(empty);
    assert_eq!(known.get(place, &[SCRIPT]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Otherwise these places are the portal's own.
    assert_eq!(usual().await.get(place, &[SCRIPT]).await.text, "ok");
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_connection_in_a_citizens_name() {
    let routes = ROUTES.replace("path = \"/tax\"", "path = \"/tax\"\nupgrade = [\"websocket\"]");
    let mut world = world(&routes, OK).await;
    let (_, cookie) = world.sign_in(Assurance::High).await;
    for (origin, status) in
        [("https://portal.test", StatusCode::OK), ("https://evil.test", StatusCode::FORBIDDEN)]
    {
        let mut request =
            get(HOST, "/tax", &[SCRIPT, ("cookie", cookie.as_str()), ("origin", origin)]);
        let wish = HeaderValue::from_static("websocket");
        request.extensions_mut().insert(WantsUpgrade::IfPossible(wish));
        assert_eq!(world.ask(request).await.status, status, "{origin}");
        assert_eq!(world.head().is_some(), status == StatusCode::OK, "{origin}");
    }
}

#[tokio::test]
async fn a_request_with_a_second_place_has_one_method() {
    let world = usual().await;
    let overridden = ("x-http-method-override", "MOVE");
    for (said, status) in [
        (&[SCRIPT, overridden][..], StatusCode::OK),
        (&[SCRIPT, ("destination", "/b")], StatusCode::OK),
        (&[SCRIPT, ("destination", "/b"), overridden], StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(world.get("/public", said).await.status, status);
    }
}

#[tokio::test]
async fn where_it_does_not_matter_who_asks_nobody_is_looked_for() {
    let world = usual().await;
    let (_, cookie) = world.sign_in(Assurance::High).await;
    let left = async |target: &str| {
        world.clock.advance(Duration::from_secs(60));
        world.get(target, &[SCRIPT, ("cookie", &cookie)]).await;
        let told = world.get("/.brama/session", &[SCRIPT, ("cookie", &cookie)]).await.json();
        told["seconds_left"].as_i64().unwrap()
    };
    let idle = left("/tax").await;
    assert_eq!(left("/public").await, idle - 60, "it is no sign of life");
    assert_eq!(left("/tax").await, idle);
}

#[tokio::test]
async fn what_is_read_in_two_ways_is_refused_by_its_own_name() {
    let world = usual().await;
    for (target, reason) in [
        ("/public?a=\u{17c}", "request.ambiguous_query"),
        ("/public/../tax", "request.ambiguous_path"),
    ] {
        world.get(target, &[SCRIPT]).await;
        let refusals = world.worker.shared.events.counts().refusals.all();
        let counted = refusals.iter().find(|(name, _)| *name == reason).unwrap().1;
        assert_eq!(counted, 1, "{target}");
    }
}

#[tokio::test]
async fn a_portal_is_told_that_browsers_speak_tls_wherever_that_ends() {
    let mut world = usual().await;
    let (parts, ()) = get(HOST, "/public", &[SCRIPT]).into_parts();
    let plain = Peer::new("192.0.2.1:1".parse().unwrap(), false);
    let answer = world.worker.call(Box::new(parts), Incoming::empty(), &plain).await;
    assert_eq!(answer.into_response().status(), StatusCode::OK);
    let head = world.head().unwrap();
    assert!(head.contains("\r\nx-forwarded-proto: https\r\n"), "{head}");
}

#[tokio::test]
async fn the_script_of_a_page_may_be_kept_for_a_while_and_by_pages_of_the_portal() {
    let script = usual().await.get("/.brama/session.js", &[SCRIPT]).await;
    for (name, expected) in [
        ("cache-control", "public, max-age=600"),
        ("vary", "Accept-Encoding"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(script.header(name), expected);
    }
}
