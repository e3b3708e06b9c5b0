//! What is noted of requests: in the access log, and in the counts.

use std::fs;

use serde_json::Value;

use super::*;

#[tokio::test]
async fn each_request_is_a_line_that_says_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access");
    let log = format!(
        "[log]\naccess = \"json\"\naccess_query = true\naccess_file = \"{}\"\n",
        path.display()
    );
    let world = world_with((&log, ROUTES), OK).await;
    // 1. One that went to the portal, with a body.
    let mut post = get(HOST, "/public?a=b", &[SCRIPT, ("content-length", "3")]);
    *post.method_mut() = Method::POST;
    let body = crate::wire::incoming::Incoming::whole("abc".into());
    assert_eq!(world.ask_with(post, body).await.status, StatusCode::OK);
    // 2. One that is refused at a place of ours, with what may be a handle.
    world.get("/.brama/nothing?id=secret", &[SCRIPT]).await;
    // 3. What could not be read, and plain HTTP that leads nowhere.
    drop(world.worker.refuse(Refusal::Version, &peer(), false));
    let (parts, ()) = get("c.test", "/", &[PAGE]).into_parts();
    drop(world.worker.to_https(Box::new(parts), &peer()));
    // 4. One whose client left before there was an answer, and one that was answered elsewhere.
    let (parts, ()) = get(HOST, "/tax", &[SCRIPT]).into_parts();
    drop(Unanswered::begin(&world.worker, Box::new(parts), &peer()));
    let (parts, ()) = get(HOST, "/tax", &[SCRIPT]).into_parts();
    let elsewhere = http::Response::new(crate::base::body::full("four"));
    let elsewhere = world.worker.answer(Box::new(parts), &peer(), elsewhere);
    assert!(elsewhere.into_response().status().is_success());
    world.worker.shared.access.flush();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let column = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("status"), [200, 404, 505, 404, 499, 200].map(Value::from));
    let texts = |texts: [&str; 6]| {
        texts.map(|text| if text.is_empty() { Value::Null } else { text.into() }).to_vec()
    };
    let reasons = ["", "request.no_such_place", "request.version", "request.no_route", "", ""];
    assert_eq!(column("reason"), texts(reasons));
    assert_eq!(column("query"), texts(["a=b", "", "", "", "", ""]));
    let ended = column("ended");
    assert_eq!((&ended[0], &ended[4]), (&Value::Null, &"client_closed_unanswered".into()));
    let portal = &lines[0];
    assert!(portal["upstream"].as_str().unwrap().starts_with("portal/127.0.0.1:"), "{portal}");
    assert_eq!(
        (&portal["route"], &portal["received"], &portal["sent"]),
        (&"/public".into(), &3.into(), &2.into()),
        "{portal}"
    );
    assert!(portal["connect"].is_number() && portal["first_byte"].is_number(), "{portal}");
    assert!(lines[1..].iter().all(|line| line["upstream"].is_null() && line["route"].is_null()));
}

#[tokio::test]
async fn without_an_access_log_who_left_is_counted_all_the_same() {
    let world = usual().await;
    let (parts, ()) = get(HOST, "/tax", &[SCRIPT]).into_parts();
    drop(Unanswered::begin(&world.worker, Box::new(parts), &peer()));
    world.get("/public", &[SCRIPT]).await;
    // One whose client leaves within the answer.
    let (parts, ()) = get(HOST, "/tax", &[SCRIPT]).into_parts();
    let half = http::Response::new(crate::base::body::full("four"));
    drop(world.worker.answer(Box::new(parts), &peer(), half));
    let cuts = world.worker.shared.events.counts().requests_cut.all();
    let count = |name: &str| cuts.iter().find(|(cut, _)| *cut == name).unwrap().1;
    assert_eq!(count("client_closed_unanswered"), 1);
    assert_eq!(count("client_closed"), 1);
    assert_eq!(cuts.iter().map(|(_, count)| count).sum::<u64>(), 2);
}

#[tokio::test]
async fn an_answer_over_tls_tells_browsers_to_stay_with_it_where_that_is_wanted() {
    for (time, expected) in [("365d", "max-age=31536000"), ("0s", "")] {
        let world = world_with((&format!("hsts = \"{time}\"\n"), ROUTES), OK).await;
        let answer = world.get("/public", &[SCRIPT]).await;
        assert_eq!(answer.header("strict-transport-security"), expected);
    }
}
